//! The field of the curve's coordinates.

use core::ops::{Add, Mul, MulAssign, Neg, Sub, SubAssign};

use blst::{blst_fp, blst_fp_add, blst_fp_cneg, blst_fp_eucl_inverse, blst_fp_mul, blst_fp_sqr, blst_fp_sub};

/// 64-bit words of an element.
const LIMBS: usize = 6;

/// Length of an element as it lies in memory.
pub(crate) const FIELD_BYTES: usize = 8 * LIMBS;

/// The characteristic p, least significant word first.
pub(crate) const MODULUS: [u64; LIMBS] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// An element, in Montgomery form (times 2^384) and always reduced: equal elements have equal words.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Fp(pub(crate) blst_fp);

impl Fp {
    /// From the words of the Montgomery form.
    pub(crate) const fn from_words(words: [u64; LIMBS]) -> Self {
        Self(blst_fp { l: words })
    }

    /// Reads what [`Self::to_pinned_bytes`] wrote; nothing when the words are not reduced.
    pub(crate) fn from_pinned_bytes(bytes: &[u8; FIELD_BYTES]) -> Option<Self> {
        let mut words = [0; LIMBS];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words.iter().rev().lt(MODULUS.iter().rev()).then_some(Self::from_words(words))
    }

    /// The words of the Montgomery form, little-endian: the fastest to read back.
    pub(crate) fn to_pinned_bytes(self) -> [u8; FIELD_BYTES] {
        let mut bytes = [0; FIELD_BYTES];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(self.0.l) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }

    /// 1: 2^384 modulo p.
    pub(crate) const ONE: Self = Self::from_words([
        0x7609_0000_0002_fffd,
        0xebf4_000b_c40c_0002,
        0x5f48_9857_53c7_58ba,
        0x77ce_5853_7052_5745,
        0x5c07_1a97_a256_ec6d,
        0x15f6_5ec3_fa80_e493,
    ]);

    #[inline]
    pub(crate) fn is_zero(&self) -> bool {
        self.0.l.iter().all(|word| *word == 0)
    }

    #[inline]
    pub(crate) fn double(self) -> Self {
        self + self
    }

    #[inline]
    pub(crate) fn square(self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fp_sqr(&mut out, &self.0) };
        Self(out)
    }

    /// Becomes left − right. Unlike the operators, this and its like copy no element, which in inner loops counts.
    #[inline]
    pub(crate) fn set_difference(&mut self, left: &Self, right: &Self) {
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_sub(&mut self.0, &left.0, &right.0) };
    }

    /// Becomes −(left + right).
    #[inline]
    pub(crate) fn set_negative_sum(&mut self, left: &Self, right: &Self) {
        let own: *mut blst_fp = &mut self.0;
        // SAFETY: reads two field elements and writes one, which `blst` allows to be one of them.
        unsafe {
            blst_fp_add(own, &left.0, &right.0);
            blst_fp_cneg(own, own, true);
        }
    }

    /// Becomes the negative of another.
    #[inline]
    pub(crate) fn set_negative(&mut self, other: &Self) {
        // SAFETY: reads one and writes one field element; the result is reduced.
        unsafe { blst_fp_cneg(&mut self.0, &other.0, true) };
    }

    /// Becomes left · right.
    #[inline]
    pub(crate) fn set_product(&mut self, left: &Self, right: &Self) {
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_mul(&mut self.0, &left.0, &right.0) };
    }

    /// Becomes the square of another.
    #[inline]
    pub(crate) fn set_square(&mut self, root: &Self) {
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fp_sqr(&mut self.0, &root.0) };
    }

    /// The inverse; 0 for 0.
    pub(crate) fn invert(self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads one and writes one field element.
        unsafe { blst_fp_eucl_inverse(&mut out, &self.0) };
        Self(out)
    }
}

impl Add for Fp {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_add(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl Sub for Fp {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_sub(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl Mul for Fp {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads two and writes one field element.
        unsafe { blst_fp_mul(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl SubAssign<&Self> for Fp {
    #[inline]
    fn sub_assign(&mut self, other: &Self) {
        let own: *mut blst_fp = &mut self.0;
        // SAFETY: reads two field elements and writes one, which `blst` allows to be one of them.
        unsafe { blst_fp_sub(own, own, &other.0) };
    }
}

impl MulAssign<&Self> for Fp {
    #[inline]
    fn mul_assign(&mut self, other: &Self) {
        let own: *mut blst_fp = &mut self.0;
        // SAFETY: reads two field elements and writes one, which `blst` allows to be one of them.
        unsafe { blst_fp_mul(own, own, &other.0) };
    }
}

impl PartialEq for Fp {
    /// Words one by one: most elements differ in their first.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.l.iter().zip(&other.0.l).all(|(own, other)| own == other)
    }
}

impl Eq for Fp {}

impl Neg for Fp {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: reads one and writes one field element; the result is reduced.
        unsafe { blst_fp_cneg(&mut out, &self.0, true) };
        Self(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reduced_words_are_read() {
        let mut last = MODULUS;
        last[0] -= 1;
        for words in [[0; LIMBS], [1, 2, 3, 4, 5, 6], last] {
            let element = Fp::from_words(words);
            assert_eq!(Fp::from_pinned_bytes(&element.to_pinned_bytes()), Some(element));
        }
        let mut high = [0; LIMBS];
        high[LIMBS - 1] = MODULUS[LIMBS - 1] + 1;
        for words in [MODULUS, high, [u64::MAX; LIMBS]] {
            assert_eq!(Fp::from_pinned_bytes(&Fp::from_words(words).to_pinned_bytes()), None);
        }
    }

    #[test]
    fn the_modulus_is_that_of_the_library() {
        // 0 − 1 has the words of p − R, with R the words of 1; adding R must give p, which is 0.
        let mut last = MODULUS;
        last[0] -= 1;
        let unit = Fp::from_words([1, 0, 0, 0, 0, 0]);
        assert!((Fp::from_words(last) + unit).is_zero());
        assert_eq!(-unit, Fp::from_words(last));
    }
}
