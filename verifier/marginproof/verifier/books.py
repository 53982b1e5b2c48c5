"""The books that a venue keeps: opening accounts, booking fills, handing the opening to the owner."""

import asyncio

from marginproof.model.errors import NotFoundError, RefusedError
from marginproof.model.margin import BookOpening
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.book import Fill, apply_fill, check_fill, commit_book
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.status import AccountStatus, StatusRules, after_fill
from marginproof.verifier.store import FillRecord, VenueStore


class BookDesk:
    """Changes books, one change after another; every change draws a fresh commitment.

    Args:
        setting: The venue.
        store: Where books are kept.
        metrics: Counters.
        lock: Held while books, ledger and standings change.
    """

    def __init__(self, setting: VenueSetting, store: VenueStore, metrics: VenueMetrics, lock: asyncio.Lock) -> None:
        self._setting = setting
        self._store = store
        self._metrics = metrics
        self._lock = lock
        self._rules = StatusRules.of(setting.configuration)

    async def open_account(self, account: bytes) -> int:
        """Opens an account with an empty book, unless it is open; gives the book's sequence number."""
        opening = self._commit(account, 0, {})
        async with self._lock:
            return await asyncio.to_thread(self._store.open_book, opening)

    async def record_fill(self, fill: Fill) -> FillRecord:
        """Books a fill once; the same fill again gives the same answer.

        Raises:
            NotFoundError: BOOK_UNKNOWN, or no such instrument.
            RefusedError: CONFLICT (the fill id was used for another fill), OUT_OF_RANGE.
            MalformedError: OUT_OF_RANGE.
        """
        async with self._lock:
            return await asyncio.to_thread(self._record, fill)

    def opening(self, account: bytes) -> BookOpening:
        """The current book with an account and its opening; secret between venue and account.

        Raises:
            NotFoundError: BOOK_UNKNOWN.
        """
        book = self._store.book(account)
        if book is None:
            raise NotFoundError(
                "the account is not open at this venue", code=ReasonCode.BOOK_UNKNOWN, fix="ask the venue to open it"
            )
        return book

    def _record(self, fill: Fill) -> FillRecord:
        booked = self._store.find_fill(fill.fill_id)
        if booked is not None:
            if booked.fill != fill:
                raise RefusedError(
                    ReasonCode.CONFLICT, "this fill id was booked for another fill", fix="give every fill its own id"
                )
            return booked
        now, universe = self._setting.clock(), self._setting.universe
        check_fill(universe, fill, now)
        book = self.opening(fill.account)
        after = self._commit(fill.account, book.sequence + 1, apply_fill(universe, book.vector(), fill, now))
        status = after_fill(self._store.status(fill.account) or AccountStatus(), now, self._rules)
        self._store.record_fill(fill, after, status)
        self._metrics.filled()
        return FillRecord(fill, after.sequence, after.commitment)

    def _commit(self, account: bytes, sequence: int, values: dict[int, int]) -> BookOpening:
        return commit_book(
            self._setting.universe,
            venue=self._setting.venue,
            account=account,
            sequence=sequence,
            values=values,
        )
