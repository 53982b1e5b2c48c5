"""3. The opposite leg at a second venue, then both venues after the same headroom at once."""

import asyncio
import dataclasses

from marginproof.cli.demo.story import handmade, trading
from marginproof.cli.demo.story.stage import Stage
from marginproof.cli.demo.world import VenueSite
from marginproof.client.pledge_status import ProposalState
from marginproof.client.venue import DecisionAnswer
from marginproof.model.errors import NotFoundError
from marginproof.model.margin import Outcome, Purpose
from marginproof.model.pledges import PledgeOpening, RegistryRecord
from marginproof.prover.account import Account
from marginproof.prover.session import AccountSession, Prepared

_NO_LIMIT = (1 << 63) - 1


async def play(stage: Stage, number: str) -> None:
    """Everything that needs two venues and one collateral."""
    second, plan = stage.world.venues[1], stage.scenario.venues[1]
    stage.screen.heading(f"{number}. The opposite leg at venue B, and one headroom for two")
    await trading.open_line(stage, number, second, plan, "second-venue")
    await trading.trade(stage, number, second, plan)
    await _race(stage, number)


@dataclasses.dataclass(frozen=True, slots=True)
class _Entrant:
    """One venue in the race: what it proposes, the account's proof of it, and the registry that the proof is of."""

    venue: VenueSite
    proposal: PledgeOpening
    prepared: Prepared

    @property
    def record(self) -> RegistryRecord:
        return RegistryRecord.decode(self.prepared.bundle.registry_record)


async def _race(stage: Stage, number: str) -> None:
    """Two proofs from one digest d, each true by itself, submitted at the same moment: one pledge comes to stand."""
    lines = stage.scenario.race_lines_usd
    for venue, line in zip(stage.world.venues, lines, strict=True):
        await venue.book.reserve_pledge(stage.account, trading.line_lots(stage, line))
    entrants = await stage.with_session(lambda _, session: _prepare(session, stage.world.venues))
    title = f"lines of {' and '.join(str(line) for line in lines)} USD more, at both venues at once"
    with stage.step(number, title, "ONE_OPENS REGISTRY_DIGEST_STALE") as step:
        answers = await asyncio.gather(*(e.venue.client.submit_presentation(e.prepared.presentation) for e in entrants))
        ends = await asyncio.gather(
            *(_end(stage, entrant, answer) for entrant, answer in zip(entrants, answers, strict=True))
        )
        winners = [entrant for entrant, reason in zip(entrants, ends, strict=True) if not reason]
        step.outcome = "ONE_OPENS" if len(winners) == 1 else f"{len(winners)}_OPEN"
        step.reasons = tuple(reason for reason in ends if reason)
        step.detail = ", ".join(f"venue {winner.venue.letter} won" for winner in winners)
    losers = [entrant for entrant in entrants if entrant not in winners]
    for loser in losers:
        attempt = stage.with_session(_Again(stage, loser))
        await stage.attempt(
            number,
            f"venue {loser.venue.letter}'s line once more, from the digest of before",
            "REJECT REGISTRY_DIGEST_STALE",
            attempt,
        )


async def _prepare(session: AccountSession, venues: tuple[VenueSite, ...]) -> list[_Entrant]:
    entrants = []
    for venue in venues:
        proposal = await session.proposal(venue.address, max_line=_NO_LIMIT)
        if proposal is None:
            raise NotFoundError(f"venue {venue.letter} proposes no pledge")
        prepared = await session.prepare(venue.address, Purpose.INITIAL, proposal)
        entrants.append(_Entrant(venue, proposal.opening, prepared))
    return entrants


async def _end(stage: Stage, entrant: _Entrant, answer: DecisionAnswer) -> str:
    """Why the line did not open; empty where it did."""
    if answer.outcome is not Outcome.ACCEPT:
        return ", ".join(answer.reasons)

    async def settled() -> str | None:
        status = await entrant.venue.book.get_pledge(stage.account)
        if status.standing_commitment == entrant.proposal.commitment:
            return ""
        return status.reason or "FAILED" if status.proposal_state is ProposalState.FAILED else None

    return await stage.until(settled, "the end of a swap")


@dataclasses.dataclass(frozen=True, slots=True)
class _Again:
    """The loser's proof made anew, fresh in everything but the registry's digest."""

    stage: Stage
    loser: _Entrant

    async def __call__(self, account: Account, session: AccountSession) -> DecisionAnswer:
        evidence = await session.evidence()
        claim = handmade.Claim(evidence.leaves, self.loser.record, Purpose.INITIAL, self.loser.proposal)
        return await handmade.submit(self.stage, account, self.loser.venue, claim)
