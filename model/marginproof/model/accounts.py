"""Accounts, registrations, payees and bindings: which locks form an account, and who may ever be paid."""

import dataclasses
import hashlib
import itertools
from typing import Annotated, Final

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import (
    Bytes20,
    Bytes32,
    Bytes65,
    Many,
    SszContainer,
    Text64,
    Uint64,
    branch_holds,
    list_root,
    merkle_branch,
)

MAX_PAYEES: Final = 16
MAX_LOCKS: Final = 256
_BINDING_DOMAIN: Final = b"marginproof/binding/v1"


@dataclasses.dataclass(frozen=True, slots=True)
class AccountIdentity(SszContainer):
    """What an account id is the root of; one owner may have many accounts by ``index``."""

    home_chain: Text64
    registry: Bytes20
    owner: Bytes20
    index: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class Payee(SszContainer):
    """A venue that may be paid from the account's locks; salted so that the root hides the venues."""

    venue: Bytes20
    salt: Bytes32


@dataclasses.dataclass(frozen=True, slots=True)
class LockReference(SszContainer):
    """One lock and the salt that opens its binding."""

    chain: Text64
    vault: Bytes20
    lock_id: Uint64
    salt: Bytes32

    def __repr__(self) -> str:
        return f"LockReference(chain={self.chain!r}, lock_id=<hidden>)"


@dataclasses.dataclass(frozen=True, slots=True)
class Registration(SszContainer):
    """Which locks form the account from ``first_epoch`` on; the highest number valid for an epoch counts.

    ``blinding_seed`` is secret: with it commitments can be opened. ``locks`` rise strictly by (chain, vault, lock id).
    """

    network: Bytes32
    identity: AccountIdentity
    number: Uint64
    first_epoch: Uint64
    payees_root: Bytes32
    blinding_seed: Bytes32
    locks: Annotated[tuple[LockReference, ...], Many(MAX_LOCKS)]

    @property
    def account(self) -> bytes:
        """The account id, 32 bytes."""
        return self.identity.root()

    def __repr__(self) -> str:
        return f"Registration(account={self.account.hex()}, number={self.number}, first_epoch={self.first_epoch})"


@dataclasses.dataclass(frozen=True, slots=True)
class SignedRegistration(SszContainer):
    """A registration with its owner's EIP-712 signature."""

    registration: Registration
    signature: Bytes65

    def __repr__(self) -> str:
        return f"SignedRegistration({self.registration!r})"


def check_lock_order(registration: Registration) -> None:
    """Refuses locks that do not rise strictly by (chain, vault, lock id).

    Raises:
        MalformedError: REGISTRATION_LOCKS.
    """
    keys = [(lock.chain, lock.vault, lock.lock_id) for lock in registration.locks]
    if any(first >= second for first, second in itertools.pairwise(keys)):
        raise MalformedError(
            "the locks of a registration must rise strictly by chain, vault and lock id",
            code=ReasonCode.REGISTRATION_LOCKS,
        )


def lock_binding(account: bytes, payees_root: bytes, salt: bytes) -> bytes:
    """The 32 bytes a lock stores: SHA-256("marginproof/binding/v1" ‖ account id ‖ payees root ‖ salt)."""
    for name, value in (("account", account), ("payees_root", payees_root), ("salt", salt)):
        if len(value) != 32:
            raise MalformedError(f"{name} must have 32 bytes", code=ReasonCode.INPUT_LENGTH)
    return hashlib.sha256(_BINDING_DOMAIN + account + payees_root + salt).digest()


def payees_root(payees: tuple[Payee, ...]) -> bytes:
    """Root of the salted list of payees."""
    return list_root(payees, Payee, MAX_PAYEES)


def payee_branch(payees: tuple[Payee, ...], index: int) -> tuple[bytes, ...]:
    """The five hashes that show one payee under :func:`payees_root`."""
    return merkle_branch(payees, index, MAX_PAYEES)


def payee_holds(payee: Payee, index: int, branch: tuple[bytes, ...], root: bytes) -> bool:
    """Whether the branch shows the payee under the root."""
    return branch_holds(payee.root(), index, branch, root, MAX_PAYEES)
