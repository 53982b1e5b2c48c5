"""Accounts that are open at the venue: their books, fills and standings."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from marginproof.model.errors import RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.book import Fill, decode_values, encode_values
from marginproof.verifier.database import VenueDatabase
from marginproof.verifier.status import AccountStatus
from marginproof.verifier.tables import accounts, fills

_IDS_PER_QUERY: Final = 500


@dataclasses.dataclass(frozen=True, slots=True)
class FillRecord:
    """What a fill led to: the book's sequence number after it."""

    fill: Fill
    sequence: int


@dataclasses.dataclass(frozen=True, slots=True)
class AccountRow:
    """One account: its book's sequence number, the book (index → signed lots; secret), and where it stands."""

    sequence: int
    book: Mapping[int, int] = dataclasses.field(repr=False)
    status: AccountStatus


class BookStore:
    """Books and fills are sealed, each tied to its place; standings lie in the clear."""

    def __init__(self, database: VenueDatabase) -> None:
        self._database = database
        self._sealer = database.sealer

    def open(self, account: bytes) -> int:
        """Opens an account with an empty book, unless it is open; gives the book's sequence number."""
        with self._database.change(account) as connection:
            connection.execute(
                insert(accounts)
                .values(account=account, **_status_columns(AccountStatus()), **self._book_columns(account, 0, {}))
                .on_conflict_do_nothing()
            )
            query = sa.select(accounts.c.sequence).where(accounts.c.account == account)
            return int(connection.execute(query).scalar_one())

    def read(self, account: bytes) -> AccountRow | None:
        """What is kept of an account; None when it is not open."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(accounts).where(accounts.c.account == account)).one_or_none()
        if row is None:
            return None
        book = decode_values(self._sealer.open(row.book, _book_place(account, row.sequence)))
        return AccountRow(row.sequence, book, _read_status(row))

    def all_accounts(self) -> list[bytes]:
        """The ids of all open accounts, rising."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(accounts.c.account).order_by(accounts.c.account)).scalars().all()
        return [bytes(account) for account in rows]

    def find_fills(self, fill_ids: Sequence[str]) -> dict[str, FillRecord]:
        """What was booked under fill ids."""
        found: dict[str, FillRecord] = {}
        with self._database.reading() as connection:
            for start in range(0, len(fill_ids), _IDS_PER_QUERY):
                some = fill_ids[start : start + _IDS_PER_QUERY]
                for row in connection.execute(sa.select(fills).where(fills.c.fill_id.in_(some))):
                    data = self._sealer.open(row.fill, _fill_place(row.fill_id))
                    found[row.fill_id] = FillRecord(Fill.decode(row.fill_id, data), row.sequence)
        return found

    def record(self, records: Sequence[FillRecord], books: Mapping[bytes, tuple[int, AccountRow]]) -> None:
        """Writes fills and the books after them: all or nothing, flushed once.

        Args:
            records: The fills, in order.
            books: Account → the sequence number it had, and what it has now.

        Raises:
            RefusedError: CONFLICT; a book has moved on since it was read.
        """
        with self._database.change(*books) as connection:
            for account, (before, after) in books.items():
                changed = connection.execute(
                    sa.update(accounts)
                    .where(accounts.c.account == account, accounts.c.sequence == before)
                    .values(**self._book_columns(account, after.sequence, after.book))
                )
                if changed.rowcount != 1:
                    raise RefusedError(ReasonCode.CONFLICT, "the book has changed", fix="send the fill again")
            connection.execute(sa.insert(fills), [self._fill_columns(record) for record in records])

    def due(self, now: int) -> list[tuple[bytes, AccountStatus]]:
        """The accounts whose deadline is not after ``now``."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(accounts).where(accounts.c.deadline <= now)).all()
        return [(bytes(row.account), _read_status(row)) for row in rows]

    def write_statuses(self, changed: Iterable[tuple[bytes, AccountStatus]]) -> None:
        """Replaces where accounts stand, all in one transaction."""
        statuses = dict(changed)
        if statuses:
            with self._database.change(*statuses) as connection:
                for account, status in statuses.items():
                    self.write_status(connection, account, status)

    @staticmethod
    def write_status(connection: sa.Connection, account: bytes, status: AccountStatus) -> None:
        """Replaces where an account stands."""
        connection.execute(sa.update(accounts).where(accounts.c.account == account).values(**_status_columns(status)))

    def _book_columns(self, account: bytes, sequence: int, book: Mapping[int, int]) -> dict[str, Any]:
        return {"sequence": sequence, "book": self._sealer.seal(encode_values(book), _book_place(account, sequence))}

    def _fill_columns(self, record: FillRecord) -> dict[str, Any]:
        fill = record.fill
        sealed = self._sealer.seal(fill.encode(), _fill_place(fill.fill_id))
        return {"fill_id": fill.fill_id, "sequence": record.sequence, "fill": sealed}


def encode_status(status: AccountStatus) -> str:
    """A status as text, for rows that keep an earlier one."""
    return json.dumps(dataclasses.astuple(status))


def decode_status(text: str) -> AccountStatus:
    """Reads what :func:`encode_status` wrote."""
    accepted_at, deadline, missed, uncovered, references = json.loads(text)
    return AccountStatus(accepted_at, deadline, missed, uncovered, tuple((chain, time) for chain, time in references))


def _book_place(account: bytes, sequence: int) -> bytes:
    return b"book" + account + sequence.to_bytes(8, "big")


def _fill_place(fill_id: str) -> bytes:
    return b"fill" + fill_id.encode()


def _status_columns(status: AccountStatus) -> dict[str, Any]:
    return {
        "accepted_at": status.accepted_at,
        "deadline": status.deadline,
        "missed": status.missed,
        "uncovered": status.uncovered,
        "references": json.dumps(status.references),
    }


def _read_status(row: Any) -> AccountStatus:
    references = tuple((chain, time) for chain, time in json.loads(row.references))
    return AccountStatus(row.accepted_at, row.deadline, row.missed, row.uncovered, references)
