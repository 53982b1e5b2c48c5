"""Price slots: what is observed once, and whose observations are taken."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from marginproof.attestation.observations import sign_observations
from marginproof.model.errors import MarginproofError
from marginproof.model.network import price_slot_of
from marginproof.model.prices import Observations, PointValue, SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.oracles.feeds import DECIMALS, FeedReader
from marginproof.relayers.context import NodeContext
from marginproof.relayers.peers import Peers
from marginproof.relayers.prices import PriceTask
from tests.attestation.builders import CHAIN, KEYS
from tests.relayers.contexts import make_context
from tests.relayers.files import GENESIS, network_file

NOW = GENESIS + 3605
SLOT = price_slot_of(network_file().configuration, NOW)
SIGNED_AT = GENESIS + 30 * SLOT


class Feeds:
    """A chain whose only feed answers what the test sets; None is a chain that cannot be read."""

    def __init__(self) -> None:
        self.answer: int | None = 2000_00000000

    async def call_latest(self, to: bytes, data: bytes) -> tuple[bytes, int]:
        if self.answer is None:
            raise MarginproofError(ReasonCode.ENDPOINT_QUORUM, "silent")
        values = (8,) if data == DECIMALS else (1, self.answer, NOW, NOW, 1)
        return b"".join(value.to_bytes(32, "big") for value in values), NOW


@dataclasses.dataclass
class Desk:
    task: PriceTask
    feeds: Feeds
    context: NodeContext


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    file = network_file()
    context = make_context(tmp_path, file, lambda: float(NOW))
    feeds = Feeds()
    peers = Peers(dataclasses.replace(file, relayers=file.relayers[:1]), KEYS[0], 0, context.clock, 1.0)
    yield Desk(PriceTask(context, peers, FeedReader({CHAIN: feeds}, 5)), feeds, context)
    await peers.aclose()
    context.store.close()


def observed(signer: int = 1, key: int | None = None, **changes: Any) -> SignedObservations:
    file = network_file()
    seen = Observations(
        network=file.network_id,
        universe_digest=file.universe.root(),
        slot=SLOT,
        observed_at=SIGNED_AT,
        signer_set=file.signer_set.root(),
        signer=signer,
        values=(PointValue("p", 2000_00000000),),
    )
    return sign_observations(KEYS[signer if key is None else key], dataclasses.replace(seen, **changes))


async def test_the_first_observations_of_a_slot_stay(desk: Desk) -> None:
    first = await desk.task.observe(SLOT)
    assert first is not None
    assert first.observations.values == (PointValue("p", 2000_00000000),)
    desk.feeds.answer = 2100_00000000
    assert await desk.task.observe(SLOT) == first
    assert desk.context.protection.observations(SLOT) == first


async def test_nothing_is_signed_when_nothing_is_seen(desk: Desk) -> None:
    desk.feeds.answer = None
    assert await desk.task.observe(SLOT) is None
    assert desk.context.protection.observations(SLOT) is None


async def test_good_observations_are_taken(desk: Desk) -> None:
    assert desk.task._verified(SLOT, {1: observed()}) == {1: observed()}
    early = observed(observed_at=SIGNED_AT - 5)  # the other clock is behind by the skew
    assert desk.task._verified(SLOT, {1: early}) == {1: early}


@pytest.mark.parametrize(
    "bad",
    [
        observed(2),
        observed(slot=SLOT + 1),
        observed(observed_at=SIGNED_AT - 6),
        observed(observed_at=SIGNED_AT + 30 + 5),
        observed(key=2),
        observed(universe_digest=b"\x01" * 32),
    ],
    ids=["another-relayer", "another-slot", "before-the-slot", "after-the-slot", "another-key", "another-universe"],
)
async def test_observations_that_are_not_the_peers_of_this_slot_are_not_taken(
    desk: Desk, bad: SignedObservations
) -> None:
    assert desk.task._verified(SLOT, {1: bad}) == {}
