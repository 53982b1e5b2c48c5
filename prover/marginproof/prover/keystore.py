"""The account's keystore file: an Ethereum keystore, version 3, around the master secret."""

import json
from typing import Any, Final

from marginproof.model.errors import ConfigurationError
from marginproof.model.json_text import parse_json
from marginproof.model.reasons import ReasonCode

MAX_KEYSTORE_BYTES: Final = 1 << 16
_FAST_ROUNDS: Final = 1024
_MAX_SCRYPT_MEMORY: Final = 1 << 30
_MAX_PBKDF2_ROUNDS: Final = 10_000_000


def encrypt_secret(secret: bytes, password: str, *, insecure_fast: bool = False) -> bytes:
    """The keystore's JSON.

    Args:
        secret: 32 bytes, a number in [1, order of secp256k1).
        password: Not empty.
        insecure_fast: A key derivation that can be guessed quickly; for tests and development networks only.

    Raises:
        ConfigurationError: KEYSTORE_PASSWORD: the password is empty.
    """
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415 - takes long to import; not every use needs it

    if not password:
        raise ConfigurationError(
            "an empty password protects nothing",
            code=ReasonCode.KEYSTORE_PASSWORD,
            fix="set one with --password-file or MARGINPROOF_PASSWORD",
        )
    if insecure_fast:
        document = create_keyfile_json(secret, password.encode(), kdf="pbkdf2", iterations=_FAST_ROUNDS)
    else:
        document = create_keyfile_json(secret, password.encode(), kdf="scrypt")
    # The format's optional address would be that of the master secret: no key of the account, and a trap.
    del document["address"]
    return json.dumps(document, indent=1).encode() + b"\n"


def decrypt_secret(data: bytes, password: str) -> bytes:
    """The 32 bytes inside a keystore; total, and bounded in time and memory.

    Raises:
        ConfigurationError: KEYSTORE_PASSWORD for a wrong password, STORE_CORRUPT for anything else.
    """
    from eth_keyfile.exceptions import EthKeyfileValueError  # noqa: PLC0415 - as above
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415 - as above

    try:
        document = parse_json(data)
        _check_work(document)
        secret: bytes = decode_keyfile_json(document, password.encode())
    except EthKeyfileValueError:
        raise ConfigurationError(
            "the password does not open this keystore",
            code=ReasonCode.KEYSTORE_PASSWORD,
            fix="check --password-file or MARGINPROOF_PASSWORD",
        ) from None
    except Exception as error:
        # The library fails in many ways on a document that is none; its texts may quote the document.
        raise _corrupt() from error
    if len(secret) != 32:
        raise _corrupt()
    return secret


def _check_work(document: Any) -> None:
    """Refuses parameters that would take more memory or time than any honest keystore."""
    crypto = document["crypto"]
    parameters = crypto["kdfparams"]
    if document["version"] != 3 or parameters["dklen"] != 32:
        raise ValueError
    if crypto["kdf"] == "scrypt":
        memory = 128 * parameters["n"] * parameters["r"] * parameters["p"]
        fits = 0 < memory <= _MAX_SCRYPT_MEMORY
    else:
        fits = crypto["kdf"] == "pbkdf2" and 0 < parameters["c"] <= _MAX_PBKDF2_ROUNDS
    if not fits:
        raise ValueError


def _corrupt() -> ConfigurationError:
    return ConfigurationError(
        "the account's keystore file is damaged or is none",
        code=ReasonCode.STORE_CORRUPT,
        fix="restore the account directory from a backup",
    )
