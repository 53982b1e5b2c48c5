//! Eight elements of the base field at once, in radix 2^52.
//!
//! An element is eight limbs of 52 bits in Montgomery form with R = 2^416. The modulus p has 381 bits, so 35 bits are
//! left over: sums and differences need no reduction, and products of anything below 2^16·p come out below 1.2·p.
//! Limbs are always below 2^52 — the multiplier reads no more — but values are not unique: [`Fp8::reduced`] brings them
//! below 1.01·p, [`Fp8::canonical`] below p.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_permutex2var_epi64,
    _mm512_set1_epi64, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

use blst::blst_fp;

use super::lanes::{self, Record};

/// Limbs of an element.
pub(super) const LIMBS: usize = 8;
/// Bits of a limb.
const RADIX_BITS: u32 = 52;
const MASK: u64 = (1 << RADIX_BITS) - 1;
/// Elements of a vector.
pub(crate) const LANES: usize = 8;

/// p in limbs of 64 bits.
const MODULUS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

const P: [u64; LIMBS] = split(&MODULUS);
/// 64·p, what [`Fp8::sub`] adds to stay positive; its limbs are longer than 52 bits.
const P64: [u64; LIMBS] = times_64(&P);
/// −1/p mod 2^52.
const P_INVERSE: u64 = negated_inverse(P[0]);
/// R mod p: the element 1.
const ONE: [u64; LIMBS] = split(&power_of_two(416));
/// What brings the Montgomery form of `blst`, with R' = 2^384, into ours: R²/R'.
const FROM_BLST: [u64; LIMBS] = split(&power_of_two(2 * 416 - 384));
/// And back: R'.
const TO_BLST: [u64; LIMBS] = split(&power_of_two(384));
/// ⌊2^52 / (P[7] + 1)⌋: an estimate, never too large, of how often p goes into a value from its last limb.
const QUOTIENT: u64 = (1 << RADIX_BITS) / (P[7] + 1);

/// Eight elements of the base field. Below 2^16·p each, limbs below 2^52.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Fp8([__m512i; LIMBS]);

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

    /// Eight times one element of `blst`.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn splat(element: &blst_fp) -> Self {
        Self::from_blst(&[*element; LANES])
    }

    /// The sum; not reduced.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, other: &Self) -> Self {
        let mut limbs = self.0;
        for (limb, addend) in limbs.iter_mut().zip(&other.0) {
            *limb = _mm512_add_epi64(*limb, *addend);
        }
        carried(limbs)
    }

    /// The difference plus 64·p; the subtrahend is below 64·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sub(&self, other: &Self) -> Self {
        let mut limbs = self.0;
        for ((limb, subtrahend), positive) in limbs.iter_mut().zip(&other.0).zip(P64) {
            let room = _mm512_set1_epi64(positive as i64);
            *limb = _mm512_sub_epi64(_mm512_add_epi64(*limb, room), *subtrahend);
        }
        carried(limbs)
    }

    /// The element with the opposite sign; it is below 64·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn neg(&self) -> Self {
        Self::zero().sub(self)
    }

    /// The product, below 1.2·p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, other: &Self) -> Self {
        let mut sum = Wide::zero();
        sum.add_product(self, other);
        sum.reduced()
    }

    /// The square, below 1.2·p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn square(&self) -> Self {
        let mut wide = [_mm512_setzero_si512(); 2 * LIMBS];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in self.0.iter().enumerate().skip(i + 1) {
                wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], *a, *b);
                wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], *a, *b);
            }
        }
        for (i, a) in self.0.iter().enumerate() {
            wide[2 * i] = _mm512_madd52lo_epu64(_mm512_add_epi64(wide[2 * i], wide[2 * i]), *a, *a);
            wide[2 * i + 1] = _mm512_madd52hi_epu64(_mm512_add_epi64(wide[2 * i + 1], wide[2 * i + 1]), *a, *a);
        }
        Wide(wide).reduced()
    }

    /// The same elements below 1.01·p.
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
        carried(limbs)
    }

    /// The same elements below p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn canonical(&self) -> Self {
        let reduced = self.reduced();
        let mut limbs = reduced.0;
        for (limb, modulus) in limbs.iter_mut().zip(constant(&P)) {
            *limb = _mm512_sub_epi64(*limb, modulus);
        }
        let less = carried(limbs);
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

    /// From limbs as [`Fp8::limbs`] gives them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_limbs(limbs: &[Record; LIMBS]) -> Self {
        Self(limbs.each_ref().map(|record| lanes::load(record)))
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
fn constant(limbs: &[u64; LIMBS]) -> [__m512i; LIMBS] {
    limbs.map(|limb| _mm512_set1_epi64(limb as i64))
}

/// Carries, with their signs, into the next limb; the last one keeps what it has.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn carried(mut limbs: [__m512i; LIMBS]) -> Fp8 {
    let mask = _mm512_set1_epi64(MASK as i64);
    for i in 0..LIMBS - 1 {
        limbs[i + 1] = _mm512_add_epi64(limbs[i + 1], _mm512_srai_epi64::<RADIX_BITS>(limbs[i]));
        limbs[i] = _mm512_and_si512(limbs[i], mask);
    }
    Fp8(limbs)
}

/// A sum of products, not yet divided by R: at most 64 of them, at most 2^34·p² together.
#[derive(Clone, Copy)]
pub(super) struct Wide([__m512i; 2 * LIMBS]);

impl Wide {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn zero() -> Self {
        Self([_mm512_setzero_si512(); 2 * LIMBS])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_product(&mut self, a: &Fp8, b: &Fp8) {
        for (i, a) in a.0.iter().enumerate() {
            for (j, b) in b.0.iter().enumerate() {
                self.0[i + j] = _mm512_madd52lo_epu64(self.0[i + j], *a, *b);
                self.0[i + j + 1] = _mm512_madd52hi_epu64(self.0[i + j + 1], *a, *b);
            }
        }
    }

    /// The sum divided by R, below 1.5·p: the low half is cleared limb by limb with multiples of p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduced(self) -> Fp8 {
        let (zero, inverse) = (_mm512_setzero_si512(), _mm512_set1_epi64(P_INVERSE as i64));
        let modulus = constant(&P);
        let mut wide = self.0;
        for i in 0..LIMBS {
            let times = _mm512_madd52lo_epu64(zero, wide[i], inverse);
            for (j, limb) in modulus.iter().enumerate() {
                wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], times, *limb);
                wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], times, *limb);
            }
            wide[i + 1] = _mm512_add_epi64(wide[i + 1], _mm512_srli_epi64::<RADIX_BITS>(wide[i]));
        }
        let mut high = [zero; LIMBS];
        high.copy_from_slice(&wide[LIMBS..]);
        carried(high)
    }
}

/// 384 bits as limbs of 52.
const fn split(limbs: &[u64; 6]) -> [u64; LIMBS] {
    let mut out = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (at, offset) = (i * RADIX_BITS as usize / 64, i as u32 * RADIX_BITS % 64);
        out[i] = limbs[at] >> offset;
        if offset + RADIX_BITS > 64 && at + 1 < 6 {
            out[i] |= limbs[at + 1] << (64 - offset);
        }
        out[i] &= MASK;
        i += 1;
    }
    out
}

/// Limbs of 52 bits of a value below 2^384 as limbs of 64.
fn joined(limbs: &[u64; LIMBS]) -> [u64; 6] {
    let mut out = [0; 6];
    for (i, limb) in limbs.iter().enumerate() {
        let (at, offset) = (i * RADIX_BITS as usize / 64, i as u32 * RADIX_BITS % 64);
        out[at] |= limb << offset;
        if offset + RADIX_BITS > 64 && at + 1 < 6 {
            out[at + 1] |= limb >> (64 - offset);
        }
    }
    out
}

const fn times_64(limbs: &[u64; LIMBS]) -> [u64; LIMBS] {
    let (mut out, mut i) = (*limbs, 0);
    while i < LIMBS {
        out[i] <<= 6;
        i += 1;
    }
    out
}

/// 2^exponent mod p.
const fn power_of_two(exponent: u32) -> [u64; 6] {
    let mut value = [1, 0, 0, 0, 0, 0];
    let mut doublings = 0;
    while doublings < exponent {
        value = doubled(&value);
        if !is_below(&value, &MODULUS) {
            value = difference(&value, &MODULUS);
        }
        doublings += 1;
    }
    value
}

/// Twice a value below p, which leaves three bits of room.
const fn doubled(value: &[u64; 6]) -> [u64; 6] {
    let (mut out, mut i) = ([value[0] << 1, 0, 0, 0, 0, 0], 1);
    while i < 6 {
        out[i] = value[i] << 1 | value[i - 1] >> 63;
        i += 1;
    }
    out
}

const fn is_below(a: &[u64; 6], b: &[u64; 6]) -> bool {
    let mut i = 6;
    while i > 0 {
        i -= 1;
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

const fn difference(a: &[u64; 6], b: &[u64; 6]) -> [u64; 6] {
    let (mut out, mut borrow, mut i) = ([0; 6], false, 0);
    while i < 6 {
        let (less, first) = a[i].overflowing_sub(b[i]);
        let (less, second) = less.overflowing_sub(borrow as u64);
        (out[i], borrow) = (less, first || second);
        i += 1;
    }
    out
}

/// −1/odd mod 2^52, by Newton's iteration: each step doubles the bits that are right.
const fn negated_inverse(odd: u64) -> u64 {
    let (mut inverse, mut step) = (1_u64, 0);
    while step < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg() & MASK
}

#[cfg(test)]
mod tests {
    use blst::{blst_fp_add, blst_fp_from_lendian, blst_fp_mul, blst_fp_sqr, blst_fp_sub};

    use super::*;
    use crate::Engine;

    /// A small generator of test data (SplitMix64): the same numbers in every run.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        }

        /// Mostly uniform, now and then 0, 1, p − 1 or a power of two.
        fn element(&mut self) -> blst_fp {
            let mut limbs = match self.next() % 16 {
                0 => [0; 6],
                1 => [1, 0, 0, 0, 0, 0],
                2 => difference(&MODULUS, &[1, 0, 0, 0, 0, 0]),
                3 => power_of_two((self.next() % 381) as u32),
                _ => core::array::from_fn(|_| self.next()),
            };
            limbs[5] %= MODULUS[5];
            let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
            let mut element = blst_fp::default();
            // SAFETY: reads 48 bytes and writes one element.
            unsafe { blst_fp_from_lendian(&mut element, bytes.as_ptr()) };
            element
        }
    }

    type Binary = unsafe extern "C" fn(*mut blst_fp, *const blst_fp, *const blst_fp);

    fn each(a: &[blst_fp; LANES], b: &[blst_fp; LANES], operation: Binary) -> [blst_fp; LANES] {
        core::array::from_fn(|lane| {
            let mut out = blst_fp::default();
            // SAFETY: reads two elements and writes one.
            unsafe { operation(&mut out, &a[lane], &b[lane]) };
            out
        })
    }

    unsafe extern "C" fn square(out: *mut blst_fp, a: *const blst_fp, _: *const blst_fp) {
        // SAFETY: the caller gives places to read from and to write to.
        unsafe { blst_fp_sqr(out, a) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn compare(rounds: usize) {
        let mut numbers = Numbers(1);
        for _ in 0..rounds {
            let (a, b) = (core::array::from_fn(|_| numbers.element()), core::array::from_fn(|_| numbers.element()));
            let (x, y) = (Fp8::from_blst(&a), Fp8::from_blst(&b));
            assert_eq!(x.to_blst(), a);
            assert_eq!(x.mul(&y).to_blst(), each(&a, &b, blst_fp_mul));
            assert_eq!(x.square().to_blst(), each(&a, &a, square));
            assert_eq!(x.add(&y).to_blst(), each(&a, &b, blst_fp_add));
            assert_eq!(x.sub(&y).to_blst(), each(&a, &b, blst_fp_sub));
            let zeros =
                a.iter().enumerate().fold(0, |mask, (lane, e)| mask | u8::from(*e == blst_fp::default()) << lane);
            assert_eq!(x.zeros(), zeros);
            assert_eq!(x.sub(&x).zeros(), u8::MAX);
            assert_eq!(
                Fp8::select(0b1010_0110, &x, &y).to_blst(),
                core::array::from_fn(|lane| { if 0b1010_0110_u8 >> lane & 1 == 1 { b[lane] } else { a[lane] } })
            );
            assert_eq!(far_out(&x, &y).to_blst(), near(&a, &b));
        }
    }

    /// (16·(a + b))², on values that are allowed to grow.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn far_out(x: &Fp8, y: &Fp8) -> Fp8 {
        let sum = (0..4).fold(x.add(y), |sum, _| sum.add(&sum));
        assert_eq!(sum.reduced().to_blst(), sum.to_blst());
        sum.neg().neg().square()
    }

    fn near(a: &[blst_fp; LANES], b: &[blst_fp; LANES]) -> [blst_fp; LANES] {
        let sum = (0..4).fold(each(a, b, blst_fp_add), |sum, _| each(&sum, &sum, blst_fp_add));
        each(&sum, &sum, square)
    }

    #[test]
    fn a_million_inputs_give_what_the_scalar_field_gives() {
        if !Engine::Vector.is_supported() {
            eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
            return;
        }
        // SAFETY: the processor has the features.
        unsafe { compare(1_000_000 / (2 * LANES)) };
    }

    #[test]
    fn constants_are_what_they_say() {
        assert_eq!(joined(&P), MODULUS);
        assert_eq!(P[0].wrapping_mul(P_INVERSE) & MASK, MASK);
        assert_eq!(joined(&split(&power_of_two(380))), [0, 0, 0, 0, 0, 1 << 60]);
    }
}
