"""The venue's SQLite file: opened by one process, flushed before anything is answered, every change one transaction."""

import collections
import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer
from marginproof.verifier import tables
from marginproof.verifier.swap_store import create_tables


class VenueDatabase:
    """One open database: write-ahead log, full synchronisation.

    Args:
        path: The SQLite file; made, readable by its owner only, when absent.
        sealer: Seals what is secret.
        identity: What the database belongs to (network id ‖ venue); another one's is refused.

    Raises:
        ConfigurationError: STORE_LOCKED, STORE_CORRUPT, FILE_UNREADABLE, CONFIG_INVALID (another venue's).
    """

    def __init__(self, path: Path, sealer: Sealer, identity: bytes) -> None:
        self.sealer = sealer
        self._versions: collections.Counter[bytes] = collections.Counter()
        self._lock = _exclusive(path)
        try:
            self.engine = _open_engine(path)
            self._check_identity(identity)
        except sa.exc.DatabaseError as error:
            self.close()
            raise ConfigurationError(
                f"{path.name!r} is no database of a venue",
                code=ReasonCode.STORE_CORRUPT,
                fix="restore a backup, or name another file",
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Releases file and lock; safe to call twice."""
        engine = getattr(self, "engine", None)
        if engine is not None:
            engine.dispose()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that changes nothing."""
        with self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def change(self, *accounts: bytes) -> Iterator[sa.Connection]:
        """One transaction: committed and flushed at the end, or rolled back by an error.

        Args:
            accounts: Those whose rows it changes; their versions move on.
        """
        with self.engine.begin() as connection:
            yield connection
        self._versions.update(accounts)

    def version(self, account: bytes) -> int:
        """Rises with every change of an account: what was read under an older version may be out of date."""
        return self._versions[account]

    def _check_identity(self, identity: bytes) -> None:
        meta = tables.meta
        with self.engine.begin() as connection:
            known = connection.execute(sa.select(meta.c.value).where(meta.c.key == "identity")).scalar()
            if known is None:
                connection.execute(sa.insert(meta).values(key="identity", value=identity))
            elif known != identity:
                raise ConfigurationError(
                    "the database belongs to another venue or network", fix="name another database file"
                )


def _open_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", hide_parameters=True)
    sa.event.listen(engine, "connect", _configure)
    try:
        tables.metadata.create_all(engine)
        create_tables(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _exclusive(path: Path) -> int:
    """Takes the lock file beside the database and makes the database itself private."""
    descriptor = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
            raise ConfigurationError(
                "another process uses this database",
                code=ReasonCode.STORE_LOCKED,
                fix="end it first, or name another database",
            ) from error
        raise ConfigurationError(
            f"cannot open the database {path.name!r}",
            code=ReasonCode.FILE_UNREADABLE,
            fix="check the folder and its owner",
        ) from error
    return descriptor
