"""One venue, looked after: what is known of it is asked for, the pure core decides, and this does it."""

import asyncio
import math

from marginproof.client.pledge_status import PledgeStatus, ProposalState
from marginproof.client.venue import VenueClient
from marginproof.model.errors import MarginproofError, UnavailableError
from marginproof.model.margin import MarginState, Outcome, Purpose
from marginproof.model.pledges import NO_COMMITMENT
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.decisions import (
    SETTLED,
    Ask,
    Measure,
    Proposal,
    Prove,
    Rest,
    Stamp,
    VenueHistory,
    VenueRules,
    VenueView,
    answered,
    decide,
    measured,
    urgent,
)
from marginproof.prover.agent.events import Event, EventKind
from marginproof.prover.agent.feeds import SnapshotFeed
from marginproof.prover.agent.levels import Level, Measured
from marginproof.prover.agent.shared import Shared, Standing, Troubles
from marginproof.prover.agent.valuation import collateral_cents, prices_by_point
from marginproof.prover.headroom import Headroom, MarginInsufficientError, with_headroom
from marginproof.prover.pledges import CheckedProposal
from marginproof.prover.venue_checks import check_prices

_CENTS = 100
_MAX_STEPS_AT_ONCE = 4
"""A proposal, a due proof and a measurement at most follow each other without news."""


class VenueWatch:
    """Looks after the account at one venue, for ever; its troubles are its own.

    Args:
        shared: The agent's.
        venue: Address, 20 bytes.
        client: The venue's, for its stream of snapshots.
    """

    def __init__(self, shared: Shared, venue: bytes, client: VenueClient) -> None:
        configuration = shared.network.configuration
        self._shared = shared
        self.venue = venue
        self._rules = VenueRules(
            line_limit=shared.account.line_limit(venue),
            interval_seconds=configuration.proof_interval_seconds,
            at_share=shared.config.at_share,
            measure_seconds=shared.config.measure_seconds,
            patience_seconds=configuration.grace_seconds // 2,
        )
        self._bell = shared.bell()
        self.feed = SnapshotFeed(shared, venue, client, self._bell.ring)
        self.troubles = Troubles(shared, "venue", venue)
        self.state: MarginState | None = None
        self._history = VenueHistory()
        self._due_at = 0
        self._told: dict[EventKind, object] = {}
        self._swap: bytes | None = None

    async def run(self) -> None:
        """Goes on until cancelled."""
        while True:
            await self.serve()
            self._warn_of_deadline()
            if self.troubles.failures:
                left = float(self._due_at - self._shared.clock()) if self._due_at else None
                await asyncio.sleep(self.troubles.wait_seconds(left))
            else:
                await self._bell.wait(self._shared.config.poll_seconds)

    async def serve(self) -> None:
        """Does everything that is to be done now; a failure is noted and ends it."""
        try:
            for _ in range(_MAX_STEPS_AT_ONCE):
                if not await self._step():
                    break
        except Exception as error:  # one venue's fault, or one of ours there, never ends the service of the others
            self.troubles.failed(error)
        else:
            self.troubles.over()

    async def _step(self) -> bool:
        """One decision and what follows from it; whether another may follow at once."""
        view, proposal = await self._observe()
        decision = decide(self._rules, view, self._history, self._shared.clock())
        if isinstance(decision, Rest) or view.stamp is None:
            return False
        if isinstance(decision, Measure):
            return await self._measure(decision, view.stamp)
        if decision.proposal is None:
            return await self._prove(decision, view.stamp, None)
        if urgent(self._rules, view, decision.proposal, self._shared.clock()):
            return await self._prove(decision, view.stamp, proposal)
        async with self._shared.pledging:
            if self._shared.swapping_elsewhere(self.venue):
                return False
            return await self._prove(decision, view.stamp, proposal)

    async def _observe(self) -> tuple[VenueView, CheckedProposal | None]:
        session = self._shared.session
        snapshot = await self.feed.current()
        status, pledge = await asyncio.gather(session.margin_status(self.venue), session.pledge_status(self.venue))
        self._note_state(status.state, status.proof_due_at)
        self._note_pledge(pledge)
        proposal = await self._proposal(pledge) if pledge.proposal_state is ProposalState.PROPOSED else None
        stamp = None
        if snapshot is not None:
            slot = snapshot[0].snapshot.price_slot
            stamp = Stamp(slot, self._shared.certificates, pledge.registry_digest)
        view = VenueView(
            stamp=stamp,
            state=status.state,
            proof_due_at=status.proof_due_at,
            standing=pledge.standing_commitment is not None,
            swapping=pledge.proposal_state is ProposalState.ACCEPTED,
            swapping_elsewhere=self._shared.swapping_elsewhere(self.venue),
            proposal=_plain(proposal),
        )
        return view, proposal

    async def _proposal(self, pledge: PledgeStatus) -> CheckedProposal | None:
        """The venue's proposal if it is what it must be; a bad one is told once and keeps no other proof waiting."""
        try:
            return await self._shared.session.proposal(self.venue)
        except UnavailableError:
            raise
        except MarginproofError as error:
            about = (pledge.proposed_commitment, error.code)
            self._tell_once(EventKind.PROPOSAL_DECLINED, about, code=error.code)
            return None

    async def _measure(self, decision: Measure, stamp: Stamp) -> bool:
        headroom = await self._shared.session.headroom(self.venue, decision.ask.purpose)
        state = with_headroom(self._shared.account.state, headroom)
        self._shared.account.remember(state)
        await self._measured(headroom, stamp)
        return True

    async def _prove(self, decision: Prove, stamp: Stamp, proposal: CheckedProposal | None) -> bool:
        session, ask = self._shared.session, decision.ask
        try:
            prepared = await session.prepare(self.venue, ask.purpose, proposal)
        except MarginproofError as error:
            if error.code not in SETTLED:
                raise
            await self._impossible(error, ask, stamp)
            return True
        answer, _ = await session.submit(prepared)
        self._history = answered(self._history, ask, stamp)
        if answer.outcome is not Outcome.ACCEPT:
            self._tell(EventKind.PROOF_REJECTED, code=_known(answer.reasons[0] if answer.reasons else ""))
        elif proposal is not None:
            self._pledged(proposal.commitment)
        else:
            self._tell(EventKind.PROOF_ACCEPTED)
        self._told.pop(EventKind.PROOF_IMPOSSIBLE, None)
        if ask.purpose is Purpose.MAINTENANCE:
            await self._measured(prepared.headroom, stamp)
        return True

    async def _impossible(self, error: MarginproofError, ask: Ask, stamp: Stamp) -> None:
        """A question that has its answer until something changes. A line that is too large is not yet a shortage."""
        self._history = answered(self._history, ask, stamp)
        declined = ask.commitment != NO_COMMITMENT and ask.purpose is Purpose.INITIAL
        if error.code is not ReasonCode.PROOF_ALREADY_MADE:  # else the next price report is seconds away
            kind = EventKind.PROPOSAL_DECLINED if declined else EventKind.PROOF_IMPOSSIBLE
            self._tell_once(kind, (ask, error.code), code=error.code)
        if isinstance(error, MarginInsufficientError) and ask.purpose is Purpose.MAINTENANCE:
            await self._measured(error.headroom, stamp)

    async def _measured(self, headroom: Headroom, stamp: Stamp) -> None:
        shared, levels = self._shared, self._shared.config.levels
        newest = await self.feed.current()
        if newest is not None:
            await asyncio.to_thread(check_prices, newest[0].snapshot, newest[1], shared.network)
            shared.prices.update(prices_by_point(newest[0].snapshot.values))
        worth = collateral_cents(shared.network.universe, shared.account.state.locks, shared.prices)
        now_free = Measured(math.floor(headroom.surplus_usd * _CENTS), worth)
        previous = shared.memory.level(self.venue)
        level = levels.level(now_free, previous)
        shared.metrics.level(self.venue, level)
        shared.standings[self.venue] = Standing(level, levels.missing_cents(now_free), stamp.certificates)
        self._history = measured(self._history, stamp, shared.clock())
        if level is not previous:
            shared.remember(shared.memory.with_level(self.venue, level))
            self._tell(EventKind.LEVEL_CHANGED, level=level)
        shared.on_measured.ring()

    def _warn_of_deadline(self) -> None:
        """Told once for each deadline that comes near, also while the venue cannot be reached."""
        if self._due_at and self._due_at - self._shared.clock() <= self._rules.patience_seconds:
            self._tell_once(EventKind.DEADLINE_NEAR, self._due_at)

    def _pledged(self, commitment: bytes) -> None:
        """The venue brings it to the registry now; others wait for it, but not for ever."""
        self._swap = commitment
        self._shared.swaps[self.venue] = self._shared.clock() + self._shared.network.configuration.grace_seconds
        self._tell(EventKind.PLEDGE_SUBMITTED)

    def _note_state(self, state: MarginState, due_at: int) -> None:
        self._due_at = due_at
        if due_at:
            self._shared.metrics.deadline(self.venue, due_at)
        if state is not self.state:
            self.state = state
            self._tell(EventKind.STATE_CHANGED, state=state.name)

    def _note_pledge(self, pledge: PledgeStatus) -> None:
        if pledge.proposal_state is ProposalState.ACCEPTED:
            self._swap = pledge.proposed_commitment
            self._shared.swaps.setdefault(
                self.venue, self._shared.clock() + self._shared.network.configuration.grace_seconds
            )
            return
        if self._swap is None:
            return
        if pledge.standing_commitment == self._swap:
            self._swap_over(EventKind.PLEDGE_STANDING, None)
        else:
            self._swap_over(EventKind.PLEDGE_FAILED, _known(pledge.reason) if pledge.reason else None)

    def _swap_over(self, kind: EventKind, code: ReasonCode | None) -> None:
        self._swap = None
        self._shared.swaps.pop(self.venue, None)
        self._tell(kind, code=code)
        self._shared.ring()  # a new digest: others' proposals wait for it

    def _tell_once(self, kind: EventKind, about: object, *, code: ReasonCode | None = None) -> None:
        """Told again only when it is about something else."""
        if self._told.get(kind) != about:
            self._told[kind] = about
            self._tell(kind, code=code)

    def _tell(
        self, kind: EventKind, *, code: ReasonCode | None = None, level: Level | None = None, state: str | None = None
    ) -> None:
        due_at = self._due_at or None
        self._shared.tell(
            Event(kind, self._shared.clock(), self.venue, level=level, state=state, code=code, deadline=due_at)
        )


def _plain(proposal: CheckedProposal | None) -> Proposal | None:
    if proposal is None:
        return None
    return Proposal(proposal.commitment, proposal.opening.line, proposal.purpose)


def _known(reason: str) -> ReasonCode:
    """A venue's reason as one of the codes; what it may not be is never repeated to anybody."""
    return ReasonCode(reason) if reason in set(ReasonCode) else ReasonCode.INTERNAL
