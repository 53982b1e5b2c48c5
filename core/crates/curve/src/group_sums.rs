//! Sums of groups of points, by affine additions that share their inversions: where linear combinations spend their time.
//!
//! This is the seam between the two engines. Around it, factors are read as digits and points are laid out by group;
//! here, points are added. A vector engine takes over by replacing [`sum_groups`], which has nothing to do with factors.

use blst::blst_p1_affine;

use crate::G1Affine;
use crate::field::Fp;

/// A point of G1 or infinity, in affine form: infinity has x = 0, which no point of G1 has (on the whole curve, points
/// with x = 0 have order 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addend {
    pub(crate) x: Fp,
    pub(crate) y: Fp,
}

impl Addend {
    #[inline]
    pub(crate) fn is_infinity(&self) -> bool {
        self.x.is_zero()
    }

    /// Nothing for infinity.
    pub(crate) fn point(&self) -> Option<G1Affine> {
        (!self.is_infinity()).then_some(G1Affine(blst_p1_affine { x: self.x.0, y: self.y.0 }))
    }
}

impl Addend {
    /// Adds a point, given 1/(x₂ − x₁), or 1/2y where it is the same point; what was given is overwritten.
    #[inline]
    fn add(&mut self, other: &Self, reciprocal: &mut Fp) {
        let (mut numerator, mut third) = (Fp::default(), Fp::default());
        if self.x != other.x {
            numerator.set_difference(&other.y, &self.y);
        } else {
            let square = self.x.square();
            numerator = square.double() + square;
        }
        let slope = reciprocal;
        *slope *= &numerator;
        let mut run = self.x;
        third.set_square(slope);
        third -= &other.x;
        self.x.set_difference(&third, &run);
        run -= &self.x;
        run *= slope;
        let rise = self.y;
        self.y.set_difference(&run, &rise);
    }
}

impl From<&G1Affine> for Addend {
    fn from(point: &G1Affine) -> Self {
        Self { x: Fp(point.0.x), y: Fp(point.0.y) }
    }
}

/// The sum of each group; `points` holds the groups one after the other, `lengths` says how many points each has.
///
/// Complete: equal points, opposite points and infinity may stand anywhere. `points` is scratch space afterwards.
pub(crate) fn sum_groups(points: &mut [Addend], lengths: &[usize]) -> Vec<Addend> {
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut additions = Additions::new(points.len() / 2);
    let mut distance = 1;
    // After each round, the points that remain stand twice as far apart.
    while distance < longest {
        let mut start = 0;
        for length in lengths {
            for first in (0..length.saturating_sub(distance)).step_by(2 * distance) {
                additions.schedule(points, start + first, start + first + distance);
            }
            start += length;
        }
        additions.perform(points);
        distance *= 2;
    }
    let starts = lengths.iter().scan(0, |end, length| {
        let start = *end;
        *end += length;
        Some(start)
    });
    let sum = |(start, length): (usize, &usize)| if *length == 0 { Addend::default() } else { points[start] };
    starts.zip(lengths).map(sum).collect()
}

/// Additions that wait for their common inversion.
struct Additions {
    /// Places of the two points; the sum replaces the first.
    pairs: Vec<(usize, usize)>,
    /// Those of the slopes of the lines through both points, or of their tangents.
    denominators: Vec<Fp>,
    /// The product of all denominators before each one, and then that of all.
    products: Vec<Fp>,
}

impl Additions {
    fn new(most: usize) -> Self {
        let mut products = Vec::with_capacity(most + 1);
        products.push(Fp::ONE);
        Self { pairs: Vec::with_capacity(most), denominators: Vec::with_capacity(most), products }
    }

    /// Adds the second point to the first, at once where that needs no division.
    #[inline]
    fn schedule(&mut self, points: &mut [Addend], first: usize, second: usize) {
        let (a, b) = (&points[first], &points[second]);
        if b.is_infinity() {
            return;
        }
        if a.is_infinity() {
            points[first] = *b;
            return;
        }
        let at = self.pairs.len();
        self.denominators.resize(at + 1, Fp::default());
        if a.x != b.x {
            self.denominators[at].set_difference(&b.x, &a.x);
        } else if a.y == b.y {
            self.denominators[at] = a.y.double(); // not 0: there are no points of order 2
        } else {
            self.denominators.pop();
            points[first] = Addend::default();
            return;
        }
        self.pairs.push((first, second));
        self.products.push(Fp::default());
        let (products, next) = self.products.split_at_mut(at + 1);
        next[0].set_product(&products[at], &self.denominators[at]);
    }

    fn perform(&mut self, points: &mut [Addend]) {
        if self.pairs.is_empty() {
            return;
        }
        let mut inverse = self.products[self.pairs.len()].invert();
        let mut reciprocal = Fp::default();
        for (at, (first, second)) in self.pairs.iter().enumerate().rev() {
            reciprocal.set_product(&inverse, &self.products[at]);
            inverse *= &self.denominators[at];
            let (low, high) = points.split_at_mut(*second);
            low[*first].add(&high[0], &mut reciprocal);
        }
        self.pairs.clear();
        self.denominators.clear();
        self.products.truncate(1);
    }
}
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Scalar;

    /// Multiples of the generator between −3 and 3: most additions are special cases.
    fn multiple(factor: i64) -> Addend {
        let factor_scalar = Scalar::from(factor.unsigned_abs());
        let point = G1Affine::generator().multiply_secret(&factor_scalar);
        let point = if factor < 0 { -point } else { point };
        point.to_affine().map_or_else(Addend::default, |point| Addend::from(&point))
    }

    fn check(groups: &[Vec<i64>]) {
        let mut points: Vec<Addend> = groups.iter().flatten().map(|factor| multiple(*factor)).collect();
        let lengths: Vec<usize> = groups.iter().map(Vec::len).collect();
        let expected: Vec<Addend> = groups.iter().map(|group| multiple(group.iter().sum())).collect();
        assert_eq!(sum_groups(&mut points, &lengths), expected);
    }

    #[test]
    fn special_cases_add_up() {
        check(&[]);
        check(&[vec![], vec![]]);
        check(&[vec![0], vec![], vec![2, 2], vec![2, -2], vec![0, 3], vec![3, 0], vec![0, 0]]);
        check(&[vec![1; 33], vec![-1; 16], vec![1, -1, 1, -1, 1, -1]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn groups_add_up(groups in proptest::collection::vec(proptest::collection::vec(-3_i64..=3, 0..20), 0..9)) {
            check(&groups);
        }
    }
}
