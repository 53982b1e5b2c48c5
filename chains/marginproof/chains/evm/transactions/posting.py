"""Transactions in pieces, for whoever must get one through whatever happens to it.

Nothing here waits or tries again. A caller writes a :class:`PreparedTransaction` down before it broadcasts it, and can
then send the same bytes again, replace them by dearer ones of the same nonce, or find, after a loss, which nonce is
free: a nonce is used once, so at most one of all transactions with it is ever mined.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound, Web3RPCError
from web3.types import TxParams, Wei

from marginproof.chains.evm.contracts.codec import checksum_address
from marginproof.chains.evm.transactions.connection import Connection, checksum
from marginproof.chains.evm.transactions.receipts import Receipt, read_receipt
from marginproof.model.errors import UnavailableError

BUMP_PERCENT: Final = 25
"""By how much both fees rise in a replacement; nodes ask for 10 to 12.5."""


class Call(NamedTuple):
    """Where a transaction goes and what it carries."""

    to: str
    data: bytes


class CountAt(StrEnum):
    """Up to where an address's transactions are counted."""

    LATEST = "latest"
    PENDING = "pending"


class BroadcastOutcome(StrEnum):
    """What an endpoint made of a signed transaction.

    Only the receipt says what became of it: an endpoint may take a transaction and lose it.
    """

    TAKEN = "TAKEN"
    ALREADY_KNOWN = "ALREADY_KNOWN"
    """It lies in the endpoint's pool, or was mined."""
    NONCE_TOO_LOW = "NONCE_TOO_LOW"
    """A transaction with this nonce, this one or another, was mined."""
    UNDERPRICED = "UNDERPRICED"
    """The pool holds another one with this nonce and wants more for a replacement, or wants more from anybody."""
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    """The key cannot pay for gas and value."""
    REFUSED = "REFUSED"
    """For any other reason."""


_SPELLINGS: Final = (
    (BroadcastOutcome.ALREADY_KNOWN, ("already known", "alreadyknown", "already imported", "known transaction")),
    (BroadcastOutcome.NONCE_TOO_LOW, ("nonce too low", "oldnonce", "nonce is too low")),
    (
        BroadcastOutcome.UNDERPRICED,
        (
            "underpriced",
            "replacementnotallowed",
            "feetoolow",
            "fee too low",
            "gas price too low",
            "less than block base",
        ),
    ),
    (BroadcastOutcome.INSUFFICIENT_FUNDS, ("insufficient funds", "insufficientfunds", "upfront cost exceeds")),
)
"""How geth, anvil, reth, Nethermind, Erigon and Besu say it, in lower case; there is no standard."""


@dataclass(frozen=True)
class Fees:
    """What one unit of gas may cost, in base units of the native coin.

    Attributes:
        most: At most, base fee and tip together.
        tip: Of that, at most to the block's proposer.
    """

    most: int
    tip: int

    def bumped(self, percent: int = BUMP_PERCENT) -> "Fees":
        """Both raised by so many percent, rounded up, by one unit at least: what a replacement must offer."""
        return Fees(_raised(self.most, percent), _raised(self.tip, percent))

    def at_least(self, other: "Fees") -> "Fees":
        """The higher of both, each for itself."""
        return Fees(max(self.most, other.most), max(self.tip, other.tip))


@dataclass(frozen=True)
class PreparedTransaction:
    """A signed transaction that nobody may have seen yet.

    Attributes:
        nonce: Its place among the key's transactions.
        fees: What it offers.
        gas_limit: How much gas it may use.
        raw: The bytes to broadcast.
        hash: 32 bytes, under which its receipt will be found.
    """

    nonce: int
    fees: Fees
    gas_limit: int
    raw: bytes = field(repr=False)
    hash: bytes


def prepare(
    account: LocalAccount,
    call: Call,
    *,
    chain_id: int,
    nonce: int,
    gas_limit: int,
    fees: Fees,
    value: int = 0,
) -> PreparedTransaction:
    """Signs a call. Deterministic: the same arguments give the same bytes, so a restart cannot make a second one.

    Args:
        account: The key.
        call: Where to and what.
        chain_id: EIP-155 number of the chain.
        nonce: The key's transactions before this one.
        gas_limit: Gas that it may use.
        fees: What a unit of it may cost.
        value: Native coins to send along, in base units.
    """
    fields: dict[str, Any] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "to": checksum_address(call.to),
        "data": call.data,
        "value": value,
        "gas": gas_limit,
        "maxFeePerGas": fees.most,
        "maxPriorityFeePerGas": fees.tip,
    }
    signed = account.sign_transaction(fields)
    return PreparedTransaction(nonce, fees, gas_limit, bytes(signed.raw_transaction), bytes(signed.hash))


class PostingEndpoint:
    """What a poster asks one endpoint, each call for itself. Keyless: the caller signs.

    Args:
        url: JSON-RPC address; never shown, for it may hold an access key.
        timeout_seconds: How long to wait for an answer.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 20.0) -> None:
        self._connection = Connection(url, timeout_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._connection.aclose()

    async def chain_id(self) -> int:
        """The EIP-155 chain id that the endpoint names.

        Raises:
            UnavailableError: The endpoint failed.
        """
        return await self._connection.chain_id()

    async def fee_quote(self) -> Fees:
        """Fees that last for six full blocks: twice the base fee, and the tip that the endpoint suggests.

        Raises:
            UnavailableError: The endpoint failed.
        """
        return Fees(*await self._connection.fees())

    async def estimate_gas(self, sender: str, call: Call, value: int = 0) -> int:
        """Gas that a call needs at the latest block. A refusal is known, with its reason, before anything is paid.

        Raises:
            TransactionReverted: The contract refuses it.
            UnavailableError: The endpoint failed.
        """
        request: TxParams = {
            "from": checksum(sender),
            "to": checksum(call.to),
            "data": HexBytes(call.data),
            "value": Wei(value),
        }
        return await self._connection.number("eth_estimateGas", self._connection.eth.estimate_gas(request))

    async def transaction_count(self, address: str, at: CountAt) -> int:
        """How many transactions of an address are mined (LATEST), or mined or in the endpoint's pool (PENDING).

        The first nonce that no block has used is the count at LATEST.

        Raises:
            UnavailableError: The endpoint failed.
        """
        answer = self._connection.eth.get_transaction_count(checksum(address), at.value)
        return await self._connection.number("eth_getTransactionCount", answer)

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        """Hands a signed transaction to the endpoint.

        Raises:
            UnavailableError: The endpoint failed: whether it has the transaction is not known.
        """
        try:
            await self._connection.ask("eth_sendRawTransaction", self._send(raw))
        except _RefusedBroadcast as refusal:
            return refusal.outcome
        return BroadcastOutcome.TAKEN

    async def receipt(self, transaction: bytes) -> Receipt | None:
        """What became of a transaction; None while, or since, no block of the endpoint's chain contains it.

        Args:
            transaction: Its hash, 32 bytes.

        Raises:
            UnavailableError: The endpoint failed, or answered with another transaction's receipt.
        """
        what = "eth_getTransactionReceipt"
        try:
            raw = await self._connection.ask(what, self._connection.eth.get_transaction_receipt(HexBytes(transaction)))
        except TransactionNotFound:
            return None
        receipt = read_receipt(what, raw)
        if receipt.transaction != transaction:
            raise UnavailableError("the endpoint answered with another receipt", fix="try another endpoint")
        return receipt

    async def _send(self, raw: bytes) -> None:
        try:
            await self._connection.eth.send_raw_transaction(raw)
        except Web3RPCError as error:
            raise _RefusedBroadcast(read_refusal(error.rpc_response)) from None


class _RefusedBroadcast(Exception):  # noqa: N818 - carries an answer, is no failure
    def __init__(self, outcome: BroadcastOutcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def read_refusal(response: Any) -> BroadcastOutcome:
    """What an endpoint's error reply to a broadcast means. Total: any value gives an outcome."""
    error = response.get("error") if isinstance(response, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    text = message.lower() if isinstance(message, str) else ""
    for outcome, spellings in _SPELLINGS:
        if any(spelling in text for spelling in spellings):
            return outcome
    return BroadcastOutcome.REFUSED


def _raised(fee: int, percent: int) -> int:
    return fee + max(-(-fee * percent // 100), 1)
