"""Portfolios, parameters and files that cannot be: each is refused with its reason and a way out."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from marginproof.risk.pmrm2.margin import pmrm2_margin
from marginproof.risk.pmrm2.parameters import Pmrm2Parameters, Scenario, VolatilityMove
from marginproof.risk.pmrm2.portfolio import Perpetual, Portfolio
from marginproof.risk.pmrm2.vector_file import MAX_VECTOR_BYTES, read_vector
from tests.risk.pmrm2.books import EMPTY, MONTH, PARAMETERS, collateral, feed, option, parameters, portfolio

RANGE, MISSING = ReasonCode.OUT_OF_RANGE, ReasonCode.PRICE_UNAVAILABLE
NAN = math.nan
BAD_PORTFOLIOS = [
    (RANGE, {"cash": NAN}),
    (RANGE, {"cash": math.inf}),
    (RANGE, {"cash": -2e15}),
    (RANGE, {"stable_price": 0.0}),
    (RANGE, {"stable_price": -1.0}),
    (RANGE, {"spot_price": 0.0}),
    (RANGE, {"spot_price": NAN}),
    (RANGE, {"spot_confidence": 1.1}),
    (RANGE, {"perpetual": Perpetual(NAN, 1.0)}),
    (RANGE, {"perpetual": Perpetual(1.0, 0.0)}),
    (RANGE, {"perpetual": Perpetual(1.0, 1.0, -0.1)}),
    (RANGE, {"perpetual": Perpetual(unsettled=NAN)}),
    (RANGE, {"collaterals": (collateral(amount=-1.0),)}),
    (RANGE, {"collaterals": (collateral(price=0.0),)}),
    (RANGE, {"collaterals": (collateral(confidence=NAN),)}),
    (RANGE, {"collaterals": (collateral(initial_haircut=1.5),)}),
    (RANGE, {"collaterals": (collateral(maintenance_haircut=-0.1),)}),
    (RANGE, {"feeds": (feed(0),)}),
    (RANGE, {"feeds": (feed(forward=0.0),)}),
    (RANGE, {"feeds": (feed(rate=NAN),)}),
    (RANGE, {"feeds": (feed(forward_confidence=2.0),)}),
    (RANGE, {"feeds": (feed(rate_confidence=2.0),)}),
    (RANGE, {"feeds": (feed(volatility_confidence=2.0),)}),
    (RANGE, {"options": (option(1, seconds_to_expiry=0),), "feeds": (feed(),)}),
    (RANGE, {"options": (option(1, seconds_to_expiry=-MONTH),), "feeds": (feed(),)}),
    (RANGE, {"options": (option(1, strike=0.0),), "feeds": (feed(),)}),
    (RANGE, {"options": (option(NAN),), "feeds": (feed(),)}),
    (RANGE, {"options": (option(1, volatility=-0.1),), "feeds": (feed(),)}),
    (RANGE, {"options": (option(1),), "feeds": (feed(rate=99.0),)}),
    (MISSING, {"options": (option(1),)}),
    (MISSING, {"options": (option(1),), "feeds": (feed(MONTH),)}),
    (ReasonCode.CONFLICT, {"feeds": (feed(), feed())}),
    (ReasonCode.CONFLICT, {"options": (option(1), option(2)), "feeds": (feed(),)}),
]


@pytest.mark.parametrize(("code", "changes"), BAD_PORTFOLIOS, ids=str)
def test_a_portfolio_that_cannot_be_is_refused(code: ReasonCode, changes: dict[str, Any]) -> None:
    rule = parameters(discount={"long_rate_multiple": 10.0})
    with pytest.raises(MalformedError) as refused:
        pmrm2_margin(rule, portfolio(**changes))
    assert refused.value.code == code
    assert refused.value.fix


BAD_PARAMETERS = [
    parameters(scenarios=()),
    parameters(scenarios=(Scenario(0.0, VolatilityMove.UP),)),
    parameters(scenarios=(Scenario(NAN, VolatilityMove.UP),)),
    parameters(scenarios=(Scenario(1.0, VolatilityMove.UP, -1.0),)),
    parameters(volatility={"range_up": NAN}),
    parameters(skew={"width_scale": -1.0}),
    parameters(skew={"linear_cap_slope": -1e9}),
    parameters(discount={"long_base": -0.1}),
    parameters(basis={"up_factor": 0.0}),
    parameters(basis={"down_factor": 0.0}),
    parameters(contingencies={"initial_perp": -0.1}),
    parameters(loss_factors={"initial": math.inf}),
]


@pytest.mark.parametrize("rule", BAD_PARAMETERS, ids=range(len(BAD_PARAMETERS)))
def test_parameters_without_a_meaning_are_refused(rule: Pmrm2Parameters) -> None:
    with pytest.raises(MalformedError) as refused:
        pmrm2_margin(rule, EMPTY)
    assert refused.value.code == ReasonCode.POLICY_INVALID
    assert refused.value.fix


def test_a_skew_without_width_is_refused() -> None:
    rule = parameters(
        scenarios=(Scenario(1.0, VolatilityMove.LINEAR_SKEW),), skew={"least_k_star": 0.0, "width_scale": 0.0}
    )
    with pytest.raises(MalformedError) as refused:
        pmrm2_margin(rule, portfolio(options=(option(1),), feeds=(feed(),)))
    assert refused.value.code == RANGE


VECTOR = Path("data/margin-vectors/pmrm2/test_65_general_random_5.json")


@pytest.fixture
def document(shared_dir: Path) -> Any:
    return json.loads((shared_dir / VECTOR).read_bytes())


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Scenario", "Cash"), "12"),
        (("Scenario", "Cash"), None),
        (("Scenario", "SpotPrice"), True),
        (("Scenario", "Options"), {}),
        (("Scenario", "Options"), [1]),
        (("Scenario", "Collaterals"), [{}] * 2_000),
        (("Scenario", "Options", 0, "IsCall"), 2),
        (("Scenario", "Options", 0, "Expiry"), 1.5),
        (("Parameters", "Scenarios", 0, "VolShockDirection"), "Sideways"),
        (("Parameters", "SkewShock"), None),
        (("Result", "IM"), "x"),
    ],
)
def test_a_vector_of_another_form_is_refused_with_its_place(document: Any, path: tuple[Any, ...], value: Any) -> None:
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(MalformedError) as refused:
        read_vector(json.dumps(document).encode())
    assert refused.value.code == ReasonCode.MALFORMED
    assert str(path[0]) in refused.value.message
    assert refused.value.fix


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"Scenario": {}}'])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError) as refused:
        read_vector(data)
    assert refused.value.code == ReasonCode.MALFORMED


def test_a_file_has_a_largest_size() -> None:
    with pytest.raises(MalformedError) as refused:
        read_vector(b" " * (MAX_VECTOR_BYTES + 1))
    assert refused.value.code == ReasonCode.TOO_LARGE


def test_checks_give_back_what_they_have_checked() -> None:
    held: Portfolio = dataclasses.replace(EMPTY, cash=1.0)
    assert held.checked() is held
    assert PARAMETERS.checked() is PARAMETERS
