"""Margin in plain exact arithmetic, beside the rows: what proofs are checked against and what an account looks at."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

from marginproof.model.errors import MalformedError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import EntryKind, Universe
from marginproof.risk.coverage import haircut
from marginproof.risk.market import Market
from marginproof.risk.policy import Policy
from marginproof.risk.valuation import UnitValue, unit_values


@dataclasses.dataclass(frozen=True, slots=True)
class ClearMargin:
    """Surplus in USD per scenario, in the policy's order, and the least of them with its scenario's label.

    Secret: amounts of one account; the repr hides them.
    """

    worst: Fraction
    worst_label: str
    values: tuple[Fraction, ...]

    @property
    def solvent(self) -> bool:
        """Whether no scenario's surplus is negative; exactly zero is solvent."""
        return self.worst >= 0

    def __repr__(self) -> str:
        return f"ClearMargin(<{len(self.values)} scenarios>)"


def clear_margin(
    policy: Policy,
    universe: Universe,
    market: Market,
    purpose: Purpose,
    collateral: Mapping[int, int],
    book: Mapping[int, int],
) -> ClearMargin:
    """Surplus of an account: equity now + loss factor · loss weight · (scenario value − value now), per scenario.

    Args:
        policy: The venue's policy.
        universe: The entries that the vectors count.
        market: Prices and volatilities.
        purpose: Which loss factor applies.
        collateral: Index → lots of collateral entries, in [0, max_lots].
        book: Index → signed lots of the venue's book, |lots| ≤ max_lots. An instrument bought for a price has lowered
            the cash entry by it, so the instrument's whole value counts.

    Raises:
        MarginproofError: ENTRY_RANGE for an impossible vector; else as :func:`~marginproof.risk.rows.compile_policy`.
    """
    values = unit_values(policy, universe, market)
    holdings = _holdings(policy, universe, collateral, book)
    now = sum((units * values[index].now for index, units in holdings.items()), Fraction(0))
    surpluses = tuple(
        now + policy.loss_factors[purpose] * scenario.loss_weight * (_moved(holdings, values, position) - now)
        for position, scenario in enumerate(policy.scenarios)
    )
    worst = min(surpluses)
    return ClearMargin(worst, policy.scenarios[surpluses.index(worst)].label, surpluses)


def _moved(holdings: Mapping[int, Fraction], values: Mapping[int, UnitValue], position: int) -> Fraction:
    return sum((units * values[index].moved[position] for index, units in holdings.items()), Fraction(0))


def _holdings(
    policy: Policy, universe: Universe, collateral: Mapping[int, int], book: Mapping[int, int]
) -> dict[int, Fraction]:
    """Units that count of each entry: collateral after its haircut plus the book."""
    entries = {entry.index: entry for entry in universe.entries}
    holdings: dict[int, Fraction] = {}
    for index, lots in collateral.items():
        entry = entries.get(index)
        if entry is None or entry.kind != EntryKind.COLLATERAL or not 0 <= lots <= entry.max_lots:
            raise _impossible("collateral", index)
        holdings[index] = (1 - haircut(policy, entry)) * Fraction(lots, 10**entry.lot_exponent)
    for index, lots in book.items():
        entry = entries.get(index)
        if entry is None or abs(lots) > entry.max_lots:
            raise _impossible("book", index)
        holdings[index] = holdings.get(index, Fraction(0)) + Fraction(lots, 10**entry.lot_exponent)
    return holdings


def _impossible(vector: str, index: int) -> MalformedError:
    return MalformedError(
        f"entry {index} of the {vector} vector is unknown there or beyond its max_lots",
        code=ReasonCode.ENTRY_RANGE,
        fix="use the universe's indices and bounds; collateral is never negative",
        fields={"vector": vector, "index": index},
    )
