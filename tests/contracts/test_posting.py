"""Transactions that are lost, underpriced, replaced, reverted, or mined twice in a reorganisation."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

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
    prepare,
)

CHAIN_ID = 978
GAS = 100_000
TAKEN, KNOWN = BroadcastOutcome.TAKEN, BroadcastOutcome.ALREADY_KNOWN


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    """A chain with fees that mines only when it is told to."""
    with Devnet(DevnetOptions(chain_id=CHAIN_ID)) as running:
        running.account(1)

        async def deploy() -> str:
            async with Sender(running.url, running.account(0), timeout_seconds=20) as sender:
                terms = {"n": 256, "configuration_digest": b"\x01" * 32, "policy_delay": 10, "notice_seconds": 60}
                return (await Registry.deploy(sender, **terms)).address  # type: ignore[arg-type]  # mixed values

        running.registry = asyncio.run(deploy())  # type: ignore[attr-defined]  # kept with its chain
        running.rpc("evm_setAutomine", False)
        yield running


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
async def poster(chain: Devnet) -> AsyncIterator[Poster]:
    with chain.snapshot():
        async with PostingEndpoint(chain.url) as one:
            yield Poster(chain, one, chain.registry, development_account(1))  # type: ignore[attr-defined]
        chain.rpc("anvil_dropAllTransactions")
