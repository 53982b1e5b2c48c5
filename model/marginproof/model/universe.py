"""The universe: a versioned, ordered list of assets and instruments; vector entry i counts lots of entry i."""

import dataclasses
from enum import IntEnum
from typing import Annotated, Final, Self

from marginproof.model.errors import MalformedError, NotFoundError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import Bytes20, Many, SszContainer, Text, Text64, Uint8, Uint64

PRICE_SCALE: Final = 10**8
"""Prices are integers of 10^-8 USD per whole unit."""
VOLATILITY_SCALE: Final = 10**8
"""Implied volatilities are integers of 10^-8 per year (60 % is 60_000_000)."""
MAX_LOTS_LIMIT: Final = 1 << 63


class EntryKind(IntEnum):
    """What a vector entry counts."""

    COLLATERAL = 1
    CASH = 2
    PERPETUAL = 3
    CALL = 4
    PUT = 5


class PointKind(IntEnum):
    """What relayers observe at a price point."""

    PRICE = 1
    VOLATILITY = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Feed(SszContainer):
    """One source: a contract that answers like AggregatorV3."""

    chain: Text64
    address: Bytes20


@dataclasses.dataclass(frozen=True, slots=True)
class PricePoint(SszContainer):
    """A price or implied volatility with its rule: feeds, oldest age (seconds) and widest spread (basis points)."""

    id: Text64
    kind: Uint8
    feeds: Annotated[tuple[Feed, ...], Many(16)]
    min_feeds: Uint8
    max_age_seconds: Uint64
    max_spread_bps: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class Entry(SszContainer):
    """One asset or instrument.

    ``lot_exponent`` e makes a lot 10^-e units. Collateral names chain and token; instruments name the price point of
    their underlying, options also strike (10^-8 USD), expiry (UTC seconds) and their volatility point. An instrument's
    size of one unit is one unit of its underlying. Cash has no price point: one unit is 1 USD.
    """

    index: Uint64
    id: Annotated[str, Text(192)]
    kind: Uint8
    lot_exponent: Uint8
    max_lots: Uint64
    price_point: Text64
    chain: Text64
    token: Bytes20
    decimals: Uint8
    strike: Uint64
    expiry: Uint64
    volatility_point: Text64


@dataclasses.dataclass(frozen=True, slots=True)
class Universe(SszContainer):
    """Entries in index order and the price points that value them."""

    version: Uint64
    compatible_since: Uint64
    n: Uint64
    points: Annotated[tuple[PricePoint, ...], Many(1024)]
    entries: Annotated[tuple[Entry, ...], Many(2048)]

    def checked(self) -> Self:
        """Gives itself back when every rule of a universe holds.

        Raises:
            MalformedError: An index out of order or ≥ n, an unknown price point or kind, a bound out of range.
        """
        points = {point.id: point for point in self.points}
        if len(points) != len(self.points):
            raise MalformedError("two price points have one id", code=ReasonCode.CONFIG_INVALID)
        for point in self.points:
            _check_point(point)
        last = -1
        for entry in self.entries:
            if not last < entry.index < self.n:
                raise MalformedError(
                    f"entry {entry.id!r}: indices must rise and stay below n", code=ReasonCode.CONFIG_INVALID
                )
            last = entry.index
            _check_entry(entry, points)
        if len({entry.id for entry in self.entries}) != len(self.entries):
            raise MalformedError("two entries have one id", code=ReasonCode.CONFIG_INVALID)
        return self

    def entry(self, entry_id: str) -> Entry:
        """The entry with this id.

        Raises:
            NotFoundError: There is none.
        """
        for entry in self.entries:
            if entry.id == entry_id:
                return entry
        raise NotFoundError(
            f"the universe has no entry {entry_id[:64]!r}",
            fix="list the entries with: marginproof network show",
        )

    def collateral_entry(self, chain: str, token: bytes) -> Entry | None:
        """The collateral entry of a token on a chain, if the universe has it."""
        for entry in self.entries:
            if entry.kind == EntryKind.COLLATERAL and entry.chain == chain and entry.token == token:
                return entry
        return None


def lots_of_base_units_floor(entry: Entry, amount: int) -> int:
    """Whole lots in ``amount`` base units of the entry's token, rounded down, capped at ``max_lots``."""
    lots: int = amount * 10**entry.lot_exponent // 10**entry.decimals
    return min(lots, entry.max_lots)


def _check_point(point: PricePoint) -> None:
    if point.kind not in set(PointKind):
        raise MalformedError(f"price point {point.id!r} has an unknown kind", code=ReasonCode.CONFIG_INVALID)
    # A majority, so that feeds that agree among themselves never set a price against more that disagree.
    if not len(point.feeds) < 2 * point.min_feeds <= 2 * len(point.feeds) or len(set(point.feeds)) != len(point.feeds):
        raise MalformedError(
            f"price point {point.id!r}: min_feeds must be more than half of the feeds, which differ",
            code=ReasonCode.CONFIG_INVALID,
        )


def _check_entry(entry: Entry, points: dict[str, PricePoint]) -> None:
    def refuse(why: str) -> MalformedError:
        return MalformedError(f"entry {entry.id!r}: {why}", code=ReasonCode.CONFIG_INVALID)

    if entry.kind not in set(EntryKind):
        raise refuse("unknown kind")
    if not 0 < entry.max_lots < MAX_LOTS_LIMIT:
        raise refuse("max_lots must lie in (0, 2^63)")
    if entry.lot_exponent > 18:
        raise refuse("lot_exponent is at most 18")
    if entry.kind == EntryKind.CASH:
        return
    point = points.get(entry.price_point)
    if point is None or point.kind != PointKind.PRICE:
        raise refuse("names no price point")
    if entry.kind in (EntryKind.CALL, EntryKind.PUT):
        volatility = points.get(entry.volatility_point)
        if volatility is None or volatility.kind != PointKind.VOLATILITY or not entry.strike or not entry.expiry:
            raise refuse("an option needs strike, expiry and a volatility point")
