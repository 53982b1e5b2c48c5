"""The node's SQLite database: tables, exclusive lock, identity. What a row means, its own module says."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sql
from sqlalchemy.pool import StaticPool

from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.reasons import ReasonCode

SCHEMA_VERSION: Final = 1

tables: Final = sql.MetaData()

identity: Final = sql.Table(
    "identity",
    tables,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("schema_version", sql.Integer, nullable=False),
    sql.Column("network", sql.LargeBinary, nullable=False),
    sql.Column("public_key", sql.LargeBinary, nullable=False),
    sql.Column("first_epoch", sql.Integer, nullable=False),
    sql.Column("first_slot", sql.Integer, nullable=False),
)
registrations: Final = sql.Table(
    "registrations",
    tables,
    sql.Column("account", sql.LargeBinary, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("digest", sql.LargeBinary, nullable=False),
    sql.Column("first_epoch", sql.Integer, nullable=False),
    sql.Column("sealed", sql.LargeBinary, nullable=False),
)
fixed_lists: Final = sql.Table(
    "fixed_lists",
    tables,
    sql.Column("chain", sql.Text, primary_key=True),
    sql.Column("epoch", sql.Integer, primary_key=True),
    sql.Column("reference", sql.LargeBinary, nullable=False),
    sql.Column("list_digest", sql.LargeBinary, nullable=False),
    sql.Column("leaf_list", sql.LargeBinary, nullable=False),
)
observations: Final = sql.Table(
    "observations",
    tables,
    sql.Column("slot", sql.Integer, primary_key=True),
    sql.Column("signed", sql.LargeBinary, nullable=False),
)
certificates: Final = sql.Table(
    "certificates",
    tables,
    sql.Column("sequence", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("digest", sql.LargeBinary, nullable=False, unique=True),
    sql.Column("chain", sql.Text, nullable=False),
    sql.Column("epoch", sql.Integer, nullable=False),
    sql.Column("certificate", sql.LargeBinary, nullable=False),
    sql.Column("leaf_list", sql.LargeBinary, nullable=False),
    sql.Index("certificates_by_epoch", "chain", "epoch"),
)
certified_accounts: Final = sql.Table(
    "certified_accounts",
    tables,
    sql.Column("account", sql.LargeBinary, primary_key=True),
    sql.Column("chain", sql.Text, primary_key=True),
    sql.Column("epoch", sql.Integer, primary_key=True),
    sql.Column("digest", sql.LargeBinary, primary_key=True),
)
price_reports: Final = sql.Table(
    "price_reports",
    tables,
    sql.Column("slot", sql.Integer, primary_key=True),
    sql.Column("report", sql.LargeBinary, nullable=False),
)
halts: Final = sql.Table(
    "halts",
    tables,
    sql.Column("chain", sql.Text, primary_key=True),
    sql.Column("block_number", sql.Integer, nullable=False),
    sql.Column("before", sql.Text, nullable=False),
    sql.Column("after", sql.Text, nullable=False),
)


class Store:
    """An open database. One process at a time: the lock is held until :meth:`close` or the process's end."""

    def __init__(self, engine: sql.Engine, lock: int) -> None:
        self._engine = engine
        self._lock = lock
        self.first_epoch = 0
        self.first_slot = 0

    @classmethod
    def open(cls, path: Path, *, network_id: bytes, public_key: bytes, epoch: int, slot: int) -> Self:
        """Opens or makes the database of one key on one network.

        Signing protection is only as good as the memory of it. A database that is made anew remembers nothing, so it
        signs nothing that an earlier one could have signed: no epoch that had ended, no price slot that had begun.

        Args:
            path: The SQLite file.
            network_id: Network id, 32 bytes.
            public_key: The node's BLS key, 48 bytes.
            epoch: The current epoch, used for a new database only.
            slot: The current price slot, used for a new database only.

        Raises:
            RefusedError: STORE_LOCKED; another process has it.
            ConfigurationError: STORE_CORRUPT (no database of this form), CONFIG_INVALID (of another key or network),
                FILE_UNREADABLE.
        """
        lock = _lock(path)
        try:
            store = cls(_engine(path), lock)
            store._identify(network_id, public_key, max(epoch, 0), max(slot + 1, 0))
        except sql.exc.DatabaseError as error:
            os.close(lock)
            raise corrupt("the database cannot be read") from error
        except BaseException:
            os.close(lock)
            raise
        return store

    @contextmanager
    def write(self) -> Iterator[sql.Connection]:
        """One transaction; on disk when the block ends without an error."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sql.Connection]:
        """A connection for reading."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Closes the database and gives the lock back."""
        self._engine.dispose()
        os.close(self._lock)

    def halt(self, chain: str, block_number: int, before: str, after: str) -> None:
        """Remembers that a chain replaced a finalized block; nothing is signed for it until an operator clears it."""
        with self.write() as connection:
            known = connection.execute(sql.select(halts.c.chain).where(halts.c.chain == chain)).first()
            if known is None:
                row = {"chain": chain, "block_number": block_number, "before": before, "after": after}
                connection.execute(halts.insert().values(row))

    def is_halted(self, chain: str) -> bool:
        """Whether a chain is halted; see :meth:`halt`."""
        with self.read() as connection:
            return connection.execute(sql.select(halts.c.chain).where(halts.c.chain == chain)).first() is not None

    def clear_halt(self, chain: str) -> None:
        """Lets a chain be signed again, after its operators explained what happened."""
        with self.write() as connection:
            connection.execute(halts.delete().where(halts.c.chain == chain))

    def forget_before(self, epoch: int, slot: int) -> None:
        """Deletes what is older, after raising the first epoch and slot that may be signed at all.

        Both happen in one transaction: nothing that could be signed again is ever forgotten.
        """
        first_epoch, first_slot = max(self.first_epoch, epoch), max(self.first_slot, slot)
        with self.write() as connection:
            connection.execute(identity.update().values(first_epoch=first_epoch, first_slot=first_slot))
            for table in (fixed_lists, certificates, certified_accounts):
                connection.execute(table.delete().where(table.c.epoch < first_epoch))
            for table in (observations, price_reports):
                connection.execute(table.delete().where(table.c.slot < first_slot))
        self.first_epoch, self.first_slot = first_epoch, first_slot

    def _identify(self, network_id: bytes, public_key: bytes, first_epoch: int, first_slot: int) -> None:
        with self.write() as connection:
            tables.create_all(connection)
            row = connection.execute(sql.select(identity)).mappings().first()
            if row is None:
                values: dict[str, Any] = {"id": 1, "schema_version": SCHEMA_VERSION, "network": network_id}
                values |= {"public_key": public_key, "first_epoch": first_epoch, "first_slot": first_slot}
                connection.execute(identity.insert().values(values))
                self.first_epoch, self.first_slot = first_epoch, first_slot
                return
        if row["schema_version"] != SCHEMA_VERSION:
            raise corrupt("the database is of another version of marginproof")
        if (row["network"], row["public_key"]) != (network_id, public_key):
            raise ConfigurationError(
                "the database belongs to another key or network", fix="give every node and network its own database"
            )
        self.first_epoch, self.first_slot = row["first_epoch"], row["first_slot"]


def corrupt(message: str) -> ConfigurationError:
    """What is raised where a row is not what was written."""
    return ConfigurationError(
        message,
        code=ReasonCode.STORE_CORRUPT,
        fix="stop the node and restore the newest backup; the epochs since then are protected by time, not by memory",
    )


def _lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable() from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RefusedError(
            ReasonCode.STORE_LOCKED,
            "another process uses this database",
            fix="end it first; two nodes with one key could sign against each other",
        ) from error
    return lock


def _unwritable() -> ConfigurationError:
    return ConfigurationError(
        "cannot write the database", code=ReasonCode.FILE_UNREADABLE, fix="check the folder and its owner"
    )


def _engine(path: Path) -> sql.Engine:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise _unwritable() from error
    engine = sql.create_engine(f"sqlite:///{path}", poolclass=StaticPool, hide_parameters=True)

    @sql.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _: object) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
