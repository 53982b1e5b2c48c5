"""Where an account stands: a small pure machine over accepted proofs, coverage, swaps, deadlines and outages.

The rules (architecture, step 10), all times UTC seconds:

* An accepted proof sets the next deadline: acceptance + ``proof_interval_seconds``. A proof is due from the middle
  of the interval on.
* A fill inside the pledged line changes no deadline. When the book is no longer covered by its pledge under the newest
  snapshot, a proof is due at once: the deadline comes forward to that moment + ``grace_seconds``, once.
* While a swap is under way no proof can be made: a deadline that comes up waits as in an outage, and like there only
  risk may be reduced meanwhile; at most until N − W after the oldest reference of the accepted proof itself, however
  long chains go on being certified. Once the pledge stands, at least a grace runs. If the swap fails, its proof
  counts for nothing: deadline and missed deadlines are those of before it, but at least a grace runs.
* A deadline that passes counts as missed only if evidence was to be had: a current snapshot, a current view of the
  registry, without which this venue decides on nothing, and, for every chain whose leaf the last accepted proof used,
  an unexpired certificate, without a break for the last part of the time given.
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
    MarginState.NEVER_PROVEN: "prove the pledge that the venue proposes, with a consent, before trading",
    MarginState.GOOD: "nothing is due",
    MarginState.PROOF_DUE: "submit a presentation on the current snapshot before the deadline",
    MarginState.MARGIN_CALL: "top up or reduce, then submit a presentation before the grace ends",
    MarginState.DEFAULT: "the venue may liquidate; an accepted presentation ends the default",
    MarginState.REDUCE_ONLY: "wait for prices, certificates, registry or the pledge under way; risk may be reduced",
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

    ``uncovered`` says that the book is worse than its pledge at the newest prices. ``references`` names the chains of
    the last accepted proof, rising, each with its reference block's time.
    """

    accepted_at: int | None = None
    deadline: int | None = None
    missed: int = 0
    uncovered: bool = False
    references: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What an account could have proven with.

    Args:
        since: From when on, without a break until now, everything was to be had; None if something is missing now.
        last_reference: Time of the oldest of the needed chains' newest references, while a swap is under way of the
            oldest that the last accepted proof used; None where no chain is needed.
        swapping: Whether a swap of the venue is under way, so that no proof can be made.
    """

    since: int | None
    last_reference: int | None
    swapping: bool = False


def after_accept(now: int, references: Mapping[str, int], rules: StatusRules) -> AccountStatus:
    """The status once a proof is accepted that used leaves of these chains at these reference times."""
    return AccountStatus(accepted_at=now, deadline=now + rules.interval, references=tuple(sorted(references.items())))


def after_uncovered(status: AccountStatus, now: int, rules: StatusRules) -> AccountStatus:
    """The status once the book is worse than its pledge; a deadline only ever comes forward, and only once."""
    if status.uncovered:
        return status
    soon = now + rules.grace
    deadline = soon if status.deadline is None else min(status.deadline, soon)
    return dataclasses.replace(status, deadline=deadline, uncovered=True)


def after_covered(status: AccountStatus) -> AccountStatus:
    """The status once the book is covered again without a proof, by prices or by less risk; the deadline stays."""
    return dataclasses.replace(status, uncovered=False)


def after_standing(status: AccountStatus, now: int, rules: StatusRules) -> AccountStatus:
    """The status once an accepted pledge stands; no proof could be made meanwhile, so at least a grace runs."""
    deadline = None if status.deadline is None else max(status.deadline, now + rules.grace)
    return dataclasses.replace(status, deadline=deadline)


def after_failed(status: AccountStatus, before: AccountStatus, now: int, rules: StatusRules) -> AccountStatus:
    """The status once an accepted pledge cannot stand any more.

    Args:
        status: Now.
        before: When its proof was accepted, which then counted as good news.
        now: UTC seconds.
        rules: The network's.
    """
    if before.deadline is None:
        return before
    restored = dataclasses.replace(
        before, deadline=max(before.deadline, now + rules.grace), missed=max(status.missed, before.missed)
    )
    return after_uncovered(restored, now, rules) if status.uncovered else restored


def advance(status: AccountStatus, now: int, evidence: Evidence, rules: StatusRules) -> AccountStatus:
    """The status once deadlines up to ``now`` are judged; nothing changes before the deadline."""
    if status.deadline is None or now < status.deadline or status.missed >= DEFAULT_MISSES:
        return status
    if not _outage_excuses(now, evidence, rules):
        return dataclasses.replace(status, missed=status.missed + 1, deadline=now + rules.grace)
    if evidence.since is None or evidence.swapping:
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
    waits = evidence.since is None or (evidence.swapping and now >= status.deadline)
    if waits and _outage_excuses(now, evidence, rules):
        return MarginState.REDUCE_ONLY
    if status.missed:
        return MarginState.MARGIN_CALL
    if status.uncovered or now >= status.deadline - rules.interval // 2:
        return MarginState.PROOF_DUE
    return MarginState.GOOD


def _outage_excuses(now: int, evidence: Evidence, rules: StatusRules) -> bool:
    return evidence.last_reference is None or now <= evidence.last_reference + rules.unclaimed_seconds
