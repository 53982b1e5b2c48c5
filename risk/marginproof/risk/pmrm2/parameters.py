"""What PMRM_2 leaves to its operator. All shares and factors are ratios: 0.03 is 3 %."""

import dataclasses
from enum import StrEnum

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode


class VolatilityMove(StrEnum):
    """How a scenario moves implied volatilities; the skews bend the surface around the forward."""

    UP = "up"
    DOWN = "down"
    NONE = "unmoved"
    LINEAR_SKEW = "linear skew"
    ABSOLUTE_SKEW = "absolute skew"

    @property
    def is_skew(self) -> bool:
        """Whether the surface is bent rather than shifted."""
        return self in (VolatilityMove.LINEAR_SKEW, VolatilityMove.ABSOLUTE_SKEW)


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """``spot_factor`` times the present spot; ``damping`` is the share of the profit or loss that counts, ≥ 0."""

    spot_factor: float
    move: VolatilityMove
    damping: float = 1.0

    @property
    def label(self) -> str:
        """What a person reads."""
        shock = f"{(self.spot_factor - 1) * 100:+.4f}".rstrip("0").rstrip(".")
        counted = f", counted at {self.damping * 100:.4g}%" if self.damping != 1 else ""
        return f"spot {shock}%, volatility {self.move}{counted}"


@dataclasses.dataclass(frozen=True, slots=True)
class VolatilityShock:
    """``iv · (1 + range_up · (30 d / max(t, min_days))^power)``, at least ``least_up``; down likewise, at least 0."""

    range_up: float
    range_down: float
    least_up: float
    short_power: float
    long_power: float
    min_days: float


@dataclasses.dataclass(frozen=True, slots=True)
class SkewShock:
    """Multiplier ``1 + clip(k · cap / k*, ±cap)`` with ``cap = base_cap + cap_slope · √τ``, for both kinds of skew.

    ``k* = max(least_k_star, √τ · width_scale · (volatility_base + volatility_slope · √τ))``: about where the volatility
    surface goes flat.
    """

    linear_base_cap: float
    linear_cap_slope: float
    absolute_base_cap: float
    absolute_cap_slope: float
    least_k_star: float
    width_scale: float
    volatility_base: float
    volatility_slope: float


@dataclasses.dataclass(frozen=True, slots=True)
class StaticDiscount:
    """``base · exp(∓τ · (rate · rate_multiple + rate_addend))`` on an expiry's moved value.

    The long ones where that value is not negative, growing smaller with τ; the short ones, growing, where it is.
    """

    long_base: float
    long_rate_multiple: float
    long_rate_addend: float
    short_base: float
    short_rate_multiple: float
    short_rate_addend: float


@dataclasses.dataclass(frozen=True, slots=True)
class BasisContingency:
    """Each expiry's loss when its forward alone moves, times ``base_factor + yearly_factor · τ``."""

    up_factor: float
    down_factor: float
    base_factor: float
    yearly_factor: float


@dataclasses.dataclass(frozen=True, slots=True)
class Contingencies:
    """Shares of notional at the spot price. The initial shares come on top of the maintenance shares.

    Below ``confidence_threshold``, ``(1 - confidence) · confidence_share`` of the notional is charged initially.
    """

    maintenance_perp: float
    initial_perp: float
    maintenance_option: float
    initial_option: float
    confidence_threshold: float
    confidence_share: float


@dataclasses.dataclass(frozen=True, slots=True)
class LossFactors:
    """What the worst loss is multiplied with; initially more by ``peg_factor`` per USD that the stable is too low."""

    initial: float
    maintenance: float
    peg_threshold_usd: float
    peg_factor: float

    def initial_at(self, stable_price: float) -> float:
        """The initial factor at a price of the stable coin that cash is counted in."""
        return self.initial + self.peg_factor * max(0.0, self.peg_threshold_usd - stable_price)


@dataclasses.dataclass(frozen=True, slots=True)
class Pmrm2Parameters:
    """The whole rule."""

    scenarios: tuple[Scenario, ...]
    volatility: VolatilityShock
    skew: SkewShock
    discount: StaticDiscount
    basis: BasisContingency
    contingencies: Contingencies
    loss_factors: LossFactors

    def checked(self) -> "Pmrm2Parameters":
        """Itself.

        Raises:
            MalformedError: POLICY_INVALID: no scenario, or a number for which the rule has no meaning.
        """
        if not self.scenarios:
            raise _invalid("there is no scenario", "list at least one scenario")
        for group in (self.volatility, self.skew, self.discount, self.basis, self.contingencies, self.loss_factors):
            for field in dataclasses.fields(group):
                _check_number(field.name, getattr(group, field.name))
        for scenario in self.scenarios:
            _check_number("spot_factor", scenario.spot_factor)
            _check_number("damping", scenario.damping)
            if scenario.spot_factor <= 0:
                raise _invalid("a scenario's spot factor is not above 0", "1.18 stands for a rise of 18 %")
        if min(self.basis.up_factor, self.basis.down_factor) <= 0:
            raise _invalid("a spot factor of the basis contingency is not above 0", "1.045 stands for a rise of 4.5 %")
        return self


_SIGNED = {"linear_cap_slope", "absolute_cap_slope", "volatility_slope"}
_MAX = 1_000.0


def _check_number(name: str, value: float) -> None:
    low = -_MAX if name in _SIGNED else 0.0
    # Written so that not-a-number, which compares false with everything, fails too.
    if not low <= value <= _MAX:
        raise _invalid(f"{name} must lie between {low:g} and {_MAX:g}", "write a ratio: 0.03 for 3 %")


def _invalid(message: str, fix: str) -> MalformedError:
    return MalformedError(f"PMRM_2 parameters: {message}", code=ReasonCode.POLICY_INVALID, fix=fix)
