"""Where passwords and keys come from: files, the environment or a prompt, never an argument."""

import os
import sys
from pathlib import Path
from typing import Final

import typer

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

PASSWORD_VARIABLE: Final = "MARGINPROOF_PASSWORD"  # noqa: S105 - the name of a variable, no password
_MAX_BYTES: Final = 4096


def read_password(path: Path | None, *, confirm: bool = False) -> str:
    """The keystore's password: first line of the file, else MARGINPROOF_PASSWORD, else asked for on a terminal.

    Args:
        path: The file, if one was named.
        confirm: Ask twice, for a new keystore.

    Raises:
        ConfigurationError: KEYSTORE_PASSWORD or FILE_UNREADABLE.
    """
    if path is not None:
        password = read_secret_text(path, "the password file").split("\n", 1)[0].rstrip("\r")
    elif PASSWORD_VARIABLE in os.environ:
        password = os.environ[PASSWORD_VARIABLE]
    elif sys.stdin.isatty():
        password = typer.prompt("Keystore password", hide_input=True, confirmation_prompt=confirm, err=True)
    else:
        password = ""
    if not password:
        raise ConfigurationError(
            "there is no keystore password",
            code=ReasonCode.KEYSTORE_PASSWORD,
            fix=f"name a file with --password-file, or set {PASSWORD_VARIABLE}",
        )
    return password


def read_secret_text(path: Path, what: str, max_bytes: int = _MAX_BYTES) -> str:
    """The text of a small file that holds a secret; errors never quote it.

    Raises:
        ConfigurationError: FILE_UNREADABLE.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise ValueError
        return data.decode()
    except (OSError, ValueError):
        raise ConfigurationError(
            f"cannot read {what} {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="check its path, owner and size"
        ) from None
