"""The node's BLS key: EIP-2335 keystores, and what is derived from the key for secrets at rest."""

import json
import os
from pathlib import Path
from typing import Any, Final
from unicodedata import category, normalize

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from marginproof import core
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.json_text import parse_json
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import derive_key

PASSWORD_VARIABLE: Final = "MARGINPROOF_PASSWORD"  # noqa: S105 - the name of a variable
_ITERATIONS: Final = 1 << 18
_FAST_ITERATIONS: Final = 2
_MAX_PBKDF2_ITERATIONS: Final = 1 << 24
_MAX_SCRYPT_BYTES: Final = 1 << 30
_MAX_KEYSTORE_BYTES: Final = 64 * 1024
_STORE_KEY_INFO: Final = b"marginproof/relayer/store/v1"


def create_keystore(path: Path, key: core.SigningKey, password: str, *, insecure_fast: bool = False) -> None:
    """Writes the key as an EIP-2335 keystore that only its owner may read; never overwrites a file.

    Args:
        path: Where to.
        key: The key.
        password: At least one character.
        insecure_fast: Next to no work for who guesses passwords: for tests and the demo.

    Raises:
        ConfigurationError: KEYSTORE_PASSWORD (empty), FILE_UNREADABLE (exists or cannot be written).
    """
    document = create_keyfile_json(
        key.expose_secret(),
        _password_bytes(password),
        version=4,
        kdf="pbkdf2",
        iterations=_FAST_ITERATIONS if insecure_fast else _ITERATIONS,
        description="marginproof relayer",
    )
    document["pubkey"] = key.public_key.hex()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the keystore {path.name!r}",
            code=ReasonCode.FILE_UNREADABLE,
            fix="name a file that does not exist yet, in a folder that you may write to",
        ) from error


def load_keystore(path: Path, password: str) -> core.SigningKey:
    """Opens an EIP-2335 keystore and checks that the key in it has the public key that the file states.

    Raises:
        ConfigurationError: FILE_UNREADABLE, CONFIG_INVALID (no keystore of this form), KEYSTORE_PASSWORD,
            KEY_INVALID (the stated public key is another one).
    """
    document = _read_document(path)
    try:
        _check_work(document)
        secret = decode_keyfile_json(document, _password_bytes(password))
    except ConfigurationError:
        raise
    except ValueError:
        raise ConfigurationError(
            f"the password does not open the keystore {path.name!r}",
            code=ReasonCode.KEYSTORE_PASSWORD,
            fix=f"set {PASSWORD_VARIABLE} or password_file",
        ) from None
    except Exception:  # the library fails in many ways on documents of another form; its texts may quote the key
        raise _no_keystore(path) from None
    try:
        key = core.SigningKey.from_bytes(secret)
    except core.CoreError:
        raise _no_keystore(path) from None
    if str(document.get("pubkey", "")).lower().removeprefix("0x") != key.public_key.hex():
        raise ConfigurationError(
            f"the keystore {path.name!r} states a public key that is not its key's",
            code=ReasonCode.KEY_INVALID,
            fix="restore the keystore from a backup",
        )
    return key


def read_password(password_file: Path | None, environment: dict[str, str] | os._Environ[str]) -> str:
    """The keystore's password: from the file if one is named, else from the environment.

    Raises:
        ConfigurationError: FILE_UNREADABLE, KEYSTORE_PASSWORD (there is none).
    """
    if password_file is not None:
        try:
            return password_file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"cannot read the password file {password_file.name!r}", code=ReasonCode.FILE_UNREADABLE
            ) from None
    password = environment.get(PASSWORD_VARIABLE, "")
    if not password:
        raise ConfigurationError(
            "there is no password for the keystore",
            code=ReasonCode.KEYSTORE_PASSWORD,
            fix=f"set {PASSWORD_VARIABLE} or password_file",
        )
    return password


def store_key(key: core.SigningKey, network_id: bytes) -> bytes:
    """The AES-256 key for secrets at rest; another one for every relayer and network. Secret."""
    return derive_key(key.expose_secret(), _STORE_KEY_INFO + network_id)


def _read_document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_KEYSTORE_BYTES:
            raise _no_keystore(path)
        document = parse_json(path.read_bytes())
    except OSError:
        raise ConfigurationError(
            f"cannot read the keystore {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="check its path and owner"
        ) from None
    except MalformedError:
        raise _no_keystore(path) from None
    if not isinstance(document, dict):
        raise _no_keystore(path)
    return document


def _check_work(document: dict[str, Any]) -> None:
    """Refuses a keystore whose key derivation would take hours or all memory."""
    derivation = document["crypto"]["kdf"]
    parameters = derivation["params"]
    if derivation["function"] == "pbkdf2":
        excessive = not 0 < int(parameters["c"]) <= _MAX_PBKDF2_ITERATIONS
    else:
        memory = 128 * int(parameters["n"]) * int(parameters["r"]) * int(parameters["p"])
        excessive = not 0 < memory <= _MAX_SCRYPT_BYTES
    if excessive:
        raise ConfigurationError("the keystore asks for more work than is reasonable", fix="make it again")


def _password_bytes(password: str) -> bytes:
    """EIP-2335: NFKD, control characters left out."""
    cleaned = "".join(char for char in normalize("NFKD", password) if category(char) != "Cc").encode()
    if not cleaned:
        raise ConfigurationError("the password is empty", code=ReasonCode.KEYSTORE_PASSWORD)
    return cleaned


def _no_keystore(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path.name!r} is no EIP-2335 keystore", fix="make one with: marginproof relayer keys new"
    )
