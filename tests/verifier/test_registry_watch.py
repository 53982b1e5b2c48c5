"""The registry as a venue sees it: finalized, proven, remembered for one block, never earlier than before."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from marginproof.model.errors import MarginproofError, UnavailableError
from marginproof.model.pledges import NO_DIGEST
from marginproof.model.reasons import ReasonCode
from marginproof.verifier import registry_watch
from marginproof.verifier.registry_watch import RegistryWatch
from tests.verifier.swap_world import SwapWorld, VenueAtWork, swap_world, venue_at_work


@pytest.fixture(scope="module")
def world() -> Iterator[SwapWorld]:
    with swap_world() as made:
        yield made


@pytest.fixture
async def venue(world: SwapWorld, tmp_path: Path) -> AsyncIterator[VenueAtWork]:
    async with venue_at_work(world, tmp_path) as running:
        yield running


@dataclasses.dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def watching(venue: VenueAtWork, seconds: Seconds) -> RegistryWatch:
    return RegistryWatch(venue.pool, venue.setting, monotonic=seconds)


class CountingPool:
    """Passes everything on and counts the questions."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in ("finalized_number", "read_account"):
            self.asked.append(name)
        return getattr(self._pool, name)


async def test_only_what_is_final_is_seen(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    assert (await venue.record(holder)).digest == NO_DIGEST
    order = holder.swap(venue.venue)
    await world.swap_by(venue.key, order)
    world.mine()
    record = await venue.record(holder)
    assert (record.digest, record.pledges) == (NO_DIGEST, ())
    world.mine()
    record = await venue.record(holder)
    assert [pledge.commitment for pledge in record.pledges] == [order.commitment]


async def test_the_finalized_block_is_asked_for_once_a_second_or_when_it_matters(
    world: SwapWorld, venue: VenueAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_watch, "HEADER_SECONDS", 1.0)
    seconds = Seconds(100.0)
    watch = watching(venue, seconds)
    first = await watch.header()
    world.mine()
    seconds.now += 1
    assert await watch.header() == first
    seconds.now += 0.001
    assert (await watch.header(fresh=True)).number == first.number + 1
    world.mine()
    assert (await watch.header()).number == first.number + 1
    seconds.now += 1.1
    assert (await watch.header()).number == first.number + 2


async def test_it_tells_how_lately_the_registry_was_seen(
    world: SwapWorld, venue: VenueAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Seconds(100.0)
    watch = watching(venue, seconds)
    assert not watch.seen_within(10)
    await watch.header()
    seconds.now += 10
    assert watch.seen_within(10)
    seconds.now += 1

    async def silent() -> int:
        raise UnavailableError("no endpoint answers")

    monkeypatch.setattr(venue.pool, "finalized_number", silent)
    with pytest.raises(UnavailableError):
        await watch.header(fresh=True)
    assert not watch.seen_within(10)


async def test_reads_are_shared_within_a_block(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    pool: Any = CountingPool(venue.pool)
    seconds = Seconds(5.0)
    watch = RegistryWatch(pool, venue.setting, monotonic=seconds)
    records = await asyncio.gather(*(watch.record(holder.account) for _ in range(3)))
    assert records[0] == records[1] == records[2]
    asked = len(pool.asked)
    for _ in range(3):
        await watch.record(holder.account)
        await watch.nonce_at(await watch.header())
        assert await watch.authorised(holder.account)
        await watch.agreements([b"\x07" * 20])
    assert pool.asked[asked:] == ["read_account"] * 3  # nonce, authorisation, agreements
    world.mine()
    seconds.now += 0.001
    await watch.record(holder.account, fresh=True)
    assert pool.asked[-2:] == ["finalized_number", "read_account"]


async def test_a_watch_never_goes_back(world: SwapWorld, venue: VenueAtWork) -> None:
    seconds = Seconds()
    watch = watching(venue, seconds)
    newest = await watch.header()
    seconds.now += 1

    class Lagging(CountingPool):
        async def finalized_number(self) -> int:
            return newest.number - 1

    watch._pool = Lagging(venue.pool)  # type: ignore[assignment]  # endpoints that fell behind
    assert await watch.header(fresh=True) == newest


async def test_authorisation_and_its_end(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder()
    assert not await venue.watch.authorised(holder.account, fresh=True)
    holder = await world.holder(venue.venue)
    assert await venue.watch.authorised(holder.account, fresh=True)
    await world.revoke(holder, venue.venue)
    assert await venue.watch.authorised(holder.account, fresh=True)
    world.finalize()
    assert not await venue.watch.authorised(holder.account, fresh=True)


async def test_a_revoked_venue_with_a_standing_pledge_may_not_swap(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    await world.swap_by(venue.key, holder.swap(venue.venue))
    await world.revoke(holder, venue.venue)
    world.finalize()
    assert not await venue.watch.authorised(holder.account, fresh=True)
    pledge = (await venue.record(holder)).pledge_of(venue.venue)
    assert pledge is not None
    assert pledge.revoked_at > 0


async def test_agreements_are_mutual_or_none(world: SwapWorld, venue: VenueAtWork) -> None:
    other = world.key()
    address = bytes.fromhex(other.address[2:])
    async with world.posted_by(venue.key) as registry:
        await registry.agree(address)
    world.finalize()
    await venue.watch.header(fresh=True)
    assert await venue.watch.agreements([address]) == frozenset()
    async with world.posted_by(other) as registry:
        await registry.agree(venue.venue)
    world.finalize()
    await venue.watch.header(fresh=True)
    assert await venue.watch.agreements([address, b"\x07" * 20]) == {address}
    assert await venue.watch.agreements([b"\x07" * 20]) == frozenset()
    assert await venue.watch.agreements([]) == frozenset()


async def test_another_networks_registry_is_refused(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    file: Any = dataclasses.replace(world.terms, network=dataclasses.replace(world.terms.network, n=512))
    watch = RegistryWatch(venue.pool, dataclasses.replace(venue.setting, file=file))
    for call in (watch.record(holder.account), watch.authorised(holder.account), watch.agreements([b"\x01" * 20])):
        with pytest.raises(MarginproofError) as caught:
            await call
        assert caught.value.code is ReasonCode.CODE_HASH_MISMATCH


async def test_what_is_remembered_is_bounded(
    world: SwapWorld, venue: VenueAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_watch, "_MAX_ACCOUNTS", 2)
    for number in range(4):
        await venue.watch.record(bytes([number]) * 32)
        await venue.watch.authorised(bytes([number]) * 32)
    assert len(venue.watch._records) == len(venue.watch._authorised) == 2
