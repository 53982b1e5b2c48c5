//! What both sides know: the table t, the folded weights U_k, the digit places P_j and κ.

use curve::{Domain, Scalar, WideSum};

use crate::statement::{MAX_DIGITS, Statement};

/// Digits lie in [0, 256): the table holds i at i < 256 and 0 elsewhere.
pub(crate) const TABLE_SIZE: usize = 256;

/// The public vectors, folded with γ.
pub(crate) struct PublicVectors {
    /// U_k, for every vector.
    pub(crate) weights: Vec<Vec<Scalar>>,
    /// P_j, for every digit column.
    pub(crate) places: Vec<Vec<Scalar>>,
}

impl PublicVectors {
    /// `row_powers` are the γ^s.
    pub(crate) fn fold(statement: &Statement, row_powers: &[Scalar]) -> Self {
        let mut sums = vec![vec![WideSum::default(); statement.n()]; statement.vectors()];
        for (row, power) in row_powers.iter().enumerate() {
            for weights in statement.weights().row(row) {
                let signed = if weights.negative { -*power } else { *power };
                for (index, magnitude) in weights.terms() {
                    sums[weights.vector][index].add(magnitude, &signed);
                }
            }
        }
        let weights = sums.iter().map(|vector| vector.iter().map(WideSum::reduce).collect()).collect();
        Self { weights, places: places(statement, row_powers) }
    }
}

fn places(statement: &Statement, row_powers: &[Scalar]) -> Vec<Vec<Scalar>> {
    let base = Scalar::from(TABLE_SIZE as u64);
    let mut places = vec![vec![Scalar::ZERO; statement.n()]; statement.columns()];
    let mut place = Scalar::ZERO;
    for run in statement.digit_runs() {
        if run.first_digit == 0 {
            place = row_powers[run.row];
        }
        for cell in &mut places[run.column][run.start..run.start + run.length] {
            *cell = place;
            place *= base;
        }
    }
    places
}

/// The table t.
pub(crate) fn table(n: usize) -> Vec<Scalar> {
    (0..n).map(|index| if index < TABLE_SIZE { Scalar::from(index as u64) } else { Scalar::ZERO }).collect()
}

/// κ = α · (Σ γ^s b_s)/n.
pub(crate) fn kappa(statement: &Statement, domain: &Domain, alpha: Scalar, row_powers: &[Scalar]) -> Scalar {
    let constants = statement.heads().iter().zip(row_powers);
    let sum: Scalar = constants.map(|(head, power)| head.residue * *power).sum();
    alpha * sum * domain.size_inverse()
}

/// The public vectors at z.
pub(crate) struct PublicEvaluations {
    /// t(z).
    pub(crate) table: Scalar,
    /// U_k(z).
    pub(crate) weights: Vec<Scalar>,
    /// P_j(z).
    pub(crate) places: Vec<Scalar>,
}

impl PublicEvaluations {
    /// `row_powers` are the γ^s, `lagrange` the L_i(z).
    pub(crate) fn new(statement: &Statement, row_powers: &[Scalar], lagrange: &[Scalar]) -> Self {
        let mut weights = vec![Scalar::ZERO; statement.vectors()];
        for (row, power) in row_powers.iter().enumerate() {
            for part in statement.weights().row(row) {
                weights[part.vector] += *power * part.sum(lagrange);
            }
        }
        let bases = Scalar::from(TABLE_SIZE as u64).powers(MAX_DIGITS);
        let mut places = vec![Scalar::ZERO; statement.columns()];
        for run in statement.digit_runs() {
            places[run.column] += row_powers[run.row] * bases[run.first_digit] * run.sum(lagrange);
        }
        let table = WideSum::of((0..TABLE_SIZE as u64).zip(lagrange)).reduce();
        Self { table, weights, places }
    }
}
