"""The venue's pledges, from proposal to the end of standing, with their openings sealed."""

import dataclasses
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from marginproof.model.pledges import PledgeOpening
from marginproof.verifier.book_store import decode_status, encode_status
from marginproof.verifier.database import VenueDatabase
from marginproof.verifier.status import AccountStatus
from marginproof.verifier.tables import pledges


class PledgeState(StrEnum):
    """How far a pledge is. An account has at most one of the first three, and at most one of the last two."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    FAILED = "FAILED"
    STANDING = "STANDING"
    RELEASING = "RELEASING"


@dataclasses.dataclass(frozen=True, slots=True)
class Acceptance:
    """What is kept once a pledge's proof was accepted.

    Args:
        owner: The owner's address, 20 bytes; a part of the account's identity that the registry asks for.
        index: Number of the owner's account.
        status_before: Where the account stood before; comes back if the swap fails.
    """

    owner: bytes
    index: int
    status_before: AccountStatus


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeRow:
    """One pledge; ``acceptance`` is there from ACCEPTED on, ``reason`` says why a swap failed."""

    opening: PledgeOpening
    state: PledgeState
    acceptance: Acceptance | None = None
    reason: str = ""

    @property
    def commitment(self) -> bytes:
        """48 bytes."""
        return self.opening.commitment


class PledgeStore:
    """Pledges by account and commitment."""

    def __init__(self, database: VenueDatabase) -> None:
        self._database = database
        self._sealer = database.sealer

    def of(self, account: bytes) -> tuple[PledgeRow, ...]:
        """Everything kept of an account."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(pledges).where(pledges.c.account == account)).all()
        return tuple(self._read(row) for row in rows)

    def accounts(self, *states: PledgeState) -> list[bytes]:
        """Accounts with a pledge in one of these states, rising."""
        query = sa.select(pledges.c.account).where(pledges.c.state.in_(states)).distinct().order_by(pledges.c.account)
        with self._database.reading() as connection:
            return [bytes(account) for account in connection.execute(query).scalars()]

    def write(self, connection: sa.Connection, row: PledgeRow) -> None:
        """Writes a pledge as it is now."""
        columns = self._columns(row)
        connection.execute(
            insert(pledges)
            .values(account=row.opening.account, commitment=row.commitment, **columns)
            .on_conflict_do_update(index_elements=["account", "commitment"], set_=columns)
        )

    @staticmethod
    def drop(connection: sa.Connection, row: PledgeRow) -> None:
        """Forgets a pledge."""
        connection.execute(
            sa.delete(pledges).where(pledges.c.account == row.opening.account, pledges.c.commitment == row.commitment)
        )

    def _columns(self, row: PledgeRow) -> dict[str, Any]:
        acceptance, place = row.acceptance, _place(row.opening.account, row.commitment)
        return {
            "state": row.state,
            "opening": self._sealer.seal(row.opening.encode(), place),
            "owner": acceptance.owner if acceptance else None,
            "owner_index": str(acceptance.index) if acceptance else None,
            "status_before": encode_status(acceptance.status_before) if acceptance else None,
            "reason": row.reason,
        }

    def _read(self, row: Any) -> PledgeRow:
        data = self._sealer.open(row.opening, _place(row.account, row.commitment))
        acceptance = None
        if row.owner is not None:
            acceptance = Acceptance(row.owner, int(row.owner_index), decode_status(row.status_before))
        return PledgeRow(PledgeOpening.decode(data), PledgeState(row.state), acceptance, row.reason)


def _place(account: bytes, commitment: bytes) -> bytes:
    return b"pledge" + account + commitment
