//! The weights of all rows in flat storage, in the order in which sums are made of them.

use curve::{Scalar, WideSum};

use crate::statement::Row;

/// Rows without their zeros. Immutable: verifications on any number of threads read the same one.
#[derive(Debug, Default)]
pub(crate) struct SparseRows {
    /// For every row, how many segments it and the rows before it have.
    row_ends: Vec<usize>,
    segments: Vec<Segment>,
    indices: Vec<u16>,
    magnitudes: Vec<u64>,
}

/// The weights of one sign in one row and vector.
#[derive(Debug)]
struct Segment {
    vector: usize,
    negative: bool,
    /// How many weights this segment and those before it have.
    end: usize,
}

impl SparseRows {
    /// Takes rows whose form was checked: indices below n ≤ 2048, 0 < |weight| < 2^64.
    pub(crate) fn new(rows: &[Row]) -> Self {
        let mut sparse = Self::default();
        for row in rows {
            for (vector, terms) in row.weights.iter().enumerate() {
                // Signs are kept apart, so that a sum of products needs none.
                for negative in [false, true] {
                    sparse.push(vector, negative, terms.iter().filter(|(_, weight)| (*weight < 0) == negative));
                }
            }
            sparse.row_ends.push(sparse.segments.len());
        }
        sparse
    }

    fn push<'a>(&mut self, vector: usize, negative: bool, terms: impl Iterator<Item = &'a (u32, i128)>) {
        let begin = self.indices.len();
        for (index, weight) in terms {
            self.indices.push(u16::try_from(*index).expect("indices lie below n"));
            self.magnitudes.push(u64::try_from(weight.unsigned_abs()).expect("weights lie below 2^64"));
        }
        let end = self.indices.len();
        if end > begin {
            self.segments.push(Segment { vector, negative, end });
        }
    }

    /// The weights of one row that are not zero.
    pub(crate) fn row(&self, number: usize) -> impl Iterator<Item = Weights<'_>> {
        let begin = number.checked_sub(1).map_or(0, |before| self.row_ends[before]);
        (begin..self.row_ends[number]).map(|segment| self.weights(segment))
    }

    fn weights(&self, number: usize) -> Weights<'_> {
        let Segment { vector, negative, end } = self.segments[number];
        let begin = number.checked_sub(1).map_or(0, |before| self.segments[before].end);
        Weights { vector, negative, indices: &self.indices[begin..end], magnitudes: &self.magnitudes[begin..end] }
    }
}

/// Weights of one row, vector and sign.
pub(crate) struct Weights<'a> {
    pub(crate) vector: usize,
    pub(crate) negative: bool,
    indices: &'a [u16],
    magnitudes: &'a [u64],
}

impl Weights<'_> {
    /// Pairs of index and |weight|.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (usize, u64)> {
        self.indices.iter().zip(self.magnitudes).map(|(index, magnitude)| (usize::from(*index), *magnitude))
    }

    /// Σ weight · element, its sign included.
    pub(crate) fn sum(&self, elements: &[Scalar]) -> Scalar {
        let sum = WideSum::of(self.terms().map(|(index, magnitude)| (magnitude, &elements[index]))).reduce();
        if self.negative { -sum } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Integer;

    fn row(weights: Vec<Vec<(u32, i128)>>) -> Row {
        Row { bits: 8, constant: Integer::ZERO, weights }
    }

    #[test]
    fn only_weights_are_stored_and_every_row_finds_its_own() {
        let most = i128::from(u64::MAX);
        let rows = [row(vec![vec![], vec![]]), row(vec![vec![], vec![(0, -3), (5, most), (2047, -most)]])];
        let sparse = SparseRows::new(&rows);
        assert_eq!(sparse.row(0).count(), 0);
        let found: Vec<_> = sparse.row(1).map(|run| (run.vector, run.negative, run.terms().collect())).collect();
        let expected: [(_, _, Vec<_>); 2] =
            [(1, false, vec![(5, u64::MAX)]), (1, true, vec![(0, 3), (2047, u64::MAX)])];
        assert_eq!(found, expected);
        assert_eq!((sparse.segments.len(), sparse.indices.len()), (2, 3));
    }
}
