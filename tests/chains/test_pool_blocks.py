"""Heights, references, reorganisations and reads through a pool: which block it is, and what stood in it."""

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from marginproof.chains.evm.client import (
    EndpointDisagreementError,
    EndpointPool,
    Evidence,
    FinalityViolationError,
    NotYetFinalError,
    Outcome,
    QuorumMissingError,
    read_policy_time,
    read_vault,
)
from marginproof.chains.evm.contracts import TEST_TOKEN, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.verify import BlockHeader, vault_slots
from marginproof.model.chains import NATIVE_ASSET
from marginproof.model.errors import (
    MarginproofError,
    NotFoundError,
    UnavailableError,
)
from marginproof.model.network import VaultPin
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import CHAIN_NUMBER, CODE_HASH, LOCKS, World, raw
from tests.chains.proxied_pool import CHAIN, DOWN, H, Setup, proxied
from tests.contracts.harness import Chain
from tests.support.fault_proxy import LAG_BLOCKS, Fault


async def test_row_4_lag_is_silence_and_no_violation(setup: Setup) -> None:
    before = await setup.pool.finalized_number()
    setup.set(H, H, Fault.LAG)
    assert await setup.pool.finalized_number() == before
    tip = setup.world.tip()
    assert (await setup.pool.header_at(tip)).number == tip
    setup.set(H, Fault.LAG, Fault.LAG)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(tip)
    assert caught.value.fields["endpoint_2"] == Outcome.BEHIND


async def test_row_5_one_endpoint_far_ahead_does_not_move_the_heights(setup: Setup) -> None:
    setup.set(Fault.HIGH_TIP, H, H)
    assert await setup.pool.finalized_number() == setup.world.tip() - 2
    call = setup.world.vault.data("notice_seconds")
    value, timestamp = await setup.pool.call_latest(raw(setup.world.vault.address), call)
    assert int.from_bytes(value, "big") == 1_000
    assert timestamp == setup.world.header().timestamp
    assert await setup.pool.latest_header() == setup.world.header()
    setup.set(Fault.HIGH_TIP, Fault.HIGH_TIP, H)
    assert await setup.pool.finalized_number() == setup.world.tip() - 2


async def test_a_fork_that_runs_ahead_is_not_believed_while_an_honest_endpoint_answers() -> None:
    """Two of three endpoints share the honest chain's history and are a few blocks further on their own."""
    options = DevnetOptions(chain_id=CHAIN_NUMBER, genesis_time=1_700_000_000)
    evidence: list[Evidence] = []
    with Devnet(options) as honest, Devnet(dataclasses.replace(options, hosts=("127.0.0.1", "127.0.0.2"))) as fork:
        for _ in range(6):
            honest.mine()
        fork.rpc("anvil_loadState", honest.rpc("anvil_dumpState", False))
        forked_at, tip = honest.now(), int(honest.rpc("eth_blockNumber"), 16)
        for _ in range(6):
            fork.mine()
        urls = [honest.url, *fork.urls]
        async with EndpointPool(CHAIN, urls, allow_development=True, on_evidence=evidence.append) as pool:
            with pytest.raises(NotYetFinalError):
                await pool.reference_block(forked_at)
            assert (await pool.latest_header()).number == tip
            for _ in range(4):
                honest.mine(honest.now() + 7)
            with pytest.raises(EndpointDisagreementError):
                await pool.reference_block(forked_at)
    assert evidence


async def test_row_5_laggards_lower_the_first_height_and_never_a_later_one(setup: Setup) -> None:
    devnet = setup.world.chain.devnet
    finalized = setup.world.tip() - 2
    setup.set(H, Fault.LAG, DOWN)
    async with setup.new_pool() as fresh:
        assert await fresh.finalized_number() == finalized - LAG_BLOCKS
    setup.set(H, H, DOWN)
    assert await setup.pool.finalized_number() == finalized
    devnet.mine()
    devnet.mine()
    setup.set(H, Fault.LAG, DOWN)
    assert await setup.pool.finalized_number() == finalized
    setup.set(H, H, H)
    assert await setup.pool.finalized_number() == finalized + 2


async def test_a_finalized_height_found_meanwhile_is_not_lowered(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another task pins a later block while this one still asks for the header of an earlier one."""
    agreed = setup.pool._agreed_header
    later = setup.world.header()

    async def overtaken(number: int) -> BlockHeader:
        setup.pool._pinned = later
        return await agreed(number)

    monkeypatch.setattr(setup.pool, "_agreed_header", overtaken)
    assert await setup.pool.finalized_number() == later.number


async def test_headers_and_references_remembered_are_bounded(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MAX_CACHED_HEADERS", "_MAX_CACHED_REFERENCES"):
        monkeypatch.setattr(f"marginproof.chains.evm.client.pool.{name}", 2)
    for number in (2, 3, 4, 5):
        assert (await setup.pool.reference_block(setup.world.header(number).timestamp)).number == number
    assert len(setup.pool._headers) == len(setup.pool._references) == 2


async def test_proofs_in_several_calls(setup: Setup) -> None:
    header = await setup.pool.header_at(await setup.pool.finalized_number())
    slots = vault_slots(range(1, 70), [])
    account, facts = await setup.pool.read_account(header, raw(setup.world.vault.address), [*slots, *slots])
    assert account.exists
    assert list(facts) == slots
    assert sum(proxy.methods.count("eth_getProof") for proxy in setup.proxies) == 3


async def test_vault_and_policy_read_through_the_pool(setup: Setup) -> None:
    world, pool = setup.world, setup.pool
    world.chain.devnet.mine()
    world.chain.devnet.mine()
    header = await pool.header_at(await pool.finalized_number())
    token = raw(world.token.address)
    pin = VaultPin(CHAIN, raw(world.vault.address), CODE_HASH)
    facts = await read_vault(pool, header, pin, [1, LOCKS + 1, 999], [token])
    assert [lock.exists for lock in facts.locks.values()] == [True, True, False]
    assert facts.total_locked[NATIVE_ASSET] >= facts.locks[1].amount
    assert await read_vault(pool, header, pin, [1, LOCKS + 1, 999], []) == facts  # a lock's own asset is always added
    assert (await read_vault(pool, header, pin, [1], [])).total_locked.keys() == {NATIVE_ASSET}
    venue = raw(world.owner)
    assert await read_policy_time(pool, header, raw(world.registry.address), venue, b"\x01" * 32) is None
    announced = await read_policy_time(pool, header, raw(world.registry.address), venue, world.digest)
    assert announced == world.registry.call("policy_effective_at", world.owner, world.digest)
    for wrong, code in (
        (VaultPin("eip155:5", pin.address, CODE_HASH), ReasonCode.CHAIN_ID_MISMATCH),
        (VaultPin(CHAIN, pin.address, b"\x01" * 32), ReasonCode.CODE_HASH_MISMATCH),
        (VaultPin(CHAIN, b"\x01" * 20, CODE_HASH), ReasonCode.ACCOUNT_ABSENT),
    ):
        with pytest.raises(MarginproofError) as caught:
            await read_vault(pool, header, wrong, [1], [])
        assert caught.value.code is code
    with pytest.raises(MarginproofError) as caught:
        await read_policy_time(pool, header, venue, venue, world.digest)
    assert caught.value.code is ReasonCode.ACCOUNT_ABSENT


async def test_reference_block_is_the_last_one_not_after_the_cutoff(setup: Setup) -> None:
    devnet = setup.world.chain.devnet
    start = devnet.now()
    times = [start + offset for offset in (100, 130, 130, 131, 200, 290, 300)]
    for time in times:
        devnet.mine(time)
    first = setup.world.tip() - len(times) + 1
    for cutoff in (times[0], times[0] + 1, times[1], times[3], times[3] + 1, times[4] - 1):
        expected = max(index for index, time in enumerate(times) if time <= cutoff)
        fresh = setup.new_pool()
        assert (await fresh.reference_block(cutoff)).number == first + expected
        await fresh.aclose()
    with pytest.raises(NotYetFinalError):
        await setup.pool.reference_block(times[4])
    devnet.mine(times[-1] + 1)
    assert (await setup.pool.reference_block(times[4])).number == first + 4


async def test_reference_block_long_ago_and_before_the_chain(setup: Setup) -> None:
    world = setup.world
    for number in (2, 3, world.tip() // 2):
        header = world.header(number)
        later = world.header(number + 1)
        assert await setup.pool.reference_block(header.timestamp) == header
        assert await setup.pool.reference_block(later.timestamp - 1) == header
    with pytest.raises(NotFoundError):
        await setup.pool.reference_block(world.header(0).timestamp - 1)


async def test_reference_block_is_asked_for_once(setup: Setup) -> None:
    cutoff = setup.world.header(5).timestamp
    reference = await setup.pool.reference_block(cutoff)
    setup.set(Fault.FORGED_HEADER, DOWN, Fault.GARBAGE)
    assert await setup.pool.reference_block(cutoff) is reference


@pytest.fixture
def forking_world() -> Iterator[World]:
    """A chain of its own for tests that rewrite history, which no snapshot brings back."""
    with Devnet(DevnetOptions(chain_id=CHAIN_NUMBER, genesis_time=1_700_000_000)) as devnet:
        devnet.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        devnet.rpc("anvil_setBlockTimestampInterval", 12)
        chain = Chain(devnet)
        owner = chain.rich("owner")
        token = chain.deploy(load_artifact(TEST_TOKEN), "US dollar, test", "USDT", 6, sender=owner)
        for _ in range(8):
            devnet.mine()
        yield World(chain, token, token, token, owner, b"")


@pytest_asyncio.fixture
async def forking(forking_world: World) -> AsyncIterator[Setup]:
    async for setup in proxied(forking_world):
        yield setup


async def test_row_9_reorganised_tip_is_seen_by_its_hash(forking: Setup) -> None:
    world = forking.world
    world.token.act(world.owner, "mint", world.owner, 5)
    tip = world.tip()
    assert await forking.pool.finalized_number() < tip  # what is not final is not remembered
    before = await forking.pool.header_at(tip)
    world.chain.devnet.rpc("anvil_reorg", 1, [])
    after = await forking.pool.header_at(tip)
    assert after.hash != before.hash
    assert after.parent_hash == before.parent_hash
    with pytest.raises(UnavailableError):
        await forking.pool.read_account(before, raw(world.token.address))
    assert (await forking.pool.read_account(after, raw(world.token.address)))[0].exists


async def test_row_10_finality_violation_latches(forking: Setup) -> None:
    devnet = forking.world.chain.devnet
    finalized = await forking.pool.finalized_number()
    header = forking.world.header(1)
    remembered = await forking.pool.reference_block(header.timestamp)
    assert remembered == header
    devnet.rpc("anvil_rollback", 4)
    with pytest.raises(QuorumMissingError):
        await forking.pool.finalized_number()
    devnet.fund(forking.world.owner, 1)
    for _ in range(6):
        devnet.mine()
    with pytest.raises(FinalityViolationError) as caught:
        await forking.pool.finalized_number()
    assert caught.value.code is ReasonCode.FINALITY_VIOLATION
    assert caught.value.fields["number"] == finalized
    forking.set(DOWN, DOWN, DOWN)  # no endpoint is needed to know it
    for call in (
        forking.pool.finalized_number(),
        forking.pool.header_at(1),
        forking.pool.reference_block(header.timestamp),
        forking.pool.read_account(header, b"\x01" * 20),
        forking.pool.call_latest(b"\x01" * 20, b""),
        forking.pool.latest_header(),
    ):
        with pytest.raises(FinalityViolationError):
            await call


async def test_row_10_finalized_blocks_that_do_not_lie_on_one_chain(forking: Setup) -> None:
    devnet = forking.world.chain.devnet
    parent = forking.world.header(await forking.pool.finalized_number())
    devnet.mine()
    await forking.pool.finalized_number()
    forged = dataclasses.replace(parent, hash=b"\x01" * 32)
    forking.pool._headers[parent.number] = forged
    with pytest.raises(FinalityViolationError):
        await forking.pool.reference_block(parent.timestamp)
