"""Margin in plain exact arithmetic, beside the rows: what proofs are checked against and what an account looks at."""

import dataclasses
from collections.abc import Mapping, Sequence
from fractions import Fraction

from marginproof.model.errors import MalformedError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Universe
from marginproof.risk.coverage import haircut
from marginproof.risk.market import Market
from marginproof.risk.policy import Policy
from marginproof.risk.recognition import Recognition
from marginproof.risk.valuation import unit_values


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
    others: Sequence[tuple[Recognition, Mapping[int, int]]] = (),
) -> ClearMargin:
    """Surplus of an account: equity now + loss factor · loss weight · (scenario value − value now), per scenario.

    A pledge of which only losses count adds its own such sum in the scenarios in which that is negative.

    Args:
        policy: The venue's policy.
        universe: The entries that the vectors count.
        market: Prices and volatilities.
        purpose: Which loss factor applies.
        collateral: Index → lots of collateral entries, in [0, max_lots].
        book: Index → signed lots of the venue's book, |lots| ≤ max_lots. An instrument bought for a price has lowered
            the cash entry by it, so the instrument's whole value counts.
        others: Pledges at other venues and how the policy recognises each; vectors as ``book``.

    Raises:
        MarginproofError: ENTRY_RANGE for an impossible vector; else as :func:`~marginproof.risk.rows.compile_policy`.
    """
    values = unit_values(policy, universe, market)
    entries = {entry.index: entry for entry in universe.entries}
    counted = [_kept(policy, entries, collateral), _units(entries, "book", book)]
    losses_only: list[dict[int, Fraction]] = []
    for recognition, vector in others:
        (counted if recognition is Recognition.FULL else losses_only).append(_units(entries, "pledge", vector))

    def worth(holding: Mapping[int, Fraction], position: int) -> Fraction:
        factor = policy.loss_factors[purpose] * policy.scenarios[position].loss_weight
        now = sum((units * values[index].now for index, units in holding.items()), Fraction(0))
        moved = sum((units * values[index].moved[position] for index, units in holding.items()), Fraction(0))
        return now + factor * (moved - now)

    surpluses = tuple(
        sum((worth(holding, position) for holding in counted), Fraction(0))
        + sum((min(Fraction(0), worth(holding, position)) for holding in losses_only), Fraction(0))
        for position in range(len(policy.scenarios))
    )
    worst = min(surpluses)
    return ClearMargin(worst, policy.scenarios[surpluses.index(worst)].label, surpluses)


def _kept(policy: Policy, entries: Mapping[int, Entry], collateral: Mapping[int, int]) -> dict[int, Fraction]:
    """Units of collateral that count, after haircuts."""
    kept: dict[int, Fraction] = {}
    for index, lots in collateral.items():
        entry = entries.get(index)
        if entry is None or entry.kind != EntryKind.COLLATERAL or not 0 <= lots <= entry.max_lots:
            raise _impossible("collateral", index)
        kept[index] = (1 - haircut(policy, entry)) * Fraction(lots, 10**entry.lot_exponent)
    return kept


def _units(entries: Mapping[int, Entry], name: str, vector: Mapping[int, int]) -> dict[int, Fraction]:
    """Units of a book or pledge."""
    held: dict[int, Fraction] = {}
    for index, lots in vector.items():
        entry = entries.get(index)
        if entry is None or abs(lots) > entry.max_lots:
            raise _impossible(name, index)
        held[index] = Fraction(lots, 10**entry.lot_exponent)
    return held


def _impossible(vector: str, index: int) -> MalformedError:
    return MalformedError(
        f"entry {index} of the {vector} vector is unknown there or beyond its max_lots",
        code=ReasonCode.ENTRY_RANGE,
        fix="use the universe's indices and bounds; collateral is never negative",
        fields={"vector": vector, "index": index},
    )
