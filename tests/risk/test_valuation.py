"""What one unit is worth in each scenario."""

import dataclasses
from fractions import Fraction

import pytest

from marginproof.core import black76_price
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.risk.market import Market, required_points
from marginproof.risk.valuation import unit_values
from tests.risk import world


def test_coins_and_perpetuals_move_with_their_price_times_beta() -> None:
    values = unit_values(world.policy(), world.universe(), world.market(eth="200"))
    for index in (world.ETH, world.ETH_ELSEWHERE, world.PERP):
        assert values[index].now == 200
        assert values[index].moved == world.fractions(200, 160, 160, 200, 200, 240, 240, 80)


def test_a_beta_of_half_halves_the_move() -> None:
    policy = world.policy()
    rule = dataclasses.replace(policy.price_points["price:ETH"], spot_beta=Fraction(1, 2))
    policy = dataclasses.replace(policy, price_points={**policy.price_points, "price:ETH": rule})
    values = unit_values(policy, world.universe(), world.market(eth="200"))
    assert values[world.PERP].moved == world.fractions(200, 180, 180, 200, 200, 220, 220, 140)


def test_a_stablecoin_is_worth_its_price_and_cash_a_dollar() -> None:
    values = unit_values(world.policy(), world.universe(), world.market(usdc="0.874"))
    assert set(values[world.USDC].moved) == {values[world.USDC].now} == {Fraction("0.874")}
    assert set(values[world.CASH].moved) == {values[world.CASH].now} == {Fraction(1)}


def test_options_are_black76_on_the_grid_of_prices() -> None:
    """Ten days to expiry, so volatility shocks count once; the floor of 20 % is not reached."""
    values = unit_values(world.policy(), world.universe(), world.market(eth="200", volatility="0.8"))
    years = 10 / 365
    for index, is_call in ((world.CALL, True), (world.PUT, False)):
        spots = (200.0, 160.0, 160.0, 200.0, 200.0, 240.0, 240.0, 80.0)
        volatilities = (0.8, 0.6, 1.2, 0.6, 1.2, 0.6, 1.2, 1.2)
        expected = [black76_price(is_call, spot, 200.0, v, years) for spot, v in zip(spots, volatilities, strict=True)]
        for value, price in zip(values[index].moved, expected, strict=True):
            assert (value * 10**8).denominator == 1
            assert abs(value - Fraction(price)) <= Fraction(1, 2 * 10**8) + Fraction(1, 10**11)


def test_near_expiry_the_volatility_shock_is_scaled_and_floored() -> None:
    """At two days the shocks count twice: −50 % of 30 % is below the floor of 20 %, +100 % makes 60 %."""
    soon = world.market(volatility="0.3", time=world.NOW + 8 * world.DAY)
    values = unit_values(world.policy(), world.universe(), soon)
    for position, volatility in ((3, 0.2), (4, 0.6)):
        expected = black76_price(True, 200.0, 200.0, volatility, 2 / 365)
        assert abs(values[world.CALL].moved[position] - Fraction(expected)) < Fraction(1, 10**8)


@pytest.mark.parametrize("late", [0, 1, 400 * world.DAY])
def test_from_its_expiry_an_option_is_worth_its_intrinsic_value(late: int) -> None:
    expired = world.market(eth="230", time=world.NOW + 10 * world.DAY + late)
    values = unit_values(world.policy(), world.universe(), expired)
    assert values[world.CALL].now == 30
    assert values[world.PUT].now == 0
    assert values[world.PUT].moved[1] == 16


def test_the_policy_must_cover_the_universe() -> None:
    policy = dataclasses.replace(world.policy(), options=None)
    with pytest.raises(MarginproofError) as caught:
        unit_values(policy, world.universe(), world.market())
    assert caught.value.code == ReasonCode.POLICY_INCOMPLETE


@pytest.mark.parametrize("point", ["price:ETH", "price:USDC", "volatility:ETH"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, ReasonCode.PRICE_UNAVAILABLE),
        (0, ReasonCode.OUT_OF_RANGE),
        (-1, ReasonCode.OUT_OF_RANGE),
    ],
)
def test_a_missing_or_impossible_price_is_refused(point: str, value: int | None, code: ReasonCode) -> None:
    values = {name: number for name, number in world.market().values.items() if name != point}
    if value is not None:
        values[point] = value
    with pytest.raises(MarginproofError) as caught:
        unit_values(world.policy(), world.universe(), Market(world.NOW, values))
    assert (caught.value.code, caught.value.fields["point"]) == (code, point)


def test_a_volatility_beyond_the_formula_names_the_entry() -> None:
    with pytest.raises(MarginproofError) as caught:
        unit_values(world.policy(), world.universe(), world.market(volatility="100.1"))
    assert caught.value.code == ReasonCode.PRICING_DOMAIN
    assert caught.value.fields == {"entry": "ETH-C-200"}


def test_only_points_that_value_an_entry_are_required() -> None:
    universe = world.universe()
    assert required_points(universe) == ("price:ETH", "price:USDC", "volatility:ETH")
    without_options = dataclasses.replace(universe, entries=universe.entries[: world.CALL])
    assert required_points(without_options) == ("price:ETH", "price:USDC")
