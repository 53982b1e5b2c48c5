"""The venue's book with one account: positions in lots and one cash entry; orders, and fills that move it. Pure."""

import dataclasses
import struct
from collections.abc import Mapping
from typing import Final, Self

from marginproof.model.errors import MalformedError, NotFoundError, RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import PRICE_SCALE, Entry, EntryKind, Universe
from marginproof.risk.line import cash_entry

INSTRUMENT_KINDS: Final = frozenset({EntryKind.PERPETUAL, EntryKind.CALL, EntryKind.PUT})
"""What can be traded at a venue; collateral lies in vaults and cash only moves with a trade."""
MAX_FILL_ID_BYTES: Final = 64
_FILL: Final = struct.Struct("<32sqQ")
_VALUE: Final = struct.Struct("<Hq")


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """What an account wants to trade; ``lots`` is positive when it buys, ``price_e8`` is of one unit in 10^-8 USD."""

    account: bytes
    instrument: str
    lots: int = dataclasses.field(repr=False)
    price_e8: int = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Fill:
    """One fill as the matching engine reports it, under its own id of 1 to 64 bytes."""

    fill_id: str
    order: Order

    def encode(self) -> bytes:
        """How it is stored: shorter and faster to make than a container that somebody signs."""
        order = self.order
        return _FILL.pack(order.account, order.lots, order.price_e8) + order.instrument.encode()

    @classmethod
    def decode(cls, fill_id: str, data: bytes) -> Self:
        """Reads what was stored under an id."""
        account, lots, price_e8 = _FILL.unpack_from(data)
        return cls(fill_id, Order(account, data[_FILL.size :].decode(), lots, price_e8))


def encode_values(values: Mapping[int, int]) -> bytes:
    """How the non-zero entries of a book are stored."""
    return b"".join(_VALUE.pack(index, lots) for index, lots in sorted(values.items()))


def decode_values(data: bytes) -> dict[int, int]:
    """Reads what :func:`encode_values` wrote."""
    return dict(_VALUE.iter_unpack(data))


class Floor:
    """What can be traded in one universe, and how trades move a book.

    Raises:
        MalformedError: CONFIG_INVALID; there is not exactly one cash entry.
    """

    def __init__(self, universe: Universe) -> None:
        self._by_id = {entry.id: entry for entry in universe.entries}
        self._by_index = {entry.index: entry for entry in universe.entries}
        self._cash = cash_entry(universe)

    def instruments(self) -> list[Entry]:
        """Everything that can be traded, before or after its expiry."""
        return [entry for entry in self._by_index.values() if entry.kind in INSTRUMENT_KINDS]

    def instrument(self, order: Order, now: int) -> Entry:
        """The instrument of an order, once it is one that can be traded at ``now`` (UTC seconds).

        Raises:
            NotFoundError: No such entry.
            MalformedError: OUT_OF_RANGE: lots, price, kind of entry or expiry.
        """
        entry = self._by_id.get(order.instrument)
        if entry is None:
            raise NotFoundError("the universe has no such entry", fix="list the entries with: marginproof network show")
        if entry.kind not in INSTRUMENT_KINDS:
            raise _out_of_range(f"{entry.id!r} is no instrument that is traded at a venue")
        if order.lots == 0 or order.price_e8 == 0:
            raise _out_of_range("a trade has lots and a price, both other than zero")
        if entry.expiry and now >= entry.expiry:
            raise _out_of_range(f"{entry.id!r} has expired")
        return entry

    def change(self, entry: Entry, order: Order) -> dict[int, int]:
        """What a fill of an order adds to the book, index → lots: of the instrument, and the cash that it costs."""
        cash = cash_change_floor(entry, self._cash, order.lots, order.price_e8)
        return {entry.index: order.lots, self._cash.index: cash}

    def apply(self, values: Mapping[int, int], change: Mapping[int, int]) -> dict[int, int]:
        """The non-zero entries of a book after a change; both index → lots.

        Raises:
            RefusedError: OUT_OF_RANGE: a position or cash would pass its ``max_lots``.
        """
        after = dict(values)
        for index, lots in change.items():
            moved, entry = after.pop(index, 0) + lots, self._by_index[index]
            if abs(moved) > entry.max_lots:
                raise RefusedError(
                    ReasonCode.OUT_OF_RANGE,
                    f"the book would pass max_lots of {entry.id!r}",
                    fix="reduce the position first",
                    fields={"entry": entry.id},
                )
            if moved:
                after[index] = moved
        return after


def check_fill_id(fill_id: str) -> None:
    """Refuses ids that are empty or too long.

    Raises:
        MalformedError: OUT_OF_RANGE.
    """
    if not 0 < len(fill_id.encode()) <= MAX_FILL_ID_BYTES:
        raise _out_of_range(f"a fill needs an id of 1 to {MAX_FILL_ID_BYTES} bytes")


def cash_change_floor(entry: Entry, cash: Entry, lots: int, price_e8: int) -> int:
    """What buying ``lots`` at ``price_e8`` changes the cash entry by, in its lots, rounded down against the account."""
    numerator: int = -lots * price_e8 * 10**cash.lot_exponent
    denominator: int = 10**entry.lot_exponent * PRICE_SCALE
    return numerator // denominator


def _out_of_range(message: str) -> MalformedError:
    return MalformedError(message, code=ReasonCode.OUT_OF_RANGE, fix="correct the order or fill and send it again")
