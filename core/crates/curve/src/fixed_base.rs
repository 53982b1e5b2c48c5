//! Linear combinations of points that never change: multiples by 2^(wk) are kept, so that all digits of all factors
//! fall into one set of buckets and no doubling is left.

use crate::buckets::{Groups, double, weigh, weigh_by_place};
use crate::digits::{HALF_BITS, Recoding};
use crate::endomorphism::{Orbit, split};
use crate::field::{FIELD_BYTES, Fp};
use crate::group_sums::Addend;
use crate::{G1, G1Affine, Scalar};

/// Points with their multiples by 2^(wk), for k < ⌈130/w⌉.
///
/// The window w is 3 to 7 bits of each half of a factor. A greater one makes fewer digits, but (4^w − 1)/6 buckets that
/// are to be added up in the end; and it takes less memory, as only one multiple is kept for each digit:
///
/// | w | digits | buckets | memory for each point |
/// |---|---|---|---|
/// | 3 | 44 | 13 | 6336 bytes |
/// | 4 | 33 | 47 | 4752 bytes |
/// | 5 | 26 | 181 | 3744 bytes |
/// | 6 | 22 | 704 | 3168 bytes |
/// | 7 | 19 | 2773 | 2736 bytes |
#[derive(Debug)]
pub struct FixedBase {
    recoding: &'static Recoding,
    multiples: Vec<Orbit>,
}

impl FixedBase {
    /// The window that is fastest for some 200 to 1000 points.
    pub const DEFAULT_WINDOW: u32 = 6;

    /// Every window that there is.
    pub const WINDOWS: core::ops::RangeInclusive<u32> = 3..=7;

    /// Computes the multiples: some 60 µs for each point.
    ///
    /// # Panics
    /// When `window` is not one of 3 to 7, which is a mistake in the calling program.
    pub fn new(points: &[G1Affine], window: u32) -> Self {
        let recoding = Recoding::of(window);
        let mut multiples = Vec::with_capacity(points.len() * recoding.positions(HALF_BITS));
        for point in points {
            let mut multiple = G1::from(*point);
            for _ in 0..recoding.positions(HALF_BITS) {
                multiples.push(multiple);
                for _ in 0..window {
                    multiple = double(&multiple);
                }
            }
        }
        let multiples = G1::batch_to_affine(&multiples).expect("multiples by powers of two of points of odd order");
        Self { recoding, multiples: multiples.iter().map(|point| Orbit::from(Addend::from(point))).collect() }
    }

    /// The memory that the multiples take.
    pub fn bytes(&self) -> usize {
        size_of_val(self.multiples.as_slice())
    }

    /// The points themselves.
    pub fn points(&self) -> Vec<G1Affine> {
        let firsts = self.multiples.iter().step_by(self.recoding.positions(HALF_BITS));
        firsts.map(|multiple| multiple.point().point().expect("no multiple is infinity")).collect()
    }

    /// The length of what [`Self::to_bytes`] makes of so many points.
    ///
    /// # Panics
    /// When `window` is not one of [`Self::WINDOWS`], which is a mistake in the calling program.
    pub fn encoded_length(points: usize, window: u32) -> usize {
        points * Recoding::of(window).positions(HALF_BITS) * 2 * FIELD_BYTES
    }

    /// The multiples for a file: for each point, for each digit, x and y of 48 bytes each, little-endian and in
    /// Montgomery form (times 2^384), which is the fastest to read back. One table has one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let coordinates = self.multiples.iter().flat_map(|multiple| {
            let Addend { x, y } = multiple.point();
            [x, y]
        });
        coordinates.flat_map(Fp::to_pinned_bytes).collect()
    }

    /// Reads what [`Self::to_bytes`] wrote for this window: some 0.2 µs for each multiple.
    ///
    /// **The caller must have compared a digest of the bytes with a pinned one**: that the multiples are what they
    /// should be, or points at all, is not checked here. Nothing when the length is that of no number of points, a
    /// coordinate is not reduced, or x is 0.
    ///
    /// # Panics
    /// When `window` is not one of 3 to 7, which is a mistake in the calling program.
    pub fn from_pinned_bytes(window: u32, bytes: &[u8]) -> Option<Self> {
        let recoding = Recoding::of(window);
        let (coordinates, rest) = bytes.as_chunks::<FIELD_BYTES>();
        if !rest.is_empty() || !coordinates.len().is_multiple_of(2 * recoding.positions(HALF_BITS)) {
            return None;
        }
        let read = |pair: &[[u8; FIELD_BYTES]; 2]| {
            let (x, y) = (Fp::from_pinned_bytes(&pair[0])?, Fp::from_pinned_bytes(&pair[1])?);
            Some(Addend { x, y }).filter(|multiple| !multiple.is_infinity()).map(Orbit::from)
        };
        let multiples = coordinates.as_chunks().0.iter().map(read).collect::<Option<Vec<Orbit>>>()?;
        Some(Self { recoding, multiples })
    }

    /// Σ factorᵢ · pointᵢ. Variable time; small factors are cheap, 0 is free.
    ///
    /// # Panics
    /// When there is not one factor per point, which is a mistake in the calling program.
    pub fn combine<'a>(&self, factors: impl IntoIterator<Item = &'a Scalar>) -> G1 {
        self.combine_each([factors]).pop().expect("one sum for one list")
    }

    /// [`Self::combine`] for each of several lists of factors, which share their inversions.
    ///
    /// # Panics
    /// As [`Self::combine`], for each list.
    pub fn combine_each<'a, List>(&self, lists: impl IntoIterator<Item = List>) -> Vec<G1>
    where
        List: IntoIterator<Item = &'a Scalar>,
    {
        let lists: Vec<List> = lists.into_iter().collect();
        let (positions, buckets) = (self.recoding.positions(HALF_BITS), self.recoding.representatives().len());
        let mut groups = Groups::new(lists.len() * buckets, lists.len() * self.multiples.len());
        for (number, factors) in lists.into_iter().enumerate() {
            let mut factors = factors.into_iter();
            for first in (0..self.multiples.len()).step_by(positions) {
                let factor = factors.next().expect("one factor per point");
                for term in self.recoding.terms(split(factor)) {
                    groups.insert(number * buckets + term.representative, first + term.position, term.unit);
                }
            }
            assert!(factors.next().is_none(), "one factor per point");
        }
        let sums = groups.sum(|multiple, unit, place| self.multiples[multiple].write_image(unit, place));
        let bits = weigh(self.recoding, &sums);
        bits.chunks_exact(self.recoding.window() as usize).map(|bits| weigh_by_place(bits, 1)).collect()
    }
}
