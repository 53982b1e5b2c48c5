//! The endomorphism of G1 that makes factors half as long (Gallant, Lambert, Vanstone).
//!
//! β is a cube root of 1 in the field of coordinates, and ζ(x, y) = (βx, −y) maps the curve to itself. On G1, and only
//! there, ζ is multiplication by X², where X is the parameter of the curve. As r = X⁴ − X² + 1, ζ² = ζ − 1: ζ is a
//! primitive sixth root of 1, and factors may be written as Eisenstein integers a + bζ instead of integers modulo r.

use crate::Scalar;
use crate::field::Fp;
use crate::group_sums::Addend;
use crate::scalar::SCALAR_BYTES;

/// β; the other primitive cube root would belong to 1 − X².
pub(crate) const CUBE_ROOT: Fp = Fp::from_words([
    0x30f1_361b_798a_64e8,
    0xf3b8_ddab_7ece_5a2a,
    0x16a8_ca3a_c615_77f7,
    0xc26a_2ff8_74fd_029b,
    0x3636_b766_6070_1c6e,
    0x051b_a4ab_241b_6160,
]);

/// X², which ζ multiplies by: 128 bits.
pub(crate) const EIGENVALUE: u128 = 0xac45_a401_0001_a402_0000_0001_0000_0000;

/// ⌊2^256/X²⌋ − 2^128.
const RECIPROCAL_BELOW_TOP: u128 = 0x7c6b_ecf1_e01f_aadd_63f6_e522_f6cf_ee2e;

/// (a, b) with factor = a + b·X² and both below X² < 2^128, so that factor·P = a·P + b·ζP.
pub(crate) fn split(factor: &Scalar) -> (u128, u128) {
    let bytes = factor.to_le_bytes();
    let ([low, high], []) = bytes.as_chunks::<{ SCALAR_BYTES / 2 }>() else { unreachable!("two halves") };
    let (low, high) = (u128::from_le_bytes(*low), u128::from_le_bytes(*high));
    // high·⌊2^256/X²⌋/2^128: at most two too small.
    let mut b = high + wide_product(high, RECIPROCAL_BELOW_TOP).1;
    let (product_low, product_high) = wide_product(b, EIGENVALUE);
    let (mut a, borrow) = low.overflowing_sub(product_low);
    let mut a_high = high - product_high - u128::from(borrow);
    while a_high > 0 || a >= EIGENVALUE {
        let (less, borrow) = a.overflowing_sub(EIGENVALUE);
        (a, a_high, b) = (less, a_high - u128::from(borrow), b + 1);
    }
    (a, b)
}

/// The low and the high half of the product of 256 bits.
fn wide_product(left: u128, right: u128) -> (u128, u128) {
    let halves = |value: u128| (value & u128::from(u64::MAX), value >> u64::BITS);
    let ((left_low, left_high), (right_low, right_high)) = (halves(left), halves(right));
    let (low, carry) = halves(left_low * right_low);
    let (middle, first) = halves(left_high * right_low + carry);
    let (middle, second) = halves(left_low * right_high + middle);
    (low | middle << u64::BITS, left_high * right_high + first + second)
}

/// A point with what its images under the powers of ζ are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orbit {
    x: Fp,
    /// βx.
    turned_x: Fp,
    y: Fp,
}

impl From<Addend> for Orbit {
    fn from(point: Addend) -> Self {
        Self { x: point.x, turned_x: CUBE_ROOT * point.x, y: point.y }
    }
}

impl Orbit {
    /// The point itself.
    pub(crate) fn point(&self) -> Addend {
        Addend { x: self.x, y: self.y }
    }

    /// Writes ζ^power times the point; power < 6.
    #[inline]
    pub(crate) fn write_image(&self, power: u8, image: &mut Addend) {
        match power % 3 {
            0 => image.x = self.x,
            1 => image.x = self.turned_x,
            _ => image.x.set_negative_sum(&self.x, &self.turned_x), // 1 + β + β² = 0
        }
        if power % 2 == 1 {
            image.y.set_negative(&self.y);
        } else {
            image.y = self.y;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{G1, G1Affine, MODULUS_BYTES};

    fn eigenvalue() -> Scalar {
        scalar(EIGENVALUE)
    }

    fn scalar(integer: u128) -> Scalar {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&integer.to_be_bytes());
        Scalar::from_be_bytes(&bytes).unwrap()
    }

    fn check_split(factor: Scalar) {
        let (a, b) = split(&factor);
        assert!(a < EIGENVALUE && b < EIGENVALUE);
        assert_eq!(scalar(a) + scalar(b) * eigenvalue(), factor);
    }

    #[test]
    fn the_constants_are_sixth_roots_of_one() {
        assert_eq!(CUBE_ROOT.square() + CUBE_ROOT, -(CUBE_ROOT * CUBE_ROOT.square()));
        let zeta = eigenvalue();
        assert_eq!(zeta.square(), zeta - Scalar::one());
        let cube_root = -zeta;
        assert_eq!(cube_root.square() + cube_root + Scalar::one(), Scalar::ZERO);
        let parameter = Scalar::from(0xd201_0000_0001_0000);
        assert_eq!(parameter.square(), zeta);
    }

    #[test]
    fn images_are_multiples_by_the_eigenvalue() {
        let generator = G1Affine::generator();
        let orbit = Orbit::from(Addend::from(&generator));
        assert_eq!(orbit.point(), Addend::from(&generator));
        let mut expected = G1::from(generator);
        for power in 0..6 {
            let mut image = Addend::default();
            orbit.write_image(power, &mut image);
            assert_eq!(image.point(), expected.to_affine());
            expected = expected.multiply_secret(&eigenvalue());
        }
    }

    #[test]
    fn factors_at_the_edges_split() {
        let last = -Scalar::one();
        let zeta = eigenvalue();
        for factor in [Scalar::ZERO, Scalar::one(), last, zeta, zeta - Scalar::one(), zeta + Scalar::one(), -zeta] {
            check_split(factor);
        }
        assert_eq!(split(&Scalar::from(u64::MAX)), (u128::from(u64::MAX), 0));
        assert_eq!(split(&last), (0, EIGENVALUE - 1));
        // The quotient was estimated from the upper half: where the lower one is full, it is furthest off.
        let mut bytes = [0xff; 32];
        for top in 0..MODULUS_BYTES[0] {
            bytes[0] = top;
            check_split(Scalar::from_be_bytes(&bytes).unwrap());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn factors_split(high in any::<u128>(), low in any::<u128>()) {
            let mut wide = [0; 64];
            wide[32..48].copy_from_slice(&high.to_be_bytes());
            wide[48..].copy_from_slice(&low.to_be_bytes());
            check_split(Scalar::from_wide_be_bytes(&wide));
        }

        #[test]
        fn products_are_wide(left in any::<u128>(), right in any::<u64>()) {
            let (low, high) = wide_product(left, u128::from(right));
            prop_assert_eq!(low, left.wrapping_mul(u128::from(right)));
            let upper = (left >> 64) * u128::from(right) + (((left & u128::from(u64::MAX)) * u128::from(right)) >> 64);
            prop_assert_eq!(high, upper >> 64);
        }
    }
}
