"""Events and metrics: words and times alone."""

import dataclasses
import typing

import pytest

from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.events import Event, EventKind, Severity
from marginproof.prover.agent.levels import Level
from marginproof.prover.agent.metrics import AgentMetrics

VENUE = b"\x11" * 20
OF = "0x" + "11" * 20


def test_no_field_could_hold_an_amount() -> None:
    kinds = typing.get_type_hints(Event)
    assert set(kinds) == {"kind", "at", "venue", "level", "state", "code", "subject", "deadline"}
    assert [name for name, kind in kinds.items() if "int" in str(kind)] == ["at", "deadline"]


def test_the_document_leaves_out_what_does_not_apply() -> None:
    event = Event(EventKind.TROUBLE, 5, VENUE, code=ReasonCode.UNAVAILABLE, subject="venue")
    assert event.document() == {
        "schema": "marginproof/agent-event/v1",
        "event": "trouble",
        "severity": "warning",
        "at": 5,
        "venue": OF,
        "code": "UNAVAILABLE",
        "subject": "venue",
    }


@pytest.mark.parametrize(
    ("event", "severity"),
    [
        (Event(EventKind.PROOF_ACCEPTED, 1), Severity.INFO),
        (Event(EventKind.LEVEL_CHANGED, 1, level=Level.OK), Severity.INFO),
        (Event(EventKind.LEVEL_CHANGED, 1, level=Level.TIGHT), Severity.WARNING),
        (Event(EventKind.LEVEL_CHANGED, 1, level=Level.CRITICAL), Severity.CRITICAL),
        (Event(EventKind.STATE_CHANGED, 1, state="PROOF_DUE"), Severity.INFO),
        (Event(EventKind.STATE_CHANGED, 1, state="MARGIN_CALL"), Severity.CRITICAL),
        (Event(EventKind.PROOF_IMPOSSIBLE, 1, code=ReasonCode.MARGIN_INSUFFICIENT), Severity.CRITICAL),
        (Event(EventKind.PROOF_REJECTED, 1, code=ReasonCode.REPLAYED), Severity.WARNING),
        (Event(EventKind.TOP_UP_REFUSED, 1, code=ReasonCode.TOP_UP_LIMIT), Severity.CRITICAL),
    ],
)
def test_severity(event: Event, severity: Severity) -> None:
    assert event.severity is severity


def value(metrics: AgentMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"marginproof_account_{name}", labels)


def test_metrics_of_a_venue() -> None:
    metrics = AgentMetrics(lambda: 1_000)
    metrics.level(VENUE, Level.TIGHT)
    metrics.deadline(VENUE, 1_600)
    for kind in (EventKind.PROOF_ACCEPTED, EventKind.PLEDGE_SUBMITTED, EventKind.PROOF_REJECTED):
        metrics(Event(kind, 1, VENUE))
    metrics(Event(EventKind.STREAM_BACK, 1, VENUE, subject="snapshots"))
    assert value(metrics, "level", venue=OF) == 1
    assert value(metrics, "deadline_seconds", venue=OF) == 600
    assert value(metrics, "proofs_total", venue=OF, outcome="accepted") == 2
    assert value(metrics, "proofs_total", venue=OF, outcome="rejected") == 1
    assert value(metrics, "stream_up", of=OF, stream="snapshots") == 1
    metrics(Event(EventKind.STREAM_LOST, 1, VENUE, subject="snapshots"))
    assert value(metrics, "stream_up", of=OF, stream="snapshots") == 0


def test_the_error_of_a_part_is_the_one_it_has_now() -> None:
    metrics = AgentMetrics()
    trouble = Event(EventKind.TROUBLE, 1, VENUE, code=ReasonCode.UNAVAILABLE)
    metrics(trouble)
    metrics(dataclasses.replace(trouble, code=ReasonCode.DEADLINE))
    assert value(metrics, "error", of=OF, code="UNAVAILABLE") is None
    assert value(metrics, "error", of=OF, code="DEADLINE") == 1
    metrics(Event(EventKind.TROUBLE_OVER, 1, VENUE))
    assert value(metrics, "error", of=OF, code="DEADLINE") is None


def test_steps_of_top_ups_and_deliveries_are_counted() -> None:
    metrics = AgentMetrics()
    for kind in (EventKind.TOP_UP_RESERVED, EventKind.TOP_UP_SENT, EventKind.TOP_UP_COUNTED, EventKind.TOP_UP_REFUSED):
        metrics(Event(kind, 1, subject="top-up"))
    metrics.delivered("failed")
    for outcome in ("reserved", "sent", "counted", "refused"):
        assert value(metrics, "top_ups_total", outcome=outcome) == 1
    assert value(metrics, "webhooks_total", outcome="failed") == 1
