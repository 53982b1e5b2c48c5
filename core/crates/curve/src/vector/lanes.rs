//! Vectors of eight words: where they lie in memory, and the change between one element per register and one limb of
//! eight elements per register.

use core::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_load_si512, _mm512_shuffle_i64x2, _mm512_store_si512,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

/// Eight words that one load or store moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Record(pub(super) [u64; 8]);

impl Record {
    #[inline]
    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().fold(0, |bits, word| bits | word) == 0
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn load(record: &Record) -> __m512i {
    // SAFETY: a record has 64 bytes and is aligned to 64.
    unsafe { _mm512_load_si512(core::ptr::from_ref(record).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn store(vector: __m512i) -> Record {
    let mut record = Record::default();
    // SAFETY: a record has 64 bytes and is aligned to 64.
    unsafe { _mm512_store_si512(core::ptr::from_mut(&mut record).cast(), vector) };
    record
}

/// Eight rows of eight words, transposed: pairs of words, then pairs and quadruples of 128-bit blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn transposed(rows: [__m512i; 8]) -> [__m512i; 8] {
    // Word k of rows 2i and 2i+1 stand side by side in block k/2 of pairs[i][k % 2].
    let pairs = |i: usize| {
        [_mm512_unpacklo_epi64(rows[2 * i], rows[2 * i + 1]), _mm512_unpackhi_epi64(rows[2 * i], rows[2 * i + 1])]
    };
    let (a, b, c, d) = (pairs(0), pairs(1), pairs(2), pairs(3));
    let mut out = rows;
    for parity in 0..2 {
        // Blocks 0 and 2, then 1 and 3, of two pairs.
        let (low_even, low_odd) = halves(a[parity], b[parity]);
        let (high_even, high_odd) = halves(c[parity], d[parity]);
        (out[parity], out[4 + parity]) = halves(low_even, high_even);
        (out[2 + parity], out[6 + parity]) = halves(low_odd, high_odd);
    }
    out
}

/// The even blocks of two vectors, and the odd ones.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn halves(a: __m512i, b: __m512i) -> (__m512i, __m512i) {
    (_mm512_shuffle_i64x2::<0b10_00_10_00>(a, b), _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b))
}

/// Asks for a record that will be needed soon.
#[inline]
pub(super) fn prefetch(record: &Record) {
    // SAFETY: a hint that reads and writes nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(record).cast()) }
}
