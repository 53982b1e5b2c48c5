"""The registry read proof-first: accounts, authorisations and agreements, before and after each change."""

import dataclasses
from collections.abc import AsyncIterator

import pytest

from marginproof.chains.evm.client import (
    EndpointPool,
    read_registry_record,
)
from marginproof.chains.evm.verify import BlockHeader
from marginproof.model.chains import parse_address
from marginproof.model.pledges import NO_DIGEST, NO_KEY, RegistryRecord, StandingPledge, next_digest
from tests.chains.conftest import World
from tests.contracts.accounts import CONFIGURATION, HOME_CHAIN, Holder, commitment
from tests.contracts.harness import address_of

VENUES = sorted((address_of(f"reading venue {index}") for index in range(3)), key=parse_address)


@pytest.fixture
async def pool(world: World) -> AsyncIterator[EndpointPool]:
    for venue in VENUES:
        world.chain.devnet.fund(venue, 10**24)
    world.chain.devnet.mine()  # the gifts belong to no transaction: only a later block's state root has them
    async with EndpointPool(HOME_CHAIN, [world.chain.devnet.url], allow_development=True) as one:
        yield one


@pytest.fixture
def holder(world: World) -> Holder:
    return Holder(world.network)


async def finalized(world: World, pool: EndpointPool) -> BlockHeader:
    """The header of a finalized block that contains everything sent so far."""
    sent = world.tip()
    while await pool.finalized_number() < sent:
        world.chain.devnet.mine()
    return await pool.header_at(await pool.finalized_number())


async def read(world: World, pool: EndpointPool, holder: Holder) -> RegistryRecord:
    return await read_registry_record(pool, await finalized(world, pool), world.network, CONFIGURATION, holder.account)


def pledge(world: World, holder: Holder, venue: str, seed: int, digest: bytes, version: int = 1) -> bytes:
    """Authorises and swaps; returns the next digest."""
    number = world.registry.call("read_authorisation", holder.account, venue)[0]
    if number % 2 == 0:
        world.registry.act(world.owner, "authorise", *holder.authorise(venue, number))
    world.registry.act(venue, "swap", *holder.swap(venue, digest, commitment(seed), version))
    return next_digest(digest, parse_address(venue), commitment(seed), version)


def standing(venue: str, seed: int, version: int = 1, revoked_at: int = 0) -> StandingPledge:
    return StandingPledge(parse_address(venue), commitment(seed), version, revoked_at)


async def test_the_record_before_and_after_each_change(world: World, pool: EndpointPool, holder: Holder) -> None:
    before = await finalized(world, pool)
    assert await read(world, pool, holder) == RegistryRecord(holder.account, NO_DIGEST, NO_KEY, 0, ())
    digest = NO_DIGEST
    for seed, venue in enumerate(reversed(VENUES)):
        digest = pledge(world, holder, venue, seed, digest, version=seed + 5)
    pledges = tuple(standing(venue, 2 - place, 7 - place) for place, venue in enumerate(VENUES))
    assert await read(world, pool, holder) == RegistryRecord(holder.account, digest, NO_KEY, 0, pledges)
    world.registry.act(VENUES[1], "release", holder.account)
    digest = next_digest(digest, parse_address(VENUES[1]))
    after = await read(world, pool, holder)
    assert after == RegistryRecord(holder.account, digest, NO_KEY, 0, (pledges[0], pledges[2]))
    revoked = world.registry.act(world.owner, "revoke", *holder.revoke(VENUES[0], 1))
    record = await read(world, pool, holder)
    assert record.digest == next_digest(digest, parse_address(VENUES[0]))
    assert record.pledge_of(parse_address(VENUES[0])) == dataclasses.replace(pledges[0], revoked_at=revoked.time)
    # An old header still shows the old state: what is read is the block's, not the chain's present.
    empty = await read_registry_record(pool, before, world.network, CONFIGURATION, holder.account)
    assert empty.pledges == ()
