"""The agent's log: one structured line per event."""

import structlog

from marginproof.prover.agent.events import Event, Severity

_log = structlog.get_logger("marginproof.agent")


def log_event(event: Event) -> None:
    """Writes an event to the log; an event holds no secret."""
    document = event.document()
    kind = str(document.pop("event"))
    write = _log.info if event.severity is Severity.INFO else _log.warning
    write(kind, **document)
