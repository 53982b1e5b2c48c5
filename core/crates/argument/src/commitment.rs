//! Openings and commitments: C = [Σ aᵢ·L_i(τ) + ρ·Z_H(τ)]₁, perfectly hiding and additively homomorphic.

use curve::{G1, G1Affine, Scalar, linear_combination, sum_small_multiples};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{ArgumentError, Code};
use crate::integer::Integer;
use crate::intervals::INPUT_BITS;
use crate::proof::EncodedPoint;
use crate::setup::{Basis, DOMAIN_SIZES, Setup};

/// Entries of any vector lie below 2^253: a larger one fits no well-formed statement.
const ENTRY_BITS: usize = 253;

/// What a commitment hides: a vector of integers and a blinding. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Opening {
    values: Vec<Integer>,
    blinding: Scalar,
}

impl std::fmt::Debug for Opening {
    /// Shows the length only.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Opening(n={}, …)", self.values.len())
    }
}

impl Opening {
    /// A vector of length n, given by its entries that are not zero.
    ///
    /// # Errors
    /// `STATEMENT_SHAPE` for another n than 256, 512, 1024, 2048; `ENTRY_RANGE` for an index of n or more, an index
    /// given twice, or an entry of 2^253 or more; `SCALAR_RANGE` for a blinding that is not below r.
    pub fn new(
        n: usize,
        entries: impl IntoIterator<Item = (u32, Integer)>,
        blinding: &[u8; 32],
    ) -> Result<Self, ArgumentError> {
        if !DOMAIN_SIZES.contains(&n) {
            return Err(ArgumentError::new(Code::StatementShape, "n must be 256, 512, 1024 or 2048"));
        }
        let mut opening = Self { values: vec![Integer::ZERO; n], blinding: Scalar::from_be_bytes(blinding)? };
        let mut given = Zeroizing::new(vec![false; n]);
        for (index, value) in entries {
            let place = index as usize;
            let cell = opening.values.get_mut(place).ok_or_else(|| entry_range("an index is not below n"))?;
            if value.bit_length() > ENTRY_BITS {
                return Err(entry_range("an entry reaches 2^253; no statement admits it"));
            }
            if given[place] {
                return Err(entry_range("an index is given twice"));
            }
            (*cell, given[place]) = (value, true);
        }
        Ok(opening)
    }

    /// The length of the vector.
    pub fn n(&self) -> usize {
        self.values.len()
    }

    /// All entries, in order.
    pub(crate) fn values(&self) -> &[Integer] {
        &self.values
    }

    pub(crate) fn blinding(&self) -> Scalar {
        self.blinding
    }

    /// Refuses entries that an input vector may not have.
    ///
    /// # Errors
    /// `ENTRY_RANGE` unless every |entry| < 2^63.
    pub fn check_input_range(&self) -> Result<(), ArgumentError> {
        if self.values.iter().any(|value| value.bit_length() > INPUT_BITS) {
            return Err(entry_range("an entry of an input vector reaches 2^63; use a coarser lot"));
        }
        Ok(())
    }

    /// The commitment.
    ///
    /// # Errors
    /// `POINT_AT_INFINITY` for zeros with blinding zero; use random blindings.
    pub fn commitment(&self, setup: &Setup) -> Result<EncodedPoint, ArgumentError> {
        let basis = setup.basis(self.n());
        let sum = commit_values(basis, &self.values) + basis.hiding().combine(&[self.blinding]);
        encode(&sum)
    }
}

fn entry_range(message: &str) -> ArgumentError {
    ArgumentError::new(Code::EntryRange, message)
}

/// Σ aᵢ·[L_i(τ)]₁; small entries take short multiplications.
fn commit_values(basis: &Basis, values: &[Integer]) -> G1 {
    let used = || basis.lagrange().iter().zip(values).filter(|(_, value)| !value.is_zero());
    let magnitudes: Option<Vec<u64>> = used().map(|(_, value)| value.magnitude_u64()).collect();
    if let Some(mut magnitudes) = magnitudes {
        let points: Vec<G1Affine> =
            used().map(|(point, value)| if value.is_negative() { -*point } else { *point }).collect();
        let sum = sum_small_multiples(&points, &magnitudes);
        magnitudes.zeroize();
        return sum;
    }
    let (points, mut factors): (Vec<G1Affine>, Vec<Scalar>) =
        used().map(|(point, value)| (*point, value.to_scalar())).unzip();
    let sum = linear_combination(&points, &factors);
    factors.zeroize();
    sum
}

/// Commits to a vector that somebody is about to sign as an input: entries are range-checked.
///
/// # Errors
/// `ENTRY_RANGE` unless every |entry| < 2^63, and as [`Opening::commitment`].
pub fn commit(setup: &Setup, opening: &Opening) -> Result<EncodedPoint, ArgumentError> {
    opening.check_input_range()?;
    opening.commitment(setup)
}

/// The sum of commitments: a commitment to the sum of the vectors under the sum of the blindings.
///
/// # Errors
/// `COMMITMENT_COUNT` for an empty list, the decoding errors of points, `POINT_AT_INFINITY` if they cancel out.
pub fn add_commitments(commitments: &[EncodedPoint]) -> Result<EncodedPoint, ArgumentError> {
    if commitments.is_empty() {
        return Err(ArgumentError::new(Code::CommitmentCount, "give at least one commitment to add"));
    }
    let mut sum = G1::infinity();
    for bytes in commitments {
        sum += &G1Affine::from_bytes(bytes)?;
    }
    encode(&sum)
}

/// Compresses a point that must not be infinity.
pub(crate) fn encode(point: &G1) -> Result<EncodedPoint, ArgumentError> {
    Ok(point.to_affine().ok_or(curve::PointError::Infinity)?.to_bytes())
}
