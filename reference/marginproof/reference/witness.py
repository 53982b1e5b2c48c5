"""Section 4, before any polynomial: openings, the rows on plain integers, their digits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from marginproof.model.reasons import ReasonCode
from marginproof.reference.errors import ArgumentError
from marginproof.reference.intervals import INPUT_BOUND
from marginproof.reference.public_vectors import TABLE_SIZE
from marginproof.reference.setting import Opening
from marginproof.reference.statement import DIGIT_BITS, Statement


def row_values(statement: Statement, openings: Sequence[Opening]) -> list[int]:
    """b_s + Σ_k ⟨W_{s,k}, a_k⟩ of every row, on plain integers; secret.

    Args:
        statement: Well-formed.
        openings: Of all V vectors, inputs first.

    Raises:
        ArgumentError: OPENING_COUNT; ENTRY_RANGE for an index outside [0, n) or an input entry of 2^63 and more.
    """
    check_openings(statement, openings)
    return [
        row.constant
        + sum(
            weight * opening.values.get(index, 0)
            for sparse, opening in zip(row.weights, openings, strict=True)
            for index, weight in sparse
        )
        for row in statement.rows
    ]


def check_openings(statement: Statement, openings: Sequence[Opening]) -> None:
    """As many openings as vectors; indices below n; input entries inside (−2^63, 2^63).

    Raises:
        ArgumentError: OPENING_COUNT, ENTRY_RANGE.
    """
    if len(openings) != statement.vectors:
        raise ArgumentError(
            ReasonCode.OPENING_COUNT,
            f"the statement has {statement.vectors} vectors, got {len(openings)} openings",
            fix="give the openings of the inputs, then of the auxiliary vectors",
        )
    for number, opening in enumerate(openings):
        outside = any(not 0 <= index < statement.n for index in opening.values)
        too_large = number < statement.inputs and any(abs(a) >= INPUT_BOUND for a in opening.values.values())
        if outside or too_large:
            raise ArgumentError(
                ReasonCode.ENTRY_RANGE,
                f"vector {number} has an entry at an index outside [0, n), or an input entry of 2^63 and more",
                fix="use indices below n and, in inputs, entries whose absolute value is below 2^63",
            )


def check_rows(statement: Statement, values: Sequence[int]) -> None:
    """Every row holds on the integers.

    Raises:
        ArgumentError: ROW_NOT_SATISFIED, naming the first row that does not.
    """
    for number, (row, value) in enumerate(zip(statement.rows, values, strict=True)):
        if not 0 <= value < 1 << row.bits:
            raise ArgumentError(
                ReasonCode.ROW_NOT_SATISFIED,
                f"row {number} does not hold for these vectors",
                fix="nothing can be proven until the vectors satisfy this row",
                row=number,
            )


@dataclass(frozen=True)
class Witness:
    """The secret vectors as values on H; never printed.

    Attributes:
        vectors: a_k, n integers each.
        digits: d_j, the digit columns.
        multiplicities: m.
    """

    vectors: list[list[int]] = field(repr=False)
    digits: list[list[int]] = field(repr=False)
    multiplicities: list[int] = field(repr=False)

    @classmethod
    def build(cls, statement: Statement, openings: Sequence[Opening], values: Sequence[int]) -> "Witness":
        """Digits base 256, least significant first, rows one after another, zero-padded; m counts the padding too."""
        n, c = statement.n, statement.columns
        cells = [
            value >> DIGIT_BITS * digit & (TABLE_SIZE - 1)
            for row, value in zip(statement.rows, values, strict=True)
            for digit in range(row.digits)
        ]
        cells += [0] * (c * n - len(cells))
        multiplicities = [0] * n
        for cell in cells:
            multiplicities[cell] += 1
        columns = [cells[j * n : (j + 1) * n] for j in range(c)]
        return cls([opening.entries(n) for opening in openings], columns, multiplicities)
