//! Eight points of the curve at once, in projective form (x = X/Z, y = Y/Z; infinity has Z = 0).
//!
//! The formulas are the complete ones of Renes, Costello and Batina (ePrint 2015/1060, algorithms 7 and 9 with a = 0,
//! b = 4): right for every pair of points of odd order, equal, opposite and infinite ones included. So no lane
//! ever needs to be looked at.

use super::field::Fp8;
use super::modulus::LANES;
use crate::{G1, G1Affine};

/// Eight points. Coordinates are below 2·p, of points that were affine as below as there.
#[derive(Clone, Copy)]
pub(super) struct Point8 {
    pub(super) x: Fp8,
    pub(super) y: Fp8,
    pub(super) z: Fp8,
}

/// Eight points other than infinity. Coordinates below 64·p.
#[derive(Clone, Copy)]
pub(super) struct Affine8 {
    pub(super) x: Fp8,
    pub(super) y: Fp8,
}

impl Affine8 {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_points(points: &[G1Affine; LANES]) -> Self {
        Self { x: Fp8::from_blst(&points.map(|point| point.0.x)), y: Fp8::from_blst(&points.map(|point| point.0.y)) }
    }

    /// The eight points for the rest of the crate.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_points(self) -> [G1Affine; LANES] {
        let (x, y) = (self.x.to_blst(), self.y.to_blst());
        core::array::from_fn(|lane| G1Affine(blst::blst_p1_affine { x: x[lane], y: y[lane] }))
    }

    /// The points with the opposite sign where a bit is set.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn negated_where(&self, mask: u8) -> Self {
        Self { x: self.x, y: Fp8::select(mask, &self.y, &self.y.neg().reduced()) }
    }
}

impl Point8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn infinity() -> Self {
        Self { x: Fp8::zero(), y: Fp8::one(), z: Fp8::zero() }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_affine(points: &Affine8) -> Self {
        Self { x: points.x, y: points.y, z: Fp8::one() }
    }

    /// The sums, lane by lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, other: &Self) -> Self {
        let (xx, yy, zz) = (self.x.mul(&other.x), self.y.mul(&other.y), self.z.mul(&other.z));
        let xy = Fp8::sum_of_products([&self.x, &other.y], [&other.x, &self.y]);
        let yz = Fp8::sum_of_products([&self.y, &other.z], [&other.y, &self.z]);
        let xz = Fp8::sum_of_products([&self.x, &other.z], [&other.x, &self.z]);
        let xx = xx.shifted::<1>().plus::<0>(&xx).carried();
        let (zz, xz) = (times_12(&zz), times_12(&xz));
        let (sum, difference) = (yy.add(&zz), yy.sub(&zz));
        Self {
            x: Fp8::sum_of_products([&xy, &difference], [&yz, &xz.neg()]),
            y: Fp8::sum_of_products([&difference, &sum], [&xz, &xx]),
            z: Fp8::sum_of_products([&sum, &yz], [&xx, &xy]),
        }
    }

    /// The doubles, lane by lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn double(&self) -> Self {
        let (yy, zz) = (self.y.square(), self.z.square());
        let (xy, yz) = (self.x.mul(&self.y), self.y.mul(&self.z));
        // Y² − 9bZ², with 9b = 36.
        let difference = yy.shifted::<0>().minus::<5>(&zz).minus::<2>(&zz).carried();
        let (zz, eight) = (times_12(&zz), yy.shifted::<3>().carried());
        Self {
            x: difference.mul(&xy.shifted::<1>().carried()),
            y: Fp8::sum_of_products([&difference, &yy.add(&zz)], [&zz, &eight]),
            z: yz.mul(&eight),
        }
    }

    /// The eight points for the rest of the crate.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn to_points(self) -> [G1; LANES] {
        // Jacobian coordinates are (X·Z, Y·Z², Z) for the same point.
        let (x, y) = (self.x.mul(&self.z), self.y.mul(&self.z.square()));
        let (x, y, z) = (x.to_blst(), y.to_blst(), self.z.to_blst());
        core::array::from_fn(|lane| G1(blst::blst_p1 { x: x[lane], y: y[lane], z: z[lane] }))
    }
}

/// 12·x = 3b·x.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn times_12(element: &Fp8) -> Fp8 {
    element.shifted::<3>().plus::<2>(element).carried()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Scalar};

    fn multiple(factor: u64) -> G1 {
        let point = G1Affine::generator().multiply_secret(&Scalar::from(factor & !(1 << 63)));
        if factor >> 63 == 1 { -point } else { point }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn compare() {
        const OPPOSITE: u64 = 1 << 63;
        // Equal, opposite and different points; 0 stands for infinity.
        let left = [1, 2, 3, 4, 5, 0, 0, 7];
        let right = [1, 2 | OPPOSITE, 4, 5, 5 | OPPOSITE, 6, 0, 0];
        let load = |factors: [u64; LANES]| {
            let points = factors.map(|factor| multiple(factor.max(1)).to_affine().expect("not infinity"));
            let infinite = factors.iter().rev().fold(0, |mask, factor| mask << 1 | u8::from(*factor == 0));
            let (finite, infinity) = (Point8::from_affine(&Affine8::from_points(&points)), Point8::infinity());
            let select = |of: fn(&Point8) -> &Fp8| Fp8::select(infinite, of(&finite), of(&infinity));
            Point8 { x: select(|point| &point.x), y: select(|point| &point.y), z: select(|point| &point.z) }
        };
        let (p, q) = (load(left), load(right));
        let expected: [G1; LANES] = core::array::from_fn(|lane| multiple(left[lane]) + multiple(right[lane]));
        // Doubling first leaves coordinates other than the affine ones.
        let (p2, q2) = (p.double(), q.add(&q));
        assert!(p.add(&q).to_points() == expected);
        assert!(q.add(&p).to_points() == expected);
        assert!(p2.add(&q2).to_points() == expected.map(|point| point + point));
        assert!(p2.to_points() == left.map(|factor| multiple(factor) + multiple(factor)));
    }

    #[test]
    fn additions_are_complete() {
        if !Engine::Vector.is_supported() {
            eprintln!("this processor has no AVX-512 IFMA: nothing to compare");
            return;
        }
        // SAFETY: the processor has the features.
        unsafe { compare() };
    }
}
