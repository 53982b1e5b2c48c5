"""Model prices against a listed option chain: with the listed volatility they give the exchange's own mark prices."""

import csv
import gzip
from datetime import datetime
from pathlib import Path
from statistics import median

import pytest

from marginproof.core import black76_price

CHAIN = Path("data/options/deribit-20260206T043012Z.csv.gz")
SECONDS_PER_YEAR = 365 * 86_400


@pytest.mark.shared
@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_model_prices_are_the_listed_mark_prices(coin: str, shared_dir: Path) -> None:
    """Errors in coins: half of all marks within 2e-5, 99 % within 1e-3; listed volatilities are rounded."""
    with gzip.open(shared_dir / CHAIN, "rt", newline="") as stream:
        options = [row for row in csv.DictReader(stream) if row["currency"] == coin]
    errors = sorted(mark_error(row) for row in options)
    assert len(errors) > 900
    assert median(errors) < 2e-5
    assert errors[len(errors) * 99 // 100] < 1e-3


def mark_error(row: dict[str, str]) -> float:
    forward = float(row["underlying"])
    left = datetime.fromisoformat(row["expiry_datetime"]) - datetime.fromisoformat(row["timestamp"])
    price = black76_price(
        row["option_type"] == "call",
        forward,
        float(row["strike"]),
        float(row["implied_volatility"]),
        left.total_seconds() / SECONDS_PER_YEAR,
    )
    return abs(price / forward - float(row["mark_price"]))
