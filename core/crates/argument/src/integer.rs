//! Signed integers of 384 bits: wide enough for every sum of products that a row can hold.

use curve::Scalar;
use zeroize::Zeroize;

const LIMBS: usize = 6;

/// A signed integer in two's complement, limbs little-endian.
///
/// Sums stay far from the ends: a row adds at most 2^16 products of a weight below 2^64 and an entry below 2^253.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub struct Integer([u64; LIMBS]);

impl Integer {
    /// Length of the encoding in bytes.
    pub const BYTES: usize = 8 * LIMBS;

    /// 0.
    pub const ZERO: Self = Self([0; LIMBS]);

    /// 2^exponent, for an exponent below 383.
    pub(crate) fn power_of_two(exponent: usize) -> Self {
        let mut limbs = [0; LIMBS];
        limbs[exponent / 64] = 1 << (exponent % 64);
        Self(limbs)
    }

    /// Decodes two's complement, little-endian.
    pub fn from_le_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut limbs = [0; LIMBS];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        Self(limbs)
    }

    /// Encodes as two's complement, little-endian.
    pub fn to_le_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    /// Whether this is below 0.
    pub fn is_negative(&self) -> bool {
        self.0[LIMBS - 1] >> 63 == 1
    }

    /// Whether this is 0.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; LIMBS]
    }

    /// The absolute value.
    #[must_use]
    pub fn magnitude(&self) -> Self {
        if self.is_negative() { self.negated() } else { *self }
    }

    /// The number of bits of the absolute value; 0 for 0.
    pub fn bit_length(&self) -> usize {
        let magnitude = self.magnitude();
        let top = magnitude.0.iter().rposition(|limb| *limb != 0);
        top.map_or(0, |index| 64 * index + (u64::BITS - magnitude.0[index].leading_zeros()) as usize)
    }

    /// The value, if it takes at most 128 bits.
    pub fn to_i128(&self) -> Option<i128> {
        let bytes = self.to_le_bytes();
        let value = i128::from_le_bytes(*bytes.first_chunk().expect("sixteen of 48 bytes"));
        (Self::from(value) == *self).then_some(value)
    }

    /// Base-256 digits of a value that is not negative, least significant first.
    pub(crate) fn digits(&self) -> impl Iterator<Item = u8> {
        self.to_le_bytes().into_iter()
    }

    /// The residue modulo r.
    pub fn to_scalar(&self) -> Scalar {
        let mut wide = [0; 64];
        wide[64 - Self::BYTES..].copy_from_slice(&self.magnitude().to_le_bytes());
        wide[64 - Self::BYTES..].reverse();
        let magnitude = Scalar::from_wide_be_bytes(&wide);
        wide.zeroize();
        if self.is_negative() { -magnitude } else { magnitude }
    }

    /// Adds another integer.
    pub(crate) fn add(&mut self, other: &Self) {
        let mut carry = false;
        for (limb, addend) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = limb.overflowing_add(addend);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
    }

    /// Adds `weight · value`; the absolute value of the weight is below 2^64.
    pub(crate) fn add_product(&mut self, weight: i128, value: &Self) {
        let factor = u64::try_from(weight.unsigned_abs()).expect("weights are checked to be below 2^64");
        let mut product = value.magnitude();
        let mut carry = 0;
        for limb in &mut product.0 {
            let wide = u128::from(*limb) * u128::from(factor) + carry;
            (*limb, carry) = (wide as u64, wide >> 64);
        }
        let negative = value.is_negative() != weight.is_negative();
        self.add(&if negative { product.negated() } else { product });
    }

    fn negated(&self) -> Self {
        let mut out = Self(self.0.map(|limb| !limb));
        out.add(&Self::from(1));
        out
    }
}

impl From<i128> for Integer {
    fn from(value: i128) -> Self {
        let sign = if value < 0 { u64::MAX } else { 0 };
        Self([value as u64, (value >> 64) as u64, sign, sign, sign, sign])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn residues_of_negative_integers_lie_below_r() {
        assert_eq!(Integer::from(-1).to_scalar(), -Scalar::one());
        assert_eq!(Integer::power_of_two(64).to_scalar(), Scalar::from(2).pow(64));
    }

    #[test]
    fn bit_lengths_at_the_edges() {
        assert_eq!(Integer::ZERO.bit_length(), 0);
        assert_eq!(Integer::from(-1).bit_length(), 1);
        assert_eq!(Integer::power_of_two(253).bit_length(), 254);
        let mut below = Integer::power_of_two(253);
        below.add(&Integer::from(-1));
        assert_eq!(below.bit_length(), 253);
    }

    proptest! {
        #[test]
        fn sums_of_products_agree_with_machine_integers(
            terms in proptest::collection::vec((any::<i32>(), any::<i64>()), 0..20)
        ) {
            let mut sum = Integer::ZERO;
            for (weight, value) in &terms {
                sum.add_product(i128::from(*weight), &Integer::from(i128::from(*value)));
            }
            let expected: i128 = terms.iter().map(|(weight, value)| i128::from(*weight) * i128::from(*value)).sum();
            prop_assert_eq!(sum, Integer::from(expected));
        }

        #[test]
        fn encodings_return(value in any::<i128>()) {
            let integer = Integer::from(value);
            prop_assert_eq!(Integer::from_le_bytes(&integer.to_le_bytes()), integer);
            prop_assert_eq!(integer.is_negative(), value < 0);
            prop_assert_eq!(integer.to_i128(), Some(value));
        }

        #[test]
        fn products_reach_beyond_128_bits(weight in any::<u64>(), value in any::<i128>()) {
            let mut product = Integer::ZERO;
            product.add_product(-i128::from(weight), &Integer::from(value));
            let expected = -(Scalar::from(weight) * Integer::from(value).to_scalar());
            prop_assert_eq!(product.to_scalar(), expected);
        }
    }
}
