//! Every rule of a well-formed statement, each broken alone.

mod support;

use std::sync::Arc;

use argument::{Code, Integer, Opening, Row, Setup, Statement, prove, verify};
use proptest::prelude::*;
use support::{integer, row};

fn code(n: usize, vectors: usize, inputs: usize, rows: Vec<Row>) -> Result<(), (Code, Option<usize>)> {
    let refused = Statement::new(n, vectors, inputs, rows).err();
    refused.map_or(Ok(()), |error| {
        assert_eq!(error.step, Some(1));
        Err((error.code, error.row))
    })
}

fn simple() -> Vec<Row> {
    vec![row(8, 0, &[&[(0, 1)]])]
}

#[test]
fn shapes() {
    let shape = Err((Code::StatementShape, None));
    let in_row = |row| Err((Code::StatementShape, Some(row)));
    for n in [256, 512, 1024, 2048] {
        assert_eq!(code(n, 1, 1, simple()), Ok(()));
    }
    for n in [0, 1, 128, 255, 257, 4096, usize::MAX] {
        assert_eq!(code(n, 1, 1, simple()), shape, "{n}");
    }
    assert_eq!(code(256, 0, 0, simple()), shape);
    assert_eq!(code(256, 1, 0, simple()), shape);
    assert_eq!(code(256, 1, 2, simple()), shape);
    assert_eq!(code(256, 1, 1, vec![]), shape);
    let wide = |vectors: usize| {
        vec![Row {
            bits: 8,
            constant: Integer::ZERO,
            weights: [vec![vec![(0, 1)]], vec![vec![]; vectors - 1]].concat(),
        }]
    };
    assert_eq!(code(2048, 32, 32, wide(32)), Ok(()));
    assert_eq!(code(2048, 33, 33, wide(33)), shape);
    assert_eq!(code(256, usize::MAX, 1, simple()), shape);
    for bits in [0, 1, 7, 12, 129, 136, 256, u32::MAX] {
        assert_eq!(code(256, 1, 1, vec![row(bits, 0, &[&[(0, 1)]])]), in_row(0), "{bits}");
    }
    assert_eq!(code(256, 2, 2, [simple(), simple()].concat()), in_row(0));
    assert_eq!(code(256, 1, 1, vec![row(8, 0, &[&[(0, 1)], &[]])]), in_row(0));
    assert_eq!(code(256, 1, 1, [simple(), vec![row(8, 0, &[&[(256, 1)]])]].concat()), in_row(1));
    // 64 columns of 256 digits hold 1024 rows of 128 bits.
    assert_eq!(code(256, 1, 1, vec![row(128, 0, &[&[(0, 1)]]); 1024]), Ok(()));
    assert_eq!(code(256, 1, 1, vec![row(128, 0, &[&[(0, 1)]]); 1025]), shape);
}

#[test]
fn canonical_form() {
    let refused = |row| Err((Code::StatementNotCanonical, Some(row)));
    assert_eq!(code(256, 1, 1, vec![row(8, 0, &[&[(1, 1), (0, 1)]])]), refused(0));
    assert_eq!(code(256, 1, 1, vec![row(8, 0, &[&[(1, 1), (1, 2)]])]), refused(0));
    assert_eq!(code(256, 1, 1, [simple(), vec![row(8, 0, &[&[(0, 0)]])]].concat()), refused(1));
}

#[test]
fn ranges_of_weights_and_constants() {
    let limit = 1_i128 << 64;
    for (weight, expected) in [
        (limit - 1, Ok(())),
        (1 - limit, Ok(())),
        (limit, Err((Code::StatementWeightRange, Some(0)))),
        (-limit, Err((Code::StatementWeightRange, Some(0)))),
        (i128::MIN, Err((Code::StatementWeightRange, Some(0)))),
    ] {
        assert_eq!(code(256, 1, 1, vec![row(8, 0, &[&[(0, weight)]])]), expected, "{weight}");
    }
    let below = format!("0x3{}", "f".repeat(47));
    let reached = format!("0x4{}", "0".repeat(47));
    let constant = |text: &str| vec![Row { bits: 8, constant: integer(text), weights: vec![vec![(0, 1)]] }];
    let refused = Err((Code::StatementConstantRange, Some(0)));
    assert_eq!(code(256, 1, 1, constant(&below)), Ok(()));
    assert_eq!(code(256, 1, 1, constant(&format!("-{below}"))), Ok(()));
    assert_eq!(code(256, 1, 1, constant(&reached)), refused);
    assert_eq!(code(256, 1, 1, constant(&format!("-{reached}"))), refused);
}

#[test]
fn auxiliary_entries_are_bound_by_exactly_the_rule() {
    let unbound = |row| Err((Code::StatementUnboundAuxiliary, Some(row)));
    let auxiliary = |rows| code(256, 2, 1, rows);
    let with = |weights: &[(u32, i128)]| row(64, 0, &[&[], weights]);
    // Weight ±1 binds; any other does not: this is the attack 2x − 1 = 0.
    assert_eq!(auxiliary(vec![with(&[(0, 1)])]), Ok(()));
    assert_eq!(auxiliary(vec![with(&[(0, -1)])]), Ok(()));
    assert_eq!(auxiliary(vec![row(64, -1, &[&[], &[(0, 2)]])]), unbound(0));
    // Two unbound entries bind nothing, and the row is not visited again.
    assert_eq!(auxiliary(vec![with(&[(0, 1), (1, 1)])]), unbound(0));
    assert_eq!(auxiliary(vec![with(&[(0, 1), (1, 1)]), with(&[(0, 1)])]), unbound(0));
    assert_eq!(auxiliary(vec![with(&[(0, 1)]), with(&[(0, 5), (1, 1)])]), Ok(()));
    // An entry used before the row that binds it is bound for every row.
    assert_eq!(auxiliary(vec![with(&[(0, 3)]), with(&[(0, 1)])]), Ok(()));
    // Entries of other vectors and of other indices are other entries.
    assert_eq!(auxiliary(vec![with(&[(0, 1)]), with(&[(1, 2)])]), unbound(1));
    let two = |rows| code(256, 3, 1, rows);
    assert_eq!(two(vec![row(8, 0, &[&[], &[(0, 1)], &[]]), row(8, 0, &[&[], &[], &[(0, 2)]])]), unbound(1));
    // Entries of input vectors count as bound.
    assert_eq!(code(256, 2, 2, vec![with(&[(0, 2)])]), Ok(()));
}

#[test]
fn rows_that_could_wrap_are_refused() {
    let wrap = |row| Err((Code::StatementWrap, Some(row)));
    let huge = (1_i128 << 64) - 1;
    // x0 < 2^128; each further entry multiplies the bound by 2^64: 2^192, then 2^256.
    let chain = |length: u32| {
        let mut rows = vec![row(128, 0, &[&[], &[(0, 1)]])];
        rows.extend((1..length).map(|at| row(128, 0, &[&[], &[(at - 1, huge), (at, 1)]])));
        rows
    };
    assert_eq!(code(256, 2, 1, chain(2)), Ok(()));
    assert_eq!(code(256, 2, 1, chain(3)), wrap(2));
    // A bound that reaches the limit is refused where it arises, not where an earlier row uses it.
    let mut early = vec![row(8, 0, &[&[], &[(2, 3)]])];
    early.extend(chain(3));
    assert_eq!(code(256, 2, 1, early), wrap(3));
    // A row that binds nothing is measured with the final bounds.
    let mut rows = chain(2);
    rows.push(row(128, 0, &[&[], &[(1, huge)]]));
    assert_eq!(code(256, 2, 1, rows), wrap(2));
}

#[test]
fn the_bound_is_exact_to_the_last_unit() {
    let power = |exponent: usize| {
        let mut bytes = [0; Integer::BYTES];
        bytes[exponent / 8] = 1 << (exponent % 8);
        Integer::from_le_bytes(&bytes)
    };
    // Row 0 binds x to 2^189 + 2^128; row 1 has the bound 2^8 + w·(2^189 + 2^128).
    let rows = |weight: i128| {
        vec![
            Row { bits: 128, constant: power(189), weights: vec![vec![], vec![(0, 1)]] },
            row(8, 0, &[&[], &[(0, weight)]]),
        ]
    };
    // w = 2^64 − 8 gives 2^253 − 2^131 + 2^8, w = 2^64 − 7 gives more than 2^253.
    assert_eq!(code(256, 2, 1, rows((1 << 64) - 8)), Ok(()));
    assert_eq!(code(256, 2, 1, rows((1 << 64) - 7)), Err((Code::StatementWrap, Some(1))));
}

#[test]
fn digests_bind_every_part() {
    let base = || vec![row(16, 5, &[&[(0, 3), (7, -2)], &[(1, 1)]])];
    let digest = |n, inputs, rows| *Statement::new(n, 2, inputs, rows).unwrap().digest();
    let mut all = vec![
        digest(256, 2, base()),
        digest(512, 2, base()),
        digest(256, 1, base()),
        digest(256, 2, vec![row(24, 5, &[&[(0, 3), (7, -2)], &[(1, 1)]])]),
        digest(256, 2, vec![row(16, 6, &[&[(0, 3), (7, -2)], &[(1, 1)]])]),
        digest(256, 2, vec![row(16, 5, &[&[(0, 4), (7, -2)], &[(1, 1)]])]),
        digest(256, 2, vec![row(16, 5, &[&[(0, 3), (8, -2)], &[(1, 1)]])]),
        digest(256, 2, vec![row(16, 5, &[&[(0, 3)], &[(1, 1), (7, -2)]])]),
        digest(256, 2, [base(), base()].concat()),
    ];
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_gives_a_statement_or_a_code(
        n in prop_oneof![Just(256_usize), Just(512), any::<usize>()],
        vectors in prop_oneof![1_usize..4, any::<usize>()],
        inputs in prop_oneof![1_usize..4, any::<usize>()],
        rows in proptest::collection::vec(
            (
                prop_oneof![Just(8_u32), Just(128), any::<u32>()],
                any::<[u8; Integer::BYTES]>(),
                any::<bool>(),
                proptest::collection::vec(
                    proptest::collection::vec(
                        (prop_oneof![0_u32..4, any::<u32>()], prop_oneof![-2_i128..3, any::<i128>()]), 0..4),
                    0..4),
            ),
            0..5,
        ),
    ) {
        let rows = rows
            .into_iter()
            .map(|(bits, bytes, small, weights)| Row {
                bits,
                constant: if small { Integer::from(i128::from(bytes[0])) } else { Integer::from_le_bytes(&bytes) },
                weights,
            })
            .collect();
        if let Err(error) = Statement::new(n, vectors, inputs, rows) {
            prop_assert_eq!(error.step, Some(1));
        }
    }
}

#[test]
fn a_thousand_verifications_on_four_threads_share_one_statement() {
    let setup = Setup::global().unwrap();
    let statement = Arc::new(Statement::new(256, 1, 1, simple()).unwrap());
    let opening = Opening::new(256, [(0, Integer::from(5))], &[7; 32]).unwrap();
    let commitments = [opening.commitment(setup).unwrap()];
    let proof = prove(setup, &statement, &[&opening], b"").unwrap();
    let verifying = |shared: Arc<Statement>| {
        for _ in 0..250 {
            verify(setup, &shared, &commitments, b"", &proof).unwrap();
        }
        std::ptr::from_ref(&*shared).addr()
    };
    let addresses: Vec<usize> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(|| verifying(Arc::clone(&statement))));
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(addresses, [std::ptr::from_ref(&*statement).addr(); 4]);
    assert_eq!(Arc::strong_count(&statement), 1);
}
