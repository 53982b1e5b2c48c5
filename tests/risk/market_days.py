"""Two days of the market on which margin systems failed, and accounts that lived through them."""

import csv
import dataclasses
import gzip
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from marginproof.model.universe import EntryKind, Universe
from marginproof.risk.market import Market
from tests.risk import world

ETH, USDC, CASH, DUST, ETH_PERP, OTHER_PERP, ETH_PUT, ETH_CALL, OTHER_CALL = range(9)
"""Indices of the entries of both days."""


@dataclasses.dataclass(frozen=True)
class MarketDay:
    """Bars of two coins from ``first`` to ``last`` (text of the file's time column), and an account's vectors.

    Volatilities are fixed and assumed: no option market of those hours is among the data.
    """

    name: str
    other: str
    files: tuple[str, str]
    first: str
    last: str
    bars: int
    strikes: tuple[int, int, int]
    expiry: datetime
    volatility_e8: int
    collateral: dict[int, int]
    book: dict[int, int]

    @property
    def universe(self) -> Universe:
        """ETH and USDC as collateral; cash; a perpetual of each coin; ETH options and one of the other coin."""
        put, call, other_call = (strike * 10**8 for strike in self.strikes)
        coin, other = "price:ETH", f"price:{self.other}"
        expiry = int(self.expiry.timestamp())
        eth_put, eth_call = (world.OptionTerms(strike, expiry, "volatility:ETH") for strike in (put, call))
        other_terms = world.OptionTerms(other_call, expiry, f"volatility:{self.other}")
        entries = (
            world.entry(
                ETH, "eip155:1/slip44:60", EntryKind.COLLATERAL, 6, 10**11, coin, chain="eip155:1", decimals=18
            ),
            world.entry(USDC, "eip155:10/erc20:usdc", EntryKind.COLLATERAL, 4, 10**13, "price:USDC", chain="eip155:10"),
            world.entry(CASH, "USD", EntryKind.CASH, 2, 10**12),
            world.entry(DUST, "USD-DUST", EntryKind.CASH, 14, 10**18),
            world.entry(ETH_PERP, "ETH-PERP", EntryKind.PERPETUAL, 4, 10**10, coin),
            world.entry(OTHER_PERP, f"{self.other}-PERP", EntryKind.PERPETUAL, 4, 10**10, other),
            world.entry(ETH_PUT, "ETH-PUT", EntryKind.PUT, 4, 10**10, coin, option=eth_put),
            world.entry(ETH_CALL, "ETH-CALL", EntryKind.CALL, 4, 10**10, coin, option=eth_call),
            world.entry(OTHER_CALL, f"{self.other}-CALL", EntryKind.CALL, 4, 10**10, other, option=other_terms),
        )
        names = (coin, other, "price:USDC", "volatility:ETH", f"volatility:{self.other}")
        return Universe(1, 1, 256, world.points(*names), entries).checked()

    def markets(self, prices: Path) -> list[Market]:
        """One market for each bar: both coins' closes at its time."""
        eth, other = (self._closes(prices / file) for file in self.files)
        fixed = {
            "price:USDC": 10**8,
            "volatility:ETH": self.volatility_e8,
            f"volatility:{self.other}": self.volatility_e8,
        }
        return [
            Market(time, {"price:ETH": close, f"price:{self.other}": other[time], **fixed})
            for time, close in eth.items()
        ]

    def _closes(self, file: Path) -> dict[int, int]:
        """Only closes: highs and lows of these files hold bad ticks."""
        with gzip.open(file, "rt", newline="") as stream:
            rows = [{key.lower(): text for key, text in row.items()} for row in csv.DictReader(stream)]
        closes: dict[int, int] = {}
        for row in rows:
            text = row.get("time") or row["date"]
            if self.first <= text[:16] <= self.last:
                moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
                closes[int(moment.timestamp())] = int(Fraction(row["close"]) * 10**8)
        return closes


COVID = MarketDay(
    name="2020-03-12",
    other="BTC",
    files=("ETH-USDT-1h-2020-01_2022-10.csv.gz", "BTC-USDT-1h-2020-01_2022-10.csv.gz"),
    first="2020-03-12 00:00",
    last="2020-03-13 23:00",
    bars=48,
    strikes=(180, 220, 9_000),
    expiry=datetime(2020, 3, 27, 8, tzinfo=UTC),
    volatility_e8=110_000_000,
    collateral={ETH: 60 * 10**6, USDC: 1_000 * 10**4},
    book={
        ETH_PERP: -60 * 10**4,
        OTHER_PERP: -5 * 10**3,
        ETH_PUT: -180 * 10**4,
        ETH_CALL: -40 * 10**4,
        OTHER_CALL: -2 * 10**4,
        CASH: 16_500 * 10**2,
    },
)
"""A market maker that has sold ETH puts against ETH and dollars; all coins fall by half within a day."""

FTX = MarketDay(
    name="2022-11-08",
    other="SOL",
    files=("ETH-USDT-30m-2022-10_2025-03.csv.gz", "SOL-USDT-30m-2022-10_2025-03.csv.gz"),
    first="2022-11-08 00:00",
    last="2022-11-10 23:30",
    bars=144,
    strikes=(1_300, 1_700, 40),
    expiry=datetime(2022, 11, 25, 8, tzinfo=UTC),
    volatility_e8=95_000_000,
    collateral={ETH: 40 * 10**6, USDC: 2_000 * 10**4},
    book={
        ETH_PERP: -20 * 10**4,
        OTHER_PERP: 1_500 * 10**4,
        ETH_PUT: -60 * 10**4,
        ETH_CALL: -20 * 10**4,
        OTHER_CALL: -500 * 10**4,
        CASH: -7_500 * 10**2,
    },
)
"""An account long SOL perpetuals and short ETH options while SOL falls from 30 to 9 USD in two days."""

MARKET_DAYS = (COVID, FTX)
