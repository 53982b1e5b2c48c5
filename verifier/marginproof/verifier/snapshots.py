"""Snapshots: for every price slot the venue signs its policy at the relayers' prices."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.errors import MarginproofError, NotFoundError
from marginproof.model.margin import Purpose, SignedSnapshot, Snapshot
from marginproof.model.prices import PriceReport
from marginproof.model.typed_data import snapshot_message
from marginproof.oracles.report import check_slot_time, usable_prices
from marginproof.risk.policy import Policy
from marginproof.risk.snapshot import build_snapshot, compile_snapshot
from marginproof.verifier.facts import SnapshotFacts
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.store import VenueStore

HISTORY_SECONDS: Final = 7 * 86_400
"""How long expired snapshots are kept, so that a late presentation is told it is stale and not unknown."""

_log = structlog.get_logger("marginproof.venue")


def make_snapshot(setting: VenueSetting, policy: Policy, report: PriceReport, now: int) -> SignedSnapshot:
    """Builds and signs the snapshot of a price report; the report is checked in full.

    Args:
        setting: The venue.
        policy: The policy to put at these prices.
        report: From any relayer.
        now: UTC seconds; the time at which options are valued.

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
    )
    return SignedSnapshot(snapshot, sign_typed(setting.key, snapshot_message(snapshot)))


class SnapshotDesk:
    """Holds the snapshots that are current, and remembers the others.

    Args:
        setting: The venue.
        policies: Its policies.
        store: Where snapshots are kept.
    """

    def __init__(self, setting: VenueSetting, policies: PolicyBook, store: VenueStore) -> None:
        self._setting = setting
        self._policies = policies
        self._store = store
        self._compiled: dict[bytes, SnapshotFacts] = {}
        self._newest = self._restored()
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
        signed = await asyncio.to_thread(make_snapshot, self._setting, policy, report, now)
        facts = await asyncio.to_thread(self._compile, signed.snapshot)
        async with self._changed:
            if signed.snapshot.price_slot <= self.newest_slot:
                return False
            self._store.add_snapshot(signed, report, keep_after=now - HISTORY_SECONDS)
            self._compiled = {digest: old for digest, old in self._compiled.items() if old.current(now)}
            self._compiled[signed.digest] = facts
            self._newest = (signed, report)
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
        signed = self._store.find_snapshot(digest)
        if signed is None:
            return None
        if now >= signed.snapshot.expires_at:
            return SnapshotFacts(signed.snapshot, {})
        try:
            facts = self._compile(signed.snapshot)
        except MarginproofError:  # made under a policy that is no longer configured: nothing can be proven on it
            return None
        self._compiled[digest] = facts
        return facts

    def _restored(self) -> tuple[SignedSnapshot, PriceReport] | None:
        """The newest stored snapshot, unless its policy is no longer configured: then its slot is made anew."""
        stored = self._store.newest_snapshot()
        if stored is None or not self._policies.knows(stored[0].snapshot.policy_digest):
            return None
        return stored

    def _compile(self, snapshot: Snapshot) -> SnapshotFacts:
        policy = self._policies.find(snapshot.policy_digest)
        universe = self._setting.universe
        return SnapshotFacts(
            snapshot,
            {purpose: compile_snapshot(policy, universe, snapshot, purpose).statement for purpose in Purpose},
        )
