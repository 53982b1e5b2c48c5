"""What the agent tells: words, times and public ids. No field of an event could hold an amount."""

import dataclasses
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from marginproof.model.chains import format_address
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.levels import Level

SCHEMA: Final = "marginproof/agent-event/v1"


class EventKind(StrEnum):
    """What happened."""

    STARTED = "started"
    STOPPED = "stopped"
    PROOF_ACCEPTED = "proof-accepted"
    PROOF_REJECTED = "proof-rejected"
    PROOF_IMPOSSIBLE = "proof-impossible"
    PLEDGE_SUBMITTED = "pledge-submitted"
    PLEDGE_STANDING = "pledge-standing"
    PLEDGE_FAILED = "pledge-failed"
    PROPOSAL_DECLINED = "proposal-declined"
    LEVEL_CHANGED = "level-changed"
    STATE_CHANGED = "state-changed"
    DEADLINE_NEAR = "deadline-near"
    TOP_UP_RESERVED = "top-up-reserved"
    TOP_UP_SENT = "top-up-sent"
    TOP_UP_COUNTED = "top-up-counted"
    TOP_UP_REFUSED = "top-up-refused"
    STREAM_LOST = "stream-lost"
    STREAM_BACK = "stream-back"
    TROUBLE = "trouble"
    TROUBLE_OVER = "trouble-over"


class Severity(StrEnum):
    """How much an event matters to whoever is woken by it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


_WARNINGS: Final = frozenset(
    {
        EventKind.PROOF_REJECTED,
        EventKind.PLEDGE_FAILED,
        EventKind.PROPOSAL_DECLINED,
        EventKind.TROUBLE,
        EventKind.STREAM_LOST,
    }
)
_CRITICAL: Final = frozenset({EventKind.PROOF_IMPOSSIBLE, EventKind.DEADLINE_NEAR, EventKind.TOP_UP_REFUSED})
_URGENT_STATES: Final = frozenset({"MARGIN_CALL", "DEFAULT"})


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Args:
        kind: What.
        at: UTC seconds.
        venue: Address, 20 bytes; None where it concerns no single venue.
        level: Of the venue's headroom, where it changed.
        state: Name of the margin state, where it changed.
        code: Reason code, where there is one.
        subject: What a stream or trouble is about: a fixed word of this package, or a chain's id.
        deadline: When the next proof is due at the venue, UTC seconds.
    """

    kind: EventKind
    at: int
    venue: bytes | None = None
    level: Level | None = None
    state: str | None = None
    code: ReasonCode | None = None
    subject: str | None = None
    deadline: int | None = None

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        if self.kind in _CRITICAL or self.level is Level.CRITICAL or self.state in _URGENT_STATES:
            return Severity.CRITICAL
        if self.kind in _WARNINGS or self.level is Level.TIGHT:
            return Severity.WARNING
        return Severity.INFO

    def document(self) -> dict[str, object]:
        """The JSON document, without what does not apply."""
        fields: dict[str, object | None] = {
            "schema": SCHEMA,
            "event": str(self.kind),
            "severity": str(self.severity),
            "at": self.at,
            "venue": format_address(self.venue) if self.venue is not None else None,
            "level": self.level.name if self.level is not None else None,
            "state": self.state,
            "code": str(self.code) if self.code is not None else None,
            "subject": self.subject,
            "deadline": self.deadline,
        }
        return {name: value for name, value in fields.items() if value is not None}


Sink = Callable[[Event], None]
"""Is told of every event; must not block and must not raise."""
