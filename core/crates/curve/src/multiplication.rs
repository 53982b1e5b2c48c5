//! Multi-scalar multiplication. Variable time: for public factors, or where the prover's own time is nobody else's.

use blst::{blst_p1, blst_p1_affine, blst_p1s_mult_pippenger, blst_p1s_mult_pippenger_scratch_sizeof, limb_t};
use zeroize::Zeroizing;

use crate::g1::SCALAR_BITS;
use crate::scalar::SCALAR_BYTES;
use crate::{G1, G1Affine, Scalar};

/// Σ factorᵢ · pointᵢ; infinity for empty lists.
///
/// # Panics
/// When the lists differ in length, which is a mistake in the calling program.
pub fn linear_combination(points: &[G1Affine], factors: &[Scalar]) -> G1 {
    assert_eq!(points.len(), factors.len(), "one factor per point");
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(factors.iter().flat_map(|factor| factor.to_le_bytes()).collect());
    pippenger(points, &bytes, SCALAR_BYTES, SCALAR_BITS)
}

/// Σ factorᵢ · pointᵢ for factors of few bytes; `bytes_each` is the least number of bytes that holds each of them.
///
/// # Panics
/// When the lists differ in length or a factor does not fit, which are mistakes in the calling program.
pub fn sum_small_multiples(points: &[G1Affine], factors: &[u64]) -> G1 {
    assert_eq!(points.len(), factors.len(), "one factor per point");
    let largest = factors.iter().copied().max().unwrap_or(0);
    let bits = (u64::BITS - largest.leading_zeros()).max(1) as usize;
    let bytes_each = bits.div_ceil(8);
    let bytes: Zeroizing<Vec<u8>> =
        Zeroizing::new(factors.iter().flat_map(|factor| factor.to_le_bytes().into_iter().take(bytes_each)).collect());
    pippenger(points, &bytes, bytes_each, bits)
}

fn pippenger(points: &[G1Affine], factors: &[u8], bytes_each: usize, bits: usize) -> G1 {
    if points.is_empty() {
        return G1::infinity();
    }
    assert_eq!(factors.len(), points.len() * bytes_each, "factors fill their buffer");
    assert_eq!(bits.div_ceil(8), bytes_each, "factors have as many bytes as their bits need");
    // SAFETY: a pure function of its argument.
    let scratch_bytes = unsafe { blst_p1s_mult_pippenger_scratch_sizeof(points.len()) };
    let mut scratch = vec![limb_t::default(); scratch_bytes.div_ceil(size_of::<limb_t>())];
    let point_pointers = [points.as_ptr().cast::<blst_p1_affine>(), core::ptr::null()];
    let factor_pointers = [factors.as_ptr(), core::ptr::null()];
    let mut out = blst_p1::default();
    // SAFETY: a null pointer after the first tells `blst` that points and factors are contiguous: it reads
    // `points.len()` points (`G1Affine` is a transparent wrapper) and as many factors of ⌈bits/8⌉ bytes, which the
    // assertions above guarantee; the scratch space has the size that `blst` asked for and the alignment of its limbs.
    unsafe {
        blst_p1s_mult_pippenger(
            &mut out,
            point_pointers.as_ptr(),
            points.len(),
            factor_pointers.as_ptr(),
            bits,
            scratch.as_mut_ptr(),
        );
    }
    G1(out)
}
