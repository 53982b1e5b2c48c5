//! Inversion: one of `blst` serves all lanes.

use super::field::Fp8;
use super::modulus::LANES;
use crate::field::Fp;

/// The inverses of eight elements other than 0: each lane gets the product of the seven others over that of all eight.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn inverted(elements: &Fp8) -> Fp8 {
    let neighbours = exchanged(elements, 1);
    let pairs = elements.mul(&neighbours);
    let other_pairs = exchanged(&pairs, 2);
    let quadruples = pairs.mul(&other_pairs);
    let other_quadruples = exchanged(&quadruples, 4);
    let others = neighbours.mul(&other_pairs).mul(&other_quadruples);
    let [product, ..] = quadruples.mul(&other_quadruples).to_blst();
    others.mul(&Fp8::splat(&Fp(product).invert().0))
}

/// Lane i from lane i ^ distance.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn exchanged(elements: &Fp8, distance: i64) -> Fp8 {
    elements.arranged(elements, core::array::from_fn::<_, LANES, _>(|lane| lane as i64 ^ distance))
}
