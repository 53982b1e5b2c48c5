"""Transactions that are lost, underpriced, replaced, reverted, or mined twice in a reorganisation."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from marginproof.chains.evm.contracts import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.contracts.codec import encode_call
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import (
    BroadcastOutcome,
    Call,
    CountAt,
    Fees,
    PostingEndpoint,
    PreparedTransaction,
    Registry,
    Sender,
    TransactionReverted,
    prepare,
)
from marginproof.chains.evm.transactions.posting import read_refusal
from marginproof.model.errors import MalformedError, UnavailableError
from tests.contracts.broken_endpoints import GARBAGE, endpoint

CHAIN_ID = 978
GAS = 100_000
TAKEN, KNOWN = BroadcastOutcome.TAKEN, BroadcastOutcome.ALREADY_KNOWN


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    """A chain with fees that mines only when it is told to."""
    with Devnet(DevnetOptions(chain_id=CHAIN_ID)) as running:
        running.account(1)

        running.rpc("evm_setAutomine", False)
        yield running


@pytest.fixture(scope="module")
def registry(chain: Devnet) -> str:
    async def deploy() -> str:
        async with Sender(chain.url, chain.account(0), timeout_seconds=20) as sender:
            registry = await Registry.deploy(
                sender, n=256, configuration_digest=b"\x01" * 32, policy_delay=10, notice_seconds=60
            )
            return registry.address

    chain.rpc("evm_setAutomine", True)
    address = asyncio.run(deploy())
    chain.rpc("evm_setAutomine", False)
    return address


@dataclass(frozen=True)
class Poster:
    chain: Devnet
    endpoint: PostingEndpoint
    registry: str
    account: LocalAccount

    def announce(self, seed: int) -> Call:
        return Call(self.registry, encode_call(load_artifact(PLEDGE_REGISTRY), "announce_policy", bytes([seed]) * 32))

    async def prepare(self, seed: int, nonce: int | None = None, fees: Fees | None = None) -> PreparedTransaction:
        if nonce is None:
            nonce = await self.latest()
        return prepare(
            self.account,
            self.announce(seed),
            chain_id=CHAIN_ID,
            nonce=nonce,
            gas_limit=GAS,
            fees=fees or await self.endpoint.fee_quote(),
        )

    async def latest(self) -> int:
        return await self.endpoint.transaction_count(self.account.address, CountAt.LATEST)

    async def pending(self) -> int:
        return await self.endpoint.transaction_count(self.account.address, CountAt.PENDING)

    async def mined(self, transaction: PreparedTransaction) -> bool:
        """Whether a block contains it, in which it went through."""
        receipt = await self.endpoint.receipt(transaction.hash)
        return receipt is not None and receipt.succeeded


@pytest.fixture
async def poster(chain: Devnet, registry: str) -> AsyncIterator[Poster]:
    with chain.snapshot():
        async with PostingEndpoint(chain.url) as one:
            yield Poster(chain, one, registry, development_account(1))
        chain.rpc("anvil_dropAllTransactions")


async def test_the_same_call_is_the_same_bytes(poster: Poster) -> None:
    """A restart that prepares again what it had written down cannot make a second transaction."""
    first = await poster.prepare(1, fees=Fees(10**10, 10**9))
    again = await poster.prepare(1, fees=Fees(10**10, 10**9))
    assert first == again
    assert first.raw[:1] == b"\x02"
    assert first.hash != (await poster.prepare(2, fees=first.fees)).hash
    assert first.raw.hex() not in repr(first)


async def test_a_transaction_from_broadcast_to_receipt(poster: Poster) -> None:
    transaction = await poster.prepare(1)
    assert await poster.endpoint.receipt(transaction.hash) is None
    assert (await poster.latest(), await poster.pending()) == (0, 0)
    assert await poster.endpoint.broadcast(transaction.raw) is TAKEN
    assert await poster.endpoint.receipt(transaction.hash) is None
    assert (await poster.latest(), await poster.pending()) == (0, 1)
    poster.chain.mine()
    receipt = await poster.endpoint.receipt(transaction.hash)
    assert receipt is not None
    assert receipt.succeeded
    assert receipt.transaction == transaction.hash
    assert receipt.block_number == int(poster.chain.rpc("eth_blockNumber"), 16)
    assert receipt.event(load_artifact(PLEDGE_REGISTRY), "PolicyAnnounced", poster.registry)["digest"] == b"\x01" * 32
    assert (await poster.latest(), await poster.pending()) == (1, 1)


async def test_a_second_broadcast_changes_nothing(poster: Poster) -> None:
    transaction = await poster.prepare(1)
    assert await poster.endpoint.broadcast(transaction.raw) is TAKEN
    assert await poster.endpoint.broadcast(transaction.raw) is KNOWN
    poster.chain.mine()
    assert await poster.endpoint.broadcast(transaction.raw) is BroadcastOutcome.NONCE_TOO_LOW
    assert await poster.mined(transaction)


async def test_a_lost_transaction_is_sent_again(poster: Poster) -> None:
    transaction = await poster.prepare(1)
    await poster.endpoint.broadcast(transaction.raw)
    poster.chain.rpc("anvil_dropTransaction", "0x" + transaction.hash.hex())
    poster.chain.mine()
    assert await poster.endpoint.receipt(transaction.hash) is None
    assert (await poster.latest(), await poster.pending()) == (0, 0)
    assert await poster.endpoint.broadcast(transaction.raw) is TAKEN
    poster.chain.mine()
    assert await poster.mined(transaction)


async def test_an_underpriced_transaction_waits_and_is_replaced(poster: Poster) -> None:
    base = int(poster.chain.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    cheap = await poster.prepare(1, fees=Fees(base + base // 4, 1))
    assert await poster.endpoint.broadcast(cheap.raw) is TAKEN
    poster.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(2 * base))
    poster.chain.mine()
    assert await poster.endpoint.receipt(cheap.hash) is None
    assert await poster.endpoint.broadcast(cheap.raw) is not TAKEN
    quote = await poster.endpoint.fee_quote()
    dear = await poster.prepare(1, nonce=cheap.nonce, fees=quote.at_least(cheap.fees.bumped()))
    assert await poster.endpoint.broadcast(dear.raw) is TAKEN
    poster.chain.mine()
    assert await poster.mined(dear)
    assert await poster.endpoint.receipt(cheap.hash) is None
    assert await poster.latest() == 1


async def test_a_replacement_must_offer_more(poster: Poster) -> None:
    first = await poster.prepare(1)
    await poster.endpoint.broadcast(first.raw)
    same = await poster.prepare(2, nonce=first.nonce, fees=first.fees)
    assert await poster.endpoint.broadcast(same.raw) is BroadcastOutcome.UNDERPRICED
    more = await poster.prepare(2, nonce=first.nonce, fees=first.fees.bumped())
    assert await poster.endpoint.broadcast(more.raw) is TAKEN
    assert await poster.endpoint.broadcast(first.raw) is BroadcastOutcome.UNDERPRICED
    poster.chain.mine()
    assert await poster.mined(more)
    assert await poster.endpoint.receipt(first.hash) is None
    assert await poster.endpoint.broadcast(first.raw) is BroadcastOutcome.NONCE_TOO_LOW


async def test_fees_below_the_blocks_are_underpriced(poster: Poster) -> None:
    transaction = await poster.prepare(1, fees=Fees(1, 1))
    assert await poster.endpoint.broadcast(transaction.raw) is BroadcastOutcome.UNDERPRICED


async def test_a_transaction_mined_again_after_a_reorganisation(poster: Poster) -> None:
    transaction = await poster.prepare(1)
    await poster.endpoint.broadcast(transaction.raw)
    poster.chain.mine()
    first = await poster.endpoint.receipt(transaction.hash)
    assert first is not None
    poster.chain.rpc("anvil_reorg", 1, [])
    assert await poster.endpoint.receipt(transaction.hash) is None
    assert await poster.latest() == 0
    assert await poster.endpoint.broadcast(transaction.raw) in (TAKEN, KNOWN)
    poster.chain.mine()
    second = await poster.endpoint.receipt(transaction.hash)
    assert second is not None
    assert second.succeeded
    assert (second.block_number, second.block_hash) != (first.block_number, first.block_hash)
    assert await poster.latest() == 1


async def test_a_reorganisation_that_takes_another_of_the_same_nonce(poster: Poster) -> None:
    """Both were once mined; only one is now, and the nonce says that the other never will be."""
    first, second = await poster.prepare(1), await poster.prepare(2)
    await poster.endpoint.broadcast(first.raw)
    poster.chain.mine()
    assert await poster.mined(first)
    poster.chain.rpc("anvil_reorg", 1, [["0x" + second.raw.hex(), 0]])
    assert await poster.endpoint.receipt(first.hash) is None
    assert await poster.mined(second)
    assert await poster.endpoint.broadcast(first.raw) is BroadcastOutcome.NONCE_TOO_LOW


async def test_nonces_are_recovered_after_a_loss(poster: Poster) -> None:
    """Of three sent, the second is lost: the third waits, and the count says where the gap is."""
    sent = [await poster.prepare(nonce + 1, nonce=nonce) for nonce in range(3)]
    for transaction in (sent[0], sent[2]):
        assert await poster.endpoint.broadcast(transaction.raw) is TAKEN
    poster.chain.mine()
    assert [await poster.mined(transaction) for transaction in sent] == [True, False, False]
    gap = await poster.latest()
    assert gap == 1
    assert await poster.endpoint.broadcast(sent[gap].raw) is TAKEN
    # Whether the one after the gap survived is the endpoint's affair: sending it again is always right.
    assert await poster.endpoint.broadcast(sent[2].raw) in (TAKEN, KNOWN)
    poster.chain.mine()
    assert [await poster.mined(transaction) for transaction in sent] == [True, True, True]


async def test_a_reverted_transaction_has_a_receipt_that_says_so(poster: Poster) -> None:
    for nonce in range(2):
        transaction = await poster.prepare(1, nonce=nonce)
        await poster.endpoint.broadcast(transaction.raw)
        poster.chain.mine()
    receipt = await poster.endpoint.receipt(transaction.hash)
    assert receipt is not None
    assert not receipt.succeeded
    assert not receipt.logs
    with pytest.raises(TransactionReverted) as caught:
        await poster.endpoint.estimate_gas(poster.account.address, poster.announce(1))
    assert caught.value.reason == "ALREADY_ANNOUNCED"


async def test_a_gas_estimate_suffices(poster: Poster) -> None:
    gas = await poster.endpoint.estimate_gas(poster.account.address, poster.announce(1))
    transaction = prepare(
        poster.account,
        poster.announce(1),
        chain_id=await poster.endpoint.chain_id(),
        nonce=0,
        gas_limit=gas,
        fees=await poster.endpoint.fee_quote(),
    )
    await poster.endpoint.broadcast(transaction.raw)
    poster.chain.mine()
    assert await poster.mined(transaction)


async def test_other_refusals(poster: Poster) -> None:
    fees = await poster.endpoint.fee_quote()
    call = poster.announce(1)
    poor = prepare(development_account(55), call, chain_id=CHAIN_ID, nonce=0, gas_limit=GAS, fees=fees)
    assert await poster.endpoint.broadcast(poor.raw) is BroadcastOutcome.INSUFFICIENT_FUNDS
    foreign = prepare(poster.account, call, chain_id=1, nonce=0, gas_limit=GAS, fees=fees)
    assert await poster.endpoint.broadcast(foreign.raw) is BroadcastOutcome.REFUSED
    for raw in (b"", b"\x00", foreign.raw[:50]):
        assert await poster.endpoint.broadcast(raw) is BroadcastOutcome.REFUSED


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("already known", KNOWN),
        ("AlreadyKnown", KNOWN),
        ("Known transaction", KNOWN),
        ("transaction already imported", KNOWN),
        ("nonce too low: next nonce 7, tx nonce 3", BroadcastOutcome.NONCE_TOO_LOW),
        ("OldNonce, Current nonce: 7, nonce of rejected tx: 3", BroadcastOutcome.NONCE_TOO_LOW),
        ("replacement transaction underpriced", BroadcastOutcome.UNDERPRICED),
        ("transaction underpriced: tip needed 1, tip permitted 0", BroadcastOutcome.UNDERPRICED),
        ("ReplacementNotAllowed", BroadcastOutcome.UNDERPRICED),
        ("FeeTooLow, MaxFeePerGas too low", BroadcastOutcome.UNDERPRICED),
        ("Gas price too low", BroadcastOutcome.UNDERPRICED),
        ("max fee per gas less than block base fee: address 0x", BroadcastOutcome.UNDERPRICED),
        ("insufficient funds for gas * price + value", BroadcastOutcome.INSUFFICIENT_FUNDS),
        ("InsufficientFunds, Account balance: 0", BroadcastOutcome.INSUFFICIENT_FUNDS),
        ("Upfront cost exceeds account balance", BroadcastOutcome.INSUFFICIENT_FUNDS),
        ("nonce too high", BroadcastOutcome.REFUSED),
        ("", BroadcastOutcome.REFUSED),
    ],
)
def test_how_nodes_say_it(message: str, outcome: BroadcastOutcome) -> None:
    assert read_refusal({"error": {"code": -32000, "message": message}}) is outcome


@pytest.mark.parametrize(
    "reply", [None, 5, [], {}, {"error": None}, {"error": []}, {"error": {}}, {"error": {"message": 5}}]
)
def test_refusals_that_say_nothing(reply: Any) -> None:
    assert read_refusal(reply) is BroadcastOutcome.REFUSED


@pytest.mark.parametrize(
    ("fees", "percent", "bumped"),
    [
        (Fees(0, 0), 25, Fees(1, 1)),
        (Fees(1, 1), 25, Fees(2, 2)),
        (Fees(1_000, 100), 10, Fees(1_100, 110)),
        (Fees(1_001, 99), 10, Fees(1_102, 109)),
    ],
)
def test_bumped_fees(fees: Fees, percent: int, bumped: Fees) -> None:
    assert fees.bumped(percent) == bumped


def test_the_higher_of_two_offers() -> None:
    assert Fees(5, 1).at_least(Fees(3, 2)) == Fees(5, 2)
    assert Fees(3, 2).at_least(Fees(5, 1)) == Fees(5, 2)


def test_a_call_needs_an_address() -> None:
    with pytest.raises(MalformedError, match="address"):
        prepare(development_account(1), Call("0x12", b""), chain_id=1, nonce=0, gas_limit=GAS, fees=Fees(1, 1))


@pytest.mark.parametrize("body", GARBAGE)
async def test_garbage_is_a_typed_error(body: bytes) -> None:
    async with endpoint(body) as url, PostingEndpoint(url, timeout_seconds=5) as one:
        asks: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: one.receipt(b"\x01" * 32),
            lambda: one.transaction_count("0x" + "11" * 20, CountAt.LATEST),
            one.fee_quote,
            one.chain_id,
        )
        for ask in asks:
            with contextlib.suppress(UnavailableError):
                assert await ask() is None  # only a receipt may be missing


async def test_another_transactions_receipt_is_refused(poster: Poster) -> None:
    transaction = await poster.prepare(1)
    await poster.endpoint.broadcast(transaction.raw)
    poster.chain.mine()
    receipt = poster.chain.rpc("eth_getTransactionReceipt", "0x" + transaction.hash.hex())
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": receipt}).encode()
    async with endpoint(body) as url, PostingEndpoint(url) as liar:
        with pytest.raises(UnavailableError, match="another receipt"):
            await liar.receipt(b"\x07" * 32)


async def test_an_unreachable_endpoint_is_not_named() -> None:
    async with PostingEndpoint("http://127.0.0.1:9/access-key", timeout_seconds=5) as one:
        with pytest.raises(UnavailableError) as caught:
            await one.broadcast(b"\x02")
    assert "access-key" not in f"{caught.value}{one!r}"
    assert "127.0.0.1" not in f"{caught.value}{one!r}"
