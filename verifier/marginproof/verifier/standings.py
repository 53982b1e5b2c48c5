"""Keeps every account's status going: ticks the pure machine with what was to be had at each moment."""

from collections.abc import Callable, Mapping

import structlog

from marginproof.model.margin import MarginState
from marginproof.verifier.evidence import RelayerEvidence
from marginproof.verifier.live import LiveAccount, LiveAccounts
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.status import AccountStatus, Evidence, StatusRules, advance, state_of
from marginproof.verifier.store import VenueStore

_SNAPSHOT = "snapshot"
_REGISTRY = "registry"
_log = structlog.get_logger("marginproof.venue")


class StandingKeeper:
    """Knows since when a snapshot, the registry and each chain's certificate were to be had, and judges deadlines.

    Args:
        setting: The venue.
        store: Where standings are kept.
        live: The accounts.
        snapshots: Whether a snapshot is current.
        evidence: Whether certificates are.
        registry_current: Tells whether the registry was seen lately: what cannot be decided on cannot be missed.
    """

    def __init__(
        self,
        setting: VenueSetting,
        store: VenueStore,
        live: LiveAccounts,
        snapshots: SnapshotDesk,
        evidence: RelayerEvidence,
        registry_current: Callable[[], bool],
    ) -> None:
        self._clock = setting.clock
        self._store = store
        self._live = live
        self._snapshots = snapshots
        self._evidence = evidence
        self._registry_current = registry_current
        self.rules = StatusRules.of(setting.configuration)
        self._since: dict[str, int] = {}

    def tick(self) -> None:
        """Notes what is to be had now and judges the deadlines that have come. Call it about once a second."""
        now = self._clock()
        self.observe(now)
        changed: dict[bytes, AccountStatus] = {}
        for account, status in self._store.books.due(now):
            after = advance(status, now, self._evidence_for(status, self._live.of(account)), self.rules)
            if after != status:
                changed[account] = after
                if after.missed > status.missed:
                    _log.warning("deadline missed", account=account.hex(), missed=after.missed)
        self._store.books.write_statuses(changed.items())

    def observe(self, now: int) -> None:
        """Notes at ``now`` (UTC seconds) which evidence is to be had."""
        self._note(_SNAPSHOT, self._snapshots.has_current, now)
        self._note(_REGISTRY, self._registry_current(), now)
        for chain in self._evidence.chains:
            known = self._evidence.chain(chain)
            self._note(chain, known is not None and now < known.expires_at, now)

    def standing(self, account: bytes) -> tuple[AccountStatus, MarginState]:
        """Where an account stands now.

        Raises:
            NotFoundError: BOOK_UNKNOWN; it is not open here.
        """
        live, now = self._live.of(account), self._clock()
        self.observe(now)
        evidence = self._evidence_for(live.row.status, live)
        current = advance(live.row.status, now, evidence, self.rules)
        return current, state_of(current, now, evidence, self.rules)

    def state(self, live: LiveAccount, now: int) -> MarginState:
        """The state of an account at ``now`` (UTC seconds), by what was to be had at the last tick."""
        evidence = self._evidence_for(live.row.status, live)
        return state_of(advance(live.row.status, now, evidence, self.rules), now, evidence, self.rules)

    def _note(self, key: str, available: bool, now: int) -> None:
        if available:
            self._since.setdefault(key, now)
        else:
            self._since.pop(key, None)

    def _evidence_for(self, status: AccountStatus, live: LiveAccount) -> Evidence:
        references: Mapping[str, int] = dict(status.references)
        times = [self._since.get(key) for key in (_SNAPSHOT, _REGISTRY, *references)]
        known = [time for time in times if time is not None]
        last, swapping = [], live.pending is not None
        for chain, used in references.items():
            latest = self._evidence.chain(chain)
            # Newer certificates say nothing of what an account still has that can prove nothing.
            last.append(used if swapping or latest is None else max(used, latest.last_reference))
        return Evidence(
            since=max(known) if len(known) == len(times) else None,
            last_reference=min(last, default=None),
            swapping=swapping,
        )
