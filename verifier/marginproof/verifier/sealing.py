"""What is secret on disk is sealed: AES-256-GCM under a key derived from the venue's own."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

_KEY_LABEL: Final = b"marginproof/venue/store/v1"
_NONCE_BYTES: Final = 12


class Sealer:
    """Seals and opens values; each is tied to the place it is stored at.

    Args:
        secret: The venue's private key, 32 bytes; only a key derived from it is kept.
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=_KEY_LABEL).derive(secret))

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Nonce and ciphertext of ``plain``; opens only with the same ``place``."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed for this place.

        Raises:
            ConfigurationError: STORE_CORRUPT: changed, moved, or sealed under another key.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "a sealed value in the database cannot be opened",
                code=ReasonCode.STORE_CORRUPT,
                fix="start with the keystore this database was made with, or restore a backup",
            ) from error
