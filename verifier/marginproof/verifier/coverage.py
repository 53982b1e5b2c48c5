"""Judges on every new snapshot which books their pledges still cover, and asks for cover where they do not."""

import asyncio
from collections import deque
from typing import Final

import structlog

from marginproof.risk.line import owes_nothing
from marginproof.verifier.live import LiveAccount, LiveAccounts
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.pledges import PledgeDesk
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk, TradingTerms
from marginproof.verifier.status import AccountStatus, StatusRules, after_covered, after_uncovered
from marginproof.verifier.store import VenueStore

_AT_A_TIME: Final = 100
"""Accounts judged before orders get their turn again."""
_log = structlog.get_logger("marginproof.venue")


class CoverageKeeper:
    """Goes through all accounts once for every snapshot.

    Args:
        setting: The venue.
        store: Where standings are kept.
        live: The accounts.
        snapshots: The newest prices.
        pledges: Proposes cover.
        metrics: Counters.
        lock: Held while accounts change.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        store: VenueStore,
        live: LiveAccounts,
        snapshots: SnapshotDesk,
        pledges: PledgeDesk,
        metrics: VenueMetrics,
        lock: asyncio.Lock,
    ) -> None:
        self._setting = setting
        self._store = store
        self._live = live
        self._snapshots = snapshots
        self._pledges = pledges
        self._metrics = metrics
        self._lock = lock
        self._rules = StatusRules.of(setting.configuration)
        self._judged = b""
        self._waiting: deque[bytes] = deque()

    async def step(self) -> None:
        """Judges what the newest snapshot has not been held against yet.

        An account whose registry record has not been read since the start waits: it is judged by no guess.
        """
        terms = self._snapshots.terms
        if terms is None or self._setting.clock() >= terms.expires_at:
            return
        if terms.digest != self._judged:
            self._waiting = deque(await asyncio.to_thread(self._store.books.all_accounts))
            self._judged = terms.digest
        for _ in range(-(-len(self._waiting) // _AT_A_TIME)):
            some = [self._waiting.popleft() for _ in range(min(_AT_A_TIME, len(self._waiting)))]
            async with self._lock:
                self._waiting.extend(await asyncio.to_thread(self._judge, some, terms))

    def _judge(self, accounts: list[bytes], terms: TradingTerms) -> list[bytes]:
        """Judges some accounts; gives back those that cannot be judged yet."""
        unknown, changed = [], []
        for account in accounts:
            live = self._live.of(account)
            if live.row.book and live.record is None:
                unknown.append(account)
                continue
            covered = self._covered(account, live, terms)
            after = self._after(live.row.status, covered=covered)
            if after != live.row.status:
                changed.append((account, after))
                self._metrics.coverage_changed(covered=covered)
                _log.info("coverage changed", account=account.hex(), covered=covered)
            if not covered:
                self._pledges.propose_cover(account, terms.line_rows)
        self._store.books.write_statuses(changed)
        return unknown

    def _covered(self, account: bytes, live: LiveAccount, terms: TradingTerms) -> bool:
        if owes_nothing(self._setting.universe, live.row.book):
            return True
        lines = self._live.lines(account, live, terms.line_rows, terms.digest)
        return bool(lines) and lines[0].fits({})

    def _after(self, status: AccountStatus, *, covered: bool) -> AccountStatus:
        return after_covered(status) if covered else after_uncovered(status, self._setting.clock(), self._rules)
