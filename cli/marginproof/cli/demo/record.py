"""What the demo writes down: each step with what was expected and what happened, and what each party has seen."""

import dataclasses
import re
import time
from typing import Any, Final

SCHEMA: Final = "marginproof/demo/v1"
_SHORTEST_BYTES: Final = 6


@dataclasses.dataclass(slots=True)
class Step:
    """One step of the story. ``reasons`` are codes; figures are None where nothing was proven or filled.

    ``at_seconds`` is when it ended, counted from the start of the demo.
    """

    number: str
    title: str
    expected: str
    outcome: str = "not reached"
    reasons: tuple[str, ...] = ()
    detail: str = ""
    proof_bytes: int | None = None
    prove_milliseconds: float | None = None
    verify_milliseconds: float | None = None
    orders: int | None = None
    orders_per_second: int | None = None
    at_seconds: float = 0.0

    @property
    def as_expected(self) -> bool:
        """Whether the outcome, and a reason where one was expected, is what the story says."""
        outcome, _, reason = self.expected.partition(" ")
        return self.outcome == outcome and (not reason or reason in self.reasons)


@dataclasses.dataclass(frozen=True, slots=True)
class PartyView:
    """What one party has seen of the account; ``amounts_found`` counts collateral amounts found in the bytes."""

    party: str
    seen: str
    byte_count: int
    amounts_found: int | None
    not_seen: str


@dataclasses.dataclass(slots=True)
class Record:
    """The whole run; ``story`` is "full" or "main"."""

    source: str
    story: str
    steps: list[Step] = dataclasses.field(default_factory=list)
    parties: list[PartyView] = dataclasses.field(default_factory=list)
    certificates: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    peak_memory_mebibytes: float = 0.0
    error: str = ""
    started: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self.started

    @property
    def as_expected(self) -> bool:
        """Whether every step was reached and had its expected outcome."""
        return not self.error and bool(self.steps) and all(step.as_expected for step in self.steps)

    def document(self) -> dict[str, Any]:
        """The record for ``--json``."""
        return {
            "schema": SCHEMA,
            "as_expected": self.as_expected,
            "source": self.source,
            "story": self.story,
            "seconds": round(self.seconds, 1),
            "peak_memory_mebibytes": round(self.peak_memory_mebibytes),
            "error": self.error,
            "certificates": self.certificates,
            "steps": [{**dataclasses.asdict(step), "as_expected": step.as_expected} for step in self.steps],
            "parties": [dataclasses.asdict(party) for party in self.parties],
        }


def count_amounts(data: bytes, amounts: list[int]) -> int:
    """How many of the amounts stand in the bytes.

    Looked for as decimal text, as integers of either byte order, and as hexadecimal text of those. Encodings of less
    than six bytes are not looked for: a few random bytes would match by chance.
    """
    return sum(_stands_in(amount, data) for amount in amounts)


def _stands_in(amount: int, data: bytes) -> bool:
    # Neighbouring hexadecimal digits make it a part of a longer number or of a hash.
    if re.search(rb"(?<![0-9a-fA-F])%d(?![0-9a-fA-F])" % amount, data):
        return True
    width = max(_SHORTEST_BYTES, (amount.bit_length() + 7) // 8)
    raw = {amount.to_bytes(width, "big"), amount.to_bytes(width, "little")}
    return any(form in data or form.hex().encode() in data for form in raw)
