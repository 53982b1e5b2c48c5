//! Eight points of the curve at once, in projective form (x = X/Z, y = Y/Z; infinity has Z = 0).
//!
//! The formulas are the complete ones of Renes, Costello and Batina (ePrint 2015/1060, algorithms 7, 8 and 9 with
//! a = 0, b = 4): right for every pair of points of odd order, equal, opposite and infinite ones included. So no lane
//! ever needs to be looked at.

use super::field::{Fp8, LANES};
use crate::{G1, G1Affine};

/// Eight points. X is below 2^7·p, Y and Z below 4·p.
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
        let xy = self.x.add(&self.y).mul(&other.x.add(&other.y)).sub(&xx).sub(&yy);
        let yz = self.y.add(&self.z).mul(&other.y.add(&other.z)).sub(&yy).sub(&zz);
        let xz = self.x.add(&self.z).mul(&other.x.add(&other.z)).sub(&xx).sub(&zz);
        Self::from_products(&xx, &yy, &zz, (&xy, &yz, &xz))
    }

    /// The sums with affine points, lane by lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_affine(&self, other: &Affine8) -> Self {
        let (xx, yy) = (self.x.mul(&other.x), self.y.mul(&other.y));
        let xy = self.x.add(&self.y).mul(&other.x.add(&other.y)).sub(&xx).sub(&yy);
        let yz = other.y.mul(&self.z).add(&self.y);
        let xz = other.x.mul(&self.z).add(&self.x);
        Self::from_products(&xx, &yy, &self.z, (&xy, &yz, &xz))
    }

    /// The end of an addition, from X₁X₂, Y₁Y₂, Z₁Z₂ and X₁Y₂ + X₂Y₁, Y₁Z₂ + Y₂Z₁, X₁Z₂ + X₂Z₁.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn from_products(xx: &Fp8, yy: &Fp8, zz: &Fp8, (xy, yz, xz): (&Fp8, &Fp8, &Fp8)) -> Self {
        let xx = xx.add(xx).add(xx);
        let zz = times_12(zz);
        let (sum, difference) = (yy.add(&zz), yy.sub(&zz));
        let xz = times_12(xz);
        Self {
            x: xy.mul(&difference).sub(&yz.mul(&xz)),
            y: difference.mul(&sum).add(&xz.mul(&xx)),
            z: sum.mul(yz).add(&xx.mul(xy)),
        }
    }

    /// The doubles, lane by lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn double(&self) -> Self {
        let yy = self.y.square();
        let yz = self.y.mul(&self.z);
        let zz = times_12(&self.z.square());
        let xy = self.x.mul(&self.y);
        let eight = times_8(&yy);
        let difference = yy.sub(&zz.add(&zz).add(&zz));
        let half = difference.mul(&xy);
        Self { x: half.add(&half), y: difference.mul(&yy.add(&zz)).add(&zz.mul(&eight)), z: yz.mul(&eight) }
    }

    /// The second where a bit is set, the first elsewhere.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn select(mask: u8, unset: &Self, set: &Self) -> Self {
        Self {
            x: Fp8::select(mask, &unset.x, &set.x),
            y: Fp8::select(mask, &unset.y, &set.y),
            z: Fp8::select(mask, &unset.z, &set.z),
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

    /// The sum of the eight points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sum(self) -> G1 {
        self.to_points().into_iter().fold(G1::infinity(), |sum, point| sum + point)
    }
}

/// 8·x.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn times_8(element: &Fp8) -> Fp8 {
    let four = element.add(element);
    let four = four.add(&four);
    four.add(&four)
}

/// 12·x = 3b·x.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn times_12(element: &Fp8) -> Fp8 {
    let four = element.add(element);
    let four = four.add(&four);
    four.add(&four).add(&four)
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
            let finite = Point8::from_affine(&Affine8::from_points(&points));
            let infinite = factors.iter().enumerate().fold(0, |mask, (lane, f)| mask | u8::from(*f == 0) << lane);
            (Affine8::from_points(&points), Point8::select(infinite, &finite, &Point8::infinity()))
        };
        let ((a, p), (_, q)) = (load(left), load(right));
        let expected: [G1; LANES] = core::array::from_fn(|lane| multiple(left[lane]) + multiple(right[lane]));
        // Doubling first leaves coordinates other than the affine ones.
        let (p2, q2) = (p.double(), q.add(&q));
        assert!(p.add(&q).to_points() == expected);
        assert!(q.add(&p).to_points() == expected);
        assert!(p2.add(&q2).to_points() == expected.map(|point| point + point));
        let mixed: [G1; LANES] = core::array::from_fn(|lane| multiple(right[lane]) + multiple(left[lane].max(1)));
        assert!(q.add_affine(&a).to_points() == mixed);
        let negated = a.negated_where(0b1111_0000);
        let opposite: [G1; LANES] = core::array::from_fn(|lane| {
            let point = multiple(left[lane].max(1));
            multiple(right[lane]) + if lane >= 4 { -point } else { point }
        });
        assert!(q.add_affine(&negated).to_points() == opposite);
        assert!(p.sum() == multiple(22));
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
