//! Points and their sums, as the rest of the crate handles them.
//!
//! They come into being only where the processor can run the engine: whoever has one may compute with it.

use super::group_sums::sum_groups;
use super::stored::{StoredOrbit, StoredPoint};
use crate::G1Affine;
use crate::buckets::Groups;
use crate::group_sums::Addend;

/// Points or infinity, with their images under the endomorphism.
#[derive(Debug)]
pub(crate) struct Orbits {
    orbits: Vec<StoredOrbit>,
    /// None of them is infinity, so nobody needs to look.
    finite: bool,
}

/// Points or infinity.
#[derive(Debug)]
pub(crate) struct Sums(Vec<StoredPoint>);

impl Orbits {
    /// Converts points; nothing where the processor lacks the features.
    pub(crate) fn new(points: &[G1Affine]) -> Option<Self> {
        if !super::is_supported() {
            return None;
        }
        // SAFETY: the processor has the features.
        let orbits = unsafe { StoredOrbit::from_stored(&StoredPoint::from_points(points)) };
        Some(Self { orbits, finite: true })
    }

    pub(crate) fn count(&self) -> usize {
        self.orbits.len()
    }

    /// Puts others after these.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.orbits.append(&mut others.orbits);
        self.finite &= others.finite;
    }

    /// The memory that the points take.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.orbits.as_slice())
    }

    /// The sums of groups of images.
    pub(crate) fn sum(&self, groups: &Groups) -> Sums {
        let is_point = |number: u32| self.finite || !self.orbits[number as usize].is_infinity();
        // SAFETY: the processor has the features, or there would be no orbits.
        Sums(unsafe { sum_groups(&self.orbits, groups, is_point) })
    }
}

impl Sums {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_infinity(&self, number: usize) -> bool {
        self.0[number].is_infinity()
    }

    /// The sums of groups of these sums, each member the sum itself.
    pub(crate) fn sum(&self, groups: &Groups) -> Self {
        let is_point = |number: u32| !self.0[number as usize].is_infinity();
        // SAFETY: the processor has the features, or there would be no sums.
        Self(unsafe { sum_groups(&self.0, groups, is_point) })
    }

    pub(crate) fn to_orbits(&self) -> Orbits {
        // SAFETY: the processor has the features, or there would be no sums.
        let orbits = unsafe { StoredOrbit::from_stored(&self.0) };
        Orbits { orbits, finite: !self.0.iter().any(StoredPoint::is_infinity) }
    }

    pub(crate) fn to_addends(&self) -> Vec<Addend> {
        // SAFETY: the processor has the features, or there would be no sums.
        unsafe { StoredPoint::to_addends(&self.0) }
    }
}
