"""Signing, sending and waiting for transactions of one key on one chain.

What an endpoint answers here is taken as it comes: whoever relies on state reads it proof-first.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import aiohttp
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception
from web3.types import Nonce, TxParams, TxReceipt, Wei

from marginproof.chains.evm.contracts.artifact import Artifact
from marginproof.chains.evm.contracts.codec import (
    checksum_address,
    decode_event,
    decode_result,
    encode_call,
    encode_deployment,
    revert_reason,
)
from marginproof.model.errors import RefusedError, UnavailableError
from marginproof.model.reasons import ReasonCode

_T = TypeVar("_T")

_POLL_SECONDS = 0.1
_GAS_MARGIN_PERCENT = 25  # a block later, storage may be colder than when the gas was estimated


class TransactionReverted(RefusedError):  # noqa: N818 - named after what the chain calls it
    """The contract refused.

    Attributes:
        reason: The contract's own reason, UPPER_SNAKE for ours; empty if it gave none.
    """

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(
            ReasonCode.TRANSACTION_REVERTED,
            f"{what} was refused by the contract: {reason or 'no reason given'}",
            fix="docs/contracts.md explains every reason",
            fields={"reason": reason, "call": what},
        )
        self.reason = reason


@dataclass(frozen=True)
class LogEntry:
    """One log entry of a receipt."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes = field(repr=False)  # holds amounts


@dataclass(frozen=True)
class Receipt:
    """A transaction that a block contains and that did not revert.

    Attributes:
        transaction: Its hash, 32 bytes.
        block_number: The block's height.
        block_hash: The block's hash, 32 bytes.
        gas_used: Gas paid for.
        contract: The address that it created, empty if none.
        logs: What it logged.
    """

    transaction: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    contract: str
    logs: tuple[LogEntry, ...]

    def event(self, artifact: Artifact, event: str, address: str) -> dict[str, Any]:
        """The arguments of the first such event that ``address`` logged.

        Raises:
            UnavailableError: There is none: the endpoint's receipt is not of this transaction.
        """
        for entry in self.logs:
            if entry.address == address:
                arguments = decode_event(artifact, event, entry.topics, entry.data)
                if arguments is not None:
                    return arguments
        raise UnavailableError(f"the receipt lacks the event {event}", fix="try another endpoint")


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
        self._chain_id: int | None = None
        provider = AsyncHTTPProvider(
            url,
            request_kwargs={"timeout": aiohttp.ClientTimeout(total=timeout_seconds)},
            # A transaction must never be sent twice behind our back.
            exception_retry_configuration=None,
        )
        self._provider = provider
        self._web3 = AsyncWeb3(provider)

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
        await self._provider.disconnect()

    @property
    def address(self) -> str:
        """The key's address."""
        return str(self._account.address)

    async def chain_id(self) -> int:
        """The EIP-155 chain id that the endpoint names."""
        if self._chain_id is None:
            self._chain_id = await self._number("eth_chainId", self._web3.eth.chain_id)
        return self._chain_id

    async def balance(self, address: str) -> int:
        """An address's native balance in base units."""
        account = _checksum(address)
        return await self._number("eth_getBalance", self._web3.eth.get_balance(account))

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
        return await self._send(f"{artifact.name}.{function}", _checksum(address), data, value)

    async def transfer(self, to: str, amount: int) -> Receipt:
        """Sends native coins, in base units, and waits until a block contains the transaction.

        Raises:
            UnavailableError: As for :meth:`transact`.
        """
        return await self._send("a transfer", _checksum(to), b"", amount)

    async def next_nonce(self) -> int:
        """The number that the key's next transaction will have, counting those that no block contains yet."""
        pending = self._web3.eth.get_transaction_count(self._account.address, "pending")
        return await self._number("eth_getTransactionCount", pending)

    async def pending_count(self) -> int:
        """How many of the key's transactions the endpoint has taken but no block contains yet."""
        counts = [
            await self._number(
                "eth_getTransactionCount", self._web3.eth.get_transaction_count(self._account.address, tag)
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
            "to": _checksum(address),
            "from": self._account.address,
            "data": HexBytes(encode_call(artifact, function, *arguments)),
        }
        answer = await self._ask(what, self._web3.eth.call(request))
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
            gas = await self._number(what, self._web3.eth.estimate_gas(request))
            request["gas"] = gas + gas * _GAS_MARGIN_PERCENT // 100
            await self._add_fees(request)
            request["nonce"] = Nonce(await self.next_nonce())
            signed = self._account.sign_transaction(cast("dict[str, Any]", request))
            digest = await self._ask(what, self._web3.eth.send_raw_transaction(signed.raw_transaction))
            return await self._wait(what, digest, request)

    async def _add_fees(self, request: TxParams) -> None:
        block = await self._ask("eth_getBlockByNumber", self._web3.eth.get_block("latest"))
        tip = await self._number("eth_maxPriorityFeePerGas", self._web3.eth.max_priority_fee)
        request["maxPriorityFeePerGas"] = Wei(tip)
        base = block.get("baseFeePerGas") if isinstance(block, Mapping) else None
        if not isinstance(base, int):
            raise UnavailableError("the endpoint's blocks have no base fee", fix="try another endpoint")
        # Twice the base fee covers six full blocks in a row.
        request["maxFeePerGas"] = Wei(2 * base + tip)

    async def _wait(self, what: str, digest: HexBytes, request: TxParams) -> Receipt:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                raw = await self._ask(what, self._web3.eth.get_transaction_receipt(digest))
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
        receipt = _receipt(what, raw)
        if raw.get("status") != 1:
            raise TransactionReverted(await self._reason(what, request, receipt.block_number), what)
        return receipt

    async def _reason(self, what: str, request: TxParams, block_number: int) -> str:
        """Why a mined transaction reverted, found by calling it again on the state after its block."""
        again: TxParams = {"from": request["from"], "data": request["data"], "value": request["value"]}
        if "to" in request:
            again["to"] = request["to"]
        try:
            await self._ask(what, self._web3.eth.call(again, block_number))
        except TransactionReverted as refusal:
            return refusal.reason
        except UnavailableError:
            return ""
        return ""

    async def _number(self, what: str, answer: Awaitable[int]) -> int:
        number = await self._ask(what, answer)
        if not isinstance(number, int):
            raise UnavailableError(f"the answer to {what} is no number", fix="try another endpoint")
        return int(number)

    async def _ask(self, what: str, answer: Awaitable[_T]) -> _T:
        """Awaits an endpoint's answer and gives its failures our types, without its address."""
        try:
            return await answer
        except TransactionNotFound:
            raise
        except ContractLogicError as error:
            raise TransactionReverted(_reason_of(error), what) from None
        except TimeoutError:
            raise UnavailableError(f"no answer to {what} in time", code=ReasonCode.DEADLINE) from None
        except (aiohttp.ClientError, Web3Exception, OSError, ValueError) as error:
            # The chained message could name the endpoint and its access key.
            raise UnavailableError(
                f"the endpoint failed on {what} ({type(error).__name__})", fix="try another endpoint"
            ) from None


def _receipt(what: str, raw: TxReceipt) -> Receipt:
    try:
        return Receipt(
            transaction=bytes(raw["transactionHash"]),
            block_number=int(raw["blockNumber"]),
            block_hash=bytes(raw["blockHash"]),
            gas_used=int(raw["gasUsed"]),
            contract=str(raw.get("contractAddress") or ""),
            logs=tuple(
                LogEntry(str(log["address"]), tuple(bytes(t) for t in log["topics"]), bytes(log["data"]))
                for log in raw["logs"]
            ),
        )
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(f"the receipt of {what} is malformed", fix="try another endpoint") from None


def _reason_of(error: ContractLogicError) -> str:
    if not isinstance(error.data, str):
        return ""
    try:
        return revert_reason(bytes.fromhex(error.data.removeprefix("0x")))
    except ValueError:
        return ""


def _checksum(address: str) -> ChecksumAddress:
    return ChecksumAddress(checksum_address(address))  # type: ignore[arg-type]  # a NewType over a NewType
