//! Where the digits of the rows lie: one row after another, cut into columns of n.

use curve::{Scalar, WideSum};

use crate::statement::DIGIT_BITS;

/// So many digits have weights 1, 256, 256², … below 2^64: sums over them need no multiplication in the field.
const DIGITS_PER_WORD: usize = 8;

/// Successive digits of one row in one column, at most eight.
#[derive(Debug)]
pub(crate) struct DigitRun {
    pub(crate) row: usize,
    pub(crate) column: usize,
    /// Where in the column the run begins.
    pub(crate) start: usize,
    /// Which digit of the row it begins with.
    pub(crate) first_digit: usize,
    pub(crate) length: usize,
}

impl DigitRun {
    /// The runs of rows that take so many digits each, in columns of length n.
    pub(crate) fn all(n: usize, digits: impl Iterator<Item = usize>) -> Vec<Self> {
        let mut runs = Vec::new();
        let mut position = 0;
        for (row, digits) in digits.enumerate() {
            let mut first_digit = 0;
            while first_digit < digits {
                let (column, start) = (position / n, position % n);
                let length = (digits - first_digit).min(DIGITS_PER_WORD).min(n - start);
                runs.push(Self { row, column, start, first_digit, length });
                first_digit += length;
                position += length;
            }
        }
        runs
    }

    /// Σ 256^e · element over the run, e counted from its first digit.
    pub(crate) fn sum(&self, column: &[Scalar]) -> Scalar {
        let elements = &column[self.start..self.start + self.length];
        let places = (0..).step_by(DIGIT_BITS as usize);
        // Elements come first: behind the last of eight there is no place left, 2^64 is no word.
        WideSum::of(elements.iter().zip(places).map(|(element, bits): (_, u32)| (1 << bits, element))).reduce()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_every_digit_once_and_end_with_row_column_and_word() {
        let digits = [1, 16, 12, 3];
        let runs = DigitRun::all(16, digits.into_iter());
        let found: Vec<_> =
            runs.iter().map(|run| (run.row, run.column, run.start, run.first_digit, run.length)).collect();
        let expected = [
            (0, 0, 0, 0, 1),
            (1, 0, 1, 0, 8),
            (1, 0, 9, 8, 7),
            (1, 1, 0, 15, 1),
            (2, 1, 1, 0, 8),
            (2, 1, 9, 8, 4),
            (3, 1, 13, 0, 3),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn eight_digits_make_one_sum() {
        let column: Vec<Scalar> = (1..=16).map(Scalar::from).collect();
        let run = DigitRun { row: 0, column: 0, start: 3, first_digit: 0, length: 8 };
        let expected: Scalar = (0..8).map(|digit| Scalar::from(256).pow(digit) * Scalar::from(digit + 4)).sum();
        assert_eq!(run.sum(&column), expected);
    }
}
