"""Registrations at rest: sealed, numbered per account, the highest one valid for an epoch counts."""

import dataclasses
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sql

from marginproof.model.accounts import Registration, SignedRegistration
from marginproof.model.errors import MarginproofError, RefusedError, UnavailableError
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer
from marginproof.relayers.store import Store, corrupt, registrations

MAX_PENDING: Final = 8
"""Registrations of one account that may wait for their first epoch."""
_KEEP_EPOCHS: Final = 16
_STORED_LIMIT: Final = 1 << 63


@dataclasses.dataclass(frozen=True, slots=True)
class KnownRegistration:
    """A stored registration with its account id and digest, which are too slow to compute for every epoch."""

    registration: Registration
    account: bytes
    digest: bytes


class RegistrationBook:
    """All registrations that may still count.

    Args:
        store: The database.
        sealer: Seals rows; salts and seeds never lie on disk in the clear.
        max_accounts: How many accounts this node takes.
        max_locks: How many locks of one account it reads: registering costs nothing, reading costs every epoch.
    """

    def __init__(self, store: Store, sealer: Sealer, max_accounts: int, max_locks: int = 16) -> None:
        self._store = store
        self._sealer = sealer
        self._max_accounts = max_accounts
        self._max_locks = max_locks
        self._opened: dict[tuple[bytes, int], KnownRegistration] = {}

    def add(self, signed: SignedRegistration, current_epoch: int) -> tuple[bytes, int]:
        """Stores a verified registration; the same again gives the same answer.

        Args:
            signed: Verified by :func:`marginproof.attestation.registrations.verify_registration`.
            current_epoch: The epoch that runs now.

        Returns:
            The registration's digest and its first epoch.

        Raises:
            RefusedError: CONFLICT (this number was used for something else), REGISTRATION_NUMBER (not the highest),
                REGISTRATION_EPOCH (first epoch not later than the current one), RATE_LIMITED (too many are pending),
                REGISTRATION_LOCKS (more than this node reads), OUT_OF_RANGE.
            UnavailableError: RATE_LIMITED; the node takes no more accounts.
        """
        registration = signed.registration
        account, digest = registration.account, registration.root()
        with self._store.write() as connection:
            known = _rows(connection, account)
            answer = _repeated(known, registration.number, digest)
            if answer is None:
                self._check_lock_count(registration)
                _check_new(known, registration, current_epoch)
                if not known and _count(connection) >= self._max_accounts:
                    raise UnavailableError(
                        "this relayer takes no more accounts",
                        code=ReasonCode.RATE_LIMITED,
                        fix="register with the other relayers",
                    )
                self._insert(connection, signed, account, digest)
                self._prune(connection, account, known, current_epoch)
                answer = digest, registration.first_epoch
        return answer

    def effective(self, epoch: int) -> tuple[KnownRegistration, ...]:
        """For each account the highest number whose first epoch is not later than ``epoch``, rising by account."""
        newest = (
            sql.select(registrations.c.account, sql.func.max(registrations.c.number).label("number"))
            .where(registrations.c.first_epoch <= epoch)
            .group_by(registrations.c.account)
            .subquery()
        )
        query = sql.select(registrations).join(
            newest,
            sql.and_(registrations.c.account == newest.c.account, registrations.c.number == newest.c.number),
        )
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(registrations.c.account)).mappings().all()
        used = {(row["account"], row["number"]): row for row in rows}
        self._opened = {key: known for key, known in self._opened.items() if key in used}
        for key, row in used.items():
            if key not in self._opened:
                self._opened[key] = self._open(row)
        return tuple(self._opened[key] for key in used)

    def account_count(self) -> int:
        """How many accounts are registered."""
        with self._store.read() as connection:
            return _count(connection)

    def _check_lock_count(self, registration: Registration) -> None:
        if len(registration.locks) > self._max_locks:
            raise RefusedError(
                ReasonCode.REGISTRATION_LOCKS,
                f"this relayer reads at most {self._max_locks} locks of an account",
                fix="add to existing locks, or ask its operator to raise max_locks_per_account",
                fields={"locks": len(registration.locks), "max_locks": self._max_locks},
            )

    def _insert(self, connection: sql.Connection, signed: SignedRegistration, account: bytes, digest: bytes) -> None:
        registration = signed.registration
        place = _place(account, registration.number)
        row = {"account": account, "number": registration.number, "digest": digest}
        row |= {"first_epoch": registration.first_epoch, "sealed": self._sealer.seal(signed.encode(), place)}
        connection.execute(registrations.insert().values(row))

    def _prune(
        self, connection: sql.Connection, account: bytes, known: Sequence[sql.RowMapping], current_epoch: int
    ) -> None:
        """Drops secrets that no epoch still being watched can need."""
        settled = [row["number"] for row in known if row["first_epoch"] <= current_epoch - _KEEP_EPOCHS]
        if settled:
            old = sql.and_(registrations.c.account == account, registrations.c.number < max(settled))
            connection.execute(registrations.delete().where(old))

    def _open(self, row: sql.RowMapping) -> KnownRegistration:
        data = self._sealer.open(row["sealed"], _place(row["account"], row["number"]))
        try:
            registration = SignedRegistration.decode(data).registration
        except MarginproofError as error:
            raise corrupt("a registration in the database is malformed") from error
        if registration.root() != row["digest"]:
            raise corrupt("a registration in the database is not the one that was stored")
        return KnownRegistration(registration, row["account"], row["digest"])


def _rows(connection: sql.Connection, account: bytes) -> Sequence[sql.RowMapping]:
    query = sql.select(registrations).where(registrations.c.account == account)
    return connection.execute(query.order_by(registrations.c.number)).mappings().all()


def _count(connection: sql.Connection) -> int:
    query = sql.select(sql.func.count(sql.distinct(registrations.c.account)))
    return int(connection.execute(query).scalar_one())


def _repeated(known: Sequence[sql.RowMapping], number: int, digest: bytes) -> tuple[bytes, int] | None:
    for row in known:
        if row["number"] == number:
            if row["digest"] != digest:
                raise RefusedError(
                    ReasonCode.CONFLICT,
                    "this number was used for another registration of the account",
                    fix="take the next number",
                )
            return row["digest"], row["first_epoch"]
    return None


def _check_new(known: Sequence[sql.RowMapping], registration: Registration, current_epoch: int) -> None:
    if max(registration.number, registration.first_epoch) >= _STORED_LIMIT:
        raise RefusedError(ReasonCode.OUT_OF_RANGE, "number and first epoch must stay below 2^63")
    if known and registration.number <= known[-1]["number"]:
        raise RefusedError(
            ReasonCode.REGISTRATION_NUMBER,
            "a later registration of the account is known",
            fix="take a number above the last one",
            fields={"last_number": known[-1]["number"]},
        )
    if registration.first_epoch <= current_epoch:
        raise RefusedError(
            ReasonCode.REGISTRATION_EPOCH,
            "a registration counts from the next epoch at the earliest",
            fix="sign it again with a later first epoch",
            fields={"current_epoch": current_epoch},
        )
    if sum(row["first_epoch"] > current_epoch for row in known) >= MAX_PENDING:
        raise RefusedError(
            ReasonCode.RATE_LIMITED,
            f"{MAX_PENDING} registrations of the account are waiting for their first epoch",
            fix="wait for the next epoch",
        )


def _place(account: bytes, number: int) -> bytes:
    return b"registrations" + account + number.to_bytes(8, "big")
