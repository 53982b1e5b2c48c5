"""The agent at work over real sockets and a real chain: proofs, proposals, streams, outages."""

import pytest

from marginproof.model.margin import MarginState, Outcome, Purpose
from marginproof.model.pledges import NO_COMMITMENT
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.events import EventKind
from tests.prover.agent.harness import Heard, LiveRelayer, agent_of, live, running, tick
from tests.prover.stage import BOOK, Stage
from tests.prover.world import HOME, LOT, OTHER_VENUE, PRICES, VENUE, price_report, snapshot


async def test_a_proof_that_is_due_is_made_at_once(stage: Stage) -> None:
    await stage.ready()
    live(stage).state = MarginState.PROOF_DUE
    async with running(stage) as heard:
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)
        await heard.until(lambda: len(heard.of(EventKind.STATE_CHANGED, VENUE)) > 1)
    (presentation,) = stage.venue.presentations
    assert presentation.context.purpose == Purpose.MAINTENANCE
    assert presentation.context.new_pledge == NO_COMMITMENT
    assert [event.state for event in heard.of(EventKind.STATE_CHANGED, VENUE)] == ["PROOF_DUE", "GOOD"]


async def test_nothing_is_sent_before_it_is_due_but_headroom_is_measured_and_kept(stage: Stage) -> None:
    await stage.ready()
    live(stage).due_at = stage.now + 3_000
    async with running(stage) as heard:
        before = len(stage.account.state.headrooms)
        await heard.until(lambda: len(stage.account.state.headrooms) > before)
        tick(stage)
        await heard.until(lambda: len(stage.account.state.headrooms) > before + 1)
        assert stage.venue.presentations == []
        stage.now += 1_300
        tick(stage)
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)
    assert len(stage.venue.presentations) == 1


async def test_a_line_within_the_limit_is_pledged_and_followed_until_it_stands(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    made = stage.propose(BOOK, 1_000 * LOT)
    async with running(stage) as heard:
        await heard.has(EventKind.PLEDGE_SUBMITTED, VENUE)
        (presentation,) = stage.venue.presentations
        assert (presentation.context.new_pledge, len(presentation.consent)) == (made.commitment, 1)
        await stage.swap()
        await heard.has(EventKind.PLEDGE_STANDING, VENUE)
    assert heard.of(EventKind.PROPOSAL_DECLINED) == []


async def test_a_line_above_the_limit_is_declined_once_and_nothing_is_sent(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    stage.propose(BOOK, 1_000 * LOT + 1)
    async with running(stage) as heard:
        declined = await heard.has(EventKind.PROPOSAL_DECLINED, VENUE)
        tick(stage)
        await stage.authorise(OTHER_VENUE)
        stage.propose(BOOK, 0, venue=OTHER_VENUE)
        await heard.has(EventKind.PLEDGE_SUBMITTED, OTHER_VENUE)
    assert declined.code is ReasonCode.LINE_LIMIT
    assert len(heard.of(EventKind.PROPOSAL_DECLINED)) == 1
    assert stage.venue.presentations == []


async def test_a_pledge_that_covers_the_book_is_proven_at_once(stage: Stage) -> None:
    await stage.ready()
    made = stage.propose(BOOK, 0, number=2, sequence=2)
    live(stage).state = MarginState.MARGIN_CALL
    async with running(stage) as heard:
        await heard.has(EventKind.PLEDGE_SUBMITTED, VENUE)
    (presentation,) = stage.venue.presentations
    assert (presentation.context.new_pledge, presentation.context.purpose) == (made.commitment, Purpose.MAINTENANCE)


async def test_of_two_venues_that_propose_at_once_one_waits_for_the_other(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE, OTHER_VENUE)
    stage.propose(BOOK, 500 * LOT)
    stage.propose(BOOK, 500 * LOT, venue=OTHER_VENUE)
    async with running(stage) as heard:
        first = await heard.has(EventKind.PLEDGE_SUBMITTED)
        assert first.venue is not None
        second = OTHER_VENUE if first.venue == VENUE else VENUE
        tick(stage)
        assert stage.venues[second].presentations == []
        await stage.swap(first.venue)
        await heard.has(EventKind.PLEDGE_SUBMITTED, second)
        await stage.swap(second)
        await heard.has(EventKind.PLEDGE_STANDING, second)


async def test_a_pledge_that_fails_at_the_venue_is_told_and_the_next_may_come(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    stage.propose(BOOK, 0)
    async with running(stage) as heard:
        await heard.has(EventKind.PLEDGE_SUBMITTED, VENUE)
        live(stage).accepted, live(stage).failure = False, "REGISTRY_DIGEST_STALE"
        failed = await heard.has(EventKind.PLEDGE_FAILED, VENUE)
        assert failed.code is ReasonCode.REGISTRY_DIGEST_STALE
        live(stage).failure = ""
        stage.propose(BOOK, 0, number=2)
        tick(stage)
        await heard.next(EventKind.PLEDGE_SUBMITTED, VENUE)


async def test_a_lost_stream_is_told_polling_serves_and_the_stream_comes_back(stage: Stage) -> None:
    await stage.ready()
    async with running(stage) as heard:
        await heard.until(lambda: any(e.subject == "snapshots" for e in heard.of(EventKind.STREAM_BACK, VENUE)))
        live(stage).streams = False
        live(stage).drop_streams()
        await heard.next(EventKind.STREAM_LOST, VENUE)
        live(stage).state = MarginState.PROOF_DUE
        tick(stage)
        await heard.next(EventKind.PROOF_ACCEPTED, VENUE)
        live(stage).streams = True
        await heard.next(EventKind.STREAM_BACK, VENUE)
        live(stage).state = MarginState.PROOF_DUE
        tick(stage)
        await heard.next(EventKind.PROOF_ACCEPTED, VENUE)


@pytest.mark.parametrize("how", ["broken", "hanging"])
async def test_one_venues_trouble_never_blocks_another(stage: Stage, how: str) -> None:
    await stage.ready()
    setattr(live(stage, OTHER_VENUE), how, True)
    live(stage).state = MarginState.PROOF_DUE
    async with running(stage, timeout_seconds=1.0) as heard:
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)
        trouble = await heard.has(EventKind.TROUBLE, OTHER_VENUE)
        assert trouble.code is (ReasonCode.UNAVAILABLE if how == "broken" else ReasonCode.DEADLINE)
        setattr(live(stage, OTHER_VENUE), how, False)
        await heard.has(EventKind.TROUBLE_OVER, OTHER_VENUE)
    assert len(heard.of(EventKind.TROUBLE, OTHER_VENUE)) == 1


async def test_without_relayers_it_waits_and_proves_once_they_are_back(stage: Stage) -> None:
    await stage.ready()
    for relayer in stage.relayers:
        relayer.broken = True  # type: ignore[attr-defined] # the relayers of this folder
    live(stage).state = MarginState.PROOF_DUE
    async with running(stage) as heard:
        trouble = await heard.has(EventKind.TROUBLE, VENUE)
        assert trouble.code is ReasonCode.UNAVAILABLE
        for relayer in stage.relayers:
            relayer.broken = False  # type: ignore[attr-defined] # as above
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)


async def test_new_certificates_are_heard_of_before_they_are_asked_for(stage: Stage) -> None:
    await stage.ready()
    relayer = stage.relayers[0]
    assert isinstance(relayer, LiveRelayer)
    async with running(stage, poll_seconds=1_000.0) as heard:
        await heard.until(lambda: relayer.watchers)
        await heard.until(lambda: len(stage.account.state.headrooms) > 1)
        measured = len(stage.account.state.headrooms)
        stage.certify(epoch=31)
        relayer.publish(HOME)
        await heard.until(lambda: len(stage.account.state.headrooms) > measured)
        assert any(event.subject == "certificates 0" for event in heard.of(EventKind.STREAM_BACK))


async def test_a_deadline_that_comes_near_is_told_even_when_the_venue_is_gone(stage: Stage) -> None:
    await stage.ready()
    live(stage).due_at = stage.now + 3_000
    async with running(stage) as heard:
        await heard.has(EventKind.STATE_CHANGED, VENUE)
        live(stage).broken = True
        await heard.has(EventKind.TROUBLE, VENUE)
        assert heard.of(EventKind.DEADLINE_NEAR) == []
        stage.now += 2_700
        near = await heard.has(EventKind.DEADLINE_NEAR, VENUE)
        assert near.deadline == live(stage).due_at


async def test_a_rejected_proof_is_told_and_not_repeated_on_the_same_evidence(stage: Stage) -> None:
    await stage.ready()
    live(stage).state, stage.venue.outcome, stage.venue.reasons = (
        MarginState.PROOF_DUE,
        Outcome.REJECT,
        ("REGISTRY_DIGEST_STALE",),
    )
    async with running(stage) as heard:
        rejected = await heard.has(EventKind.PROOF_REJECTED, VENUE)
        assert rejected.code is ReasonCode.REGISTRY_DIGEST_STALE
        stage.venue.outcome, stage.venue.reasons = Outcome.ACCEPT, ()
        assert len(stage.venue.presentations) == 1
        tick(stage)
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)


async def test_it_never_proves_under_a_policy_that_was_not_announced(stage: Stage) -> None:
    await stage.ready()
    live(stage).state = MarginState.MARGIN_CALL
    good = stage.venue.policies
    stage.venue.policies = (good[0] + b"# one more comment\n",)
    async with running(stage) as heard:
        trouble = await heard.has(EventKind.TROUBLE, VENUE)
        assert trouble.code is ReasonCode.POLICY_NOT_ANNOUNCED
        assert stage.venue.presentations == []
        stage.venue.policies = good
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)


async def test_it_never_proves_on_prices_outside_the_band(stage: Stage) -> None:
    await stage.ready()
    live(stage).state = MarginState.MARGIN_CALL
    wrong = {point: value * 2 for point, value in PRICES.items()}
    stage.venue.snapshot = snapshot(stage.network, stage.now, wrong)
    stage.venue.report = price_report(stage.network, stage.now)
    async with running(stage) as heard:
        trouble = await heard.has(EventKind.TROUBLE, VENUE)
        assert trouble.code is ReasonCode.PRICE_OUTSIDE_BAND
        assert stage.venue.presentations == []
        tick(stage)
        await heard.has(EventKind.PROOF_ACCEPTED, VENUE)


async def test_a_snapshot_of_somebody_else_is_no_snapshot(stage: Stage) -> None:
    await stage.collateral()  # nothing is due: it is the snapshot itself that is looked at
    stage.venue.snapshot = stage.other.snapshot
    async with running(stage) as heard:
        trouble = await heard.has(EventKind.TROUBLE, VENUE)
    assert trouble.code is ReasonCode.WRONG_VENUE
    assert stage.venue.presentations == []


async def test_one_round_for_a_timer(stage: Stage) -> None:
    await stage.ready()
    live(stage).state = MarginState.PROOF_DUE
    live(stage, OTHER_VENUE).broken = True
    first, second = await agent_of(stage, Heard()).once()
    assert (first.venue, first.well, first.code, first.state) == (VENUE, True, None, MarginState.GOOD)
    assert (second.venue, second.well, second.code) == (OTHER_VENUE, False, ReasonCode.UNAVAILABLE)
    assert len(stage.venue.presentations) == 1
    live(stage).state = MarginState.DEFAULT
    stage.venue.outcome = Outcome.REJECT
    tick(stage)
    first, _ = await agent_of(stage, Heard()).once()
    assert not first.well


async def test_limits_of_the_configuration_become_the_accounts_own(stage: Stage) -> None:
    agent_of(stage, Heard())
    assert stage.account.line_limit(VENUE) == 1_000 * LOT
