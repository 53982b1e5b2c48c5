"""Section 1: the Ethereum ceremony's powers of τ, the domain, commitments to integer vectors."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marginproof.model.reasons import ReasonCode
from marginproof.reference.curve import (
    G2_POINT_BYTES,
    POINT_BYTES,
    G1Point,
    G2Point,
    decode_curve_point,
    decode_g2_point,
    encode_point,
    multi_scalar_multiplication,
)
from marginproof.reference.errors import ArgumentError
from marginproof.reference.field import MODULUS
from marginproof.reference.polynomial import Polynomial, blind, interpolate

SETUP_DIGEST = bytes.fromhex("bfe6bde32861347be66bd8af2f1be07c541971b46eb485cfa403eb1a2e846695")
"""SHA-256 of all G1 powers followed by all G2 powers, compressed."""

G1_POWERS = 4096
G2_POWERS = 65
SETUP_BYTES = G1_POWERS * POINT_BYTES + G2_POWERS * G2_POINT_BYTES


class Setup:
    """[τ^i]₁ for i < 4096 and [τ^i]₂ for i ≤ 64, pinned by their digest.

    Membership of the subgroup and consecutive powers were checked once for this digest, when the file was built; here
    the digest alone decides, and points are decoded when first needed.

    Args:
        data: The 202,848 bytes of the setup file.

    Raises:
        ArgumentError: SETUP_DIGEST_MISMATCH.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) != SETUP_BYTES or hashlib.sha256(data).digest() != SETUP_DIGEST:
            raise ArgumentError(
                ReasonCode.SETUP_DIGEST_MISMATCH,
                "these are not the powers of the Ethereum ceremony",
                fix="rebuild the setup file with the script beside it",
            )
        self._data = data
        self._g1: list[G1Point] = []
        self.tau_g2: G2Point = decode_g2_point(self._encoded_g2(1))

    @classmethod
    def load(cls, path: Path) -> "Setup":
        """Reads the setup file; errors of the file system pass through."""
        return cls(path.read_bytes())

    def _encoded_g2(self, power: int) -> bytes:
        start = G1_POWERS * POINT_BYTES + power * G2_POINT_BYTES
        return self._data[start : start + G2_POINT_BYTES]

    def powers(self, count: int) -> list[G1Point]:
        """[1]₁, [τ]₁, … [τ^(count−1)]₁; count ≤ 4096."""
        for i in range(len(self._g1), count):
            self._g1.append(decode_curve_point(self._data[i * POINT_BYTES : (i + 1) * POINT_BYTES]))
        return self._g1[:count]

    def commit_polynomial(self, polynomial: Sequence[int]) -> bytes:
        """[p(τ)]₁, compressed."""
        return encode_point(multi_scalar_multiplication(self.powers(len(polynomial)), polynomial))


@dataclass(frozen=True)
class Opening:
    """A committed vector and its blinding; secret, so neither is printed.

    Args:
        values: Entry index → signed integer; absent entries are zero.
        blinding: ρ, uniform in [0, r), fresh for every commitment.
    """

    values: Mapping[int, int] = field(repr=False)
    blinding: int = field(repr=False)

    def entries(self, n: int) -> list[int]:
        """The n entries as integers."""
        return [self.values.get(i, 0) for i in range(n)]

    def polynomial(self, n: int) -> Polynomial:
        """A(X) = Σ a_i L_i(X) + ρ · Z_H(X); a negative entry −x stands as r − x."""
        return blind(interpolate(self.entries(n)), [self.blinding % MODULUS], n)

    def commitment(self, setup: Setup, n: int) -> bytes:
        """C = [A(τ)]₁, compressed."""
        return setup.commit_polynomial(self.polynomial(n))
