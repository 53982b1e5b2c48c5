"""Reads one file of published PMRM_2 vectors: a portfolio, parameters, and the margins that belong to them.

Keys that this rule does not need are left alone: the files also carry intermediate values.
"""

import dataclasses
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marginproof.model.errors import MalformedError
from marginproof.model.json_text import parse_json
from marginproof.model.reasons import ReasonCode
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
from marginproof.risk.pmrm2.portfolio import Collateral, ExpiryFeed, OptionPosition, Perpetual, Portfolio

MAX_VECTOR_BYTES: Final = 4 << 20
MAX_ITEMS: Final = 1_024
Number = Annotated[float, Field(allow_inf_nan=False)]
_MOVES: Final = {
    "Up": VolatilityMove.UP,
    "Down": VolatilityMove.DOWN,
    "None": VolatilityMove.NONE,
    "LINEAR": VolatilityMove.LINEAR_SKEW,
    "ABS": VolatilityMove.ABSOLUTE_SKEW,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Vector:
    """What a file says; ``initial`` and ``maintenance`` are the margins to be met."""

    parameters: Pmrm2Parameters
    portfolio: Portfolio
    initial: float
    maintenance: float


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Collateral(_Form):
    name: str = Field(alias="Name", max_length=256)
    amount: Number = Field(alias="Amount")
    price: Number = Field(alias="Price")
    confidence: Number = Field(alias="Confidence")
    is_risk_cancelling: bool = Field(alias="IsRiskCancelling")
    initial_haircut: Number = Field(alias="IMHaircut")
    maintenance_haircut: Number = Field(alias="MMHaircut")


class _Option(_Form):
    seconds_to_expiry: int = Field(alias="Expiry")
    strike: Number = Field(alias="Strike")
    is_call: bool | Literal[0, 1] = Field(alias="IsCall")
    amount: Number = Field(alias="Amount")
    volatility: Number = Field(alias="MarkVol")


class _Feed(_Form):
    seconds_to_expiry: int = Field(alias="FeedExpiry")
    forward: Number = Field(alias="Forward")
    forward_confidence: Number = Field(alias="ForwardConfidence")
    rate: Number = Field(alias="Rate")
    rate_confidence: Number = Field(alias="RateConfidence")
    volatility_confidence: Number = Field(alias="OptionVolConfidences")


class _Account(_Form):
    cash: Number = Field(alias="Cash")
    collaterals: list[_Collateral] = Field(alias="Collaterals", max_length=MAX_ITEMS)
    spot_price: Number = Field(alias="SpotPrice")
    spot_confidence: Number = Field(alias="SpotConfidence")
    perp_amount: Number = Field(alias="NumPerps")
    perp_price: Number = Field(alias="PerpPrice")
    perp_confidence: Number = Field(alias="PerpConfidence")
    perp_profit: Number = Field(alias="UnrealisedPerpPNL")
    perp_funding: Number = Field(alias="UnrealisedFunding")
    stable_price: Number = Field(alias="StablePrice")
    options: list[_Option] = Field(alias="Options", max_length=MAX_ITEMS)
    feeds: list[_Feed] = Field(alias="OptionFeeds", max_length=MAX_ITEMS)

    def portfolio(self) -> Portfolio:
        perpetual = Perpetual(
            self.perp_amount, self.perp_price, self.perp_confidence, self.perp_profit + self.perp_funding
        )
        return Portfolio(
            cash=self.cash,
            stable_price=self.stable_price,
            spot_price=self.spot_price,
            spot_confidence=self.spot_confidence,
            collaterals=tuple(Collateral(**item.model_dump()) for item in self.collaterals),
            perpetual=perpetual,
            options=tuple(
                OptionPosition(**item.model_dump() | {"is_call": bool(item.is_call)}) for item in self.options
            ),
            feeds=tuple(ExpiryFeed(**item.model_dump()) for item in self.feeds),
        )


class _Scenario(_Form):
    spot_factor: Number = Field(alias="SpotShock")
    direction: Literal["Up", "Down", "None", "LINEAR", "ABS"] = Field(alias="VolShockDirection")
    damping: Number = Field(alias="DampeningFactor")


class _Skew(_Form):
    linear_base_cap: Number = Field(alias="LINEAR_SCALE_CAP")
    linear_cap_slope: Number = Field(alias="LINEAR_CBASE")
    absolute_base_cap: Number = Field(alias="ABS_SCALE_CAP")
    absolute_cap_slope: Number = Field(alias="ABS_CBASE")
    least_k_star: Number = Field(alias="MIN_K_STAR")
    width_scale: Number = Field(alias="MIN_WIDTH_SCALE")
    volatility_base: Number = Field(alias="VOL_PARAM_STATIC")
    volatility_slope: Number = Field(alias="VOL_PARAM_SCALE")


class _Volatility(_Form):
    range_up: Number = Field(alias="VOLRANGEUP")
    range_down: Number = Field(alias="VOLRANGEDOWN")
    least_up: Number = Field(alias="MIN_VOL_EVAL_SHOCKED")
    short_power: Number = Field(alias="SHORTTERMPOWER")
    long_power: Number = Field(alias="LONGTERMPOWER")
    min_days: Number = Field(alias="DTE_FLOOR")


class _Margin(_Form):
    maintenance_factor: Number = Field(alias="MM_LOSS_FACTOR")
    initial_factor: Number = Field(alias="IM_LOSS_FACTOR")
    short_rate_multiple: Number = Field(alias="SHORT_RATE_MULTSCALE")
    long_rate_multiple: Number = Field(alias="LONG_RATE_MULTSCALE")
    short_rate_addend: Number = Field(alias="SHORT_RATE_ADDSCALE")
    long_rate_addend: Number = Field(alias="LONG_RATE_ADDSCALE")
    long_base: Number = Field(alias="BASE_STATIC_DISCOUNT")
    short_base: Number = Field(alias="BASE_STATIC_DISCOUNT_NEG")


class _Basis(_Form):
    up_factor: Number = Field(alias="SCENARIO_SPOT_UP")
    down_factor: Number = Field(alias="SCENARIO_SPOT_DOWN")
    base_factor: Number = Field(alias="BASIS_CONT_ADD_FACTOR")
    yearly_factor: Number = Field(alias="BASIS_CONT_MULT_FACTOR")


class _Other(_Form):
    """The files' ``…_NORMAL`` keys are sums of the shares here, and decide nothing."""

    peg_threshold_usd: Number = Field(alias="PEG_LOSS_THRESHOLD")
    peg_factor: Number = Field(alias="PEG_LOSS_FACTOR")
    confidence_threshold: Number = Field(alias="CONF_THRESHOLD")
    confidence_share: Number = Field(alias="CONF_MARGIN")
    maintenance_perp: Number = Field(alias="MM_PERP_PERCENT")
    initial_perp: Number = Field(alias="IM_PERP_PERCENT")
    maintenance_option: Number = Field(alias="MM_OPTION_PERCENT")
    initial_option: Number = Field(alias="IM_OPTION_PERCENT")


class _Parameters(_Form):
    scenarios: list[_Scenario] = Field(alias="Scenarios", max_length=MAX_ITEMS)
    skew: _Skew = Field(alias="SkewShock")
    volatility: _Volatility = Field(alias="VolShock")
    margin: _Margin = Field(alias="Margin")
    basis: _Basis = Field(alias="BasisContingency")
    other: _Other = Field(alias="OtherContingency")

    def parameters(self) -> Pmrm2Parameters:
        margin = self.margin.model_dump()
        initial, maintenance = margin.pop("initial_factor"), margin.pop("maintenance_factor")
        other = self.other.model_dump()
        peg_threshold, peg_factor = other.pop("peg_threshold_usd"), other.pop("peg_factor")
        return Pmrm2Parameters(
            scenarios=tuple(
                Scenario(item.spot_factor, _MOVES[item.direction], item.damping) for item in self.scenarios
            ),
            volatility=VolatilityShock(**self.volatility.model_dump()),
            skew=SkewShock(**self.skew.model_dump()),
            discount=StaticDiscount(**margin),
            basis=BasisContingency(**self.basis.model_dump()),
            contingencies=Contingencies(**other),
            loss_factors=LossFactors(initial, maintenance, peg_threshold, peg_factor),
        )


class _Result(_Form):
    initial: Number = Field(alias="IM")
    maintenance: Number = Field(alias="MM")


class _Vector(_Form):
    account: _Account = Field(alias="Scenario")
    parameters: _Parameters = Field(alias="Parameters")
    result: _Result = Field(alias="Result")


def read_vector(data: bytes) -> Vector:
    """One vector from a file's bytes.

    Raises:
        MalformedError: TOO_LARGE, or MALFORMED with the path of the first key that is missing or cannot be.
    """
    if len(data) > MAX_VECTOR_BYTES:
        raise MalformedError(f"a vector has at most {MAX_VECTOR_BYTES} bytes", code=ReasonCode.TOO_LARGE)
    document: Any = parse_json(data)
    try:
        form = _Vector.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:64] for part in first["loc"]) or "the document"
        raise MalformedError(
            f"PMRM_2 vector, {place}: {first['msg']}", fix="see the published files for the form of a vector"
        ) from error
    return Vector(form.parameters.parameters(), form.account.portfolio(), form.result.initial, form.result.maintenance)
