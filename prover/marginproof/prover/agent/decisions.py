"""What to do next at one venue: pure, from what is known of it, what was tried, and the time."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Final

from marginproof.model.margin import MarginState, Purpose
from marginproof.model.pledges import NO_COMMITMENT
from marginproof.model.reasons import ReasonCode

CALLS: Final = frozenset({MarginState.MARGIN_CALL, MarginState.DEFAULT})
"""A deadline was missed."""

_AT_ONCE: Final = CALLS | {MarginState.PROOF_DUE, MarginState.REDUCE_ONLY}
"""States that a proof, and only a proof, ends."""

SETTLED: Final = frozenset({ReasonCode.MARGIN_INSUFFICIENT, ReasonCode.PROOF_ALREADY_MADE, ReasonCode.LINE_LIMIT})
"""Answers that stay the same until prices, certificates or pledges change."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """What an evaluation rests on; on the same stamp the same question has the same answer.

    Args:
        price_slot: Of the venue's snapshot.
        certificates: Rises with every new certificate of the account.
        registry_digest: The account's d, 32 bytes.
    """

    price_slot: int
    certificates: int
    registry_digest: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """A pledge that the venue proposes, checked; ``line`` in lots of the cash entry, secret."""

    commitment: bytes
    line: int = dataclasses.field(repr=False)
    purpose: Purpose


@dataclasses.dataclass(frozen=True, slots=True)
class VenueView:
    """What is known of a venue now.

    Args:
        stamp: None while the venue has no current snapshot.
        state: Its margin state of the account.
        proof_due_at: UTC seconds; 0 where nothing is due.
        standing: Whether a pledge of this venue stands.
        swapping: Whether the venue is bringing an accepted pledge to the registry.
        swapping_elsewhere: Whether another venue is; only one of two can succeed.
        proposal: What it proposes.
    """

    stamp: Stamp | None
    state: MarginState
    proof_due_at: int
    standing: bool
    swapping: bool = False
    swapping_elsewhere: bool = False
    proposal: Proposal | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """One question to the account's margin: which level, with which new pledge."""

    purpose: Purpose
    commitment: bytes = NO_COMMITMENT


@dataclasses.dataclass(frozen=True, slots=True)
class VenueHistory:
    """What was done at a venue since the agent started.

    Args:
        answered: On which stamp a question was last answered for good.
        measured_at: When headroom was last measured, UTC seconds; None before the first time.
        measured_on: On which stamp; None before the first time.
    """

    answered: Mapping[Ask, Stamp] = dataclasses.field(default_factory=dict)
    measured_at: int | None = None
    measured_on: Stamp | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class VenueRules:
    """How one venue is served.

    Args:
        line_limit: Largest line that is accepted, lots of the cash entry; secret.
        interval_seconds: Of the network, between two proofs.
        at_share: Share of the interval after which the next proof is made, in (0, 1).
        measure_seconds: How often headroom is measured where no proof is due.
        patience_seconds: With less than this left until the deadline, a pledge that covers the book waits for no other
            venue's swap: the registry's digest lets only one of them succeed, and the other is proven again.
    """

    line_limit: int = dataclasses.field(repr=False)
    interval_seconds: int
    at_share: Fraction
    measure_seconds: int
    patience_seconds: int


class Why(Enum):
    """What made a proof due."""

    STATE = "state"
    INTERVAL = "interval"
    PROPOSAL = "proposal"


@dataclasses.dataclass(frozen=True, slots=True)
class Prove:
    """Prove and submit; with the venue's proposal where ``proposal`` is one."""

    ask: Ask
    why: Why
    proposal: Proposal | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """Evaluate the standing pledge, send nothing."""

    ask: Ask = Ask(Purpose.MAINTENANCE)


@dataclasses.dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do; ``code`` says why a proof that is due cannot be made now."""

    code: ReasonCode | None = None


Decision = Prove | Measure | Rest


def decide(rules: VenueRules, view: VenueView, history: VenueHistory, now: int) -> Decision:
    """The next step at a venue: a proposal that may be accepted, else a proof that is due, else a measurement."""
    if view.swapping:
        return Rest(ReasonCode.PLEDGE_PENDING)  # the venue takes no proof before the swap is final
    if view.stamp is None:
        return Rest(ReasonCode.SNAPSHOT_STALE)
    if view.proposal is not None and acceptable(rules, view, view.proposal, now):
        ask = Ask(view.proposal.purpose, view.proposal.commitment)
        if history.answered.get(ask) != view.stamp:
            return Prove(ask, Why.PROPOSAL, view.proposal)
    return _about_standing(rules, view, history, now)


def refuses_line(rules: VenueRules, proposal: Proposal) -> bool:
    """Whether a proposal's line is above what the account accepts at this venue."""
    return proposal.line > rules.line_limit


def acceptable(rules: VenueRules, view: VenueView, proposal: Proposal, now: int) -> bool:
    """Whether a proposal may be consented to now."""
    if refuses_line(rules, proposal):
        return False
    return not view.swapping_elsewhere or urgent(rules, view, proposal, now)


def due(rules: VenueRules, view: VenueView, now: int) -> Why | None:
    """Why a proof is due; None where none is."""
    if view.state in _AT_ONCE or (view.state is MarginState.NEVER_PROVEN and view.standing):
        return Why.STATE
    left = view.proof_due_at - now
    return Why.INTERVAL if view.proof_due_at and left <= (1 - rules.at_share) * rules.interval_seconds else None


def answered(history: VenueHistory, ask: Ask, stamp: Stamp) -> VenueHistory:
    """The history after a question got an answer that holds for this stamp; older stamps are dropped."""
    kept = {old: its for old, its in history.answered.items() if its == stamp}
    return dataclasses.replace(history, answered={**kept, ask: stamp})


def measured(history: VenueHistory, stamp: Stamp, now: int) -> VenueHistory:
    """The history after headroom was measured."""
    return dataclasses.replace(history, measured_at=now, measured_on=stamp)


def urgent(rules: VenueRules, view: VenueView, proposal: Proposal, now: int) -> bool:
    """Whether a proposal covers the book and cannot wait for another venue's swap."""
    near = bool(view.proof_due_at) and view.proof_due_at - now <= rules.patience_seconds
    return proposal.line == 0 and (near or view.state in CALLS)


def _about_standing(rules: VenueRules, view: VenueView, history: VenueHistory, now: int) -> Decision:
    why = due(rules, view, now)
    if not view.standing:
        return Rest(ReasonCode.PLEDGE_MISSING if why else None)
    ask = Ask(Purpose.MAINTENANCE)
    if history.answered.get(ask) == view.stamp:
        return Rest()
    if why is not None:
        return Prove(ask, why)
    return Measure(ask) if _measure_due(rules, view.stamp, history, now) else Rest()


def _measure_due(rules: VenueRules, stamp: Stamp | None, history: VenueHistory, now: int) -> bool:
    """Other collateral or pledges change headroom at once, prices do so all the time."""
    last, at = history.measured_on, history.measured_at
    if stamp is None or last is None or at is None:
        return True
    moved = (last.certificates, last.registry_digest) != (stamp.certificates, stamp.registry_digest)
    return moved or not at <= now < at + rules.measure_seconds
