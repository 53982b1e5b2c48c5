"""PMRM_2 worked out by hand: each part alone, and the corners that are easy to get wrong."""

import dataclasses
import math
from typing import Any

import pytest

from marginproof.core import black76_price
from marginproof.risk.pmrm2.margin import BASIS_LABEL, pmrm2_margin
from marginproof.risk.pmrm2.parameters import Scenario, VolatilityMove
from marginproof.risk.pmrm2.portfolio import Perpetual
from tests.risk.pmrm2 import books
from tests.risk.pmrm2.books import PARAMETERS, YEAR, collateral, feed, option, parameters, portfolio


def approx(value: float) -> object:
    return pytest.approx(value, rel=1e-12, abs=1e-9)


def test_cash_alone_is_its_own_margin() -> None:
    found = pmrm2_margin(PARAMETERS, portfolio(cash=-3.5))
    assert (found.initial, found.maintenance, found.worst, found.worst_label) == (-3.5, -3.5, 0.0, BASIS_LABEL)


def test_one_perpetual() -> None:
    # Short 2 at 2 010: +20 % costs 804, ×3 counted at 5 % 402. Contingencies on 2 × 2 000 at spot: 3 % and 1 % more.
    found = pmrm2_margin(PARAMETERS, portfolio(cash=1_000.0, perpetual=Perpetual(-2.0, 2_010.0, 1.0, 30.0)))
    assert found.scenarios[0][1] == approx(-804)
    assert found.scenarios[2][1] == approx(-402)
    assert found.worst_label == "spot +20%, volatility up"
    assert found.initial == approx(1_030 - 804 - 120 - 40)
    assert found.maintenance == approx(1_030 - 0.8 * 804 - 120)


def test_what_a_perpetual_has_not_paid_yet_counts_without_a_position() -> None:
    assert pmrm2_margin(PARAMETERS, portfolio(perpetual=Perpetual(unsettled=7.0))).initial == 7


def test_one_short_call() -> None:
    # (30 / 365)^0.13 beyond 30 days.
    up = 0.6 * (1 + 0.5 * (30 / 365) ** 0.13)
    now, moved = black76_price(True, 2_000, 2_000, 0.6, 1), black76_price(True, 2_400, 2_000, up, 1)
    found = pmrm2_margin(PARAMETERS, portfolio(options=(option(-1),), feeds=(feed(),)))
    assert found.option_value == approx(-now)
    assert found.scenarios[0][1] == approx(now - moved)
    assert found.basis == approx((now - black76_price(True, 2_090, 2_000, 0.6, 1)) * 2.5)
    far = black76_price(True, 6_000, 2_000, up, 1)
    assert found.scenarios[2][1] == approx(0.05 * (now - far))
    assert found.worst == approx(now - moved)
    assert found.initial == approx(-now + found.worst - 2_000 * 0.005)
    assert found.maintenance == approx(-now + 0.8 * found.worst - 2_000 * 0.003)


def test_a_book_that_gains_both_ways_has_no_basis_contingency() -> None:
    strike = 2_000 * math.exp(0.18)  # where the straddle has no delta
    straddle = (option(1, strike=strike), option(1, strike=strike, is_call=False))
    assert pmrm2_margin(PARAMETERS, portfolio(options=straddle, feeds=(feed(),))).basis == 0


def test_collateral_when_the_stable_coin_has_lost_its_peg() -> None:
    # 1 000 USD are 2 000 stable coins of 0.5 USD; the initial factor is 1 + 4 × 0.49.
    held = (collateral(is_risk_cancelling=True),)
    found = pmrm2_margin(PARAMETERS, portfolio(cash=10.0, stable_price=0.5, collaterals=held))
    assert found.collateral_value == approx(2_000)
    assert found.worst == approx(-400)
    assert found.initial_factor == approx(2.96)
    assert found.initial == approx(2_010 - 2.96 * 400 - 200 - 40)
    assert found.maintenance == approx(2_010 - 0.8 * 400 - 200)


def test_other_collateral_does_not_move_with_the_coin() -> None:
    assert pmrm2_margin(PARAMETERS, portfolio(collaterals=(collateral(),))).worst == 0


@pytest.mark.parametrize("stable", [0.99, 1.01])
def test_the_peg_factor_begins_below_its_threshold(stable: float) -> None:
    assert pmrm2_margin(PARAMETERS, portfolio(stable_price=stable)).initial_factor == 1


def test_a_call_and_a_put_of_one_strike_pair_off() -> None:
    options = (
        option(-3),
        option(1, is_call=False),
        option(-1, strike=2_100.0),
        option(-1, strike=2_100.0, is_call=False),
        option(5, strike=2_200.0),
    )
    found = pmrm2_margin(PARAMETERS, portfolio(options=options, feeds=(feed(),)))
    assert found.charges.maintenance_option == approx((2 + 2) * 2_000 * 0.003)
    assert found.charges.initial_option == approx((2 + 2) * 2_000 * 0.002)


def test_strikes_pair_off_within_their_expiry_only() -> None:
    options = (option(-1), option(1, seconds_to_expiry=books.MONTH))
    found = pmrm2_margin(PARAMETERS, portfolio(options=options, feeds=(feed(), feed(books.MONTH))))
    assert found.charges.maintenance_option == approx(2_000 * 0.003)


def test_an_expiry_that_is_worth_more_than_nothing_is_discounted_and_a_debt_is_marked_up() -> None:
    still = parameters(scenarios=(Scenario(1.0, VolatilityMove.NONE),), discount={"short_base": 1.1})
    now = black76_price(True, 2_000, 2_000, 0.6, 1) * math.exp(-0.2)
    market = (feed(rate=0.2),)
    long = pmrm2_margin(still, portfolio(options=(option(1),), feeds=market))
    assert long.option_value == approx(now)
    assert long.scenarios[0][1] == approx(now * (0.95 * math.exp(-0.2) - 1))
    short = pmrm2_margin(still, portfolio(options=(option(-1),), feeds=market))
    # 1.1 · e^0.2 is capped at e^0.2, the undiscounted value.
    assert short.expiries[0].short_discount == approx(math.exp(0.2))
    assert short.scenarios[0][1] == approx(-now * (math.exp(0.2) - 1))
    mild = parameters(scenarios=(Scenario(1.0, VolatilityMove.NONE),), discount={"short_rate_multiple": 0.5})
    uncapped = pmrm2_margin(mild, portfolio(options=(option(-1),), feeds=market))
    assert uncapped.expiries[0].short_discount == approx(math.exp(0.1))


def test_rates_multiply_and_add_to_the_static_discount() -> None:
    rule = parameters(discount={"long_rate_addend": 0.03, "short_rate_addend": 0.04, "short_base": 0.9})
    part = pmrm2_margin(rule, portfolio(options=(option(1),), feeds=(feed(rate=0.1),))).expiries[0]
    assert part.long_discount == approx(0.95 * math.exp(-0.13))
    assert part.short_discount == approx(0.9 * math.exp(0.14))


def test_a_negative_rate_counts_as_none() -> None:
    held = portfolio(options=(option(1),), feeds=(feed(rate=-0.5),))
    assert pmrm2_margin(PARAMETERS, held) == pmrm2_margin(
        PARAMETERS, dataclasses.replace(held, feeds=(feed(rate=0.0),))
    )


@pytest.mark.parametrize(
    ("days", "scale"), [(0.5, 30**0.3), (1, 30**0.3), (3, 10**0.3), (30, 1.0), (31, (30 / 31) ** 0.13)]
)
def test_volatility_moves_scale_with_time(days: float, scale: float) -> None:
    seconds = int(days * 86_400)
    held = portfolio(options=(option(1, seconds_to_expiry=seconds),), feeds=(feed(seconds),))
    part = pmrm2_margin(PARAMETERS, held).expiries[0]
    assert part.up_factor == approx(1 + 0.5 * scale)
    assert part.down_factor == approx(max(0.0, 1 - 0.3 * scale))


def test_a_down_move_never_makes_volatility_negative() -> None:
    rule = parameters(volatility={"range_down": 2.0})
    held = portfolio(options=(option(1),), feeds=(feed(),))
    found = pmrm2_margin(rule, held)
    assert found.expiries[0].down_factor == 0
    assert found.scenarios[1][1] == approx(-found.option_value)


def test_an_up_move_ends_at_the_least_volatility_or_above_and_a_down_move_knows_none() -> None:
    held = portfolio(options=(option(1, volatility=0.01, strike=2_400.0),), feeds=(feed(),))
    rule = parameters(scenarios=(Scenario(1.2, VolatilityMove.UP), Scenario(1.2, VolatilityMove.DOWN)))
    found = pmrm2_margin(rule, held)
    assert found.scenarios[0][1] == approx(0.95 * black76_price(True, 2_400, 2_400, 0.4, 1) - found.option_value)
    down = 0.01 * (1 - 0.3 * (30 / 365) ** 0.13)
    assert found.scenarios[1][1] == approx(0.95 * black76_price(True, 2_400, 2_400, down, 1) - found.option_value)


LINEAR, ABSOLUTE = VolatilityMove.LINEAR_SKEW, VolatilityMove.ABSOLUTE_SKEW


@pytest.mark.parametrize(
    ("move", "strike", "bend"),
    [
        # One year: cap 0.15, k* = 4 × 0.6 = 2.4.
        (LINEAR, 2_000 * math.exp(0.8), 0.05),
        (LINEAR, 2_000 * math.exp(-0.8), -0.05),
        (LINEAR, 2_000 * math.exp(4.8), 0.15),
        (LINEAR, 2_000 * math.exp(-4.8), -0.15),
        (ABSOLUTE, 2_000 * math.exp(0.8), 0.05),
        (ABSOLUTE, 2_000 * math.exp(-0.8), 0.05),
        (ABSOLUTE, 2_000 * math.exp(-4.8), 0.15),
    ],
)
def test_a_skew_bends_volatility_and_ignores_the_spot_move(move: VolatilityMove, strike: float, bend: float) -> None:
    rule = parameters(scenarios=(Scenario(1.3, move),), discount={"long_base": 1.0})
    held = portfolio(options=(option(1, strike=strike),), feeds=(feed(),))
    found = pmrm2_margin(rule, held)
    bent = black76_price(True, 2_000, strike, 0.6 * (1 + bend), 1)
    assert found.scenarios[0][1] == approx(-abs(bent - found.option_value))


def test_the_flat_point_of_a_skew_has_a_floor_and_falls_with_time() -> None:
    held = portfolio(options=(option(1, strike=2_000 * math.exp(0.5)),), feeds=(feed(),))
    rule = parameters(scenarios=(Scenario(1.0, LINEAR),), discount={"long_base": 1.0}, skew={"volatility_slope": -0.35})
    sloped = pmrm2_margin(rule, held)
    bent = black76_price(True, 2_000, 2_000 * math.exp(0.5), 0.6 * (1 + 0.15 * 0.5), 1)
    assert sloped.scenarios[0][1] == approx(-abs(bent - sloped.option_value))
    floored = dataclasses.replace(rule, skew=dataclasses.replace(rule.skew, volatility_slope=-0.7, least_k_star=2.0))
    bent = black76_price(True, 2_000, 2_000 * math.exp(0.5), 0.6 * (1 + 0.15 * 0.25), 1)
    assert pmrm2_margin(floored, held).scenarios[0][1] == approx(-abs(bent - sloped.option_value))


def test_a_skew_never_makes_volatility_negative() -> None:
    rule = parameters(scenarios=(Scenario(1.0, LINEAR),), skew={"linear_base_cap": 5.0}, discount={"long_base": 1.0})
    held = portfolio(options=(option(1, strike=500.0),), feeds=(feed(),))
    found = pmrm2_margin(rule, held)
    assert found.scenarios[0][1] == approx(-(found.option_value - 1_500))


def test_no_expiry_gains_in_a_skew() -> None:
    rule = parameters(scenarios=(Scenario(1.0, LINEAR),), discount={"long_base": 1.0})
    high = 2_000 * math.exp(0.8)
    options = (option(1, strike=high), option(-1, strike=high, seconds_to_expiry=2 * YEAR))
    both = portfolio(options=options, feeds=(feed(), feed(2 * YEAR)))
    apart = [pmrm2_margin(rule, portfolio(options=(one,), feeds=both.feeds)).scenarios[0][1] for one in options]
    assert all(loss < 0 for loss in apart)
    assert pmrm2_margin(rule, both).scenarios[0][1] == approx(sum(apart))


def test_confidence_charges_follow_the_order_of_the_minimum() -> None:
    # Collateral knows the spot feed, the book also the perpetual's; the options' own feeds only their expiry.
    held = portfolio(
        spot_confidence=0.5,
        perpetual=Perpetual(-1.0, 2_000.0, 0.4, 0.0),
        collaterals=(collateral(), collateral(name="WORSE", confidence=0.3)),
        options=(option(-2), option(1, strike=2_100.0)),
        feeds=(feed(rate_confidence=0.2),),
    )
    found = pmrm2_margin(PARAMETERS, held)
    assert found.charges.confidence == approx(0.6 * 2_000 + 0.5 * 1_000 + 0.7 * 1_000 + 0.8 * 3 * 2_000)


@pytest.mark.parametrize("name", ["forward_confidence", "rate_confidence", "volatility_confidence"])
def test_every_feed_of_an_expiry_counts(name: str) -> None:
    change: dict[str, Any] = {name: 0.5}
    held = portfolio(options=(option(1),), feeds=(feed(**change),))
    assert pmrm2_margin(PARAMETERS, held).charges.confidence == approx(0.5 * 2_000)


def test_confidence_at_the_threshold_is_enough() -> None:
    held = portfolio(spot_confidence=0.55, collaterals=(collateral(),))
    assert pmrm2_margin(PARAMETERS, held).charges.confidence == 0


def test_a_perpetuals_confidence_counts_only_where_one_is_held() -> None:
    held = portfolio(perpetual=Perpetual(confidence=0.0), options=(option(1),), feeds=(feed(),))
    assert pmrm2_margin(PARAMETERS, held).charges.confidence == 0


def test_any_volatility_has_a_price() -> None:
    held = portfolio(options=(option(-1, volatility=3_000.0),), feeds=(feed(),))
    assert pmrm2_margin(PARAMETERS, held).option_value == approx(-2_000)
    near = portfolio(options=(option(-1, volatility=150.0, seconds_to_expiry=600),), feeds=(feed(600),))
    expected = black76_price(True, 2_000, 2_000, 1.5, 600 * 100**2 / YEAR)
    assert pmrm2_margin(PARAMETERS, near).option_value == approx(-expected)


def test_representations_hide_amounts() -> None:
    held = portfolio(cash=1_234.0)
    assert "1234" not in repr(held) + repr(pmrm2_margin(PARAMETERS, held))
