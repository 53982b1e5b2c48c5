"""Decoding: strict points, scalars and lengths; the setup's digest; commitments."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.optimized_bls12_381.optimized_curve import add, b, eq, field_modulus, is_on_curve, multiply

from marginproof.model.reasons import ReasonCode
from marginproof.reference import SETUP_DIGEST, ArgumentError, Opening, Setup
from marginproof.reference.curve import (
    G1_GENERATOR,
    decode_curve_point,
    decode_point,
    encode_point,
    multi_scalar_multiplication,
)
from marginproof.reference.field import MODULUS
from marginproof.reference.proof import proof_length, split
from marginproof.reference.setting import SETUP_BYTES
from tests.reference.known_answers import SETUP, Case, load_cases

GENERATOR = encode_point(G1_GENERATOR)
FLAGS = 0xE0


def with_first_byte(data: bytes, first: int) -> bytes:
    return bytes([first]) + data[1:]


def refusal(data: bytes) -> ReasonCode:
    with pytest.raises(ArgumentError) as caught:
        decode_point(data)
    assert caught.value.fix
    return caught.value.code


def unreduced(data: bytes) -> bytes:
    """The same point with x + p; only an x below 2^381 − p has room for it."""
    number = int.from_bytes(data, "big") + field_modulus
    return number.to_bytes(48, "big")


def small_x_on_curve() -> bytes:
    """A point of the curve with a small x, so that x + p still fits 381 bits."""
    for x in range(1, 100):
        square = (x**3 + 4) % field_modulus
        if pow(square, (field_modulus - 1) // 2, field_modulus) == 1:
            return (x | 1 << 383).to_bytes(48, "big")
    pytest.fail("half of all x belong to a point")


def test_points_round_trip_with_either_sign() -> None:
    for scalar in (1, 2, 3, MODULUS - 1):
        point = multiply(G1_GENERATOR, scalar)
        assert eq(decode_point(encode_point(point)), point)
    assert encode_point(multiply(G1_GENERATOR, MODULUS - 1)) == with_first_byte(GENERATOR, GENERATOR[0] ^ 0x20)


@pytest.mark.parametrize("length", [0, 1, 47, 49, 96])
def test_point_length(length: int) -> None:
    assert refusal((GENERATOR * 3)[:length]) is ReasonCode.POINT_ENCODING


def test_compression_flag() -> None:
    assert refusal(with_first_byte(GENERATOR, GENERATOR[0] & 0x7F)) is ReasonCode.POINT_ENCODING


def test_infinity() -> None:
    assert refusal(b"\xc0" + bytes(47)) is ReasonCode.POINT_AT_INFINITY


@pytest.mark.parametrize("data", [b"\xe0" + bytes(47), b"\xc0" + bytes(46) + b"\x01", with_first_byte(GENERATOR, 0xD7)])
def test_the_infinity_flag_goes_with_no_other_bit(data: bytes) -> None:
    assert refusal(data) is ReasonCode.POINT_ENCODING


def test_unreduced_coordinate() -> None:
    canonical = small_x_on_curve()
    assert is_on_curve(decode_curve_point(canonical), b)
    assert refusal(unreduced(canonical)) is ReasonCode.POINT_ENCODING


def test_coordinate_of_no_point() -> None:
    off_curve = next(x for x in range(100) if pow(x**3 + 4, (field_modulus - 1) // 2, field_modulus) != 1)
    assert refusal((off_curve | 1 << 383).to_bytes(48, "big")) is ReasonCode.POINT_ENCODING


@pytest.mark.parametrize("flags", [0x80, 0xA0])
def test_points_of_order_three_are_outside_the_subgroup(flags: int) -> None:
    """(0, ±2): the points that a cleared cofactor would let through."""
    assert refusal(bytes([flags]) + bytes(47)) is ReasonCode.POINT_NOT_IN_SUBGROUP


def test_a_point_of_the_subgroup_plus_a_point_of_order_three_is_refused() -> None:
    shifted = add(G1_GENERATOR, decode_curve_point(b"\x80" + bytes(47)))
    assert refusal(encode_point(shifted)) is ReasonCode.POINT_NOT_IN_SUBGROUP


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(max_size=100))
def test_any_bytes_give_a_point_or_a_reason(data: bytes) -> None:
    code = outcome(data)
    assert code is None or code.startswith("POINT_")


def outcome(data: bytes) -> ReasonCode | None:
    try:
        point = decode_point(data)
    except ArgumentError as error:
        return error.code
    assert encode_point(point) == data
    return None


def test_multi_scalar_multiplication_agrees_with_the_definition() -> None:
    points = [multiply(G1_GENERATOR, k) for k in (1, 5, 5, 11)]
    scalars = [0, 1, MODULUS - 1, 2**200 + 3]
    expected = multiply(G1_GENERATOR, (5 - 5 + 11 * (2**200 + 3)) % MODULUS)
    assert eq(multi_scalar_multiplication(points, scalars), expected)


@pytest.mark.parametrize("name", [name for name, case in load_cases().items() if case.valid])
def test_proofs_split_and_join(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    assert len(case.proof) == proof_length(case.statement)
    proof = split(case.statement, case.proof)
    assert proof.encode() == case.proof
    assert len(proof.points) == case.statement.auxiliary + 2 * case.statement.columns + 6


def test_the_setup_is_pinned_by_its_digest() -> None:
    data = SETUP.read_bytes()
    assert len(data) == SETUP_BYTES
    flipped = bytes([*data[:-1], data[-1] ^ 1])
    for wrong in (b"", data[:-1], data + b"\x00", flipped):
        with pytest.raises(ArgumentError) as caught:
            Setup(wrong)
        assert caught.value.code is ReasonCode.SETUP_DIGEST_MISMATCH
    assert SETUP_DIGEST.hex() == "bfe6bde32861347be66bd8af2f1be07c541971b46eb485cfa403eb1a2e846695"


def test_tau_is_in_no_domain(setup: Setup) -> None:
    """Hiding needs Z_H(τ) ≠ 0: [τ^n]₁ ≠ [1]₁ for every n."""
    powers = setup.powers(2049)
    for n in (256, 512, 1024, 2048):
        assert not eq(powers[n], powers[0])


def test_commitments_add_up_also_in_their_blinding(setup: Setup) -> None:
    left, right = Opening({0: 7, 200: -(2**62)}, 123), Opening({0: -9, 3: 1}, MODULUS - 23)
    total = Opening({0: -2, 3: 1, 200: -(2**62)}, 100)
    points = [decode_point(opening.commitment(setup, 256)) for opening in (left, right)]
    assert encode_point(add(points[0], points[1])) == total.commitment(setup, 256)


def test_openings_print_no_secret() -> None:
    opening = Opening({3: 918273645}, 192837465)
    assert "918273645" not in repr(opening)
    assert "192837465" not in repr(opening)
    with pytest.raises(dataclasses.FrozenInstanceError):
        opening.blinding = 0  # type: ignore[misc] # the assignment itself is under test
