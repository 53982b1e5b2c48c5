"""Steps 2 to 8: each refuses what it is there for, and every element of the proof is bound."""

import dataclasses

import pytest
from py_ecc.optimized_bls12_381.optimized_curve import add

from marginproof.model.reasons import ReasonCode
from marginproof.reference import ArgumentError, Setup, verify
from marginproof.reference.curve import G1_GENERATOR, decode_curve_point, decode_point, encode_point
from marginproof.reference.field import MODULUS, root_of_unity
from marginproof.reference.polynomial import evaluate, interpolate
from marginproof.reference.proof import Proof, split
from marginproof.reference.public_vectors import lagrange_values
from marginproof.reference.transcript import Transcript
from marginproof.reference.verifier import check_outside_domain
from tests.reference.known_answers import Case

ORDER_THREE = b"\x80" + bytes(47)
INFINITY = b"\xc0" + bytes(47)
POINTS = 9
"""Of the case with an auxiliary vector: C_1, d, m, φ, φ_T, acc, q before the scalars, W_z, W_ωz after them."""


def refusal(setup: Setup, case: Case, **replaced: object) -> ArgumentError:
    changed = dataclasses.replace(case, **replaced)  # type: ignore[arg-type] # fields of several types
    with pytest.raises(ArgumentError) as caught:
        verify(setup, changed.statement, changed.inputs, changed.context, changed.proof)
    assert caught.value.fix
    return caught.value


def assert_refused(setup: Setup, case: Case, step: int, code: ReasonCode, **replaced: object) -> None:
    error = refusal(setup, case, **replaced)
    assert (error.step, error.code) == (step, code)


def point_slice(position: int) -> slice:
    """Where the point at a position stands in the case with an auxiliary vector."""
    start = 48 * position if position < 7 else 48 * position + 64
    return slice(start, start + 48)


def with_bytes(proof: bytes, where: slice, replacement: bytes) -> bytes:
    return proof[: where.start] + replacement + proof[where.stop :]


def shifted(encoded: bytes) -> bytes:
    """Another valid point."""
    return encode_point(add(decode_point(encoded), G1_GENERATOR))


def parts(case: Case) -> Proof:
    return split(case.statement, case.proof)


@pytest.mark.parametrize("count", [0, 2])
def test_step_2_counts_the_input_commitments(setup: Setup, with_auxiliary: Case, count: int) -> None:
    inputs = (with_auxiliary.inputs * 2)[:count]
    assert_refused(setup, with_auxiliary, 2, ReasonCode.COMMITMENT_COUNT, inputs=inputs)


@pytest.mark.parametrize(
    ("encoded", "code"),
    [
        (ORDER_THREE, ReasonCode.POINT_NOT_IN_SUBGROUP),
        (INFINITY, ReasonCode.POINT_AT_INFINITY),
        (bytes(48), ReasonCode.POINT_ENCODING),
        (b"", ReasonCode.POINT_ENCODING),
    ],
)
def test_step_2_decodes_the_input_commitments(setup: Setup, plain: Case, encoded: bytes, code: ReasonCode) -> None:
    assert_refused(setup, plain, 2, code, inputs=[encoded])


@pytest.mark.parametrize("length", [0, 447, 449, 496])
def test_step_3_fixes_the_length(setup: Setup, plain: Case, length: int) -> None:
    assert_refused(setup, plain, 3, ReasonCode.PROOF_LENGTH, proof=(plain.proof * 2)[:length])


@pytest.mark.parametrize("position", range(POINTS))
def test_step_4_decodes_every_point(setup: Setup, with_auxiliary: Case, position: int) -> None:
    where = point_slice(position)
    for encoded, code in (
        (ORDER_THREE, ReasonCode.POINT_NOT_IN_SUBGROUP),
        (INFINITY, ReasonCode.POINT_AT_INFINITY),
        (bytes(48), ReasonCode.POINT_ENCODING),
    ):
        proof = with_bytes(with_auxiliary.proof, where, encoded)
        assert_refused(setup, with_auxiliary, 4, code, proof=proof)


def test_step_4_refuses_the_second_encoding_that_a_cleared_cofactor_would_accept(setup: Setup, plain: Case) -> None:
    opening = add(decode_point(plain.proof[-48:]), decode_curve_point(ORDER_THREE))
    proof = plain.proof[:-48] + encode_point(opening)
    assert_refused(setup, plain, 4, ReasonCode.POINT_NOT_IN_SUBGROUP, proof=proof)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("kind", ["modulus", "same residue", "largest"])
def test_step_5_refuses_unreduced_scalars(setup: Setup, plain: Case, position: int, kind: str) -> None:
    scalar = parts(plain).scalars[position]
    number = {"modulus": MODULUS, "same residue": scalar + MODULUS, "largest": 2**256 - 1}[kind]
    start = len(plain.proof) - 96 - 64 + 32 * position
    proof = with_bytes(plain.proof, slice(start, start + 32), number.to_bytes(32, "big"))
    assert_refused(setup, plain, 5, ReasonCode.SCALAR_RANGE, proof=proof)


def test_step_6_refuses_a_challenge_in_the_domain(setup: Setup, plain: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Transcript.challenge

    def in_domain(transcript: Transcript, label: bytes) -> int:
        return pow(root_of_unity(256), 17, MODULUS) if label == b"z" else draw(transcript, label)

    monkeypatch.setattr(Transcript, "challenge", in_domain)
    assert_refused(setup, plain, 6, ReasonCode.CHALLENGE_IN_DOMAIN)


def test_only_the_domain_itself_is_refused() -> None:
    check_outside_domain(256, root_of_unity(512))
    for element in (1, root_of_unity(256), MODULUS - 1):
        with pytest.raises(ArgumentError):
            check_outside_domain(256, element)


@pytest.mark.parametrize("position", range(POINTS))
def test_step_8_every_point_is_bound(setup: Setup, with_auxiliary: Case, position: int) -> None:
    where = point_slice(position)
    proof = with_bytes(with_auxiliary.proof, where, shifted(with_auxiliary.proof[where]))
    assert_refused(setup, with_auxiliary, 8, ReasonCode.PROOF_INVALID, proof=proof)


@pytest.mark.parametrize("position", [0, 1])
def test_step_8_every_scalar_is_bound(setup: Setup, plain: Case, position: int) -> None:
    start = len(plain.proof) - 96 - 64 + 32 * position
    scalar = (parts(plain).scalars[position] + 1) % MODULUS
    proof = with_bytes(plain.proof, slice(start, start + 32), scalar.to_bytes(32, "big"))
    assert_refused(setup, plain, 8, ReasonCode.PROOF_INVALID, proof=proof)


def test_step_8_elements_do_not_change_places(setup: Setup, plain: Case) -> None:
    proof = parts(plain)
    swapped = dataclasses.replace(proof, digits=(proof.multiplicities,), multiplicities=proof.digits[0])
    assert_refused(setup, plain, 8, ReasonCode.PROOF_INVALID, proof=swapped.encode())


def test_step_8_context_and_input_are_bound(setup: Setup, plain: Case) -> None:
    assert_refused(setup, plain, 8, ReasonCode.PROOF_INVALID, context=plain.context + b"\x00")
    assert_refused(setup, plain, 8, ReasonCode.PROOF_INVALID, inputs=[shifted(plain.inputs[0])])


def test_step_8_the_statement_is_bound(setup: Setup, plain: Case) -> None:
    first, *others = plain.statement.rows
    weaker = dataclasses.replace(first, constant=first.constant + 1)
    statement = dataclasses.replace(plain.statement, rows=(weaker, *others))
    assert_refused(setup, plain, 8, ReasonCode.PROOF_INVALID, statement=statement)


def test_steps_are_taken_in_order(setup: Setup, plain: Case) -> None:
    """A message with every fault is refused at the first step whose fault is still there."""
    broken = dataclasses.replace(plain.statement, rows=())
    bad_point = with_bytes(plain.proof, slice(0, 48), INFINITY)
    bad_both = with_bytes(bad_point, slice(288, 320), b"\xff" * 32)
    assert refusal(setup, plain, statement=broken, inputs=[], proof=b"").step == 1
    assert refusal(setup, plain, inputs=[], proof=b"").step == 2
    assert refusal(setup, plain, proof=bad_both + b"\x00").step == 3
    assert refusal(setup, plain, proof=bad_both).step == 4


def test_lagrange_values_agree_with_interpolation() -> None:
    values = [pow(3, i, MODULUS) for i in range(256)]
    point = 123456789
    expected = evaluate(interpolate(values), point)
    assert sum(a * b for a, b in zip(values, lagrange_values(256, point), strict=True)) % MODULUS == expected
