//! Section 6, batches: many proofs of any statements and sizes, checked with one pairing equation.

use curve::{SCALAR_BYTES, Scalar};
use sha2::{Digest, Sha256};

use crate::claim::{Claim, DecodedClaim};
use crate::effort::{Crew, Effort};
use crate::error::ArgumentError;
use crate::setup::Setup;
use crate::verifier::{Equation, Terms, check_sums, equation};

const WEIGHT_BYTES: usize = 16;

/// Claims whose points are decoded together, and one step of progress: their points fill eight lanes well.
const CHUNK: usize = 16;

/// From this number of claims on, a batch is worth more than one thread.
const LARGE: usize = 32;

/// Verifies all claims and names every bad one by its position, with the reason that [`crate::verify`] would give.
///
/// Claims that fail before the pairing never touch the others. The rest are checked together under weights that depend
/// on all of them; where that fails, halves are checked until each bad proof stands alone. An empty list has no bad one.
pub fn verify_batch(setup: &Setup, claims: &[Claim<'_>]) -> Vec<(usize, ArgumentError)> {
    verify_batch_with(setup, claims, &Effort::default()).expect("nobody is there to end it")
}

/// As [`verify_batch`], with a limit of threads and reports of progress; the answer does not depend on either.
///
/// # Errors
/// `CANCELLED`: nothing is known about any claim then.
pub fn verify_batch_with(
    setup: &Setup,
    claims: &[Claim<'_>],
    effort: &Effort<'_>,
) -> Result<Vec<(usize, ArgumentError)>, ArgumentError> {
    let chunks: Vec<_> = claims.chunks(CHUNK).collect();
    let crew = effort.crew(is_large(claims), chunks.len() + 1);
    let equations = crew.each(chunks, |chunk| {
        Ok(DecodedClaim::decode_each(chunk).into_iter().map(|claim| equation(setup, claim)).collect::<Vec<_>>())
    })?;
    let mut refused = Vec::new();
    let mut open = Vec::with_capacity(claims.len());
    for (position, equation) in equations.into_iter().flatten().enumerate() {
        match equation {
            Ok(equation) => open.push((position, equation)),
            Err(error) => refused.push((position, error)),
        }
    }
    crew.one(|| {
        bisect(setup, &crew, &open, &mut refused);
        Ok(())
    })?;
    refused.sort_by_key(|(position, _)| *position);
    Ok(refused)
}

fn is_large(claims: &[Claim<'_>]) -> bool {
    claims.len() >= LARGE
}

fn bisect(setup: &Setup, crew: &Crew<'_>, open: &[(usize, Equation)], refused: &mut Vec<(usize, ArgumentError)>) {
    let Err(error) = check_together(setup, crew, open) else { return };
    if let [(position, _)] = open {
        refused.push((*position, error.at_step(8)));
        return;
    }
    let (low, high) = open.split_at(open.len() / 2);
    bisect(setup, crew, low, refused);
    bisect(setup, crew, high, refused);
}

/// Each thread sums a share of the equations up.
fn check_together(setup: &Setup, crew: &Crew<'_>, open: &[(usize, Equation)]) -> Result<(), ArgumentError> {
    let weighted: Vec<_> = open.iter().zip(weights(open)).collect();
    let shares = weighted.chunks(weighted.len().div_ceil(crew.size()).max(1)).collect();
    let sums = crew.share(shares, |share| {
        let (mut left, mut right) = (Terms::default(), Terms::default());
        for ((_, equation), weight) in share {
            left.add_scaled(*weight, &equation.left);
            right.add_scaled(*weight, &equation.right);
        }
        Terms::sums(&left, &right)
    });
    check_sums(setup, sums.into_iter().fold(Default::default(), |(a, b), (left, right)| (a + left, b + right)))
}

/// w₀ = 1; wᵢ = the first 16 bytes of SHA-256(seed ‖ i), the seed being the hash of all transcripts.
fn weights(open: &[(usize, Equation)]) -> Vec<Scalar> {
    let mut hash = Sha256::new_with_prefix(b"marginproof/batch/v1");
    hash.update((open.len() as u64).to_be_bytes());
    for (_, equation) in open {
        hash.update(equation.state);
    }
    let seed = hash.finalize();
    let drawn = |index: u64| {
        let digest = Sha256::new_with_prefix(seed).chain_update(index.to_be_bytes()).finalize();
        let mut bytes = [0; SCALAR_BYTES];
        bytes[SCALAR_BYTES - WEIGHT_BYTES..].copy_from_slice(&digest[..WEIGHT_BYTES]);
        Scalar::from_be_bytes(&bytes).expect("16 bytes lie below r")
    };
    (0..open.len() as u64).map(|index| if index == 0 { Scalar::one() } else { drawn(index) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Integer, Opening, Row, Statement, prove_seeded};
    use curve::G1Affine;

    fn equations() -> Vec<(usize, Equation)> {
        (1..=3).map(|number| (usize::from(number), changed_equation(number, |_| ()))).collect()
    }

    /// The equation of a proof about the number given, in a context of its own, after a change of its bytes.
    fn changed_equation(number: u8, change: impl Fn(&mut [u8])) -> Equation {
        let setup = Setup::global().unwrap();
        let row = Row { bits: 8, constant: Integer::ZERO, weights: vec![vec![(0, 1)]] };
        let statement = Statement::new(256, 1, 1, vec![row]).unwrap();
        let opening = Opening::new(256, [(0, Integer::from(i128::from(number)))], &[number; 32]).unwrap();
        let context = [number];
        let mut proof = prove_seeded(setup, &statement, &[&opening], &context, &Effort::default(), [7; 32]).unwrap();
        change(&mut proof);
        let commitments = [opening.commitment(setup).unwrap()];
        let claim = Claim { statement: &statement, commitments: &commitments, context: &context, proof: &proof };
        equation(setup, DecodedClaim::decode_each(&[claim]).pop().expect("one for one")).unwrap()
    }

    #[test]
    fn the_state_of_an_equation_has_absorbed_the_openings_too() {
        let state = changed_equation(1, |_| ()).state;
        assert_eq!(state, changed_equation(1, |_| ()).state);
        assert_ne!(state, changed_equation(2, |_| ()).state);
        let other_last = changed_equation(1, |proof| {
            let (before, last) = proof.split_at_mut(proof.len() - 48);
            last.copy_from_slice(&before[before.len() - 48..]); // W_z where W_ωz should stand
        });
        assert_ne!(state, other_last.state);
    }

    #[test]
    fn errors_that_cancel_out_are_found_and_named() {
        let setup = Setup::global().unwrap();
        let mut open = equations();
        let mut refused = Vec::new();
        let crew = Effort::default().crew(false, 1);
        bisect(setup, &crew, &open, &mut refused);
        assert!(refused.is_empty());
        open[0].1.right.add(Scalar::one(), G1Affine::generator());
        open[2].1.right.add(-Scalar::one(), G1Affine::generator());
        bisect(setup, &crew, &open, &mut refused);
        let named: Vec<_> = refused.iter().map(|(position, error)| (*position, error.code, error.step)).collect();
        assert_eq!(named, [(1, Code::ProofInvalid, Some(8)), (3, Code::ProofInvalid, Some(8))]);
    }

    #[test]
    fn from_thirty_two_claims_on_more_threads_than_one_are_worth_it() {
        let statement =
            Statement::new(256, 1, 1, vec![Row { bits: 8, constant: Integer::ZERO, weights: vec![vec![(0, 1)]] }]);
        let claim = Claim { statement: &statement.unwrap(), commitments: &[], context: &[], proof: &[] };
        assert!(!is_large(&vec![claim; 31]));
        assert!(is_large(&vec![claim; 32]));
    }

    #[test]
    fn weights_are_those_of_the_specification() {
        let mut open = equations();
        for (number, (_, equation)) in open.iter_mut().enumerate() {
            equation.state = [u8::try_from(number).unwrap(); 32];
        }
        // By hand: the number of proofs in eight bytes, the states, and then the seed with the index in eight bytes.
        let mut message = b"marginproof/batch/v1".to_vec();
        message.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        message.extend([[0; 32], [1; 32], [2; 32]].concat());
        let mut second = Sha256::digest(&message).to_vec();
        second.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        let digest = Sha256::digest(&second);
        let mut bytes = [0; SCALAR_BYTES];
        bytes[16..].copy_from_slice(&digest[..16]);
        assert_eq!(weights(&open)[2], Scalar::from_be_bytes(&bytes).unwrap());
    }

    #[test]
    fn weights_depend_on_every_transcript_and_on_the_number_of_proofs() {
        let mut open = equations();
        let before = weights(&open);
        assert_eq!(before[0], Scalar::one());
        assert_ne!(before[1], before[2]);
        assert_ne!(before[1], weights(&open[..2])[1]);
        open[0].1.state[31] ^= 1;
        assert_ne!(before[2], weights(&open)[2]);
    }
}
