"""The poster on a real chain with the real registry: what is lost, outbid, replaced or taken back is recovered."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from marginproof.chains.evm.devnet import free_port
from marginproof.chains.evm.transactions import Call
from marginproof.model.errors import RefusedError, UnavailableError
from marginproof.model.pledges import next_digest
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.swap_store import insert_order
from marginproof.verifier.swaps import SwapKind, SwapOrder, SwapOutcome, SwapState
from tests.verifier.swap_world import (
    CONFIGURATION,
    GWEI,
    RULES,
    Holder,
    SwapWorld,
    VenueAtWork,
    swap_world,
    venue_at_work,
)


@pytest.fixture(scope="module")
def world() -> Iterator[SwapWorld]:
    with swap_world() as made:
        yield made


@pytest.fixture
async def venue(world: SwapWorld, tmp_path: Path) -> AsyncIterator[VenueAtWork]:
    async with venue_at_work(world, tmp_path) as running:
        yield running


def outcome(order: SwapOrder, state: SwapState, reason: ReasonCode | None = None) -> SwapOutcome:
    return SwapOutcome(order.account, order.commitment, order.kind, state, reason)


def standing(*orders: SwapOrder) -> list[SwapOutcome]:
    return [outcome(order, SwapState.STANDING) for order in orders]


async def stands(venue: VenueAtWork, holder: Holder, order: SwapOrder) -> bool:
    pledge = (await venue.record(holder)).pledge_of(venue.venue)
    return pledge is not None and pledge.commitment == order.commitment


# The straight way.


async def test_a_swap_stands_only_when_it_is_final(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order)
    for _ in range(2):
        world.mine()
        await venue.tick()
    assert venue.nonce() == 1  # mined, with a receipt, and not final
    assert venue.outcomes == []
    world.mine()
    await venue.tick()
    assert venue.outcomes == standing(order)
    assert await stands(venue, holder, order)
    record = await venue.record(holder)
    assert record.digest == next_digest(order.digest, venue.venue, order.commitment, order.universe_version)
    assert venue.store.attempts() == []
    await venue.tick()
    assert venue.outcomes == standing(order)


async def test_a_release_ends_the_pledge(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order)
    await venue.settle()
    release = holder.release(await venue.record(holder), venue.venue)
    await venue.order(release)
    await venue.settle()
    assert venue.outcomes == [*standing(order), outcome(release, SwapState.RELEASED)]
    assert (await venue.record(holder)).pledges == ()


async def test_several_swaps_are_in_flight_at_consecutive_nonces(
    world: SwapWorld, venue: VenueAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimate, asked = venue.sending.estimate, []

    async def counting(call: Call) -> int:
        asked.append(call)
        return await estimate(call)

    monkeypatch.setattr(venue.sending, "estimate", counting)
    orders = [(await world.holder(venue.venue)).swap(venue.venue) for _ in range(RULES.window + 2)]
    await venue.order(*orders)
    assert [attempt.nonce for attempt in venue.store.attempts()] == list(range(RULES.window))
    assert venue.nonce("pending") == RULES.window == len(asked)
    world.mine()
    await venue.tick()
    assert venue.nonce("pending") == RULES.window + 2
    assert await venue.settle() == standing(*orders)


async def test_an_order_is_taken_once_and_one_at_a_time(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order, order)
    assert len(venue.store.open_orders()) == 1
    with pytest.raises(RefusedError) as caught:
        await venue.poster.enqueue(holder.swap(venue.venue))
    assert caught.value.code is ReasonCode.PLEDGE_PENDING
    with pytest.raises(RefusedError):
        await venue.poster.enqueue(dataclasses.replace(order, kind=SwapKind.RELEASE))
    assert await venue.settle() == standing(order)


async def test_an_order_is_written_with_the_callers_transaction_or_not_at_all(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    order = (await world.holder(venue.venue)).swap(venue.venue)

    class UndoneError(Exception):
        pass

    with contextlib.suppress(UndoneError), venue.engine.begin() as connection:
        insert_order(connection, order)
        raise UndoneError
    assert venue.store.open_orders() == []
    with venue.engine.begin() as connection:
        insert_order(connection, order)
    await venue.tick()
    assert await venue.settle() == standing(order)


# What endpoints and mempools do.


async def test_a_lost_transaction_is_sent_again(world: SwapWorld, venue: VenueAtWork) -> None:
    orders = [(await world.holder(venue.venue)).swap(venue.venue) for _ in range(3)]
    await venue.order(*orders)
    first, *_ = made = venue.store.attempts()
    venue.drop(first.hash)
    assert venue.nonce("pending") == 0
    await venue.tick()
    assert venue.nonce("pending") == 3
    assert venue.store.attempts() == made  # the same bytes
    assert await venue.settle() == standing(*orders)


async def test_transactions_below_the_base_fee_are_replaced_by_dearer_ones(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    orders = [(await world.holder(venue.venue)).swap(venue.venue) for _ in range(2)]
    await venue.order(*orders)
    (_, before), _ = venue.offers()
    for _ in range(2):
        world.base_fee(before.most + GWEI)
        world.mine()
        await venue.tick()
    assert venue.nonce() == 0
    offers = venue.offers()
    assert [nonce for nonce, _ in offers] == [0, 1, 0, 1]
    for _, fees in offers[2:]:
        assert fees.most * 1_000 >= before.most * 1_125
        assert fees.tip * 1_000 >= before.tip * 1_125
    assert await venue.settle() == standing(*orders)
    assert venue.nonce() == 2


async def test_at_the_fee_cap_it_waits_and_warns(world: SwapWorld, tmp_path: Path) -> None:
    rules = dataclasses.replace(RULES, fee_cap=5 * GWEI)
    async with venue_at_work(world, tmp_path, rules) as venue:
        order = (await world.holder(venue.venue)).swap(venue.venue)
        world.base_fee(50 * GWEI)
        world.mine()
        with capture_logs() as logs:
            await venue.order(order)
            for _ in range(3):
                world.base_fee(50 * GWEI)
                world.mine()
                await venue.tick(RULES.stuck_seconds)
        assert [entry["number"] for entry in logs if "fee cap" in entry["event"]] == [0]
        assert [fees.most for _, fees in venue.offers()] == [5 * GWEI]
        world.base_fee(GWEI)
        assert await venue.settle() == standing(order)


async def test_nothing_is_outbid_while_no_block_is_mined(world: SwapWorld, venue: VenueAtWork) -> None:
    order = (await world.holder(venue.venue)).swap(venue.venue)
    await venue.order(order)
    for _ in range(5):
        await venue.tick(RULES.stuck_seconds)
    assert len(venue.store.attempts()) == 1
    assert await venue.settle() == standing(order)


async def test_a_dearer_transaction_of_an_earlier_life_is_outbid(world: SwapWorld, venue: VenueAtWork) -> None:
    """The database was restored from a backup: the mempool knows a transaction that it does not."""
    order = (await world.holder(venue.venue)).swap(venue.venue)
    head = await venue.sending.head(await venue.watch.header())
    dear = head.suggested.bumped(50)
    lost = venue.sending.sign(venue.sending.no_op(), 0, dear, 30_000)
    await venue.sending.broadcast(lost.raw)
    await venue.order(order)
    for _ in range(5):
        await venue.tick()
    assert venue.offers()[-1][1].most > dear.most
    assert await venue.settle() == standing(order)


async def test_a_nonce_that_somebody_else_used_is_noticed_and_the_order_sent_again(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    order = (await world.holder(venue.venue)).swap(venue.venue)
    await venue.order(order)
    (made,) = venue.store.attempts()
    venue.drop(made.hash)
    async with world.posted_by(venue.key) as registry:
        await registry.announce_policy(b"\x77" * 32)
    with capture_logs() as logs:
        await venue.tick()
        assert [entry["nonce"] for entry in logs if "venue's key" in entry["event"]] == [0]
    assert [nonce for nonce, _ in venue.offers()] == [0, 1]
    assert await venue.settle() == standing(order)


async def test_nonces_used_while_the_poster_was_away_are_noticed(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    first = holder.swap(venue.venue)
    await venue.order(first)
    await venue.settle()
    async with world.posted_by(venue.key) as registry:
        await registry.announce_policy(b"\x78" * 32)
    world.finalize()
    second = holder.swap(venue.venue, (await venue.record(holder)).digest)
    with capture_logs() as logs:
        await venue.order(second)
    assert [entry["nonce"] for entry in logs if "venue's key" in entry["event"]] == [1]
    assert await venue.settle() == standing(first, second)


async def test_the_nonce_of_an_order_that_failed_is_used_up_for_those_behind_it(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    rival = world.key()
    contested = await world.holder(venue.venue, bytes.fromhex(rival.address[2:]))
    lost, behind = contested.swap(venue.venue), (await world.holder(venue.venue)).swap(venue.venue)
    await venue.order(lost, behind)
    for attempt in venue.store.attempts():
        venue.drop(attempt.hash)
    await world.swap_by(rival, contested.swap(bytes.fromhex(rival.address[2:])))
    world.finalize()
    await venue.tick()
    assert venue.outcomes == [outcome(lost, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)]
    assert [(a.nonce, a.order is None) for a in venue.store.attempts()] == [(0, False), (1, False), (0, True)]
    assert (await venue.settle())[1:] == standing(behind)
    assert venue.nonce() == 2


async def test_the_nonce_of_an_order_that_failed_goes_to_the_next_one(world: SwapWorld, venue: VenueAtWork) -> None:
    rival = world.key()
    contested = await world.holder(venue.venue, bytes.fromhex(rival.address[2:]))
    await venue.order(contested.swap(venue.venue))
    venue.drop(venue.store.attempts()[0].hash)
    await world.swap_by(rival, contested.swap(bytes.fromhex(rival.address[2:])))
    world.finalize()
    await venue.tick()
    following = (await world.holder(venue.venue)).swap(venue.venue)
    await venue.order(following)
    assert [(a.nonce, a.order) for a in venue.store.attempts()] == [(0, 1), (0, 2)]
    assert (await venue.settle())[1:] == standing(following)
    assert venue.nonce() == 1


async def test_endpoints_that_fail_delay_and_duplicate_nothing(world: SwapWorld, venue: VenueAtWork) -> None:
    order = (await world.holder(venue.venue)).swap(venue.venue)
    dead = f"http://127.0.0.1:{free_port(('127.0.0.1',))}"
    await venue.start([dead])
    await venue.poster.enqueue(order)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await venue.tick()
    await venue.start([dead, *world.devnet.urls])
    await venue.tick()
    assert venue.nonce("pending") == 1
    assert await venue.settle() == standing(order)
    assert venue.nonce() == 1


async def test_a_key_without_coins_is_warned_of_and_goes_on_once_it_has_some(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    order = (await world.holder(venue.venue)).swap(venue.venue)
    world.fund(venue.key, 10**10)  # enough for no gas at all
    with capture_logs() as logs:
        for _ in range(3):
            await venue.order(order)
    assert [entry["outcome"] for entry in logs if "refused" in entry["event"]] == ["INSUFFICIENT_FUNDS"]
    world.fund(venue.key, 10**20)
    assert await venue.settle() == standing(order)


async def test_a_release_is_told_only_when_no_transaction_of_it_is_left(world: SwapWorld, venue: VenueAtWork) -> None:
    """The pledge lapsed by somebody else's transaction: a later one must not fall to the release that is still out."""
    holder = await world.holder(venue.venue)
    await venue.order(holder.swap(venue.venue))
    await venue.settle()
    release = holder.release(await venue.record(holder), venue.venue)
    await venue.order(release)
    venue.drop(venue.store.attempts()[0].hash)
    await world.revoke(holder, venue.venue)
    world.devnet.mine(world.devnet.now() + CONFIGURATION.notice_seconds)
    await world.lapse(holder, venue.venue)
    world.finalize()
    await venue.tick()
    assert (await venue.record(holder)).pledges == ()
    assert len(venue.outcomes) == 1
    assert (await venue.settle())[1:] == [outcome(release, SwapState.RELEASED)]
    assert venue.nonce() == 2


# What the registry refuses.


async def test_a_swap_that_another_venue_overtook_fails(world: SwapWorld, venue: VenueAtWork) -> None:
    rival = world.key()
    holder = await world.holder(venue.venue, bytes.fromhex(rival.address[2:]))
    order = holder.swap(venue.venue)
    await world.swap_by(rival, holder.swap(bytes.fromhex(rival.address[2:])))
    await venue.order(order)
    assert venue.store.attempts() == []  # it would revert: no gas is paid for it
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)]
    assert venue.nonce() == 0


async def test_a_swap_after_a_revocation_fails(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await world.revoke(holder, venue.venue)
    await venue.order(order)
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.VENUE_NOT_AUTHORISED)]


async def test_a_venue_that_was_never_authorised_is_told_so(world: SwapWorld, venue: VenueAtWork) -> None:
    order = (await world.holder()).swap(venue.venue)
    await venue.order(order)
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.VENUE_NOT_AUTHORISED)]
    assert venue.nonce() == 0


async def test_a_consent_by_a_key_that_was_rotated_away_fails(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    await world.rotate(holder, world.key())
    order = holder.swap(venue.venue)
    await venue.order(order)
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.PLEDGE_SIGNATURE)]
    assert venue.nonce() == 0


async def test_what_the_registry_never_takes_is_given_up_once_that_is_final(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue, pledge=bytes(48))
    await venue.order(order)
    assert venue.outcomes == []
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.TRANSACTION_REVERTED)]
    good = holder.swap(venue.venue)
    await venue.order(good)
    assert (await venue.settle())[1:] == standing(good)


async def test_a_stale_digest_is_only_believed_once_it_is_final(world: SwapWorld, venue: VenueAtWork) -> None:
    rival = world.key()
    holder = await world.holder(venue.venue, bytes.fromhex(rival.address[2:]))
    order, other = holder.swap(venue.venue), holder.swap(bytes.fromhex(rival.address[2:]))
    await world.swap_by(rival, other)
    await venue.order(order)  # would be refused now
    world.devnet.rpc("anvil_reorg", 1, [])
    world.mine(2)
    await world.swap_by(rival, other)
    await venue.tick()
    await venue.tick()
    assert venue.outcomes == []
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)]


async def test_a_refusal_that_a_reorganisation_took_back_is_forgotten(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await world.revoke(holder, venue.venue)
    await venue.order(order)
    assert venue.poster._refused
    world.devnet.rpc("anvil_reorg", 1, [])
    world.mine(3)
    await venue.tick()
    assert not venue.poster._refused
    assert await venue.settle() == standing(order)


async def test_an_order_that_no_call_can_carry_holds_up_no_other(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    bad = dataclasses.replace(holder.swap(venue.venue), index=holder.index, universe_version=2**64)
    good = (await world.holder(venue.venue)).swap(venue.venue)
    await venue.order(bad, good)
    found = await venue.settle()
    assert found[0].state is SwapState.FAILED
    assert found[1:] == standing(good)


# Reorganisations.


async def test_a_swap_that_a_reorganisation_unmines_is_mined_again(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order)
    world.mine()
    await venue.tick()
    assert venue.nonce() == 1
    world.devnet.rpc("anvil_reorg", 1, [])
    assert venue.nonce() == 0
    await venue.tick()
    assert venue.outcomes == []
    assert venue.nonce("pending") == 1
    assert await venue.settle() == standing(order)
    assert len(venue.store.attempts()) == 0
    assert venue.nonce() == 1


async def test_another_venues_pledge_that_a_reorganisation_puts_first_wins(
    world: SwapWorld, venue: VenueAtWork
) -> None:
    rival = world.key()
    holder = await world.holder(venue.venue, bytes.fromhex(rival.address[2:]))
    order, other = holder.swap(venue.venue), holder.swap(bytes.fromhex(rival.address[2:]))
    await venue.tick()
    before = world.devnet.rpc("evm_snapshot")
    await venue.order(order)
    world.mine()
    await venue.tick()
    assert venue.nonce() == 1
    world.devnet.rpc("evm_revert", before)
    assert venue.nonce() == 0
    await world.swap_by(rival, other)
    found = await venue.settle()
    assert found == [outcome(order, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)]
    assert [pledge.commitment for pledge in (await venue.record(holder)).pledges] == [other.commitment]


async def test_a_swap_mined_at_two_nonces_takes_effect_once(world: SwapWorld, venue: VenueAtWork) -> None:
    """The database forgot a transaction that was already out, and the reorganisation mines both."""
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order)
    (made,) = venue.store.attempts()
    again = venue.sending.sign(venue.sending.call_of(order), 1, made.fees, 400_000)
    await venue.sending.broadcast(again.raw)
    world.mine()
    assert venue.nonce() == 2
    assert await venue.settle() == standing(order)
    expected = next_digest(order.digest, venue.venue, order.commitment, 1)
    assert (await venue.record(holder)).digest == expected


async def test_a_pledge_is_never_told_of_before_the_block_is_final(world: SwapWorld, venue: VenueAtWork) -> None:
    """Mined, taken back, mined by nobody for a while: not one moment in which the line could have opened."""
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order)
    for _ in range(3):
        world.mine()
        await venue.tick()
        world.devnet.rpc("anvil_reorg", 1, [])
        await venue.tick()
        assert venue.outcomes == []
    assert await venue.settle() == standing(order)


async def test_an_endpoint_behind_what_was_judged_settles_nothing(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    order = dataclasses.replace(holder.swap(venue.venue), digest=b"\x0f" * 32)  # as it will be in blocks to come
    header = await venue.watch.header(fresh=True)
    venue.store.settle(header.number + 3, 0, [])
    await venue.order(order)
    assert venue.outcomes == []
    world.mine(4)
    await venue.tick()
    assert venue.outcomes == [outcome(order, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)]


async def test_an_order_is_not_judged_by_blocks_before_its_own(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    header = await venue.watch.header(fresh=True)
    order = dataclasses.replace(holder.swap(venue.venue), digest=b"\x0f" * 32, height=header.number + 3)
    await venue.order(order)
    assert venue.outcomes == []
    assert await venue.settle() == [outcome(order, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)]
