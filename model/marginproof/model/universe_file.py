"""A universe as YAML: a section of the network file, or a file of its own while it is being edited."""

import dataclasses
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import Field

from marginproof.model.documents import AddressText, StrictDocument, parse_document, read_file
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe

MAX_FILE_BYTES: Final = 4 << 20
_WHAT: Final = "the universe file"


class _Feed(StrictDocument):
    chain: str
    address: AddressText


class _Point(StrictDocument):
    id: str = Field(min_length=1, max_length=64)
    kind: Literal["price", "volatility"]
    feeds: list[_Feed]
    min_feeds: int = Field(ge=1)
    max_age_seconds: int = Field(gt=0)
    max_spread_bps: int = Field(ge=0)


class EntryDocument(StrictDocument):
    """One entry as YAML spells it."""

    index: int = Field(ge=0)
    id: str = Field(min_length=1, max_length=192)
    kind: Literal["collateral", "cash", "perpetual", "call", "put"]
    lot_exponent: int = Field(ge=0, le=18)
    max_lots: int = Field(gt=0)
    price_point: str = ""
    chain: str = ""
    token: AddressText = bytes(20)
    decimals: int = Field(default=0, ge=0, le=36)
    strike_e8: int = Field(default=0, ge=0)
    expiry: int = Field(default=0, ge=0)
    volatility_point: str = ""

    def entry(self) -> Entry:
        """The entry, not checked against a universe."""
        return Entry(
            **self.model_dump(exclude={"kind", "strike_e8", "token"}),
            kind=EntryKind[self.kind.upper()],
            strike=self.strike_e8,
            token=self.token,
        )


class UniverseDocument(StrictDocument):
    """A universe as YAML spells it; the vector length is the network's."""

    version: int = Field(ge=1)
    compatible_since: int = Field(ge=1)
    points: list[_Point]
    entries: list[EntryDocument]

    def universe(self, n: int) -> Universe:
        """The checked universe.

        Raises:
            MalformedError: See :meth:`marginproof.model.universe.Universe.checked`.
        """
        points = tuple(
            PricePoint(
                id=point.id,
                kind=PointKind[point.kind.upper()],
                feeds=tuple(Feed(feed.chain, feed.address) for feed in point.feeds),
                min_feeds=point.min_feeds,
                max_age_seconds=point.max_age_seconds,
                max_spread_bps=point.max_spread_bps,
            )
            for point in self.points
        )
        entries = tuple(entry.entry() for entry in self.entries)
        return Universe(self.version, self.compatible_since, n, points, entries).checked()


def universe_document(universe: Universe) -> dict[str, Any]:
    """What :class:`UniverseDocument` reads, as plain values."""
    return {
        "version": universe.version,
        "compatible_since": universe.compatible_since,
        "points": [_point_document(point) for point in universe.points],
        "entries": [_entry_document(entry) for entry in universe.entries],
    }


def load_universe_file(path: Path, n: int) -> Universe:
    """Reads and checks a universe file.

    Args:
        path: Where it lies.
        n: The network's vector length.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE or CONFIG_INVALID with the place of the fault.
    """
    return parse_universe_file(read_file(path, _WHAT, "check its path"), n)


def parse_universe_file(data: bytes, n: int) -> Universe:
    """Checks the bytes of a universe file; see :func:`load_universe_file`."""
    document = parse_document(UniverseDocument, data, _WHAT, MAX_FILE_BYTES)
    try:
        return document.universe(n)
    except MarginproofError as error:
        raise ConfigurationError(f"{_WHAT}: {error.message}", fix=error.fix) from error


def dump_universe_file(universe: Universe) -> bytes:
    """The YAML of a universe; reading it back gives an equal value."""
    document = UniverseDocument.model_validate(universe_document(universe))
    return yaml.safe_dump(document.model_dump(), sort_keys=False).encode()


def _point_document(point: PricePoint) -> dict[str, Any]:
    return {**dataclasses.asdict(point), "kind": PointKind(point.kind).name.lower()}


def _entry_document(entry: Entry) -> dict[str, Any]:
    document = {**dataclasses.asdict(entry), "kind": EntryKind(entry.kind).name.lower()}
    document["strike_e8"] = document.pop("strike")
    return document
