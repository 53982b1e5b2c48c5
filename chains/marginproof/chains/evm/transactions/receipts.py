"""What became of a transaction, and why a contract refused one."""

from dataclasses import dataclass, field
from typing import Any

from web3.exceptions import ContractLogicError
from web3.types import TxReceipt

from marginproof.chains.evm.contracts.artifact import Artifact
from marginproof.chains.evm.contracts.codec import decode_event, revert_reason
from marginproof.model.errors import RefusedError, UnavailableError
from marginproof.model.reasons import ReasonCode


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
    """A transaction that a block contains.

    Attributes:
        transaction: Its hash, 32 bytes.
        block_number: The block's height.
        block_hash: The block's hash, 32 bytes.
        gas_used: Gas paid for.
        contract: The address that it created, empty if none.
        logs: What it logged; nothing if it reverted.
        succeeded: Whether it went through; False if it reverted, or its receipt says neither.
    """

    transaction: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    contract: str
    logs: tuple[LogEntry, ...]
    succeeded: bool

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


def read_receipt(what: str, raw: TxReceipt) -> Receipt:
    """A receipt as an endpoint gives it.

    Raises:
        UnavailableError: It is malformed.
    """
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
            succeeded=raw.get("status") == 1,
        )
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(f"the receipt of {what} is malformed", fix="try another endpoint") from None


def reason_of(error: ContractLogicError) -> str:
    """The contract's own reason in an endpoint's error; empty if there is none."""
    if not isinstance(error.data, str):
        return ""
    try:
        return revert_reason(bytes.fromhex(error.data.removeprefix("0x")))
    except ValueError:
        return ""
