"""The books that a venue keeps: opening accounts, judging orders, booking fills inside pledged lines.

Nothing here proves, commits or asks anybody: an order is a few additions, and all fills of a call are one flush.
"""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence

from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.pledges import Book, VectorValue
from marginproof.model.reasons import ReasonCode
from marginproof.risk.line import Line
from marginproof.verifier.book import Fill, Floor, Order, check_fill_id
from marginproof.verifier.book_store import AccountRow, FillRecord
from marginproof.verifier.live import LiveAccount, LiveAccounts
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.orders import TradingView, check_order
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.store import VenueStore
from marginproof.verifier.trading import TradingDesk
from marginproof.verifier.turns import in_turn


@dataclasses.dataclass(frozen=True, slots=True)
class FillAnswer:
    """What became of a fill: the book's sequence number after it, or why it was refused."""

    sequence: int = 0
    repeated: bool = False
    refusal: MarginproofError | None = None


@dataclasses.dataclass(slots=True)
class _Draft:
    """An account while a batch is judged: nothing of it is known to anybody before the batch is written."""

    before: int
    sequence: int
    view: TradingView


class BookDesk:
    """Changes books, one batch after another.

    Args:
        setting: The venue.
        store: Where books are kept.
        live: The accounts.
        trading: What orders are judged by.
        metrics: Counters.
        lock: Held while accounts change.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        store: VenueStore,
        live: LiveAccounts,
        trading: TradingDesk,
        metrics: VenueMetrics,
        lock: asyncio.Lock,
    ) -> None:
        self._setting = setting
        self._store = store
        self._live = live
        self._trading = trading
        self._metrics = metrics
        self._lock = lock
        self._floor = Floor(setting.universe)

    async def open_account(self, account: bytes) -> int:
        """Opens an account with an empty book, unless it is open; gives the book's sequence number."""
        return await in_turn(self._lock, self._store.books.open, account)

    def book(self, account: bytes) -> Book:
        """The current book with an account; secret between venue and account.

        Raises:
            NotFoundError: BOOK_UNKNOWN.
        """
        return book_of(self._setting, account, self._live.of(account))

    async def check_order(self, order: Order) -> None:
        """Whether a fill of the whole order would be booked now; changes nothing.

        Raises:
            MarginproofError: Why not: BOOK_UNKNOWN, NOT_FOUND (no such instrument), OUT_OF_RANGE, INPUT_LENGTH,
                LINE_CLOSED, LINE_EXCEEDED.
        """
        async with self._lock:
            now = self._setting.clock()
            try:
                self._judge(self._draft(order.account, now, {}), order, now)
            except MarginproofError as refusal:
                self._metrics.order_checked(refusal.code)
                raise
        self._metrics.order_checked()

    async def record_fill(self, fill: Fill) -> FillAnswer:
        """Books one fill once; the same fill again gives the same answer.

        Raises:
            MarginproofError: As :meth:`check_order`; CONFLICT, the fill id was used for another fill.
        """
        (answer,) = await self.record_fills([fill])
        if answer.refusal is not None:
            raise answer.refusal
        return answer

    async def record_fills(self, fills: Sequence[Fill]) -> list[FillAnswer]:
        """Judges fills in order, each after those before it, and books what passes: one transaction, one flush."""
        return await in_turn(self._lock, self._record, fills)

    def _record(self, fills: Sequence[Fill]) -> list[FillAnswer]:
        now = self._setting.clock()
        known = self._store.books.find_fills([fill.fill_id for fill in fills])
        drafts: dict[bytes, _Draft] = {}
        fresh: list[FillRecord] = []
        answers = []
        for fill in fills:
            try:
                booked = known.get(fill.fill_id)
                if booked is None:
                    check_fill_id(fill.fill_id)
                    booked = self._book(fill, self._draft(fill.order.account, now, drafts), now)
                    known[fill.fill_id] = booked
                    fresh.append(booked)
                    answers.append(FillAnswer(booked.sequence))
                elif booked.fill == fill:
                    answers.append(FillAnswer(booked.sequence, repeated=True))
                else:
                    raise RefusedError(
                        ReasonCode.CONFLICT,
                        "this fill id was booked for another fill",
                        fix="give every fill its own id",
                    )
            except MarginproofError as refusal:
                answers.append(FillAnswer(refusal=refusal))
        self._write(fresh, drafts)
        self._metrics.filled(len(fresh), [answer.refusal.code for answer in answers if answer.refusal is not None])
        return answers

    def _book(self, fill: Fill, draft: _Draft, now: int) -> FillRecord:
        change, book = self._judge(draft, fill.order, now)
        lines: tuple[Line, ...] = tuple(line.after(change) for line in draft.view.lines)
        draft.sequence += 1
        draft.view = dataclasses.replace(draft.view, book=book, lines=lines)
        return FillRecord(fill, draft.sequence)

    def _judge(self, draft: _Draft, order: Order, now: int) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """What the order changes, and the book after it; raises where it may not be filled."""
        entry = self._floor.instrument(order, now)
        change = self._floor.change(entry, order)
        after = self._floor.apply(draft.view.book, change)
        check_order(draft.view, entry, order.lots, order.price_e8, change)
        return change, after

    def _draft(self, account: bytes, now: int, drafts: dict[bytes, _Draft]) -> _Draft:
        draft = drafts.get(account)
        if draft is None:
            live = self._live.of(account)
            draft = _Draft(live.row.sequence, live.row.sequence, self._trading.view(account, live, now))
            drafts[account] = draft
        return draft

    def _write(self, fresh: Sequence[FillRecord], drafts: Mapping[bytes, _Draft]) -> None:
        changed = {account: draft for account, draft in drafts.items() if draft.sequence != draft.before}
        if not changed:
            return
        rows = {
            account: (draft.before, AccountRow(draft.sequence, draft.view.book, self._live.of(account).row.status))
            for account, draft in changed.items()
        }
        self._store.books.record(fresh, rows)
        for account, draft in changed.items():
            self._live.booked(account, rows[account][1], draft.view.lines)


def book_of(setting: VenueSetting, account: bytes, live: LiveAccount) -> Book:
    """The book as it is handed to its owner."""
    values = tuple(VectorValue(index, lots) for index, lots in sorted(live.row.book.items()))
    return Book(setting.venue, account, setting.universe_digest, live.row.sequence, values)
