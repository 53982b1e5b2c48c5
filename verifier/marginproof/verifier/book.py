"""The venue's book with one account: positions in lots, one cash entry, a fresh commitment after every change."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Annotated

from marginproof import core
from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.margin import BookOpening, VectorValue
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import Bytes32, Int64, SszContainer, Text, Text64, Uint64
from marginproof.model.universe import PRICE_SCALE, Entry, EntryKind, Universe

INSTRUMENT_KINDS = frozenset({EntryKind.PERPETUAL, EntryKind.CALL, EntryKind.PUT})
"""What can be traded at a venue; collateral lies in vaults and cash only moves with a trade."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fill(SszContainer):
    """One fill as the matching engine reports it; ``lots`` is positive when the account buys."""

    fill_id: Text64
    account: Bytes32
    instrument: Annotated[str, Text(192)]
    lots: Int64
    price_e8: Uint64

    def __repr__(self) -> str:
        return f"Fill(fill_id={self.fill_id!r})"


def cash_entry(universe: Universe) -> Entry:
    """The universe's one cash entry.

    Raises:
        MalformedError: CONFIG_INVALID; a venue can only book trades where there is exactly one.
    """
    found = [entry for entry in universe.entries if entry.kind == EntryKind.CASH]
    if len(found) != 1:
        raise MalformedError("a venue needs exactly one cash entry in the universe", code=ReasonCode.CONFIG_INVALID)
    return found[0]


def check_fill(universe: Universe, fill: Fill, now: int) -> Entry:
    """The instrument of a fill, once it is one that can be traded at ``now`` (UTC seconds).

    Raises:
        NotFoundError: No such entry.
        MalformedError: OUT_OF_RANGE: fill id, lots, price, kind of entry or expiry.
    """
    entry = universe.entry(fill.instrument)
    if not fill.fill_id:
        raise _out_of_range("a fill needs an id of 1 to 64 characters")
    if entry.kind not in INSTRUMENT_KINDS:
        raise _out_of_range(f"{entry.id!r} is no instrument that is traded at a venue")
    if fill.lots == 0 or fill.price_e8 == 0:
        raise _out_of_range("a fill has lots and a price, both other than zero")
    if entry.expiry and now >= entry.expiry:
        raise _out_of_range(f"{entry.id!r} has expired")
    return entry


def apply_fill(universe: Universe, values: Mapping[int, int], fill: Fill, now: int) -> dict[int, int]:
    """The book after a fill: the position moves by its lots, cash by what they cost.

    Args:
        universe: What the indices mean.
        values: Index → signed lots, non-zero entries.
        fill: The fill.
        now: UTC seconds.

    Returns:
        The new non-zero entries. Cash is rounded down to whole lots: against the account.

    Raises:
        NotFoundError, MalformedError: See :func:`check_fill`.
        RefusedError: OUT_OF_RANGE: a position or cash would pass its ``max_lots``.
    """
    entry, cash = check_fill(universe, fill, now), cash_entry(universe)
    after = dict(values)
    after[entry.index] = after.get(entry.index, 0) + fill.lots
    after[cash.index] = after.get(cash.index, 0) + cash_change_floor(entry, cash, fill.lots, fill.price_e8)
    for changed in (entry, cash):
        if abs(after[changed.index]) > changed.max_lots:
            raise RefusedError(
                ReasonCode.OUT_OF_RANGE,
                f"the book would pass max_lots of {changed.id!r}",
                fix="reduce the position first",
                fields={"entry": changed.id},
            )
    return {index: lots for index, lots in sorted(after.items()) if lots}


def cash_change_floor(entry: Entry, cash: Entry, lots: int, price_e8: int) -> int:
    """What buying ``lots`` at ``price_e8`` changes the cash entry by, in its lots, rounded down."""
    numerator: int = -lots * price_e8 * 10**cash.lot_exponent
    denominator: int = 10**entry.lot_exponent * PRICE_SCALE
    return numerator // denominator


def commit_book(
    universe: Universe,
    *,
    venue: bytes,
    account: bytes,
    sequence: int,
    values: Mapping[int, int],
    draw_blinding: Callable[[], bytes] = core.random_blinding,
) -> BookOpening:
    """Commits to a book with fresh blinding: two commitments to one book are never the same.

    Args:
        universe: What the indices mean; also names n.
        venue: Address, 20 bytes.
        account: Account id, 32 bytes.
        sequence: 0 for the empty book, one more after every fill.
        values: Index → signed lots.
        draw_blinding: Source of 32 uniform bytes below the field's order.
    """
    blinding = draw_blinding()
    return BookOpening(
        venue=venue,
        account=account,
        universe_digest=universe.root(),
        sequence=sequence,
        values=tuple(VectorValue(index, lots) for index, lots in sorted(values.items())),
        blinding=blinding,
        commitment=core.commit(universe.n, dict(values), blinding),
    )


def _out_of_range(message: str) -> MalformedError:
    return MalformedError(message, code=ReasonCode.OUT_OF_RANGE, fix="correct the fill and send it again")
