//! Sums of multiples of few points, every lane with points of its own (Straus): one chain of doublings for all lanes of
//! all sums.
//!
//! Digits are those of [`crate::digits`]. Coordinates stay projective and additions complete, so that equal points,
//! opposite ones and infinity need no care; the lanes of a sum are added up in the end.

use zeroize::Zeroizing;

use super::field::Fp8;
use super::lanes::Record;
use super::modulus::LANES;
use super::point::{Affine8, Point8};
use crate::digits::Recoding;
use crate::endomorphism::CUBE_ROOT;
use crate::straus::{Step, WeightedPoints};
use crate::{G1, G1Affine};

/// Each of up to eight sums of multiples; factors have `positions` digits.
///
/// # Safety
/// The processor has the features of the vector engine.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn sums_of_multiples(recoding: &Recoding, positions: usize, sums: &[WeightedPoints<'_>]) -> Vec<G1> {
    let layout = Layout::new(sums);
    let steps = Step::all(recoding);
    let tables: Vec<_> = layout.rows(sums).iter().map(|points| multiples(&steps, points)).collect();
    let digits = layout.digits(recoding, positions, sums);
    let infinity = Multiple::infinity();
    let mut sum = Point8::infinity();
    for position in (0..positions).rev() {
        if position + 1 < positions {
            for _ in 0..recoding.window() {
                sum = sum.double();
            }
        }
        for (row, table) in tables.iter().enumerate() {
            sum = sum.add(&look_up(table, &infinity, &digits[row * positions + position]));
        }
    }
    layout.add_up(&sum.to_points())
}

/// Which lane takes which terms.
struct Layout {
    /// Terms of each lane.
    rows: usize,
    /// Lanes of each sum, one sum after the other.
    lanes: Vec<usize>,
}

impl Layout {
    /// As few rows as there can be while no lane works for two sums.
    fn new(sums: &[WeightedPoints<'_>]) -> Self {
        assert!(sums.len() <= LANES, "a lane for each sum");
        let lanes = |rows: usize| sums.iter().map(|(points, _)| points.len().div_ceil(rows)).collect::<Vec<_>>();
        let rows =
            (1..).find(|rows| lanes(*rows).iter().sum::<usize>() <= LANES).expect("one lane for each sum will do");
        Self { rows, lanes: lanes(rows) }
    }

    /// Calls with the row, the lane, the point and the factor of each term.
    fn for_each_term(&self, sums: &[WeightedPoints<'_>], mut take: impl FnMut(usize, usize, &G1Affine, (u128, u128))) {
        let mut first = 0;
        for ((points, factors), lanes) in sums.iter().zip(&self.lanes) {
            for (number, (point, factor)) in points.iter().zip(*factors).enumerate() {
                take(number % self.rows, first + number / self.rows, point, *factor);
            }
            first += lanes;
        }
    }

    /// The points; where a lane has none, one that no digit asks for.
    fn rows(&self, sums: &[WeightedPoints<'_>]) -> Vec<[G1Affine; LANES]> {
        let mut rows = vec![[G1Affine::generator(); LANES]; self.rows];
        self.for_each_term(sums, |row, lane, point, _| rows[row][lane] = *point);
        rows
    }

    /// The digits of each place of each row.
    fn digits(
        &self,
        recoding: &Recoding,
        positions: usize,
        sums: &[WeightedPoints<'_>],
    ) -> Zeroizing<Vec<[Digit; LANES]>> {
        let mut digits = Zeroizing::new(vec![[NO_DIGIT; LANES]; self.rows * positions]);
        self.for_each_term(sums, |row, lane, _, factor| {
            for term in recoding.terms(factor) {
                digits[row * positions + term.position][lane] = [term.representative as u8, term.unit];
            }
        });
        digits
    }

    fn add_up(&self, points: &[G1; LANES]) -> Vec<G1> {
        let mut points = points.iter();
        let sum = |lanes: &usize| points.by_ref().take(*lanes).fold(G1::infinity(), |sum, point| sum + *point);
        self.lanes.iter().map(sum).collect()
    }
}

/// A representative, and the power of ζ.
type Digit = [u8; 2];

const NO_DIGIT: Digit = [u8::MAX; 2];

/// A multiple of a point in memory: X, βX, β²X, Y, Z.
struct Multiple {
    abscissas: [Record; 3],
    y: Record,
    z: Record,
}

impl Multiple {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn infinity() -> Self {
        let [zero, one] = [Fp8::zero(), Fp8::one()].map(|element| element.store()[0]);
        Self { abscissas: [zero; 3], y: one, z: zero }
    }

    /// One for each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn store(points: &Point8) -> [Self; LANES] {
        let cube_root = Fp8::splat(&CUBE_ROOT.0);
        let turned = points.x.mul(&cube_root);
        let x = [points.x, turned, turned.mul(&cube_root)].map(|x| x.store());
        let (y, z) = (points.y.store(), points.z.store());
        core::array::from_fn(|lane| Self { abscissas: [x[0][lane], x[1][lane], x[2][lane]], y: y[lane], z: z[lane] })
    }
}

/// The multiples of eight points by all representatives.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn multiples(steps: &[Step], points: &[G1Affine; LANES]) -> Vec<[Multiple; LANES]> {
    let mut made = vec![Point8::from_affine(&Affine8::from_points(points)); steps.len()];
    let mut order: Vec<usize> = (0..steps.len()).filter(|number| steps[*number].round > 0).collect();
    order.sort_by_key(|number| steps[*number].round);
    for number in order {
        let [first, second] = steps[number].parts.map(|(source, unit)| image(&made[source], unit));
        made[number] = first.add(&second);
    }
    made.iter().map(|points| Multiple::store(points)).collect()
}

/// ζ^unit times the points, for a unit of 0 or 1.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn image(points: &Point8, unit: u8) -> Point8 {
    if unit == 0 {
        return *points;
    }
    Point8 { x: points.x.mul(&Fp8::splat(&CUBE_ROOT.0)), y: points.y.neg(), z: points.z }
}

/// The multiples that the digits ask for, lane by lane, from the table of a row.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn look_up(table: &[[Multiple; LANES]], infinity: &Multiple, digits: &[Digit; LANES]) -> Point8 {
    let multiples: [&Multiple; LANES] = core::array::from_fn(|lane| match digits[lane] {
        NO_DIGIT => infinity,
        [representative, _] => &table[usize::from(representative)][lane],
    });
    let units = digits.map(|[_, unit]| unit);
    let negative = units.iter().rev().fold(0, |mask, unit| mask << 1 | (unit & 1));
    let y = Fp8::load(multiples.map(|multiple| &multiple.y));
    Point8 {
        x: Fp8::load(core::array::from_fn(|lane| &multiples[lane].abscissas[usize::from(units[lane] % 3)])),
        y: Fp8::select(negative, &y, &y.neg()),
        z: Fp8::load(multiples.map(|multiple| &multiple.z)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_has_its_place_in_a_lane_of_its_sum() {
        let points = [G1Affine::generator(); 100];
        let factors = [(1, 2); 100];
        for counts in
            [&[][..], &[0], &[1], &[8], &[9], &[10, 2], &[2, 10], &[100, 1], &[1; 8], &[0, 3, 0, 90, 1, 1, 1, 4]]
        {
            let sums: Vec<WeightedPoints<'_>> =
                counts.iter().map(|count| (&points[..*count], &factors[..*count])).collect();
            let layout = Layout::new(&sums);
            assert!(layout.lanes.iter().sum::<usize>() <= LANES);
            let owners: Vec<usize> =
                layout.lanes.iter().enumerate().flat_map(|(sum, lanes)| core::iter::repeat_n(sum, *lanes)).collect();
            let (mut places, mut of_sum) = (std::collections::HashSet::new(), vec![0; counts.len()]);
            layout.for_each_term(&sums, |row, lane, _, _| {
                assert!(row < layout.rows && places.insert((row, lane)));
                of_sum[owners[lane]] += 1;
            });
            assert_eq!(of_sum, counts);
        }
    }
}
