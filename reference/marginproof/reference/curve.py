"""G1 of BLS12-381 on py_ecc: strict decoding, multi-scalar multiplication, the two-pairing check.

Sources: IETF draft pairing-friendly-curves, §4.2.1 for the curve and the subgroup's order, appendix C for the ZCash
serialisation and its flags.
"""

from collections.abc import Sequence

from py_ecc.bls.point_compression import compress_G1, decompress_G2
from py_ecc.bls.typing import G1Compressed, G2Compressed
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.optimized_bls12_381.optimized_curve import (
    G1,
    G2,
    Z1,
    add,
    double,
    field_modulus,
    is_inf,
    multiply,
    neg,
)
from py_ecc.optimized_bls12_381.optimized_pairing import final_exponentiate, pairing
from py_ecc.typing import Optimized_Point3D

from marginproof.model.reasons import ReasonCode
from marginproof.reference.errors import ArgumentError
from marginproof.reference.field import MODULUS

G1Point = Optimized_Point3D[FQ]
G2Point = Optimized_Point3D[FQ2]

G1_GENERATOR: G1Point = G1
G2_GENERATOR: G2Point = G2
POINT_BYTES = 48
G2_POINT_BYTES = 96

_COMPRESSED, _INFINITY, _GREATER_Y = 1 << 383, 1 << 382, 1 << 381
_REENCODE = "send the canonical 48-byte compressed form of a point of the prime-order subgroup"


def decode_curve_point(data: bytes) -> G1Point:
    """The point of the curve, the subgroup not yet checked.

    Args:
        data: 48 bytes, compressed.

    Raises:
        ArgumentError: POINT_ENCODING for anything but the canonical form of a point on the curve; POINT_AT_INFINITY.
    """
    if len(data) != POINT_BYTES:
        raise _bad_encoding(f"a point has {POINT_BYTES} bytes, got {len(data)}")
    number = int.from_bytes(data, "big")
    if not number & _COMPRESSED:
        raise _bad_encoding("the compression flag is missing")
    if number == _COMPRESSED | _INFINITY:
        raise ArgumentError(ReasonCode.POINT_AT_INFINITY, "the point at infinity is no commitment", fix=_REENCODE)
    if number & _INFINITY:
        raise _bad_encoding("the infinity flag goes with no other bit")
    x = number % _GREATER_Y
    if x >= field_modulus:
        raise _bad_encoding("the x coordinate is not reduced modulo p")
    return (FQ(x), FQ(_ordinate(x, greater=bool(number & _GREATER_Y))), FQ(1))


def _ordinate(x: int, *, greater: bool) -> int:
    """The greater or smaller square root of x³ + 4; p ≡ 3 mod 4, so a root is a power."""
    square = (x**3 + 4) % field_modulus
    y = pow(square, (field_modulus + 1) // 4, field_modulus)
    if y * y % field_modulus != square:
        raise _bad_encoding("the x coordinate belongs to no point of the curve")
    return y if (2 * y > field_modulus) == greater else field_modulus - y


def decode_point(data: bytes) -> G1Point:
    """The point of G1: canonical, on the curve, in the subgroup of order r, not infinity.

    Raises:
        ArgumentError: POINT_ENCODING, POINT_AT_INFINITY or POINT_NOT_IN_SUBGROUP.
    """
    point = decode_curve_point(data)
    if not is_inf(multiply(point, MODULUS)):
        raise ArgumentError(ReasonCode.POINT_NOT_IN_SUBGROUP, "the point has not the prime order r", fix=_REENCODE)
    return point


def _bad_encoding(fault: str) -> ArgumentError:
    return ArgumentError(ReasonCode.POINT_ENCODING, fault, fix=_REENCODE)


def encode_point(point: G1Point) -> bytes:
    """The 48-byte compressed form."""
    number: G1Compressed = compress_G1(point)
    return int(number).to_bytes(POINT_BYTES, "big")


def decode_g2_point(data: bytes) -> G2Point:
    """A point of the setup's second group; only for bytes pinned by the setup's digest."""
    halves = int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")
    return decompress_G2(G2Compressed(halves))


def multi_scalar_multiplication(points: Sequence[G1Point], scalars: Sequence[int]) -> G1Point:
    """Σ scalar · point by Pippenger's buckets; scalars in [0, r), as many as points."""
    pairs = list(zip(points, scalars, strict=True))
    window = max(2, len(pairs).bit_length() - 3)
    total: G1Point = Z1
    for shift in reversed(range(0, MODULUS.bit_length(), window)):
        for _ in range(window):
            total = double(total)
        total = add(total, _window_sum(pairs, shift, window))
    return total


def _window_sum(pairs: Sequence[tuple[G1Point, int]], shift: int, window: int) -> G1Point:
    """Σ digit · point for one window of the scalars: each point into the bucket of its digit, then a double sum."""
    buckets: list[G1Point] = [Z1] * (1 << window)
    for point, scalar in pairs:
        digit = scalar >> shift & (len(buckets) - 1)
        if digit:
            buckets[digit] = add(buckets[digit], point)
    running: G1Point = Z1
    total: G1Point = Z1
    for bucket in reversed(buckets[1:]):
        running = add(running, bucket)
        total = add(total, running)
    return total


def pairings_agree(left: G1Point, left_g2: G2Point, right: G1Point, right_g2: G2Point) -> bool:
    """Whether e(left, left_g2) = e(right, right_g2), with one final exponentiation."""
    product = pairing(left_g2, left, final_exponentiate=False) * pairing(right_g2, neg(right), final_exponentiate=False)
    return bool(final_exponentiate(product) == FQ12.one())
