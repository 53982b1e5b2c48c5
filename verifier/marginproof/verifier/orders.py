"""May an order be filled? Plain integer arithmetic against pledged lines; no proof, no database, no clock.

An order is taken if it reduces risk, or if the account may add risk and the book after it is still covered by every
pledge that stands or is about to. A position that shrinks is not yet less risk: it may be what hedged another one.
Source: architecture, step 9; docs/venues.md, "Orders".
"""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from marginproof.model.errors import RefusedError
from marginproof.model.margin import MarginState
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import PRICE_SCALE, Entry
from marginproof.risk.line import Line

TRADING_STATES: Final = frozenset({MarginState.GOOD, MarginState.PROOF_DUE})
"""In every other state an account may only reduce risk."""
_BASIS_POINTS: Final = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Quote:
    """What a snapshot says of one instrument: USD per unit, of itself and of its underlying."""

    value: Fraction
    underlying: Fraction


@dataclasses.dataclass(frozen=True, slots=True)
class TradingView:
    """What an account's orders are judged by.

    Args:
        book: Index → signed lots; secret.
        lines: One for each pledge that must cover the book, the standing one first; empty while the line is closed.
        state: Where the account stands.
        quotes: Index → the newest snapshot's quote; of instruments only.
        price_band_bps: The network's band, in basis points of the underlying's price.
        rows: Of the newest snapshot's lines: they also value the book alone.
    """

    book: Mapping[int, int] = dataclasses.field(repr=False)
    lines: tuple[Line, ...]
    state: MarginState
    quotes: Mapping[int, Quote]
    price_band_bps: int
    rows: tuple[Mapping[int, int], ...] = ()

    @property
    def open(self) -> bool:
        """Whether orders that add risk are looked at."""
        return bool(self.lines) and self.state in TRADING_STATES


def check_order(view: TradingView, entry: Entry, lots: int, price_e8: int, change: Mapping[int, int]) -> None:
    """Lets an order through, or tells why not.

    Args:
        view: The account.
        entry: The instrument.
        lots: Signed; positive when the account buys.
        price_e8: Of one unit, 10^-8 USD.
        change: What the fill would add to the book: index → lots of instrument and cash.

    Raises:
        RefusedError: LINE_CLOSED, LINE_EXCEEDED.
    """
    if reduces_risk(view, entry, lots, price_e8, change):
        return
    if not view.open:
        raise RefusedError(
            ReasonCode.LINE_CLOSED,
            "the account may only reduce risk: no final pledge opens its line, or a proof is missing",
            fix="reserve a pledge and wait until it stands, or see the account's margin state",
        )
    if not all(line.fits(change) for line in view.lines):
        raise RefusedError(
            ReasonCode.LINE_EXCEEDED, "the order would leave the pledged line", fix="reserve a pledge with a wider line"
        )


def reduces_risk(view: TradingView, entry: Entry, lots: int, price_e8: int, change: Mapping[int, int]) -> bool:
    """Whether the position only shrinks, at a price within the band, and the book's worst row does not become worse.

    The band keeps a reduction from being a way to move value out of the account; the rows keep it from taking a hedge
    away, or from paying for an option what no scenario has it worth, on collateral that nobody pledged. A book in
    default may be taken apart leg by leg: that is the venue's liquidation.
    """
    if not _shrinks(view, entry, lots, price_e8):
        return False
    if view.state is MarginState.DEFAULT:
        return True
    covered = bool(view.lines) and all(line.fits(change) for line in view.lines)
    return covered or Line(view.rows, {}, view.book).keeps(change)


def _shrinks(view: TradingView, entry: Entry, lots: int, price_e8: int) -> bool:
    position = view.book.get(entry.index, 0)
    quote = view.quotes.get(entry.index)
    if quote is None or position * lots >= 0 or abs(lots) > abs(position):
        return False
    price = Fraction(price_e8, PRICE_SCALE)
    loss = price - quote.value if lots > 0 else quote.value - price
    return loss * _BASIS_POINTS <= view.price_band_bps * quote.underlying
