//! Section 5: the bytes of a proof. Its length is fixed by the statement, so there is nothing to parse.

use curve::{G1_BYTES, SCALAR_BYTES};

use crate::error::{ArgumentError, Code};
use crate::statement::Statement;

/// A compressed point, not decoded.
pub type EncodedPoint = [u8; G1_BYTES];

/// An encoded scalar, not decoded.
pub type EncodedScalar = [u8; SCALAR_BYTES];

/// The elements of a proof, in the order of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofBytes {
    /// Commitments to the auxiliary vectors.
    pub auxiliary: Vec<EncodedPoint>,
    /// Digit columns d_j.
    pub digits: Vec<EncodedPoint>,
    /// m: how often each digit occurs.
    pub multiplicities: EncodedPoint,
    /// φ_j = 1/(β − d_j).
    pub inverses: Vec<EncodedPoint>,
    /// φ_T = m/(β − t).
    pub table_inverse: EncodedPoint,
    /// acc, the running sum.
    pub accumulator: EncodedPoint,
    /// q = N/Z_H.
    pub quotient: EncodedPoint,
    /// d_j(z).
    pub digit_evaluations: Vec<EncodedScalar>,
    /// acc(ωz).
    pub accumulator_evaluation: EncodedScalar,
    /// W_z.
    pub opening_at_z: EncodedPoint,
    /// W_ωz.
    pub opening_at_next: EncodedPoint,
}

impl ProofBytes {
    /// The length of every proof of a statement with so many auxiliary vectors and digit columns.
    pub(crate) fn length(auxiliary: usize, columns: usize) -> usize {
        G1_BYTES * (auxiliary + 2 * columns + 6) + SCALAR_BYTES * (columns + 1)
    }

    /// Cuts a proof into its elements.
    ///
    /// # Errors
    /// `PROOF_LENGTH`.
    pub fn split(statement: &Statement, bytes: &[u8]) -> Result<Self, ArgumentError> {
        if bytes.len() != statement.proof_length() {
            let message =
                format!("got {} bytes; a proof of this statement has {}", bytes.len(), statement.proof_length());
            return Err(ArgumentError::new(Code::ProofLength, message));
        }
        let (auxiliary, columns) = (statement.auxiliary(), statement.columns());
        let mut rest = Reader { rest: bytes };
        Ok(Self {
            auxiliary: rest.take_many(auxiliary),
            digits: rest.take_many(columns),
            multiplicities: rest.take(),
            inverses: rest.take_many(columns),
            table_inverse: rest.take(),
            accumulator: rest.take(),
            quotient: rest.take(),
            digit_evaluations: rest.take_many(columns),
            accumulator_evaluation: rest.take(),
            opening_at_z: rest.take(),
            opening_at_next: rest.take(),
        })
    }

    /// The points, in the order of the bytes.
    pub fn points(&self) -> impl Iterator<Item = &EncodedPoint> {
        let single =
            [&self.table_inverse, &self.accumulator, &self.quotient, &self.opening_at_z, &self.opening_at_next];
        let columns = self.auxiliary.iter().chain(&self.digits).chain([&self.multiplicities]).chain(&self.inverses);
        columns.chain(single)
    }

    /// The bytes that are sent.
    pub fn join(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::length(self.auxiliary.len(), self.digits.len()));
        bytes.extend(self.auxiliary.iter().chain(&self.digits).flatten());
        bytes.extend(self.multiplicities);
        bytes.extend(self.inverses.iter().flatten());
        bytes.extend([self.table_inverse, self.accumulator, self.quotient].iter().flatten());
        bytes.extend(self.digit_evaluations.iter().flatten());
        bytes.extend(self.accumulator_evaluation);
        bytes.extend([self.opening_at_z, self.opening_at_next].iter().flatten());
        bytes
    }
}

/// Takes elements off the front of bytes whose length was checked.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        let (element, rest) = self.rest.split_first_chunk().expect("the length was checked");
        self.rest = rest;
        *element
    }

    fn take_many<const LENGTH: usize>(&mut self, count: usize) -> Vec<[u8; LENGTH]> {
        (0..count).map(|_| self.take()).collect()
    }
}
