"""What a venue counts: decisions, orders and fills, pledges, coverage, snapshots. No amount, no account."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from marginproof.model.margin import Outcome
from marginproof.model.reasons import ReasonCode

_BUCKETS: Final = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class VenueMetrics:
    """The venue's Prometheus metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._decisions = Counter(
            "marginproof_venue_decisions_total",
            "Decisions recorded, by outcome and first reason.",
            ("outcome", "reason"),
            registry=self.registry,
        )
        self._repeats = Counter(
            "marginproof_venue_repeated_answers_total", "Stored decisions given again.", registry=self.registry
        )
        self._judging = Histogram(
            "marginproof_venue_judging_seconds",
            "Time of the numbered procedure, proof verification included.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._slot = Gauge(
            "marginproof_venue_snapshot_slot", "Price slot of the newest snapshot.", registry=self.registry
        )
        self._fills = Counter("marginproof_venue_fills_total", "Fills booked.", registry=self.registry)
        self._refused = Counter(
            "marginproof_venue_fills_refused_total", "Fills refused, by reason.", ("reason",), registry=self.registry
        )
        self._orders = Counter(
            "marginproof_venue_orders_checked_total",
            "Orders checked before they were filled, by the reason they would be refused for.",
            ("reason",),
            registry=self.registry,
        )
        self._pledges = Counter(
            "marginproof_venue_pledges_total", "Pledges by the state they came to.", ("state",), registry=self.registry
        )
        self._coverage = Counter(
            "marginproof_venue_coverage_changes_total",
            "Books that their pledge ceased to cover (false) or covered again (true) at a new snapshot.",
            ("covered",),
            registry=self.registry,
        )

    def decided(self, outcome: Outcome, reasons: tuple[ReasonCode, ...], seconds: float) -> None:
        """Counts a recorded decision."""
        self._decisions.labels(outcome.name, str(reasons[0]) if reasons else "").inc()
        self._judging.observe(seconds)

    def repeated(self) -> None:
        """Counts a stored decision that was given again."""
        self._repeats.inc()

    def snapshot_made(self, slot: int) -> None:
        """Notes the newest snapshot's price slot."""
        self._slot.set(slot)

    def filled(self, booked: int, refused: Sequence[ReasonCode]) -> None:
        """Counts the fills of one call."""
        self._fills.inc(booked)
        for reason in refused:
            self._refused.labels(str(reason)).inc()

    def order_checked(self, reason: ReasonCode | None = None) -> None:
        """Counts an order that was checked."""
        self._orders.labels(str(reason or "")).inc()

    def pledge_moved(self, state: str) -> None:
        """Counts a pledge that came to a state."""
        self._pledges.labels(state).inc()

    def coverage_changed(self, *, covered: bool) -> None:
        """Counts a book that came out of its pledge's cover or back into it."""
        self._coverage.labels(str(covered).lower()).inc()
