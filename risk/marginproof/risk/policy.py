"""A venue's margin policy: levels, scenarios, haircuts and option rules, identified by the digest of its file."""

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from marginproof.model.margin import Purpose
from marginproof.risk.policy_file import PolicyForm, ScenariosForm, form_error, read_form
from marginproof.risk.yaml_document import YamlDocument, read_yaml

MAX_POLICY_BYTES: Final = 64 * 1024
MAX_SCENARIOS: Final = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """One joint move of all prices and volatilities. Shocks are ratios of the present value (−0.24 is −24 %).

    ``loss_weight`` is the part of the scenario's profit or loss that counts, in [0, 1].
    """

    label: str
    spot_shock: Fraction
    volatility_shock: Fraction
    loss_weight: Fraction


NO_MOVE: Final = Scenario("no move", Fraction(0), Fraction(0), Fraction(0))
"""Always the first scenario: whoever is insolvent at present prices fails, whatever the grid says."""


@dataclasses.dataclass(frozen=True, slots=True)
class PricePointRule:
    """``spot_beta``: how many times the grid's spot shock this price moves; ``haircut``: None where it values none."""

    spot_beta: Fraction
    haircut: Fraction | None


@dataclasses.dataclass(frozen=True, slots=True)
class OptionRule:
    """Least scenario volatility (ratio per year) and, by rising days to expiry, the factors on volatility shocks."""

    volatility_floor: Fraction
    shock_scales: tuple[tuple[int, Fraction], ...]

    def shock_scale(self, seconds_left: int) -> Fraction:
        """The factor of the last step that an option with this time to expiry has reached."""
        reached = [scale for days, scale in self.shock_scales if days * 86_400 <= max(seconds_left, 0)]
        return reached[-1]


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy. Ratios are exact; ``row_unit_exponent`` u makes the rows count 10^-u USD.

    ``full_recognition`` holds the addresses of venues whose pledges may count in full, once both have agreed.
    """

    name: str
    source: bytes
    row_unit_exponent: int
    loss_factors: Mapping[Purpose, Fraction]
    scenarios: tuple[Scenario, ...]
    price_points: Mapping[str, PricePointRule]
    entry_haircuts: Mapping[str, Fraction]
    options: OptionRule | None
    full_recognition: frozenset[bytes]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file's bytes: what a venue announces."""
        return hashlib.sha256(self.source).digest()

    def __repr__(self) -> str:
        return f"Policy(name={self.name!r}, digest={self.digest.hex()})"


def load_policy(data: bytes) -> Policy:
    """Reads and checks the bytes of a policy file.

    Raises:
        ConfigurationError: TOO_LARGE or POLICY_INVALID, with path and line of the fault.
    """
    document = read_yaml(data, MAX_POLICY_BYTES)
    form = read_form(document)
    policy = Policy(
        name=form.name,
        source=data,
        row_unit_exponent=form.row_unit_exponent,
        loss_factors={
            Purpose.INITIAL: form.initial_loss_factor_pct,
            Purpose.MAINTENANCE: form.maintenance_loss_factor_pct,
        },
        scenarios=_scenarios(form.scenarios),
        price_points={
            point: PricePointRule(rule.spot_beta_pct, rule.collateral_haircut_pct)
            for point, rule in form.price_points.items()
        },
        entry_haircuts={entry: rule.haircut_pct for entry, rule in form.collateral.items()},
        options=_option_rule(form),
        full_recognition=frozenset(form.recognition.full),
    )
    _check(policy, form, document)
    return policy


def _scenarios(form: ScenariosForm) -> tuple[Scenario, ...]:
    grid = (
        Scenario(f"spot {_percent(spot)}, volatility {_percent(volatility)}", spot, volatility, Fraction(1))
        for spot, volatility in itertools.product(form.spot_shocks_pct, form.volatility_shocks_pct)
        if spot or volatility
    )
    extremes = (
        Scenario(
            f"extreme: spot {_percent(move.spot_shock_pct)}, volatility {_percent(move.volatility_shock_pct)}, "
            f"{_percent(move.loss_weight_pct).removeprefix('+')} of the loss",
            move.spot_shock_pct,
            move.volatility_shock_pct,
            move.loss_weight_pct,
        )
        for move in form.extreme_moves
    )
    return (NO_MOVE, *grid, *extremes)


def _percent(ratio: Fraction) -> str:
    """Exact, with a sign: the file allows four decimal places."""
    return f"{float(ratio * 100):+.4f}".rstrip("0").rstrip(".") + "%"


def _option_rule(form: PolicyForm) -> OptionRule | None:
    if form.options is None:
        return None
    scales = tuple((step.from_days, step.scale_pct) for step in form.options.volatility_shock_scales)
    return OptionRule(form.options.volatility_floor_pct, scales)


def _check(policy: Policy, form: PolicyForm, document: YamlDocument) -> None:
    """Rules between several keys."""
    if form.initial_loss_factor_pct < form.maintenance_loss_factor_pct:
        raise form_error(
            document, ("initial_loss_factor_pct",), "the initial level must be at least the maintenance level"
        )
    labels = [scenario.label for scenario in policy.scenarios]
    if len(set(labels)) != len(labels):
        raise form_error(document, ("scenarios",), "a shock or extreme move is there twice")
    if len(labels) > MAX_SCENARIOS:
        raise form_error(document, ("scenarios",), f"{len(labels)} scenarios, at most {MAX_SCENARIOS} are allowed")
    if policy.options:
        days = [day for day, _ in policy.options.shock_scales]
        if days[0] != 0 or any(first >= second for first, second in itertools.pairwise(days)):
            path = ("options", "volatility_shock_scales")
            raise form_error(document, path, "from_days must begin at 0 and rise")
    if len(policy.full_recognition) != len(form.recognition.full):
        raise form_error(document, ("recognition", "full"), "a venue is there twice")
    for point in policy.price_points:
        _check_moves(policy, point, document)


def _check_moves(policy: Policy, point: str, document: YamlDocument) -> None:
    """Prices stay above zero, and collateral never counts for less than nothing, at either level."""
    beta = policy.price_points[point].spot_beta
    worst_factor = max(policy.loss_factors.values())
    for scenario in policy.scenarios:
        move = beta * scenario.spot_shock
        if move <= -1 or worst_factor * scenario.loss_weight * move < -1:
            raise form_error(
                document,
                ("price_points", point, "spot_beta_pct"),
                f"in scenario {scenario.label!r} this price, or its loss times the loss factor, falls by all it has",
                fix="lower the beta, the shock or the loss factor",
            )
