"""Section 6: the verifier, as the numbered list of docs/protocol.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from marginproof.model.reasons import ReasonCode
from marginproof.reference.curve import (
    G1_GENERATOR,
    G2_GENERATOR,
    G1Point,
    decode_point,
    multi_scalar_multiplication,
    pairings_agree,
)
from marginproof.reference.errors import ArgumentError, verification_step
from marginproof.reference.field import MODULUS, root_of_unity
from marginproof.reference.intervals import check_intervals
from marginproof.reference.proof import Proof, check_length, check_scalars, split
from marginproof.reference.public_vectors import fold_rows, lagrange_values, table
from marginproof.reference.setting import SETUP_DIGEST, Setup
from marginproof.reference.statement import Statement, check_canonical, check_shape
from marginproof.reference.transcript import ArgumentTranscript, Challenges


def verify(setup: Setup, statement: Statement, commitments: Sequence[bytes], context: bytes, data: bytes) -> None:
    """Accepts silently, or refuses with the number of the step that failed.

    Args:
        setup: The pinned powers of τ.
        statement: Well-formed or not.
        commitments: The input commitments, 48 bytes each, in order.
        context: Everything the proof must be tied to; opaque here.
        data: The proof's bytes, whatever they are.

    Raises:
        ArgumentError: With `code` and `step`.
    """
    check_statement(statement)
    with verification_step(2):
        check_commitment_count(statement, commitments)
        inputs = [decode_point(commitment) for commitment in commitments]
    with verification_step(3):
        check_length(statement, data)
    proof = split(statement, data)
    with verification_step(4):
        points = ProofPoints.decode(statement, proof)
    with verification_step(5):
        check_scalars(proof.scalars)
    drawn = replay_transcript(statement, commitments, context, proof)
    with verification_step(6):
        check_outside_domain(statement.n, drawn.z)
    right_side = linear_combination(statement, inputs, proof, points, drawn)
    with verification_step(8):
        check_pairing(setup, points, drawn.u, right_side)


def challenges(statement: Statement, commitments: Sequence[bytes], context: bytes, data: bytes) -> Challenges:
    """The challenges of a proof of the right length, whether it would be accepted or not."""
    check_statement(statement)
    with verification_step(2):
        check_commitment_count(statement, commitments)
    with verification_step(3):
        check_length(statement, data)
    return replay_transcript(statement, commitments, context, split(statement, data))


def check_statement(statement: Statement) -> None:
    """Step 1: the statement is well-formed. Prover and verifier call it alike."""
    with verification_step(1):
        check_shape(statement)
        check_canonical(statement)
        check_intervals(statement)


def check_commitment_count(statement: Statement, commitments: Sequence[bytes]) -> None:
    """Step 2, first half: as many commitments as the statement has inputs."""
    if len(commitments) != statement.inputs:
        raise ArgumentError(
            ReasonCode.COMMITMENT_COUNT,
            f"the statement has {statement.inputs} inputs, got {len(commitments)} commitments",
            fix="send one commitment per input; auxiliary ones travel in the proof",
        )


@dataclass(frozen=True)
class ProofPoints:
    """The proof's points, decoded (step 4)."""

    auxiliary: list[G1Point]
    digits: list[G1Point]
    multiplicities: G1Point
    inverses: list[G1Point]
    table_inverse: G1Point
    accumulator: G1Point
    quotient: G1Point
    opening_at_z: G1Point
    opening_at_next: G1Point

    @classmethod
    def decode(cls, statement: Statement, proof: Proof) -> "ProofPoints":
        """Step 4: every point canonical, on the curve, in the subgroup, not infinity; in the order of the bytes."""
        points = [decode_point(encoded) for encoded in proof.points]
        auxiliary, columns = statement.auxiliary, statement.columns
        single = points[auxiliary + columns :]
        return cls(
            auxiliary=points[:auxiliary],
            digits=points[auxiliary : auxiliary + columns],
            multiplicities=single[0],
            inverses=single[1 : 1 + columns],
            table_inverse=single[1 + columns],
            accumulator=single[2 + columns],
            quotient=single[3 + columns],
            opening_at_z=single[4 + columns],
            opening_at_next=single[5 + columns],
        )


def replay_transcript(statement: Statement, commitments: Sequence[bytes], context: bytes, proof: Proof) -> Challenges:
    """Step 6: the challenges, from the bytes alone."""
    transcript = ArgumentTranscript(SETUP_DIGEST, statement.digest(), context)
    beta, gamma, alpha = transcript.lookup_round([*commitments, *proof.auxiliary], proof.digits, proof.multiplicities)
    y = transcript.sum_round(proof.inverses, proof.table_inverse, proof.accumulator)
    z = transcript.quotient_round(proof.quotient)
    v = transcript.evaluation_round(proof.digit_evaluations, proof.accumulator_evaluation)
    u = transcript.opening_round(proof.opening_at_z, proof.opening_at_next)
    return Challenges(beta, gamma, alpha, y, z, v, u)


def check_outside_domain(n: int, z: int) -> None:
    """Step 6: z ∉ H; inside H the quotient would not count."""
    if pow(z, n, MODULUS) == 1:
        raise ArgumentError(
            ReasonCode.CHALLENGE_IN_DOMAIN, "the challenge z lies in the domain", fix="make the proof again"
        )


@dataclass(frozen=True)
class PublicEvaluations:
    """What step 7 needs at z: t̄, every Ū_k and P̄_j, and κ."""

    table: int
    weights: list[int]
    places: list[int]
    kappa: int


def evaluate_public_vectors(statement: Statement, drawn: Challenges) -> PublicEvaluations:
    """Step 7, first half: inner products of the public vectors with the Lagrange values at z."""
    lagrange = lagrange_values(statement.n, drawn.z)

    def at_z(vector: Sequence[int]) -> int:
        return sum(a * b for a, b in zip(vector, lagrange, strict=True)) % MODULUS

    public = fold_rows(statement, drawn.gamma)
    return PublicEvaluations(
        table=at_z(table(statement.n)),
        weights=[at_z(vector) for vector in public.weights],
        places=[at_z(vector) for vector in public.places],
        kappa=public.kappa(drawn.alpha),
    )


def linear_combination(
    statement: Statement, inputs: Sequence[G1Point], proof: Proof, points: ProofPoints, drawn: Challenges
) -> G1Point:
    """Step 7: F, the combination that both openings and the identity N = q · Z_H fold into."""
    at_z = evaluate_public_vectors(statement, drawn)
    c = statement.columns
    alpha, beta, y, z, v, u = drawn.alpha, drawn.beta, drawn.y, drawn.z, drawn.v, drawn.u
    y_table, y_sum = pow(y, c, MODULUS), pow(y, c + 1, MODULUS)
    d_bar, acc_bar = proof.digit_evaluations, proof.accumulator_evaluation
    vanishing = pow(z, statement.n, MODULUS) - 1
    omega_z = root_of_unity(statement.n) * z
    digit_sum = sum(p * d for p, d in zip(at_z.places, d_bar, strict=True))
    generator_factor = y_sum * (acc_bar + at_z.kappa - alpha * digit_sum) - u * acc_bar
    terms: list[tuple[int, G1Point]] = []
    for j in range(c):
        y_j, v_j = pow(y, j, MODULUS), pow(v, j + 1, MODULUS)
        terms.append((y_j * (beta - d_bar[j]) - y_sum, points.inverses[j]))
        terms.append((v_j, points.digits[j]))
        generator_factor -= y_j + v_j * d_bar[j]
    terms.append((y_table * (beta - at_z.table) + y_sum, points.table_inverse))
    terms.append((-y_table, points.multiplicities))
    terms.append((u - y_sum, points.accumulator))
    terms.append((-vanishing, points.quotient))
    for weight, point in zip(at_z.weights, [*inputs, *points.auxiliary], strict=True):
        terms.append((y_sum * alpha * weight, point))
    terms.append((generator_factor, G1_GENERATOR))
    terms.append((z, points.opening_at_z))
    terms.append((u * omega_z, points.opening_at_next))
    return multi_scalar_multiplication([point for _, point in terms], [factor % MODULUS for factor, _ in terms])


def check_pairing(setup: Setup, points: ProofPoints, u: int, right_side: G1Point) -> None:
    """Step 8: e(W_z + u · W_ωz, [τ]₂) = e(F, [1]₂)."""
    left_side = multi_scalar_multiplication([points.opening_at_z, points.opening_at_next], [1, u])
    if not pairings_agree(left_side, setup.tau_g2, right_side, G2_GENERATOR):
        raise ArgumentError(
            ReasonCode.PROOF_INVALID,
            "the proof does not show this statement for these commitments in this context",
            fix="make a proof for exactly this statement, these commitments and this context",
        )
