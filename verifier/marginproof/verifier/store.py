"""The venue's store: decisions, accounts with books and fills, pledges, snapshots; secrets sealed, all in one file.

All writes are short transactions, called under the daemon's own lock; each is flushed before anything is answered.
"""

from collections.abc import Sequence
from pathlib import Path

from marginproof.node.sealing import Sealer
from marginproof.verifier.book_store import BookStore
from marginproof.verifier.database import VenueDatabase
from marginproof.verifier.decision_store import DecisionRecord, DecisionStore
from marginproof.verifier.pledge_store import PledgeRow, PledgeStore
from marginproof.verifier.snapshot_store import SnapshotStore
from marginproof.verifier.status import AccountStatus
from marginproof.verifier.swap_store import insert_order
from marginproof.verifier.swaps import SwapOrder


class VenueStore:
    """One open database with its parts.

    Args:
        path: The SQLite file; made, readable by its owner only, when absent.
        sealer: Seals what is secret.
        identity: What the database belongs to (network id ‖ venue); another one's is refused.

    Raises:
        ConfigurationError: See :class:`~marginproof.verifier.database.VenueDatabase`.
    """

    def __init__(self, path: Path, sealer: Sealer, identity: bytes) -> None:
        self.database = VenueDatabase(path, sealer, identity)
        self.decisions = DecisionStore(self.database)
        self.books = BookStore(self.database)
        self.pledges = PledgeStore(self.database)
        self.snapshots = SnapshotStore(self.database)

    def close(self) -> None:
        """Releases file and lock; safe to call twice."""
        self.database.close()

    def record_decision(
        self,
        key: bytes,
        answer: int,
        record: DecisionRecord,
        status: AccountStatus | None = None,
        pledge: tuple[PledgeRow, SwapOrder] | None = None,
    ) -> None:
        """Writes an answer, the account's new status and its accepted pledge with the swap: all or nothing.

        So a crash loses no swap: what was answered is on disk, and what is on disk is posted after a restart.
        """
        account = record.signed.decision.account
        with self.database.change(account) as connection:
            self.decisions.write(connection, key, answer, record)
            if status is not None:
                self.books.write_status(connection, account, status)
            if pledge is not None:
                self.pledges.write(connection, pledge[0])
                insert_order(connection, pledge[1])

    def change_pledges(
        self,
        account: bytes,
        rows: Sequence[PledgeRow],
        *,
        dropped: Sequence[PledgeRow] = (),
        status: AccountStatus | None = None,
        order: SwapOrder | None = None,
    ) -> None:
        """Writes and forgets pledges of one account, with its new status and an order where given: all or nothing."""
        with self.database.change(account) as connection:
            for row in dropped:
                self.pledges.drop(connection, row)
            for row in rows:
                self.pledges.write(connection, row)
            if status is not None:
                self.books.write_status(connection, account, status)
            if order is not None:
                insert_order(connection, order)
