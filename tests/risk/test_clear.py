"""The clear calculation, by hand, and the vectors it refuses."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.risk.clear import ClearMargin, clear_margin
from marginproof.risk.recognition import Recognition
from tests.risk import world

POLICY, UNIVERSE = world.policy(), world.universe()


LOSSES, FULL = Recognition.LOSSES_ONLY, Recognition.FULL


def clear(
    collateral: Mapping[int, int],
    book: Mapping[int, int],
    purpose: Purpose = Purpose.MAINTENANCE,
    eth: str = "200",
    others: Sequence[tuple[Recognition, Mapping[int, int]]] = (),
) -> ClearMargin:
    return clear_margin(POLICY, UNIVERSE, world.market(eth=eth), purpose, collateral, book, others)


def test_by_hand() -> None:
    """3 ETH and 1000 USDC, haircuts 10 % and 5 %; 10 ETH sold at 200 USD."""
    found = clear({world.ETH: 3 * 10**6, world.USDC: 10**7}, {world.PERP: -100_000, world.CASH: 200_000})
    assert found.values == world.fractions(1490, 1782, 1782, 1490, 1490, 1198, 1198, "1752.8")
    assert (found.worst_label, found.worst) == ("spot +20%, volatility -25%", Fraction(1198))
    assert found.solvent


def test_a_loss_at_present_prices_is_insolvent_whatever_the_scenarios() -> None:
    found = clear({}, {world.CASH: -1})
    assert (found.worst, found.worst_label, found.solvent) == (Fraction(-1, 100), "no move", False)


def test_exactly_nothing_left_is_solvent() -> None:
    assert clear({}, {}).solvent
    short = clear({}, {world.PERP: -10_000, world.CASH: 24_000})
    assert (short.worst, short.solvent) == (Fraction(0), True)
    assert not clear({}, {world.PERP: -10_000, world.CASH: 24_000, world.DUST: -1}).solvent


def test_a_written_option_needs_its_scenario_price() -> None:
    """In the far move the put is worth 120 USD in place of some 10: three tenths of that loss count."""
    written = clear({}, {world.PUT: -10_000, world.CASH: 2_000})
    assert written.worst_label == "extreme: spot -60%, volatility +50%, 30% of the loss"
    assert Fraction(-25) < written.worst < Fraction(-20)


@pytest.mark.parametrize(
    ("collateral", "book", "vector", "index"),
    [
        ({world.ETH: -1}, {}, "collateral", world.ETH),
        ({world.ETH: 10**12 + 1}, {}, "collateral", world.ETH),
        ({world.CASH: 1}, {}, "collateral", world.CASH),
        ({99: 1}, {}, "collateral", 99),
        ({}, {99: 1}, "book", 99),
        ({}, {world.PERP: 10**11 + 1}, "book", world.PERP),
        ({}, {world.PERP: -(10**11) - 1}, "book", world.PERP),
    ],
)
def test_impossible_vectors_are_refused(
    collateral: dict[int, int], book: dict[int, int], vector: str, index: int
) -> None:
    with pytest.raises(MarginproofError) as caught:
        clear(collateral, book)
    assert caught.value.code == ReasonCode.ENTRY_RANGE
    assert caught.value.fields == {"vector": vector, "index": index}


@pytest.mark.parametrize("recognition", Recognition)
@pytest.mark.parametrize("pledge", [{99: 1}, {world.PERP: 10**11 + 1}, {world.PERP: -(10**11) - 1}])
def test_impossible_pledges_are_refused(recognition: Recognition, pledge: dict[int, int]) -> None:
    with pytest.raises(MarginproofError) as caught:
        clear({}, {}, others=[(LOSSES, {}), (recognition, pledge)])
    assert caught.value.code == ReasonCode.ENTRY_RANGE
    assert caught.value.fields == {"vector": "pledge", "index": next(iter(pledge))}


def test_the_bounds_themselves_are_possible() -> None:
    clear({world.ETH: 10**12}, {world.PERP: -(10**11)}, others=[(LOSSES, {world.PERP: -(10**11)})])


def test_pledges_elsewhere_by_hand() -> None:
    """A coin sold elsewhere at 200 USD gains 40 USD where the price falls by a fifth and loses as much where it rises.

    In the far move three tenths of 120 USD count.
    """
    short = {world.PERP: -10_000, world.CASH: 20_000}
    cash = {world.CASH: 100_000}
    assert clear({}, cash).values == world.fractions(*(1000,) * 8)
    assert clear({}, cash, others=[(FULL, short)]).values == world.fractions(
        1000, 1040, 1040, 1000, 1000, 960, 960, 1036
    )
    assert clear({}, cash, others=[(LOSSES, short)]).values == world.fractions(
        1000, 1000, 1000, 1000, 1000, 960, 960, 1000
    )
    initial = clear({}, cash, Purpose.INITIAL, others=[(LOSSES, short)])
    assert initial.values == world.fractions(1000, 1000, 1000, 1000, 1000, 950, 950, 1000)
    twice = clear({}, cash, others=[(LOSSES, short), (FULL, short), (LOSSES, short)])
    assert twice.values == world.fractions(1000, 1040, 1040, 1000, 1000, 880, 880, 1036)


def test_losses_of_one_venue_are_not_paid_with_profits_of_another() -> None:
    opposite = [(LOSSES, {world.PERP: lots, world.CASH: -2 * lots}) for lots in (10_000, -10_000)]
    assert clear({}, {}, others=opposite).values[1] == -40
    assert clear({}, {}, others=opposite).values[5] == -40


def test_a_repr_shows_no_amount() -> None:
    assert repr(clear({world.ETH: 10**6}, {})) == "ClearMargin(<8 scenarios>)"


lots = st.integers(-(10**9), 10**9)
books = st.fixed_dictionaries(dict.fromkeys((world.CASH, world.PERP, world.CALL, world.PUT), lots))


@given(st.integers(0, 10**9), books, st.integers(1, 100_000))
def test_initial_margin_implies_maintenance_margin(eth: int, book: dict[int, int], cents: int) -> None:
    price = str(Fraction(cents, 100).numerator / Fraction(cents, 100).denominator)
    if clear({world.ETH: eth}, book, Purpose.INITIAL, price).solvent:
        assert clear({world.ETH: eth}, book, Purpose.MAINTENANCE, price).solvent


@given(st.integers(0, 10**9), st.integers(0, 10**9), books, st.sampled_from(Purpose))
def test_more_collateral_never_hurts(eth: int, more: int, book: dict[int, int], purpose: Purpose) -> None:
    less, richer = (clear({world.ETH: amount}, book, purpose) for amount in (eth, eth + more))
    assert all(first <= second for first, second in zip(less.values, richer.values, strict=True))


@given(books, books)
def test_margin_of_two_books_is_never_less_than_the_sum_of_each(first: dict[int, int], second: dict[int, int]) -> None:
    """The worst scenario is one for both: netting can help, never hurt."""
    together = {index: first[index] + second[index] for index in first}
    assert clear({}, together).worst >= clear({}, first).worst + clear({}, second).worst
