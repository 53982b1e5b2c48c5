//! Batches: any mix of statements and sizes; every bad proof is named with the reason that it has alone.

mod support;

use argument::proof::EncodedPoint;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use argument::{
    ArgumentError, Claim, Code, Effort, Progress, Setup, Statement, verify, verify_batch, verify_batch_with,
};
use curve::{G1, Scalar};
use support::example::{CONTEXT, example, layout, line, moved, with};
use support::{Case, cases};

/// A case of the known answers whose statement is well-formed.
struct Known {
    name: String,
    statement: Statement,
    commitments: Vec<EncodedPoint>,
    context: Vec<u8>,
    proof: Vec<u8>,
    valid: bool,
}

impl Known {
    fn of(case: &Case) -> Option<Self> {
        Some(Self {
            name: case.name.clone(),
            statement: case.statement().ok()?,
            commitments: case.commitments(),
            context: case.context(),
            proof: case.proof(),
            valid: case.valid,
        })
    }

    fn claim(&self) -> Claim<'_> {
        Claim { statement: &self.statement, commitments: &self.commitments, context: &self.context, proof: &self.proof }
    }

    fn alone(&self) -> Result<(), ArgumentError> {
        let setup = Setup::global().unwrap();
        verify(setup, &self.statement, &self.commitments, &self.context, &self.proof)
    }
}

fn known() -> Vec<Known> {
    cases().iter().filter_map(Known::of).collect()
}

fn refused(claims: &[Claim<'_>]) -> Vec<(usize, ArgumentError)> {
    verify_batch(Setup::global().unwrap(), claims)
}

#[test]
fn all_good_proofs_of_all_sizes_hold_together() {
    let known = known();
    let claims: Vec<_> = known.iter().filter(|case| case.valid).map(Known::claim).collect();
    assert!(claims.len() > 5);
    let sizes: std::collections::BTreeSet<_> = claims.iter().map(|claim| claim.statement.n()).collect();
    assert!(sizes.len() > 1);
    assert_eq!(refused(&claims), []);
}

#[test]
fn every_bad_proof_is_named_with_its_own_reason() {
    let known = known();
    let claims: Vec<_> = known.iter().map(Known::claim).collect();
    let expected: Vec<_> = known
        .iter()
        .enumerate()
        .filter_map(|(position, case)| {
            assert_eq!(case.alone().is_ok(), case.valid, "{}", case.name);
            Some((position, case.alone().err()?))
        })
        .collect();
    assert!(expected.iter().any(|(_, error)| error.code == Code::ProofInvalid));
    assert_eq!(refused(&claims), expected);
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let known = known();
    let claims: Vec<_> = known.iter().chain(&known).chain(&known).map(Known::claim).collect();
    let steps = claims.len().div_ceil(16) + 1;
    let last = std::sync::Mutex::new(0);
    let observer = |progress: Progress| {
        assert_eq!(progress.total, steps);
        *last.lock().unwrap() = progress.done;
        ControlFlow::Continue(())
    };
    let answers = [1, 2, 3].map(|threads| {
        let effort = Effort { threads: NonZeroUsize::new(threads), observer: Some(&observer) };
        let answer = verify_batch_with(Setup::global().unwrap(), &claims, &effort).unwrap();
        assert_eq!(*last.lock().unwrap(), steps);
        answer
    });
    assert!(!answers[0].is_empty());
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[1], answers[2]);
    assert_eq!(refused(&claims), answers[0]);
}

#[test]
fn a_batch_that_is_ended_answers_nothing() {
    let known = known();
    let claims: Vec<_> = known.iter().map(Known::claim).collect();
    let effort = Effort { threads: None, observer: Some(&|_| ControlFlow::Break(())) };
    let error = verify_batch_with(Setup::global().unwrap(), &claims, &effort).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
}

#[test]
fn no_proof_and_one_proof() {
    assert_eq!(refused(&[]), []);
    let known = known();
    let good = known.iter().find(|case| case.valid).unwrap();
    assert_eq!(refused(&[good.claim()]), []);
    let bad = Claim { context: b"another context", ..good.claim() };
    let named: Vec<_> = refused(&[bad]).into_iter().map(|(at, error)| (at, error.code, error.step)).collect();
    assert_eq!(named, [(0, Code::ProofInvalid, Some(8))]);
}

#[test]
fn the_same_proof_twice_is_good_twice_or_bad_twice() {
    let known = known();
    let good = known.iter().find(|case| case.valid).unwrap();
    let bad = Claim { context: b"another context", ..good.claim() };
    assert_eq!(refused(&[good.claim(); 5]), []);
    let positions: Vec<_> = refused(&[bad, good.claim(), bad]).into_iter().map(|(at, _)| at).collect();
    assert_eq!(positions, [0, 2]);
}

#[test]
fn batch_weights_two_wrongs_that_cancel_out_are_both_named() {
    // W_z + D and W_z − D: the errors (τ − z)·D and −(τ − z)·D cancel out wherever both proofs weigh the same.
    let example = example();
    let at = layout().0[9];
    let by = line(Scalar::from(5), Scalar::from(7));
    let shifted = |by: &G1| with(at, &moved(&example.proof[at..at + 48], by));
    let (plus, minus) = (shifted(&by), shifted(&-by));
    let good =
        Claim { statement: &example.statement, commitments: &example.inputs, context: CONTEXT, proof: &example.proof };
    let (plus, minus) = (Claim { proof: &plus, ..good }, Claim { proof: &minus, ..good });
    let named =
        |claims: &[Claim<'_>]| refused(claims).into_iter().map(|(at, error)| (at, error.code)).collect::<Vec<_>>();
    assert_eq!(named(&[plus, minus]), [(0, Code::ProofInvalid), (1, Code::ProofInvalid)]);
    assert_eq!(named(&[good, minus, good, plus, good]), [(1, Code::ProofInvalid), (3, Code::ProofInvalid)]);
    assert_eq!(named(&[plus, good, good, minus]), [(0, Code::ProofInvalid), (3, Code::ProofInvalid)]);
}

#[test]
fn the_first_step_that_fails_is_told_although_all_points_are_decoded_at_once() {
    let example = example();
    let points = layout().0;
    let good =
        Claim { statement: &example.statement, commitments: &example.inputs, context: CONTEXT, proof: &example.proof };
    let (mut infinity, mut outside) = ([0; 48], [0; 48]);
    infinity[0] = 0xc0;
    (outside[0], outside[47]) = (0x80, 4);
    let (few, many) = (&example.inputs[..1], [&example.inputs[..], &example.inputs[..]].concat());
    let bad_input = [example.inputs[0], outside];
    let (early, late) = (with(points[3], &infinity), with(points[10], &[0; 48]));
    let mut both = early.clone();
    both[points[10]..points[10] + 48].fill(0);
    let short = &early[1..];
    let told = [
        (good, None),
        (Claim { commitments: few, proof: short, ..good }, Some((Code::CommitmentCount, 2))),
        (Claim { commitments: &many, ..good }, Some((Code::CommitmentCount, 2))),
        (good, None),
        (Claim { commitments: &bad_input, proof: short, ..good }, Some((Code::PointNotInSubgroup, 2))),
        (Claim { commitments: &bad_input, proof: &early, ..good }, Some((Code::PointNotInSubgroup, 2))),
        (Claim { proof: short, ..good }, Some((Code::ProofLength, 3))),
        (good, None),
        (Claim { proof: &both, ..good }, Some((Code::PointAtInfinity, 4))),
        (Claim { proof: &late, ..good }, Some((Code::PointEncoding, 4))),
        (good, None),
    ];
    let expected: Vec<_> = (0..).zip(told).filter_map(|(at, (_, told))| Some((at, told?))).collect();
    let claims = told.map(|(claim, _)| claim);
    let found: Vec<_> =
        refused(&claims).into_iter().map(|(at, error)| (at, (error.code, error.step.unwrap()))).collect();
    assert_eq!(found, expected);
}
