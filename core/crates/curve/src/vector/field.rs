//! Eight elements of the base field at once, in radix 2^52.
//!
//! An element is eight limbs of 52 bits in Montgomery form with R = 2^416. The modulus p has 381 bits, so 35 bits are
//! left over: sums and differences need no reduction, and products of anything below 2^16·p come out below 1.2·p.
//! Limbs are always below 2^52 — the multiplier reads no more — but values are not unique: [`Fp8::reduced`] brings them
//! near p, [`Fp8::canonical`] below p.

use core::arch::x86_64::{
    __m512i, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_permutex2var_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512,
    _mm512_slli_epi64, _mm512_sub_epi64, _mm512_test_epi64_mask,
};

use blst::blst_fp;

use super::accumulators::{Sum8, Wide};
use super::lanes::{self, Record};
use super::modulus::{FROM_BLST, FROM_INTEGER, INTEGER_ONE, LANES, LIMBS, ONE, P, QUOTIENT, TO_BLST, joined, split};

/// Eight elements of the base field. Below 2^16·p each, limbs below 2^52.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Fp8(pub(super) [__m512i; LIMBS]);

impl Fp8 {
    /// Eight times the element 0.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn zero() -> Self {
        Self([_mm512_setzero_si512(); LIMBS])
    }

    /// Eight times the element 1.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn one() -> Self {
        Self(constant(&ONE))
    }

    /// Eight elements from where they lie, one record each.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load(records: [&Record; LANES]) -> Self {
        Self(lanes::transposed(records.map(|record| lanes::load(record))))
    }

    /// One record for each element, as they are.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn store(&self) -> [Record; LANES] {
        lanes::transposed(self.0).map(|row| lanes::store(row))
    }

    /// Eight elements of `blst`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_blst(elements: &[blst_fp; LANES]) -> Self {
        let records = elements.map(|element| Record(split(&element.l)));
        Self::load(records.each_ref()).mul(&Self(constant(&FROM_BLST)))
    }

    /// Eight elements for `blst`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_blst(self) -> [blst_fp; LANES] {
        let canonical = self.mul(&Self(constant(&TO_BLST))).canonical();
        canonical.store().map(|record| blst_fp { l: joined(&record.0) })
    }

    /// Eight elements from the integers that they are, below 2^384 each.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_integers(integers: &[[u64; 6]; LANES]) -> Self {
        let records = integers.map(|limbs| Record(split(&limbs)));
        Self::load(records.each_ref()).mul(&Self(constant(&FROM_INTEGER)))
    }

    /// Which elements are odd as integers below p, one bit for each.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn odd(&self) -> u8 {
        let integers = self.mul(&Self(constant(&INTEGER_ONE))).canonical();
        _mm512_test_epi64_mask(integers.0[0], _mm512_set1_epi64(1))
    }

    /// Eight times one element of `blst`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn splat(element: &blst_fp) -> Self {
        Self::from_blst(&[*element; LANES])
    }

    /// The sum; not reduced.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, other: &Self) -> Self {
        self.shifted::<0>().plus::<0>(other).carried()
    }

    /// The difference plus 64·p; the subtrahend is below 64·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sub(&self, other: &Self) -> Self {
        self.shifted::<0>().minus::<0>(other).carried()
    }

    /// The element with the opposite sign; it is below 64·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn neg(&self) -> Self {
        Self::zero().sub(self)
    }

    /// 2^POWER times the element, as the beginning of a sum.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn shifted<const POWER: u32>(&self) -> Sum8 {
        Sum8(self.0.map(|limb| _mm512_slli_epi64::<POWER>(limb)))
    }

    /// The product, below 1.2·p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, other: &Self) -> Self {
        Wide::reduced(|wide| wide.add_product(self, other))
    }

    /// The square, below 1.2·p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn square(&self) -> Self {
        Wide::reduced(|wide| wide.add_square(self))
    }

    /// a·b + c·d with one reduction; no more than 2^34·p², and then below 1.5·p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sum_of_products([a, b]: [&Self; 2], [c, d]: [&Self; 2]) -> Self {
        Wide::reduced(|wide| {
            wide.add_product(a, b);
            wide.add_product(c, d);
        })
    }

    /// The same elements below 1.01·p, for values below 1000·p; below 1.6·p for all.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduced(&self) -> Self {
        let zero = _mm512_setzero_si512();
        let times = _mm512_madd52hi_epu64(zero, self.0[LIMBS - 1], _mm512_set1_epi64(QUOTIENT as i64));
        let mut limbs = self.0;
        for (i, modulus) in constant(&P).into_iter().enumerate() {
            limbs[i] = _mm512_sub_epi64(limbs[i], _mm512_madd52lo_epu64(zero, times, modulus));
            if i + 1 < LIMBS {
                limbs[i + 1] = _mm512_sub_epi64(limbs[i + 1], _mm512_madd52hi_epu64(zero, times, modulus));
            }
        }
        Sum8(limbs).carried()
    }

    /// The same elements below p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn canonical(&self) -> Self {
        let reduced = self.reduced();
        let mut limbs = reduced.0;
        for (limb, modulus) in limbs.iter_mut().zip(constant(&P)) {
            *limb = _mm512_sub_epi64(*limb, modulus);
        }
        let less = Sum8(limbs).carried();
        let below = _mm512_cmplt_epi64_mask(less.0[LIMBS - 1], _mm512_setzero_si512());
        Self::select(below, &less, &reduced)
    }

    /// Which elements are 0, one bit for each.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn zeros(&self) -> u8 {
        let reduced = self.reduced();
        let equal = |to: [__m512i; LIMBS]| {
            reduced.0.iter().zip(to).fold(u8::MAX, |mask, (limb, value)| mask & _mm512_cmpeq_epi64_mask(*limb, value))
        };
        equal([_mm512_setzero_si512(); LIMBS]) | equal(constant(&P))
    }

    /// Lane i gets the element of lane `from[i]`; lanes from 8 on are those of the other vector.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn arranged(&self, other: &Self, from: [i64; LANES]) -> Self {
        let [a, b, c, d, e, f, g, h] = from;
        let index = _mm512_setr_epi64(a, b, c, d, e, f, g, h);
        let mut limbs = self.0;
        for (limb, second) in limbs.iter_mut().zip(&other.0) {
            *limb = _mm512_permutex2var_epi64(*limb, index, *second);
        }
        Self(limbs)
    }

    /// The limbs as they are, limb by limb: word i of a record belongs to lane i.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn limbs(&self) -> [Record; LIMBS] {
        self.0.map(|limb| lanes::store(limb))
    }

    /// Eight times the element of one lane, of limbs as [`Fp8::limbs`] gives them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn broadcast(limbs: &[Record; LIMBS], lane: usize) -> Self {
        Self(limbs.each_ref().map(|record| _mm512_set1_epi64(record.0[lane] as i64)))
    }

    /// The second where a bit is set, the first elsewhere.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn select(mask: u8, unset: &Self, set: &Self) -> Self {
        let mut limbs = unset.0;
        for (limb, other) in limbs.iter_mut().zip(&set.0) {
            *limb = _mm512_mask_blend_epi64(mask, *limb, *other);
        }
        Self(limbs)
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn constant(limbs: &[u64; LIMBS]) -> [__m512i; LIMBS] {
    limbs.map(|limb| _mm512_set1_epi64(limb as i64))
}

#[cfg(test)]
mod tests;
