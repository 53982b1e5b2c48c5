//! The group G2, as far as the setup needs it.

use blst::{blst_p2_affine, blst_p2_affine_generator, blst_p2_affine_in_g2, blst_p2_affine_is_inf, blst_p2_uncompress};

use crate::PointError;

/// Length of a compressed point of G2.
pub const G2_BYTES: usize = 96;

/// A point of G2 other than infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct G2Affine(pub(crate) blst_p2_affine);

impl G2Affine {
    /// The generator [1]₂.
    pub fn generator() -> Self {
        // SAFETY: `blst` returns a pointer to a constant of its own that lives as long as the program.
        Self(unsafe { *blst_p2_affine_generator() })
    }

    /// Decodes a compressed point: canonical, on the curve, in the subgroup, not infinity.
    ///
    /// # Errors
    /// [`PointError`], naming the check that failed.
    pub fn from_bytes(bytes: &[u8; G2_BYTES]) -> Result<Self, PointError> {
        let mut point = blst_p2_affine::default();
        // SAFETY: reads exactly 96 bytes, writes one point; checks flags, x < p and that x is on the curve.
        PointError::check(unsafe { blst_p2_uncompress(&mut point, bytes.as_ptr()) })?;
        // SAFETY: reads one point.
        if unsafe { blst_p2_affine_is_inf(&point) } {
            return Err(PointError::Infinity);
        }
        // SAFETY: reads one point, which is on the curve.
        if !unsafe { blst_p2_affine_in_g2(&point) } {
            return Err(PointError::NotInSubgroup);
        }
        Ok(Self(point))
    }
}
