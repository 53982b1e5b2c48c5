//! Multi-scalar multiplication. Variable time: for public factors, or where the prover's own time is nobody else's.
//!
//! Factors are read as digits ([`crate::digits`]). The points that belong to one place of one sum are added up by
//! [`crate::sums`], either as multiples from a table of each point (Straus: few points) or in buckets that are
//! weighed afterwards (Pippenger: many points); one chain of doublings for each sum ends the work.

use zeroize::Zeroize;

use crate::buckets::{Groups, weigh, weigh_by_place};
use crate::digits::{LEAST_WINDOW, Recoding, Term};
use crate::endomorphism::split;
use crate::straus::Multiples;
use crate::sums::Orbits;
use crate::{Engine, G1, G1Affine, Scalar, vector};

/// Σ factorᵢ · pointᵢ; infinity for empty lists.
///
/// # Panics
/// When the lists differ in length, which is a mistake in the calling program.
pub fn linear_combination(points: &[G1Affine], factors: &[Scalar]) -> G1 {
    linear_combinations(&[(points, factors)]).pop().expect("one sum for one pair of lists")
}

/// [`linear_combination`] for each of several pairs of lists, which share their inversions.
///
/// # Panics
/// When lists of a pair differ in length, which is a mistake in the calling program.
pub fn linear_combinations(sums: &[(&[G1Affine], &[Scalar])]) -> Vec<G1> {
    let sums: Vec<Sum<'_>> =
        sums.iter().map(|(points, factors)| Sum::new(points, factors.iter().map(split).collect())).collect();
    evaluate(Engine::active(), &sums)
}

/// Σ factorᵢ · pointᵢ for small factors.
///
/// # Panics
/// When the lists differ in length, which is a mistake in the calling program.
pub fn sum_small_multiples(points: &[G1Affine], factors: &[u64]) -> G1 {
    let halves = factors.iter().map(|factor| (u128::from(*factor), 0)).collect();
    evaluate(Engine::active(), &[Sum::new(points, halves)]).pop().expect("one sum for one pair of lists")
}

/// Points and their factors a + bζ; factors may be secret and are wiped when dropped.
struct Sum<'a> {
    points: &'a [G1Affine],
    factors: Vec<(u128, u128)>,
}

impl<'a> Sum<'a> {
    fn new(points: &'a [G1Affine], factors: Vec<(u128, u128)>) -> Self {
        assert_eq!(points.len(), factors.len(), "one factor per point");
        Self { points, factors }
    }
}

impl Drop for Sum<'_> {
    fn drop(&mut self) {
        for (a, b) in &mut self.factors {
            a.zeroize();
            b.zeroize();
        }
    }
}

/// Up to so many points are put into lanes; at 120 the other methods are as fast.
const LANES_POINTS: usize = 96;
/// A lane works for one sum.
const LANES_SUMS: usize = 8;

/// How sums are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// Straus' method with whole points in lanes.
    Lanes,
    Straus,
    Buckets {
        window: u32,
    },
}

impl Method {
    /// The one with fewest additions for so many sums of so many points in all, whose factors have halves of so many
    /// bits. Lanes win, by measurement, while there are few points.
    fn cheapest(engine: Engine, sums: usize, points: usize, bits: u32) -> Self {
        if engine == Engine::Vector && points <= LANES_POINTS && sums <= LANES_SUMS {
            return Self::Lanes;
        }
        let small = Recoding::of(LEAST_WINDOW);
        let straus = (small.positions(bits) + small.representatives().len()) * points;
        let buckets = (4..=6).map(|window| {
            let recoding = Recoding::of(window);
            let weighed = sums * recoding.representatives().len();
            (recoding.positions(bits) * (points + weighed), Self::Buckets { window })
        });
        let choices = buckets.chain([(straus, Self::Straus)]);
        choices.min_by_key(|(additions, _)| *additions).map(|(_, method)| method).expect("several methods")
    }
}

fn evaluate(engine: Engine, sums: &[Sum<'_>]) -> Vec<G1> {
    let points = sums.iter().map(|sum| sum.points.len()).sum();
    let halves = sums.iter().flat_map(|sum| &sum.factors);
    let bits = u128::BITS - halves.fold(0, |bits, (a, b)| bits | a | b).leading_zeros();
    match Method::cheapest(engine, sums.len(), points, bits) {
        Method::Lanes => in_lanes(sums, bits),
        Method::Straus => with_multiples(engine, sums, bits),
        Method::Buckets { window } => with_buckets(engine, sums, bits, Recoding::of(window)),
    }
}

/// Straus' method in lanes: each takes points of its own.
fn in_lanes(sums: &[Sum<'_>], bits: u32) -> Vec<G1> {
    let recoding = Recoding::of(LEAST_WINDOW);
    let terms: Vec<_> = sums.iter().map(|sum| (sum.points, &sum.factors[..])).collect();
    // SAFETY: the engine is active only where the processor has the features.
    unsafe { vector::sums_of_multiples(recoding, recoding.positions(bits), &terms) }
}

/// Straus' method: each digit takes a multiple of its point, and the multiples of one place are added up.
fn with_multiples(engine: Engine, sums: &[Sum<'_>], bits: u32) -> Vec<G1> {
    let recoding = Recoding::of(LEAST_WINDOW);
    let (positions, width) = (recoding.positions(bits), recoding.representatives().len());
    let multiples = Multiples::new(recoding, orbits(engine, sums));
    let mut groups = Groups::new(sums.len() * positions, positions * multiples.orbits.count() / width);
    for_each_term(recoding, sums, |sum, point, term| {
        let multiple = multiples.place(point, term.representative);
        groups.insert(sum * positions + term.position, multiple, term.unit);
    });
    let places = multiples.orbits.sum(&groups).into_addends();
    places.chunks_exact(positions).map(|places| weigh_by_place(places, recoding.window())).collect()
}

/// Pippenger's method: for each place, points are added up by digit, and these sums are weighed.
fn with_buckets(engine: Engine, sums: &[Sum<'_>], bits: u32, recoding: &Recoding) -> Vec<G1> {
    let (positions, width) = (recoding.positions(bits), recoding.representatives().len());
    let orbits = orbits(engine, sums);
    let mut groups = Groups::new(sums.len() * positions * width, positions * orbits.count());
    for_each_term(recoding, sums, |sum, point, term| {
        groups.insert((sum * positions + term.position) * width + term.representative, point, term.unit);
    });
    let bits = weigh(recoding, &orbits.sum(&groups)).into_addends();
    bits.chunks_exact(positions * recoding.window() as usize).map(|bits| weigh_by_place(bits, 1)).collect()
}

/// Of the points of all sums, one after the other.
fn orbits(engine: Engine, sums: &[Sum<'_>]) -> Orbits {
    let points: Vec<G1Affine> = sums.iter().flat_map(|sum| sum.points).copied().collect();
    Orbits::new(engine, &points)
}

/// Calls with the number of the sum, the number of the point among the points of all sums, and one of its digits.
fn for_each_term(recoding: &Recoding, sums: &[Sum<'_>], mut take: impl FnMut(usize, usize, Term)) {
    let mut point = 0;
    for (number, sum) in sums.iter().enumerate() {
        for factor in &sum.factors {
            for term in recoding.terms(*factor) {
                take(number, point, term);
            }
            point += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(factor: u64) -> G1Affine {
        G1Affine::generator().multiply_secret(&Scalar::from(factor)).to_affine().unwrap()
    }

    /// Every method gives each Σ factorᵢ·pointᵢ, computed with single multiplications; points are given as multiples
    /// of the generator and a sign.
    fn check(sums: &[Vec<((u64, bool), Scalar)>]) {
        let signed = |(factor, negative): (u64, bool)| if negative { -point(factor) } else { point(factor) };
        let points: Vec<Vec<G1Affine>> =
            sums.iter().map(|sum| sum.iter().map(|(point, _)| signed(*point)).collect()).collect();
        let slowly = |points: &Vec<G1Affine>, sum: &Vec<(_, Scalar)>| {
            points
                .iter()
                .zip(sum)
                .fold(G1::infinity(), |total, (point, (_, factor))| total + point.multiply_secret(factor))
        };
        let expected: Vec<G1> = points.iter().zip(sums).map(|(points, sum)| slowly(points, sum)).collect();
        let halves = |sum: &Vec<(_, Scalar)>| sum.iter().map(|(_, factor)| split(factor)).collect();
        let split_sums: Vec<Sum<'_>> =
            points.iter().zip(sums).map(|(points, sum)| Sum::new(points, halves(sum))).collect();
        let bits = u128::BITS;
        for engine in Engine::supported() {
            assert_eq!(with_multiples(engine, &split_sums, bits), expected);
            for window in 3..=7 {
                assert_eq!(with_buckets(engine, &split_sums, bits, Recoding::of(window)), expected);
            }
            assert_eq!(evaluate(engine, &split_sums), expected);
            if engine == Engine::Vector && sums.len() <= LANES_SUMS {
                assert_eq!(in_lanes(&split_sums, bits), expected);
            }
        }
    }

    #[test]
    fn few_points_take_multiples_and_many_take_buckets() {
        assert_eq!(Method::cheapest(Engine::Vector, 2, 13, 128), Method::Lanes);
        assert_eq!(Method::cheapest(Engine::Vector, 9, 13, 128), Method::Straus);
        assert_eq!(Method::cheapest(Engine::Vector, 2, 700, 128), Method::Buckets { window: 4 });
        assert_eq!(Method::cheapest(Engine::Scalar, 2, 13, 128), Method::Straus);
        assert_eq!(Method::cheapest(Engine::Scalar, 2, 700, 128), Method::Buckets { window: 4 });
        assert_eq!(Method::cheapest(Engine::Scalar, 1, 10_000, 128), Method::Buckets { window: 6 });
    }

    #[test]
    fn sums_at_the_edges() {
        let (one, last) = (Scalar::one(), -Scalar::one());
        check(&[]);
        check(&[vec![], vec![((1, false), last)], vec![]]);
        check(&[vec![((1, false), Scalar::ZERO)]]);
        check(&[vec![((2, false), last); 20]]);
        check(&[vec![((2, false), last), ((2, true), last)], vec![((3, false), one), ((3, true), last)]]);
        // ζ² = ζ − 1 makes these cancel out only when the images are added up.
        let zeta = Scalar::from(0xd201_0000_0001_0000).square();
        check(&[vec![((5, false), zeta.square()), ((5, true), zeta), ((5, false), one)]]);
    }

    #[test]
    fn lanes_are_filled_in_every_way() {
        let factors = |seed: u8, count: usize| Scalar::from_wide_be_bytes(&[seed; 64]).powers(count);
        let sum = |count: usize| -> Vec<_> {
            let points = (0..count as u64).map(|number| (number % 5 + 1, number % 3 == 0));
            points.zip(factors(count as u8 + 1, count)).collect()
        };
        for count in [1, 7, 8, 9, 15, 16, 17, 40, 100] {
            check(&[sum(count)]);
            check(&[sum(2), sum(count)]);
        }
        check(&(1..=LANES_SUMS).map(sum).collect::<Vec<_>>());
        check(&(0..LANES_SUMS + 3).map(sum).collect::<Vec<_>>());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn repeated_and_opposite_points_add_up(
            terms in proptest::collection::vec(((1_u64..4, any::<bool>()), any::<[u8; 32]>(), 0_u32..=256), 0..24),
            middle in 0_usize..24,
        ) {
            let factor = |seed: [u8; 32], kept: u32| {
                let mut wide = [0; 64];
                wide[32..].copy_from_slice(&seed);
                wide[32..][..32 - kept as usize / 8].fill(0); // factors of all lengths
                Scalar::from_wide_be_bytes(&wide)
            };
            let terms: Vec<_> = terms.into_iter().map(|(point, seed, kept)| (point, factor(seed, kept))).collect();
            let (left, right) = terms.split_at(middle.min(terms.len()));
            check(&[left.to_vec(), right.to_vec()]);
        }
    }
}
