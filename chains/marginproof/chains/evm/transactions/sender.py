"""Signing, sending and waiting for transactions of one key on one chain.

What an endpoint answers here is taken as it comes: whoever relies on state reads it proof-first.
"""

import asyncio
import time
from types import TracebackType
from typing import Any, Self, cast

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound
from web3.types import Nonce, TxParams, Wei

from marginproof.chains.evm.contracts.artifact import Artifact
from marginproof.chains.evm.contracts.codec import (
    decode_result,
    encode_call,
    encode_deployment,
)
from marginproof.chains.evm.transactions.connection import Connection, checksum
from marginproof.chains.evm.transactions.receipts import Receipt, TransactionReverted, read_receipt
from marginproof.model.errors import UnavailableError
from marginproof.model.reasons import ReasonCode

_POLL_SECONDS = 0.1
_GAS_MARGIN_PERCENT = 25  # a block later, storage may be colder than when the gas was estimated


class Sender:
    """One key on one chain. Its calls run one after another; two senders must not share a key at one time.

    Args:
        url: JSON-RPC address; never shown, for it may hold an access key.
        account: The key.
        timeout_seconds: How long to wait for an answer, and for a transaction to be mined.
    """

    def __init__(self, url: str, account: LocalAccount, *, timeout_seconds: float = 60.0) -> None:
        self._account = account
        self._timeout = timeout_seconds
        self._turn = asyncio.Lock()
        self._connection = Connection(url, timeout_seconds)
        self._eth = self._connection.eth

    def __repr__(self) -> str:
        return f"Sender({self.address})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._connection.aclose()

    @property
    def address(self) -> str:
        """The key's address."""
        return str(self._account.address)

    async def chain_id(self) -> int:
        """The EIP-155 chain id that the endpoint names."""
        return await self._connection.chain_id()

    async def balance(self, address: str) -> int:
        """An address's native balance in base units."""
        account = checksum(address)
        return await self._connection.number("eth_getBalance", self._eth.get_balance(account))

    async def deploy(self, artifact: Artifact, *arguments: Any) -> str:
        """Deploys a contract and returns its address.

        Raises:
            TransactionReverted: Its constructor refused the arguments.
            UnavailableError: As for :meth:`transact`.
        """
        data = encode_deployment(artifact, *arguments)
        receipt = await self._send(f"deploy {artifact.name}", None, data, 0)
        return receipt.contract

    async def transact(
        self, artifact: Artifact, address: str, function: str, *arguments: Any, value: int = 0
    ) -> Receipt:
        """Calls a contract's function in a transaction and waits until a block contains it.

        Args:
            artifact: The contract.
            address: Where it lies.
            function: Which function.
            arguments: Its arguments.
            value: Native coins to send along, in base units.

        Raises:
            MalformedError: The arguments do not fit the function.
            TransactionReverted: The contract refused.
            UnavailableError: TRANSACTION_TIMEOUT if no block took it in time (it may still be mined),
                UNAVAILABLE if the endpoint failed or refused it.
        """
        data = encode_call(artifact, function, *arguments)
        return await self._send(f"{artifact.name}.{function}", checksum(address), data, value)

    async def transfer(self, to: str, amount: int) -> Receipt:
        """Sends native coins, in base units, and waits until a block contains the transaction.

        Raises:
            UnavailableError: As for :meth:`transact`.
        """
        return await self._send("a transfer", checksum(to), b"", amount)

    async def next_nonce(self) -> int:
        """The number that the key's next transaction will have, counting those that no block contains yet."""
        pending = self._eth.get_transaction_count(self._account.address, "pending")
        return await self._connection.number("eth_getTransactionCount", pending)

    async def pending_count(self) -> int:
        """How many of the key's transactions the endpoint has taken but no block contains yet."""
        counts = [
            await self._connection.number(
                "eth_getTransactionCount", self._eth.get_transaction_count(self._account.address, tag)
            )
            for tag in ("latest", "pending")
        ]
        return max(counts[1] - counts[0], 0)

    async def call(self, artifact: Artifact, address: str, function: str, *arguments: Any) -> tuple[Any, ...]:
        """Asks one endpoint for a view's result at its latest block; not a verified fact.

        Raises:
            MalformedError: The arguments, or the answer, do not fit the function.
            TransactionReverted: The contract refused.
            UnavailableError: The endpoint failed.
        """
        what = f"{artifact.name}.{function}"
        request: TxParams = {
            "to": checksum(address),
            "from": self._account.address,
            "data": HexBytes(encode_call(artifact, function, *arguments)),
        }
        answer = await self._connection.ask(what, self._eth.call(request))
        return decode_result(artifact, function, answer if isinstance(answer, bytes) else b"")

    async def _send(self, what: str, to: ChecksumAddress | None, data: bytes, value: int) -> Receipt:
        async with self._turn:
            request: TxParams = {
                "from": self._account.address,
                "data": HexBytes(data),
                "value": Wei(value),
                "chainId": await self.chain_id(),
            }
            if to is not None:
                request["to"] = to
            # The estimate runs the call: a refusal is known, with its reason, before anything is paid.
            gas = await self._connection.number(what, self._eth.estimate_gas(request))
            request["gas"] = gas + gas * _GAS_MARGIN_PERCENT // 100
            most, tip = await self._connection.fees()
            request["maxFeePerGas"], request["maxPriorityFeePerGas"] = Wei(most), Wei(tip)
            request["nonce"] = Nonce(await self.next_nonce())
            signed = self._account.sign_transaction(cast("dict[str, Any]", request))
            digest = await self._connection.ask(what, self._eth.send_raw_transaction(signed.raw_transaction))
            return await self._wait(what, digest, request)

    async def _wait(self, what: str, digest: HexBytes, request: TxParams) -> Receipt:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                raw = await self._connection.ask(what, self._eth.get_transaction_receipt(digest))
                break
            except TransactionNotFound:
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"{what} was not mined within {self._timeout:.0f} s",
                        code=ReasonCode.TRANSACTION_TIMEOUT,
                        fix="it may still be mined: look it up before sending it again",
                        fields={"transaction": digest.to_0x_hex()},
                    ) from None
                await asyncio.sleep(_POLL_SECONDS)
        receipt = read_receipt(what, raw)
        if not receipt.succeeded:
            raise TransactionReverted(await self._reason(what, request, receipt.block_number), what)
        return receipt

    async def _reason(self, what: str, request: TxParams, block_number: int) -> str:
        """Why a mined transaction reverted, found by calling it again on the state after its block."""
        again: TxParams = {"from": request["from"], "data": request["data"], "value": request["value"]}
        if "to" in request:
            again["to"] = request["to"]
        try:
            await self._connection.ask(what, self._eth.call(again, block_number))
        except TransactionReverted as refusal:
            return refusal.reason
        except UnavailableError:
            return ""
        return ""
