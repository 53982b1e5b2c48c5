"""The venue's database: decisions, books, fills, snapshots and standings, flushed before anything is answered.

SQLite with a write-ahead log and full synchronisation. What is secret is sealed (:mod:`.sealing`). One process at a
time holds the file; all writes are short transactions, called under the daemon's own lock.
"""

import dataclasses
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.margin import BookOpening, SignedDecision, SignedSnapshot
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer
from marginproof.verifier.book import Fill
from marginproof.verifier.status import AccountStatus

FIRST_ANSWER: Final = 0
REPLAY_ANSWER: Final = 1

_metadata = sa.MetaData()
_meta = sa.Table("meta", _metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.LargeBinary))
_accounts = sa.Table(
    "accounts",
    _metadata,
    sa.Column("account", sa.LargeBinary, primary_key=True),
    sa.Column("accepted_at", sa.Integer),
    sa.Column("deadline", sa.Integer, index=True),
    sa.Column("missed", sa.Integer, nullable=False),
    sa.Column("book_changed", sa.Boolean, nullable=False),
    sa.Column("references", sa.Text, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("commitment", sa.LargeBinary, nullable=False),
    sa.Column("book", sa.LargeBinary, nullable=False),
)
_fills = sa.Table(
    "fills",
    _metadata,
    sa.Column("fill_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("commitment", sa.LargeBinary, nullable=False),
    sa.Column("fill", sa.LargeBinary, nullable=False),
)
_snapshots = sa.Table(
    "snapshots",
    _metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Integer, nullable=False, index=True),
    sa.Column("signed", sa.LargeBinary, nullable=False),
    sa.Column("report", sa.LargeBinary, nullable=False),
)
_decisions = sa.Table(
    "decisions",
    _metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("answer", sa.Integer, primary_key=True),
    sa.Column("repeat_until", sa.Integer),
    sa.Column("signed", sa.LargeBinary, nullable=False),
)


@dataclasses.dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A recorded answer. Given again until ``repeat_until`` (UTC seconds, exclusive); None: always."""

    signed: SignedDecision
    repeat_until: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class FillRecord:
    """What a fill led to: the book's sequence number and commitment after it."""

    fill: Fill
    sequence: int
    commitment: bytes


class VenueStore:
    """One open database.

    Args:
        path: The SQLite file; made, readable by its owner only, when absent.
        sealer: Seals books and fills.
        identity: What the database belongs to (network id ‖ venue); another one's is refused.

    Raises:
        ConfigurationError: STORE_LOCKED, STORE_CORRUPT, FILE_UNREADABLE, CONFIG_INVALID (another venue's).
    """

    def __init__(self, path: Path, sealer: Sealer, identity: bytes) -> None:
        self._sealer = sealer
        self._lock = _exclusive(path)
        try:
            self._engine = _open_engine(path)
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
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.dispose()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _check_identity(self, identity: bytes) -> None:
        with self._engine.begin() as connection:
            known = connection.execute(sa.select(_meta.c.value).where(_meta.c.key == "identity")).scalar()
            if known is None:
                connection.execute(sa.insert(_meta).values(key="identity", value=identity))
            elif known != identity:
                raise ConfigurationError(
                    "the database belongs to another venue or network", fix="name another database file"
                )

    # Decisions.

    def find_decision(self, key: bytes, answer: int) -> DecisionRecord | None:
        """The recorded answer to the bytes with this SHA-256."""
        query = sa.select(_decisions).where(_decisions.c.key == key, _decisions.c.answer == answer)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else DecisionRecord(SignedDecision.decode(row.signed), row.repeat_until)

    def record_decision(
        self, key: bytes, answer: int, record: DecisionRecord, status: AccountStatus | None = None
    ) -> None:
        """Writes an answer, and with it the account's new status if it was accepted: both or neither."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(_decisions).values(
                    key=key, answer=answer, repeat_until=record.repeat_until, signed=record.signed.encode()
                )
            )
            if status is not None:
                _write_status(connection, record.signed.decision.account, status)

    # Books.

    def open_book(self, opening: BookOpening) -> int:
        """Opens an account with its empty book, unless it is open; gives the book's sequence number."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(_accounts)
                .values(account=opening.account, **_status_columns(AccountStatus()), **self._book_columns(opening))
                .on_conflict_do_nothing()
            )
            query = sa.select(_accounts.c.sequence).where(_accounts.c.account == opening.account)
            return int(connection.execute(query).scalar_one())

    def book_commitment(self, account: bytes) -> bytes | None:
        """Commitment to the current book with an account, 48 bytes; None when it is not open."""
        query = sa.select(_accounts.c.commitment).where(_accounts.c.account == account)
        with self._engine.connect() as connection:
            value = connection.execute(query).scalar()
        return None if value is None else bytes(value)

    def book(self, account: bytes) -> BookOpening | None:
        """The current book with an account and its opening; None when it is not open."""
        query = sa.select(_accounts.c.sequence, _accounts.c.book).where(_accounts.c.account == account)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return BookOpening.decode(self._sealer.open(row.book, _book_place(account, row.sequence)))

    def find_fill(self, fill_id: str) -> FillRecord | None:
        """What was booked under a fill id."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_fills).where(_fills.c.fill_id == fill_id)).one_or_none()
        if row is None:
            return None
        fill = Fill.decode(self._sealer.open(row.fill, b"fill" + fill_id.encode()))
        return FillRecord(fill, row.sequence, row.commitment)

    def record_fill(self, fill: Fill, opening: BookOpening, status: AccountStatus) -> None:
        """Writes a fill, the book after it and the account's status: all or nothing.

        Raises:
            RefusedError: CONFLICT; the book has moved on since it was read.
        """
        sealed = self._sealer.seal(fill.encode(), b"fill" + fill.fill_id.encode())
        with self._engine.begin() as connection:
            changed = connection.execute(
                sa.update(_accounts)
                .where(_accounts.c.account == fill.account, _accounts.c.sequence == opening.sequence - 1)
                .values(**_status_columns(status), **self._book_columns(opening))
            )
            if changed.rowcount != 1:
                raise RefusedError(ReasonCode.CONFLICT, "the book has changed", fix="send the fill again")
            connection.execute(
                sa.insert(_fills).values(
                    fill_id=fill.fill_id, sequence=opening.sequence, commitment=opening.commitment, fill=sealed
                )
            )

    def _book_columns(self, opening: BookOpening) -> dict[str, Any]:
        place = _book_place(opening.account, opening.sequence)
        return {
            "sequence": opening.sequence,
            "commitment": opening.commitment,
            "book": self._sealer.seal(opening.encode(), place),
        }

    # Standings.

    def status(self, account: bytes) -> AccountStatus | None:
        """Where an account stands; None when it is not open."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_accounts).where(_accounts.c.account == account)).one_or_none()
        return None if row is None else _read_status(row)

    def due(self, now: int) -> list[tuple[bytes, AccountStatus]]:
        """The accounts whose deadline is not after ``now``."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_accounts).where(_accounts.c.deadline <= now)).all()
        return [(bytes(row.account), _read_status(row)) for row in rows]

    def write_status(self, account: bytes, status: AccountStatus) -> None:
        """Replaces where an account stands."""
        with self._engine.begin() as connection:
            _write_status(connection, account, status)

    # Snapshots.

    def add_snapshot(self, signed: SignedSnapshot, report: PriceReport, keep_after: int) -> None:
        """Writes a snapshot and drops those that expired before ``keep_after`` (UTC seconds)."""
        snapshot = signed.snapshot
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(_snapshots).values(
                    digest=signed.digest,
                    slot=snapshot.price_slot,
                    expires_at=snapshot.expires_at,
                    signed=signed.encode(),
                    report=report.encode(),
                )
            )
            connection.execute(sa.delete(_snapshots).where(_snapshots.c.expires_at < keep_after))

    def newest_snapshot(self) -> tuple[SignedSnapshot, PriceReport] | None:
        """The snapshot of the highest price slot, with its report."""
        query = sa.select(_snapshots).order_by(_snapshots.c.slot.desc(), _snapshots.c.expires_at.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (SignedSnapshot.decode(row.signed), PriceReport.decode(row.report))

    def find_snapshot(self, digest: bytes) -> SignedSnapshot | None:
        """A snapshot by its digest."""
        query = sa.select(_snapshots.c.signed).where(_snapshots.c.digest == digest)
        with self._engine.connect() as connection:
            data = connection.execute(query).scalar()
        return None if data is None else SignedSnapshot.decode(data)


def _open_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", hide_parameters=True)
    sa.event.listen(engine, "connect", _configure)
    try:
        _metadata.create_all(engine)
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


def _book_place(account: bytes, sequence: int) -> bytes:
    return b"book" + account + sequence.to_bytes(8, "big")


def _status_columns(status: AccountStatus) -> dict[str, Any]:
    return {
        "accepted_at": status.accepted_at,
        "deadline": status.deadline,
        "missed": status.missed,
        "book_changed": status.book_changed,
        "references": json.dumps(status.references),
    }


def _read_status(row: Any) -> AccountStatus:
    references = tuple((chain, time) for chain, time in json.loads(row.references))
    return AccountStatus(row.accepted_at, row.deadline, row.missed, row.book_changed, references)


def _write_status(connection: sa.Connection, account: bytes, status: AccountStatus) -> None:
    connection.execute(sa.update(_accounts).where(_accounts.c.account == account).values(**_status_columns(status)))
