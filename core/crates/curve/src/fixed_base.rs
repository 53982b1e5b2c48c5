//! Linear combinations of points that never change: multiples by 2^(wk) are kept, so that all digits of all factors
//! fall into one set of buckets and no doubling is left.

use std::sync::OnceLock;

use crate::buckets::{Groups, double, weigh, weigh_by_place};
use crate::digits::{HALF_BITS, Recoding};
use crate::endomorphism::{Orbit, split};
use crate::field::{FIELD_BYTES, Fp};
use crate::group_sums::Addend;
use crate::sums::Sums;
use crate::{Engine, G1, G1Affine, Scalar, vector};

/// Points with their multiples by 2^(wk), for k < ⌈130/w⌉.
///
/// The window w is 3 to 7 bits of each half of a factor. A greater one makes fewer digits, but (4^w − 1)/6 buckets that
/// are to be added up in the end; and it takes less memory, as only one multiple is kept for each digit:
///
/// | w | digits | buckets | memory for each point | once more where the vector engine computes |
/// |---|---|---|---|---|
/// | 3 | 44 | 13 | 6336 bytes | 11264 bytes |
/// | 4 | 33 | 47 | 4752 bytes | 8448 bytes |
/// | 5 | 26 | 181 | 3744 bytes | 6656 bytes |
/// | 6 | 22 | 704 | 3168 bytes | 5632 bytes |
/// | 7 | 19 | 2773 | 2736 bytes | 4864 bytes |
#[derive(Debug)]
pub struct FixedBase {
    recoding: &'static Recoding,
    multiples: Vec<Orbit>,
    /// The same for the vector engine, made when it first needs them.
    vector_multiples: OnceLock<vector::Orbits>,
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
        let multiples = multiples.iter().map(|point| Orbit::from(Addend::from(point))).collect();
        Self { recoding, multiples, vector_multiples: OnceLock::new() }
    }

    /// The memory that the multiples take: those for the vector engine count from when it first needs them.
    pub fn bytes(&self) -> usize {
        let vector_bytes = self.vector_multiples.get().map_or(0, vector::Orbits::bytes);
        size_of_val(self.multiples.as_slice()) + vector_bytes
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
        Some(Self { recoding, multiples, vector_multiples: OnceLock::new() })
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
        self.combine_each_with(Engine::active(), lists)
    }

    fn combine_each_with<'a, List>(&self, engine: Engine, lists: impl IntoIterator<Item = List>) -> Vec<G1>
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
        let bits = weigh(self.recoding, &self.sum(engine, &groups)).into_addends();
        bits.chunks_exact(self.recoding.window() as usize).map(|bits| weigh_by_place(bits, 1)).collect()
    }

    /// For each of the 256 digits but 0, the sum of the points that have it: digits belong to the points from the first
    /// on. Nothing where the sum is infinity, and for the digit 0. Variable time.
    ///
    /// # Panics
    /// When there are more digits than points, which is a mistake in the calling program.
    pub fn sum_by_digit(&self, digits: &[u8]) -> Vec<Option<G1Affine>> {
        self.sum_by_digit_with(Engine::active(), digits)
    }

    fn sum_by_digit_with(&self, engine: Engine, digits: &[u8]) -> Vec<Option<G1Affine>> {
        let positions = self.recoding.positions(HALF_BITS);
        assert!(digits.len() * positions <= self.multiples.len(), "one digit per point");
        let mut groups = Groups::new(usize::from(u8::MAX) + 1, digits.len());
        for (number, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
            groups.insert(usize::from(*digit), number * positions, 0);
        }
        self.sum(engine, &groups).into_addends().iter().map(Addend::point).collect()
    }

    /// The sums of groups of images of multiples.
    fn sum(&self, engine: Engine, groups: &Groups) -> Sums {
        match engine {
            Engine::Scalar => {
                Sums::Scalar(groups.sum(|number, unit, place| self.multiples[number].write_image(unit, place)))
            }
            Engine::Vector => Sums::Vector(self.vector_multiples().sum(groups)),
        }
    }

    fn vector_multiples(&self) -> &vector::Orbits {
        self.vector_multiples.get_or_init(|| {
            let points: Option<Vec<G1Affine>> =
                self.multiples.iter().map(|multiple| multiple.point().point()).collect();
            vector::Orbits::new(&points.expect("no multiple is infinity")).expect("a processor that runs the engine")
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(points: &[G1Affine], factors: &[Scalar]) -> G1 {
        points.iter().zip(factors).fold(G1::infinity(), |sum, (point, factor)| sum + point.multiply_secret(factor))
    }

    fn multiples_of_generator(factors: &[u64]) -> Vec<G1Affine> {
        let multiple = |factor: &u64| G1Affine::generator().multiply_secret(&Scalar::from(*factor)).to_affine();
        factors.iter().map(|factor| multiple(factor).expect("not infinity")).collect()
    }

    fn check(points: &[G1Affine], lists: &[Vec<Scalar>]) {
        let expected: Vec<G1> = lists.iter().map(|factors| slowly(points, factors)).collect();
        for window in 3..=7 {
            let base = FixedBase::new(points, window);
            for engine in Engine::supported() {
                assert_eq!(base.combine_each_with(engine, lists), expected);
            }
        }
    }

    #[test]
    fn both_engines_sum_by_digit() {
        let points = multiples_of_generator(&[1, 2, 3, 4, 5, 6, 7, 8]);
        let points: Vec<G1Affine> = points.iter().copied().chain([-points[7]]).collect();
        let base = FixedBase::new(&points, 3);
        for engine in Engine::supported() {
            let sums = base.sum_by_digit_with(engine, &[2, 255, 2, 255, 7, 2, 0, 9, 9]);
            let expected = multiples_of_generator(&[10, 6, 5]);
            assert_eq!([sums[2], sums[255], sums[7]].map(Option::unwrap), expected[..]);
            // The points of the digit 9 are opposite.
            assert_eq!(sums.iter().flatten().count(), 3);
        }
    }

    #[test]
    fn both_engines_combine_lists_of_all_kinds() {
        // One point and its double meet in tables: 2^w·P and 2^w·(2P) are multiples of both.
        let points = multiples_of_generator(&[1, 2, 2, 4, 64, 128, 1 << 40, 5, 7]);
        let (one, last) = (Scalar::one(), -Scalar::one());
        let zero = vec![Scalar::ZERO; 9];
        let mut single = zero.clone();
        single[8] = last;
        let powers = Scalar::from(0xd201_0000_0001_0000).powers(9);
        check(&points, &[vec![one; 9], zero, vec![last; 9], single, powers]);
        check(&points[..1], &[vec![one], vec![last]]);
        check(&[], &[vec![], vec![]]);
        check(&points, &[]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn both_engines_combine(seed in any::<[u8; 32]>(), factors in proptest::collection::vec(1_u64..9, 1..40)) {
            let mut wide = [0; 64];
            wide[32..].copy_from_slice(&seed);
            let powers = Scalar::from_wide_be_bytes(&wide).powers(factors.len());
            check(&multiples_of_generator(&factors), &[powers]);
        }
    }
}
