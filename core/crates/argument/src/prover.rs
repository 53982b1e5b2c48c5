//! Section 4: the prover, round by round.

use curve::{Domain, Scalar, batch_invert};
use getrandom::SysRng;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::commitment::{Opening, encode};
use crate::effort::{Crew, Effort};
use crate::error::ArgumentError;
use crate::evaluation_point::EvaluationPoint;
use crate::lookup::{Lookup, Sums};
use crate::polynomial::Blinded;
use crate::proof::{EncodedPoint, ProofBytes};
use crate::public_vectors::{PublicEvaluations, PublicVectors, TABLE_SIZE, kappa, table};
use crate::quotient::Numerator;
use crate::randomness::Blinders;
use crate::setup::{Basis, Setup};
use crate::statement::Statement;
use crate::transcript::Transcript;
use crate::verifier;
use crate::witness::digit_columns;

/// Proves a statement for openings (inputs, then auxiliary) and checks the proof before it is released.
///
/// Blinders come from the operating system's randomness mixed with all arguments: see [`crate::randomness`].
///
/// # Errors
/// `OPENING_COUNT`, `ENTRY_RANGE`, `ROW_NOT_SATISFIED` with the row, `RANDOMNESS_UNAVAILABLE`; nothing has left the
/// prover then.
pub fn prove(
    setup: &Setup,
    statement: &Statement,
    openings: &[&Opening],
    context: &[u8],
) -> Result<Vec<u8>, ArgumentError> {
    prove_with(setup, statement, openings, context, &Effort::default())
}

/// As [`prove`], with a limit of threads and reports of progress; the proof does not depend on either.
///
/// # Errors
/// As [`prove`], and `CANCELLED`.
pub fn prove_with(
    setup: &Setup,
    statement: &Statement,
    openings: &[&Opening],
    context: &[u8],
    effort: &Effort<'_>,
) -> Result<Vec<u8>, ArgumentError> {
    prove_from(setup, statement, openings, context, effort, &mut SysRng)
}

/// As [`prove`], with a seed in place of the operating system's randomness: the same proof in every run.
///
/// # Errors
/// As [`prove`].
#[cfg(feature = "seeded")]
pub fn prove_seeded(
    setup: &Setup,
    statement: &Statement,
    openings: &[&Opening],
    context: &[u8],
    effort: &Effort<'_>,
    seed: [u8; 32],
) -> Result<Vec<u8>, ArgumentError> {
    let mut source = <chacha20::ChaCha20Rng as rand_core::SeedableRng>::from_seed(seed);
    prove_from(setup, statement, openings, context, effort, &mut source)
}

fn prove_from<S: TryCryptoRng + ?Sized>(
    setup: &Setup,
    statement: &Statement,
    openings: &[&Opening],
    context: &[u8],
    effort: &Effort<'_>,
    source: &mut S,
) -> Result<Vec<u8>, ArgumentError> {
    let digits = digit_columns(statement, openings)?;
    let crew = effort.crew(statement.n() >= LARGE, steps(statement));
    let commitments: Vec<EncodedPoint> = crew.each(openings.to_vec(), |opening| opening.commitment(setup))?;
    let prover = Prover {
        crew: &crew,
        statement,
        domain: setup.domain(statement.n()),
        basis: setup.basis(statement.n()),
        vectors: openings.iter().map(|opening| polynomial(opening)).collect(),
        digits: &digits,
    };
    let mut blinders = Blinders::for_proof(source, statement, openings, context)?;
    let proof = repeat_until_some(|| prover.attempt(&commitments, context, &mut blinders))?;
    crew.one(|| release(setup, statement, &commitments[..statement.inputs()], context, proof.join()))
}

/// How many steps proving has: a commitment for each vector, d_j and φ_j twice and m, φ_T, acc, the products of N, what
/// enters N at X and at ωX, q, both openings and the check of the proof.
fn steps(statement: &Statement) -> usize {
    let (vectors, columns) = (statement.vectors(), statement.columns());
    vectors + (columns + 1) + (columns + 2) + (columns + vectors + 3) + 1 + 2 + 1
}

/// A challenge at a forbidden place, which never happens in practice, starts the prover again.
fn repeat_until_some<T>(mut attempt: impl FnMut() -> Result<Option<T>, ArgumentError>) -> Result<T, ArgumentError> {
    loop {
        if let Some(found) = attempt()? {
            return Ok(found);
        }
    }
}

/// Lets a proof out only if the verifier accepts it: a fault on the way must not leak what it went wrong about.
fn release(
    setup: &Setup,
    statement: &Statement,
    inputs: &[EncodedPoint],
    context: &[u8],
    proof: Vec<u8>,
) -> Result<Vec<u8>, ArgumentError> {
    verifier::verify(setup, statement, inputs, context, &proof)?;
    Ok(proof)
}

/// A committed vector as the polynomial A_k.
fn polynomial(opening: &Opening) -> Blinded {
    let residue = |value: &crate::Integer| if value.is_zero() { Scalar::ZERO } else { value.to_scalar() };
    Blinded::new(opening.values().iter().map(residue).collect(), core::slice::from_ref(opening.blinding()))
}

/// From this n on, proving is worth more than one thread.
const LARGE: usize = 1024;

/// What all rounds need.
pub(crate) struct Prover<'a> {
    pub(crate) crew: &'a Crew<'a>,
    pub(crate) statement: &'a Statement,
    pub(crate) domain: &'a Domain,
    pub(crate) basis: &'a Basis,
    pub(crate) vectors: Vec<Blinded>,
    pub(crate) digits: &'a [Vec<u8>],
}

/// What β, γ, α fix.
pub(crate) struct Folded {
    pub(crate) beta: Scalar,
    /// γ^s for every row.
    pub(crate) row_powers: Vec<Scalar>,
    pub(crate) alpha: Scalar,
    pub(crate) kappa: Scalar,
    pub(crate) public: PublicVectors,
    /// 1/(β − i) for i < 256.
    pub(crate) inverse_table: Zeroizing<Vec<Scalar>>,
}

/// What z fixes: the evaluations that are sent.
struct Evaluated<'a> {
    at_z: EvaluationPoint<'a>,
    at_next: EvaluationPoint<'a>,
    digits: Vec<Scalar>,
    accumulator: Scalar,
}

impl Prover<'_> {
    /// One run through the rounds; nothing if a challenge fell on a forbidden place.
    fn attempt(
        &self,
        commitments: &[EncodedPoint],
        context: &[u8],
        blinders: &mut Blinders,
    ) -> Result<Option<ProofBytes>, ArgumentError> {
        let mut transcript = Transcript::new(self.statement.digest(), context);
        let lookup = Lookup::commit(self, blinders)?;
        let challenges = transcript.lookup_round(commitments, &lookup.digit_points, &lookup.multiplicity_point);
        let Some(folded) = self.fold(challenges) else { return Ok(None) };
        let sums = Sums::commit(self, &lookup, &folded, blinders)?;
        let y = transcript.sum_round(&sums.inverse_points, &sums.table_inverse_point, &sums.accumulator_point);
        let quotient = self.quotient(&lookup, &sums, &folded, y)?;
        let quotient_point = self.crew.one(|| encode(&quotient.commit(self.basis)))?;
        let z = transcript.quotient_round(&quotient_point);
        let Some(evaluated) = self.evaluate(&lookup, &sums, z) else { return Ok(None) };
        let digit_evaluations: Vec<_> = evaluated.digits.iter().map(Scalar::to_be_bytes).collect();
        let accumulator_evaluation = evaluated.accumulator.to_be_bytes();
        let v = transcript.evaluation_round(&digit_evaluations, &accumulator_evaluation);
        let opening_at_z = self.open_at_z(&lookup, &sums, &folded, &quotient, &evaluated, (y, v));
        let openings = self.commit_each(&[&opening_at_z, &open_at_next(&sums, &evaluated)])?;
        Ok(Some(ProofBytes {
            auxiliary: commitments[self.statement.inputs()..].to_vec(),
            digits: lookup.digit_points,
            multiplicities: lookup.multiplicity_point,
            inverses: sums.inverse_points,
            table_inverse: sums.table_inverse_point,
            accumulator: sums.accumulator_point,
            quotient: quotient_point,
            digit_evaluations,
            accumulator_evaluation,
            opening_at_z: openings[0],
            opening_at_next: openings[1],
        }))
    }

    /// The commitments to several polynomials.
    pub(crate) fn commit_each(&self, polynomials: &[&Blinded]) -> Result<Vec<EncodedPoint>, ArgumentError> {
        self.crew.each_share(polynomials, |share| Blinded::commit_each(share, self.basis).iter().map(encode).collect())
    }

    /// Nothing if β lies in the table.
    fn fold(&self, (beta, gamma, alpha): (Scalar, Scalar, Scalar)) -> Option<Folded> {
        let row_powers = gamma.powers(self.statement.row_count());
        Some(Folded {
            beta,
            alpha,
            kappa: kappa(self.statement, self.domain, alpha, &row_powers),
            public: PublicVectors::fold(self.statement, &row_powers),
            inverse_table: inverse_table(beta)?,
            row_powers,
        })
    }

    /// q = N/Z_H with N as in section 4, its terms gathered into products, what enters at X and what enters at ωX.
    fn quotient(&self, lookup: &Lookup, sums: &Sums, folded: &Folded, y: Scalar) -> Result<Blinded, ArgumentError> {
        let n = self.statement.n();
        let columns = self.statement.columns();
        let powers = y.powers(columns + 2);
        let (y_table, y_sum) = (powers[columns], powers[columns + 1]);
        let table = Blinded::plain(table(n));
        let places: Vec<Blinded> = folded.public.places.iter().cloned().map(Blinded::plain).collect();
        let weights: Vec<Blinded> = folded.public.weights.iter().cloned().map(Blinded::plain).collect();

        let mut products = Vec::with_capacity(1 + columns + weights.len());
        products.push((&table, scaled(-y_table, &sums.table_inverse)));
        let mut linear = scaled(y_table * folded.beta + y_sum, &sums.table_inverse);
        linear.add_scaled(-y_table, &lookup.multiplicities);
        linear.add_scaled(-y_sum, &sums.accumulator);
        linear.add_constant(y_sum * folded.kappa);
        for (j, digits) in lookup.digits.iter().enumerate() {
            let mut factor = scaled(-powers[j], &sums.inverses[j]);
            factor.add_scaled(-(y_sum * folded.alpha), &places[j]);
            products.push((digits, factor));
            linear.add_scaled(powers[j] * folded.beta - y_sum, &sums.inverses[j]);
            linear.add_constant(-powers[j]);
        }
        for (weight, vector) in weights.iter().zip(&self.vectors) {
            products.push((weight, scaled(y_sum * folded.alpha, vector)));
        }
        Numerator { products, linear, shifted: scaled(y_sum, &sums.accumulator) }.quotient(self.domain, self.crew)
    }

    /// Nothing if z lies in H.
    fn evaluate(&self, lookup: &Lookup, sums: &Sums, z: Scalar) -> Option<Evaluated<'_>> {
        let at_z = EvaluationPoint::new(self.domain, z)?;
        let at_next = at_z.next();
        let digits = lookup.digits.iter().map(|column| column.evaluate(&at_z)).collect();
        let accumulator = sums.accumulator.evaluate(&at_next);
        Some(Evaluated { at_z, at_next, digits, accumulator })
    }

    /// (R(X) + Σ v^(j+1)·(d_j − d_j(z)))/(X − z).
    fn open_at_z(
        &self,
        lookup: &Lookup,
        sums: &Sums,
        folded: &Folded,
        quotient: &Blinded,
        evaluated: &Evaluated<'_>,
        (y, v): (Scalar, Scalar),
    ) -> Blinded {
        let columns = self.statement.columns();
        let (y_powers, v_powers) = (y.powers(columns + 2), v.powers(columns + 1));
        let (y_table, y_sum) = (y_powers[columns], y_powers[columns + 1]);
        let public = PublicEvaluations::new(self.statement, &folded.row_powers, &evaluated.at_z.lagrange);
        let mut constant = y_sum * (evaluated.accumulator + folded.kappa);
        let mut sum = Blinded::zero(self.statement.n());
        for (j, digit) in evaluated.digits.iter().enumerate() {
            sum.add_scaled(y_powers[j] * (folded.beta - *digit) - y_sum, &sums.inverses[j]);
            sum.add_scaled(v_powers[j + 1], &lookup.digits[j]);
            constant -= y_powers[j] + (v_powers[j + 1] + y_sum * folded.alpha * public.places[j]) * *digit;
        }
        sum.add_scaled(y_table * (folded.beta - public.table) + y_sum, &sums.table_inverse);
        sum.add_scaled(-y_table, &lookup.multiplicities);
        sum.add_scaled(-y_sum, &sums.accumulator);
        sum.add_scaled(-evaluated.at_z.vanishing, quotient);
        for (weight, vector) in public.weights.iter().zip(&self.vectors) {
            sum.add_scaled(y_sum * folded.alpha * *weight, vector);
        }
        sum.add_constant(constant);
        sum.divide_by_root(&evaluated.at_z)
    }
}

/// (acc − acc(ωz))/(X − ωz).
fn open_at_next(sums: &Sums, evaluated: &Evaluated<'_>) -> Blinded {
    let mut accumulator = sums.accumulator.clone();
    accumulator.add_constant(-evaluated.accumulator);
    accumulator.divide_by_root(&evaluated.at_next)
}

fn scaled(factor: Scalar, polynomial: &Blinded) -> Blinded {
    let mut product = Blinded::zero(polynomial.values.len());
    product.add_scaled(factor, polynomial);
    product
}

/// 1/(β − i) for i < 256; nothing if β is one of these i.
fn inverse_table(beta: Scalar) -> Option<Zeroizing<Vec<Scalar>>> {
    let differences = (0..TABLE_SIZE as u64).map(|digit| beta - Scalar::from(digit));
    let mut differences: Zeroizing<Vec<Scalar>> = Zeroizing::new(differences.collect());
    batch_invert(&mut differences).then_some(differences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Integer, Row};

    fn statement() -> Statement {
        let row = Row { bits: 8, constant: Integer::ZERO, weights: vec![vec![(0, 1)]] };
        Statement::new(256, 1, 1, vec![row]).unwrap()
    }

    #[test]
    fn a_proof_with_a_fault_is_not_released() {
        let setup = Setup::global().unwrap();
        let statement = statement();
        let opening = Opening::new(256, [(0, Integer::from(7))], &[1; 32]).unwrap();
        let commitment = opening.commitment(setup).unwrap();
        let mut proof = vec![0; statement.proof_length()];
        for chunk in proof.chunks_mut(commitment.len()) {
            chunk.copy_from_slice(&commitment[..chunk.len()]);
        }
        let error = release(setup, &statement, &[commitment], b"", proof).unwrap_err();
        assert_ne!(error.code, Code::ProofLength);
    }

    #[test]
    fn a_proof_that_is_started_again_takes_fresh_blinders() {
        let statement = statement();
        let opening = Opening::new(256, [(0, Integer::from(7))], &[1; 32]).unwrap();
        let mut blinders = Blinders::for_proof(&mut SysRng, &statement, &[&opening], b"").unwrap();
        let mut drawn = Vec::new();
        let released = repeat_until_some(|| {
            drawn.push(blinders.draw().to_be_bytes());
            Ok((drawn.len() == 3).then_some(drawn.len()))
        });
        assert_eq!(released, Ok(3));
        assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2]);
    }

    #[test]
    fn every_polynomial_has_the_blinders_that_its_evaluations_need() {
        let (setup, statement) = (Setup::global().unwrap(), statement());
        let opening = Opening::new(256, [(0, Integer::from(7))], &[1; 32]).unwrap();
        let digits = digit_columns(&statement, &[&opening]).unwrap();
        let crew = Effort::default().crew(false, 1);
        let prover = Prover {
            crew: &crew,
            statement: &statement,
            domain: setup.domain(256),
            basis: setup.basis(256),
            vectors: vec![polynomial(&opening)],
            digits: &digits,
        };
        let mut blinders = Blinders::for_proof(&mut SysRng, &statement, &[&opening], b"").unwrap();
        let lookup = Lookup::commit(&prover, &mut blinders).unwrap();
        let folded = prover.fold((Scalar::from(300), Scalar::from(3), Scalar::from(5))).unwrap();
        let sums = Sums::commit(&prover, &lookup, &folded, &mut blinders).unwrap();
        let hidden =
            [&lookup.digits[0], &lookup.multiplicities, &sums.inverses[0], &sums.table_inverse, &sums.accumulator];
        let drawn: Vec<_> = hidden.map(|polynomial| polynomial.tail.to_vec()).concat();
        let count = |polynomial: &Blinded| polynomial.tail.iter().filter(|blinder| !blinder.is_zero()).count();
        // The table of section 7.3: evaluations seen, and at least as many blinders.
        assert_eq!(hidden.map(count), [2, 2, 2, 2, 4]);
        let distinct: std::collections::BTreeSet<_> = drawn.iter().map(Scalar::to_be_bytes).collect();
        assert_eq!(distinct.len(), 12 + 1);
    }

    #[test]
    fn a_challenge_inside_the_table_starts_the_prover_again() {
        assert!(inverse_table(Scalar::from(255)).is_none());
        assert!(inverse_table(Scalar::from(256)).is_some());
    }
}
