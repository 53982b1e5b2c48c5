"""Pledges on a real registry: one venue, two venues, races, crashes, and whatever a venue may do wrong."""

import asyncio
import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from marginproof.chains.evm.transactions import Registry, Sender, TransactionReverted
from marginproof.client.pledge_status import ProposalState
from marginproof.model.chains import format_address
from marginproof.model.errors import RefusedError
from marginproof.model.margin import Outcome, Purpose
from marginproof.model.pledges import NO_COMMITMENT, RegistryRecord, next_digest
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.headroom import MarginInsufficientError
from marginproof.prover.registry_changes import sign_authorisation
from marginproof.prover.session import Prepared
from marginproof.prover.waiting import Patience
from tests.prover.stage import BOOK, NO_LIMIT, Stage, refused
from tests.prover.world import (
    CASH,
    FULL_POLICY,
    LOT,
    OTHER_KEY,
    OTHER_VENUE,
    PASSWORD,
    PERP,
    VENUE,
    VENUE_KEY,
    snapshot,
)

LINE = 1_000 * LOT


async def test_from_authorisation_to_a_standing_pledge(stage: Stage) -> None:
    await stage.collateral()
    change = await stage.while_mining(stage.session.authorise(VENUE))
    assert change.final
    made = stage.propose(BOOK, LINE)
    stage.account.set_line_limit(VENUE, LINE)
    proposal = await stage.session.proposal(VENUE)
    assert proposal is not None
    before = (await stage.session.record()).digest
    prepared = await stage.session.prepare(VENUE, proposal.purpose, proposal)
    context = prepared.presentation.context
    assert (context.new_pledge, context.registry_digest) == (made.commitment, before)
    assert (await stage.session.submit(prepared))[0].outcome is Outcome.ACCEPT
    await stage.venue.swap(stage.chain.devnet.url, stage.network.network.registry)
    status = await stage.while_mining(stage.session.wait_standing(VENUE, made.commitment))
    assert (status.standing_commitment, status.line_open) == (made.commitment, True)
    record = await stage.session.record()
    assert record.digest == next_digest(before, VENUE, made.commitment, 1)
    stage.tick()
    again = await stage.session.prepare(VENUE, Purpose.INITIAL)
    assert (again.presentation.context.new_pledge, again.presentation.consent) == (NO_COMMITMENT, ())


async def test_nothing_is_proven_without_a_pledge(stage: Stage) -> None:
    await stage.collateral()
    with refused(ReasonCode.PLEDGE_MISSING):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert await stage.session.proposal(VENUE) is None


async def test_nothing_is_consented_to_without_authorisation(stage: Stage) -> None:
    await stage.collateral()
    stage.propose(BOOK)
    with refused(ReasonCode.VENUE_NOT_AUTHORISED):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())
    assert stage.account.state.proofs == ()
    await stage.authorise(VENUE)
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())
    await stage.post(sign_authorisation(stage.account, stage.network.network_id, VENUE, 1, revoke=True))
    with refused(ReasonCode.VENUE_NOT_AUTHORISED):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())


async def test_no_line_is_accepted_untold(stage: Stage) -> None:
    stage.propose(BOOK, 1)
    with refused(ReasonCode.LINE_LIMIT):
        await stage.session.proposal(VENUE)
    stage.account.set_line_limit(VENUE, LINE)
    assert await stage.session.proposal(VENUE) is not None
    with refused(ReasonCode.LINE_LIMIT):
        await stage.session.proposal(VENUE, max_line=0)
    stage.propose(BOOK, LINE + 1)
    with refused(ReasonCode.LINE_LIMIT):
        await stage.session.proposal(VENUE)
    stage.account.set_line_limit(VENUE, 0)
    stage.propose(BOOK, 0)
    assert await stage.session.proposal(VENUE) is not None


@pytest.mark.parametrize("lots", [-1, 1 << 63])
async def test_a_limit_is_a_number_of_lots(stage: Stage, lots: int) -> None:
    with refused(ReasonCode.OUT_OF_RANGE):
        stage.account.set_line_limit(VENUE, lots)
    assert stage.account.line_limit(VENUE) == 0


async def test_the_venues_level_is_proven(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    stage.propose(BOOK, LINE)
    proposal = await stage.proposal()
    with refused(ReasonCode.PURPOSE_INSUFFICIENT):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, proposal)
    with refused(ReasonCode.WRONG_VENUE):
        await stage.session.prepare(OTHER_VENUE, Purpose.INITIAL, proposal)


async def test_a_book_that_moves_while_it_is_checked_is_fetched_again(stage: Stage) -> None:
    old, new = stage.propose(BOOK, sequence=1), stage.propose(BOOK, sequence=2)
    stage.venue.earlier_proposals = [old, old]
    found = await stage.session.proposal(VENUE)
    assert found is not None
    assert found.opening == new
    stage.venue.earlier_proposals = [old, old, old]
    with refused(ReasonCode.PLEDGE_OPENING) as caught:
        await stage.session.proposal(VENUE)
    assert "changed" in caught.value.message


async def two_venues(stage: Stage, own: dict[int, int], elsewhere: dict[int, int]) -> None:
    await stage.ready(own)
    await stage.authorise(OTHER_VENUE)
    await stage.pledge(elsewhere, venue=OTHER_VENUE)
    stage.tick()


def commitments(record: RegistryRecord) -> Sequence[bytes]:
    return [pledge.commitment for pledge in record.pledges]


async def test_pledges_elsewhere_count(stage: Stage) -> None:
    await stage.ready({PERP: -8 * LOT, CASH: 16_000 * LOT})
    alone = await stage.session.headroom(VENUE, Purpose.INITIAL)
    await stage.authorise(OTHER_VENUE)
    loss = stage.propose({CASH: -1_000 * LOT}, venue=OTHER_VENUE)
    await stage.session.submit(
        await stage.session.prepare(OTHER_VENUE, Purpose.MAINTENANCE, await stage.proposal(OTHER_VENUE))
    )
    await stage.swap(OTHER_VENUE)
    record = await stage.session.record()
    assert set(commitments(record)) == {loss.commitment, *(p.commitment for p in record.pledges if p.venue == VENUE)}
    stage.tick()
    both = await stage.session.headroom(VENUE, Purpose.INITIAL)
    assert abs(alone.surplus_usd - both.surplus_usd - 1_000) < Fraction(1, 10)
    prepared = await stage.session.prepare(VENUE, Purpose.INITIAL)
    assert prepared.headroom.surplus_usd == both.surplus_usd


async def test_gains_elsewhere_count_in_full_under_an_agreement_only(stage: Stage) -> None:
    await two_venues(stage, {CASH: -10_000 * LOT}, {CASH: 5_000 * LOT})
    losses_only = await stage.session.headroom(VENUE, Purpose.MAINTENANCE)
    stage.venue.snapshot = snapshot(stage.network, stage.now, policy=FULL_POLICY, full=[OTHER_VENUE])
    with refused(ReasonCode.AGREEMENT_MISSING):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    registry = format_address(stage.network.network.registry)
    for key, other in ((VENUE_KEY, OTHER_VENUE), (OTHER_KEY, VENUE)):
        async with Sender(stage.chain.devnet.url, key) as sender:
            await Registry(sender, registry).agree(other)
    stage.finalise()
    full = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert abs(full.headroom.surplus_usd - losses_only.surplus_usd - 5_000) < Fraction(1, 10)


async def test_one_headroom_is_used_once(stage: Stage) -> None:
    """Both venues get a proof on the same d; only one of the swaps can happen."""
    await stage.collateral()
    await stage.authorise(VENUE, OTHER_VENUE)
    first, second = stage.propose(BOOK), stage.propose(BOOK, venue=OTHER_VENUE)
    for venue in (VENUE, OTHER_VENUE):
        prepared = await stage.session.prepare(venue, Purpose.MAINTENANCE, await stage.proposal(venue))
        await stage.session.submit(prepared)
    await stage.swap(VENUE)
    with pytest.raises(TransactionReverted) as caught:
        await stage.swap(OTHER_VENUE)
    assert caught.value.reason == "DIGEST_STALE"
    with refused(ReasonCode.REGISTRY_DIGEST_STALE):
        await stage.session.wait_standing(OTHER_VENUE, second.commitment)
    assert [pledge.commitment for pledge in stage.account.state.pledges] == [first.commitment]
    stage.other.proposal = second
    prepared = await stage.session.prepare(OTHER_VENUE, Purpose.MAINTENANCE, await stage.proposal(OTHER_VENUE))
    await stage.session.submit(prepared)
    await stage.swap(OTHER_VENUE)
    assert len((await stage.session.record()).pledges) == 2


async def test_an_opening_outlives_a_crash_after_consent(stage: Stage, tmp_path: Path) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    made = stage.propose(BOOK)
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())
    stage.account.close()  # the process dies before it submits; what it made might have left it
    stage.venue.presentations.append(prepared.presentation)
    with Account.open(tmp_path / "account", stage.network, PASSWORD) as account:
        assert [record.commitment for record in account.state.pledges] == [made.commitment]
        await stage.swap()
        stage.venue.standing = None  # and the venue does not help
        stage.tick()
        async with stage.open_session(account) as session:
            assert not (await session.prepare(VENUE, Purpose.MAINTENANCE)).repeated


async def test_nothing_leaves_before_it_is_written_down(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    stage.propose(BOOK)
    proposal = await stage.proposal()

    def full_disk(_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(stage.account, "remember", full_disk)
    with pytest.raises(OSError, match="space"):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, proposal)
    monkeypatch.undo()
    assert stage.account.state.pledges == ()
    assert stage.venue.presentations == []


async def test_two_questions_at_one_time_get_one_answer(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    proposals = []
    for number in (1, 2):
        stage.propose(BOOK, number=number)
        proposals.append(await stage.proposal())
    asked = [stage.session.prepare(VENUE, Purpose.MAINTENANCE, proposals[index]) for index in (0, 1, 0)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    given = [answer.presentation for answer in answers if isinstance(answer, Prepared)]
    refusals = [answer.code for answer in answers if isinstance(answer, RefusedError)]
    assert len({presentation.encode() for presentation in given}) == 1
    assert set(refusals) == {ReasonCode.PROOF_ALREADY_MADE}
    assert len(given) + len(refusals) == 3
    assert [record.commitment for record in stage.account.state.pledges] == [given[0].context.new_pledge]


async def test_a_false_opening_of_a_standing_pledge_is_refused(stage: Stage) -> None:
    await two_venues(stage, BOOK, {CASH: LOT})
    real = stage.other.standing
    assert real is not None
    own = tuple(record for record in stage.account.state.pledges if record.venue == VENUE)
    stage.account.remember(dataclasses.replace(stage.account.state, pledges=own))
    other = stage.propose({CASH: 2 * LOT}, venue=OTHER_VENUE, number=2)
    for false, reason in (
        (other, "PLEDGE_OPENING"),
        (dataclasses.replace(real, values=other.values), "PLEDGE_OPENING"),
        (dataclasses.replace(real, venue=VENUE), "WRONG_VENUE"),
    ):
        stage.other.standing = false
        with refused(ReasonCode.PLEDGE_UNKNOWN) as caught:
            await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
        assert caught.value.fields["reason"] == reason
        assert stage.account.state.pledges == own
    stage.other.standing = real
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE)


async def test_pledges_of_a_universe_that_counts_no_more(stage: Stage) -> None:
    await two_venues(stage, BOOK, {CASH: -1_000 * LOT})
    counted = await stage.session.headroom(VENUE, Purpose.MAINTENANCE)
    universe = dataclasses.replace(stage.network.universe, version=2, compatible_since=2)
    stage.network = dataclasses.replace(stage.network, universe=universe)
    stage.tick()
    async with stage.open_session() as session:
        with refused(ReasonCode.UNIVERSE_INCOMPATIBLE):
            await session.prepare(VENUE, Purpose.MAINTENANCE)
        stage.certify(epoch=31)
        stage.propose(BOOK, number=2)
        proposal = await session.proposal(VENUE)
        lapsed = await session.headroom(VENUE, Purpose.MAINTENANCE, proposal)
    assert abs(lapsed.surplus_usd - counted.surplus_usd - 1_000) < Fraction(1, 10)


async def test_a_pledge_that_fails_says_why(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    made = stage.propose(BOOK)
    await stage.session.submit(await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal()))
    async with stage.open_session(patience=Patience(0.05, 0.02)) as session:
        with refused(ReasonCode.DEADLINE):
            await session.wait_standing(VENUE, made.commitment)
    with refused(ReasonCode.DEADLINE):
        await stage.session.wait_standing(VENUE, made.commitment, 0.05)
    assert (await stage.session.pledge_status(VENUE)).proposal_state is ProposalState.ACCEPTED
    for said, code in (("TRANSACTION_REVERTED", ReasonCode.TRANSACTION_REVERTED), ("?", ReasonCode.PLEDGE_UNEXPECTED)):
        stage.venue.failure = said
        with refused(code):
            await stage.session.wait_standing(VENUE, made.commitment)


async def test_a_pledge_that_only_the_venue_says_stands_is_not_believed(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    made = stage.propose(BOOK)
    await stage.session.submit(await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal()))
    stage.venue.standing = made
    with refused(ReasonCode.DEADLINE):
        await stage.session.wait_standing(VENUE, made.commitment, 0.05)


async def test_headroom_is_remembered_and_shown_to_nobody(stage: Stage) -> None:
    await stage.ready()
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    latest = stage.account.state.headrooms[-1]
    assert latest.surplus_cents == prepared.headroom.surplus_usd * 100 // 1
    assert (latest.venue, latest.purpose, latest.evaluated_at) == (VENUE, Purpose.MAINTENANCE, stage.now)
    count = len(stage.account.state.headrooms)
    measured = await stage.session.headroom(VENUE, Purpose.MAINTENANCE)
    assert measured == prepared.headroom
    assert len(stage.account.state.headrooms) == count
    amount = str(latest.surplus_cents // 100)
    assert amount not in repr(prepared.headroom) + repr(latest) + repr(stage.account.state)


async def test_missing_margin_is_a_negative_headroom(stage: Stage) -> None:
    await stage.ready()
    stage.propose({CASH: -50_000 * LOT}, number=2)
    proposal = await stage.proposal()
    measured = await stage.session.headroom(VENUE, Purpose.MAINTENANCE, proposal)
    with pytest.raises(MarginInsufficientError) as caught:
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, proposal)
    assert caught.value.headroom == measured
    assert measured.surplus_usd < 0
    assert stage.account.state.headrooms[-1].surplus_cents < 0


async def test_a_venue_that_collects_consents_is_stopped(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    for number in range(16):
        stage.propose(BOOK, number=number)
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())
        stage.tick()
    stage.propose(BOOK, number=77)
    proposal = await stage.session.proposal(VENUE, max_line=NO_LIMIT)
    with refused(ReasonCode.PLEDGE_PENDING):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, proposal)
    assert len(stage.account.state.pledges) == 16
