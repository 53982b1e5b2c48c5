"""What one unit of every entry is worth, now and in each scenario.

This is the policy's pricing, shared by the rows and by the clear calculation. All values are exact: observed prices are
integers of 10^-8 USD, shocks are exact ratios, and a model price *is* by definition the Black-76 double (bit-identical
on every machine) rounded to the nearest 10^-8 USD (halves up), the grid that observed prices lie on.
"""

import dataclasses
from fractions import Fraction
from typing import Final

from marginproof.core import CoreError, black76_price
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import PRICE_SCALE, Entry, EntryKind, Universe
from marginproof.risk.coverage import check_coverage
from marginproof.risk.market import Market
from marginproof.risk.policy import OptionRule, Policy, Scenario

SECONDS_PER_YEAR: Final = 365 * 86_400


@dataclasses.dataclass(frozen=True, slots=True)
class UnitValue:
    """USD per unit of one entry: at present, and in each scenario of the policy, in its order."""

    now: Fraction
    moved: tuple[Fraction, ...]


def unit_values(policy: Policy, universe: Universe, market: Market) -> dict[int, UnitValue]:
    """Values of every entry by index.

    Collateral and perpetuals are worth their price point, cash is worth 1 USD in every scenario, options their
    Black-76 price with the price point as forward; from its expiry on an option is worth its intrinsic value.

    Raises:
        MarginproofError: POLICY_INCOMPLETE, PRICE_UNAVAILABLE, OUT_OF_RANGE or PRICING_DOMAIN.
    """
    check_coverage(policy, universe)
    return {entry.index: _unit_value(policy, entry, market) for entry in universe.entries}


def _unit_value(policy: Policy, entry: Entry, market: Market) -> UnitValue:
    if entry.kind == EntryKind.CASH:
        return UnitValue(Fraction(1), (Fraction(1),) * len(policy.scenarios))
    spot = market.price(entry.price_point)
    beta = policy.price_points[entry.price_point].spot_beta
    spots = tuple(spot * (1 + beta * scenario.spot_shock) for scenario in policy.scenarios)
    if entry.kind in (EntryKind.COLLATERAL, EntryKind.PERPETUAL) or policy.options is None:
        return UnitValue(spot, spots)
    volatility = market.volatility(entry.volatility_point)
    now = _option_price(entry, spot, volatility, market.time)
    moved = tuple(
        _option_price(
            entry, moved_spot, _moved_volatility(policy.options, entry, volatility, scenario, market.time), market.time
        )
        for moved_spot, scenario in zip(spots, policy.scenarios, strict=True)
    )
    return UnitValue(now, moved)


def _moved_volatility(rule: OptionRule, entry: Entry, volatility: Fraction, scenario: Scenario, time: int) -> Fraction:
    scale = rule.shock_scale(entry.expiry - time)
    return max(volatility * (1 + scenario.volatility_shock * scale), rule.volatility_floor)


def _option_price(entry: Entry, spot: Fraction, volatility: Fraction, time: int) -> Fraction:
    years = Fraction(max(entry.expiry - time, 0), SECONDS_PER_YEAR)
    strike = Fraction(entry.strike, PRICE_SCALE)
    try:
        # Division of integers to a double is correctly rounded, so these conversions agree on every machine too.
        price = black76_price(entry.kind == EntryKind.CALL, float(spot), float(strike), float(volatility), float(years))
    except CoreError as error:
        raise MarginproofError(
            ReasonCode(error.code), f"{entry.id}: {error.message}", fields={"entry": entry.id}
        ) from error
    numerator, denominator = price.as_integer_ratio()
    return Fraction((2 * numerator * PRICE_SCALE + denominator) // (2 * denominator), PRICE_SCALE)
