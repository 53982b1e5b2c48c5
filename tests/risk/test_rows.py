"""The integer rows: weights worked out by hand, and what does not fit."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

import pytest

from marginproof.core import Opening, random_blinding
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.risk.policy import Policy
from marginproof.risk.rows import CompiledPolicy, compile_policy
from marginproof.risk.valuation import unit_values
from tests.risk import world

DOLLAR = 10**14


def row_values(
    compiled: CompiledPolicy, collateral: Mapping[int, int] | None = None, book: Mapping[int, int] | None = None
) -> list[int]:
    n = compiled.statement.n
    openings = [Opening(n, dict(vector or {}), random_blinding(vector or {})) for vector in (collateral, book)]
    return compiled.statement.row_values(openings)


def compiled(
    purpose: Purpose = Purpose.MAINTENANCE, policy: Policy | None = None, universe: Universe | None = None
) -> CompiledPolicy:
    return compile_policy(policy or world.policy(), universe or world.universe(), world.market(), purpose)


def test_one_row_for_each_scenario_with_its_label() -> None:
    result = compiled()
    assert result.statement.row_count == world.SCENARIOS
    assert result.labels == tuple(scenario.label for scenario in world.policy().scenarios)


def test_collateral_counts_its_moved_value_after_the_haircut() -> None:
    """One ETH at 200 USD with a haircut of a tenth; the last row counts 0.3 of a loss of 120 USD."""
    values = row_values(compiled(), {world.ETH: 10**6})
    assert values == [round(usd * DOLLAR) for usd in (180, 144, 144, 180, 180, 216, 216, 147.6)]


def test_the_initial_level_counts_a_quarter_more_of_every_move() -> None:
    values = row_values(compiled(Purpose.INITIAL), {world.ETH: 10**6})
    assert values == [round(usd * DOLLAR) for usd in (180, 135, 135, 180, 180, 225, 225, 139.5)]


def test_another_chain_has_another_haircut() -> None:
    assert row_values(compiled(), {world.ETH_ELSEWHERE: 10**6})[0] == 150 * DOLLAR


def test_a_short_perpetual_and_the_cash_from_its_sale() -> None:
    """Sold 2 ETH at 210 USD: 420 USD of cash against two coins at the scenario's price."""
    values = row_values(compiled(), book={world.PERP: -20_000, world.CASH: 42_000})
    assert values == [round(usd * DOLLAR) for usd in (20, 100, 100, 20, 20, -60, -60, 92)]


def test_a_coin_in_the_book_counts_without_haircut_in_both_directions() -> None:
    values = [row_values(compiled(), book={world.ETH: sign * 10**6})[1] for sign in (1, -1)]
    assert values == [160 * DOLLAR, -160 * DOLLAR]


def test_what_is_no_collateral_counts_nothing_among_collateral() -> None:
    values = row_values(compiled(), {world.CASH: 10**6, world.PERP: 10**6, world.CALL: 10**6})
    assert values == [0] * world.SCENARIOS


def test_one_lot_of_the_finest_cash_is_one_unit() -> None:
    assert row_values(compiled(), book={world.DUST: -1}) == [-1] * world.SCENARIOS


def test_exact_weights_cost_nothing() -> None:
    result = compiled()
    assert result.rounding_bound == 0
    assert row_values(result) == [0] * world.SCENARIOS


def test_inexact_weights_are_rounded_against_the_account() -> None:
    """At units of a cent, a millionth of an ETH is worth 0.02 units in the row of no move (0.018 after haircut)."""
    result = compiled(policy=world.policy(row_unit_exponent="2"))
    universe = world.universe()
    constant = row_values(result)[0]
    values = unit_values(world.policy(), universe, world.market())
    lots = {entry.index: values[entry.index].now * 100 / 10**entry.lot_exponent for entry in universe.entries}
    errors = {index: abs(cents - round(cents)) for index, cents in lots.items()}
    assert errors[world.ETH] == Fraction(1, 50)
    assert errors[world.CASH] == errors[world.PERP] == 0
    total = sum(entry.max_lots * errors[entry.index] for entry in universe.entries)
    assert -constant - 1 < total <= -constant
    assert row_values(result, {world.ETH: 10**9})[0] == constant
    assert result.rounding_bound > 0


def test_a_lot_that_is_worth_less_than_half_a_unit_weighs_nothing() -> None:
    universe = world.with_entry(world.universe(), world.PERP, lot_exponent=18, max_lots=10**18)
    result = compiled(universe=universe)
    assert row_values(result, book={world.PERP: 10**18})[0] == row_values(result)[0] < 0


def test_a_lot_that_is_worth_too_many_units_is_refused() -> None:
    universe = world.with_entry(world.universe(), world.PERP, lot_exponent=0, max_lots=1)
    heavy = world.market(eth="184467.5")
    with pytest.raises(ConfigurationError) as caught:
        compile_policy(world.policy(), universe, heavy, Purpose.MAINTENANCE)
    assert caught.value.code == ReasonCode.POLICY_INVALID
    assert caught.value.fields == {"entry": "ETH-PERP"}
    assert "smaller lot" in caught.value.fix


def test_the_heaviest_lot_that_fits_is_accepted() -> None:
    """2^64 units are 184 467.4 USD; the scenario of +20 % takes the lot there."""
    universe = world.with_entry(world.universe(), world.PERP, lot_exponent=0, max_lots=1)
    compile_policy(world.policy(), universe, world.market(eth="153722"), Purpose.MAINTENANCE)
    with pytest.raises(ConfigurationError):
        compile_policy(world.policy(), universe, world.market(eth="153723"), Purpose.MAINTENANCE)


def test_bounds_that_let_an_account_leave_the_row_at_the_top_are_refused() -> None:
    """2^96 units are 792 · 10^12 USD; all other entries of the universe together reach some 10^11."""
    largest = (2**96 // DOLLAR - 10**12) * 100
    compiled(universe=world.with_entry(world.universe(), world.CASH, max_lots=largest))
    with pytest.raises(ConfigurationError) as caught:
        compiled(universe=world.with_entry(world.universe(), world.CASH, max_lots=largest + 10**14))
    assert caught.value.code == ReasonCode.POLICY_INVALID
    assert "max_lots" in caught.value.fix


@pytest.mark.parametrize(("dollars", "fits"), [(300 * 10**12, True), (500 * 10**12, False)])
def test_collateral_and_book_of_one_entry_count_together(dollars: int, fits: bool) -> None:
    """At 240 USD, the book's coins alone would fit; with as many of collateral after a tenth of haircut they do not."""
    universe = world.with_entry(world.universe(), world.ETH, max_lots=dollars // 240 * 10**6)
    if fits:
        compiled(universe=universe)
    else:
        with_refusal(universe)


def test_entries_that_count_against_a_long_account_count_for_a_short_one() -> None:
    """Where the price falls, a call weighs less than nothing: whoever wrote calls and holds puts is richest there."""
    policy, universe = world.policy(spot_shocks_pct="[-40, 0, 20]"), world.universe()
    for entry in universe.entries:
        universe = world.with_entry(universe, entry.index, max_lots=1)
    small = compiled(Purpose.INITIAL, policy, universe)
    puts, calls = (row_values(small, book={index: 1}) for index in (world.PUT, world.CALL))
    richest = puts.index(max(puts))
    assert calls[richest] < 0
    bound = (2**96 - 2**80) // puts[richest]
    universe = world.with_entry(universe, world.PUT, max_lots=bound)
    compiled(Purpose.INITIAL, policy, universe)
    with_refusal(world.with_entry(universe, world.CALL, max_lots=bound // 10), Purpose.INITIAL, policy)


def with_refusal(universe: Universe, purpose: Purpose = Purpose.MAINTENANCE, policy: Policy | None = None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        compiled(purpose, policy, universe)
    assert caught.value.code == ReasonCode.POLICY_INVALID


def test_what_the_proof_system_cannot_state_has_its_reason() -> None:
    with pytest.raises(MarginproofError) as caught:
        compiled(universe=dataclasses.replace(world.universe(), n=100))
    assert caught.value.code == ReasonCode.STATEMENT_SHAPE


def test_the_richest_account_is_within_the_rows() -> None:
    result = compiled()
    collateral = {
        index: world.universe().entries[index].max_lots for index in (world.ETH, world.ETH_ELSEWHERE, world.USDC)
    }
    book = {entry.index: entry.max_lots for entry in world.universe().entries}
    assert all(0 <= value < 2**96 for value in row_values(result, collateral, book))


def test_statements_differ_by_purpose_price_time_and_universe() -> None:
    policy, universe, market = world.policy(), world.universe(), world.market()
    digests = {
        compiled(Purpose.MAINTENANCE).statement.digest,
        compiled(Purpose.INITIAL).statement.digest,
        compile_policy(policy, universe, world.market(eth="200.00000001"), Purpose.INITIAL).statement.digest,
        compile_policy(
            policy, universe, dataclasses.replace(market, time=world.NOW + 1), Purpose.INITIAL
        ).statement.digest,
        compile_policy(policy, world.universe(512), market, Purpose.INITIAL).statement.digest,
    }
    assert len(digests) == 5
    assert compiled().statement.digest in digests


@pytest.mark.parametrize(
    ("purpose", "digest"),
    [
        (Purpose.INITIAL, "cc1e2e8c955c89ad5ab5038614b95acbb7352d1ab4403afe6b684c4d8150a15d"),
        (Purpose.MAINTENANCE, "d9bff1af816700250d0a73e01759701662684aa0b421c731b2b7090184811a78"),
    ],
)
def test_rows_are_the_same_on_every_machine_and_in_every_version(purpose: Purpose, digest: str) -> None:
    """Written down once. If this fails, venues and accounts of different versions no longer agree on any snapshot."""
    assert compiled(purpose).statement.digest.hex() == digest
