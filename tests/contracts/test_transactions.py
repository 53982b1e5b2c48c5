"""The wrappers that the prover, the command and the demo use, on a real chain and on broken endpoints."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import (
    NATIVE,
    Feed,
    Receipt,
    Registry,
    Sender,
    Token,
    TransactionReverted,
    Vault,
)
from marginproof.model.errors import MalformedError, UnavailableError
from marginproof.model.reasons import ReasonCode
from tests.contracts.broken_endpoints import GARBAGE, endpoint

BINDING = b"\x01" * 32


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    """A chain with fees and signed transactions, unlike the contract tests' own."""
    with Devnet(DevnetOptions(chain_id=977)) as running:
        yield running


@pytest.fixture
async def sender(chain: Devnet) -> AsyncIterator[Sender]:
    with chain.snapshot():
        async with Sender(chain.url, chain.account(0), timeout_seconds=20) as one:
            yield one


async def test_the_life_of_a_native_lock(chain: Devnet, sender: Sender) -> None:
    vault = await Vault.deploy(sender, 60, 30)
    lock = await vault.lock_native(10**18, BINDING)
    assert (lock.lock_id, lock.amount) == (1, 10**18)
    assert lock.block_number == int(chain.rpc("eth_blockNumber"), 16)
    await vault.add_native(1, 5)
    state = await vault.read_lock(1)
    assert (state.owner, state.asset, state.amount, state.binding) == (sender.address, NATIVE, 10**18 + 5, BINDING)
    assert await vault.total_locked(NATIVE) == 10**18 + 5
    assert await vault.notice_seconds() == 60
    await vault.start_notice(1)
    await vault.cancel_notice(1)
    await vault.start_notice(1)
    chain.mine(chain.now() + 60)
    recipient = development_account(5).address
    await vault.withdraw(1, recipient)
    assert await sender.balance(recipient) == 10**18 + 5


async def test_the_life_of_a_token_lock(sender: Sender) -> None:
    vault = await Vault.deploy(sender, 60, 30)
    token = await Token.deploy(sender, "US dollar, worthless", "TESTUSD", 6)
    await token.mint(sender.address, 1_000)
    await token.approve(vault.address, 900)
    lock = await vault.lock_token(token.address, 600, BINDING)
    await vault.add_token(lock.lock_id, 300)
    assert (await vault.read_lock(lock.lock_id)).asset == token.address
    assert await token.balance_of(vault.address) == await vault.total_locked(token.address) == 900


async def test_registry_and_feed(chain: Devnet, sender: Sender) -> None:
    terms = {"n": 256, "policy_delay": 10, "notice_seconds": 20}
    registry = await Registry.deploy(sender, configuration_digest=b"\x01" * 32, **terms)
    effective_at = await registry.announce_policy(b"\x03" * 32)
    assert effective_at == chain.now() + 10
    assert await registry.policy_effective_at(sender.address, b"\x03" * 32) == effective_at
    assert (await registry.record_signer_set(1, b"\x04" * 32, 9, b"\x05" * 96)).logs
    feed = await Feed.deploy(sender, "ETH / USD", 8, sender.address)
    with pytest.raises(TransactionReverted, match="NO_DATA"):
        await feed.latest()
    await feed.post(19_430_000_000)
    answer = await feed.latest()
    assert (answer.round_id, answer.answer, answer.updated_at) == (1, 19_430_000_000, chain.now())


async def test_a_refusal_is_known_before_anything_is_paid(sender: Sender) -> None:
    vault = await Vault.deploy(sender, 60, 30)
    before = await sender.balance(sender.address)
    with pytest.raises(TransactionReverted) as caught:
        await vault.start_notice(1)
    assert caught.value.reason == "LOCK_UNKNOWN"
    assert caught.value.code is ReasonCode.TRANSACTION_REVERTED
    assert caught.value.fields == {"reason": "LOCK_UNKNOWN", "call": "CollateralVault.start_notice"}
    assert await sender.balance(sender.address) == before


async def test_a_constructors_refusal_is_typed(sender: Sender) -> None:
    with pytest.raises(TransactionReverted, match="DELAY_OUT_OF_RANGE"):
        await Vault.deploy(sender, 0, 30)


async def test_a_refusal_in_the_block_has_its_reason(chain: Devnet, sender: Sender) -> None:
    """The estimate succeeds, and by the time of the block somebody else was faster."""
    vault = await Vault.deploy(sender, 60, 30)
    await vault.lock_native(5, BINDING)
    chain.rpc("evm_setAutomine", False)
    try:
        async with Sender(chain.url, development_account(0), timeout_seconds=20) as second:
            first = asyncio.create_task(vault.start_notice(1))
            late = asyncio.create_task(_after_pending(chain, 1, Vault(second, vault.address)))
            await _pending(chain, 2)
            chain.mine()
            assert isinstance(await first, Receipt)
            with pytest.raises(TransactionReverted) as caught:
                await late
            assert caught.value.reason == "NOTICE_RUNNING"
    finally:
        chain.rpc("evm_setAutomine", True)


async def _pending(chain: Devnet, count: int) -> None:
    for _ in range(1_000):
        if int(chain.rpc("txpool_status")["pending"], 16) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the transaction was never sent")


async def _after_pending(chain: Devnet, count: int, vault: Vault) -> Receipt:
    await _pending(chain, count)
    return await vault.start_notice(1)


async def test_a_transaction_that_no_block_takes_times_out(chain: Devnet) -> None:
    with chain.snapshot():
        chain.rpc("evm_setAutomine", False)
        try:
            async with Sender(chain.url, chain.account(1), timeout_seconds=0.5) as sender:
                with pytest.raises(UnavailableError) as caught:
                    await sender.deploy(load_artifact(COLLATERAL_VAULT), 60, NATIVE, 30)
            assert caught.value.code is ReasonCode.TRANSACTION_TIMEOUT
            assert str(caught.value.fields["transaction"]).startswith("0x")
        finally:
            chain.rpc("anvil_dropAllTransactions")
            chain.rpc("evm_setAutomine", True)


async def test_transfers_move_coins_and_tokens(sender: Sender) -> None:
    recipient = development_account(6).address
    await sender.transfer(recipient, 12)
    assert await sender.balance(recipient) == 12
    token = await Token.deploy(sender, "US dollar, worthless", "TESTUSD", 6)
    await token.mint(sender.address, 10)
    await token.transfer(recipient, 4)
    assert await token.balance_of(recipient) == 4


async def test_transactions_that_no_block_contains_are_counted(chain: Devnet, sender: Sender) -> None:
    vault = await Vault.deploy(sender, 60, 30)
    assert (await sender.pending_count(), await vault.lock_count()) == (0, 0)
    chain.rpc("evm_setAutomine", False)
    try:
        locking = asyncio.create_task(vault.lock_native(5, BINDING))
        await _pending(chain, 1)
        assert await sender.pending_count() == 1
        chain.mine()
        await locking
    finally:
        chain.rpc("evm_setAutomine", True)
    assert (await sender.pending_count(), await vault.lock_count()) == (0, 1)


async def test_concurrent_calls_of_one_sender_take_turns(sender: Sender) -> None:
    vault = await Vault.deploy(sender, 60, 30)
    locks = await asyncio.gather(*(vault.lock_native(amount, BINDING) for amount in (1, 2, 3, 4)))
    assert sorted(lock.lock_id for lock in locks) == [1, 2, 3, 4]


async def test_an_unreachable_endpoint_is_not_named() -> None:
    async with Sender("http://127.0.0.1:9/access-key", development_account(0), timeout_seconds=5) as sender:
        with pytest.raises(UnavailableError) as caught:
            await sender.chain_id()
    assert "access-key" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert "access-key" not in repr(sender)


async def test_an_endpoint_that_never_answers_times_out() -> None:
    async with endpoint(None) as url, Sender(url, development_account(0), timeout_seconds=0.3) as sender:
        with pytest.raises(UnavailableError) as caught:
            await sender.chain_id()
    assert caught.value.code is ReasonCode.DEADLINE


@pytest.mark.parametrize("body", GARBAGE)
async def test_garbage_is_a_typed_error(body: bytes) -> None:
    async with endpoint(body) as url, Sender(url, development_account(0), timeout_seconds=5) as sender:
        with pytest.raises(UnavailableError):
            await sender.transact(load_artifact(COLLATERAL_VAULT), NATIVE, "start_notice", 1)


async def test_an_address_without_the_contract_is_reported(sender: Sender) -> None:
    with pytest.raises(MalformedError, match="address"):
        await Vault(sender, "0x" + "77" * 20).notice_seconds()


async def test_amounts_and_keys_are_in_no_repr(sender: Sender) -> None:
    vault = await Vault.deploy(sender, 60, 30)
    lock = await vault.lock_native(123_456_789, BINDING)
    receipt = await vault.add_native(1, 987_654_321)
    state = await vault.read_lock(1)
    shown = f"{lock!r} {receipt!r} {state!r} {sender!r} {vault!r}"
    for secret in ("123456789", "987654321", "1111111110", development_account(0).key.hex()):
        assert secret not in shown
