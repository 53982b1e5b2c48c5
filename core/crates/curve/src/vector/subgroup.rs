//! Which points of the curve lie in G1, in all lanes.
//!
//! ζ(x, y) = (βx, −y), with a cube root of unity β, has ζ² − ζ + 1 = 0 on the whole curve. Let u be the curve's parameter
//! without its sign, so that r = u⁴ − u² + 1. On G1, ζ is multiplication by u² (see [`crate::endomorphism`]). And a point
//! P of the curve with ζ(P) = \[u²\]P is one of G1, as then 0 = (ζ² − ζ + 1)(P) = \[u⁴ − u² + 1\]P = \[r\]P. So the
//! comparison is exact for every point of the curve (Scott, ePrint 2021/1130).
//!
//! Jacobian coordinates (x = X/Z², y = Y/Z³) double cheapest. Their addition is wrong for equal points, but not
//! silently: where the x are equal or a point is infinite, Z becomes 0 and stays 0. For points of G1 that never happens
//! here, as it adds P or \[u\]P to multiples of it between 2 and 2^63. Where Z is 0 in the end, P is outside.

use super::field::Fp8;
use super::point::Affine8;
use crate::endomorphism::CUBE_ROOT;

/// The curve's parameter without its sign.
const PARAMETER: u64 = 0xd201_0000_0001_0000;

/// Which points lie in G1, one bit for each lane of each vector. They are on the curve; coordinates below 64·p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn in_g1<const N: usize>(points: &[Affine8; N]) -> [u8; N] {
    let one = Fp8::one();
    let start = points.each_ref().map(|point| Jacobian8 { x: point.x, y: point.y, z: one });
    let multiples = times_parameter(&times_parameter(&start));
    let cube_root = Fp8::splat(&CUBE_ROOT.0);
    core::array::from_fn(|i| multiples[i].is_opposite_of(&points[i].x.mul(&cube_root), &points[i].y))
}

/// \[u\]P for points of G1; outside, that or Z = 0.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn times_parameter<const N: usize>(points: &[Jacobian8; N]) -> [Jacobian8; N] {
    let mut multiples = *points;
    for bit in (0..u64::BITS - 1).rev() {
        multiples = multiples.each_ref().map(|multiple| multiple.double());
        if PARAMETER >> bit & 1 == 1 {
            multiples = core::array::from_fn(|i| multiples[i].add(&points[i]));
        }
    }
    multiples
}

/// Eight points in Jacobian coordinates. X is below 130·p, Y below 66·p, Z below 3·p.
#[derive(Clone, Copy)]
struct Jacobian8 {
    x: Fp8,
    y: Fp8,
    z: Fp8,
}

impl Jacobian8 {
    /// The doubles: right for every point, as none of this curve has y = 0 (`dbl-2009-l` of the Explicit-Formulas
    /// Database, its D written as 4XY²).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double(&self) -> Self {
        let yy = self.y.square();
        let xx = self.x.square();
        let slope = xx.shifted::<1>().plus::<0>(&xx).carried();
        let square = slope.square();
        let xyy = self.x.mul(&yy);
        // 4XY² − X₃ = 12XY² − (3X²)².
        let run = xyy.shifted::<3>().plus::<2>(&xyy).minus::<0>(&square).carried();
        Self {
            x: square.shifted::<0>().minus::<3>(&xyy).carried(),
            y: Fp8::sum_of_products([&slope, &run], [&yy, &Fp8::zero().shifted::<0>().minus::<3>(&yy).carried()]),
            z: self.y.mul(&self.z).shifted::<1>().carried(),
        }
    }

    /// The sums of points with different x; Z = 0 where the x are equal or one of the points is infinite.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add(&self, other: &Self) -> Self {
        let (zz, other_zz) = (self.z.square(), other.z.square());
        let (x, other_x) = (self.x.mul(&other_zz), other.x.mul(&zz));
        let (y, other_y) = (self.y.mul(&other.z.mul(&other_zz)), other.y.mul(&self.z.mul(&zz)));
        let (run, rise) = (other_x.sub(&x), other_y.sub(&y));
        let square = run.square();
        let cube = run.mul(&square);
        let x = x.mul(&square);
        let rise_square = rise.square();
        // x − X₃ = 3x + run³ − rise².
        let back = x.shifted::<1>().plus::<0>(&x).plus::<0>(&cube).minus::<0>(&rise_square).carried();
        Self {
            x: rise_square.shifted::<0>().minus::<0>(&cube).minus::<1>(&x).carried(),
            y: Fp8::sum_of_products([&rise, &back], [&y.neg(), &cube]),
            z: self.z.mul(&other.z).mul(&run),
        }
    }

    /// Which points are (x, −y), one bit for each.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn is_opposite_of(&self, x: &Fp8, y: &Fp8) -> u8 {
        let zz = self.z.square();
        let same_x = self.x.sub(&x.mul(&zz)).zeros();
        let opposite_y = self.y.add(&y.mul(&zz.mul(&self.z))).zeros();
        same_x & opposite_y & !self.z.zeros()
    }
}
