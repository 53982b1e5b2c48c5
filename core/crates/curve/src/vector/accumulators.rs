//! Sums that wait: linear combinations whose limbs are not carried yet, and products that are not reduced yet.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

use super::field::{Fp8, constant};
use super::modulus::{LIMBS, MASK, P, P_INVERSE, P64, RADIX_BITS};

/// An expression for each limb. Loops would do the same, but the compiler keeps some of them, and with them every limb
/// in memory.
macro_rules! for_each_limb {
    ($limb:ident => $body:expr) => {
        for_each_limb!($limb, $body, 0 1 2 3 4 5 6 7)
    };
    ($limb:ident, $body:expr, $($number:literal)*) => {
        $({
            let $limb: usize = $number;
            $body
        })*
    };
}

/// A linear combination of elements: limbs that are not carried yet.
#[derive(Clone, Copy)]
pub(super) struct Sum8(pub(super) [__m512i; LIMBS]);

impl Sum8 {
    /// Adds 2^POWER times an element.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn plus<const POWER: u32>(mut self, other: &Fp8) -> Self {
        for (limb, addend) in self.0.iter_mut().zip(other.shifted::<POWER>().0) {
            *limb = _mm512_add_epi64(*limb, addend);
        }
        self
    }

    /// Subtracts 2^POWER times an element, and adds 64·p; what is subtracted is below that.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn minus<const POWER: u32>(mut self, other: &Fp8) -> Self {
        for ((limb, subtrahend), positive) in self.0.iter_mut().zip(other.shifted::<POWER>().0).zip(P64) {
            let room = _mm512_set1_epi64(positive as i64);
            *limb = _mm512_sub_epi64(_mm512_add_epi64(*limb, room), subtrahend);
        }
        self
    }

    /// The elements: carries, with their signs, go into the next limb; the last one keeps what it has.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn carried(mut self) -> Fp8 {
        let mask = _mm512_set1_epi64(MASK as i64);
        for i in 0..LIMBS - 1 {
            self.0[i + 1] = _mm512_add_epi64(self.0[i + 1], _mm512_srai_epi64::<RADIX_BITS>(self.0[i]));
            self.0[i] = _mm512_and_si512(self.0[i], mask);
        }
        Fp8(self.0)
    }
}

/// A sum of products, not yet divided by R: at most 64 of them, at most 2^34·p² together.
pub(super) struct Wide([__m512i; 2 * LIMBS]);

impl Wide {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_product(&mut self, a: &Fp8, b: &Fp8) {
        for_each_limb!(i => {
            for_each_limb!(j => self.add_limbs(i + j, a.0[i], b.0[j]));
        });
    }

    /// The square comes first: what is there before is doubled.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_square(&mut self, a: &Fp8) {
        for_each_limb!(i => {
            for_each_limb!(j => if j > i { self.add_limbs(i + j, a.0[i], a.0[j]) });
        });
        for_each_limb!(i => {
            self.0[2 * i] = _mm512_add_epi64(self.0[2 * i], self.0[2 * i]);
            self.0[2 * i + 1] = _mm512_add_epi64(self.0[2 * i + 1], self.0[2 * i + 1]);
            self.add_limbs(2 * i, a.0[i], a.0[i]);
        });
    }

    /// Adds the product of two limbs.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add_limbs(&mut self, place: usize, a: __m512i, b: __m512i) {
        self.0[place] = _mm512_madd52lo_epu64(self.0[place], a, b);
        self.0[place + 1] = _mm512_madd52hi_epu64(self.0[place + 1], a, b);
    }

    /// The sum that `products` adds up, divided by R, below 1.5·p: the low half is cleared limb by limb with multiples
    /// of p. Every use is an instance of its own, which the compiler merges with its products: limbs stay in registers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduced(products: impl FnOnce(&mut Self)) -> Fp8 {
        let (zero, inverse) = (_mm512_setzero_si512(), _mm512_set1_epi64(P_INVERSE as i64));
        let (modulus, mask) = (constant(&P), _mm512_set1_epi64(MASK as i64));
        let mut wide = Self([zero; 2 * LIMBS]);
        products(&mut wide);
        for_each_limb!(i => {
            let times = _mm512_madd52lo_epu64(zero, wide.0[i], inverse);
            // The low half of times·P[0] makes this limb the next multiple of 2^52: only that carry is needed.
            let carry = _mm512_srli_epi64::<RADIX_BITS>(_mm512_add_epi64(wide.0[i], mask));
            let high = _mm512_madd52hi_epu64(carry, times, modulus[0]);
            for_each_limb!(j => if j > 0 { wide.add_limbs(i + j, times, modulus[j]) });
            wide.0[i + 1] = _mm512_add_epi64(wide.0[i + 1], high);
        });
        let mut high = [zero; LIMBS];
        high.copy_from_slice(&wide.0[LIMBS..]);
        Sum8(high).carried()
    }
}
