"""Encryption of secrets at rest: AES-256-GCM, bound to the place where the row lies."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

_NONCE_BYTES: Final = 12


def derive_key(secret: bytes, label: bytes) -> bytes:
    """A 32-byte key for one purpose by HKDF-SHA256; what has it cannot find the secret. Secret.

    Args:
        secret: The node's private key.
        label: What the key is for, versioned; different labels give unrelated keys.
    """
    return HKDF(SHA256(), 32, salt=None, info=label).derive(secret)


class Sealer:
    """Seals and opens rows with one key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, place: bytes) -> bytes:
        """Encrypts a value for one place (table and row); moved elsewhere it does not open."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypts a value.

        Raises:
            ConfigurationError: STORE_CORRUPT; changed, moved, or sealed with another key.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "a row of the database does not open with this node's key",
                code=ReasonCode.STORE_CORRUPT,
                fix="restore database and keystore from one backup; never mix those of two nodes",
            ) from error
