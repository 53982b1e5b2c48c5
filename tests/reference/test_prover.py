"""The prover: one real small proof, what it refuses, and that false witnesses leave no quotient."""

import dataclasses
import random
from collections.abc import Callable

import pytest

from marginproof.model.reasons import ReasonCode
from marginproof.reference import ArgumentError, Opening, Row, Setup, Statement, prove, row_values, verify
from marginproof.reference.field import MODULUS, root_of_unity
from marginproof.reference.polynomial import Polynomial, divide_by_vanishing
from marginproof.reference.proof import split
from marginproof.reference.prover import ProverRun
from marginproof.reference.public_vectors import fold_rows
from marginproof.reference.transcript import Transcript
from marginproof.reference.witness import Witness, check_rows

STATEMENT = Statement(
    256,
    2,
    1,
    (
        Row(16, -100, (((0, 3), (255, -1)), ())),
        Row(64, 0, (((5, 1),), ((0, 1),))),
        Row(8, 0, (((5, -1),), ((0, 1),))),
    ),
)
OPENINGS = [Opening({0: 50, 5: -40, 255: 2}, 1111), Opening({0: 40}, 2222)]
CONTEXT = b"venue-a|epoch-1"


def seeded(seed: int) -> Callable[[], int]:
    source = random.Random(seed)
    return lambda: source.randrange(MODULUS)


def with_opening(position: int, values: dict[int, int]) -> list[Opening]:
    openings = list(OPENINGS)
    openings[position] = Opening(values, openings[position].blinding)
    return openings


def refusal(setup: Setup, openings: list[Opening]) -> ArgumentError:
    with pytest.raises(ArgumentError) as caught:
        prove(setup, STATEMENT, openings, CONTEXT, seeded(0))
    assert caught.value.fix
    return caught.value


def honest_witness() -> Witness:
    return Witness.build(STATEMENT, OPENINGS, row_values(STATEMENT, OPENINGS))


def quotient(setup: Setup, witness: Witness) -> Polynomial:
    """N / Z_H for fixed challenges; ArithmeticError if N does not vanish on H."""
    vectors = [opening.polynomial(256) for opening in OPENINGS]
    run = ProverRun(setup, STATEMENT, witness, vectors, seeded(7))
    run.hide_digits()
    run.beta, run.alpha, run.y = 3**160, 5**100, 7**80
    run.public = fold_rows(STATEMENT, 11**70)
    run.running_sum()
    return divide_by_vanishing(run.numerator(), 256)


@pytest.fixture(scope="module")
def proofs(setup: Setup) -> tuple[bytes, bytes]:
    """Two proofs of one statement with the same openings and other blinders."""
    first, second = (prove(setup, STATEMENT, OPENINGS, CONTEXT, seeded(seed)) for seed in (1, 2))
    return first, second


def test_a_fresh_proof_is_accepted_for_its_statement_only(setup: Setup, proofs: tuple[bytes, bytes]) -> None:
    inputs = [OPENINGS[0].commitment(setup, 256)]
    for proof in proofs:
        verify(setup, STATEMENT, inputs, CONTEXT, proof)
    with pytest.raises(ArgumentError) as caught:
        verify(setup, STATEMENT, inputs, b"venue-b|epoch-1", proofs[0])
    assert (caught.value.step, caught.value.code) == (8, ReasonCode.PROOF_INVALID)


def test_two_proofs_share_only_the_auxiliary_commitment(proofs: tuple[bytes, bytes]) -> None:
    first, second = (split(STATEMENT, proof) for proof in proofs)
    assert first.auxiliary == second.auxiliary
    assert all(a != b for a, b in zip(first.points[1:], second.points[1:], strict=True))
    assert all(a != b for a, b in zip(first.scalars, second.scalars, strict=True))


def test_row_values() -> None:
    assert row_values(STATEMENT, OPENINGS) == [48, 0, 80]


@pytest.mark.parametrize(
    ("position", "values", "row"),
    [
        (0, {0: 33, 5: -40}, 0),  # -1
        (0, {0: 21879, 5: -40, 255: 1}, 0),  # 2^16
        (1, {0: 39}, 1),
        (1, {0: 216}, 2),  # 2^8
    ],
)
def test_a_false_row_is_refused_and_named(setup: Setup, position: int, values: dict[int, int], row: int) -> None:
    error = refusal(setup, with_opening(position, values))
    assert (error.code, error.row, error.step) == (ReasonCode.ROW_NOT_SATISFIED, row, None)


def test_rows_at_their_two_ends_hold() -> None:
    lowest = [Opening({0: 33, 255: -1}, 1), Opening({}, 2)]
    highest = [Opening({0: 21878, 255: -1}, 1), Opening({0: 255}, 2)]
    for openings, ends in ((lowest, [0, 0, 0]), (highest, [65535, 255, 255])):
        values = row_values(STATEMENT, openings)
        assert values == ends
        check_rows(STATEMENT, values)


@pytest.mark.parametrize("values", [{0: 2**63}, {0: -(2**63)}, {256: 0}, {-1: 0}])
def test_input_entries_out_of_range_are_refused(setup: Setup, values: dict[int, int]) -> None:
    assert refusal(setup, with_opening(0, values)).code is ReasonCode.ENTRY_RANGE


def test_auxiliary_entries_have_a_place_but_no_range_of_their_own(setup: Setup) -> None:
    assert refusal(setup, with_opening(1, {256: 0})).code is ReasonCode.ENTRY_RANGE
    assert row_values(STATEMENT, with_opening(1, {0: 2**63}))[1] == 2**63 - 40


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_vector_is_opened(setup: Setup, count: int) -> None:
    assert refusal(setup, (OPENINGS * 2)[:count]).code is ReasonCode.OPENING_COUNT


def test_the_prover_takes_step_1_before_it_looks_at_openings(setup: Setup) -> None:
    halves = Statement(256, 2, 1, (Row(64, -1, ((), ((0, 2),))),))
    with pytest.raises(ArgumentError) as caught:
        prove(setup, halves, [], CONTEXT, seeded(0))
    assert caught.value.step == 1


def test_an_honest_witness_leaves_a_quotient_of_the_stated_degree(setup: Setup) -> None:
    assert not any(quotient(setup, honest_witness())[256 + 3 :])


def false_witnesses() -> dict[str, Witness]:
    """Each wrong in one way; cell 0 holds the low digit of row 0 (48), cell 1 its high digit (0)."""
    honest = honest_witness()
    digits, counts = honest.digits[0], honest.multiplicities
    outside_table = [digits[0] - 256, digits[1] + 1, *digits[2:]]
    other_value = [digits[0] + 1, *digits[1:]]
    counts_of_other = [m - (i == 48) + (i == 49) for i, m in enumerate(counts)]
    other_entry = [[51, *honest.vectors[0][1:]], honest.vectors[1]]
    return {
        "digits outside the table, right sum": dataclasses.replace(honest, digits=[outside_table]),
        "digits of another value": Witness(honest.vectors, [other_value], counts_of_other),
        "a multiplicity too many": dataclasses.replace(honest, multiplicities=[counts[0] + 1, *counts[1:]]),
        "a multiplicity beyond the table": dataclasses.replace(honest, multiplicities=[*counts[:-1], 1]),
        "another vector than the committed one": dataclasses.replace(honest, vectors=other_entry),
    }


@pytest.mark.parametrize("name", list(false_witnesses()))
def test_a_false_witness_leaves_no_quotient(setup: Setup, name: str) -> None:
    with pytest.raises(ArithmeticError):
        quotient(setup, false_witnesses()[name])


def test_unlucky_challenges_start_again_with_fresh_blinders(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """First β in the table, then z in the domain; the third attempt is a proof like any other."""
    unlucky = {b"beta": 255, b"z": root_of_unity(256)}
    draw = Transcript.challenge
    monkeypatch.setattr(Transcript, "challenge", lambda self, label: unlucky.pop(label, None) or draw(self, label))
    drawn: list[int] = []
    source = seeded(3)

    def counted() -> int:
        drawn.append(source())
        return drawn[-1]

    proof = prove(setup, STATEMENT, OPENINGS, CONTEXT, counted)
    assert not unlucky
    assert len(drawn) == len(set(drawn)) == 4 + 12 + 12
    verify(setup, STATEMENT, [OPENINGS[0].commitment(setup, 256)], CONTEXT, proof)


def test_a_prover_releases_no_proof_that_it_would_not_accept(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProverRun, "opening_at_next", lambda self, z, acc_bar: [1, 2, 3])
    with pytest.raises(ArgumentError) as caught:
        prove(setup, STATEMENT, OPENINGS, CONTEXT, seeded(4))
    assert (caught.value.step, caught.value.code) == (8, ReasonCode.PROOF_INVALID)


def test_secrets_are_not_printed() -> None:
    secret = Opening({1: 918273645}, 5)
    shown = repr(Witness.build(STATEMENT, [secret, secret], [1, 2, 3]))
    assert "918273645" not in shown
