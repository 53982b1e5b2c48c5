"""The venue's key: an Ethereum keystore file (version 3) and its password."""

import json
import os
from pathlib import Path
from typing import Final, Literal

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from marginproof.model.errors import ConfigurationError
from marginproof.model.json_text import parse_json
from marginproof.model.reasons import ReasonCode

PASSWORD_VARIABLE: Final = "MARGINPROOF_PASSWORD"  # noqa: S105 - the name of a variable, no password
_MAX_KEYSTORE_BYTES: Final = 1 << 16
_INSECURE_ITERATIONS: Final = 2


def create_keystore(path: Path, password: str, *, insecure_fast: bool = False) -> bytes:
    """Makes a new key and its keystore file, readable by its owner only.

    Args:
        path: Must not exist yet.
        password: Not empty.
        insecure_fast: A key derivation that anybody can search through: for tests and the demo only.

    Returns:
        The venue's address, 20 bytes.

    Raises:
        ConfigurationError: FILE_UNREADABLE, KEYSTORE_PASSWORD.
    """
    if not password:
        raise _wrong_password("the password is empty")
    account = Account.create()
    rounds = _INSECURE_ITERATIONS if insecure_fast else None
    kdf: Literal["pbkdf2", "scrypt"] = "pbkdf2" if insecure_fast else "scrypt"
    document = create_keyfile_json(bytes(account.key), password.encode(), version=3, kdf=kdf, iterations=rounds)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unreadable(path, "write", "choose a path that does not exist yet") from error
    return bytes.fromhex(account.address[2:])


def load_keystore(path: Path, password: str) -> LocalAccount:
    """Reads the venue's key.

    Raises:
        ConfigurationError: FILE_UNREADABLE, CONFIG_INVALID (no keystore), KEYSTORE_PASSWORD.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, "read", "make one with: marginproof venue keys new") from error
    try:
        document = parse_json(data) if len(data) <= _MAX_KEYSTORE_BYTES else None
        if not isinstance(document, dict):
            raise TypeError
        key = decode_keyfile_json(document, password.encode())
        account: LocalAccount = Account.from_key(key)
    except Exception as error:  # the library raises its own and bare errors; none may show the file's contents
        if "MAC" in str(error):
            raise _wrong_password("the password does not open the keystore") from None
        raise ConfigurationError(f"{path.name!r} is no Ethereum keystore") from None
    return account


def read_password(path: Path | None, environment: dict[str, str] | None = None) -> str:
    """The password from a file's first line, or else from MARGINPROOF_PASSWORD.

    Raises:
        ConfigurationError: FILE_UNREADABLE, KEYSTORE_PASSWORD (there is none).
    """
    if path is None:
        password = (os.environ if environment is None else environment).get(PASSWORD_VARIABLE, "")
    else:
        try:
            password = path.read_text().split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path, "read", "correct password_file") from error
    if not password:
        raise _wrong_password("there is no keystore password")
    return password


def _wrong_password(message: str) -> ConfigurationError:
    return ConfigurationError(
        message,
        code=ReasonCode.KEYSTORE_PASSWORD,
        fix=f"name a file with password_file, or set {PASSWORD_VARIABLE}",
    )


def _unreadable(path: Path, verb: str, fix: str) -> ConfigurationError:
    return ConfigurationError(f"cannot {verb} {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix=fix)
