"""The collateral vault as its owner uses it."""

from dataclasses import dataclass, field
from typing import Self

from marginproof.chains.evm.contracts.artifact import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.contracts.codec import checksum_address
from marginproof.chains.evm.transactions.receipts import Receipt
from marginproof.chains.evm.transactions.sender import Sender

NATIVE = "0x0000000000000000000000000000000000000000"
"""The asset address that stands for the chain's own coin, and the arbiter that stands for none."""


@dataclass(frozen=True)
class NewLock:
    """A lock that was just made.

    Attributes:
        lock_id: Its id in the vault.
        amount: What the vault received, in base units: less than was sent if the token charges a fee.
        block_number: The block that holds it.
        transaction: The transaction's hash, 32 bytes.
    """

    lock_id: int
    amount: int = field(repr=False)
    block_number: int
    transaction: bytes


@dataclass(frozen=True)
class LockState:
    """A lock as one endpoint describes it; times in seconds, zero = not under notice, not frozen."""

    owner: str
    asset: str
    amount: int = field(repr=False)
    notice_at: int
    frozen_at: int
    binding: bytes


class Vault:
    """A deployed vault, used with one key."""

    def __init__(self, sender: Sender, address: str) -> None:
        self._sender = sender
        self._artifact = load_artifact(COLLATERAL_VAULT)
        self.address = checksum_address(address)

    @classmethod
    async def deploy(cls, sender: Sender, notice_seconds: int, payout_seconds: int, arbiter: str = NATIVE) -> Self:
        """Deploys a vault; the zero address as arbiter means that nobody can ever freeze a lock."""
        artifact = load_artifact(COLLATERAL_VAULT)
        return cls(sender, await sender.deploy(artifact, notice_seconds, arbiter, payout_seconds))

    async def lock_native(self, amount: int, binding: bytes) -> NewLock:
        """Locks native coins, in base units."""
        return self._new_lock(await self._transact("lock_native", binding, value=amount))

    async def lock_token(self, asset: str, amount: int, binding: bytes) -> NewLock:
        """Locks tokens that the vault was approved for."""
        return self._new_lock(await self._transact("lock_token", asset, amount, binding))

    async def add_native(self, lock_id: int, amount: int) -> Receipt:
        """Adds native coins to a lock that is neither frozen nor under notice."""
        return await self._transact("add_native", lock_id, value=amount)

    async def add_token(self, lock_id: int, amount: int) -> Receipt:
        """Adds approved tokens to a lock that is neither frozen nor under notice."""
        return await self._transact("add_token", lock_id, amount)

    async def start_notice(self, lock_id: int) -> Receipt:
        """Starts the notice: from this block on the lock counts nowhere."""
        return await self._transact("start_notice", lock_id)

    async def cancel_notice(self, lock_id: int) -> Receipt:
        """Lets the lock count again; the next notice runs in full."""
        return await self._transact("cancel_notice", lock_id)

    async def withdraw(self, lock_id: int, to: str) -> Receipt:
        """Takes everything out, once the notice is over."""
        return await self._transact("withdraw", lock_id, to)

    async def read_lock(self, lock_id: int) -> LockState:
        """A lock, as the endpoint says."""
        (view,) = await self._sender.call(self._artifact, self.address, "read_lock", lock_id)
        owner, asset, amount, notice_at, frozen_at, binding = view
        return LockState(checksum_address(owner), checksum_address(asset), amount, notice_at, frozen_at, bytes(binding))

    async def lock_count(self) -> int:
        """How many locks were ever made; ids run from 1 to this, as the endpoint says."""
        (count,) = await self._sender.call(self._artifact, self.address, "lock_count")
        return int(count)

    async def total_locked(self, asset: str) -> int:
        """What all locks of an asset hold together, in base units, as the endpoint says."""
        (total,) = await self._sender.call(self._artifact, self.address, "total_locked", asset)
        return int(total)

    async def notice_seconds(self) -> int:
        """How long a notice runs, as the endpoint says."""
        (seconds,) = await self._sender.call(self._artifact, self.address, "notice_seconds")
        return int(seconds)

    async def _transact(self, function: str, *arguments: object, value: int = 0) -> Receipt:
        return await self._sender.transact(self._artifact, self.address, function, *arguments, value=value)

    def _new_lock(self, receipt: Receipt) -> NewLock:
        event = receipt.event(self._artifact, "Locked", self.address)
        return NewLock(event["lock_id"], event["amount"], receipt.block_number, receipt.transaction)
