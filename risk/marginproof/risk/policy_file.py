"""The form of a policy file, ``marginproof/policy/v1``: what keys there are and what each may hold."""

import difflib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from marginproof.model.chains import parse_address
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.margin import MAX_FULL_RECOGNITION
from marginproof.model.reasons import ReasonCode
from marginproof.risk.yaml_document import Path, YamlDocument

API_VERSION: Final = "marginproof/policy/v1"
MAX_SHOCKS: Final = 64
_MAX_DECIMALS: Final = 4
_SHOWN_KEY: Final = 192


def _ratio(lowest: int, highest: int) -> Callable[[Any], Fraction]:
    """Reads percent (an integer or a decimal of at most four places) as an exact ratio."""

    def read(value: Any) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValueError("must be a number")
        percent = Fraction(value)
        if (percent * 10**_MAX_DECIMALS).denominator != 1:
            raise ValueError(f"has more than {_MAX_DECIMALS} decimal places")
        if not lowest <= percent <= highest:
            raise ValueError(f"must lie between {lowest} and {highest}")
        return percent / 100

    return read


def _address(value: Any) -> bytes:
    """Reads an EVM address in quotation marks; without them YAML takes it for a number."""
    if not isinstance(value, str):
        raise ValueError("must be an address in quotation marks")
    try:
        return parse_address(value)
    except MalformedError as error:
        raise ValueError(f"{error.message}; {error.fix}") from error


_Address = Annotated[bytes, PlainValidator(_address)]
_Shock = Annotated[Fraction, PlainValidator(_ratio(-99, 1000))]
_Factor = Annotated[Fraction, PlainValidator(_ratio(1, 1000))]
_Share = Annotated[Fraction, PlainValidator(_ratio(0, 100))]
_Multiple = Annotated[Fraction, PlainValidator(_ratio(0, 1000))]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ExtremeMoveForm(_Strict):
    """A move far outside the grid, of whose loss only a part counts."""

    spot_shock_pct: _Shock
    volatility_shock_pct: _Shock
    loss_weight_pct: _Share


class ScenariosForm(_Strict):
    """The grid, every spot shock with every volatility shock, and the extreme moves."""

    spot_shocks_pct: list[_Shock] = Field(min_length=1, max_length=MAX_SHOCKS)
    volatility_shocks_pct: list[_Shock] = Field(min_length=1, max_length=MAX_SHOCKS)
    extreme_moves: list[ExtremeMoveForm] = Field(default=[], max_length=MAX_SHOCKS)


class PricePointForm(_Strict):
    """How one price moves when the grid says 1 %, and what collateral valued by it loses."""

    spot_beta_pct: _Multiple
    collateral_haircut_pct: _Share | None = None


class CollateralForm(_Strict):
    """What one entry loses; stands in place of its price point's haircut."""

    haircut_pct: _Share


class VolatilityScaleForm(_Strict):
    """The factor on volatility shocks for options with at least this many days left."""

    from_days: int = Field(ge=0, le=36_500)
    scale_pct: _Factor


class OptionsForm(_Strict):
    """How implied volatility moves."""

    volatility_floor_pct: _Multiple
    volatility_shock_scales: list[VolatilityScaleForm] = Field(min_length=1, max_length=MAX_SHOCKS)


class RecognitionForm(_Strict):
    """The venues whose pledges may count in full; of every other venue only losses count."""

    full: list[_Address] = Field(default=[], max_length=MAX_FULL_RECOGNITION)


class PolicyForm(_Strict):
    """A whole policy file."""

    api_version: Literal["marginproof/policy/v1"] = Field(alias="apiVersion")
    name: str = Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")
    row_unit_exponent: int = Field(ge=2, le=18)
    initial_loss_factor_pct: _Factor
    maintenance_loss_factor_pct: _Factor
    scenarios: ScenariosForm
    price_points: dict[str, PricePointForm] = Field(min_length=1)
    collateral: dict[str, CollateralForm] = {}
    options: OptionsForm | None = None
    recognition: RecognitionForm = RecognitionForm()


def read_form(document: YamlDocument) -> PolicyForm:
    """Checks a document against the form.

    Raises:
        ConfigurationError: POLICY_INVALID with path, line and, for an unknown key, the nearest known one.
    """
    try:
        return PolicyForm.model_validate(document.value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # A misspelt key is also a missing one: the unknown key is what the reader must look at.
        first = min(found, key=lambda fault: fault["type"] != "extra_forbidden")
        path: Path = first["loc"]
        if first["type"] == "extra_forbidden":
            raise form_error(document, path, "this key is unknown", _nearest(str(path[-1]))) from error
        if first["type"] == "model_type":
            raise form_error(document, path, "must be a mapping of keys to values") from error
        raise form_error(document, path, first["msg"].removeprefix("Value error, ")) from error


def form_error(document: YamlDocument, path: Path, message: str, fix: str = "") -> ConfigurationError:
    """An error that names path and line."""
    place = ".".join(str(part)[:_SHOWN_KEY] for part in path) or "the document"
    line = document.line(path)
    return ConfigurationError(
        f"policy, line {line}, {place}: {message}",
        code=ReasonCode.POLICY_INVALID,
        fix=fix,
        fields={"path": place, "line": line},
    )


def known_keys(form: type[BaseModel] = PolicyForm) -> set[str]:
    """Every key that a policy file may hold, at any depth."""
    found: set[str] = set()
    for name, field in form.model_fields.items():
        found.add(field.alias or name)
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= known_keys(inner)
    return found


def _nearest(key: str) -> str:
    known = sorted(known_keys())
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
