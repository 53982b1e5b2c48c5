"""What is known of every account right now, in memory: its row, its pledges, what the registry says, its lines.

Orders are judged by this alone. Nothing here outlives the process, and whatever the database has moved past is read
again: an account's entry carries the version under which it was read.
"""

import dataclasses
from collections.abc import Mapping

from marginproof.model.errors import NotFoundError
from marginproof.model.pledges import RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.risk.line import Line
from marginproof.verifier.book_store import AccountRow
from marginproof.verifier.facts import PledgeFacts, live_pledge
from marginproof.verifier.pledge_store import PledgeRow, PledgeState
from marginproof.verifier.store import VenueStore


@dataclasses.dataclass(frozen=True, slots=True)
class LiveAccount:
    """One account: what the database has of it, and the registry's finalized record as last read; None before that."""

    row: AccountRow
    pledges: tuple[PledgeRow, ...]
    record: RegistryRecord | None

    def in_state(self, *states: PledgeState) -> PledgeRow | None:
        """The pledge in one of these states."""
        return next((pledge for pledge in self.pledges if pledge.state in states), None)

    @property
    def pending(self) -> PledgeRow | None:
        """The pledge whose swap or release is under way."""
        return self.in_state(PledgeState.ACCEPTED, PledgeState.RELEASING)

    def standing(self, record: RegistryRecord, venue: bytes, compatible_since: int) -> PledgeRow | None:
        """The pledge that a registry record shows as this venue's and that can carry proofs, if its opening is kept."""
        pledge = live_pledge(record, venue, compatible_since)
        if pledge is None:
            return None
        return next((row for row in self.pledges if row.commitment == pledge.commitment), None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of one account, and what they were worked out for."""

    snapshot: bytes
    sequence: int
    commitments: tuple[bytes, ...]
    lines: tuple[Line, ...]


class LiveAccounts:
    """All accounts of the venue.

    Args:
        store: Where they are kept.
        venue: This venue's address, 20 bytes.
        compatible_since: Of the universe.
    """

    def __init__(self, store: VenueStore, venue: bytes, compatible_since: int) -> None:
        self._store = store
        self._venue = venue
        self._compatible_since = compatible_since
        self._rows: dict[bytes, tuple[int, AccountRow, tuple[PledgeRow, ...]]] = {}
        self._records: dict[bytes, RegistryRecord] = {}
        self._lines: dict[bytes, _Lines] = {}

    def version(self, account: bytes) -> int:
        """Rises with every change of the account's rows."""
        return self._store.database.version(account)

    def is_open(self, account: bytes) -> bool:
        """Whether the account is open here."""
        return self._read(account) is not None

    def of(self, account: bytes) -> LiveAccount:
        """What is known of an account.

        Raises:
            NotFoundError: BOOK_UNKNOWN; it is not open here.
        """
        known = self._read(account)
        if known is None:
            raise NotFoundError(
                "the account is not open at this venue", code=ReasonCode.BOOK_UNKNOWN, fix="ask the venue to open it"
            )
        return LiveAccount(known[1], known[2], self._records.get(account))

    def note_record(self, record: RegistryRecord) -> None:
        """Takes what the registry's finalized state has of an account."""
        self._records[record.account] = record

    def lines(
        self, account: bytes, live: LiveAccount, rows: tuple[Mapping[int, int], ...], snapshot: bytes
    ) -> tuple[Line, ...]:
        """The lines that bind the account's orders: of its standing pledge, then of the one whose swap is under way.

        Args:
            account: 32 bytes.
            live: What is known of it.
            rows: Of the current snapshot.
            snapshot: Its digest.

        Returns:
            Nothing where no final pledge stands, or a release is under way.
        """
        if live.record is None or live.in_state(PledgeState.RELEASING):
            return ()
        standing = live.standing(live.record, self._venue, self._compatible_since)
        if standing is None:
            return ()
        accepted = live.in_state(PledgeState.ACCEPTED)
        binding = [standing] if accepted in (None, standing) else [standing, accepted]
        commitments = tuple(pledge.commitment for pledge in binding if pledge is not None)
        known = self._lines.get(account)
        if known is None or (known.snapshot, known.sequence, known.commitments) != (
            snapshot,
            live.row.sequence,
            commitments,
        ):
            made = tuple(Line(rows, row.opening.vector(), live.row.book) for row in binding if row is not None)
            known = self._lines[account] = _Lines(snapshot, live.row.sequence, commitments, made)
        return known.lines

    def booked(self, account: bytes, row: AccountRow, lines: tuple[Line, ...]) -> None:
        """Takes a book that was just written, and the lines after it: nothing needs to be read or worked out again."""
        self._rows[account] = (self.version(account), row, self._rows[account][2])
        drawn = self._lines.pop(account, None)
        if drawn is not None and lines:
            self._lines[account] = dataclasses.replace(drawn, sequence=row.sequence, lines=lines)

    def _read(self, account: bytes) -> tuple[int, AccountRow, tuple[PledgeRow, ...]] | None:
        version = self.version(account)  # first: a change while the rows are read makes this entry an old one
        known = self._rows.get(account)
        if known is not None and known[0] == version:
            return known
        row = self._store.books.read(account)
        if row is None:
            return None
        self._rows[account] = (version, row, self._store.pledges.of(account))
        return self._rows[account]


def pledge_facts(row: PledgeRow | None) -> PledgeFacts | None:
    """What the procedure looks at."""
    return None if row is None else PledgeFacts.of(row.opening)
