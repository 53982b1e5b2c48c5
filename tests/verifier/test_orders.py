"""May an order be filled: every edge of the line, and of what reduces risk."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.errors import RefusedError
from marginproof.model.margin import MarginState
from marginproof.model.reasons import ReasonCode
from marginproof.risk.line import Line, covers
from marginproof.verifier.book import Floor, Order
from marginproof.verifier.orders import TRADING_STATES, Quote, TradingView, check_order
from tests.verifier.world import ACCOUNT, CALL, CASH, FILE, LINE, LOT, NOW, PERP, World, pledge_of

FLOOR = Floor(FILE.universe)
QUOTES = {PERP: Quote(Fraction(2_000), Fraction(2_000)), CALL: Quote(Fraction(80), Fraction(2_000))}
BAND = 50
"""Of 2000 USD: 10 USD."""


def view_of(world: World, book: Mapping[int, int], *pledges: Mapping[int, int], state: MarginState) -> TradingView:
    lines = tuple(Line(world.rows.line_rows(), pledge, book) for pledge in pledges)
    return TradingView(book, lines, state, QUOTES, BAND)


def reason(view: TradingView, lots: int, price: int, instrument: str = "ETH-PERP") -> str:
    order = Order(ACCOUNT, instrument, lots, price * 10**8)
    entry = FLOOR.instrument(order, NOW)
    try:
        check_order(view, entry, lots, order.price_e8, FLOOR.change(entry, order))
    except RefusedError as refusal:
        return refusal.code
    return ""


CLOSED = TradingView({PERP: 5 * LOT}, (), MarginState.GOOD, QUOTES, BAND)


@pytest.mark.parametrize(
    ("lots", "price", "expected"),
    [
        (-LOT, 2_000, ""),
        (-5 * LOT, 2_000, ""),
        (-LOT, 1_990, ""),
        (-LOT, 1_989, "LINE_CLOSED"),
        (-LOT, 9_999, ""),
        (-5 * LOT - 1, 2_000, "LINE_CLOSED"),
        (1, 2_000, "LINE_CLOSED"),
    ],
    ids=["some", "all", "at the band", "below the band", "better price", "through zero", "more"],
)
def test_only_a_shrinking_position_within_the_band_reduces_risk(lots: int, price: int, expected: str) -> None:
    assert reason(CLOSED, lots, price) == expected


@pytest.mark.parametrize(("price", "expected"), [(2_010, ""), (2_011, "LINE_CLOSED"), (1, "")])
def test_a_short_is_bought_back_no_dearer_than_the_band(price: int, expected: str) -> None:
    assert reason(dataclasses.replace(CLOSED, book={PERP: -5 * LOT}), LOT, price) == expected


def test_the_band_of_an_option_is_of_its_underlying() -> None:
    view = dataclasses.replace(CLOSED, book={CALL: 5 * LOT})
    assert [reason(view, -LOT, price, "ETH-C-2500") for price in (70, 69)] == ["", "LINE_CLOSED"]


def test_without_any_snapshot_nothing_is_known_to_reduce_risk() -> None:
    assert reason(dataclasses.replace(CLOSED, quotes={}), -LOT, 2_000) == "LINE_CLOSED"


def test_a_position_that_is_not_there_cannot_be_reduced() -> None:
    assert reason(dataclasses.replace(CLOSED, book={}), -LOT, 2_000) == "LINE_CLOSED"


@pytest.mark.parametrize("state", MarginState)
def test_risk_is_added_only_while_the_account_may_trade(world: World, state: MarginState) -> None:
    view = view_of(world, {}, {CASH: -LINE}, state=state)
    assert reason(view, LOT // 10, 2_000) == ("" if state in TRADING_STATES else "LINE_CLOSED")
    held = view_of(world, {PERP: LOT}, {PERP: LOT, CASH: -LINE}, state=state)
    assert reason(held, -LOT, 2_000) == ""


def hedged(world: World) -> TradingView:
    """Long calls and short perpetuals, built leg by leg inside one narrow line until it is nearly used up."""
    view = view_of(world, {}, {CASH: -LINE}, state=MarginState.GOOD)
    for _ in range(5):
        for instrument, lots, price in (("ETH-C-2500", 3 * LOT // 2, 80), ("ETH-PERP", -LOT // 2, 2_000)):
            assert reason(view, lots, price, instrument) == ""
            order = Order(ACCOUNT, instrument, lots, price * 10**8)
            change = FLOOR.change(FLOOR.instrument(order, NOW), order)
            lines = tuple(line.after(change) for line in view.lines)
            view = dataclasses.replace(view, book=FLOOR.apply(view.book, change), lines=lines)
    return dataclasses.replace(view, rows=world.rows.line_rows())


def test_a_hedge_is_not_taken_away_outside_the_line(world: World) -> None:
    view = hedged(world)
    calls = view.book[CALL]
    assert reason(view, -calls, 70, "ETH-C-2500") == "LINE_EXCEEDED"
    called = dataclasses.replace(view, state=MarginState.MARGIN_CALL)
    assert reason(called, -calls, 70, "ETH-C-2500") == "LINE_CLOSED"
    revoked = dataclasses.replace(view, lines=())
    assert reason(revoked, -calls, 70, "ETH-C-2500") == "LINE_CLOSED"
    assert reason(dataclasses.replace(revoked, state=MarginState.DEFAULT), -calls, 70, "ETH-C-2500") == ""


def test_what_lowers_the_worst_loss_is_booked_outside_the_line(world: World) -> None:
    book = {PERP: 5 * LOT, CASH: -10_000 * LOT}
    for pledges in ([{CASH: 0}], []):
        view = view_of(world, book, *pledges, state=MarginState.MARGIN_CALL)
        view = dataclasses.replace(view, rows=world.rows.line_rows())
        assert reason(view, -LOT, 1_990) == ""


def test_while_a_swap_is_pending_an_order_fits_both_pledges(world: World) -> None:
    wide, narrow = {CASH: -10 * LINE}, {CASH: -LINE}
    orders = {}
    for name, pledges in {"wide": [wide], "both": [wide, narrow], "reversed": [narrow, wide]}.items():
        view = view_of(world, {}, *pledges, state=MarginState.GOOD)
        orders[name] = reason(view, 10 * LOT, 2_000)
    assert orders == {"wide": "", "both": "LINE_EXCEEDED", "reversed": "LINE_EXCEEDED"}


def test_the_last_lot_that_fits(world: World) -> None:
    """The widest order inside the line is taken, one lot more is not; the covered book says the same."""
    pledge = {CASH: -LINE}
    view = view_of(world, {}, pledge, state=MarginState.GOOD)
    low, high = 0, 100 * LOT
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if reason(view, middle or 1, 2_000) == "" else (low, middle)
    assert (reason(view, low, 2_000), reason(view, high, 2_000)) == ("", "LINE_EXCEEDED")
    rows = world.rows.line_rows()
    assert covers(rows, pledge, {PERP: low, CASH: -2_000 * low})
    assert not covers(rows, pledge, {PERP: high, CASH: -2_000 * high})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    trades=st.lists(
        st.tuples(
            st.sampled_from(["ETH-PERP", "ETH-C-2500"]),
            st.integers(min_value=-3 * LOT, max_value=3 * LOT).filter(bool),
            st.integers(min_value=1, max_value=4_000),
        ),
        max_size=12,
    )
)
def test_whatever_is_traded_the_book_stays_covered(world: World, trades: list[tuple[str, int, int]]) -> None:
    """Line by line as the desk does it, against the cover of the whole book: reductions aside, never uncovered."""
    pledge, rows = pledge_of("standing"), world.rows.line_rows()
    book = dict(world.book.vector())
    view = view_of(world, book, pledge.vector(), state=MarginState.GOOD)
    for instrument, lots, price in trades:
        order = Order(ACCOUNT, instrument, lots, price * 10**8)
        entry = FLOOR.instrument(order, NOW)
        if reason(view, lots, price, instrument) == "":
            change = FLOOR.change(entry, order)
            book = FLOOR.apply(book, change)
            view = dataclasses.replace(view, book=book, lines=tuple(line.after(change) for line in view.lines))
        assert covers(rows, pledge.vector(), book)


def test_refusals_show_nothing_of_the_account() -> None:
    order = Order(ACCOUNT, "ETH-PERP", 1_234_567, 2_000 * 10**8)
    entry = FLOOR.instrument(order, NOW)
    with pytest.raises(RefusedError) as caught:
        check_order(CLOSED, entry, order.lots, order.price_e8, FLOOR.change(entry, order))
    assert caught.value.code == ReasonCode.LINE_CLOSED
    assert "1234567" not in str(caught.value)
    assert str(5 * LOT) not in repr(CLOSED)
