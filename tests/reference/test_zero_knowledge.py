"""Section 7.3: what a verifier sees is uniform, and a simulator that knows τ makes it without a witness."""

import dataclasses
import random
from collections.abc import Callable, Sequence
from itertools import count

import pytest

from marginproof.reference import ArgumentError, Opening, Row, Setup, Statement, challenges, row_values, verify
from marginproof.reference.curve import G1_GENERATOR, decode_point, encode_point, multi_scalar_multiplication
from marginproof.reference.field import MODULUS, inverse, root_of_unity
from marginproof.reference.polynomial import Polynomial, evaluate, interpolate
from marginproof.reference.proof import Proof
from marginproof.reference.prover import ProverRun
from marginproof.reference.public_vectors import PublicVectors, fold_rows, table
from marginproof.reference.transcript import Challenges
from marginproof.reference.witness import Witness
from tests.reference.known_tau import KnownTau

TAU = 5**90 % MODULUS
N = 256
OMEGA = root_of_unity(N)
CONTEXT = b"venue-a|epoch-1"
STATEMENT = Statement(
    N, 2, 1, (Row(16, -100, (((0, 3),), ())), Row(8, 0, (((5, -1),), ((0, 1),))), Row(64, 1, ((), ((0, 1),))))
)
OPENINGS = [Opening({0: 50, 5: -40}, 1111), Opening({0: 40}, 2222)]
SEEN = 8
"""Values of one column: d(τ), d(z), m(τ), φ(τ), φ_T(τ), acc(τ), acc(ωτ), acc(ωz)."""


@pytest.fixture(scope="module")
def known() -> KnownTau:
    """A setup that nobody may use."""
    return KnownTau(TAU)


def seeded(seed: int) -> Callable[[], int]:
    source = random.Random(seed)
    return lambda: source.randrange(MODULUS)


@dataclasses.dataclass
class Seen:
    """Everything that a proof of one column shows: values at τ and z, and commitments of auxiliary vectors."""

    auxiliary: list[bytes]
    d: int
    m: int
    phi: int
    phi_t: int
    acc: int
    acc_next: int
    d_at_z: int
    acc_at_next: int


def element(known: int, weights: Sequence[int], commitments: Sequence[bytes]) -> bytes:
    """[known]₁ + Σ weight · C."""
    points = [G1_GENERATOR, *map(decode_point, commitments)]
    return encode_point(multi_scalar_multiplication(points, [number % MODULUS for number in (known, *weights)]))


def identity(
    seen: Seen, drawn: Challenges, public: PublicVectors, point: int, moving: tuple[int, int]
) -> tuple[int, list[int]]:
    """N with t, P_0, U_k at a point and the given (d, acc(ωX)): its known part, and the weight of every C_k."""
    d, acc_next = moving
    t, place = evaluate(interpolate(table(N)), point), evaluate(interpolate(public.places[0]), point)
    digits = (drawn.beta - d) * seen.phi - 1
    lookup = (drawn.beta - t) * seen.phi_t - seen.m
    kappa = public.kappa(drawn.alpha)
    step = acc_next - seen.acc - seen.phi + seen.phi_t - drawn.alpha * place * d + kappa
    weights = [drawn.y**2 * drawn.alpha * evaluate(interpolate(vector), point) for vector in public.weights]
    return digits + drawn.y * lookup + drawn.y**2 * step, weights


def complete(statement: Statement, inputs: Sequence[bytes], seen: Seen) -> bytes:
    """The one proof with these values: q, W_z and W_ωz follow from them by τ, with of every C_k only the point."""
    commitments = [*inputs, *seen.auxiliary]
    points = [element(value, [], []) for value in (seen.d, seen.m, seen.phi, seen.phi_t, seen.acc)]
    draft = Proof(
        tuple(seen.auxiliary), (points[0],), points[1], (points[2],), points[3], points[4],
        points[0], (seen.d_at_z,), seen.acc_at_next, points[0], points[0],
    )  # fmt: skip

    def drawn_for(proof: Proof) -> Challenges:
        return challenges(statement, inputs, CONTEXT, proof.encode())

    drawn = drawn_for(draft)
    public = fold_rows(statement, drawn.gamma)
    scale = inverse(pow(TAU, N, MODULUS) - 1)
    q, q_weights = identity(seen, drawn, public, TAU, (seen.d, seen.acc_next))
    draft = dataclasses.replace(draft, quotient=element(scale * q, [scale * w for w in q_weights], commitments))
    drawn = drawn_for(draft)
    ratio = (pow(drawn.z, N, MODULUS) - 1) * scale
    r, r_weights = identity(seen, drawn, public, drawn.z, (seen.d_at_z, seen.acc_at_next))
    at_z = inverse(TAU - drawn.z)
    opening = element(
        at_z * (r - ratio * q + drawn.v * (seen.d - seen.d_at_z)),
        [at_z * (weight - ratio * q_weight) for weight, q_weight in zip(r_weights, q_weights, strict=True)],
        commitments,
    )
    at_next = inverse(TAU - OMEGA * drawn.z)
    following = element(at_next * (seen.acc - seen.acc_at_next), [], [])
    return dataclasses.replace(draft, opening_at_z=opening, opening_at_next=following).encode()


def uniform(known: KnownTau, statement: Statement, random_scalar: Callable[[], int]) -> Seen:
    """What the simulator draws."""
    auxiliary = [known.commit_polynomial([random_scalar()]) for _ in range(statement.auxiliary)]
    return Seen(auxiliary, *(random_scalar() for _ in range(SEEN)))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_simulator_needs_no_witness(known: KnownTau, seed: int) -> None:
    """It proves what is false as well: 0 ≤ −1 < 2^8 and x ≠ x of two commitments that it cannot open."""
    false = Statement(N, 2, 1, (Row(8, -1, ((), ())), *STATEMENT.rows))
    random_scalar = seeded(seed)
    inputs = [known.commit_polynomial([random_scalar()])]
    proof = complete(false, inputs, uniform(known, false, random_scalar))
    verify(known, false, inputs, CONTEXT, proof)


def test_under_the_ceremonys_setup_a_simulated_proof_is_refused(setup: Setup, known: KnownTau) -> None:
    inputs = [known.commit_polynomial([7])]
    proof = complete(STATEMENT, inputs, uniform(known, STATEMENT, seeded(3)))
    verify(known, STATEMENT, inputs, CONTEXT, proof)
    with pytest.raises(ArgumentError) as caught:
        verify(setup, STATEMENT, inputs, CONTEXT, proof)
    assert caught.value.step == 8


def run_of(known: KnownTau, random_scalar: Callable[[], int]) -> ProverRun:
    witness = Witness.build(STATEMENT, OPENINGS, row_values(STATEMENT, OPENINGS))
    vectors = [opening.polynomial(N) for opening in OPENINGS]
    return ProverRun(known, STATEMENT, witness, vectors, random_scalar)


def seen_values(run: ProverRun, tau: int, z: int) -> list[int]:
    """The values of one run that a verifier sees, exponents of commitments included."""
    places: list[tuple[Polynomial, int]] = [
        (run.d[0], tau), (run.m, tau), (run.phi[0], tau), (run.phi_t, tau),
        (run.acc, tau), (run.acc, OMEGA * tau), (run.d[0], z), (run.acc, OMEGA * z),
    ]  # fmt: skip
    return [evaluate(polynomial, point % MODULUS) for polynomial, point in places]


def test_an_honest_proof_is_fixed_by_what_the_simulator_draws(known: KnownTau) -> None:
    """q, W_z and W_ωz show nothing beyond the eight values, and of the vectors only their commitments."""
    run = run_of(known, seeded(4))
    commitments = [opening.commitment(known, N) for opening in OPENINGS]
    proof = run.attempt(commitments, CONTEXT)
    assert proof is not None
    z = challenges(STATEMENT, commitments[:1], CONTEXT, proof.encode()).z
    seen = Seen(commitments[1:], *seen_values(run, TAU, z))
    assert complete(STATEMENT, commitments[:1], seen) == proof.encode()


def rank(rows: Sequence[Sequence[int]]) -> int:
    """The rank modulo r, by elimination."""
    rest, found = [list(row) for row in rows], 0
    for column in range(len(rest[0])):
        pivot = next((row for row in rest if row[column]), None)
        if pivot is None:
            continue
        found += 1
        scale = inverse(pivot[column])
        others = [row for row in rest if row is not pivot]
        rest = [[(a - row[column] * scale * b) % MODULUS for a, b in zip(row, pivot, strict=True)] for row in others]
        if not rest:
            break
    return found


def rank_of_what_is_seen(known: KnownTau, tau: int, z: int) -> int:
    """Of the map from the blinders of one run to the values that are seen, for fixed challenges."""

    def values(which: int | None) -> list[int]:
        position = count()
        run = run_of(known, lambda: int(next(position) == which))
        run.hide_digits()
        run.beta, run.alpha, run.public = 3**160, 5**100, fold_rows(STATEMENT, 11**70)
        run.running_sum()
        drawn.append(next(position))
        return seen_values(run, tau, z)

    drawn: list[int] = []
    origin = values(None)
    moved = [values(which) for which in range(drawn[0])]
    return rank([[(b - a) % MODULUS for a, b in zip(origin, value, strict=True)] for value in moved])


def test_what_is_seen_is_uniform_and_independent(known: KnownTau) -> None:
    """Full rank: uniform blinders make the eight values uniform, whatever the witness."""
    assert rank_of_what_is_seen(known, TAU, 7**80 % MODULUS) == SEEN


@pytest.mark.parametrize(
    ("z", "lost"),
    [
        (TAU, 2),  # d(τ) = d(z) and acc(ωτ) = acc(ωz)
        (TAU * inverse(OMEGA) % MODULUS, 1),  # acc(τ) = acc(ωz)
        (OMEGA, 2),  # in H nothing is hidden: d(z) is a digit, acc(ωz) a partial sum
    ],
)
def test_only_where_points_coincide_or_lie_in_the_domain_is_less_hidden(known: KnownTau, z: int, lost: int) -> None:
    assert rank_of_what_is_seen(known, TAU, z) == SEEN - lost
