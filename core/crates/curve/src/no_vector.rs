//! In place of `vector`, where that is not built: the engine is not supported, so nothing else here is ever called.

use blst::blst_fp6;

use crate::buckets::Groups;
use crate::digits::Recoding;
use crate::group_sums::Addend;
use crate::straus::WeightedPoints;
use crate::{G1, G1_BYTES, G1Affine, PointError};

/// Whether this processor has what the engine uses.
pub(crate) fn is_supported() -> bool {
    false
}

/// # Safety
/// Never called.
pub(crate) unsafe fn decode(_: &[[u8; G1_BYTES]]) -> Vec<Result<G1Affine, PointError>> {
    unreachable!("the vector engine is not built in")
}

/// # Safety
/// Never called.
pub(crate) unsafe fn sums_of_multiples(_: &Recoding, _: usize, _: &[WeightedPoints<'_>]) -> Vec<G1> {
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

/// Points that nobody stores.
#[derive(Debug)]
pub(crate) enum Orbits {}

/// Sums that nobody makes.
#[derive(Debug)]
pub(crate) enum Sums {}

impl Orbits {
    pub(crate) fn new(_: &[G1Affine]) -> Option<Self> {
        None
    }

    pub(crate) fn count(&self) -> usize {
        match *self {}
    }

    pub(crate) fn append(&mut self, _: Self) {
        match *self {}
    }

    pub(crate) fn bytes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn sum(&self, _: &Groups) -> Sums {
        match *self {}
    }
}

impl Sums {
    pub(crate) fn count(&self) -> usize {
        match *self {}
    }

    pub(crate) fn is_infinity(&self, _: usize) -> bool {
        match *self {}
    }

    pub(crate) fn sum(&self, _: &Groups) -> Self {
        match *self {}
    }

    pub(crate) fn to_orbits(&self) -> Orbits {
        match *self {}
    }

    pub(crate) fn to_addends(&self) -> Vec<Addend> {
        match *self {}
    }
}

/// Tables that nobody makes.
#[derive(Debug)]
pub(crate) enum Windows {}

impl Windows {
    pub(crate) fn new(_: &[G1Affine], _: usize) -> Option<Self> {
        None
    }

    pub(crate) fn bytes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn sum(&self, _: &[i8]) -> G1 {
        match *self {}
    }
}
