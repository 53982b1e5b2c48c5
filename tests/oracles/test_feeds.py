import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Feed, PointKind, PricePoint
from marginproof.oracles.feeds import DECIMALS, FeedReader, Round, check_age, decode_decimals, decode_round
from marginproof.oracles.feeds import scaled_answer as scaled

CHAIN = "eip155:1"
NOW = 1_700_000_000
FEEDS = tuple(Feed(CHAIN, bytes([number]) * 20) for number in (1, 2, 3))
POINT = PricePoint("eth", PointKind.PRICE, FEEDS, 2, 60, 100)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


class Contracts:
    """A chain with feeds that answer what the test says; a missing one fails as a chain that cannot be read does."""

    def __init__(self, answers: dict[bytes, tuple[int, int, int]]) -> None:
        self.answers = answers
        self.decimals_read = 0

    async def call_latest(self, to: bytes, data: bytes) -> tuple[bytes, int]:
        if to not in self.answers:
            raise MarginproofError(ReasonCode.ENDPOINT_QUORUM, "silent")
        answer, updated_at, decimals = self.answers[to]
        if data == DECIMALS:
            self.decimals_read += 1
            return words(decimals), NOW
        return words(1, answer, updated_at, updated_at, 1), NOW


async def observe(*answers: tuple[int, int, int], point: PricePoint = POINT) -> int:
    chain = Contracts({feed.address: answer for feed, answer in zip(FEEDS, answers, strict=False)})
    return await FeedReader({CHAIN: chain}, 5).observe_point(point, NOW)


async def refusal(*answers: tuple[int, int, int]) -> MarginproofError:
    with pytest.raises(MarginproofError) as caught:
        await observe(*answers)
    return caught.value


async def test_lower_median_of_fresh_feeds_in_one_scale() -> None:
    assert await observe((2000_00000000, NOW, 8), (2001_000000, NOW, 6), (2002 * 10**18, NOW, 18)) == 2001_00000000


async def test_a_silent_feed_is_left_out() -> None:
    assert await observe((2000_00000000, NOW, 8), (2001_00000000, NOW, 8)) == 2000_00000000


async def test_too_few_sources_name_their_causes() -> None:
    error = await refusal((2000_00000000, NOW - 61, 8), (2000_00000000, NOW, 8))
    assert error.code == ReasonCode.PRICE_SOURCES
    assert error.fields["causes"] == "ENDPOINT_QUORUM,PRICE_STALE"


async def test_feeds_that_differ_give_no_price() -> None:
    assert (await refusal((2000_00000000, NOW, 8), (2021_00000000, NOW, 8))).code == ReasonCode.PRICE_SPREAD


async def test_feeds_on_a_chain_without_endpoints_do_not_answer() -> None:
    with pytest.raises(MarginproofError) as caught:
        await FeedReader({}, 5).observe_point(POINT, NOW)
    assert caught.value.code == ReasonCode.PRICE_SOURCES


async def test_decimals_are_read_once() -> None:
    chain = Contracts({feed.address: (2000_00000000, NOW, 8) for feed in FEEDS})
    reader = FeedReader({CHAIN: chain}, 5)
    for _ in range(3):
        await reader.observe_point(POINT, NOW)
    assert chain.decimals_read == len(FEEDS)


def test_age_by_the_second() -> None:
    check_age(NOW - 60, NOW, 60, 5)
    check_age(NOW + 5, NOW, 60, 5)
    for updated_at in (NOW - 61, NOW + 6):
        with pytest.raises(MarginproofError) as caught:
            check_age(updated_at, NOW, 60, 5)
        assert caught.value.code == ReasonCode.PRICE_STALE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        words(1, 5, NOW, NOW),
        words(1, 5, NOW, NOW, 1, 1),
        words(0, 5, NOW, NOW, 1),
        words(1, 0, NOW, NOW, 1),
        words(1, (1 << 256) - 5, NOW, NOW, 1),
        words(1, 5, NOW, 0, 1),
    ],
    ids=["empty", "short", "long", "no-round", "zero", "negative", "no-time"],
)
def test_rounds_that_are_no_price(data: bytes) -> None:
    with pytest.raises(MarginproofError) as caught:
        decode_round(data)
    assert caught.value.code == ReasonCode.PRICE_UNAVAILABLE


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=192))
def test_decoders_are_total(data: bytes) -> None:
    for decode in (decode_round, decode_decimals):
        try:
            value = decode(data)
        except MarginproofError:
            continue
        assert isinstance(value, Round | int)


def test_scaling_rounds_down_and_stays_in_range() -> None:
    assert scaled(19_999_999_999, 10) == 199_999_999
    for answer, decimals in ((1, 36), (1 << 200, 0)):
        with pytest.raises(MarginproofError) as caught:
            scaled(answer, decimals)
        assert caught.value.code == ReasonCode.PRICE_UNAVAILABLE
    with pytest.raises(MarginproofError) as caught:
        decode_decimals(words(37))
    assert caught.value.code == ReasonCode.PRICE_UNAVAILABLE
