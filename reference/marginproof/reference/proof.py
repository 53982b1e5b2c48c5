"""Section 5: the proof as bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from marginproof.model.reasons import ReasonCode
from marginproof.reference.curve import POINT_BYTES
from marginproof.reference.errors import ArgumentError
from marginproof.reference.field import MODULUS, SCALAR_BYTES
from marginproof.reference.statement import Statement


@dataclass(frozen=True)
class Proof:
    """The elements in the order of their bytes; points compressed.

    Attributes:
        auxiliary: Commitments C_k the prover made.
        digits: d_j.
        multiplicities: m.
        inverses: φ_j.
        table_inverse: φ_T.
        accumulator: acc.
        quotient: q.
        digit_evaluations: d_j(z), scalars.
        accumulator_evaluation: acc(ωz), a scalar.
        opening_at_z: W_z.
        opening_at_next: W_ωz.
    """

    auxiliary: tuple[bytes, ...]
    digits: tuple[bytes, ...]
    multiplicities: bytes
    inverses: tuple[bytes, ...]
    table_inverse: bytes
    accumulator: bytes
    quotient: bytes
    digit_evaluations: tuple[int, ...]
    accumulator_evaluation: int
    opening_at_z: bytes
    opening_at_next: bytes

    @property
    def points(self) -> list[bytes]:
        """Every point, in order."""
        return [
            *self.auxiliary,
            *self.digits,
            self.multiplicities,
            *self.inverses,
            self.table_inverse,
            self.accumulator,
            self.quotient,
            self.opening_at_z,
            self.opening_at_next,
        ]

    @property
    def scalars(self) -> list[int]:
        """Every scalar, in order."""
        return [*self.digit_evaluations, self.accumulator_evaluation]

    def encode(self) -> bytes:
        """The proof's bytes: the points up to q, the scalars, the two openings."""
        scalars = [value.to_bytes(SCALAR_BYTES, "big") for value in self.scalars]
        return b"".join([*self.points[:-2], *scalars, *self.points[-2:]])


def proof_length(statement: Statement) -> int:
    """48 · (auxiliary + 2c + 6) + 32 · (c + 1)."""
    columns = statement.columns
    return POINT_BYTES * (statement.auxiliary + 2 * columns + 6) + SCALAR_BYTES * (columns + 1)


def check_length(statement: Statement, data: bytes) -> None:
    """The statement fixes the length.

    Raises:
        ArgumentError: PROOF_LENGTH.
    """
    expected = proof_length(statement)
    if len(data) != expected:
        raise ArgumentError(
            ReasonCode.PROOF_LENGTH,
            f"a proof of this statement has {expected} bytes, got {len(data)}",
            fix="send the proof's bytes alone, and the statement it was made for",
        )


def split(statement: Statement, data: bytes) -> Proof:
    """The elements of bytes of the right length; neither points nor scalars are checked yet."""
    columns = statement.columns
    points, rest = _pieces(data, POINT_BYTES, statement.auxiliary + 2 * columns + 4)
    scalars, rest = _pieces(rest, SCALAR_BYTES, columns + 1)
    openings, _ = _pieces(rest, POINT_BYTES, 2)
    point: Iterator[bytes] = iter(points)
    numbers = [int.from_bytes(scalar, "big") for scalar in scalars]
    return Proof(
        auxiliary=_take(point, statement.auxiliary),
        digits=_take(point, columns),
        multiplicities=next(point),
        inverses=_take(point, columns),
        table_inverse=next(point),
        accumulator=next(point),
        quotient=next(point),
        digit_evaluations=tuple(numbers[:-1]),
        accumulator_evaluation=numbers[-1],
        opening_at_z=openings[0],
        opening_at_next=openings[1],
    )


def check_scalars(scalars: Sequence[int]) -> None:
    """Canonical scalars only.

    Raises:
        ArgumentError: SCALAR_RANGE.
    """
    if any(scalar >= MODULUS for scalar in scalars):
        raise ArgumentError(
            ReasonCode.SCALAR_RANGE, "an evaluation is not reduced modulo r", fix="send scalars as residues below r"
        )


def _pieces(data: bytes, size: int, count: int) -> tuple[list[bytes], bytes]:
    return [data[i * size : (i + 1) * size] for i in range(count)], data[size * count :]


def _take(items: Iterator[bytes], count: int) -> tuple[bytes, ...]:
    return tuple(next(items) for _ in range(count))
