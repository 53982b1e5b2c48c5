//! What both sides know: the table t, the folded weights U_k, the digit places P_j and κ.

use curve::{Domain, Scalar, WideSum, batch_invert};

use crate::statement::Statement;

/// Digits lie in [0, 256): the table holds i at i < 256 and 0 elsewhere.
pub(crate) const TABLE_SIZE: usize = 256;

/// A point outside H with what evaluating there needs.
pub(crate) struct EvaluationPoint {
    /// z.
    pub(crate) point: Scalar,
    /// Z_H(z).
    pub(crate) vanishing: Scalar,
    /// 1/(ω^i − z).
    pub(crate) inverses: Vec<Scalar>,
    /// L_i(z).
    pub(crate) lagrange: Vec<Scalar>,
}

impl EvaluationPoint {
    /// Nothing when the point lies in H.
    pub(crate) fn new(domain: &Domain, point: Scalar) -> Option<Self> {
        let mut inverses: Vec<Scalar> = domain.elements().iter().map(|element| *element - point).collect();
        if !batch_invert(&mut inverses) {
            return None;
        }
        let vanishing = point.pow(domain.size() as u64) - Scalar::one();
        let factor = -vanishing * domain.size_inverse();
        let lagrange =
            domain.elements().iter().zip(&inverses).map(|(element, inverse)| factor * *element * *inverse).collect();
        Some(Self { point, vanishing, inverses, lagrange })
    }
}

/// The public vectors, folded with γ.
pub(crate) struct PublicVectors {
    /// U_k, for every vector.
    pub(crate) weights: Vec<Vec<Scalar>>,
    /// P_j, for every digit column.
    pub(crate) places: Vec<Vec<Scalar>>,
}

impl PublicVectors {
    pub(crate) fn fold(statement: &Statement, gamma: Scalar) -> Self {
        let mut sums = vec![vec![WideSum::default(); statement.n()]; statement.vectors()];
        let powers = gamma.powers(statement.rows().len());
        for (row, power) in statement.rows().iter().zip(&powers) {
            for (vector, terms) in sums.iter_mut().zip(&row.weights) {
                for (index, weight) in terms {
                    vector[*index as usize].add(*weight, power);
                }
            }
        }
        let weights = sums.iter().map(|vector| vector.iter().map(WideSum::reduce).collect()).collect();
        let mut places = vec![vec![Scalar::ZERO; statement.n()]; statement.columns()];
        for_each_place(statement, &powers, |column, index, place| places[column][index] = place);
        Self { weights, places }
    }
}

/// The table t.
pub(crate) fn table(n: usize) -> Vec<Scalar> {
    (0..n).map(|index| if index < TABLE_SIZE { Scalar::from(index as u64) } else { Scalar::ZERO }).collect()
}

/// κ = α · (Σ γ^s b_s)/n.
pub(crate) fn kappa(statement: &Statement, domain: &Domain, alpha: Scalar, gamma: Scalar) -> Scalar {
    let powers = gamma.powers(statement.rows().len());
    let sum: Scalar = statement.constants().iter().zip(powers).map(|(constant, power)| *constant * power).sum();
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
    pub(crate) fn new(statement: &Statement, gamma: Scalar, lagrange: &[Scalar]) -> Self {
        let powers = gamma.powers(statement.rows().len());
        let mut weights = vec![Scalar::ZERO; statement.vectors()];
        for (row, power) in statement.rows().iter().zip(&powers) {
            for (folded, terms) in weights.iter_mut().zip(&row.weights) {
                let mut sum = WideSum::default();
                for (index, weight) in terms {
                    sum.add(*weight, &lagrange[*index as usize]);
                }
                *folded += *power * sum.reduce();
            }
        }
        let mut places = vec![Scalar::ZERO; statement.columns()];
        for_each_place(statement, &powers, |column, index, place| places[column] += place * lagrange[index]);
        let mut table = WideSum::default();
        for (digit, value) in (0..TABLE_SIZE as i128).zip(lagrange) {
            table.add(digit, value);
        }
        Self { table: table.reduce(), weights, places }
    }
}

/// Calls `place(column, index, γ^s · 256^e)` for every digit e of every row s.
fn for_each_place(statement: &Statement, powers: &[Scalar], mut place: impl FnMut(usize, usize, Scalar)) {
    let base = Scalar::from(TABLE_SIZE as u64);
    let mut position = 0;
    for (row, power) in statement.rows().iter().zip(powers) {
        let mut factor = *power;
        for _ in 0..row.digits() {
            place(position / statement.n(), position % statement.n(), factor);
            factor *= base;
            position += 1;
        }
    }
}
