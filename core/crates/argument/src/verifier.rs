//! Section 6: the verifier, as a numbered list. The numbers are the same in the errors and in the documentation.
//!
//! 1. the statement is well-formed (true of every [`Statement`])
//! 2. one commitment per input, each a valid point
//! 3. the proof has the length that the statement fixes
//! 4. every point of the proof is canonical, on the curve, in the subgroup and not infinity
//! 5. every scalar of the proof is below r
//! 6. the challenges follow from the transcript, and z lies outside H
//! 7. the evaluations and identities fold into one point F
//! 8. e(W_z + u·W_ωz, [τ]₂) = e(F, [1]₂)

use curve::{Domain, G1, G1Affine, Scalar, linear_combinations, pairings_agree};

use crate::claim::{Claim, DecodedClaim, DecodedPoint};
use crate::error::{ArgumentError, Code};
use crate::evaluation_point::EvaluationPoint;
use crate::proof::{EncodedPoint, EncodedScalar, ProofBytes};
use crate::public_vectors::{PublicEvaluations, kappa};
use crate::setup::Setup;
use crate::statement::Statement;
use crate::transcript::{Challenges, Transcript};

/// Accepts silently, or refuses with the number of the step that failed.
///
/// `commitments` are those of the inputs, in order; `context` is everything the proof must be tied to, opaque here.
///
/// # Errors
/// Any code of the steps above, with `step` set.
pub fn verify(
    setup: &Setup,
    statement: &Statement,
    commitments: &[EncodedPoint],
    context: &[u8],
    proof: &[u8],
) -> Result<(), ArgumentError> {
    let claim = Claim { statement, commitments, context, proof };
    let decoded = DecodedClaim::decode_each(&[claim]).pop().expect("one for one");
    let equation = equation(setup, decoded)?;
    check_sums(setup, Terms::sums(&equation.left, &equation.right)).map_err(|error| error.at_step(8))
}

/// What is left of a proof after step 7: it holds iff e(left, [τ]₂) = e(right, [1]₂).
pub(crate) struct Equation {
    /// W_z + u·W_ωz.
    pub(crate) left: Terms,
    /// F.
    pub(crate) right: Terms,
    /// The transcript after u: it has absorbed everything.
    pub(crate) state: [u8; 32],
}

/// Steps 2 to 7.
pub(crate) fn equation(setup: &Setup, decoded: DecodedClaim<'_>) -> Result<Equation, ArgumentError> {
    let Claim { statement, commitments, context, .. } = decoded.claim;
    let mut points = decoded.points.into_iter();
    let inputs = judge_commitments(statement, commitments, &mut points).map_err(|error| error.at_step(2))?;
    let encoded = decoded.proof.map_err(|error| error.at_step(3))?;
    let points = ProofPoints::judge(&encoded, &mut points).map_err(|error| error.at_step(4))?;
    let scalars = ProofScalars::decode(&encoded).map_err(|error| error.at_step(5))?;
    let (drawn, state) = replay_transcript(statement, commitments, context, &encoded);
    let at_z = outside_domain(setup.domain(statement.n()), drawn.z).map_err(|error| error.at_step(6))?;
    let identity = Identity { statement, domain: setup.domain(statement.n()), drawn: &drawn, at_z: &at_z };
    let right = identity.fold(&inputs, &points, &scalars);
    let mut left = Terms::default();
    left.add(Scalar::one(), points.opening_at_z);
    left.add(drawn.u, points.opening_at_next);
    Ok(Equation { left, right, state })
}

/// The challenges of a proof of the right length, whether it would be accepted or not.
///
/// # Errors
/// `COMMITMENT_COUNT`, `PROOF_LENGTH`.
pub fn challenges(
    statement: &Statement,
    commitments: &[EncodedPoint],
    context: &[u8],
    proof: &[u8],
) -> Result<Challenges, ArgumentError> {
    check_commitment_count(statement, commitments.len()).map_err(|error| error.at_step(2))?;
    let encoded = ProofBytes::split(statement, proof).map_err(|error| error.at_step(3))?;
    let (drawn, _) = replay_transcript(statement, commitments, context, &encoded);
    Ok(drawn)
}

/// Step 2.
fn judge_commitments(
    statement: &Statement,
    commitments: &[EncodedPoint],
    points: &mut impl Iterator<Item = DecodedPoint>,
) -> Result<Vec<G1Affine>, ArgumentError> {
    check_commitment_count(statement, commitments.len())?;
    judge_points(points, commitments.len())
}

/// The first half of step 2, for callers whose commitments may be no encodings at all.
///
/// # Errors
/// `COMMITMENT_COUNT` unless there is one commitment per input.
pub fn check_commitment_count(statement: &Statement, count: usize) -> Result<(), ArgumentError> {
    if count != statement.inputs() {
        let message = format!(
            "got {count} commitments; send one for each of the {} inputs, auxiliary ones travel in the proof",
            statement.inputs()
        );
        return Err(ArgumentError::new(Code::CommitmentCount, message));
    }
    Ok(())
}

/// The points of a proof.
struct ProofPoints {
    auxiliary: Vec<G1Affine>,
    digits: Vec<G1Affine>,
    multiplicities: G1Affine,
    inverses: Vec<G1Affine>,
    table_inverse: G1Affine,
    accumulator: G1Affine,
    quotient: G1Affine,
    opening_at_z: G1Affine,
    opening_at_next: G1Affine,
}

impl ProofPoints {
    /// Step 4.
    fn judge(encoded: &ProofBytes, points: &mut impl Iterator<Item = DecodedPoint>) -> Result<Self, ArgumentError> {
        Ok(Self {
            auxiliary: judge_points(points, encoded.auxiliary.len())?,
            digits: judge_points(points, encoded.digits.len())?,
            multiplicities: judge_point(points)?,
            inverses: judge_points(points, encoded.inverses.len())?,
            table_inverse: judge_point(points)?,
            accumulator: judge_point(points)?,
            quotient: judge_point(points)?,
            opening_at_z: judge_point(points)?,
            opening_at_next: judge_point(points)?,
        })
    }
}

fn judge_points(points: &mut impl Iterator<Item = DecodedPoint>, count: usize) -> Result<Vec<G1Affine>, ArgumentError> {
    (0..count).map(|_| judge_point(points)).collect()
}

fn judge_point(points: &mut impl Iterator<Item = DecodedPoint>) -> Result<G1Affine, ArgumentError> {
    Ok(points.next().expect("every encoded point was decoded")?)
}

/// The scalars of a proof.
struct ProofScalars {
    digits: Vec<Scalar>,
    accumulator: Scalar,
}

impl ProofScalars {
    /// Step 5.
    fn decode(encoded: &ProofBytes) -> Result<Self, ArgumentError> {
        let decode = |bytes: &EncodedScalar| Scalar::from_be_bytes(bytes);
        Ok(Self {
            digits: encoded.digit_evaluations.iter().map(decode).collect::<Result<_, _>>()?,
            accumulator: decode(&encoded.accumulator_evaluation)?,
        })
    }
}

/// Step 6: the challenges, from the bytes alone, and the transcript's last state.
fn replay_transcript(
    statement: &Statement,
    commitments: &[EncodedPoint],
    context: &[u8],
    proof: &ProofBytes,
) -> (Challenges, [u8; 32]) {
    let mut transcript = Transcript::new(statement.digest(), context);
    let all = [commitments, &proof.auxiliary].concat();
    let (beta, gamma, alpha) = transcript.lookup_round(&all, &proof.digits, &proof.multiplicities);
    let y = transcript.sum_round(&proof.inverses, &proof.table_inverse, &proof.accumulator);
    let z = transcript.quotient_round(&proof.quotient);
    let v = transcript.evaluation_round(&proof.digit_evaluations, &proof.accumulator_evaluation);
    let u = transcript.opening_round(&proof.opening_at_z, &proof.opening_at_next);
    (Challenges { beta, gamma, alpha, y, z, v, u }, transcript.state())
}

/// Step 6: z ∉ H; inside H the quotient would not count.
fn outside_domain(domain: &Domain, z: Scalar) -> Result<EvaluationPoint<'_>, ArgumentError> {
    EvaluationPoint::new(domain, z).ok_or_else(|| {
        ArgumentError::new(Code::ChallengeInDomain, "the challenge z lies in the domain; make the proof again")
    })
}

/// Step 7.
struct Identity<'a> {
    statement: &'a Statement,
    domain: &'a Domain,
    drawn: &'a Challenges,
    at_z: &'a EvaluationPoint<'a>,
}

impl Identity<'_> {
    /// F: the identity N = q·Z_H at z and both openings, folded with y, v and u.
    fn fold(&self, inputs: &[G1Affine], points: &ProofPoints, scalars: &ProofScalars) -> Terms {
        let Challenges { beta, gamma, alpha, y, z, v, u } = *self.drawn;
        let row_powers = gamma.powers(self.statement.row_count());
        let public = PublicEvaluations::new(self.statement, &row_powers, &self.at_z.lagrange);
        let kappa = kappa(self.statement, self.domain, alpha, &row_powers);
        let columns = self.statement.columns();
        let (y_powers, v_powers) = (y.powers(columns + 2), v.powers(columns + 1));
        let (y_table, y_sum) = (y_powers[columns], y_powers[columns + 1]);
        let mut sum = Terms::default();
        let mut constant = y_sum * (scalars.accumulator + kappa) - u * scalars.accumulator;
        for (j, digit) in scalars.digits.iter().enumerate() {
            sum.add(y_powers[j] * (beta - *digit) - y_sum, points.inverses[j]);
            sum.add(v_powers[j + 1], points.digits[j]);
            constant -= y_powers[j] + (v_powers[j + 1] + y_sum * alpha * public.places[j]) * *digit;
        }
        sum.add(y_table * (beta - public.table) + y_sum, points.table_inverse);
        sum.add(-y_table, points.multiplicities);
        sum.add(u - y_sum, points.accumulator);
        sum.add(-self.at_z.vanishing, points.quotient);
        for (weight, commitment) in public.weights.iter().zip(inputs.iter().chain(&points.auxiliary)) {
            sum.add(y_sum * alpha * *weight, *commitment);
        }
        sum.add(constant, G1Affine::generator());
        sum.add(z, points.opening_at_z);
        sum.add(u * self.domain.generator() * z, points.opening_at_next);
        sum
    }
}

/// A multi-scalar multiplication being written down.
#[derive(Default)]
pub(crate) struct Terms {
    factors: Vec<Scalar>,
    points: Vec<G1Affine>,
}

impl Terms {
    pub(crate) fn add(&mut self, factor: Scalar, point: G1Affine) {
        self.factors.push(factor);
        self.points.push(point);
    }

    /// Both sums of step 8; they share their inversions.
    pub(crate) fn sums(left: &Self, right: &Self) -> (G1, G1) {
        let sums = linear_combinations(&[(&left.points, &left.factors), (&right.points, &right.factors)]);
        (sums[0], sums[1])
    }

    /// Adds all terms of another sum, each times a weight.
    pub(crate) fn add_scaled(&mut self, weight: Scalar, other: &Self) {
        self.factors.extend(other.factors.iter().map(|factor| weight * *factor));
        self.points.extend(&other.points);
    }
}

/// Step 8.
pub(crate) fn check_sums(setup: &Setup, (left, right): (G1, G1)) -> Result<(), ArgumentError> {
    let (one, tau) = setup.g2();
    if pairings_agree(&left, tau, &right, one) {
        return Ok(());
    }
    let message = "the proof does not show this statement for these commitments in this context; make one that does";
    Err(ArgumentError::new(Code::ProofInvalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_inside_the_domain_are_refused() {
        let domain = Domain::new(256);
        for element in [Scalar::one(), domain.generator(), domain.elements()[255]] {
            assert_eq!(outside_domain(&domain, element).err().unwrap().code, Code::ChallengeInDomain);
        }
        assert!(outside_domain(&domain, Scalar::from(7)).is_ok());
    }
}
