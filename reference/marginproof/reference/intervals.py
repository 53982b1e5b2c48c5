"""Section 2, no wrap-around: an interval analysis that makes every row speak about integers.

Rows are proven modulo r. A row says something about integers only while no value of it can reach r / 2; the analysis
bounds every entry and refuses statements whose rows could wrap. Entries of auxiliary vectors are arbitrary field
elements until a row with weight ±1 binds them: without that rule x = 2^(−1) mod r would prove 2x − 1 = 0.
"""

from collections.abc import Mapping

from marginproof.model.reasons import ReasonCode
from marginproof.reference.errors import ArgumentError
from marginproof.reference.statement import Row, Statement

WEIGHT_LIMIT = 1 << 64
CONSTANT_LIMIT = 1 << 190
INPUT_BOUND = 1 << 63
WRAP_LIMIT = 1 << 253

Entry = tuple[int, int]
"""(vector, index)."""


def check_intervals(statement: Statement) -> None:
    """Refuses a statement unless no row can wrap around modulo r.

    Raises:
        ArgumentError: STATEMENT_WEIGHT_RANGE, STATEMENT_CONSTANT_RANGE, STATEMENT_UNBOUND_AUXILIARY, STATEMENT_WRAP.
    """
    for number, row in enumerate(statement.rows):
        _check_sizes(number, row)
    bounds = bind_auxiliary(statement)
    for number, row in enumerate(statement.rows):
        for vector, index, _ in _terms(row):
            if vector >= statement.inputs and (vector, index) not in bounds:
                raise ArgumentError(
                    ReasonCode.STATEMENT_UNBOUND_AUXILIARY,
                    f"row {number}: no row binds entry {index} of auxiliary vector {vector}",
                    fix="add an earlier row in which this entry is the only unbound one and has weight 1 or -1",
                    row=number,
                )
    for number, row in enumerate(statement.rows):
        _check_bound(number, row_bound(row, statement.inputs, bounds))


def bind_auxiliary(statement: Statement) -> dict[Entry, int]:
    """One pass in row order: the bounds of the auxiliary entries that rows bind.

    A row binds an entry iff it is the only auxiliary entry in it still unbound and has weight ±1; a row with two or
    more unbound ones binds nothing and is not revisited.

    Raises:
        ArgumentError: STATEMENT_WRAP as soon as a bound reaches 2^253.
    """
    bounds: dict[Entry, int] = {}
    for number, row in enumerate(statement.rows):
        unbound = [
            (vector, index, weight)
            for vector, index, weight in _terms(row)
            if vector >= statement.inputs and (vector, index) not in bounds
        ]
        if len(unbound) != 1:
            continue
        vector, index, weight = unbound[0]
        if abs(weight) != 1:
            continue
        bound = row_bound(row, statement.inputs, bounds, without=(vector, index))
        _check_bound(number, bound)
        bounds[vector, index] = bound
    return bounds


def row_bound(row: Row, inputs: int, bounds: Mapping[Entry, int], without: Entry | None = None) -> int:
    """|b| + 2^bits + Σ |w| · bound over the row's entries, `without` left out; every other entry must have a bound."""
    total = abs(row.constant) + (1 << row.bits)
    for vector, index, weight in _terms(row):
        if (vector, index) != without:
            total += abs(weight) * (INPUT_BOUND if vector < inputs else bounds[vector, index])
    return total


def _terms(row: Row) -> list[tuple[int, int, int]]:
    """(vector, index, weight) of every weight of the row."""
    return [(vector, index, weight) for vector, sparse in enumerate(row.weights) for index, weight in sparse]


def _check_sizes(number: int, row: Row) -> None:
    if any(abs(weight) >= WEIGHT_LIMIT for _, _, weight in _terms(row)):
        raise ArgumentError(
            ReasonCode.STATEMENT_WEIGHT_RANGE,
            f"row {number}: a weight reaches 2^64",
            fix="use a coarser unit for the row",
            row=number,
        )
    if abs(row.constant) >= CONSTANT_LIMIT:
        raise ArgumentError(
            ReasonCode.STATEMENT_CONSTANT_RANGE,
            f"row {number}: the constant reaches 2^190",
            fix="use a coarser unit for the row",
            row=number,
        )


def _check_bound(number: int, bound: int) -> None:
    if bound >= WRAP_LIMIT:
        raise ArgumentError(
            ReasonCode.STATEMENT_WRAP,
            f"row {number}: a value of the row could reach 2^253 and wrap around modulo r",
            fix="use smaller weights or shorter chains of auxiliary entries",
            row=number,
        )
