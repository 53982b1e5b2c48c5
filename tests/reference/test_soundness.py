"""Section 7.2: each challenge is needed, degrees are free, and the bounds of the page are those of the formulas."""

import dataclasses
import hashlib
import itertools
import math
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from marginproof.reference import ArgumentError, Opening, Row, Setup, Statement, row_values, verify
from marginproof.reference import transcript as transcript_module
from marginproof.reference.field import MODULUS, inverse
from marginproof.reference.polynomial import Polynomial, blind, divide_by_vanishing, interpolate
from marginproof.reference.proof import Proof
from marginproof.reference.prover import ProverRun
from marginproof.reference.public_vectors import fold_rows
from marginproof.reference.setting import G1_POWERS
from marginproof.reference.statement import MAX_COLUMNS
from marginproof.reference.transcript import ArgumentTranscript
from marginproof.reference.verifier import challenges
from marginproof.reference.witness import Witness
from tests.reference.known_answers import Case
from tests.reference.known_tau import KnownTau

ROOT = Path(__file__).resolve().parents[2]
N = 256
STATEMENT = Statement(N, 1, 1, (Row(16, 0, (((0, 1),),)), Row(16, 0, (((1, 1),),))))
OPENING = Opening({0: 48, 1: 0x0201}, 2222)
"""Cells: 48, 0 for the first row, 1, 2 for the second."""
BETA, GAMMA, ALPHA, Y = (pow(base, 80, MODULUS) for base in (3, 5, 7, 11))
CONTEXT = b"venue-a|epoch-1"


def seeded(seed: int) -> Callable[[], int]:
    source = random.Random(seed)
    return lambda: source.randrange(MODULUS)


def witness(changes: dict[int, int] | None = None, counts: dict[int, int] | None = None) -> Witness:
    """The honest one with other digits in some cells and other multiplicities for some table entries."""
    honest = Witness.build(STATEMENT, [OPENING], row_values(STATEMENT, [OPENING]))
    digits, multiplicities = list(honest.digits[0]), list(honest.multiplicities)
    for cell, digit in (changes or {}).items():
        digits[cell] = digit
    for entry, multiplicity in (counts or {}).items():
        multiplicities[entry] = multiplicity % MODULUS
    return dataclasses.replace(honest, digits=[digits], multiplicities=multiplicities)


def leaves_a_quotient(claimed: Witness, beta: int = BETA, gamma: int = GAMMA, alpha: int = ALPHA) -> bool:
    """Whether N vanishes on H, so that the proof would be accepted."""
    run = ProverRun(KnownTau(2), STATEMENT, claimed, [OPENING.polynomial(N)], seeded(7))
    run.hide_digits()
    run.beta, run.alpha, run.y, run.public = beta, alpha, Y, fold_rows(STATEMENT, gamma)
    run.running_sum()
    try:
        divide_by_vanishing(run.numerator(), N)
    except ArithmeticError:
        return False
    return True


def lookup_error(claimed: Witness, beta: int) -> int:
    """S(β): the sum over the cells minus that over the table."""
    cells = sum(inverse(beta - digit) for digit in claimed.digits[0])
    counted = sum(m * inverse(beta - i) for i, m in enumerate(claimed.multiplicities[:256]))
    return (cells - counted) % MODULUS


HONEST = witness()
OUTSIDE = {0: 48 - 256, 1: 1}
"""The same value of the first row, its low digit outside the table."""


def test_the_honest_witness_fits_every_challenge() -> None:
    assert leaves_a_quotient(HONEST)
    assert lookup_error(HONEST, BETA) == 0
    assert leaves_a_quotient(HONEST, BETA + 1, GAMMA + 1, ALPHA + 1)


def test_who_knew_beta_could_look_up_anything() -> None:
    """A multiplicity that is a field element makes S(β) = 0 for one β, and for no other that was not asked for."""
    residue = lookup_error(witness(OUTSIDE), BETA)
    forged = witness(OUTSIDE, {0: HONEST.multiplicities[0] + residue * BETA})
    assert leaves_a_quotient(forged)
    assert not leaves_a_quotient(forged, beta=BETA + 1)
    assert not leaves_a_quotient(forged, beta=BETA - 1)


def counts_of(changes: dict[int, int]) -> dict[int, int]:
    """The true multiplicities of these digits."""
    counts = dict(enumerate(HONEST.multiplicities[:256]))
    for cell, digit in changes.items():
        counts[HONEST.digits[0][cell]] -= 1
        counts[digit] += 1
    return counts


def test_who_knew_gamma_could_let_one_row_pay_for_another() -> None:
    """The first row one too high, the second one too low: 1 − γ = 0 for γ = 1 alone."""
    changes = {0: 49, 2: 0}
    forged = witness(changes, counts_of(changes))
    assert leaves_a_quotient(forged, gamma=1)
    assert not leaves_a_quotient(forged, gamma=2)
    assert not leaves_a_quotient(forged)


def test_who_knew_alpha_could_pay_for_a_row_with_the_lookup() -> None:
    """The first row one too high, S(β) = −α: one α fits, for the β at which the debt was made."""
    changes = {0: 49}
    forged = witness(changes, {**counts_of(changes), 7: (ALPHA * (BETA - 7)) % MODULUS})
    assert lookup_error(forged, BETA) == -ALPHA % MODULUS
    assert leaves_a_quotient(forged)
    assert not leaves_a_quotient(forged, alpha=ALPHA + 1)
    assert not leaves_a_quotient(forged, beta=BETA + 1)


@pytest.mark.parametrize("cell", range(4))
def test_every_digit_of_every_row_decides_alone(cell: int) -> None:
    """One digit one higher, everything else and the multiplicities in keeping."""
    changes = {cell: HONEST.digits[0][cell] + 1}
    assert not leaves_a_quotient(witness(changes, counts_of(changes)))


def test_cells_that_no_row_uses_are_free() -> None:
    """Padding is looked up like every digit and weighs nothing."""
    changes = {200: 48}
    assert leaves_a_quotient(witness(changes, counts_of(changes)))


def test_rounds_are_drawn_for_committed_digits_only() -> None:
    """β, γ and α follow one another without an absorption between them, but never before C, d and m."""

    def drawn(*last: bytes) -> tuple[int, int, int]:
        return ArgumentTranscript(b"", b"", b"").lookup_round([last[0]], [last[1]], last[2])

    base = drawn(b"C", b"d", b"m")
    assert len(set(base)) == 3
    for other in (drawn(b"D", b"d", b"m"), drawn(b"C", b"e", b"m"), drawn(b"C", b"d", b"n")):
        assert not set(base) & set(other)


def roots(cells: Sequence[int], counts: Sequence[int], p: int) -> list[int]:
    """All β outside the poles with S(β) = 0 in the field of p elements, the table being 0, 1, …"""
    table = range(len(counts))
    poles = {*cells, *table}

    def error(beta: int) -> int:
        looked_up = sum(pow(beta - cell, -1, p) for cell in cells)
        return (looked_up - sum(m * pow(beta - t, -1, p) for t, m in zip(table, counts, strict=True))) % p

    return [beta for beta in range(p) if beta not in poles and error(beta) == 0]


def test_few_beta_hide_a_digit_outside_the_table() -> None:
    """By trying every β of a small field: fewer than cells + table, whatever the multiplicities."""
    source = random.Random(5)
    most = 0
    for _ in range(300):
        cells = [source.randrange(7) for _ in range(5)]
        if max(cells) < 3:
            continue
        counts = [source.randrange(101) for _ in range(3)]
        most = max(most, len(roots(cells, counts, 101)))
    assert 3 <= most < 5 + 3


def test_the_field_has_more_elements_than_there_are_cells() -> None:
    """With as many cells of one wrong digit as the characteristic, the digit would leave no pole at all."""
    p = 11
    assert len(roots([7] * p, [0, 0, 0], p)) == p - 4
    assert len(roots([7] * (p - 1), [0, 0, 0], p)) == 0
    assert MAX_COLUMNS * 2048 == 2**17 < MODULUS


class HighDegrees(ProverRun):
    """A prover that adds far more multiples of Z_H than the honest one: up to degree 2099, so that deg q is 3942."""

    def hide(self, values: Sequence[int], blinders: int) -> Polynomial:
        """Ignores how many blinders are due."""
        assert blinders
        return blind(interpolate(values), [self.random_scalar() for _ in range(2100 - N)], N)


def test_degrees_need_no_check() -> None:
    """Of a polynomial its values on H count: with the same values a higher degree proves the same, and no more."""
    known = KnownTau(5**90 % MODULUS)
    vector = blind(interpolate(OPENING.entries(N)), [1, 2, 3] * 1000, N)
    commitments = [known.commit_polynomial(vector)]
    run = HighDegrees(known, STATEMENT, HONEST, [vector], seeded(1))
    proof = run.attempt(commitments, CONTEXT)
    assert proof is not None
    assert (len(vector), len(run.d[0]), len(run.q)) == (3256, 2100, 3943)
    verify(known, STATEMENT, commitments, CONTEXT, proof.encode())
    false = HighDegrees(known, STATEMENT, witness({0: 49}), [vector], seeded(1))
    with pytest.raises(ArithmeticError):
        false.attempt(commitments, CONTEXT)


def test_who_knows_tau_can_prove_falsehoods(setup: Setup) -> None:
    """Soundness rests on the ceremony: with τ known a quotient need only be right at τ."""
    known = KnownTau(5**90 % MODULUS)
    commitments = [OPENING.commitment(known, N)]

    class Forger(ProverRun):
        def numerator(self) -> Polynomial:
            """A multiple of Z_H that agrees with the true numerator at τ."""
            at_tau = sum(a * pow(known.tau, i, MODULUS) for i, a in enumerate(super().numerator()))
            return blind([0], [at_tau * inverse(pow(known.tau, N, MODULUS) - 1) % MODULUS], N)

        def opening_at_z(self, z: int, v: int, d_bar: Sequence[int], acc_bar: int) -> Polynomial:
            """A constant, right at τ."""
            linear = self.linearisation(z, d_bar, acc_bar)
            at_tau = sum(a * pow(known.tau, i, MODULUS) for i, a in enumerate(linear))
            digits = sum(a * pow(known.tau, i, MODULUS) for i, a in enumerate(self.d[0])) - d_bar[0]
            return [(at_tau + v * digits) * inverse(known.tau - z) % MODULUS]

    proof = Forger(known, STATEMENT, witness({0: 49}), [OPENING.polynomial(N)], seeded(1)).attempt(commitments, CONTEXT)
    assert isinstance(proof, Proof)
    verify(known, STATEMENT, commitments, CONTEXT, proof.encode())
    with pytest.raises(ArgumentError):
        verify(setup, STATEMENT, commitments, CONTEXT, proof.encode())


def test_no_hash_input_of_a_proof_is_the_beginning_of_another(
    with_auxiliary: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With SHA-256's padding the inputs are prefix-free, so nobody can extend one into another."""
    inputs: list[bytes] = []

    class Recording:
        @staticmethod
        def sha256(data: bytes) -> "hashlib._Hash":
            inputs.append(data)
            return hashlib.sha256(data)

    monkeypatch.setattr(transcript_module, "hashlib", Recording)
    challenges(with_auxiliary.statement, with_auxiliary.inputs, with_auxiliary.context, with_auxiliary.proof)
    padded = {data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big") for data in inputs}
    assert len(padded) == len(inputs) > 20
    assert not any(a != b and b.startswith(a) for a, b in itertools.permutations(padded, 2))


def bits_of(n: int, c: int, rows: int) -> list[float]:
    """−log2 of each line of the page's table, by the formulas of its second column; the last is their sum."""
    numerators = [c * n + 511, rows - 1, 1, c + 1, 2 * (G1_POWERS - 1), c, 1]
    return [math.log2(MODULUS) - math.log2(count) for count in (*numerators, sum(numerators)) if count]


@pytest.mark.parametrize(("column", "n", "c", "rows"), [(2, 256, 1, 16), (3, 2048, 64, 2**17)])
def test_the_error_bounds_of_the_page_are_those_of_the_formulas(column: int, n: int, c: int, rows: int) -> None:
    page = (ROOT / "docs" / "protocol.md").read_text()
    lines = re.findall(r"^\| (?:β|γ|α|y|z|v|u|\*\*together\*\*) \|.*$", page, re.MULTILINE)
    stated = [float(line.split("|")[1:-1][column].strip(" *")) for line in lines]
    assert stated == [round(bits, 1) for bits in bits_of(n, c, rows)]
