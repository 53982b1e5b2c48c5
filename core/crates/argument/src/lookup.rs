//! The prover's first two rounds: digits and their multiplicities, then the inverses and the running sum.

use curve::{G1, G1Affine, Scalar, linear_combination};
use zeroize::Zeroizing;

use crate::commitment::encode;
use crate::error::ArgumentError;
use crate::polynomial::Blinded;
use crate::proof::EncodedPoint;
use crate::prover::{Folded, Prover};
use crate::public_vectors::TABLE_SIZE;
use crate::randomness::Blinders;
use crate::setup::Basis;

/// Blinding coefficients as section 4 counts them: each polynomial is seen at one point less.
const COLUMN_BLINDERS: usize = 2;
const ACCUMULATOR_BLINDERS: usize = 4;

/// From this length on, adding the points of equal digits first is cheaper than multiplying each.
const LONG_COLUMN: usize = 1024;

/// d_j and m.
pub(crate) struct Lookup {
    pub(crate) digits: Vec<Blinded>,
    pub(crate) multiplicities: Blinded,
    pub(crate) digit_points: Vec<EncodedPoint>,
    pub(crate) multiplicity_point: EncodedPoint,
}

impl Lookup {
    pub(crate) fn commit(prover: &Prover<'_>, blinders: &mut Blinders) -> Result<Self, ArgumentError> {
        let mut counts = Zeroizing::new(vec![0; prover.statement.n()]);
        for digit in prover.digits.iter().flatten() {
            counts[usize::from(*digit)] += 1;
        }
        let multiplicities = small(counts.iter().copied(), blinders);
        let column = |column: &Vec<u8>| small(column.iter().map(|digit| u64::from(*digit)), blinders);
        let digits: Vec<Blinded> = prover.digits.iter().map(column).collect();
        let polynomials: Vec<_> = digits.iter().chain([&multiplicities]).collect();
        let mut digit_points = prover.commit_each(&polynomials)?;
        let multiplicity_point = digit_points.pop().expect("one point per polynomial");
        Ok(Self { digits, multiplicities, digit_points, multiplicity_point })
    }
}

fn small(integers: impl Iterator<Item = u64>, blinders: &mut Blinders) -> Blinded {
    Blinded::hidden(integers.map(Scalar::from).collect(), COLUMN_BLINDERS, blinders)
}

/// φ_j, φ_T and acc.
pub(crate) struct Sums {
    pub(crate) inverses: Vec<Blinded>,
    pub(crate) table_inverse: Blinded,
    pub(crate) accumulator: Blinded,
    pub(crate) inverse_points: Vec<EncodedPoint>,
    pub(crate) table_inverse_point: EncodedPoint,
    pub(crate) accumulator_point: EncodedPoint,
}

impl Sums {
    pub(crate) fn commit(
        prover: &Prover<'_>,
        lookup: &Lookup,
        folded: &Folded,
        blinders: &mut Blinders,
    ) -> Result<Self, ArgumentError> {
        let mut inverses = Vec::with_capacity(prover.digits.len());
        for column in prover.digits {
            let values = column.iter().map(|digit| folded.inverse_table[usize::from(*digit)]).collect();
            inverses.push(Blinded::hidden(values, COLUMN_BLINDERS, blinders));
        }
        let mut quotients = vec![Scalar::ZERO; prover.statement.n()];
        for (value, (count, inverse)) in
            quotients.iter_mut().zip(lookup.multiplicities.values.iter().zip(folded.inverse_table.iter()))
        {
            *value = *count * *inverse;
        }
        let table_inverse = Blinded::hidden(quotients, COLUMN_BLINDERS, blinders);
        let running = running_sum(prover, lookup, folded, &inverses, &table_inverse);
        let accumulator = Blinded::hidden(running, ACCUMULATOR_BLINDERS, blinders);
        let points = Self::points(prover, folded, &inverses, [&table_inverse, &accumulator])?;
        let (inverse_points, &[table_inverse_point, accumulator_point]) =
            points.split_last_chunk().expect("two points more than columns");
        Ok(Self {
            inverse_points: inverse_points.to_vec(),
            table_inverse_point,
            accumulator_point,
            inverses,
            table_inverse,
            accumulator,
        })
    }

    /// The commitments to each φ_j, then to the others. φ_j is committed to as 1/β plus φ_j − 1/β: the digit 0, which is
    /// the most frequent one, costs nothing.
    fn points(
        prover: &Prover<'_>,
        folded: &Folded,
        inverses: &[Blinded],
        others: [&Blinded; 2],
    ) -> Result<Vec<EncodedPoint>, ArgumentError> {
        let at_zero = folded.inverse_table[0];
        let commit = |share: &[&Blinded]| Ok(Blinded::commit_each(share, prover.basis));
        let mut points: Vec<G1> = if prover.statement.n() < LONG_COLUMN {
            let mut rests = inverses.to_vec();
            rests.iter_mut().for_each(|rest| rest.add_constant(-at_zero));
            let all: Vec<&Blinded> = rests.iter().chain(others).collect();
            prover.crew.each_share(&all, commit)?
        } else {
            let columns = inverses.iter().zip(prover.digits).collect();
            let group = |(inverse, column): (&_, &Vec<u8>)| {
                Ok(commit_groups(prover.basis, column, &folded.inverse_table, inverse))
            };
            [prover.crew.each(columns, group)?, prover.crew.each_share(&others, commit)?].concat()
        };
        let constant = G1Affine::generator().multiply_secret(&at_zero);
        for point in &mut points[..inverses.len()] {
            *point += constant;
        }
        points.iter().map(encode).collect()
    }
}

/// In long columns the Lagrange points of equal digits are added first, so that at most 255 are multiplied.
fn commit_groups(basis: &Basis, column: &[u8], inverse_table: &[Scalar], polynomial: &Blinded) -> G1 {
    let at_zero = inverse_table[0];
    let mut points = Vec::with_capacity(TABLE_SIZE);
    let mut factors = Zeroizing::new(Vec::with_capacity(TABLE_SIZE));
    for (sum, inverse) in basis.table().sum_by_digit(column).into_iter().zip(inverse_table) {
        if let Some(sum) = sum {
            points.push(sum);
            factors.push(*inverse - at_zero);
        }
    }
    linear_combination(&points, &factors) + polynomial.commit_tail(basis)
}

/// acc on H: the running sum from 0 of Σφ_j − φ_T + α(ΣP_j·d_j − ΣU_k·a_k) − κ.
fn running_sum(
    prover: &Prover<'_>,
    lookup: &Lookup,
    folded: &Folded,
    inverses: &[Blinded],
    table_inverse: &Blinded,
) -> Vec<Scalar> {
    let mut sum = Scalar::ZERO;
    let step = |index: usize| {
        let weighted = |vectors: &[Vec<Scalar>], polynomials: &[Blinded]| -> Scalar {
            let pairs = vectors.iter().zip(polynomials);
            pairs.map(|(vector, polynomial)| vector[index] * polynomial.values[index]).sum()
        };
        let digits = weighted(&folded.public.places, &lookup.digits);
        let entries = weighted(&folded.public.weights, &prover.vectors);
        let fractions: Scalar = inverses.iter().map(|inverse| inverse.values[index]).sum();
        let before = sum;
        sum += fractions - table_inverse.values[index] + folded.alpha * (digits - entries) - folded.kappa;
        before
    };
    (0..prover.statement.n()).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Setup;

    #[test]
    fn grouped_points_give_the_same_commitment() {
        let n = LONG_COLUMN;
        let basis = Setup::global().unwrap().basis(n);
        // Digits that are frequent, rare and absent.
        let column: Vec<u8> = (0..n).map(|at| if at % 3 == 0 { 0 } else { (at * at % 251) as u8 }).collect();
        let inverse_table: Vec<Scalar> = Scalar::from(7).powers(TABLE_SIZE);
        let values = column.iter().map(|digit| inverse_table[usize::from(*digit)] - inverse_table[0]).collect();
        let polynomial = Blinded::new(values, &[Scalar::from(5), -Scalar::one()]);
        assert!(commit_groups(basis, &column, &inverse_table, &polynomial) == polynomial.commit(basis));
    }
}
