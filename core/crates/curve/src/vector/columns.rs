//! Columns of points, eight side by side, each added up in its own lane.
//!
//! A level adds the lower half of all rows to the upper half with a single inversion. Points meet in the lanes where
//! they lie: after the first loading nothing is rearranged. Equal and opposite points may meet: equal ones get the
//! slope of the tangent, opposite ones leave a gap.

use super::field::Fp8;
use super::inversion::inverted;
use super::point::Affine8;

/// Rows of eight points each, in sets of eight columns.
#[derive(Default)]
pub(super) struct Columns {
    rows: Vec<Affine8>,
    /// The lanes of each row that hold a point.
    present: Vec<u8>,
    /// Where each set of columns begins, and how many rows are left of it.
    sets: Vec<(usize, usize)>,
    /// For each pair of rows, the product of the divisors of all later ones.
    products: Vec<Fp8>,
    meetings: Vec<Meeting>,
}

/// Pairs of points with the same x: in which lanes of which pair of rows.
struct Meeting {
    pair: usize,
    lanes: u8,
}

/// Two rows to be added; the sum takes the place of the first.
type Pair = (usize, usize);

impl Columns {
    /// With room for so many rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), products: Vec::with_capacity(rows / 2), ..Self::default() }
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.present.clear();
        self.sets.clear();
    }

    /// Begins a set of columns: what is pushed from now on belongs to it.
    pub(super) fn begin_set(&mut self) {
        self.sets.push((self.rows.len(), 0));
    }

    /// Adds a row to the last set; coordinates are below 64·p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn push(&mut self, row: Affine8, present: u8) {
        self.rows.push(row);
        self.present.push(present);
        if let Some((_, rows)) = self.sets.last_mut() {
            *rows += 1;
        }
    }

    /// Adds up all columns: for each set the sums, and which lanes hold one. The others have none but gaps.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sum(&mut self) -> impl Iterator<Item = (&Affine8, u8)> {
        let mut pairs = Vec::new();
        loop {
            self.match_up(&mut pairs);
            if pairs.is_empty() {
                break;
            }
            let inverse = self.multiply_divisors(&pairs);
            self.add(&pairs, inverse);
        }
        self.sets.iter().map(|(start, _)| (&self.rows[*start], self.present[*start]))
    }

    /// The rows to be added on this level; those in the middle of an odd number wait.
    fn match_up(&mut self, pairs: &mut Vec<Pair>) {
        pairs.clear();
        for (start, rows) in &mut self.sets {
            let half = rows.div_ceil(2);
            pairs.extend((*start..*start + *rows - half).map(|row| (row, row + half)));
            *rows = half;
        }
    }

    /// Multiplies the divisors of all slopes, from the last to the first: the inverse of their product.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_divisors(&mut self, pairs: &[Pair]) -> Fp8 {
        self.products.clear();
        let mut product = Fp8::one();
        for (first, second) in pairs.iter().rev() {
            self.products.push(product);
            product = product.mul(&self.differences(*first, *second));
        }
        // Points of equal x are rare: only a product of 0 sends for them.
        if product.zeros() != 0 {
            product = self.multiply_divisors_with_tangents(pairs);
        }
        inverted(&product)
    }

    /// The same where points meet.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_divisors_with_tangents(&mut self, pairs: &[Pair]) -> Fp8 {
        self.products.clear();
        let mut product = Fp8::one();
        for (number, (first, second)) in pairs.iter().enumerate().rev() {
            let mut divisors = self.differences(*first, *second);
            let lanes = divisors.zeros();
            if lanes != 0 {
                self.meetings.push(Meeting { pair: number, lanes });
                (divisors, _) = with_tangents(&divisors, &self.rows[*first], &self.rows[*second], lanes);
            }
            self.products.push(product);
            product = product.mul(&divisors);
        }
        product
    }

    /// x₂ − x₁, and 1 where a point is missing.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn differences(&self, first: usize, second: usize) -> Fp8 {
        let differences = self.rows[second].x.sub(&self.rows[first].x);
        match self.present[first] & self.present[second] {
            u8::MAX => differences,
            both => Fp8::select(both, &Fp8::one(), &differences),
        }
    }

    /// Adds pairs of rows, from the first to the last, given the inverse of the product of all divisors.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add(&mut self, pairs: &[Pair], mut inverse: Fp8) {
        for (number, (first, second)) in pairs.iter().enumerate() {
            let (a, b) = (&self.rows[*first], &self.rows[*second]);
            let (mut divisors, mut dividends, mut opposite) = (self.differences(*first, *second), b.y.sub(&a.y), 0);
            if let Some(meeting) = self.meetings.pop_if(|meeting| meeting.pair == number) {
                (divisors, opposite) = with_tangents(&divisors, a, b, meeting.lanes);
                let square = a.x.square();
                dividends = Fp8::select(meeting.lanes, &dividends, &square.add(&square).add(&square));
            }
            let reciprocals = inverse.mul(&self.products.pop().expect("one for each pair"));
            inverse = inverse.mul(&divisors);
            let sums = a.plus(b, &dividends.mul(&reciprocals));
            let (in_first, in_second) = (self.present[*first], self.present[*second]);
            self.rows[*first] = match in_first & in_second {
                u8::MAX => sums,
                both => Affine8::select(both, &Affine8::select(in_first, b, a), &sums),
            };
            self.present[*first] = (in_first | in_second) & !opposite;
        }
    }
}

/// In the lanes where points meet: y₁ + y₂, which is 2y for equal points; 1 for opposite ones, whose lanes are told.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn with_tangents(differences: &Fp8, first: &Affine8, second: &Affine8, lanes: u8) -> (Fp8, u8) {
    let ordinates = first.y.add(&second.y);
    let opposite = lanes & ordinates.zeros();
    (Fp8::select(opposite, &Fp8::select(lanes, differences, &ordinates), &Fp8::one()), opposite)
}

impl Affine8 {
    /// The sums, given the slopes of the lines through both points.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn plus(&self, other: &Self, slopes: &Fp8) -> Self {
        let x = slopes.square().sub(&self.x.add(&other.x)).reduced();
        let y = slopes.mul(&self.x.sub(&x)).sub(&self.y).reduced();
        Self { x, y }
    }

    /// The second where a bit is set, the first elsewhere.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn select(mask: u8, unset: &Self, set: &Self) -> Self {
        Self { x: Fp8::select(mask, &unset.x, &set.x), y: Fp8::select(mask, &unset.y, &set.y) }
    }
}
