"""Initial and maintenance margin of PMRM_2, with every part by name. All amounts are USD (strictly: the stable coin).

A margin is what is left: the account holds while it is not below zero. Pure double arithmetic.
"""

import dataclasses
import math
from typing import Final

from marginproof.risk.pmrm2.expiry import Expiry
from marginproof.risk.pmrm2.parameters import Pmrm2Parameters, Scenario, VolatilityMove
from marginproof.risk.pmrm2.portfolio import Portfolio

BASIS_LABEL: Final = "basis"


@dataclasses.dataclass(frozen=True, slots=True)
class Charges:
    """What is taken off besides the worst loss, all ≥ 0. The initial ones come on top of the maintenance ones."""

    maintenance_perp: float
    maintenance_option: float
    maintenance_collateral: float
    initial_perp: float
    initial_option: float
    initial_collateral: float
    confidence: float

    @property
    def maintenance(self) -> float:
        """For both levels."""
        return math.fsum((self.maintenance_perp, self.maintenance_option, self.maintenance_collateral))

    @property
    def initial(self) -> float:
        """For the initial level only."""
        return math.fsum((self.initial_perp, self.initial_option, self.initial_collateral, self.confidence))


@dataclasses.dataclass(frozen=True, slots=True)
class ExpiryParts:
    """One expiry: its value now, its static discounts, its volatility factors and its basis loss (≤ 0)."""

    seconds_to_expiry: int
    value: float
    long_discount: float
    short_discount: float
    up_factor: float
    down_factor: float
    basis: float


@dataclasses.dataclass(frozen=True, slots=True)
class Pmrm2Margin:
    """Margins and their parts. Secret: amounts of one account; the repr hides them.

    ``worst`` ≤ 0 is the least of ``basis`` and the scenarios' profits and losses, ``worst_label`` names it.
    """

    initial: float
    maintenance: float
    worst: float
    worst_label: str
    scenarios: tuple[tuple[str, float], ...]
    basis: float
    initial_factor: float
    maintenance_factor: float
    charges: Charges
    cash: float
    option_value: float
    perpetual_value: float
    collateral_value: float
    expiries: tuple[ExpiryParts, ...]

    def __repr__(self) -> str:
        return f"Pmrm2Margin(<{len(self.scenarios)} scenarios>)"


def pmrm2_margin(parameters: Pmrm2Parameters, portfolio: Portfolio) -> Pmrm2Margin:
    """The margin of one account.

    Raises:
        MarginproofError: POLICY_INVALID, OUT_OF_RANGE, PRICE_UNAVAILABLE or CONFLICT.
        CoreError: PRICING_DOMAIN.
    """
    parameters.checked()
    portfolio.checked()
    expiries = _expiries(parameters, portfolio)
    parts = tuple(_expiry_parts(expiry) for expiry in expiries)
    basis = math.fsum(part.basis for part in parts)
    profits = tuple(
        (scenario.label, _profit(portfolio, expiries, parts, scenario)) for scenario in parameters.scenarios
    )
    worst_label, worst = min([(BASIS_LABEL, basis), *profits], key=lambda pair: pair[1])
    charges = _charges(parameters, portfolio, expiries)
    options = math.fsum(part.value for part in parts)
    collateral = math.fsum(collateral_values(portfolio))
    equity = math.fsum((portfolio.cash, options, portfolio.perpetual.unsettled, collateral))
    initial_factor = parameters.loss_factors.initial_at(portfolio.stable_price)
    maintenance_factor = parameters.loss_factors.maintenance
    return Pmrm2Margin(
        initial=initial_factor * worst - charges.initial - charges.maintenance + equity,
        maintenance=maintenance_factor * worst - charges.maintenance + equity,
        worst=worst,
        worst_label=worst_label,
        scenarios=profits,
        basis=basis,
        initial_factor=initial_factor,
        maintenance_factor=maintenance_factor,
        charges=charges,
        cash=portfolio.cash,
        option_value=options,
        perpetual_value=portfolio.perpetual.unsettled,
        collateral_value=collateral,
        expiries=parts,
    )


def collateral_values(portfolio: Portfolio) -> list[float]:
    """What each collateral is worth in the stable coin, in which cash counts."""
    return [item.amount * item.price / portfolio.stable_price for item in portfolio.collaterals]


def _expiries(parameters: Pmrm2Parameters, portfolio: Portfolio) -> list[Expiry]:
    """Expiries of which there are options, in the order of the feeds."""
    found = []
    for feed in portfolio.feeds:
        options = [option for option in portfolio.options if option.seconds_to_expiry == feed.seconds_to_expiry]
        if options:
            found.append(Expiry(feed, options, parameters))
    return found


def _expiry_parts(expiry: Expiry) -> ExpiryParts:
    rule = expiry.parameters.basis
    value = expiry.value(1, VolatilityMove.NONE)
    moved = (expiry.value(factor, VolatilityMove.NONE) for factor in (rule.up_factor, rule.down_factor))
    loss = min(0.0, *(after - value for after in moved))
    basis = loss * (rule.base_factor + rule.yearly_factor * expiry.feed.years)
    return ExpiryParts(
        expiry.feed.seconds_to_expiry, value, *expiry.static_discounts(), *expiry.volatility_factors(), basis
    )


def _profit(portfolio: Portfolio, expiries: list[Expiry], parts: tuple[ExpiryParts, ...], scenario: Scenario) -> float:
    shock = scenario.spot_factor - 1
    perpetual = portfolio.perpetual.amount * portfolio.perpetual.price * shock
    cancelling = math.fsum(
        value
        for item, value in zip(portfolio.collaterals, collateral_values(portfolio), strict=True)
        if item.is_risk_cancelling
    )
    options = math.fsum(_expiry_profit(expiry, part, scenario) for expiry, part in zip(expiries, parts, strict=True))
    return scenario.damping * (perpetual + cancelling * shock + options)


def _expiry_profit(expiry: Expiry, part: ExpiryParts, scenario: Scenario) -> float:
    moved = expiry.value(scenario.spot_factor, scenario.move)
    profit = moved * (part.long_discount if moved >= 0 else part.short_discount) - part.value
    # The surface may bend either way at each expiry: a gain stands for the loss of the opposite bend.
    return -abs(profit) if scenario.move.is_skew else profit


def _charges(parameters: Pmrm2Parameters, portfolio: Portfolio, expiries: list[Expiry]) -> Charges:
    rule = parameters.contingencies
    perp = abs(portfolio.perpetual.amount) * portfolio.spot_price
    naked = math.fsum(expiry.naked_shorts() for expiry in expiries) * portfolio.spot_price
    values = list(zip(portfolio.collaterals, collateral_values(portfolio), strict=True))
    return Charges(
        maintenance_perp=perp * rule.maintenance_perp,
        maintenance_option=naked * rule.maintenance_option,
        maintenance_collateral=math.fsum(value * item.maintenance_haircut for item, value in values),
        initial_perp=perp * rule.initial_perp,
        initial_option=naked * rule.initial_option,
        initial_collateral=math.fsum(value * item.initial_haircut for item, value in values),
        confidence=_confidence_charge(parameters, portfolio, expiries),
    )


def _confidence_charge(parameters: Pmrm2Parameters, portfolio: Portfolio, expiries: list[Expiry]) -> float:
    """Charge for feeds that are not sure of their prices.

    Collateral knows its own feed and the spot's; perpetual and options also the perpetual's where one is held. The
    stable coin's confidence counts nowhere.
    """
    rule = parameters.contingencies
    perpetual, spot = portfolio.perpetual, portfolio.spot_confidence
    book = min(spot, perpetual.confidence) if perpetual.amount else spot
    exposures = [(book, abs(perpetual.amount) * portfolio.spot_price)]
    exposures += [(min(book, expiry.feed.confidence), expiry.gross() * portfolio.spot_price) for expiry in expiries]
    exposures += [
        (min(spot, item.confidence), value)
        for item, value in zip(portfolio.collaterals, collateral_values(portfolio), strict=True)
    ]
    return math.fsum(
        (1 - confidence) * rule.confidence_share * notional
        for confidence, notional in exposures
        if confidence < rule.confidence_threshold
    )
