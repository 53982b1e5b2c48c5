"""What the agent counts, for Prometheus: levels, times and reason codes, never an amount."""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from marginproof.model.chains import format_address
from marginproof.prover.agent.events import Event, EventKind
from marginproof.prover.agent.levels import Level

_NO_VENUE: Final = ""
_PROOFS: Final = {
    EventKind.PROOF_ACCEPTED: "accepted",
    EventKind.PLEDGE_SUBMITTED: "accepted",
    EventKind.PROOF_REJECTED: "rejected",
    EventKind.PROOF_IMPOSSIBLE: "impossible",
}
_TOP_UPS: Final = {
    EventKind.TOP_UP_RESERVED: "reserved",
    EventKind.TOP_UP_SENT: "sent",
    EventKind.TOP_UP_COUNTED: "counted",
    EventKind.TOP_UP_REFUSED: "refused",
}


class AgentMetrics:
    """The agent's metrics, in a registry of their own; fed by events.

    Args:
        clock: UTC seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._codes: dict[str, str] = {}
        self._level = self._gauge("level", "Headroom at a venue: 0 ok, 1 tight, 2 critical.", "venue")
        self._deadline = self._gauge("deadline_seconds", "Until a venue's next proof is due; below 0: late.", "venue")
        self._error = self._gauge("error", "1 for the reason code that a venue or part fails with now.", "of", "code")
        self._stream = self._gauge("stream_up", "Whether a stream is connected.", "of", "stream")
        self._proofs = self._counter("proofs_total", "Proofs by what came of them.", "venue", "outcome")
        self._top_ups = self._counter("top_ups_total", "Steps of top-ups.", "outcome")
        self._webhooks = self._counter("webhooks_total", "Webhook deliveries.", "outcome")

    def __call__(self, event: Event) -> None:
        """Counts an event."""
        of = format_address(event.venue) if event.venue is not None else _NO_VENUE
        if event.kind in _PROOFS:
            self._proofs.labels(of, _PROOFS[event.kind]).inc()
        if event.kind in _TOP_UPS:
            self._top_ups.labels(_TOP_UPS[event.kind]).inc()
        self._note_trouble(event, of)
        if event.kind in (EventKind.STREAM_BACK, EventKind.STREAM_LOST):
            self._stream.labels(of, event.subject or "").set(event.kind is EventKind.STREAM_BACK)

    def level(self, venue: bytes, level: Level) -> None:
        """Notes a venue's level."""
        self._level.labels(format_address(venue)).set(level)

    def deadline(self, venue: bytes, due_at: int) -> None:
        """Notes when a venue's next proof is due, UTC seconds; the seconds left are counted when asked for."""
        self._deadline.labels(format_address(venue)).set_function(lambda: due_at - self._clock())

    def delivered(self, outcome: str) -> None:
        """Counts a webhook delivery: delivered, failed or dropped."""
        self._webhooks.labels(outcome).inc()

    def _note_trouble(self, event: Event, of: str) -> None:
        if event.kind not in (EventKind.TROUBLE, EventKind.TROUBLE_OVER):
            return
        part = of or event.subject or ""
        if part in self._codes:
            self._error.remove(part, self._codes.pop(part))
        if event.kind is EventKind.TROUBLE:
            self._codes[part] = str(event.code)
            self._error.labels(part, str(event.code)).set(1)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"marginproof_account_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"marginproof_account_{name}", text, labels, registry=self.registry)
