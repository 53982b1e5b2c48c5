"""Files that are either the old ones or the new ones, whole, and that only their owner may read."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.reasons import ReasonCode

FILE_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700
_LOCK_NAME: Final = "in-use"


def read_limited(path: Path, limit: int, what: str) -> bytes:
    """The bytes of a file that may have at most ``limit`` of them.

    Raises:
        ConfigurationError: FILE_UNREADABLE or TOO_LARGE.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {what} {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="check the path and its owner"
        ) from error
    if len(data) > limit:
        raise ConfigurationError(f"{what} {path.name!r} is larger than {limit} bytes", code=ReasonCode.TOO_LARGE)
    return data


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces a file: whoever reads it, whatever crashes, sees the old bytes or the new ones.

    Raises:
        ConfigurationError: FILE_UNREADABLE; the old file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_flushed(temporary, data)
        temporary.replace(path)
        _flush_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise _unwritable(path) from error


def create_directory_atomic(directory: Path, files: Mapping[str, bytes]) -> None:
    """Makes a directory with these files, all of them or nothing.

    Raises:
        RefusedError: CONFLICT: something is there already; it is left alone.
        ConfigurationError: FILE_UNREADABLE.
    """
    if directory.exists():
        raise _taken(directory)
    temporary = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir(mode=DIRECTORY_MODE)
        for name, data in files.items():
            _write_flushed(temporary / name, data)
        _flush_directory(temporary)
        temporary.rename(directory)
        _flush_directory(directory.parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if directory.exists():
            raise _taken(directory) from error
        raise _unwritable(directory) from error


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Holds a directory for this process alone; ends with the process, however it ends.

    Raises:
        RefusedError: STORE_LOCKED: another process uses it now.
        ConfigurationError: FILE_UNREADABLE: there is no such directory.
    """
    try:
        descriptor = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT, FILE_MODE)
    except OSError as error:
        raise ConfigurationError(
            f"there is no account directory {directory.name!r}",
            code=ReasonCode.FILE_UNREADABLE,
            fix="name it with --account or MARGINPROOF_ACCOUNT, or make one with: marginproof account new",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise RefusedError(
            ReasonCode.STORE_LOCKED,
            "another process uses this account now",
            fix="wait until it has ended; an agent (`marginproof account watch`) goes on until it gets SIGTERM",
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _write_flushed(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _taken(directory: Path) -> RefusedError:
    return RefusedError(ReasonCode.CONFLICT, f"{directory.name!r} exists already", fix="choose another path")


def _unwritable(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"cannot write {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="check the folder, its owner and the disk"
    )
