"""The price feed, read the way any reader of the AggregatorV3 interface reads it."""

from collections.abc import Callable

import pytest

from marginproof.chains.evm.contracts import PRICE_FEED
from tests.contracts.conftest import World
from tests.contracts.harness import ZERO, Contract, compiled


@pytest.fixture
def feed(world: World) -> Contract:
    return world.chain.deploy(compiled(PRICE_FEED), "ETH / USD", 8, world.owner, sender=world.deployer)


def test_the_feed_describes_itself(world: World, feed: Contract) -> None:
    assert feed.call("description") == "ETH / USD"
    assert feed.call("decimals") == 8
    assert feed.call("version") == 1
    assert feed.call("transmitter") == world.owner.lower()


def test_posted_answers_are_kept(world: World, feed: Contract) -> None:
    posts = [feed.act(world.owner, "post", answer) for answer in (19_430_000_000, 1, 2**95)]
    for number, (outcome, answer) in enumerate(zip(posts, (19_430_000_000, 1, 2**95), strict=True), start=1):
        assert feed.call("getRoundData", number) == (number, answer, outcome.time, outcome.time, number)
        assert feed.events(outcome, "AnswerUpdated") == [
            {"current": answer, "roundId": number, "updatedAt": outcome.time}
        ]
    assert feed.call("latestRoundData") == feed.call("getRoundData", 3)


def test_an_unanswered_feed_is_no_price_of_zero(world: World, feed: Contract) -> None:
    assert feed.refused(world.stranger, "latestRoundData") == "NO_DATA"
    feed.act(world.owner, "post", 5)
    for number in (0, 2, 2**80 - 1):
        assert feed.refused(world.stranger, "getRoundData", number) == "NO_DATA"


@pytest.mark.parametrize("answer", [0, -1, -(2**255), 2**95 + 1, 2**255 - 1])
def test_impossible_answers_are_refused(world: World, feed: Contract, answer: int) -> None:
    assert feed.refused(world.owner, "post", answer) == "ANSWER_OUT_OF_RANGE"


def test_only_the_transmitter_posts(world: World, feed: Contract) -> None:
    for sender in (world.stranger, world.deployer):
        assert feed.refused(sender, "post", 5) == "NOT_TRANSMITTER"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (lambda owner: ("", 8, owner), "DESCRIPTION_EMPTY"),
        (lambda owner: ("ETH / USD", 19, owner), "DECIMALS_OUT_OF_RANGE"),
        (lambda owner: ("ETH / USD", 8, ZERO), "TRANSMITTER_EMPTY"),
    ],
)
def test_senseless_feeds_are_refused(world: World, arguments: Callable[[str], tuple[object, ...]], reason: str) -> None:
    artifact = compiled(PRICE_FEED)
    assert world.chain.deploy_refused(artifact, *arguments(world.owner), sender=world.deployer) == reason


def test_eighteen_decimals_are_taken(world: World) -> None:
    world.chain.deploy(compiled(PRICE_FEED), "ETH / USD", 18, world.owner, sender=world.deployer)
