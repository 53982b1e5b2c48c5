//! Openings and commitments: C = [Σ aᵢ·L_i(τ) + ρ·Z_H(τ)]₁, perfectly hiding and additively homomorphic.

use curve::{G1, G1Affine, Scalar};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{ArgumentError, Code};
use crate::integer::Integer;
use crate::intervals::INPUT_BITS;
use crate::proof::EncodedPoint;
use crate::setup::{Basis, DOMAIN_SIZES, Setup};

/// Entries of any vector lie below 2^253: a larger one fits no well-formed statement.
const ENTRY_BITS: usize = 253;

/// What a commitment hides: a vector of integers and a blinding. Wiped when dropped; on the heap, so that moving it
/// leaves nothing behind.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Opening {
    values: Vec<Integer>,
    blinding: Box<Scalar>,
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
        let mut opening = Self { values: vec![Integer::ZERO; n], blinding: Box::new(Scalar::from_be_bytes(blinding)?) };
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

    pub(crate) fn blinding(&self) -> &Scalar {
        &self.blinding
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
        let sum = commit_values(basis, &self.values) + basis.hiding().combine(core::slice::from_ref(self.blinding()));
        encode(&sum)
    }
}

fn entry_range(message: &str) -> ArgumentError {
    ArgumentError::new(Code::EntryRange, message)
}

/// Σ aᵢ·[L_i(τ)]₁. Entries above and below 0 are summed apart, as their absolute values are short factors.
fn commit_values(basis: &Basis, values: &[Integer]) -> G1 {
    let magnitudes = |negative: bool| -> Zeroizing<Vec<Scalar>> {
        let wanted = |value: &Integer| value.is_negative() == negative && !value.is_zero();
        let magnitude = |value: &Integer| if wanted(value) { value.magnitude().to_scalar() } else { Scalar::ZERO };
        Zeroizing::new(values.iter().map(magnitude).collect())
    };
    let lists = [magnitudes(false), magnitudes(true)];
    let sums = basis.table().combine_each(lists.iter().map(|list| list.iter()));
    sums[0] + -sums[1]
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
