"""Section 2: what is proven, its canonical form and its digest.

For every row s: 0 ≤ b_s + Σ_k ⟨W_{s,k}, a_k⟩ < 2^{bits_s}.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

from marginproof.model.reasons import ReasonCode
from marginproof.reference.errors import ArgumentError
from marginproof.reference.field import MODULUS, SCALAR_BYTES

DOMAIN_SIZES = (256, 512, 1024, 2048)
ROW_BITS = range(8, 129, 8)
DIGIT_BITS = 8
MAX_COLUMNS = 64
MAX_CELLS = 1 << 16
"""Bound on n · V."""

_REBUILD = "rebuild the statement; compare it with docs/protocol.md, section 2"

SparseVector = tuple[tuple[int, int], ...]
"""(index, weight) pairs; canonical: indices rise, no weight is zero."""


@dataclass(frozen=True)
class Row:
    """0 ≤ constant + Σ_k ⟨weights_k, a_k⟩ < 2^bits.

    Args:
        bits: A multiple of 8 from 8 to 128.
        constant: b, a signed integer.
        weights: One sparse vector of signed integers per committed vector.
    """

    bits: int
    constant: int
    weights: tuple[SparseVector, ...]

    @property
    def digits(self) -> int:
        """How many base-256 digits its value has."""
        return self.bits // DIGIT_BITS


@dataclass(frozen=True)
class Statement:
    """A system of rows over V committed vectors; whether it is well-formed is step 1 of the verifier.

    Args:
        n: Length of every vector, size of the domain.
        vectors: V.
        inputs: How many of them the verifier is given; the others are auxiliary and travel in the proof.
        rows: In order; the order is part of the statement.
    """

    n: int
    vectors: int
    inputs: int
    rows: tuple[Row, ...]

    @property
    def auxiliary(self) -> int:
        """How many commitments the prover makes."""
        return self.vectors - self.inputs

    @property
    def digits(self) -> int:
        """Λ, the digits of all rows."""
        return sum(row.digits for row in self.rows)

    @property
    def columns(self) -> int:
        """The number c of digit columns of length n."""
        return max(1, -(-self.digits // self.n))

    def digest(self) -> bytes:
        """SHA-256 of the canonical form; integers big-endian, constants and weights as residues modulo r."""
        parts = [b"marginproof/statement/v1"]
        parts += [_u32(number) for number in (self.n, self.vectors, self.inputs, len(self.rows))]
        for row in self.rows:
            parts += [row.bits.to_bytes(1, "big"), _residue(row.constant)]
            for sparse in row.weights:
                parts.append(_u32(len(sparse)))
                parts += [_u32(index) + _residue(weight) for index, weight in sparse]
        return hashlib.sha256(b"".join(parts)).digest()


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _residue(number: int) -> bytes:
    return (number % MODULUS).to_bytes(SCALAR_BYTES, "big")


def check_shape(statement: Statement) -> None:
    """Sizes: n, V, inputs, rows, bits, columns, one sparse vector per committed vector.

    Raises:
        ArgumentError: STATEMENT_SHAPE.
    """
    _require_shape(statement.n in DOMAIN_SIZES, "n is 256, 512, 1024 or 2048")
    _require_shape(1 <= statement.inputs <= statement.vectors, "1 ≤ inputs ≤ vectors")
    _require_shape(statement.n * statement.vectors <= MAX_CELLS, "n · V ≤ 2^16")
    _require_shape(bool(statement.rows), "there is at least one row")
    for number, row in enumerate(statement.rows):
        _require_shape(row.bits in ROW_BITS, "bits is a multiple of 8 from 8 to 128", number)
        _require_shape(len(row.weights) == statement.vectors, "a row has one weight list per vector", number)
    _require_shape(statement.columns <= MAX_COLUMNS, "the digits fit 64 columns")


def check_canonical(statement: Statement) -> None:
    """One encoding per statement: indices below n and strictly rising, no zero weight.

    Raises:
        ArgumentError: STATEMENT_SHAPE for an index outside [0, n), STATEMENT_NOT_CANONICAL.
    """
    for number, row in enumerate(statement.rows):
        for sparse in row.weights:
            indices = [index for index, _ in sparse]
            _require_shape(all(0 <= index < statement.n for index in indices), "an index is outside [0, n)", number)
            _require_canonical(all(a < b for a, b in pairwise(indices)), "indices do not rise strictly", number)
            _require_canonical(all(weight != 0 for _, weight in sparse), "a weight is zero", number)


def _require_shape(condition: bool, rule: str, row: int | None = None) -> None:
    if not condition:
        raise ArgumentError(ReasonCode.STATEMENT_SHAPE, f"broken rule: {rule}", fix=_REBUILD, row=row)


def _require_canonical(condition: bool, fault: str, row: int) -> None:
    if not condition:
        raise ArgumentError(ReasonCode.STATEMENT_NOT_CANONICAL, f"row {row}: {fault}", fix=_REBUILD, row=row)
