"""Where an account stands: a small pure machine over accepted proofs, fills, deadlines and outages.

The rules (architecture, step 10), all times UTC seconds:

* An accepted proof sets the next deadline: acceptance + ``proof_interval_seconds``. A proof is due from the middle
  of the interval on.
* A fill changes the book, so a proof is due at once: the deadline comes forward to fill + ``grace_seconds``.
* A deadline that passes counts as missed only if evidence was to be had: a current snapshot and, for every chain whose
  leaf the last accepted proof used, an unexpired certificate, without a break for the last part of the time given.
  One missed deadline is a margin call, and the next deadline follows after the grace; two in a row are default.
* Without evidence the venue is reduce-only and the deadline waits; once evidence is back, a full grace runs again.
  That lasts at most until N − W after the oldest of those chains' last references: later, a deadline counts anyway.
* Any accepted proof makes everything good.
"""

import dataclasses
from collections.abc import Mapping
from typing import Final, Self

from marginproof.model.margin import MarginState
from marginproof.model.network import Configuration

DEFAULT_MISSES: Final = 2
"""Deadlines missed in a row that make a default."""

NEXT_ACTIONS: Final = {
    MarginState.NEVER_PROVEN: "submit a first presentation before trading",
    MarginState.GOOD: "nothing is due",
    MarginState.PROOF_DUE: "submit a presentation on the current snapshot before the deadline",
    MarginState.MARGIN_CALL: "top up or reduce, then submit a presentation before the grace ends",
    MarginState.DEFAULT: "the venue may liquidate; an accepted presentation ends the default",
    MarginState.REDUCE_ONLY: "wait for prices and certificates; only reducing risk is possible meanwhile",
}
"""One sentence for each state."""


@dataclasses.dataclass(frozen=True, slots=True)
class StatusRules:
    """The network's delays, in seconds. ``unclaimed_seconds`` is N − W."""

    interval: int
    grace: int
    unclaimed_seconds: int

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        """The rules of a network."""
        return cls(
            interval=configuration.proof_interval_seconds,
            grace=configuration.grace_seconds,
            unclaimed_seconds=max(configuration.notice_seconds - configuration.claim_seconds, 0),
        )

    @property
    def answer_seconds(self) -> int:
        """How long before a deadline evidence must have been to be had for the deadline to count."""
        return min(self.interval, self.grace) // 2


@dataclasses.dataclass(frozen=True, slots=True)
class AccountStatus:
    """What is remembered of one account.

    ``references`` names the chains of the last accepted proof, rising, each with its reference block's time.
    """

    accepted_at: int | None = None
    deadline: int | None = None
    missed: int = 0
    book_changed: bool = False
    references: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What an account could have proven with.

    Args:
        since: From when on, without a break until now, everything was to be had; None if something is missing now.
        last_reference: Time of the oldest of the needed chains' newest references; None where no chain is needed.
    """

    since: int | None
    last_reference: int | None


def after_accept(now: int, references: Mapping[str, int], rules: StatusRules) -> AccountStatus:
    """The status once a proof is accepted that used leaves of these chains at these reference times."""
    return AccountStatus(accepted_at=now, deadline=now + rules.interval, references=tuple(sorted(references.items())))


def after_fill(status: AccountStatus, now: int, rules: StatusRules) -> AccountStatus:
    """The status once the book has changed; a deadline only ever comes forward."""
    soon = now + rules.grace
    deadline = soon if status.deadline is None else min(status.deadline, soon)
    return dataclasses.replace(status, deadline=deadline, book_changed=True)


def advance(status: AccountStatus, now: int, evidence: Evidence, rules: StatusRules) -> AccountStatus:
    """The status once deadlines up to ``now`` are judged; nothing changes before the deadline."""
    if status.deadline is None or now < status.deadline or status.missed >= DEFAULT_MISSES:
        return status
    if not _outage_excuses(now, evidence, rules):
        return dataclasses.replace(status, missed=status.missed + 1, deadline=now + rules.grace)
    if evidence.since is None:
        return status
    if evidence.since <= status.deadline - rules.answer_seconds:
        return dataclasses.replace(status, missed=status.missed + 1, deadline=status.deadline + rules.grace)
    return dataclasses.replace(status, deadline=evidence.since + rules.grace)


def state_of(status: AccountStatus, now: int, evidence: Evidence, rules: StatusRules) -> MarginState:
    """The state that an advanced status is in at ``now``."""
    if status.missed >= DEFAULT_MISSES:
        return MarginState.DEFAULT
    if status.deadline is None:
        return MarginState.NEVER_PROVEN
    if evidence.since is None and _outage_excuses(now, evidence, rules):
        return MarginState.REDUCE_ONLY
    if status.missed:
        return MarginState.MARGIN_CALL
    if status.book_changed or now >= status.deadline - rules.interval // 2:
        return MarginState.PROOF_DUE
    return MarginState.GOOD


def _outage_excuses(now: int, evidence: Evidence, rules: StatusRules) -> bool:
    return evidence.last_reference is None or now <= evidence.last_reference + rules.unclaimed_seconds
