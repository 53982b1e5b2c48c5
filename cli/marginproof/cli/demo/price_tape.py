"""Keeps every feed fresh with the price of the hour that is being played."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from marginproof.cli.demo.deployment import FeedOnChain
from marginproof.cli.demo.scenario import Hour
from marginproof.model.errors import UnavailableError

_REFRESH_SECONDS: Final = 4.0
_USDC_PRICE: Final = 10**8
# Real feeds never agree to the cent; the three of a point differ by a few basis points.
_OFFSETS_BPS: Final = (-2, 0, 3)


class PriceTape:
    """Posts the playing hour's prices to all feeds, again and again until it is closed."""

    def __init__(self, feeds: Sequence[FeedOnChain], hour: Hour) -> None:
        self._feeds = feeds
        self._hour = hour
        self._posting: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Posts once to every feed, then keeps posting in the background."""
        await self._post_all()
        self._posting = asyncio.create_task(self._keep_posting())

    async def play(self, hour: Hour) -> None:
        """Moves to another hour; returns when every feed shows it."""
        self._hour = hour
        await self._post_all()

    async def aclose(self) -> None:
        """Stops posting; a transaction that is under way is waited for."""
        self._closing.set()
        if self._posting is not None:
            await self._posting

    async def _keep_posting(self) -> None:
        while not await self._closed_within(_REFRESH_SECONDS):
            with contextlib.suppress(UnavailableError):  # a chain that is being stopped; the next round tries again
                await self._post_all()

    async def _closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _post_all(self) -> None:
        seen: dict[str, int] = {}
        posts = []
        for feed in self._feeds:
            position = seen[feed.point] = seen.get(feed.point, -1) + 1
            value = self._value(feed.point)
            posts.append(feed.feed.post(value + value * _OFFSETS_BPS[position] // 10_000))
        await asyncio.gather(*posts)

    def _value(self, point: str) -> int:
        values = {
            "price:ETH": self._hour.eth_price,
            "price:USDC": _USDC_PRICE,
            "volatility:ETH": self._hour.volatility,
        }
        return values[point]
