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
    let mut additions = Additions::default();
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
#[derive(Default)]
struct Additions {
    waiting: Vec<Addition>,
    /// The product of all denominators so far.
    product: Option<Fp>,
}

struct Addition {
    first: usize,
    second: usize,
    /// That of the slope of the line through both points, or of the tangent.
    denominator: Fp,
    /// The product of the denominators before this one; nothing for the first.
    before: Option<Fp>,
}

impl Additions {
    /// Adds the second point to the first, at once where that needs no division.
    #[inline]
    fn schedule(&mut self, points: &mut [Addend], first: usize, second: usize) {
        let (a, b) = (points[first], points[second]);
        if b.is_infinity() {
            return;
        }
        if a.is_infinity() {
            points[first] = b;
            return;
        }
        let denominator = if a.x != b.x {
            b.x - a.x
        } else if a.y == b.y {
            a.y.double() // not 0: there are no points of order 2
        } else {
            points[first] = Addend::default();
            return;
        };
        let before = self.product;
        self.product = Some(before.map_or(denominator, |product| product * denominator));
        self.waiting.push(Addition { first, second, denominator, before });
    }

    fn perform(&mut self, points: &mut [Addend]) {
        let Some(product) = self.product.take() else { return };
        let mut inverse = product.invert();
        for addition in self.waiting.drain(..).rev() {
            let reciprocal = addition.before.map_or(inverse, |before| inverse * before);
            inverse = inverse * addition.denominator;
            let (a, b) = (points[addition.first], points[addition.second]);
            let numerator = if a.x != b.x { b.y - a.y } else { triple(a.x.square()) };
            let slope = numerator * reciprocal;
            let x = slope.square() - a.x - b.x;
            points[addition.first] = Addend { x, y: slope * (a.x - x) - a.y };
        }
    }
}

fn triple(element: Fp) -> Fp {
    element.double() + element
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
