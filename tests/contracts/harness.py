"""Fast, synchronous access to contracts on a development chain: every sender impersonated, every time set."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from marginproof.chains.evm.contracts.artifact import SOURCES, Artifact
from marginproof.chains.evm.contracts.build import compile_contract
from marginproof.chains.evm.contracts.codec import (
    checksum_address,
    decode_event,
    decode_result,
    encode_call,
    encode_deployment,
    revert_reason,
)
from marginproof.chains.evm.devnet import Devnet

ZERO = "0x" + "00" * 20
GAS = hex(4_000_000)


@cache
def compiled(name: str) -> Artifact:
    """A contract, ours or one that only tests use, compiled from its source once per session.

    The committed artifacts are not used here: another test shows that they are what this gives.
    """
    own = SOURCES / f"{name}.vy"
    return compile_contract(own if own.is_file() else Path(__file__).parent / "sources" / f"{name}.vy", SOURCES)


def address_of(name: str) -> str:
    """An address that nobody holds the key of."""
    return checksum_address(keccak(text=name)[:20])


@dataclass(frozen=True)
class Outcome:
    """What became of one transaction: the reason is None if it went through."""

    time: int
    gas_used: int
    reason: str | None
    logs: tuple[dict[str, Any], ...] = field(repr=False)


class Chain:
    """A development chain whose senders are impersonated and whose clock is set by the caller."""

    def __init__(self, devnet: Devnet) -> None:
        self.devnet = devnet
        devnet.rpc("anvil_autoImpersonateAccount", True)

    def now(self) -> int:
        return self.devnet.now()

    def rich(self, name: str) -> str:
        address = address_of(name)
        self.devnet.fund(address, 10**30)
        return address

    def balance(self, address: str) -> int:
        return int(self.devnet.rpc("eth_getBalance", address, "latest"), 16)

    def slot(self, address: str, slot: bytes) -> int:
        return int(self.devnet.rpc("eth_getStorageAt", address, "0x" + slot.hex(), "latest"), 16)

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, at: int | None = None
    ) -> tuple[Outcome, str]:
        if at is not None:
            self.devnet.rpc("evm_setNextBlockTimestamp", hex(at))
        request = {"from": sender, "data": "0x" + data.hex(), "value": hex(value), "gas": GAS, "gasPrice": "0x0"}
        if to is not None:
            request["to"] = to
        digest = self.devnet.rpc("eth_sendTransaction", request)
        receipt = self.receipt(digest)
        reason = None
        if int(receipt["status"], 16) == 0:
            error = self.devnet.rpc("ots_getTransactionError", digest)
            reason = revert_reason(bytes.fromhex(error.removeprefix("0x")))
        outcome = Outcome(
            time=self.now(),
            gas_used=int(receipt["gasUsed"], 16),
            reason=reason,
            logs=tuple(receipt["logs"]),
        )
        return outcome, receipt.get("contractAddress") or ""

    def receipt(self, digest: str) -> dict[str, Any]:
        """A transaction's receipt, as soon as there is one."""
        # The hash may be answered just before the block is mined.
        for _ in range(1_000):
            receipt: dict[str, Any] | None = self.devnet.rpc("eth_getTransactionReceipt", digest)
            if receipt is not None:
                return receipt
        raise AssertionError("the development chain mined no block")

    def deploy(self, artifact: Artifact, *arguments: Any, sender: str) -> "Contract":
        outcome, address = self.send(sender, None, encode_deployment(artifact, *arguments))
        assert outcome.reason is None, f"{artifact.name} refused its deployment: {outcome.reason!r}"
        return Contract(self, artifact, checksum_address(address))

    def deploy_refused(self, artifact: Artifact, *arguments: Any, sender: str) -> str | None:
        outcome, _ = self.send(sender, None, encode_deployment(artifact, *arguments))
        return outcome.reason


@dataclass(frozen=True)
class Contract:
    """One deployed contract."""

    chain: Chain
    artifact: Artifact
    address: str

    def data(self, function: str, *arguments: Any) -> bytes:
        return encode_call(self.artifact, function, *arguments)

    def attempt(self, sender: str, function: str, *arguments: Any, value: int = 0, at: int | None = None) -> Outcome:
        """Sends a transaction that may revert."""
        return self.chain.send(sender, self.address, self.data(function, *arguments), value, at)[0]

    def act(self, sender: str, function: str, *arguments: Any, value: int = 0, at: int | None = None) -> Outcome:
        """Sends a transaction that must go through."""
        outcome = self.attempt(sender, function, *arguments, value=value, at=at)
        assert outcome.reason is None, f"{function} was refused: {outcome.reason!r}"
        return outcome

    def refused(self, sender: str, function: str, *arguments: Any, value: int = 0, at: int | None = None) -> str:
        """Sends a transaction that must revert; returns the reason."""
        outcome = self.attempt(sender, function, *arguments, value=value, at=at)
        assert outcome.reason is not None, f"{function} went through"
        return outcome.reason

    def call(self, function: str, *arguments: Any) -> Any:
        """A view's only result, or all of them as a tuple."""
        request = {"to": self.address, "data": "0x" + self.data(function, *arguments).hex()}
        reply = self.chain.devnet.rpc("eth_call", request, "latest")
        result = decode_result(self.artifact, function, bytes.fromhex(reply[2:]))
        return result[0] if len(result) == 1 else result

    def events(self, outcome: Outcome, event: str) -> list[dict[str, Any]]:
        """The events of that name that this contract logged."""
        found = []
        for log in outcome.logs:
            topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
            arguments = decode_event(self.artifact, event, topics, bytes.fromhex(log["data"][2:]))
            if arguments is not None and checksum_address(log["address"]) == self.address:
                found.append(arguments)
        return found
