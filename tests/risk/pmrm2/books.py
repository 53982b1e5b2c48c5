"""Parameters and portfolios small enough to be worked out by hand."""

import dataclasses
from typing import Any

from marginproof.risk.pmrm2.parameters import (
    BasisContingency,
    Contingencies,
    LossFactors,
    Pmrm2Parameters,
    Scenario,
    SkewShock,
    StaticDiscount,
    VolatilityMove,
    VolatilityShock,
)
from marginproof.risk.pmrm2.portfolio import SECONDS_PER_YEAR, Collateral, ExpiryFeed, OptionPosition, Portfolio

YEAR = SECONDS_PER_YEAR
MONTH = 30 * 86_400

PARAMETERS = Pmrm2Parameters(
    scenarios=(
        Scenario(1.2, VolatilityMove.UP),
        Scenario(0.8, VolatilityMove.DOWN),
        Scenario(3.0, VolatilityMove.UP, 0.05),
    ),
    volatility=VolatilityShock(
        range_up=0.5, range_down=0.3, least_up=0.4, short_power=0.3, long_power=0.13, min_days=1.0
    ),
    skew=SkewShock(
        linear_base_cap=0.25,
        linear_cap_slope=-0.1,
        absolute_base_cap=0.25,
        absolute_cap_slope=-0.1,
        least_k_star=0.01,
        width_scale=4.0,
        volatility_base=0.6,
        volatility_slope=0.0,
    ),
    discount=StaticDiscount(
        long_base=0.95,
        long_rate_multiple=1.0,
        long_rate_addend=0.0,
        short_base=1.0,
        short_rate_multiple=1.0,
        short_rate_addend=0.0,
    ),
    basis=BasisContingency(up_factor=1.045, down_factor=0.955, base_factor=0.5, yearly_factor=2.0),
    contingencies=Contingencies(
        maintenance_perp=0.03,
        initial_perp=0.01,
        maintenance_option=0.003,
        initial_option=0.002,
        confidence_threshold=0.55,
        confidence_share=1.0,
    ),
    loss_factors=LossFactors(initial=1.0, maintenance=0.8, peg_threshold_usd=0.99, peg_factor=4.0),
)

EMPTY = Portfolio(cash=0.0, stable_price=1.0, spot_price=2_000.0, spot_confidence=1.0)


def parameters(**changes: Any) -> Pmrm2Parameters:
    """The parameters with some groups replaced; a mapping changes fields of a group."""
    groups = {
        name: dataclasses.replace(getattr(PARAMETERS, name), **change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return dataclasses.replace(PARAMETERS, **groups)


def feed(seconds: int = YEAR, **changes: Any) -> ExpiryFeed:
    """Forward 2000, no interest, sure of everything."""
    return dataclasses.replace(ExpiryFeed(seconds, 2_000.0, 1.0, 0.0, 1.0, 1.0), **changes)


def option(amount: float, strike: float = 2_000.0, is_call: bool = True, **changes: Any) -> OptionPosition:
    """One year to go at 60 %."""
    return dataclasses.replace(OptionPosition(YEAR, strike, is_call, amount, 0.6), **changes)


def collateral(**changes: Any) -> Collateral:
    """10 units at 100 USD that do not move with the coin."""
    return dataclasses.replace(Collateral("OTHER", 10.0, 100.0, 1.0, False, 0.02, 0.1), **changes)


def portfolio(**changes: Any) -> Portfolio:
    """The empty portfolio with some fields replaced."""
    return dataclasses.replace(EMPTY, **changes)
