"""The collateral vault, read by proof: locks, totals, and what must hold between them.

Layout (pinned by a test against the contract's own): ``locks`` at slot 0, three words each; ``total_locked`` at
slot 1. See docs/contracts.md.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from marginproof.chains.evm.verify.accounts import AccountFacts, SlotFact, check_code
from marginproof.chains.evm.verify.headers import BlockHeader
from marginproof.chains.evm.verify.layout import address_word, map_slot, next_slot, word
from marginproof.chains.evm.verify.proofs import AccountProof, verify_proof
from marginproof.model.chains import NATIVE_ASSET
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode

LOCKS_SLOT: Final = word(0)
TOTAL_LOCKED_SLOT: Final = word(1)
_ADDRESS_BITS: Final = 160
_TIME_BITS: Final = 48
_ADDRESS_MASK: Final = (1 << _ADDRESS_BITS) - 1
_TIME_MASK: Final = (1 << _TIME_BITS) - 1


@dataclasses.dataclass(frozen=True, slots=True)
class LockFacts:
    """One lock at a block. Representations show neither whose it is nor what lies in it.

    Args:
        exists: False where the vault has no such lock; everything else is then zero.
        owner: Address, 20 bytes.
        asset: Address, 20 bytes; zeros for the native coin.
        amount: Base units.
        notice_at: UTC seconds at which notice started, 0 while none runs.
        frozen_at: UTC seconds at which the lock was frozen, 0 while it is not.
        binding: Commitment to the account, 32 bytes.
    """

    exists: bool
    owner: bytes = dataclasses.field(repr=False)
    asset: bytes = dataclasses.field(repr=False)
    amount: int = dataclasses.field(repr=False)
    notice_at: int
    frozen_at: int
    binding: bytes = dataclasses.field(repr=False)

    @property
    def counts(self) -> bool:
        """Whether the lock may count as collateral: it exists, no notice runs, it is not frozen."""
        return self.exists and not self.notice_at and not self.frozen_at


@dataclasses.dataclass(frozen=True, slots=True)
class VaultFacts:
    """What one vault holds at one block.

    Args:
        header: The block under whose state root everything was proven.
        address: The vault, 20 bytes.
        locks: By lock id, each one that was asked for.
        total_locked: By asset (20 bytes), base units; always has the native coin.
    """

    header: BlockHeader
    address: bytes
    locks: Mapping[int, LockFacts] = dataclasses.field(repr=False)
    total_locked: Mapping[bytes, int] = dataclasses.field(repr=False)


def lock_slots(lock_id: int) -> tuple[bytes, bytes, bytes]:
    """The three storage slots of a lock.

    Args:
        lock_id: 0 ≤ id < 2^256.
    """
    first = map_slot(LOCKS_SLOT, word(lock_id))
    return first, next_slot(first, 1), next_slot(first, 2)


def total_locked_slot(asset: bytes) -> bytes:
    """The storage slot of an asset's total.

    Args:
        asset: Address, 20 bytes; zeros for the native coin.
    """
    return map_slot(TOTAL_LOCKED_SLOT, address_word(asset))


def vault_slots(lock_ids: Iterable[int], assets: Iterable[bytes]) -> list[bytes]:
    """Every slot that :func:`vault_facts` needs for these locks and assets, without repetition."""
    slots = [slot for lock_id in lock_ids for slot in lock_slots(lock_id)]
    slots += [total_locked_slot(asset) for asset in (NATIVE_ASSET, *assets)]
    return list(dict.fromkeys(slots))


def decode_lock(words: tuple[int, int, int]) -> LockFacts:
    """Reads a lock from its three words, each 0 ≤ word < 2^256.

    Raises:
        MarginproofError: VAULT_INVARIANT, words that the vault's code never writes.
    """
    holder, holding, binding = words
    owner = holder & _ADDRESS_MASK
    lock = LockFacts(
        exists=owner != 0,
        owner=owner.to_bytes(20, "big"),
        asset=(holding & _ADDRESS_MASK).to_bytes(20, "big"),
        amount=holding >> _ADDRESS_BITS,
        notice_at=holder >> _ADDRESS_BITS & _TIME_MASK,
        frozen_at=holder >> (_ADDRESS_BITS + _TIME_BITS),
        binding=word(binding),
    )
    if not lock.exists and any(words):
        raise _broken("a lock without owner has contents")
    if lock.exists and not (lock.amount and binding):
        raise _broken("a lock has an owner but no amount or no binding")
    return lock


def vault_facts(
    header: BlockHeader,
    *,
    address: bytes,
    code_hash: bytes,
    account: AccountFacts,
    values: Mapping[bytes, SlotFact],
    lock_ids: Sequence[int],
    assets: Sequence[bytes],
) -> VaultFacts:
    """Turns proven words into facts and checks what the vault's code keeps true.

    Args:
        header: The block.
        address: The vault, 20 bytes.
        code_hash: The code that the network's configuration pins, 32 bytes.
        account: The vault's account, proven.
        values: Its slots, proven; at least :func:`vault_slots`.
        lock_ids: Locks to read.
        assets: Assets whose totals to read; the native coin's is always read.

    Raises:
        MarginproofError: ACCOUNT_ABSENT, CODE_HASH_MISMATCH, VAULT_INVARIANT.
    """
    check_code(account, code_hash)
    locks = {lock_id: decode_lock(_words(values, lock_slots(lock_id))) for lock_id in lock_ids}
    totals = {asset: values[total_locked_slot(asset)].value for asset in (NATIVE_ASSET, *assets)}
    if totals[NATIVE_ASSET] > account.balance:
        raise _broken("the vault holds less of the native coin than its locks say")
    _check_locks(locks.values(), totals, header.timestamp)
    return VaultFacts(header, address, locks, totals)


def verify_vault(
    header: BlockHeader,
    *,
    address: bytes,
    code_hash: bytes,
    proof: AccountProof,
    lock_ids: Sequence[int],
    assets: Sequence[bytes],
) -> VaultFacts:
    """Reads locks and totals of a vault by proof: header, account, slots, facts.

    Args:
        header: A header that is trusted.
        address: The vault, 20 bytes.
        code_hash: The code that the network's configuration pins, 32 bytes.
        proof: Nodes for the vault's account and at least :func:`vault_slots`.
        lock_ids: Locks to read.
        assets: Assets whose totals to read besides the native coin's.

    Raises:
        MalformedError: The proof does not hold, or is of another address or of other slots.
        MarginproofError: See :func:`vault_facts`.
    """
    wanted = vault_slots(lock_ids, assets)
    own = AccountProof(address, proof.account_nodes, {slot: proof.slot_nodes.get(slot, ()) for slot in wanted})
    account, values = verify_proof(header.state_root, own)
    return vault_facts(
        header,
        address=address,
        code_hash=code_hash,
        account=account,
        values=values,
        lock_ids=lock_ids,
        assets=assets,
    )


def _words(values: Mapping[bytes, SlotFact], slots: tuple[bytes, bytes, bytes]) -> tuple[int, int, int]:
    first, second, third = (values[slot].value for slot in slots)
    return first, second, third


def _check_locks(locks: Iterable[LockFacts], totals: Mapping[bytes, int], timestamp: int) -> None:
    left = dict(totals)
    for lock in locks:
        if max(lock.notice_at, lock.frozen_at) > timestamp:
            raise _broken("a lock's notice or freeze lies in the future")
        if lock.asset in left:  # a lock that does not exist has no amount
            left[lock.asset] -= lock.amount
    if any(amount < 0 for amount in left.values()):
        raise _broken("the locks hold more than the vault's total for their asset")


def _broken(message: str) -> MarginproofError:
    return MarginproofError(
        ReasonCode.VAULT_INVARIANT,
        message,
        fix="do not count this vault's collateral; report it, because proven state contradicts the vault's code",
    )
