"""Trading lines: what a pledge covers, and that a book inside it keeps every row that was proven for the pledge."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.core import Opening, random_blinding
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import EntryKind, Universe
from marginproof.risk.line import Line, cash_entry, covers, owes_nothing, pledge_vector
from marginproof.risk.recognition import Recognition
from marginproof.risk.rows import CompiledPolicy, compile_policy
from tests.risk import world

UNIVERSE = world.with_entry(world.universe(), world.DUST, kind=EntryKind.PERPETUAL, price_point="price:USDC")
"""One cash entry only, as venues need it."""
OTHERS = (Recognition.LOSSES_ONLY, Recognition.FULL)


def compiled(purpose: Purpose, others: tuple[Recognition, ...] = ()) -> CompiledPolicy:
    return compile_policy(world.policy(row_unit_exponent="6"), UNIVERSE, world.market(), purpose, others)


ROWS = compiled(Purpose.INITIAL).book_rows + compiled(Purpose.MAINTENANCE).book_rows
BESIDE = {purpose: compiled(purpose, OTHERS) for purpose in Purpose}

lots = st.integers(-(10**8), 10**8)
books = st.dictionaries(st.sampled_from((world.ETH, world.CASH, world.PERP, world.CALL, world.PUT)), lots)
changes = st.dictionaries(st.sampled_from((world.CASH, world.PERP, world.CALL)), st.integers(-(10**5), 10**5))


def plus(first: Mapping[int, int], second: Mapping[int, int]) -> dict[int, int]:
    return {index: first.get(index, 0) + second.get(index, 0) for index in {*first, *second}}


def worth(book: Mapping[int, int]) -> list[int]:
    return [sum(row.get(index, 0) * lots for index, lots in book.items()) for row in ROWS]


# -- covers, and the line ----------------------------------------------------------------------------------------------


@given(books, books)
def test_a_pledge_covers_what_is_worth_no_less_in_every_row(pledge: dict[int, int], book: dict[int, int]) -> None:
    no_less = all(first >= second for first, second in zip(worth(book), worth(pledge), strict=True))
    assert covers(ROWS, pledge, book) == no_less


@given(books)
def test_a_book_is_covered_by_itself_and_not_once_a_lot_of_cash_is_gone(book: dict[int, int]) -> None:
    assert covers(ROWS, book, book)
    assert not covers(ROWS, book, plus(book, {world.CASH: -1}))
    assert covers(ROWS, plus(book, {world.CASH: -1}), book)


def test_one_row_in_which_the_book_is_worse_is_enough() -> None:
    """A coin bought at the present price is as good as its cost at present, and worse where the price falls."""
    bought = {world.PERP: 10_000, world.CASH: -20_000}
    no_move = [ROWS[0]]
    assert covers(no_move, {}, bought)
    assert not covers(ROWS, {}, bought)


@given(books, st.integers(0, 10**6), st.lists(changes, max_size=4))
@settings(max_examples=100, deadline=None)
def test_fitting_is_the_same_as_working_all_rows_out_again(
    book: dict[int, int], dollars: int, fills: list[dict[int, int]]
) -> None:
    pledge = pledge_vector(UNIVERSE, book, dollars * 100)
    line = Line(ROWS, pledge, book)
    for fill in fills:
        book = plus(book, fill)
        assert line.fits(fill) == covers(ROWS, pledge, book)
        before, line = line, line.after(fill)
        assert line.fits({}) == before.fits(fill)
        assert line.room_usd(6) == Line(ROWS, pledge, book).room_usd(6)


def test_the_last_cent_of_a_line_is_to_be_had_and_no_more() -> None:
    """Buying 10 coins at 200 USD needs 500 USD at the initial level: 1.25 times a fall of a fifth."""
    fill = {world.PERP: 100_000, world.CASH: -200_000}
    for line_lots, fits in ((50_000, True), (49_999, False)):
        line = Line(ROWS, pledge_vector(UNIVERSE, {}, line_lots), {})
        assert line.room_usd(6) * 100 == line_lots
        assert line.fits(fill) == fits
        assert line.after(fill).room_usd(6) * 100 == line_lots - 50_000
    assert line.fits({world.PERP: 99_000, world.CASH: -198_000})


def test_a_line_that_is_overdrawn_takes_only_what_brings_it_back() -> None:
    line = Line(ROWS, {}, {world.CASH: -100})
    assert line.room_usd(6) == -1
    assert not line.fits({})
    assert not line.fits({world.CASH: 99})
    assert line.fits({world.CASH: 100})


def test_an_entry_that_no_row_weighs_changes_nothing() -> None:
    line = Line(ROWS, {}, {})
    assert line.fits({99: -5})
    assert line.after({99: -5}).fits({})


def test_a_repr_shows_no_amount() -> None:
    assert repr(Line(ROWS, {}, {world.CASH: 77})) == "Line(<16 rows>)"


# -- what a line is for ------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**9), books, books, books, st.integers(0, 10**6), changes)
@settings(max_examples=100, deadline=None)
def test_rows_that_hold_for_the_pledge_hold_for_every_book_inside_the_line(
    eth: int, book: dict[int, int], first: dict[int, int], second: dict[int, int], dollars: int, fill: dict[int, int]
) -> None:
    """In each row, at either level, with the auxiliary entries of the proof that was made for the pledge."""
    pledge = pledge_vector(UNIVERSE, book, dollars * 100)
    if not Line(ROWS, pledge, book).fits(fill):
        return
    for level in BESIDE.values():
        auxiliary = level.auxiliary([first, second])
        assert auxiliary is not None
        proven, actual = (
            level.statement.row_values(
                [
                    Opening(UNIVERSE.n, vector, random_blinding(vector))
                    for vector in ({world.ETH: eth}, own, first, second, auxiliary)
                ]
            )
            for own in (pledge, plus(book, fill))
        )
        assert all(value >= before for before, value in zip(proven, actual, strict=True))
        assert actual[0::3] == proven[0::3]
        assert actual[1::3] == proven[1::3]


# -- the pledged vector ------------------------------------------------------------------------------------------------


def test_a_pledge_is_the_book_with_less_cash_and_without_zeros() -> None:
    book = {world.PERP: -3, world.CASH: 50, world.CALL: 0}
    assert pledge_vector(UNIVERSE, book, 20) == {world.PERP: -3, world.CASH: 30}
    assert pledge_vector(UNIVERSE, book, 50) == {world.PERP: -3}
    assert pledge_vector(UNIVERSE, {}, 7) == {world.CASH: -7}
    assert book == {world.PERP: -3, world.CASH: 50, world.CALL: 0}


MAX_CASH = UNIVERSE.entries[world.CASH].max_lots


@pytest.mark.parametrize(("cash", "line"), [(0, -1), (0, MAX_CASH + 1), (-MAX_CASH, 1), (MAX_CASH + 1, 0)], ids=str)
def test_a_line_beyond_the_cash_entry_is_refused(cash: int, line: int) -> None:
    with pytest.raises(MarginproofError) as caught:
        pledge_vector(UNIVERSE, {world.CASH: cash}, line)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE
    assert str(MAX_CASH) not in str(caught.value)


def test_the_longest_line() -> None:
    assert pledge_vector(UNIVERSE, {}, MAX_CASH) == {world.CASH: -MAX_CASH}
    assert pledge_vector(UNIVERSE, {world.CASH: MAX_CASH}, 2 * MAX_CASH) == {world.CASH: -MAX_CASH}


@pytest.mark.parametrize(
    "universe",
    [world.universe(), world.with_entry(UNIVERSE, world.CASH, kind=EntryKind.PERPETUAL)],
    ids=["two", "none"],
)
def test_a_venue_needs_exactly_one_cash_entry(universe: Universe) -> None:
    assert cash_entry(UNIVERSE).index == world.CASH
    with pytest.raises(MarginproofError) as caught:
        pledge_vector(universe, {}, 0)
    assert caught.value.code == ReasonCode.CONFIG_INVALID


def test_what_needs_no_pledge() -> None:
    assert owes_nothing(UNIVERSE, {})
    assert owes_nothing(UNIVERSE, {world.CASH: 1})
    assert not owes_nothing(UNIVERSE, {world.CASH: -1})
    assert not owes_nothing(UNIVERSE, {world.PERP: 1})
    assert not owes_nothing(UNIVERSE, {world.CASH: 5, world.PERP: -1})
