"""Snapshots: for every price slot the venue signs its policy at the relayers' prices."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.errors import MarginproofError, NotFoundError
from marginproof.model.margin import SignedSnapshot, Snapshot
from marginproof.model.prices import PriceReport
from marginproof.model.typed_data import snapshot_message
from marginproof.oracles.report import check_slot_time, usable_prices
from marginproof.risk.policy import Policy
from marginproof.risk.snapshot import SnapshotRows, build_snapshot, snapshot_market
from marginproof.risk.valuation import unit_values
from marginproof.verifier.book import INSTRUMENT_KINDS
from marginproof.verifier.facts import SnapshotFacts
from marginproof.verifier.orders import Quote
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshot_store import SnapshotStore

HISTORY_SECONDS: Final = 7 * 86_400
"""How long expired snapshots are kept, so that a late presentation is told it is stale and not unknown."""

Agreements = Callable[[Iterable[bytes]], Awaitable[frozenset[bytes]]]
"""Gives those of some venues (20 bytes each) with which this one has a mutual agreement on the registry."""

_log = structlog.get_logger("marginproof.venue")


@dataclasses.dataclass(frozen=True, slots=True)
class TradingTerms:
    """What a snapshot means for orders: its digest and end, the rows of lines, and a quote for every instrument."""

    digest: bytes
    expires_at: int
    line_rows: tuple[Mapping[int, int], ...]
    quotes: Mapping[int, Quote]


def make_snapshot(
    setting: VenueSetting, policy: Policy, report: PriceReport, now: int, full_recognition: Sequence[bytes] = ()
) -> SignedSnapshot:
    """Builds and signs the snapshot of a price report; the report is checked in full.

    Args:
        setting: The venue.
        policy: The policy to put at these prices.
        report: From any relayer.
        now: UTC seconds; the time at which options are valued.
        full_recognition: Venues of the policy's list that have a mutual agreement with this one.

    Raises:
        MarginproofError: What is wrong with the report; PRICE_STALE, PRICE_UNAVAILABLE; what the policy refuses.
    """
    file = setting.file
    prices = usable_prices(
        report,
        universe=file.universe,
        network_id=setting.network_id,
        signer_set=file.signer_set,
        threshold=file.configuration.threshold,
    )
    slot = report.observations[0].observations.slot
    check_slot_time(file.configuration, slot, now)
    snapshot = build_snapshot(
        policy,
        file.universe,
        network_id=setting.network_id,
        venue=setting.venue,
        price_slot=slot,
        values=prices,
        created_at=now,
        expires_at=now + file.configuration.snapshot_seconds,
        full_recognition=full_recognition,
    )
    return SignedSnapshot(snapshot, sign_typed(setting.key, snapshot_message(snapshot)))


class SnapshotDesk:
    """Holds the snapshots that are current, and remembers the others.

    Args:
        setting: The venue.
        policies: Its policies.
        store: Where snapshots are kept.
        agreements: What the registry says; asked only under a policy that recognises others in full.
    """

    def __init__(
        self, setting: VenueSetting, policies: PolicyBook, store: SnapshotStore, agreements: Agreements
    ) -> None:
        self._setting = setting
        self._policies = policies
        self._store = store
        self._agreements = agreements
        self._compiled: dict[bytes, SnapshotFacts] = {}
        self._newest: tuple[SignedSnapshot, PriceReport] | None = None
        self._terms: TradingTerms | None = None
        self._restore()
        self._changed = asyncio.Condition()

    def newest(self) -> tuple[SignedSnapshot, PriceReport]:
        """The newest snapshot and its report, current or not.

        Raises:
            NotFoundError: There was none yet.
        """
        if self._newest is None:
            raise NotFoundError("this venue has made no snapshot yet", fix="ask again in the next price slot")
        return self._newest

    @property
    def has_current(self) -> bool:
        """Whether a presentation can be made now."""
        return self._newest is not None and self._setting.clock() < self._newest[0].snapshot.expires_at

    @property
    def terms(self) -> TradingTerms | None:
        """The newest snapshot's, current or not; None before the first."""
        return self._terms

    @property
    def newest_slot(self) -> int:
        """The price slot of the newest snapshot; −1 before the first."""
        return -1 if self._newest is None else self._newest[0].snapshot.price_slot

    async def offer(self, report: PriceReport) -> bool:
        """Makes a snapshot of a report that is newer than all before; False when it is not.

        Raises:
            MarginproofError: See :func:`make_snapshot`; nothing is changed.
        """
        if not report.observations or report.observations[0].observations.slot <= self.newest_slot:
            return False
        now = self._setting.clock()
        policy = self._policies.in_force(now)
        recognised = sorted(await self._agreements(policy.full_recognition)) if policy.full_recognition else []
        signed = await asyncio.to_thread(make_snapshot, self._setting, policy, report, now, recognised)
        facts, terms = await asyncio.to_thread(self._compile, signed.snapshot)
        async with self._changed:
            if signed.snapshot.price_slot <= self.newest_slot:
                return False
            self._store.add(signed, report, keep_after=now - HISTORY_SECONDS)
            self._compiled = {digest: old for digest, old in self._compiled.items() if old.current(now)}
            self._compiled[signed.digest] = facts
            self._newest, self._terms = (signed, report), terms
            self._changed.notify_all()
        _log.info("snapshot made", slot=signed.snapshot.price_slot, expires_at=signed.snapshot.expires_at)
        return True

    async def follow(self) -> AsyncIterator[tuple[SignedSnapshot, PriceReport]]:
        """Every snapshot from now on; a slow reader gets the newest and misses those between."""
        seen = self.newest_slot
        while True:
            async with self._changed:
                while self.newest_slot <= seen:
                    await self._changed.wait()
                pair = self.newest()
            seen = pair[0].snapshot.price_slot
            yield pair

    def facts(self, digest: bytes, now: int) -> SnapshotFacts | None:
        """What this venue signed under a digest, with rows if it is current at ``now``; None when it signed nothing."""
        known = self._compiled.get(digest)
        if known is not None:
            return known
        signed = self._store.find(digest)
        if signed is None:
            return None
        if now >= signed.snapshot.expires_at:
            return SnapshotFacts(signed.snapshot, None)
        try:
            facts, _ = self._compile(signed.snapshot)
        except MarginproofError:  # made under a policy that is no longer configured: nothing can be proven on it
            return None
        self._compiled[digest] = facts
        return facts

    def _restore(self) -> None:
        """Goes on from the newest stored snapshot, unless policy or universe are others now: its slot is made anew."""
        stored = self._store.newest()
        if stored is None or not self._policies.knows(stored[0].snapshot.policy_digest):
            return
        try:
            _, self._terms = self._compile(stored[0].snapshot)
        except MarginproofError:
            return
        self._newest = stored

    def _compile(self, snapshot: Snapshot) -> tuple[SnapshotFacts, TradingTerms]:
        """Both purposes are compiled here, before anybody waits for them."""
        policy, universe = self._policies.find(snapshot.policy_digest), self._setting.universe
        rows, market = SnapshotRows(policy, universe, snapshot), snapshot_market(snapshot)
        values = unit_values(policy, universe, market)
        quotes = {
            entry.index: Quote(values[entry.index].now, market.price(entry.price_point))
            for entry in universe.entries
            if entry.kind in INSTRUMENT_KINDS
        }
        terms = TradingTerms(snapshot.root(), snapshot.expires_at, rows.line_rows(), quotes)
        return SnapshotFacts(snapshot, rows), terms
