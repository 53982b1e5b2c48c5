//! Batches: any mix of statements and sizes; every bad proof is named with the reason that it has alone.

mod support;

use argument::proof::EncodedPoint;
use argument::{ArgumentError, Claim, Code, Setup, Statement, verify, verify_batch};
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
