"""Accounts and storage slots under a trusted root."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak

from marginproof.chains.evm.verify.canonical_rlp import RlpError, RlpList, decode, fixed, unsigned
from marginproof.chains.evm.verify.trie_proof import EMPTY_TRIE_ROOT, proven_value
from marginproof.model.errors import MalformedError, MarginproofError
from marginproof.model.reasons import ReasonCode

EMPTY_CODE_HASH: Final = keccak(b"")


@dataclasses.dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the state says of an address.

    An absent account differs from an empty one, and both from one that has code: ``exists`` is False only where
    the proof shows that the address has no entry at all.

    Args:
        exists: Whether the state has an entry.
        nonce: Transactions sent.
        balance: Native base units.
        storage_root: Root of its storage, 32 bytes.
        code_hash: Hash of its code, 32 bytes.
    """

    exists: bool
    nonce: int
    balance: int = dataclasses.field(repr=False)
    storage_root: bytes
    code_hash: bytes

    @property
    def has_code(self) -> bool:
        """Whether it is a contract."""
        return self.code_hash != EMPTY_CODE_HASH


@dataclasses.dataclass(frozen=True, slots=True)
class SlotFact:
    """A storage word; ``present`` is False where the trie has no entry, which reads as zero."""

    value: int = dataclasses.field(repr=False)
    present: bool


ABSENT_ACCOUNT: Final = AccountFacts(
    exists=False, nonce=0, balance=0, storage_root=EMPTY_TRIE_ROOT, code_hash=EMPTY_CODE_HASH
)
_ABSENT_SLOT: Final = SlotFact(value=0, present=False)


def verify_account(state_root: bytes, address: bytes, nodes: Sequence[bytes]) -> AccountFacts:
    """Reads an account by proof.

    Args:
        state_root: From a header that is trusted, 32 bytes.
        address: 20 bytes, from the caller's own request.
        nodes: The account proof, from the root downwards.

    Raises:
        MalformedError: See :func:`proven_value`; TRIE_PROOF_INVALID also for an entry that is no account.
    """
    if len(address) != 20:
        raise _invalid("an address has 20 bytes")
    value = proven_value(state_root, keccak(address), nodes)
    if value is None:
        return ABSENT_ACCOUNT
    try:
        entry = decode(value, max_depth=1)
        if not isinstance(entry, RlpList) or len(entry.items) != 4:
            raise RlpError("an account has four fields")
        nonce, balance, storage_root, code_hash = entry.items
        return AccountFacts(
            True, unsigned(nonce, 8), unsigned(balance, 32), fixed(storage_root, 32), fixed(code_hash, 32)
        )
    except RlpError as error:
        raise _invalid(f"the state's entry is no account: {error}") from error


def verify_slot(storage_root: bytes, slot: bytes, nodes: Sequence[bytes]) -> SlotFact:
    """Reads a storage slot by proof.

    Args:
        storage_root: From an account that was itself proven, 32 bytes.
        slot: 32 bytes, from the caller's own request.
        nodes: The storage proof, from the root downwards.

    Raises:
        MalformedError: See :func:`proven_value`; TRIE_PROOF_INVALID also for an entry that is no storage word.
    """
    if len(slot) != 32:
        raise _invalid("a storage slot has 32 bytes")
    value = proven_value(storage_root, keccak(slot), nodes)
    if value is None:
        return _ABSENT_SLOT
    try:
        word = unsigned(decode(value, max_depth=0), 32)
    except RlpError as error:
        raise _invalid(f"the storage's entry is no word: {error}") from error
    if word == 0:  # chains have no entry for zero; anvil keeps one where a transaction read the slot: it means the same
        return _ABSENT_SLOT
    return SlotFact(word, present=True)


def check_code(account: AccountFacts, code_hash: bytes) -> None:
    """Refuses an address that is not the contract it should be.

    Args:
        account: Proven.
        code_hash: Of the contract's code with its immutable values, 32 bytes.

    Raises:
        MarginproofError: ACCOUNT_ABSENT, CODE_HASH_MISMATCH.
    """
    if not account.exists:
        raise MarginproofError(
            ReasonCode.ACCOUNT_ABSENT,
            "the chain has no account at the contract's address",
            fix="check the contract's address and chain in the network configuration",
        )
    if account.code_hash != code_hash:
        raise MarginproofError(
            ReasonCode.CODE_HASH_MISMATCH,
            "the contract's code is not the code that the network pins",
            fix="check the contract's address in the network configuration; do not rely on this contract",
        )


def _invalid(message: str) -> MalformedError:
    return MalformedError(message, code=ReasonCode.TRIE_PROOF_INVALID, fix="ask another endpoint for the proof")
