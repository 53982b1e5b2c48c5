"""Trading lines: which books a pledge covers, in integers.

A pledge is the venue's book with its cash lowered by a line. A book is covered while it is no worse than the pledge in
every row, ⟨w_s, book − pledge⟩ ≥ 0. The main row of scenario s, which holds for the pledge, then holds for the book,
with the same collateral, the same pledges elsewhere and the same auxiliary entries. Constants cancel: they take off
what rounding can cost any book within max_lots.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Self

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Universe


class Line:
    """How far a book may still move before its pledge no longer covers it; immutable, and secret like the book."""

    __slots__ = ("_columns", "_slack")

    _columns: dict[int, tuple[int, ...]]
    _slack: tuple[int, ...]

    def __init__(self, rows: Sequence[Mapping[int, int]], pledge: Mapping[int, int], book: Mapping[int, int]) -> None:
        """Works the slack of every row out.

        Args:
            rows: Weights of the venue's own pledge (index → row units per lot), one mapping per row that must hold:
                ``book_rows`` of both purposes, see :meth:`~marginproof.risk.snapshot.SnapshotRows.line_rows`.
            pledge: The pledged vector, index → lots.
            book: The actual book, index → lots.
        """
        self._columns = {
            index: tuple(row.get(index, 0) for row in rows) for index in {index for row in rows for index in row}
        }
        ahead = dict(book)
        for index, lots in pledge.items():
            ahead[index] = ahead.get(index, 0) - lots
        self._slack = self._moved((0,) * len(rows), ahead)

    def fits(self, change: Mapping[int, int]) -> bool:
        """Whether the book with ``change`` (index → lots bought or, negative, sold) added would still be covered."""
        return min(self._moved(self._slack, change), default=0) >= 0

    def keeps(self, change: Mapping[int, int]) -> bool:
        """Whether the least slack with ``change`` added would be no less than it is now."""
        return min(self._moved(self._slack, change), default=0) >= min(self._slack, default=0)

    def after(self, change: Mapping[int, int]) -> Self:
        """The line once ``change`` has been booked, whether it fits or not."""
        line = object.__new__(type(self))
        line._columns, line._slack = self._columns, self._moved(self._slack, change)
        return line

    def room_usd(self, row_unit_exponent: int) -> Fraction:
        """The least slack of any row in USD, negative where the book is not covered: for display, not for decisions."""
        return Fraction(min(self._slack, default=0), 10**row_unit_exponent)

    def _moved(self, slack: tuple[int, ...], change: Mapping[int, int]) -> tuple[int, ...]:
        for index, lots in change.items():
            weights = self._columns.get(index)
            if weights:
                slack = tuple([before + weight * lots for before, weight in zip(slack, weights, strict=True)])
        return slack

    def __repr__(self) -> str:
        return f"Line(<{len(self._slack)} rows>)"


def covers(rows: Sequence[Mapping[int, int]], pledge: Mapping[int, int], book: Mapping[int, int]) -> bool:
    """Whether a pledge covers a book: in every row the book is worth no less. Arguments as of :class:`Line`."""
    return Line(rows, pledge, book).fits({})


def cash_entry(universe: Universe) -> Entry:
    """The universe's one cash entry.

    Raises:
        MalformedError: CONFIG_INVALID; a venue can only book trades where there is exactly one.
    """
    found = [entry for entry in universe.entries if entry.kind == EntryKind.CASH]
    if len(found) != 1:
        raise MalformedError("a venue needs exactly one cash entry in the universe", code=ReasonCode.CONFIG_INVALID)
    return found[0]


def owes_nothing(universe: Universe, book: Mapping[int, int]) -> bool:
    """Whether a book has no position and no debt: it can only be worth something, in every scenario, without a pledge.

    Args:
        universe: What the indices mean; with one cash entry.
        book: Index → signed lots, non-zero entries.
    """
    cash = cash_entry(universe).index
    return all(index == cash and lots > 0 for index, lots in book.items())


def pledge_vector(universe: Universe, book: Mapping[int, int], line: int) -> dict[int, int]:
    """The vector to be pledged: the book with its cash lowered by ``line`` lots of the cash entry, without zeros.

    Raises:
        MalformedError: OUT_OF_RANGE, the line is negative or the cash would lie below −max_lots; CONFIG_INVALID as
            :func:`cash_entry`.
    """
    cash = cash_entry(universe)
    lowered = book.get(cash.index, 0) - line
    if line < 0 or abs(lowered) > cash.max_lots:
        raise MalformedError(
            "a line is not negative, and cash lowered by it stays within max_lots of the cash entry",
            code=ReasonCode.OUT_OF_RANGE,
            fix="reserve a smaller line",
        )
    return {index: lots for index, lots in {**book, cash.index: lowered}.items() if lots}
