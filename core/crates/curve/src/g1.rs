//! The group G1: decoding with every check, addition, constant-time multiplication.

use core::ops::{Add, AddAssign, Neg};

use blst::{
    blst_fp_cneg, blst_p1, blst_p1_add_or_double, blst_p1_add_or_double_affine, blst_p1_affine,
    blst_p1_affine_compress, blst_p1_affine_generator, blst_p1_affine_in_g1, blst_p1_affine_is_inf, blst_p1_cneg,
    blst_p1_from_affine, blst_p1_is_equal, blst_p1_is_inf, blst_p1_mult, blst_p1_uncompress, blst_p1s_to_affine,
};
use zeroize::Zeroizing;

use crate::{Engine, PointError, Scalar, vector};

/// Length of a compressed point of G1.
pub const G1_BYTES: usize = 48;

/// Bits of a scalar.
pub(crate) const SCALAR_BITS: usize = 255;

/// A point of G1 other than infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct G1Affine(pub(crate) blst_p1_affine);

impl G1Affine {
    /// The generator [1]₁.
    pub fn generator() -> Self {
        // SAFETY: `blst` returns a pointer to a constant of its own that lives as long as the program.
        Self(unsafe { *blst_p1_affine_generator() })
    }

    /// Decodes a compressed point: canonical, on the curve, in the subgroup, not infinity.
    ///
    /// # Errors
    /// [`PointError`], naming the check that failed.
    pub fn from_bytes(bytes: &[u8; G1_BYTES]) -> Result<Self, PointError> {
        let point = Self::uncompress(bytes)?;
        // SAFETY: reads one point, which is on the curve.
        if !unsafe { blst_p1_affine_in_g1(&point.0) } {
            return Err(PointError::NotInSubgroup);
        }
        Ok(point)
    }

    /// Decodes each of some points as [`Self::from_bytes`] would: what one of them is never touches the others.
    pub fn decode_each(encoded: &[[u8; G1_BYTES]]) -> Vec<Result<Self, PointError>> {
        match Engine::active() {
            Engine::Scalar => encoded.iter().map(Self::from_bytes).collect(),
            // SAFETY: this engine is active only where the processor has the features.
            Engine::Vector => unsafe { vector::decode(encoded) },
        }
    }

    /// Decodes without the subgroup check, for data pinned by a digest whose points were checked once.
    ///
    /// # Errors
    /// [`PointError::Encoding`] or [`PointError::Infinity`].
    pub fn from_pinned_bytes(bytes: &[u8; G1_BYTES]) -> Result<Self, PointError> {
        Self::uncompress(bytes)
    }

    fn uncompress(bytes: &[u8; G1_BYTES]) -> Result<Self, PointError> {
        let mut point = blst_p1_affine::default();
        // SAFETY: reads exactly 48 bytes, writes one point; checks flags, x < p and that x is on the curve.
        PointError::check(unsafe { blst_p1_uncompress(&mut point, bytes.as_ptr()) })?;
        // SAFETY: reads one point.
        if unsafe { blst_p1_affine_is_inf(&point) } {
            return Err(PointError::Infinity);
        }
        Ok(Self(point))
    }

    /// The canonical compressed encoding.
    pub fn to_bytes(&self) -> [u8; G1_BYTES] {
        let mut bytes = [0; G1_BYTES];
        // SAFETY: reads one point, writes exactly 48 bytes.
        unsafe { blst_p1_affine_compress(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// `factor` times this point, in constant time: for factors that are secret.
    pub fn multiply_secret(&self, factor: &Scalar) -> G1 {
        G1::from(*self).multiply_secret(factor)
    }
}

/// A point of G1 in projective form, infinity included.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub struct G1(pub(crate) blst_p1);

impl G1 {
    /// The point at infinity.
    pub fn infinity() -> Self {
        Self::default()
    }

    /// Whether this is the point at infinity.
    pub fn is_infinity(&self) -> bool {
        // SAFETY: reads one point.
        unsafe { blst_p1_is_inf(&self.0) }
    }

    /// `factor` times this point, in constant time.
    #[must_use]
    pub fn multiply_secret(&self, factor: &Scalar) -> Self {
        let bytes = Zeroizing::new(factor.to_le_bytes());
        let mut out = blst_p1::default();
        // SAFETY: reads one point and the 255 bits of the factor out of 32 bytes, writes one point.
        unsafe { blst_p1_mult(&mut out, &self.0, bytes.as_ptr(), SCALAR_BITS) };
        Self(out)
    }

    /// The affine form, or nothing for infinity.
    pub fn to_affine(&self) -> Option<G1Affine> {
        Self::batch_to_affine(core::slice::from_ref(self))?.pop()
    }

    /// The affine forms with one inversion; nothing when one of the points is infinity.
    pub fn batch_to_affine(points: &[Self]) -> Option<Vec<G1Affine>> {
        if points.iter().any(Self::is_infinity) {
            return None;
        }
        let mut out = vec![G1Affine(blst_p1_affine::default()); points.len()];
        if points.is_empty() {
            return Some(out);
        }
        let pointers = [points.as_ptr().cast::<blst_p1>(), core::ptr::null()];
        // SAFETY: a null pointer after the first tells `blst` that the points are contiguous; `G1` and `G1Affine` are
        // transparent wrappers, so it reads and writes exactly `points.len()` elements of the two buffers.
        unsafe { blst_p1s_to_affine(out.as_mut_ptr().cast(), pointers.as_ptr(), points.len()) };
        Some(out)
    }
}

impl PartialEq for G1 {
    fn eq(&self, other: &Self) -> bool {
        // SAFETY: reads two points.
        unsafe { blst_p1_is_equal(&self.0, &other.0) }
    }
}

impl Eq for G1 {}

impl From<G1Affine> for G1 {
    fn from(point: G1Affine) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: reads one affine point, writes one point.
        unsafe { blst_p1_from_affine(&mut out, &point.0) };
        Self(out)
    }
}

impl Add for G1 {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: reads two points, writes one; complete for equal and opposite points and infinity.
        unsafe { blst_p1_add_or_double(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl Add<&G1Affine> for G1 {
    type Output = Self;

    fn add(self, other: &G1Affine) -> Self {
        let mut out = blst_p1::default();
        // SAFETY: reads two points, writes one; complete for equal and opposite points and infinity.
        unsafe { blst_p1_add_or_double_affine(&mut out, &self.0, &other.0) };
        Self(out)
    }
}

impl AddAssign for G1 {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl AddAssign<&G1Affine> for G1 {
    fn add_assign(&mut self, other: &G1Affine) {
        *self = *self + other;
    }
}

impl Neg for G1 {
    type Output = Self;

    fn neg(mut self) -> Self {
        // SAFETY: negates one point in place.
        unsafe { blst_p1_cneg(&mut self.0, true) };
        self
    }
}

impl Neg for G1Affine {
    type Output = Self;

    fn neg(mut self) -> Self {
        let y = self.0.y;
        // SAFETY: reads one field element and writes another; the result is reduced.
        unsafe { blst_fp_cneg(&mut self.0.y, &y, true) };
        self
    }
}

#[cfg(test)]
mod tests {
    use blst::{blst_fp, blst_fp_from_uint64, blst_p1_affine_on_curve};

    use super::*;

    #[test]
    fn a_point_of_order_three_is_never_taken() {
        let mut order_three = blst_p1_affine { x: blst_fp::default(), y: blst_fp::default() };
        let two = [2, 0, 0, 0, 0, 0];
        // SAFETY: reads six limbs of 64 bits, which `two` holds, and writes one field element.
        unsafe { blst_fp_from_uint64(&mut order_three.y, two.as_ptr()) };
        // SAFETY: reads one point.
        assert!(unsafe { blst_p1_affine_on_curve(&order_three) });
        let moved = (G1::from(G1Affine::generator()) + &G1Affine(order_three)).to_affine().unwrap();
        for outside in [G1Affine(order_three), moved] {
            assert_eq!(G1Affine::from_bytes(&outside.to_bytes()), Err(PointError::NotInSubgroup));
        }
    }
}
