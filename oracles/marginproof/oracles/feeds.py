"""Reading price points from contracts that answer like AggregatorV3."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Final, Protocol

from marginproof.model.errors import MarginproofError, UnavailableError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import PRICE_SCALE, Feed, PricePoint
from marginproof.oracles.agreement import agreed_value

LATEST_ROUND_DATA: Final = bytes.fromhex("feaf968c")
"""Selector of ``latestRoundData()``."""
DECIMALS: Final = bytes.fromhex("313ce567")
"""Selector of ``decimals()``."""
_ROUND_BYTES: Final = 5 * 32
_SIGN_BIT: Final = 1 << 255
_MAX_DECIMALS: Final = 36
_MAX_VALUE: Final = 1 << 128


class ContractReader(Protocol):
    """A chain on which contracts can be called; the endpoint pool of ``marginproof.chains`` is one."""

    async def call_latest(self, to: bytes, data: bytes) -> tuple[bytes, int]:
        """The result's bytes and the block's timestamp in UTC seconds."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """A feed's newest answer: the integer as posted, and when (UTC seconds)."""

    answer: int
    updated_at: int


def decode_round(data: bytes) -> Round:
    """Reads the five words of ``latestRoundData()``.

    Raises:
        MarginproofError: PRICE_UNAVAILABLE: not five words, no round, or an answer that is not above zero.
    """
    if len(data) != _ROUND_BYTES:
        raise _unavailable("a feed does not answer like AggregatorV3")
    round_id, answer, _, updated_at, _ = (int.from_bytes(data[i : i + 32], "big") for i in range(0, _ROUND_BYTES, 32))
    if not round_id or not updated_at or not 0 < answer < _SIGN_BIT:
        raise _unavailable("a feed has no positive answer")
    return Round(answer, updated_at)


def decode_decimals(data: bytes) -> int:
    """Reads the word of ``decimals()``.

    Raises:
        MarginproofError: PRICE_UNAVAILABLE.
    """
    value = int.from_bytes(data, "big")
    if len(data) != 32 or value > _MAX_DECIMALS:
        raise _unavailable("a feed's decimals are out of range")
    return value


def scaled_answer(answer: int, decimals: int) -> int:
    """An answer in units of 10^-decimals as an integer of 10^-8, rounded down.

    Raises:
        MarginproofError: PRICE_UNAVAILABLE: zero after rounding, or 2^128 and above.
    """
    value: int = answer * PRICE_SCALE // 10**decimals
    if not 0 < value < _MAX_VALUE:
        raise _unavailable("a feed's answer is out of range")
    return value


def check_age(updated_at: int, now: int, max_age_seconds: int, clock_skew_seconds: int) -> None:
    """Refuses an answer that is too old or from the future.

    Raises:
        MarginproofError: PRICE_STALE.
    """
    if now - updated_at > max_age_seconds or updated_at - now > clock_skew_seconds:
        raise MarginproofError(ReasonCode.PRICE_STALE, "a feed's answer is too old or from the future")


class FeedReader:
    """Reads price points through contract readers, one per chain. Decimals are read once per feed and kept.

    Args:
        readers: By CAIP-2 chain id.
        clock_skew_seconds: How far in the future an answer's time may lie.
    """

    def __init__(self, readers: Mapping[str, ContractReader], clock_skew_seconds: int) -> None:
        self._readers = readers
        self._skew = clock_skew_seconds
        self._decimals: dict[Feed, int] = {}

    async def observe_point(self, point: PricePoint, now: int) -> int:
        """The point's value by its rule: lower median of ≥ min_feeds fresh answers within the spread.

        Args:
            point: Feeds and rule.
            now: UTC seconds.

        Returns:
            10^-8 USD per unit, or 10^-8 per year.

        Raises:
            MarginproofError: PRICE_SOURCES (too few feeds answered, fields say why), PRICE_SPREAD (they differ).
        """
        answers = await asyncio.gather(
            *(self._value(feed, point.max_age_seconds, now) for feed in point.feeds), return_exceptions=True
        )
        values = [answer for answer in answers if isinstance(answer, int)]
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        for failure in failures:
            if not isinstance(failure, MarginproofError):
                raise failure
        if len(values) < point.min_feeds:
            codes = {failure.code for failure in failures if isinstance(failure, MarginproofError)}
            raise UnavailableError(
                f"{len(values)} of {len(point.feeds)} feeds of {point.id} answer, {point.min_feeds} are needed",
                code=ReasonCode.PRICE_SOURCES,
                fix="look at the feeds that the universe names and at the endpoints of their chains",
                fields={"point": point.id, "causes": ",".join(sorted(codes))},
            )
        value = agreed_value(values, point.min_feeds, point.max_spread_bps)
        if value is None:
            raise UnavailableError(
                f"the feeds of {point.id} lie further apart than {point.max_spread_bps} basis points",
                code=ReasonCode.PRICE_SPREAD,
                fix="nothing is signed for this point until they agree",
                fields={"point": point.id},
            )
        return value

    async def _value(self, feed: Feed, max_age_seconds: int, now: int) -> int:
        reader = self._readers.get(feed.chain)
        if reader is None:
            raise _unavailable(f"no endpoints of {feed.chain} are configured")
        if feed not in self._decimals:
            self._decimals[feed] = decode_decimals((await reader.call_latest(feed.address, DECIMALS))[0])
        data, _ = await reader.call_latest(feed.address, LATEST_ROUND_DATA)
        newest = decode_round(data)
        check_age(newest.updated_at, now, max_age_seconds, self._skew)
        return scaled_answer(newest.answer, self._decimals[feed])


def _unavailable(message: str) -> MarginproofError:
    return MarginproofError(ReasonCode.PRICE_UNAVAILABLE, message, fix="look at the feed that the universe names")
