"""The registry read proof-first: accounts, authorisations and agreements, before and after each change."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable

import pytest

from marginproof.chains.evm.client import (
    EndpointPool,
    read_agreements,
    read_authorisation,
    read_registry_record,
)
from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.verify import Authorisation, BlockHeader, account_slots, agreement_slot, authorisation_slot
from marginproof.model.chains import parse_address
from marginproof.model.errors import MarginproofError
from marginproof.model.pledges import MAX_PLEDGES, NO_DIGEST, NO_KEY, RegistryRecord, StandingPledge, next_digest
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import NOTICE, POLICY_DELAY, World, raw
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


async def test_a_record_follows_the_key(world: World, pool: EndpointPool, holder: Holder) -> None:
    new = development_account(93)
    world.registry.act(world.owner, "rotate_key", *holder.rotate(new.address, 0))
    record = await read(world, pool, holder)
    assert (record.key, record.key_number) == (parse_address(new.address), 1)
    assert record.signer(holder.identity) == parse_address(new.address)


async def test_sixteen_pledges_are_read(world: World, pool: EndpointPool, holder: Holder) -> None:
    digest = NO_DIGEST
    for seed in range(MAX_PLEDGES):
        digest = pledge(world, holder, world.chain.rich(f"one of sixteen {seed}"), seed, digest)
    record = await read(world, pool, holder)
    assert record.digest == digest
    assert len(record.pledges) == MAX_PLEDGES
    assert list(record.pledges) == sorted(record.pledges, key=lambda one: one.venue)
    assert {one.commitment for one in record.pledges} == {commitment(seed) for seed in range(MAX_PLEDGES)}


async def test_authorisations_before_and_after_each_change(world: World, pool: EndpointPool, holder: Holder) -> None:
    venue = VENUES[0]

    async def found() -> Authorisation:
        header = await finalized(world, pool)
        return await read_authorisation(
            pool, header, world.network, CONFIGURATION, holder.account, parse_address(venue)
        )

    assert await found() == Authorisation(0, False, 0)
    digest = pledge(world, holder, venue, 1, NO_DIGEST)
    assert await found() == Authorisation(1, True, 0)
    revoked = world.registry.act(world.owner, "revoke", *holder.revoke(venue, 1))
    assert await found() == Authorisation(2, False, revoked.time)
    world.registry.act(world.owner, "lapse", holder.account, venue, at=revoked.time + NOTICE)
    assert await found() == Authorisation(2, False, 0)
    digest = next_digest(next_digest(digest, parse_address(venue)), parse_address(venue))
    pledge(world, holder, venue, 2, digest)
    assert await found() == Authorisation(3, True, 0)


async def test_agreements_hold_while_both_sides_do(world: World, pool: EndpointPool) -> None:
    one, two, three = (parse_address(venue) for venue in VENUES)

    async def found(venue: bytes, *others: bytes) -> frozenset[bytes]:
        header = await finalized(world, pool)
        return await read_agreements(pool, header, world.network, CONFIGURATION, venue, others)

    assert await found(one) == frozenset()
    assert await found(one, two, three) == frozenset()
    for venue, other in ((0, 1), (1, 0), (0, 2)):
        world.registry.act(VENUES[venue], "agree", VENUES[other])
    assert await found(one, two, three) == {two}
    assert await found(two, one, three) == {one}
    ended = world.registry.act(VENUES[1], "end_agreement", VENUES[0]).time
    assert await found(one, two, three) == {two}
    world.chain.devnet.mine(ended + POLICY_DELAY - 1)
    last = await pool_header(world, pool, ended + POLICY_DELAY - 1)
    assert await read_agreements(pool, last, world.network, CONFIGURATION, one, [two]) == {two}
    world.chain.devnet.mine(ended + POLICY_DELAY)
    first = await pool_header(world, pool, ended + POLICY_DELAY)
    assert await read_agreements(pool, first, world.network, CONFIGURATION, one, [two]) == frozenset()


async def pool_header(world: World, pool: EndpointPool, timestamp: int) -> BlockHeader:
    """The newest header, which has this time."""
    header = await pool.header_at(world.tip())
    assert header.timestamp == timestamp
    return header


async def test_nothing_but_this_networks_registry_is_read(world: World, pool: EndpointPool, holder: Holder) -> None:
    header = await finalized(world, pool)
    venue = parse_address(VENUES[0])
    right = world.network
    late = dataclasses.replace(CONFIGURATION, notice_seconds=NOTICE + 1)
    for network, configuration, code in (
        (dataclasses.replace(right, home_chain="eip155:5"), CONFIGURATION, ReasonCode.CHAIN_ID_MISMATCH),
        (dataclasses.replace(right, registry=b"\x77" * 20), CONFIGURATION, ReasonCode.ACCOUNT_ABSENT),
        (dataclasses.replace(right, registry=raw(world.vault.address)), CONFIGURATION, ReasonCode.CODE_HASH_MISMATCH),
        (dataclasses.replace(right, registry=raw(world.owner)), CONFIGURATION, ReasonCode.CODE_HASH_MISMATCH),
        (dataclasses.replace(right, n=256), CONFIGURATION, ReasonCode.CODE_HASH_MISMATCH),
        (right, late, ReasonCode.CODE_HASH_MISMATCH),
    ):
        for reading in (
            read_registry_record(pool, header, network, configuration, holder.account),
            read_authorisation(pool, header, network, configuration, holder.account, venue),
            read_agreements(pool, header, network, configuration, venue, [venue]),
        ):
            with pytest.raises(MarginproofError) as caught:
                await reading
            assert caught.value.code is code


async def test_impossible_words_on_a_chain_are_refused(world: World, pool: EndpointPool, holder: Holder) -> None:
    """A chain's own fault, or a storage proof of a contract that is not what its code says."""
    digest, control = account_slots(holder.account)
    entry = authorisation_slot(holder.account, parse_address(VENUES[0]))
    side = agreement_slot(parse_address(VENUES[0]), parse_address(VENUES[1]))
    for slot, word in ((digest, 1), (entry, 1 << 64), (side, 1 << 64)):
        world.chain.devnet.rpc("anvil_setStorageAt", world.registry.address, f"0x{slot.hex()}", f"0x{word:064x}")
    for slot, word in ((control, 17 << 224), (control, 1 << 224)):
        world.chain.devnet.rpc("anvil_setStorageAt", world.registry.address, f"0x{slot.hex()}", f"0x{word:064x}")
        world.chain.devnet.mine()
        await assert_broken(read(world, pool, holder))
    header = await finalized(world, pool)
    venue, other = parse_address(VENUES[0]), parse_address(VENUES[1])
    await assert_broken(read_authorisation(pool, header, world.network, CONFIGURATION, holder.account, venue))
    await assert_broken(read_agreements(pool, header, world.network, CONFIGURATION, venue, [other]))


async def assert_broken(reading: Awaitable[object]) -> None:
    with pytest.raises(MarginproofError) as caught:
        await reading
    assert caught.value.code is ReasonCode.REGISTRY_INVARIANT
