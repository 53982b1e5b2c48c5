"""A pool of endpoints before a real chain: each fault of one, two or all of them, and what comes of it."""

import dataclasses
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

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
from marginproof.chains.evm.client.endpoint import Endpoint, EndpointFailureError
from marginproof.chains.evm.client.replies import read_height, read_result
from marginproof.chains.evm.contracts import TEST_TOKEN, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.verify import BlockHeader, lock_slots, vault_slots
from marginproof.model.chains import NATIVE_ASSET
from marginproof.model.errors import (
    ConfigurationError,
    MalformedError,
    MarginproofError,
    NotFoundError,
    UnavailableError,
)
from marginproof.model.network import VaultPin
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import CHAIN_NUMBER, CODE_HASH, LOCKS, World, raw
from tests.contracts.harness import Chain
from tests.support.fault_proxy import LAG_BLOCKS, Fault, FaultProxy

CHAIN = f"eip155:{CHAIN_NUMBER}"
TIMEOUT = 2.0
SILENCING = [
    Fault.HANG,
    Fault.DISCONNECT,
    Fault.HTTP_ERROR,
    Fault.REDIRECT,
    Fault.GARBAGE,
    Fault.OVERSIZE,
    Fault.NESTED,
    Fault.FOREIGN_ID,
    Fault.RPC_ERROR,
    Fault.NO_RESULT,
]
PROOF_FAULTS = [Fault.FORGED_PROOF, Fault.TRUNCATED_PROOF, Fault.MISSHAPED_PROOF]


class Setup:
    """Three proxies, and a pool that reads through them."""

    def __init__(self, world: World, proxies: Sequence[FaultProxy]) -> None:
        self.world = world
        self.proxies = proxies
        self.evidence: list[Evidence] = []
        self.pool = self.new_pool()

    def new_pool(self, **options: Any) -> EndpointPool:
        urls = [proxy.url for proxy in self.proxies]
        settings: dict[str, Any] = {"timeout_seconds": TIMEOUT, "on_evidence": self.evidence.append, **options}
        return EndpointPool(CHAIN, urls, allow_development=True, **settings)

    def set(self, *faults: Fault) -> None:
        for proxy, fault in zip(self.proxies, faults, strict=True):
            proxy.fault = fault


@pytest_asyncio.fixture
async def setup(world: World) -> AsyncIterator[Setup]:
    async for setup in proxied(world):
        yield setup


async def proxied(world: World) -> AsyncIterator[Setup]:
    upstream = world.chain.devnet.url
    async with FaultProxy(upstream) as first, FaultProxy(upstream) as second, FaultProxy(upstream) as third:
        setup = Setup(world, [first, second, third])
        async with setup.pool:
            yield setup


H = Fault.HONEST
DOWN = Fault.HTTP_ERROR


async def test_honest_endpoints(setup: Setup) -> None:
    finalized = await setup.pool.finalized_number()
    assert finalized == setup.world.tip() - 2
    header = await setup.pool.header_at(finalized)
    assert header == setup.world.header(finalized)
    assert not setup.evidence


@pytest.mark.parametrize("fault", SILENCING)
async def test_row_3_one_silent_endpoint_changes_nothing_two_stop_everything(setup: Setup, fault: Fault) -> None:
    setup.set(H, fault, H)
    assert await setup.pool.finalized_number() == setup.world.tip() - 2
    setup.set(H, fault, fault)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(2)
    assert caught.value.fields["required"] == 2
    assert not setup.evidence


async def test_row_1_kelpdao_one_honest_answer_stops_two_consistent_liars(setup: Setup) -> None:
    setup.set(Fault.FORGED_HEADER, Fault.FORGED_HEADER, H)
    with pytest.raises(EndpointDisagreementError) as caught:
        await setup.pool.header_at(3)
    forged, again, true = (answer.value for answer in caught.value.answers)
    assert forged == again
    assert true == f"0x{setup.world.header(3).hash.hex()}"
    assert setup.evidence[0].subject == "block 3"
    assert setup.evidence[0].answers == caught.value.answers


async def test_row_1_kelpdao_third_silenced_the_default_gives_way_a_raised_requirement_does_not(setup: Setup) -> None:
    setup.set(Fault.FORGED_HEADER, Fault.FORGED_HEADER, DOWN)
    header = await setup.pool.header_at(3)
    assert header.state_root != setup.world.header(3).state_root
    # A forged state root has no proofs: what is read under it is refused, as long as hashes hold.
    with pytest.raises(UnavailableError):
        await setup.pool.read_account(header, raw(setup.world.vault.address))
    async with setup.new_pool(required=3) as strict:
        with pytest.raises(QuorumMissingError):
            await strict.header_at(3)


async def test_row_1_one_liar_is_a_refusal_not_a_majority(setup: Setup) -> None:
    for faults in ([Fault.FORGED_HEADER, H, H], [H, Fault.FORGED_HEADER, H], [H, H, Fault.FORGED_HEADER]):
        setup.set(*faults)
        with pytest.raises(EndpointDisagreementError):
            await setup.pool.header_at(3)


@pytest.mark.parametrize("fault", [Fault.UNHASHED_HEADER, Fault.MISSHAPED_HEADER])
async def test_row_7_headers_that_do_not_hash_to_their_hash_never_vote(setup: Setup, fault: Fault) -> None:
    setup.set(H, H, fault)
    assert (await setup.pool.header_at(3)).number == 3
    setup.set(H, fault, DOWN)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(3)
    assert str(caught.value.fields["endpoint_1"]).startswith(Outcome.MALFORMED)


async def test_row_7_another_block_for_the_number_asked_is_a_contradiction(setup: Setup) -> None:
    setup.set(H, H, Fault.OTHER_BLOCK)
    with pytest.raises(EndpointDisagreementError):
        await setup.pool.header_at(3)
    setup.set(Fault.OTHER_BLOCK, Fault.OTHER_BLOCK, Fault.OTHER_BLOCK)
    with pytest.raises(QuorumMissingError):
        await setup.pool.header_at(3)


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
    with pytest.raises(QuorumMissingError):
        await setup.pool.finalized_number()


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


async def test_calls_need_equal_results(setup: Setup) -> None:
    call = raw(setup.world.vault.address), setup.world.vault.data("notice_seconds")
    setup.set(H, H, Fault.FORGED_CALL)
    with pytest.raises(EndpointDisagreementError):
        await setup.pool.call_latest(*call)
    assert setup.evidence
    setup.set(H, H, Fault.LAG)
    assert int.from_bytes((await setup.pool.call_latest(*call))[0], "big") == 1_000
    setup.set(H, Fault.RPC_ERROR, DOWN)
    with pytest.raises(QuorumMissingError):
        await setup.pool.call_latest(*call)


async def test_calls_that_revert_give_no_value(setup: Setup) -> None:
    with pytest.raises(QuorumMissingError):
        await setup.pool.call_latest(raw(setup.world.vault.address), setup.world.vault.data("read_lock", 999))


def test_call_results_that_are_no_bytes() -> None:
    for reply in (None, 5, "00", "0x0", "0xzz", "0x" + "00" * 70_000):
        with pytest.raises(EndpointFailureError):
            read_result(reply)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [(None, Outcome.BEHIND), ("12", Outcome.MALFORMED), ({}, Outcome.MALFORMED), (12, Outcome.MALFORMED)],
)
def test_heights_that_are_none(reply: Any, outcome: Outcome) -> None:
    with pytest.raises(EndpointFailureError) as caught:
        read_height(reply)
    assert caught.value.outcome is outcome


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.HANG, Outcome.TIMEOUT),
        (Fault.DISCONNECT, Outcome.CONNECTION),
        (Fault.HTTP_ERROR, Outcome.HTTP_STATUS),
        (Fault.REDIRECT, Outcome.HTTP_STATUS),
        (Fault.OVERSIZE, Outcome.TOO_LARGE),
        (Fault.GARBAGE, Outcome.NOT_JSON_RPC),
        (Fault.NESTED, Outcome.NOT_JSON_RPC),
        (Fault.FOREIGN_ID, Outcome.NOT_JSON_RPC),
        (Fault.NO_RESULT, Outcome.NOT_JSON_RPC),
        (Fault.RPC_ERROR, Outcome.REFUSED),
        (Fault.CHAIN_ID, Outcome.WRONG_CHAIN),
    ],
)
async def test_row_3_and_7_each_way_of_not_answering_has_its_name(setup: Setup, fault: Fault, outcome: Outcome) -> None:
    endpoint = Endpoint(0, setup.proxies[0].url, CHAIN_NUMBER, TIMEOUT)
    setup.proxies[0].fault = fault
    with pytest.raises(EndpointFailureError) as caught:
        await endpoint.ask("eth_blockNumber")
    await endpoint.aclose()
    assert caught.value.outcome is outcome


@pytest.mark.parametrize("fault", PROOF_FAULTS)
async def test_bad_proofs_are_kept_and_the_next_endpoint_is_asked(setup: Setup, fault: Fault) -> None:
    header = await setup.pool.header_at(await setup.pool.finalized_number())
    vault = raw(setup.world.vault.address)
    setup.set(fault, H, H)
    account, slots = await setup.pool.read_account(header, vault, lock_slots(1))
    assert account.code_hash == CODE_HASH
    assert all(fact.present for fact in slots.values())
    assert setup.evidence[0].answers[0].outcome is Outcome.BAD_PROOF
    setup.set(fault, fault, DOWN)
    with pytest.raises(UnavailableError) as caught:
        await setup.pool.read_account(header, vault, lock_slots(1))
    assert str(caught.value.fields["endpoint_0"]).startswith(Outcome.BAD_PROOF)
    assert caught.value.fields["endpoint_2"] == f"{Outcome.HTTP_STATUS}:503"


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


async def test_wrong_chain_id_is_named_by_index_only(setup: Setup) -> None:
    setup.set(H, Fault.CHAIN_ID, H)
    with pytest.raises(ConfigurationError) as caught:
        async with setup.new_pool():
            pass
    assert caught.value.code is ReasonCode.CHAIN_ID_MISMATCH
    assert caught.value.fields["endpoint"] == 1


async def test_endpoint_silent_at_the_start_is_checked_before_its_first_answer(setup: Setup) -> None:
    setup.set(H, DOWN, H)
    async with setup.new_pool() as pool:
        setup.set(H, Fault.CHAIN_ID, DOWN)
        with pytest.raises(QuorumMissingError) as caught:
            await pool.header_at(3)
    assert caught.value.fields["endpoint_1"] == Outcome.WRONG_CHAIN


@pytest.mark.parametrize("fault", [*SILENCING, Fault.FORGED_HEADER, *PROOF_FAULTS])
async def test_addresses_of_endpoints_appear_nowhere(setup: Setup, fault: Fault) -> None:
    setup.set(H, fault, fault)
    texts = [repr(setup.pool), repr(setup.pool._endpoints)]
    for call in (setup.pool.header_at(3), setup.pool.read_account(setup.world.header(3), b"\x01" * 20)):
        try:
            await call
        except MarginproofError as error:
            texts += [str(error), repr(error), repr(error.fields)]
    texts += [repr(item) for item in setup.evidence]
    assert not any("secret-access-key" in text or "127.0.0.1" in text for text in texts)


async def test_row_3_all_endpoints_hanging_end_in_a_typed_refusal(setup: Setup) -> None:
    setup.set(Fault.HANG, Fault.HANG, Fault.HANG)
    with pytest.raises(QuorumMissingError) as caught:
        await setup.pool.header_at(3)
    assert [answer.outcome for answer in caught.value.answers] == [Outcome.TIMEOUT] * 3


async def test_a_connection_closed_meanwhile_is_opened_again(setup: Setup) -> None:
    endpoint = Endpoint(0, setup.proxies[0].url, CHAIN_NUMBER, TIMEOUT)
    setup.proxies[0].fault = Fault.DISCONNECT
    with pytest.raises(EndpointFailureError) as caught:
        await endpoint.ask("eth_blockNumber")
    assert caught.value.outcome is Outcome.CONNECTION
    setup.proxies[0].fault = H
    assert await endpoint.ask("eth_blockNumber") == hex(setup.world.tip())
    await endpoint.aclose()
    assert await endpoint.ask("eth_blockNumber") == hex(setup.world.tip())
    await endpoint.aclose()


async def test_lag_is_as_long_as_the_proxy_says(setup: Setup) -> None:
    setup.proxies[0].fault = Fault.LAG
    endpoint = Endpoint(0, setup.proxies[0].url, CHAIN_NUMBER, TIMEOUT)
    assert int(await endpoint.ask("eth_blockNumber"), 16) == setup.world.tip() - LAG_BLOCKS
    await endpoint.aclose()


URLS = [f"http://127.0.0.{last}:8545" for last in (1, 2, 3)]


@pytest.mark.parametrize(
    ("urls", "options", "code"),
    [
        ([], {}, ReasonCode.ENDPOINT_TOO_FEW),
        (URLS[:2], {}, ReasonCode.ENDPOINT_TOO_FEW),
        ([], {"allow_development": True}, ReasonCode.ENDPOINT_TOO_FEW),
        ([URLS[0]] * 3, {}, ReasonCode.CONFIG_INVALID),
        ([URLS[0]] * 3, {"allow_development": True}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "http://127.0.0.2:8546"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "file:///etc/passwd"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "ftp://127.0.0.3:21"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "http://"], {}, ReasonCode.CONFIG_INVALID),
        ([*URLS[:2], "http://[secret"], {}, ReasonCode.CONFIG_INVALID),
        (URLS, {"timeout_seconds": 0}, ReasonCode.CONFIG_INVALID),
        (URLS, {"required": 1}, ReasonCode.CONFIG_INVALID),
        (URLS, {"required": 4}, ReasonCode.CONFIG_INVALID),
    ],
)
def test_row_2_configurations_that_protect_nothing(urls: list[str], options: dict[str, Any], code: ReasonCode) -> None:
    with pytest.raises(ConfigurationError) as caught:
        EndpointPool(CHAIN, urls, **options)
    assert caught.value.code is code
    assert "127.0.0" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_pools_are_of_evm_chains() -> None:
    assert EndpointPool(CHAIN, URLS).required == 2
    with pytest.raises(MalformedError):
        EndpointPool("bip122:000000000019d6689c085ae165831e93", URLS)
