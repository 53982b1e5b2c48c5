//! Fresh proofs, and everything that the prover refuses.

mod support;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use argument::proof::ProofBytes;
use argument::{
    Code, Effort, Integer, Opening, Progress, Row, Setup, Statement, add_commitments, commit, prove, prove_seeded,
    prove_with, row_values, verify,
};
use curve::Scalar;
use proptest::prelude::*;
use support::{Seeded, cases, integer, opening, row};

fn check(statement: &Statement, openings: &[&Opening], seed: u8) -> Result<Vec<u8>, (Code, Option<usize>)> {
    let setup = Setup::global().unwrap();
    let seed = [seed; 32];
    let proof =
        prove_seeded(setup, statement, openings, b"context", &Effort::default(), seed).map_err(|e| (e.code, e.row))?;
    let inputs: Vec<_> =
        openings[..statement.inputs()].iter().map(|opening| opening.commitment(setup).unwrap()).collect();
    verify(setup, statement, &inputs, b"context", &proof).unwrap();
    Ok(proof)
}

#[test]
fn fresh_proofs_of_every_valid_case_are_accepted() {
    let setup = Setup::global().unwrap();
    for case in cases().into_iter().filter(|case| case.valid) {
        let statement = case.statement().unwrap();
        let openings = case.openings();
        let references: Vec<_> = openings.iter().collect();
        let bytes = prove(setup, &statement, &references, &case.context()).unwrap();
        verify(setup, &statement, &case.commitments()[..case.inputs], &case.context(), &bytes).unwrap();
    }
}

#[test]
fn both_ends_of_a_row_are_sharp() {
    // The row's value is its constant: the entry is 0.
    let refused = Err((Code::RowNotSatisfied, Some(0)));
    let last = |bits: u32| (1_u128 << (bits - 1)) + ((1_u128 << (bits - 1)) - 1);
    for bits in [8, 64, 128] {
        let value = |constant: Integer| {
            let statement = Statement::new(256, 1, 1, vec![Row { bits, constant, weights: vec![vec![(0, 1)]] }]);
            check(&statement.unwrap(), &[&opening(256, &[], &mut Seeded(5))], 6).map(|_| ())
        };
        assert_eq!(value(Integer::from(-1)), refused, "{bits}");
        assert_eq!(value(Integer::ZERO), Ok(()), "{bits}");
        assert_eq!(value(integer(&format!("0x{:x}", last(bits)))), Ok(()), "{bits}");
        assert_eq!(value(integer(&format!("0x1{}", "0".repeat(bits as usize / 4)))), refused, "{bits}");
    }
}

#[test]
fn the_first_false_row_is_named() {
    let rows = vec![row(8, 1, &[&[(0, 1)]]), row(8, 0, &[&[(1, 1)]]), row(16, -3, &[&[(2, 1)]])];
    let statement = Statement::new(256, 1, 1, rows).unwrap();
    let good = opening(256, &[(0, 254), (1, 255), (2, 3)], &mut Seeded(1));
    check(&statement, &[&good], 2).unwrap();
    for (entries, row) in
        [([(0, 255), (1, 255), (2, 3)], 0), ([(0, 254), (1, 256), (2, 0)], 1), ([(0, 254), (1, 255), (2, 2)], 2)]
    {
        let bad = opening(256, &entries, &mut Seeded(1));
        assert_eq!(check(&statement, &[&bad], 2), Err((Code::RowNotSatisfied, Some(row))));
    }
}

#[test]
fn a_row_that_holds_only_modulo_r_is_refused() {
    // 2x − 1 ≡ 0 for x = 1/2 mod r; an entry that large is refused before any row is looked at.
    let half = Scalar::from(2).invert().unwrap().to_be_bytes();
    let mut bytes = [0; Integer::BYTES];
    for (target, byte) in bytes.iter_mut().zip(half.iter().rev()) {
        *target = *byte;
    }
    let entries = [(0, Integer::from_le_bytes(&bytes))];
    assert_eq!(Opening::new(256, entries, &[1; 32]).unwrap_err().code, Code::EntryRange);
}

#[test]
fn input_entries_lie_below_2_to_the_63() {
    let statement = Statement::new(256, 1, 1, vec![row(128, 1 << 70, &[&[(0, 1)]])]).unwrap();
    let setup = Setup::global().unwrap();
    for (value, fits) in
        [((1_i128 << 63) - 1, true), (1 << 63, false), (-(1_i128 << 63), false), (1 - (1_i128 << 63), true)]
    {
        let candidate = opening(256, &[(0, value)], &mut Seeded(3));
        let expected = if fits { Ok(()) } else { Err(Code::EntryRange) };
        assert_eq!(check(&statement, &[&candidate], 4).map(|_| ()).map_err(|(code, _)| code), expected);
        assert_eq!(commit(setup, &candidate).map(|_| ()).map_err(|error| error.code), expected);
        assert!(candidate.commitment(setup).is_ok());
    }
}

#[test]
fn openings_must_match_the_statement() {
    let statement = Statement::new(256, 2, 2, vec![row(8, 1, &[&[(0, 1)], &[(0, 1)]])]).unwrap();
    let (short, long) = (opening(256, &[], &mut Seeded(1)), opening(512, &[], &mut Seeded(1)));
    for openings in [&[&short][..], &[&short, &long], &[&short, &short, &short], &[]] {
        assert_eq!(check(&statement, openings, 1), Err((Code::OpeningCount, None)));
        assert_eq!(row_values(&statement, openings).unwrap_err().code, Code::OpeningCount);
    }
    check(&statement, &[&short, &short], 1).unwrap();
}

#[test]
fn openings_are_checked_when_they_are_made() {
    let new = |n, entries: &[(u32, i128)], blinding: &[u8; 32]| {
        Opening::new(n, entries.iter().map(|(index, value)| (*index, Integer::from(*value))), blinding)
            .map(|_| ())
            .map_err(|error| error.code)
    };
    assert_eq!(new(256, &[(255, 1)], &[1; 32]), Ok(()));
    assert_eq!(new(256, &[(256, 1)], &[1; 32]), Err(Code::EntryRange));
    assert_eq!(new(256, &[(3, 1), (3, 2)], &[1; 32]), Err(Code::EntryRange));
    assert_eq!(new(257, &[], &[1; 32]), Err(Code::StatementShape));
    assert_eq!(new(256, &[], &curve::MODULUS_BYTES), Err(Code::ScalarRange));
    let setup = Setup::global().unwrap();
    let infinity = Opening::new(256, [], &[0; 32]).unwrap();
    assert_eq!(infinity.commitment(setup).unwrap_err().code, Code::PointAtInfinity);
}

/// Every element of a proof but the auxiliary commitments, which their openings fix.
fn elements(statement: &Statement, proof: &[u8]) -> Vec<Vec<u8>> {
    let parts = ProofBytes::split(statement, proof).unwrap();
    let points = [parts.digits, parts.inverses].concat().into_iter().chain([
        parts.multiplicities,
        parts.table_inverse,
        parts.accumulator,
        parts.quotient,
        parts.opening_at_z,
        parts.opening_at_next,
    ]);
    let scalars = parts.digit_evaluations.into_iter().chain([parts.accumulator_evaluation]);
    points.map(|bytes| bytes.to_vec()).chain(scalars.map(|bytes| bytes.to_vec())).collect()
}

#[test]
fn two_proofs_of_the_same_share_no_element() {
    let setup = Setup::global().unwrap();
    // Two columns, and an auxiliary vector; all rows hold small values, whose unblinded commitments could be guessed.
    let rows = (0..200).map(|_| row(16, 0, &[&[(0, 1)], &[(1, 1)]])).collect();
    let statement = Statement::new(256, 2, 1, rows).unwrap();
    assert_eq!(statement.columns(), 2);
    let (input, auxiliary) = (opening(256, &[(0, 1)], &mut Seeded(1)), opening(256, &[(1, 2)], &mut Seeded(2)));
    let proofs = [
        prove(setup, &statement, &[&input, &auxiliary], b"").unwrap(),
        prove(setup, &statement, &[&input, &auxiliary], b"").unwrap(),
        prove_seeded(setup, &statement, &[&input, &auxiliary], b"", &Effort::default(), [1; 32]).unwrap(),
        prove_seeded(setup, &statement, &[&input, &auxiliary], b"", &Effort::default(), [2; 32]).unwrap(),
        prove_seeded(setup, &statement, &[&input, &auxiliary], b"c", &Effort::default(), [2; 32]).unwrap(),
    ];
    let all: Vec<_> = proofs.iter().flat_map(|proof| elements(&statement, proof)).collect();
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(all.len(), 5 * (2 * 2 + 6 + 3));
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn a_seed_fixes_every_byte() {
    let statement = Statement::new(256, 1, 1, vec![row(16, 5, &[&[(0, 3)]])]).unwrap();
    let secret = opening(256, &[(0, 9)], &mut Seeded(1));
    assert_eq!(check(&statement, &[&secret], 1), check(&statement, &[&secret], 1));
    assert_ne!(check(&statement, &[&secret], 1), check(&statement, &[&secret], 2));
}

#[test]
fn nothing_secret_is_shown() {
    let secret = Opening::new(256, [(0, Integer::from(0x5ec2e7))], &[0x42; 32]).unwrap();
    assert_eq!(format!("{secret:?}"), "Opening(n=256, …)");
    let statement = Statement::new(256, 1, 1, vec![row(8, 0, &[&[(0, 1)]])]).unwrap();
    let setup = Setup::global().unwrap();
    let error = prove(setup, &statement, &[&secret], b"").unwrap_err();
    assert!(!error.to_string().contains(&0x5ec2e7.to_string()));
}

#[test]
fn sums_of_commitments_refuse_what_is_no_commitment() {
    let setup = Setup::global().unwrap();
    let one = opening(256, &[(0, 1)], &mut Seeded(1)).commitment(setup).unwrap();
    assert_eq!(add_commitments(&[]).unwrap_err().code, Code::CommitmentCount);
    let mut opposite = one;
    opposite[0] ^= 0x20;
    assert_eq!(add_commitments(&[one, opposite]).unwrap_err().code, Code::PointAtInfinity);
    let mut broken = one;
    broken[0] &= 0x7f;
    assert_eq!(add_commitments(&[one, broken]).unwrap_err().code, Code::PointEncoding);
    assert_eq!(add_commitments(&[one]), Ok(one));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commitments_add(a in any::<[i64; 3]>(), b in any::<[i64; 3]>(), seed in any::<u64>()) {
        let setup = Setup::global().unwrap();
        let mut rng = Seeded(seed);
        let blindings = [Scalar::random(&mut rng), Scalar::random(&mut rng)];
        let make = |values: [i128; 3], blinding: Scalar| {
            let entries = [0, 100, 255].into_iter().zip(values.map(Integer::from));
            Opening::new(256, entries, &blinding.to_be_bytes()).unwrap().commitment(setup).unwrap()
        };
        let sum = core::array::from_fn(|at| i128::from(a[at]) + i128::from(b[at]));
        let added = add_commitments(&[make(a.map(i128::from), blindings[0]), make(b.map(i128::from), blindings[1])]);
        prop_assert_eq!(added.unwrap(), make(sum, blindings[0] + blindings[1]));
    }

    #[test]
    fn a_proof_exists_exactly_where_the_integers_agree(
        weights in proptest::collection::vec((0_u32..256, -1_000_000_i128..1_000_000), 1..12),
        values in proptest::collection::vec((0_u32..256, -1_000_000_i128..1_000_000), 1..12),
        constant in -2_000_000_000_i128..2_000_000_000,
        seed in any::<u64>(),
    ) {
        let unique = |pairs: Vec<(u32, i128)>| -> Vec<(u32, i128)> {
            let map: std::collections::BTreeMap<u32, i128> = pairs.into_iter().filter(|pair| pair.1 != 0).collect();
            map.into_iter().collect()
        };
        let (weights, values) = (unique(weights), unique(values));
        let dot: i128 = weights
            .iter()
            .map(|(index, weight)| values.iter().find(|pair| pair.0 == *index).map_or(0, |pair| pair.1 * weight))
            .sum();
        let statement = Statement::new(256, 1, 1, vec![row(32, constant, &[&weights])]).unwrap();
        let secret = opening(256, &values, &mut Seeded(seed));
        prop_assert_eq!(&row_values(&statement, &[&secret]).unwrap()[..], &[Integer::from(constant + dot)]);
        let expected = (0..1 << 32).contains(&(constant + dot));
        prop_assert_eq!(check(&statement, &[&secret], seed as u8).is_ok(), expected);
    }
}

#[test]
fn a_proof_does_not_depend_on_the_number_of_threads() {
    let setup = Setup::global().unwrap();
    let rows =
        (0..300).map(|at| Row { bits: 64, constant: Integer::ZERO, weights: vec![vec![(at, 1)], vec![(at, 2)]] });
    let statement = Statement::new(1024, 2, 2, rows.collect()).unwrap();
    let values = |factor: i128| (0..300).map(move |at| (at, Integer::from(factor * i128::from(at))));
    let openings = [1, 3].map(|factor| Opening::new(1024, values(factor), &[factor as u8; 32]).unwrap());
    let commitments = [0, 1].map(|number: usize| openings[number].commitment(setup).unwrap());
    let steps = std::sync::Mutex::new(Vec::new());
    let observer = |progress: Progress| {
        steps.lock().unwrap().push((progress.done, progress.total));
        ControlFlow::Continue(())
    };
    let proofs = [1, 2, 3].map(|threads| {
        let effort = Effort { threads: NonZeroUsize::new(threads), observer: Some(&observer) };
        prove_seeded(setup, &statement, &[&openings[0], &openings[1]], b"", &effort, [5; 32]).unwrap()
    });
    verify(setup, &statement, &commitments, b"", &proofs[0]).unwrap();
    assert!(proofs[0] == proofs[1] && proofs[1] == proofs[2]);
    let steps = steps.into_inner().unwrap();
    let total = steps[0].1;
    assert_eq!(steps, [(); 3].into_iter().flat_map(|()| (1..=total).map(|done| (done, total))).collect::<Vec<_>>());
}

#[test]
fn whoever_hears_of_progress_may_end_the_call() {
    let setup = Setup::global().unwrap();
    let row = Row { bits: 8, constant: Integer::ZERO, weights: vec![vec![(0, 1)]] };
    let statement = Statement::new(256, 1, 1, vec![row]).unwrap();
    let opening = Opening::new(256, [(0, Integer::from(7))], &[1; 32]).unwrap();
    for last in 1..6 {
        let stop =
            |progress: Progress| if progress.done < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let effort = Effort { threads: None, observer: Some(&stop) };
        assert_eq!(prove_with(setup, &statement, &[&opening], b"", &effort).unwrap_err().code, Code::Cancelled);
    }
}
