"""What the demo plays: quoted prices, collateral, orders. Read from ``scenario.yaml`` beside this file."""

import dataclasses
import importlib.resources
from decimal import Decimal
from typing import Any, Final

import yaml

PRICE_SCALE: Final = Decimal(10**8)


@dataclasses.dataclass(frozen=True, slots=True)
class Hour:
    """One quoted hour: prices in 10^-8 USD, volatility in 10^-8 per year."""

    time: str
    eth_price: int
    volatility: int


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """What the market maker trades: signed size in units, price in USD, filled in ``count`` equal parts."""

    instrument: str
    size: Decimal
    price: Decimal
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class VenuePlan:
    """What happens at one venue: its line in USD, the orders inside it, and one that does not fit any more."""

    line_usd: Decimal
    orders: tuple[Order, ...]
    outside: Order


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """The whole day; amounts in units of their asset."""

    source: str
    opening: Hour
    worse: Hour
    crash: Hour
    eth: Decimal
    usdc: Decimal
    top_up_usdc: Decimal
    venues: tuple[VenuePlan, ...]
    race_lines_usd: tuple[Decimal, ...]
    agent_top_up_usdc: Decimal
    forged_usdc: Decimal

    def collateral_amounts(self) -> list[int]:
        """Every collateral amount that the market maker locks or adds by hand, in base units and in lots."""
        dollars = self.usdc + self.top_up_usdc
        wei = int(self.eth * 10**18)
        micro = [int(amount * 10**6) for amount in (self.usdc, self.top_up_usdc, dollars)]
        return [wei, wei // 10**10, *micro, *(amount // 100 for amount in micro)]


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
        opening=hours[document["opening_hour"]],
        worse=hours[document["worse_hour"]],
        crash=hours[document["crash_hour"]],
        eth=Decimal(document["collateral"]["eth"]),
        usdc=Decimal(document["collateral"]["usdc"]),
        top_up_usdc=Decimal(document["top_up_usdc"]),
        venues=tuple(_venue(venue) for venue in document["venues"]),
        race_lines_usd=tuple(Decimal(line) for line in document["race_lines_usd"]),
        agent_top_up_usdc=Decimal(document["agent_top_up_usdc"]),
        forged_usdc=Decimal(document["forged_usdc"]),
    )


def _venue(document: dict[str, Any]) -> VenuePlan:
    return VenuePlan(
        line_usd=Decimal(document["line_usd"]),
        orders=tuple(_order(order) for order in document["orders"]),
        outside=_order(document["outside"]),
    )


def _order(document: dict[str, Any]) -> Order:
    return Order(document["instrument"], Decimal(document["size"]), Decimal(document["price"]), document["count"])
