"""A policy at a market, compiled to the integer rows of a linear-range statement.

Inputs are the collateral, the venue's own pledge, then the other venues' pledges in the order given. In units of
10^-u USD, the *main row* of scenario s says 0 ≤ b + ⟨w, collateral⟩ + ⟨w', own⟩ + Σ others < 2^96. With now and moved
the USD value of one lot, λ the level's loss factor and ω the scenario's loss weight, the exact weight of an entry is
now + λω(moved − now), times 1 − haircut for collateral. Rounding goes against the prover: collateral weights, whose
entries are never negative, are floored; weights w', whose entries have either sign, are rounded to nearest, and
Σ max_lots·|rounding error| is taken off as part of b, once for every vector they are applied to.

Another venue's pledge adds ⟨w', pledge⟩ to the main row where it is recognised in full. Where only its losses count it
adds 2^32·x, x being an entry of one auxiliary vector that comes last: two rows in front of the main row say
0 ≤ −x < 2^64 and 0 ≤ ⟨w', pledge⟩ − rounding − 2^32·x < 2^96, so that x is at most zero and at most the pledge's value.
Rows come scenario by scenario: these two for each such venue, then the main row. Entry s·k + v of the auxiliary vector
belongs to scenario s and the v-th of the k venues of which only losses count.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from marginproof.core import CoreError, Row, Statement
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Universe
from marginproof.risk.coverage import haircut
from marginproof.risk.market import Market
from marginproof.risk.policy import Policy
from marginproof.risk.recognition import Recognition
from marginproof.risk.valuation import UnitValue, unit_values

ROW_BITS: Final = 96
"""With units of 10^-14 USD a row reaches 7.9 · 10^14 USD."""
LOSS_BITS: Final = 64
LOSS_UNIT_BITS: Final = 32
"""An auxiliary entry counts 2^32 row units: 64 bits of them reach as far as a row's 96."""
WEIGHT_BITS: Final = 64
OWN_INPUTS: Final = 2
"""Input 0 is the collateral, input 1 the venue's own pledge for the account."""


@dataclasses.dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """Rows of one purpose, for other venues' pledges recognised as ``others`` say.

    ``labels[s]`` names scenario s and ``book_rows[s]`` are its weights of the venue's own pledge (index → row units per
    lot, no zeros); ``loss_constants[s]`` is what rounding takes off another venue's pledge there, ≤ 0.
    ``rounding_bound`` (USD): no in-range account's row lies further below its clear value than this, and never above.
    """

    statement: Statement
    labels: tuple[str, ...]
    rounding_bound: Fraction
    others: tuple[Recognition, ...]
    book_rows: tuple[Mapping[int, int], ...]
    loss_constants: tuple[int, ...]

    def label_of_row(self, row: int) -> str:
        """The label of the scenario to which a row of the statement belongs."""
        return self.labels[row * len(self.labels) // self.statement.row_count]

    def auxiliary(self, others: Sequence[Mapping[int, int]]) -> dict[int, int] | None:
        """The auxiliary vector that lets most count: x = min(0, ⌊value of the pledge / 2^32⌋), without zeros.

        Args:
            others: The other venues' pledged vectors (index → lots), as many as and in the order of ``self.others``.

        Returns:
            Index → x; None where the statement has no auxiliary vector.
        """
        counted = [
            vector
            for recognition, vector in zip(self.others, others, strict=True)
            if recognition is Recognition.LOSSES_ONLY
        ]
        if not counted:
            return None
        losses = (
            min(0, (constant + _value(weights, vector)) >> LOSS_UNIT_BITS)
            for weights, constant in zip(self.book_rows, self.loss_constants, strict=True)
            for vector in counted
        )
        return {index: loss for index, loss in enumerate(losses) if loss}


def _value(weights: Mapping[int, int], vector: Mapping[int, int]) -> int:
    return sum(weights.get(index, 0) * lots for index, lots in vector.items())


@dataclasses.dataclass(frozen=True, slots=True)
class _ScenarioWeights:
    """Integer weights of one scenario; in row units, what rounding can cost and the most that vectors can be worth."""

    collateral: dict[int, int]
    book: dict[int, int]
    floored: Fraction
    nearest: Fraction
    collateral_reach: int
    book_reach: int


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyRows:
    """The weights of one purpose at one market: worked out once, compiled for any list of other venues."""

    policy: Policy
    universe: Universe
    scenarios: tuple[_ScenarioWeights, ...]

    def compile(self, others: Sequence[Recognition] = ()) -> CompiledPolicy:
        """The statement for pledges of other venues, recognised as ``others`` say, in the order of its inputs.

        Raises:
            MarginproofError: POLICY_INVALID where bounds of the universe or the auxiliary entries do not fit.
        """
        rows = self.rows(others)
        losses = sum(recognition is Recognition.LOSSES_ONLY for recognition in others)
        inputs = OWN_INPUTS + len(others)
        try:
            statement = Statement(self.universe.n, inputs + (losses > 0), inputs, rows)
        except CoreError as error:
            raise MarginproofError(ReasonCode(error.code), error.message) from error
        worst = max(_rounding(weights, len(others) - losses, losses) for weights in self.scenarios)
        return CompiledPolicy(
            statement,
            labels=tuple(scenario.label for scenario in self.policy.scenarios),
            rounding_bound=worst / 10**self.policy.row_unit_exponent,
            others=tuple(others),
            book_rows=tuple(weights.book for weights in self.scenarios),
            loss_constants=tuple(_constant(weights, 1) for weights in self.scenarios),
        )

    def rows(self, others: Sequence[Recognition] = ()) -> list[Row]:
        """The rows of that statement, in order; raises as :meth:`compile`."""
        losses = sum(recognition is Recognition.LOSSES_ONLY for recognition in others)
        _check_auxiliary(self.universe, len(self.scenarios), losses)
        return [
            row for position, weights in enumerate(self.scenarios) for row in self._scenario(position, weights, others)
        ]

    def _scenario(self, position: int, weights: _ScenarioWeights, others: Sequence[Recognition]) -> list[Row]:
        """One scenario's rows: two for each venue of which only losses count, then the main row."""
        losses = [place for place, recognition in enumerate(others) if recognition is Recognition.LOSSES_ONLY]
        full = len(others) - len(losses)
        highest = weights.collateral_reach + (1 + full) * weights.book_reach - _constant(weights, 1 + full)
        _check_reach(self.policy, highest, 1 << ROW_BITS)
        if losses:  # the largest loss must have its x, and −x ends at 2^64 − 1
            lowest = weights.book_reach - _constant(weights, 1)
            _check_reach(self.policy, lowest, (1 << ROW_BITS) - (1 << LOSS_UNIT_BITS) + 1)
        rows = []
        auxiliary: dict[int, int] = {}
        for order, place in enumerate(losses):
            entry = position * len(losses) + order
            auxiliary[entry] = 1 << LOSS_UNIT_BITS
            inputs: list[dict[int, int]] = [{} for _ in range(OWN_INPUTS + len(others))]
            rows.append(Row(LOSS_BITS, 0, [*inputs, {entry: -1}]))
            inputs[OWN_INPUTS + place] = weights.book
            rows.append(Row(ROW_BITS, _constant(weights, 1), [*inputs, {entry: -1 << LOSS_UNIT_BITS}]))
        counted = [weights.book if recognition is Recognition.FULL else {} for recognition in others]
        main = [weights.collateral, weights.book, *counted, *([auxiliary] if losses else [])]
        return [*rows, Row(ROW_BITS, _constant(weights, 1 + full), main)]


def compile_policy(
    policy: Policy, universe: Universe, market: Market, purpose: Purpose, others: Sequence[Recognition] = ()
) -> CompiledPolicy:
    """Builds the statement that account and venue must agree on, bit for bit.

    Raises:
        MarginproofError: POLICY_INCOMPLETE; POLICY_INVALID where lots or bounds of the universe do not fit the rows;
            PRICE_UNAVAILABLE, OUT_OF_RANGE or PRICING_DOMAIN for the market.
    """
    return compile_valued(policy, universe, unit_values(policy, universe, market), purpose, others)


def compile_valued(
    policy: Policy,
    universe: Universe,
    values: Mapping[int, UnitValue],
    purpose: Purpose,
    others: Sequence[Recognition] = (),
) -> CompiledPolicy:
    """As :func:`compile_policy`, from values already computed (both purposes share them)."""
    return policy_rows(policy, universe, values, purpose).compile(others)


def policy_rows(policy: Policy, universe: Universe, values: Mapping[int, UnitValue], purpose: Purpose) -> PolicyRows:
    """The weights of a purpose, to be compiled for as many lists of other venues as needed.

    Raises:
        ConfigurationError: POLICY_INVALID, one lot of an entry is worth too many row units; POLICY_INCOMPLETE.
    """
    positions = range(len(policy.scenarios))
    return PolicyRows(
        policy,
        universe,
        tuple(_scenario_weights(policy, universe, values, purpose, position) for position in positions),
    )


def _scenario_weights(
    policy: Policy, universe: Universe, values: Mapping[int, UnitValue], purpose: Purpose, position: int
) -> _ScenarioWeights:
    factor = policy.loss_factors[purpose] * policy.scenarios[position].loss_weight
    collateral: dict[int, int] = {}
    book: dict[int, int] = {}
    floored = nearest = Fraction(0)
    for entry in universe.entries:
        value = values[entry.index]
        per_lot = value.now + factor * (value.moved[position] - value.now)
        exact = per_lot * 10**policy.row_unit_exponent / 10**entry.lot_exponent
        book[entry.index] = round(exact)
        nearest += entry.max_lots * abs(exact - book[entry.index])
        if entry.kind == EntryKind.COLLATERAL:
            kept = exact * (1 - haircut(policy, entry))
            collateral[entry.index] = math.floor(kept)
            floored += entry.max_lots * (kept - collateral[entry.index])
        _check_weight(policy, entry, book[entry.index])
    return _ScenarioWeights(
        _without_zeros(collateral),
        _without_zeros(book),
        floored,
        nearest,
        collateral_reach=_reach(universe, collateral),
        book_reach=_reach(universe, book),
    )


def _without_zeros(weights: dict[int, int]) -> dict[int, int]:
    """The canonical form of a statement has no zero weight."""
    return {index: weight for index, weight in weights.items() if weight}


def _reach(universe: Universe, weights: dict[int, int]) -> int:
    """The most that a vector within max_lots can be worth, or owe."""
    return sum(entry.max_lots * abs(weights.get(entry.index, 0)) for entry in universe.entries)


def _constant(weights: _ScenarioWeights, vectors: int) -> int:
    """What is taken off a row in which so many vectors have weights rounded to nearest."""
    return -math.ceil(vectors * weights.nearest)


def _rounding(weights: _ScenarioWeights, full: int, losses: int) -> Fraction:
    """How far a main row can lie below its clear value, in row units."""
    main = weights.floored + (1 + full) * weights.nearest - _constant(weights, 1 + full)
    each_loss = weights.nearest - _constant(weights, 1) + (1 << LOSS_UNIT_BITS) - 1
    return main + losses * each_loss


def _check_weight(policy: Policy, entry: Entry, weight: int) -> None:
    if abs(weight) >> WEIGHT_BITS:
        raise ConfigurationError(
            f"{entry.id}: one lot is worth 2^{WEIGHT_BITS} row units or more at this price",
            code=ReasonCode.POLICY_INVALID,
            fix=f"use a smaller lot for the entry or a row_unit_exponent below {policy.row_unit_exponent}",
            fields={"entry": entry.id},
        )


def _check_reach(policy: Policy, highest: int, end: int) -> None:
    """No account within max_lots is so rich, or owes elsewhere so much, that it would be rejected for leaving a row."""
    if highest >= end:
        raise ConfigurationError(
            f"an account with max_lots of every entry would reach 2^{highest.bit_length() - 1} row units, "
            f"and rows end at 2^{ROW_BITS}",
            code=ReasonCode.POLICY_INVALID,
            fix=f"lower max_lots in the universe or use a row_unit_exponent below {policy.row_unit_exponent}",
        )


def _check_auxiliary(universe: Universe, scenarios: int, losses: int) -> None:
    """One entry of the auxiliary vector for each scenario and venue of which only losses count."""
    if scenarios * losses > universe.n:
        raise ConfigurationError(
            f"{scenarios} scenarios and {losses} other venues need {scenarios * losses} auxiliary entries, "
            f"and vectors have {universe.n}",
            code=ReasonCode.POLICY_INVALID,
            fix="release a pledge; as a venue, use fewer scenarios or a network of larger vectors",
            fields={"scenarios": scenarios, "venues": losses},
        )
