//! In place of `vector`, where that is not built: the engine is not supported, so nothing else here is ever called.

use blst::blst_fp6;

use crate::{G1_BYTES, G1Affine, PointError};

/// Whether this processor has what the engine uses.
pub(crate) fn is_supported() -> bool {
    false
}

/// # Safety
/// Never called.
pub(crate) unsafe fn decode(_: &[[u8; G1_BYTES]]) -> Vec<Result<G1Affine, PointError>> {
    unreachable!("the vector engine is not built in")
}

/// Lines that nobody prepares.
#[derive(Clone)]
pub(crate) enum PreparedLines {}

impl PreparedLines {
    /// # Safety
    /// Never called.
    pub(crate) unsafe fn new(_: &[blst_fp6]) -> Self {
        unreachable!("the vector engine is not built in")
    }
}

/// # Safety
/// Never called.
pub(crate) unsafe fn product_is_one(first: (&G1Affine, &PreparedLines), _: (&G1Affine, &PreparedLines)) -> bool {
    match *first.1 {}
}
