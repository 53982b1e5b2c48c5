"""The venue's key and the endpoints that take its transactions: several asked at once, none of them trusted.

How far the chain is and which nonces it has used comes from the pool, by proof. Fees, mempools, estimates and receipts
come from endpoints as they say it: what they get wrong delays a transaction or costs gas, and never opens a line.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.transactions.posting import (
    BroadcastOutcome,
    Call,
    CountAt,
    Fees,
    PostingEndpoint,
    PreparedTransaction,
    prepare,
)
from marginproof.chains.evm.transactions.receipts import TransactionReverted
from marginproof.chains.evm.transactions.registry import release_call, swap_call
from marginproof.chains.evm.verify.headers import BlockHeader
from marginproof.model.chains import evm_chain_number
from marginproof.model.errors import UnavailableError
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.swap_plan import Head
from marginproof.verifier.swaps import SwapKind, SwapOrder

GAS_MARGIN_PERCENT: Final = 25
"""A block later, storage may be colder than when the gas was estimated."""
_THERE: Final = frozenset({BroadcastOutcome.TAKEN, BroadcastOutcome.ALREADY_KNOWN, BroadcastOutcome.NONCE_TOO_LOW})
T = TypeVar("T")


class SwapSending:
    """One venue's transactions to the registry.

    Args:
        pool: The home chain, for what is proven.
        setting: The venue and its key.
        endpoints: Who takes transactions; at least one. They stay the caller's to close.
    """

    def __init__(self, pool: EndpointPool, setting: VenueSetting, endpoints: Sequence[PostingEndpoint]) -> None:
        self._pool = pool
        self._key = setting.key
        self._venue = setting.venue
        self._registry = setting.file.network.registry
        self._chain_id = evm_chain_number(setting.file.network.home_chain)
        self._endpoints = tuple(endpoints)

    async def head(self, final: BlockHeader) -> Head:
        """The newest block, the key's nonces, and what gas costs.

        Args:
            final: The finalized block; a newest block below it is none.

        Raises:
            MarginproofError: Endpoints are silent or contradict one another on the newest block.
        """
        header = await self._pool.latest_header()
        if header.number < final.number:
            header = final
        account, _ = await self._pool.read_account(header, self._venue)
        quotes = await self._answers(lambda endpoint: endpoint.fee_quote())
        pending = await self._answers(lambda endpoint: endpoint.transaction_count(self._key.address, CountAt.PENDING))
        # The middle of what they say: one of three can neither starve a transaction nor make it dear.
        tip = statistics.median_low(quote.tip for quote in quotes)
        base = statistics.median_low((quote.most - quote.tip) // 2 for quote in quotes)
        return Head(header.number, account.nonce, min(pending), base, Fees(2 * base + tip, tip))

    def call_of(self, order: SwapOrder) -> Call:
        """What an order calls on the registry.

        Raises:
            MalformedError: A field does not fit.
        """
        if order.kind is SwapKind.RELEASE:
            return release_call(self._registry, order.account)
        return swap_call(
            self._registry,
            order.owner,
            order.index,
            order.digest,
            order.commitment,
            order.universe_version,
            order.signature,
        )

    def no_op(self) -> Call:
        """What uses a nonce up and does nothing: a transfer of nothing to the key's own address."""
        return Call(self._key.address, b"")

    async def estimate(self, call: Call) -> int:
        """The gas limit for a call at the newest block.

        Raises:
            TransactionReverted: The contract refuses it, as far as any endpoint can tell.
            UnavailableError: No endpoint answers.
        """
        refusal: TransactionReverted | None = None
        failure: UnavailableError | None = None
        for endpoint in self._endpoints:
            try:
                gas = await endpoint.estimate_gas(self._key.address, call)
            except TransactionReverted as error:
                refusal = error  # another endpoint may be further on
            except UnavailableError as error:
                failure = error
            else:
                return gas + gas * GAS_MARGIN_PERCENT // 100
        raise refusal or failure or _silent()

    def sign(self, call: Call, nonce: int, fees: Fees, gas: int) -> PreparedTransaction:
        """The transaction that makes a call: the same bytes for the same arguments."""
        return prepare(self._key, call, chain_id=self._chain_id, nonce=nonce, gas_limit=gas, fees=fees)

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        """Hands a transaction to every endpoint; gives the best that any made of it.

        Raises:
            UnavailableError: No endpoint answers: whether one has it is not known.
        """
        outcomes = await self._answers(lambda endpoint: endpoint.broadcast(raw))
        # A single endpoint that always wants more must not drive the fee up to the cap.
        return next((outcome for outcome in outcomes if outcome in _THERE), outcomes[0])

    async def none_mined(self, hashes: Sequence[bytes]) -> bool:
        """Whether endpoints answer, and none of them has a receipt for any of these transactions.

        Raises:
            UnavailableError: No endpoint answers.
        """

        async def found(endpoint: PostingEndpoint) -> bool:
            for transaction in hashes:
                if await endpoint.receipt(transaction) is not None:
                    return True
            return False

        return not any(await self._answers(found))

    async def _answers(self, ask: Callable[[PostingEndpoint], Awaitable[T]]) -> list[T]:
        async def one(endpoint: PostingEndpoint) -> T | None:
            try:
                return await ask(endpoint)
            except UnavailableError:
                return None

        given = await asyncio.gather(*(one(endpoint) for endpoint in self._endpoints))
        answers = [answer for answer in given if answer is not None]
        if not answers:
            raise _silent()
        return answers


def _silent() -> UnavailableError:
    return UnavailableError(
        "no endpoint of the home chain takes transactions", fix="check home_endpoints; nothing is lost meanwhile"
    )
