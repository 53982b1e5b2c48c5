//! Section 3 of the specification: a chain of SHA-256 that both sides draw their challenges from.

use curve::{SCALAR_BYTES, Scalar};
use sha2::{Digest, Sha256};

use crate::proof::EncodedPoint;
use crate::setup::SETUP_DIGEST;

/// The challenges of one proof.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// The point at which digits and table are compared.
    pub beta: Scalar,
    /// Folds the rows.
    pub gamma: Scalar,
    /// Keeps lookup and rows apart.
    pub alpha: Scalar,
    /// Folds the identities.
    pub y: Scalar,
    /// Where the identities are opened.
    pub z: Scalar,
    /// Folds the openings at z.
    pub v: Scalar,
    /// Folds the openings at z and ωz.
    pub u: Scalar,
}

/// The running state.
#[derive(Clone)]
pub(crate) struct Transcript {
    state: [u8; 32],
}

impl Transcript {
    /// A transcript that has absorbed the setup, the statement and the context.
    pub(crate) fn new(statement_digest: &[u8; 32], context: &[u8]) -> Self {
        let mut transcript = Self { state: Sha256::digest(b"marginproof/linear-range/v1").into() };
        transcript.absorb("setup", &SETUP_DIGEST);
        transcript.absorb("statement", statement_digest);
        transcript.absorb("context", context);
        transcript
    }

    /// The state, which depends on everything absorbed so far.
    pub(crate) fn state(&self) -> [u8; 32] {
        self.state
    }

    fn absorb(&mut self, label: &str, data: &[u8]) {
        let label_length = u8::try_from(label.len()).expect("labels are short constants");
        let mut hash = Sha256::new();
        hash.update(self.state);
        hash.update([label_length]);
        hash.update(label);
        hash.update((data.len() as u64).to_be_bytes());
        hash.update(data);
        self.state = hash.finalize().into();
    }

    fn absorb_points(&mut self, label: &str, points: &[EncodedPoint]) {
        for point in points {
            self.absorb(label, point);
        }
    }

    fn challenge(&mut self, label: &str) -> Scalar {
        self.absorb("challenge", label.as_bytes());
        let mut wide = [0; 2 * SCALAR_BYTES];
        for (half, suffix) in wide.chunks_exact_mut(SCALAR_BYTES).zip([0_u8, 1]) {
            half.copy_from_slice(&Sha256::new_with_prefix(self.state).chain_update([suffix]).finalize());
        }
        Scalar::from_wide_be_bytes(&wide)
    }

    /// Commitments, digits and multiplicities; draws β, γ, α.
    pub(crate) fn lookup_round(
        &mut self,
        commitments: &[EncodedPoint],
        digits: &[EncodedPoint],
        multiplicities: &EncodedPoint,
    ) -> (Scalar, Scalar, Scalar) {
        self.absorb_points("commitment", commitments);
        self.absorb_points("d", digits);
        self.absorb("m", multiplicities);
        (self.challenge("beta"), self.challenge("gamma"), self.challenge("alpha"))
    }

    /// Inverses and the running sum; draws y.
    pub(crate) fn sum_round(
        &mut self,
        inverses: &[EncodedPoint],
        table_inverse: &EncodedPoint,
        accumulator: &EncodedPoint,
    ) -> Scalar {
        self.absorb_points("phi", inverses);
        self.absorb("phi_t", table_inverse);
        self.absorb("acc", accumulator);
        self.challenge("y")
    }

    /// The quotient; draws z.
    pub(crate) fn quotient_round(&mut self, quotient: &EncodedPoint) -> Scalar {
        self.absorb("q", quotient);
        self.challenge("z")
    }

    /// The evaluations; draws v.
    pub(crate) fn evaluation_round(
        &mut self,
        digits: &[[u8; SCALAR_BYTES]],
        accumulator: &[u8; SCALAR_BYTES],
    ) -> Scalar {
        for evaluation in digits {
            self.absorb("d(z)", evaluation);
        }
        self.absorb("acc(wz)", accumulator);
        self.challenge("v")
    }

    /// The openings; draws u.
    pub(crate) fn opening_round(&mut self, at_z: &EncodedPoint, at_next: &EncodedPoint) -> Scalar {
        self.absorb("W_z", at_z);
        self.absorb("W_wz", at_next);
        self.challenge("u")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_the_hash_of_the_state_before_and_all_that_was_absorbed() {
        let mut transcript = Transcript::new(&[1; 32], b"context");
        let before = transcript.state();
        transcript.absorb("label", b"data");
        let message = [&before[..], &[5], b"label", &[0, 0, 0, 0, 0, 0, 0, 4], b"data"].concat();
        assert_eq!(transcript.state(), *Sha256::digest(&message));
    }
}
