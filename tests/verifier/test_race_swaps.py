"""Two venues want the same headroom: the account has signed for both on one digest, and exactly one of them gets it.

Twenty seeded races by default; MARGINPROOF_RACES=200 runs so many.
"""

import collections
import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from marginproof.model.pledges import NO_DIGEST, next_digest
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.swaps import SwapKind, SwapOrder, SwapOutcome, SwapState
from tests.verifier.swap_world import Holder, SwapWorld, VenueAtWork, swap_world, venue_at_work

RACES = int(os.environ.get("MARGINPROOF_RACES", "20"))
Rivals = tuple[VenueAtWork, VenueAtWork]


@pytest.fixture(scope="module")
def world() -> Iterator[SwapWorld]:
    with swap_world() as made:
        yield made


@pytest.fixture
async def rivals(world: SwapWorld, tmp_path: Path) -> AsyncIterator[Rivals]:
    async with venue_at_work(world, tmp_path) as first, venue_at_work(world, tmp_path) as second:
        yield first, second


async def run_race(world: SwapWorld, venues: Rivals, orders: dict[bytes, SwapOrder], dice: random.Random) -> None:
    """Sends both orders in some order and at some distance, with reorganisations and restarts in between."""
    runners = list(venues)
    dice.shuffle(runners)
    for venue in runners:
        await venue.order(orders[venue.venue])
        world.mine(dice.choice((0, 0, 0, 1, 2)))  # mostly into one block
    for _ in range(40):
        if not any(venue.store.open_orders() for venue in venues):
            return
        world.mine()
        if dice.random() < 0.25:
            world.devnet.rpc("anvil_reorg", dice.choice((1, 2)), [])
        if dice.random() < 0.1:
            await dice.choice(runners).start()
        dice.shuffle(runners)
        for venue in runners:
            if dice.random() < 0.8:
                await venue.tick()
    raise AssertionError("the race did not end")


async def judge_race(holder: Holder, venues: Rivals, orders: dict[bytes, SwapOrder], digest: bytes) -> bytes:
    """One stands, one was told that its digest is stale, and the registry has exactly the winner's step."""
    results = {venue.venue: venue.outcomes.pop() for venue in venues}
    assert not any(venue.outcomes for venue in venues)
    (winner,) = (venue for venue, result in results.items() if result.state is SwapState.STANDING)
    (loser,) = results.keys() - {winner}
    lost = orders[loser]
    assert results[loser] == SwapOutcome(
        lost.account, lost.commitment, SwapKind.SWAP, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE
    )
    record = await venues[0].record(holder)
    assert record == await venues[1].record(holder)
    assert record.digest == next_digest(digest, winner, orders[winner].commitment, 1)
    standing = {pledge.venue: pledge.commitment for pledge in record.pledges}
    assert standing[winner] == orders[winner].commitment
    assert standing.get(loser) != lost.commitment
    return winner


async def test_of_two_venues_exactly_one_gets_the_headroom(world: SwapWorld, rivals: Rivals) -> None:
    dice = random.Random(4)
    holder = await world.holder(*(venue.venue for venue in rivals))
    wins: collections.Counter[bytes] = collections.Counter()
    digest = NO_DIGEST
    for _ in range(RACES):
        orders = {venue.venue: holder.swap(venue.venue, digest) for venue in rivals}
        await run_race(world, rivals, orders, dice)
        wins[await judge_race(holder, rivals, orders, digest)] += 1
        digest = (await rivals[0].record(holder)).digest
    assert wins.total() == RACES
    assert len(wins) == 2, "the dice never let one of them win"
