"""Everything secret of an account is derived from one 32-byte master secret, by HKDF-SHA256 with one label each."""

import secrets
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eth_account import Account as EthereumAccount
from eth_account.signers.local import LocalAccount

from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.reasons import ReasonCode

_PREFIX: Final = b"marginproof/account/v1/"
_CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_WIDE_BYTES: Final = 48  # 128 bits more than the order: the bias of the reduction is below 2^-128

Entropy = Callable[[int], bytes]
"""Gives so many random bytes; the operating system's source unless a test fixes it."""


class MasterSecret:
    """The root of all of an account's secrets on one network. Its representation shows nothing.

    Args:
        secret: 32 bytes, as a number in [1, order of secp256k1): what an Ethereum keystore can hold.
        network_id: Two networks never share a derived key, salt or seed.
    """

    __slots__ = ("_network_id", "_secret")

    def __init__(self, secret: bytes, network_id: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _CURVE_ORDER or len(network_id) != 32:
            raise MalformedError("an account's secret or network id has the wrong form", code=ReasonCode.INPUT_LENGTH)
        self._secret = secret
        self._network_id = network_id

    def __repr__(self) -> str:
        return "MasterSecret(<hidden>)"

    def owner_key(self, index: int, rotation: int = 0) -> LocalAccount:
        """The key that speaks for the account with this index after so many rotations; the first one names its id."""
        return self._signing_key(b"owner-key", _u64(index) + (_u64(rotation) if rotation else b""))

    def lock_key(self, index: int) -> LocalAccount:
        """The key that owns one lock and nothing else."""
        return self._signing_key(b"lock-key", _u64(index))

    def lock_salt(self, index: int) -> bytes:
        """The salt in the binding of the lock with this key, 32 bytes."""
        return self._derive(b"lock-salt", _u64(index), 32)

    def payee_salt(self, position: int, venue: bytes) -> bytes:
        """The salt of one payee, 32 bytes."""
        return self._derive(b"payee-salt", _u64(position) + venue, 32)

    def blinding_seed(self, registration_number: int) -> bytes:
        """The seed of all blindings under one registration, 32 bytes."""
        return self._derive(b"blinding-seed", _u64(registration_number), 32)

    def state_key(self) -> bytes:
        """The AES-256 key of the state file."""
        return self._derive(b"state-key", b"", 32)

    def _signing_key(self, label: bytes, context: bytes) -> LocalAccount:
        wide = int.from_bytes(self._derive(label, context, _WIDE_BYTES), "big")
        scalar = wide % (_CURVE_ORDER - 1) + 1
        key: LocalAccount = EthereumAccount.from_key(scalar.to_bytes(32, "big"))
        return key

    def _derive(self, label: bytes, context: bytes, length: int) -> bytes:
        info = _PREFIX + label + b"\0" + self._network_id + context
        return HKDF(SHA256(), length, salt=None, info=info).derive(self._secret)


def new_master_secret(entropy: Entropy = secrets.token_bytes) -> bytes:
    """A fresh 32-byte master secret."""
    while True:
        secret = entropy(32)
        if 0 < int.from_bytes(secret, "big") < _CURVE_ORDER:
            return secret


def parse_private_key(text: str) -> LocalAccount:
    """The key written as 64 hexadecimal digits, with or without 0x.

    Raises:
        MalformedError: KEY_INVALID; the text itself is never shown.
    """
    digits = text.strip().removeprefix("0x")
    try:
        if len(digits) != 64 or not 0 < int(digits, 16) < _CURVE_ORDER:
            raise ValueError
        key: LocalAccount = EthereumAccount.from_key(bytes.fromhex(digits))
    except ValueError:
        raise MalformedError(
            "this is no private key", code=ReasonCode.KEY_INVALID, fix="write 64 hexadecimal digits into the file"
        ) from None
    return key


def check_lock_key(lock_owner: str, account_keys: frozenset[str], other_lock_owners: frozenset[str]) -> None:
    """Refuses a lock owner that would tie the lock to the account or to another lock, for everybody to see.

    Args:
        lock_owner: The address that is to own the lock, pay for it or receive from it.
        account_keys: Every address that speaks, or once spoke, for the account, in the same spelling.
        other_lock_owners: Addresses of the account's other locks, in the same spelling.

    Raises:
        RefusedError: LOCK_OWNER_REUSED.
    """
    if lock_owner in account_keys or lock_owner in other_lock_owners:
        raise RefusedError(
            ReasonCode.LOCK_OWNER_REUSED,
            "this key already stands for the account or for another lock; using it again would link them publicly",
            fix="let each lock use its own derived key, and fund it from a key that is neither of these",
        )


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")
