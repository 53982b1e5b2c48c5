//! Proving and verifying on one core. `cargo bench -p argument`; the limits stand in docs.

#![allow(missing_docs, reason = "criterion's macros write undocumented items")]

use argument::{Integer, Opening, Row, Setup, Statement, prove, verify};
use criterion::{Criterion, criterion_group, criterion_main};
use curve::Scalar;

#[path = "../tests/support/mod.rs"]
mod support;

use support::Seeded;

/// Rows of `bits` bits with weights on every entry, n entries, one input.
fn example(n: usize, rows: usize, bits: u32) -> (Statement, Opening) {
    let mut rng = Seeded(1);
    let mut small = |bits: u32| {
        i128::from_be_bytes(Scalar::random(&mut rng).to_be_bytes()[..16].try_into().unwrap()) >> (128 - bits) | 1
    };
    let row = |weights: Vec<(u32, i128)>| Row { bits, constant: Integer::from(1 << 62), weights: vec![weights] };
    let all = (0..rows).map(|_| row((0..n as u32).map(|index| (index, small(20))).collect())).collect();
    let statement = Statement::new(n, 1, 1, all).unwrap();
    let values: Vec<_> = (0..n as u32).map(|index| (index, Integer::from(small(28)))).collect();
    (statement, Opening::new(n, values, &[7; 32]).unwrap())
}

fn measure(criterion: &mut Criterion, name: &str, n: usize, rows: usize, bits: u32) {
    let setup = Setup::global().unwrap();
    let (statement, opening) = example(n, rows, bits);
    let commitment = opening.commitment(setup).unwrap();
    let mut rng = Seeded(2);
    let proof = prove(setup, &statement, &[&opening], b"", &mut rng).unwrap();
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20);
    group.bench_function("prove", |bencher| {
        bencher.iter(|| prove(setup, &statement, &[&opening], b"", &mut rng).unwrap());
    });
    group.bench_function("verify", |bencher| {
        bencher.iter(|| verify(setup, &statement, &[commitment], b"", &proof).unwrap());
    });
    group.bench_function("commit", |bencher| bencher.iter(|| opening.commitment(setup).unwrap()));
    group.finish();
}

fn benches(criterion: &mut Criterion) {
    measure(criterion, "16 rows x 96 bits, n = 256", 256, 16, 96);
    measure(criterion, "64 rows x 96 bits, n = 1024", 1024, 64, 96);
}

criterion_group!(argument_benches, benches);
criterion_main!(argument_benches);
