"""A policy at a market, compiled to the integer rows of a linear-range statement.

Row s says 0 ≤ b_s + ⟨w_s, collateral⟩ + ⟨w'_s, book⟩ < 2^96 in units of 10^-u USD. With now and moved the USD value of
one lot, λ the level's loss factor and ω the scenario's loss weight, the exact weight of an entry is
now + λω(moved − now), times 1 − haircut for collateral. Rounding goes against the prover: collateral weights, whose
entries are never negative, are floored; book weights, whose entries have either sign, are rounded to nearest, and
Σ max_lots·|rounding error| is taken off as the constant b_s.
"""

import dataclasses
import math
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
from marginproof.risk.valuation import UnitValue, unit_values

ROW_BITS: Final = 96
"""With units of 10^-14 USD a row reaches 7.9 · 10^14 USD."""
WEIGHT_BITS: Final = 64
VECTORS: Final = 2
"""Input 0 is the collateral, input 1 the venue's book for the account."""


@dataclasses.dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """Rows of one purpose: ``labels[s]`` names row s.

    ``rounding_bound`` (USD): no in-range account's row lies further below its clear value than this, and never above.
    """

    statement: Statement
    labels: tuple[str, ...]
    rounding_bound: Fraction


@dataclasses.dataclass(frozen=True, slots=True)
class _ExactRow:
    """Integer weights and constant of one row, and what rounding can cost in it, in row units."""

    constant: int
    collateral: dict[int, int]
    book: dict[int, int]
    rounding: Fraction


def compile_policy(policy: Policy, universe: Universe, market: Market, purpose: Purpose) -> CompiledPolicy:
    """Builds the statement that account and venue must agree on, bit for bit.

    Raises:
        MarginproofError: POLICY_INCOMPLETE; POLICY_INVALID where lots or bounds of the universe do not fit the rows;
            PRICE_UNAVAILABLE, OUT_OF_RANGE or PRICING_DOMAIN for the market.
    """
    return compile_valued(policy, universe, unit_values(policy, universe, market), purpose)


def compile_valued(
    policy: Policy, universe: Universe, values: dict[int, UnitValue], purpose: Purpose
) -> CompiledPolicy:
    """As :func:`compile_policy`, from values already computed (both purposes share them)."""
    rows = [_row(policy, universe, values, purpose, position) for position in range(len(policy.scenarios))]
    try:
        statement = Statement(
            universe.n,
            VECTORS,
            VECTORS,
            [Row(ROW_BITS, row.constant, [row.collateral, row.book]) for row in rows],
        )
    except CoreError as error:
        raise MarginproofError(ReasonCode(error.code), error.message) from error
    worst = max(row.rounding for row in rows)
    labels = tuple(scenario.label for scenario in policy.scenarios)
    return CompiledPolicy(statement, labels, worst / 10**policy.row_unit_exponent)


def _row(
    policy: Policy, universe: Universe, values: dict[int, UnitValue], purpose: Purpose, position: int
) -> _ExactRow:
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
    constant = -math.ceil(nearest)
    _check_reach(policy, universe, constant, collateral, book)
    return _ExactRow(constant, _without_zeros(collateral), _without_zeros(book), floored + nearest - constant)


def _without_zeros(weights: dict[int, int]) -> dict[int, int]:
    """The canonical form of a statement has no zero weight."""
    return {index: weight for index, weight in weights.items() if weight}


def _check_weight(policy: Policy, entry: Entry, weight: int) -> None:
    if abs(weight) >> WEIGHT_BITS:
        raise ConfigurationError(
            f"{entry.id}: one lot is worth 2^{WEIGHT_BITS} row units or more at this price",
            code=ReasonCode.POLICY_INVALID,
            fix=f"use a smaller lot for the entry or a row_unit_exponent below {policy.row_unit_exponent}",
            fields={"entry": entry.id},
        )


def _check_reach(
    policy: Policy, universe: Universe, constant: int, collateral: dict[int, int], book: dict[int, int]
) -> None:
    """No account within max_lots is so rich that its row leaves the range at the top, and would be rejected for it."""
    highest = -constant + sum(
        entry.max_lots * (collateral.get(entry.index, 0) + abs(book[entry.index])) for entry in universe.entries
    )
    if highest >> ROW_BITS:
        raise ConfigurationError(
            f"an account with max_lots of every entry would reach 2^{highest.bit_length() - 1} row units, "
            f"and rows end at 2^{ROW_BITS}",
            code=ReasonCode.POLICY_INVALID,
            fix=f"lower max_lots in the universe or use a row_unit_exponent below {policy.row_unit_exponent}",
        )
