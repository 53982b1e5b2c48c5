//! What cost depends on: n, rows, digit columns and the size of a batch, one of them at a time.

use curve::Engine;
use serde_json::{Map, Value, json};

use crate::figures::{engine_name, engines, rounded};
use crate::interleaved::{Interleaved, Medians};
use crate::machine;
use crate::ours::{Example, Rows, Threads};
use crate::peers::{PEER_VALUES, Tari};

/// Fewer than for the figures: there are many points, and they support one another.
const ROUNDS: usize = 11;

const SIZES: [usize; 4] = [256, 512, 1024, 2048];
/// Rows of 32 bits: 64 of them fill one column, so that nothing else changes.
const ROW_COUNTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const COLUMNS: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
/// A column of 256 digits holds so many values of 64 bits.
const VALUES_PER_COLUMN: usize = 32;
const BATCHES: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// The peer's proofs take long to make, and its curve has flattened out there.
const LARGEST_PEER_BATCH: usize = 64;

/// All curves, by what varies.
pub fn measure() -> Value {
    json!({
        "n": prove_and_verify(&SIZES, |n| Example::new(n, Rows::Weighted { count: 16, bits: 96 })),
        "rows": prove_and_verify(&ROW_COUNTS, |count| Example::new(256, Rows::Weighted { count, bits: 32 })),
        "columns": prove_and_verify(&COLUMNS, |c| Example::new(256, Rows::Values { count: c * VALUES_PER_COLUMN })),
        "batch": batches(),
        "rounds": ROUNDS,
        "machine": machine::description(),
    })
}

/// Milliseconds of proving and verifying an example for each place on the axis.
fn prove_and_verify(axis: &[usize], example: impl Fn(usize) -> Example) -> Value {
    let examples: Vec<Example> = axis.iter().map(|at| example(*at)).collect();
    let mut tasks = Interleaved::default();
    for engine in engines() {
        for (at, example) in axis.iter().zip(&examples) {
            tasks.add(label("prove", engine, *at), engine, || example.prove(Threads::One));
            tasks.add(label("verify", engine, *at), engine, || example.verify());
        }
    }
    let medians = tasks.run(ROUNDS);
    json!({ "axis": axis, "prove": by_engine(&medians, "prove", axis), "verify": by_engine(&medians, "verify", axis) })
}

/// Milliseconds for each proof of a batch, beside Tari's Bulletproofs+.
fn batches() -> Value {
    let largest = BATCHES[BATCHES.len() - 1];
    let example = Example::new(256, Rows::Weighted { count: 16, bits: 96 });
    let (batch, tari) = (example.batch(largest), Tari::new(PEER_VALUES, LARGEST_PEER_BATCH));
    let peer_axis: Vec<usize> = BATCHES.into_iter().filter(|size| *size <= LARGEST_PEER_BATCH).collect();
    let mut tasks = Interleaved::default();
    for size in &BATCHES {
        for engine in engines() {
            tasks.add(label("each", engine, *size), engine, || batch.verify(*size, Threads::One));
        }
    }
    for size in &peer_axis {
        tasks.add(format!("tari {size}"), Engine::active(), || tari.verify(*size));
    }
    let medians = tasks.run(ROUNDS);
    let each = |task: String, size: usize| rounded(medians.of(&task) / size as f64);
    let ours = |engine| BATCHES.map(|size| each(label("each", engine, size), size));
    let series: Map<String, Value> =
        engines().map(|engine| (engine_name(engine).to_owned(), json!(ours(engine)))).collect();
    let tari: Vec<Value> = peer_axis.iter().map(|size| each(format!("tari {size}"), *size)).collect();
    json!({ "axis": BATCHES, "each": series, "tari": tari })
}

fn label(task: &str, engine: Engine, at: usize) -> String {
    format!("{task} {} {at}", engine_name(engine))
}

fn by_engine(medians: &Medians, task: &str, axis: &[usize]) -> Value {
    let series = |engine| axis.iter().map(|at| rounded(medians.of(&label(task, engine, *at)))).collect::<Vec<_>>();
    let curves = engines().map(|engine| (engine_name(engine).to_owned(), json!(series(engine))));
    Value::Object(curves.collect())
}
