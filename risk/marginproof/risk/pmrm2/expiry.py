"""All options of one expiry: what they are worth in a scenario, and the expiry's own factors."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

from marginproof.core import black76_price
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from marginproof.risk.pmrm2.parameters import Pmrm2Parameters, SkewShock, StaticDiscount, VolatilityMove
from marginproof.risk.pmrm2.portfolio import ExpiryFeed, OptionPosition

_SECONDS_PER_DAY: Final = 86_400
_TURN_DAYS: Final = 30
_FLAT_DEVIATION: Final = 100.0
"""σ√τ beyond which a call is worth its forward and a put its strike, to the last bit of a double."""
_MAX_EXPONENT: Final = 500.0


@dataclasses.dataclass(frozen=True)
class Expiry:
    """Options that share a feed. Values are USD per the amounts held, discounted to today by the feed's rate."""

    feed: ExpiryFeed
    options: Sequence[OptionPosition]
    parameters: Pmrm2Parameters

    @property
    def rate(self) -> float:
        """Never negative: the rule takes a negative rate for 0."""
        return max(self.feed.rate, 0.0)

    @property
    def discount(self) -> float:
        """The value today of 1 USD at expiry."""
        return 1 / _growth(self.feed.years * self.rate)

    def value(self, spot_factor: float, move: VolatilityMove) -> float:
        """What the options are worth after a move. A skew leaves the forward where it is.

        Raises:
            MalformedError: OUT_OF_RANGE for a skew whose ``k*`` is 0.
            CoreError: PRICING_DOMAIN.
        """
        forward = self.feed.forward * (1 if move.is_skew else spot_factor)
        return self.discount * math.fsum(
            option.amount * self._price(option, forward, self._volatility(option, move)) for option in self.options
        )

    def static_discounts(self) -> tuple[float, float]:
        """Factors on the moved value of the expiry: where it is worth more than nothing, and less."""
        rule: StaticDiscount = self.parameters.discount
        long_growth = _growth(self.feed.years * (self.rate * rule.long_rate_multiple + rule.long_rate_addend))
        short_growth = _growth(self.feed.years * (self.rate * rule.short_rate_multiple + rule.short_rate_addend))
        return rule.long_base / long_growth, min(1 / self.discount, rule.short_base * short_growth)

    def volatility_factors(self) -> tuple[float, float]:
        """What an up and a down move multiply implied volatilities with."""
        rule = self.parameters.volatility
        days = self.feed.seconds_to_expiry / _SECONDS_PER_DAY
        power = rule.short_power if days <= _TURN_DAYS else rule.long_power
        scale: float = (_TURN_DAYS / max(days, rule.min_days)) ** power
        return 1 + rule.range_up * scale, max(0.0, 1 - rule.range_down * scale)

    def naked_shorts(self) -> float:
        """Units sold that no other option of the same strike pairs off; a call and a put pair off each other."""
        by_strike: dict[float, float] = {}
        for option in self.options:
            by_strike[option.strike] = by_strike.get(option.strike, 0.0) + option.amount
        return math.fsum(max(0.0, -net) for net in by_strike.values())

    def gross(self) -> float:
        """Units held or sold."""
        return math.fsum(abs(option.amount) for option in self.options)

    def _volatility(self, option: OptionPosition, move: VolatilityMove) -> float:
        up, down = self.volatility_factors()
        match move:
            case VolatilityMove.UP:
                return max(option.volatility * up, self.parameters.volatility.least_up)
            case VolatilityMove.DOWN:
                return option.volatility * down
            case VolatilityMove.NONE:
                return option.volatility
            case VolatilityMove.LINEAR_SKEW | VolatilityMove.ABSOLUTE_SKEW:
                return option.volatility * self._skew(option.strike, move)

    def _skew(self, strike: float, move: VolatilityMove) -> float:
        rule: SkewShock = self.parameters.skew
        root = math.sqrt(self.feed.years)
        moneyness = math.log(strike / self.feed.forward)
        cap = rule.linear_base_cap + rule.linear_cap_slope * root
        if move is VolatilityMove.ABSOLUTE_SKEW:
            moneyness = abs(moneyness)
            cap = rule.absolute_base_cap + rule.absolute_cap_slope * root
        flat = max(rule.least_k_star, root * rule.width_scale * (rule.volatility_base + rule.volatility_slope * root))
        if flat == 0:
            raise MalformedError(
                "PMRM_2: the skew has no width", code=ReasonCode.OUT_OF_RANGE, fix="set the least k* above 0"
            )
        bend = moneyness * cap / flat
        # The cap is meant to be above 0; below it the published order of these bounds decides.
        bend = min(cap, bend) if moneyness >= 0 else max(-cap, bend)
        return max(0.0, 1 + bend)

    def _price(self, option: OptionPosition, forward: float, volatility: float) -> float:
        # Black-76 depends on volatility and time through σ√τ alone, so one year at σ√τ takes any volatility.
        deviation = min(volatility * math.sqrt(self.feed.years), _FLAT_DEVIATION)
        return black76_price(option.is_call, forward, option.strike, deviation, 1.0)


def _growth(exponent: float) -> float:
    if exponent > _MAX_EXPONENT:
        raise MalformedError(
            "PMRM_2: interest to an expiry grows beyond all bounds",
            code=ReasonCode.OUT_OF_RANGE,
            fix="check the yearly rate (0.05 for 5 %) and the time to expiry",
        )
    return math.exp(exponent)
