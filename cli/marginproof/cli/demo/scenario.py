"""What the demo plays: quoted prices, collateral, positions. Read from ``scenario.yaml`` beside this file."""

import dataclasses
import importlib.resources
from decimal import Decimal
from typing import Final

import yaml

PRICE_SCALE: Final = Decimal(10**8)


@dataclasses.dataclass(frozen=True, slots=True)
class Hour:
    """One quoted hour: prices in 10^-8 USD, volatility in 10^-8 per year."""

    time: str
    eth_price: int
    volatility: int


@dataclasses.dataclass(frozen=True, slots=True)
class Fill:
    """A trade of the market maker: signed size in units, price in USD."""

    instrument: str
    size: Decimal
    price: Decimal


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """The whole day."""

    source: str
    hours: dict[str, Hour]
    opening: Hour
    worse: Hour
    crash: Hour
    eth: Decimal
    usdc: Decimal
    top_up_usdc: Decimal
    fills: tuple[Fill, ...]


def load_scenario() -> Scenario:
    """Reads the scenario that ships with the command."""
    text = importlib.resources.files(__package__).joinpath("scenario.yaml").read_text()
    document = yaml.safe_load(text)
    hours = {
        hour["time"]: Hour(hour["time"], int(Decimal(hour["eth_usd"]) * PRICE_SCALE), hour["volatility_pct"] * 10**6)
        for hour in document["hours"]
    }
    return Scenario(
        source=document["source"],
        hours=hours,
        opening=hours[document["opening_hour"]],
        worse=hours[document["worse_hour"]],
        crash=hours[document["crash_hour"]],
        eth=Decimal(document["collateral"]["eth"]),
        usdc=Decimal(document["collateral"]["usdc"]),
        top_up_usdc=Decimal(document["top_up_usdc"]),
        fills=tuple(
            Fill(fill["instrument"], Decimal(fill["size"]), Decimal(fill["price"])) for fill in document["fills"]
        ),
    )
