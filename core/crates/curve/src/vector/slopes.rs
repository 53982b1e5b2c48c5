//! Affine additions, eight at a time, that share one inversion.
//!
//! Equal and opposite points may meet: equal ones get the slope of the tangent, opposite ones are told to the caller.

use super::field::Fp8;
use super::inversion::inverted;
use super::lanes::prefetch;
use super::modulus::LANES;
use super::point::Affine8;
use super::stored::Stored;

/// How many vectors ahead points are fetched: tables do not fit into the nearest cache.
const AHEAD: usize = 2;

/// Entries of two points to be added.
pub(super) type Pair = [u32; 2];

/// What the slopes of many additions are divided by, inverted together.
pub(super) struct Slopes {
    /// For each vector of pairs, the product of the divisors of all later ones.
    products: Vec<Fp8>,
    /// 1 over the product of the divisors not used yet.
    inverse: Fp8,
    /// The last ones first, as they are found.
    meetings: Vec<Meeting>,
    next: usize,
    /// Pairs of opposite points so far, by their number.
    pub(super) cancelled: Vec<u32>,
}

/// Pairs whose points have the same x: in which lanes of which vector.
struct Meeting {
    vector: usize,
    lanes: u8,
}

impl Slopes {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new() -> Self {
        Self { products: Vec::new(), inverse: Fp8::one(), meetings: Vec::new(), next: 0, cancelled: Vec::new() }
    }

    /// Multiplies the divisors of all pairs, from the last to the first, and inverts the product.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn prepare<S: Stored>(&mut self, points: &[S], pairs: &[Pair]) {
        self.next = 0;
        self.cancelled.clear();
        let mut product = self.multiply(pairs, |vector, _| {
            fetch_abscissas(points, pairs, vector.wrapping_sub(AHEAD));
            differences(points, pairs, vector)
        });
        // Points of equal x are rare: only a product of 0 sends for them.
        if product.zeros() != 0 {
            product = self.multiply(pairs, |vector, meetings| {
                let differences = differences(points, pairs, vector);
                let lanes = differences.zeros();
                if lanes == 0 {
                    return differences;
                }
                meetings.push(Meeting { vector, lanes });
                let [first, second] = columns(pairs, vector).map(|entries| Affine8::load(entries, points));
                with_tangents(&differences, &first.y.add(&second.y), lanes).0
            });
        }
        self.inverse = inverted(&product);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply(&mut self, pairs: &[Pair], divisors: impl Fn(usize, &mut Vec<Meeting>) -> Fp8) -> Fp8 {
        self.products.clear();
        let mut product = Fp8::one();
        for vector in (0..pairs.len().div_ceil(LANES)).rev() {
            self.products.push(product);
            product = product.mul(&divisors(vector, &mut self.meetings));
        }
        product
    }

    /// The sums of the next vector of pairs. Lanes of opposite points hold no point; they are noted as cancelled.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn next_sums<S: Stored>(&mut self, points: &[S], pairs: &[Pair]) -> Affine8 {
        let vector = self.next;
        self.next += 1;
        fetch_points(points, pairs, vector + AHEAD);
        let [first, second] = columns(pairs, vector).map(|entries| Affine8::load(entries, points));
        let (mut divisor, mut dividend) = (second.x.sub(&first.x), second.y.sub(&first.y));
        if let Some(meeting) = self.meetings.pop_if(|meeting| meeting.vector == vector) {
            let opposite;
            (divisor, opposite) = with_tangents(&divisor, &first.y.add(&second.y), meeting.lanes);
            let square = first.x.square();
            dividend = Fp8::select(meeting.lanes, &dividend, &square.add(&square).add(&square));
            let numbers = vector * LANES..pairs.len().min((vector + 1) * LANES);
            self.cancelled.extend(numbers.filter(|pair| opposite >> (pair % LANES) & 1 == 1).map(|pair| pair as u32));
        }
        let reciprocal = self.inverse.mul(&self.products.pop().expect("one for each vector"));
        self.inverse = self.inverse.mul(&divisor);
        let slope = dividend.mul(&reciprocal);
        let x = slope.square().sub(&first.x.add(&second.x)).reduced();
        let y = slope.mul(&first.x.sub(&x)).sub(&first.y).reduced();
        Affine8 { x, y }
    }
}

/// x₂ − x₁.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn differences<S: Stored>(points: &[S], pairs: &[Pair], vector: usize) -> Fp8 {
    let [first, second] =
        columns(pairs, vector).map(|entries| Fp8::load(entries.map(|entry| S::abscissa(points, entry))));
    second.sub(&first)
}

/// The first and the second entries of a vector of pairs; the last pair stands in for missing ones.
#[inline]
fn columns(pairs: &[Pair], vector: usize) -> [[u32; LANES]; 2] {
    let pair = |lane: usize| pairs[(vector * LANES + lane).min(pairs.len() - 1)];
    [core::array::from_fn(|lane| pair(lane)[0]), core::array::from_fn(|lane| pair(lane)[1])]
}

#[inline]
fn fetch_abscissas<S: Stored>(points: &[S], pairs: &[Pair], vector: usize) {
    for entry in pairs.chunks(LANES).nth(vector).into_iter().flatten().flatten() {
        prefetch(S::abscissa(points, *entry));
    }
}

#[inline]
fn fetch_points<S: Stored>(points: &[S], pairs: &[Pair], vector: usize) {
    for entry in pairs.chunks(LANES).nth(vector).into_iter().flatten().flatten() {
        prefetch(S::abscissa(points, *entry));
        prefetch(S::ordinate(points, *entry));
    }
}

/// In the lanes where points meet: y₁ + y₂, which is 2y for equal points; 1 for opposite ones, whose lanes are told.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn with_tangents(differences: &Fp8, ordinates: &Fp8, lanes: u8) -> (Fp8, u8) {
    let opposite = lanes & ordinates.zeros();
    (Fp8::select(opposite, &Fp8::select(lanes, differences, ordinates), &Fp8::one()), opposite)
}
