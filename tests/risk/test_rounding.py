"""Rows against clear arithmetic: what rows accept is solvent; what is solvent by the bound or more is accepted."""

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.core import Opening, random_blinding
from marginproof.model.margin import Purpose
from marginproof.model.universe import EntryKind, Universe
from marginproof.risk.clear import ClearMargin, clear_margin
from marginproof.risk.market import Market
from marginproof.risk.policy import Policy, load_policy
from marginproof.risk.recognition import Recognition
from marginproof.risk.rows import CompiledPolicy, compile_policy
from marginproof.risk.valuation import unit_values
from tests.risk import world


@dataclasses.dataclass(frozen=True)
class Account:
    """Vectors of one account, and what it has pledged elsewhere."""

    collateral: dict[int, int]
    book: dict[int, int]
    others: tuple[tuple[Recognition, dict[int, int]], ...] = ()


@dataclasses.dataclass(frozen=True)
class Case:
    """A policy at a market, both ways, for one account."""

    rows: tuple[Fraction, ...]
    clear: ClearMargin
    compiled: CompiledPolicy

    @property
    def accepted(self) -> bool:
        return min(self.rows) >= 0


def evaluate(policy: Policy, universe: Universe, market: Market, purpose: Purpose, account: Account) -> Case:
    compiled = compile_policy(policy, universe, market, purpose, [recognition for recognition, _ in account.others])
    pledges = [pledge for _, pledge in account.others]
    auxiliary = compiled.auxiliary(pledges)
    vectors = [account.collateral, account.book, *pledges, *([] if auxiliary is None else [auxiliary])]
    values = compiled.statement.row_values([Opening(universe.n, vector, random_blinding(vector)) for vector in vectors])
    step = len(values) // len(compiled.labels)
    assert all(0 <= value < 2**64 for first in range(0, step - 1, 2) for value in values[first::step])
    assert all(0 <= value < 2**96 for second in range(1, step - 1, 2) for value in values[second::step])
    unit = Fraction(1, 10**policy.row_unit_exponent)
    rows = tuple(value * unit for value in values[step - 1 :: step])
    clear = clear_margin(policy, universe, market, purpose, account.collateral, account.book, account.others)
    return Case(rows, clear, compiled)


@st.composite
def universes(draw: st.DrawFn) -> Universe:
    """Lots from a hundredth to 10^-11 of a unit, up to 10 000 units of each entry."""
    universe = world.universe()
    for entry in universe.entries:
        exponent = draw(st.integers(2, 11), label=f"lot exponent of {entry.id}")
        universe = world.with_entry(universe, entry.index, lot_exponent=exponent, max_lots=10 ** (exponent + 4))
    return universe


@st.composite
def cases(draw: st.DrawFn) -> Case:
    universe = draw(universes())
    policy = world.policy(row_unit_exponent=str(draw(st.integers(2, 14))))
    market = Market(
        world.NOW + draw(st.integers(-30, 12)) * world.DAY,
        {
            "price:ETH": draw(st.integers(10**4, 10**13)),
            "price:USDC": draw(st.integers(5 * 10**7, 2 * 10**8)),
            "volatility:ETH": draw(st.integers(10**6, 5 * 10**8)),
        },
    )
    books = st.fixed_dictionaries({e.index: st.integers(-e.max_lots, e.max_lots) for e in universe.entries})
    account = Account(
        {e.index: draw(st.integers(0, e.max_lots)) for e in universe.entries if e.kind == EntryKind.COLLATERAL},
        draw(books),
        tuple(draw(st.lists(st.tuples(st.sampled_from(Recognition), books), max_size=3))),
    )
    return evaluate(policy, universe, market, draw(st.sampled_from(Purpose)), account)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_no_row_is_above_its_clear_value_nor_further_below_it_than_the_bound(case: Case) -> None:
    for row, clear in zip(case.rows, case.clear.values, strict=True):
        assert 0 <= clear - row <= case.compiled.rounding_bound


@given(cases())
@settings(max_examples=150, deadline=None)
def test_accepted_means_solvent_and_solvent_by_the_bound_means_accepted(case: Case) -> None:
    if case.accepted:
        assert case.clear.solvent
    if case.clear.worst >= case.compiled.rounding_bound:
        assert case.accepted


def test_the_book_that_gains_most_by_rounding_gains_nothing() -> None:
    """Every entry at its bound, on the side to which its weight was rounded; the constant takes all of it off again."""
    policy, market = world.policy(row_unit_exponent="6"), world.market(eth="123.45678901")
    universe = world.universe()
    for index, bound in ((world.ETH, 12_345), (world.PERP, 10_007), (world.CALL, 30_011), (world.PUT, 50_021)):
        universe = world.with_entry(universe, index, max_lots=bound)
    values = unit_values(policy, universe, market)
    for position, scenario in enumerate(policy.scenarios):
        book = {}
        for entry in universe.entries:
            value = values[entry.index]
            exact = value.now + scenario.loss_weight * (value.moved[position] - value.now)
            exact *= Fraction(10**6, 10**entry.lot_exponent)
            book[entry.index] = entry.max_lots if round(exact) >= exact else -entry.max_lots
        case = evaluate(policy, universe, market, Purpose.MAINTENANCE, Account({}, book))
        assert 0 <= case.clear.values[position] - case.rows[position] < Fraction(1, 10**6)


def coarse() -> tuple[Policy, Universe, Market]:
    """1001 lots of 10^-9 ETH at 200.30 USD: each 0.2003 units of 10^-6 USD, at most 0.24036, and rounded to 0."""
    universe = world.universe()
    for entry in universe.entries:
        universe = world.with_entry(universe, entry.index, max_lots=0)
    universe = world.with_entry(universe, world.PERP, lot_exponent=9, max_lots=1_001)
    universe = world.with_entry(universe, world.DUST, lot_exponent=6, max_lots=2**40)
    return world.policy(row_unit_exponent="6"), universe, world.market(eth="200.3")


@pytest.mark.parametrize("full", range(4))
def test_every_pledge_in_full_pays_for_its_rounding(full: int) -> None:
    """What short books gain by rounding, the constant takes off again; long ones lose both."""
    short, long = {world.PERP: -1_001}, {world.PERP: 1_001}
    for book in (short, long):
        account = Account({}, book, ((Recognition.FULL, book),) * full)
        case = evaluate(*coarse(), Purpose.MAINTENANCE, account)
        lost = [clear - row for row, clear in zip(case.rows, case.clear.values, strict=True)]
        if book is short:
            assert all(0 <= loss < Fraction(1, 10**6) for loss in lost)
        else:
            assert max(lost) == case.compiled.rounding_bound


def test_a_loss_elsewhere_cannot_hide_in_rounding() -> None:
    """Lots sold elsewhere weigh nothing, yet owe some 200 units: without a loss being stated the row is negative."""
    policy, universe, market = coarse()
    compiled = compile_policy(policy, universe, market, Purpose.MAINTENANCE, [Recognition.LOSSES_ONLY])
    vectors: list[dict[int, int]] = [{}, {}, {world.PERP: -1_001}, {}]
    values = compiled.statement.row_values([Opening(universe.n, vector, random_blinding(vector)) for vector in vectors])
    assert values[1] == -201
    assert min(values[1::3]) == -241


@pytest.mark.parametrize("venues", range(4))
def test_the_bound_has_a_unit_of_losses_for_every_venue(venues: int) -> None:
    """Cash takes the pledge one row unit beyond whole units of 2^32, in the scenario in which rounding costs most."""
    long = {world.PERP: 1_001}
    pledge = {**long, world.DUST: 240 - 2**32}
    account = Account({}, long, ((Recognition.LOSSES_ONLY, pledge),) * venues)
    case = evaluate(*coarse(), Purpose.MAINTENANCE, account)
    lost = [clear - row for row, clear in zip(case.rows, case.clear.values, strict=True)]
    assert max(lost) == case.compiled.rounding_bound
    assert venues * 2**32 < max(lost) * 10**6 < venues * 2**32 + (1 + venues) * 482


def test_the_bound_is_what_floored_collateral_loses() -> None:
    """Book weights are whole numbers here; a haircut of a millionth lets those of collateral fall just short of one."""
    text = world.POLICY.replace("collateral_haircut_pct: 10", "collateral_haircut_pct: 0.0001")
    universe = world.with_entry(world.universe(), world.ETH, lot_exponent=14, max_lots=10**14)
    account = Account({world.ETH: 10**14}, {})
    case = evaluate(load_policy(text.encode()), universe, world.market(), Purpose.MAINTENANCE, account)
    lost = [clear - row for row, clear in zip(case.rows, case.clear.values, strict=True)]
    assert max(lost) == case.compiled.rounding_bound
    assert Fraction(9, 10) < max(lost) < 1


FINE = world.with_entry(world.universe(), world.PERP, lot_exponent=9, max_lots=10**13)
"""Perpetual lots of 10^-9 ETH: at 123.45678901 USD no scenario price is a whole number of units per lot."""


@given(st.integers(0, 10**10), st.integers(-(10**10), 10**10), st.sampled_from(Purpose))
@settings(max_examples=60, deadline=None)
def test_the_bound_holds_where_the_account_is_moved_to_the_edge(eth: int, perp: int, purpose: Purpose) -> None:
    """Cash makes the worst clear value the smallest that must be accepted, then the largest that must not."""
    policy, market = world.policy(), world.market(eth="123.45678901")
    account = Account({world.ETH: eth}, {world.PERP: perp})
    case = evaluate(policy, FINE, market, purpose, account)
    assert 0 < case.compiled.rounding_bound < Fraction(2, 10)
    edge = evaluate(policy, FINE, market, purpose, shifted(account, case.compiled.rounding_bound - case.clear.worst))
    assert edge.accepted
    broke = evaluate(policy, FINE, market, purpose, shifted(account, -Fraction(1, 10**14) - case.clear.worst))
    assert broke.clear.worst < 0
    assert not broke.accepted


def shifted(account: Account, dollars: Fraction) -> Account:
    """The account with cash added; rounded up to a row unit."""
    return Account(account.collateral, world.with_cash(account.book, dollars, cash=world.CASH, dust=world.DUST))


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("units", "accepted"), [(1, True), (0, True), (-1, False)])
def test_with_exact_weights_the_boundary_is_the_same_to_the_unit(purpose: Purpose, units: int, accepted: bool) -> None:
    policy, universe, market = world.policy(), world.universe(), world.market(eth="187.65")
    account = Account({world.ETH: 7 * 10**6, world.USDC: 10**7}, {world.PERP: -55_000, world.PUT: -150_000})
    first = evaluate(policy, universe, market, purpose, account)
    assert first.compiled.rounding_bound == 0
    moved = shifted(account, Fraction(units, 10**14) - first.clear.worst)
    case = evaluate(policy, universe, market, purpose, moved)
    assert min(case.rows) == case.clear.worst == Fraction(units, 10**14)
    assert case.accepted == case.clear.solvent == accepted
