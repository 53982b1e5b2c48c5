//! The verifier: it takes nothing but what was proven, names a step and a code for everything else, and says the same
//! of a proof alone and in a batch.

use arbitrary::Unstructured;
use argument::proof::{EncodedPoint, ProofBytes};
use argument::{ArgumentError, Claim, Code, Setup, Statement, challenges, verify, verify_batch};

use crate::groups::encoded_point;
use crate::mutations::{Attempt, known};

fn setup() -> &'static Setup {
    Setup::global().expect("the setup compiled in")
}

/// Any bytes as a proof, any points as commitments.
pub(crate) fn run_bytes(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let statement = bytes.choose(known())?.statement().expect("statements of accepted cases");
    let context: Vec<u8> = bytes.arbitrary()?;
    let count = if bytes.ratio(7, 8)? { statement.inputs() } else { bytes.int_in_range(0..=3)? };
    let commitments = (0..count).map(|_| encoded_point(bytes)).collect::<arbitrary::Result<Vec<EncodedPoint>>>()?;
    let mut proof = bytes.bytes(bytes.len())?.to_vec();
    if proof.first().is_some_and(|byte| byte % 8 != 0) {
        // The right length reaches the steps behind the check of the length.
        proof.resize(statement.proof_length(), 0);
    }
    let fits = proof.len() == statement.proof_length();
    let split = ProofBytes::split(&statement, &proof);
    assert_eq!(split.is_ok(), fits);
    assert!(split.is_ok_and(|split| split.join() == proof) || !fits);
    let drawn = challenges(&statement, &commitments, &context, &proof);
    assert_eq!(drawn.is_ok(), fits && count == statement.inputs());
    refused(&verify(setup(), &statement, &commitments, &context, &proof).expect_err("nobody proved this"));
    Ok(())
}

/// A known proof with up to three changes: accepted if and only if they changed nothing.
pub(crate) fn run_mutated(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (original, attempt) = mutated(bytes)?;
    match attempt.verdict() {
        Ok(()) => assert_eq!(attempt, *original, "accepted, though nobody proved it"),
        Err(error) => {
            assert_ne!(attempt, *original, "refused: {error}");
            refused(&error);
        }
    }
    Ok(())
}

fn mutated(bytes: &mut Unstructured<'_>) -> arbitrary::Result<(&'static Attempt, Attempt)> {
    let original = bytes.choose(known())?;
    let mut attempt = original.clone();
    for _ in 0..bytes.int_in_range(0..=3_u8)? {
        attempt.mutate(bytes)?;
    }
    Ok((original, attempt))
}

/// Every refusal names its step, and each step has codes of its own.
fn refused(error: &ArgumentError) {
    let decoding = [Code::PointEncoding, Code::PointNotInSubgroup, Code::PointAtInfinity];
    let expected = match error.step {
        Some(1) => error.code.as_str().starts_with("STATEMENT_"),
        Some(2) => error.code == Code::CommitmentCount || decoding.contains(&error.code),
        Some(3) => error.code == Code::ProofLength,
        Some(4) => decoding.contains(&error.code),
        Some(5) => error.code == Code::ScalarRange,
        Some(8) => error.code == Code::ProofInvalid,
        _ => false,
    };
    assert!(expected && !error.message.is_empty(), "step {:?}: {error}", error.step);
}

/// A batch of changed and unchanged proofs names exactly the bad ones, each with the reason that it has alone.
pub(crate) fn run_batch(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let mut attempts = Vec::new();
    for _ in 0..bytes.int_in_range(0..=6_u8)? {
        attempts.push(mutated(bytes)?.1);
    }
    let stated: Vec<(Statement, &Attempt)> =
        attempts.iter().filter_map(|attempt| Some((attempt.statement().ok()?, attempt))).collect();
    let claims: Vec<Claim<'_>> = stated.iter().map(|(statement, attempt)| attempt.claim(statement)).collect();
    let alone: Vec<(usize, ArgumentError)> = stated
        .iter()
        .enumerate()
        .filter_map(|(position, (_, attempt))| Some((position, attempt.verdict().err()?)))
        .collect();
    assert_eq!(verify_batch(setup(), &claims), alone);
    Ok(())
}
