"""What the agent does next at one venue, as a table and as properties."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.margin import MarginState, Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.decisions import (
    Ask,
    Measure,
    Proposal,
    Prove,
    Rest,
    Stamp,
    VenueHistory,
    VenueRules,
    VenueView,
    Why,
    answered,
    decide,
    measured,
    refuses_line,
)

NOW = 1_000_000
RULES = VenueRules(1_000, interval_seconds=3_600, at_share=Fraction(1, 2), measure_seconds=60, patience_seconds=300)
STAMP = Stamp(7, 1, bytes(32))
MAINTENANCE = Ask(Purpose.MAINTENANCE)
LINE = Proposal(b"\x01" * 48, 1_000, Purpose.INITIAL)
COVER = Proposal(b"\x02" * 48, 0, Purpose.MAINTENANCE)
MEASURED = measured(VenueHistory(), STAMP, NOW)


def view(**changes: Any) -> VenueView:
    fresh = VenueView(stamp=STAMP, state=MarginState.GOOD, proof_due_at=NOW + 3_000, standing=True)
    return dataclasses.replace(fresh, **changes)


def decided(history: VenueHistory = MEASURED, now: int = NOW, **changes: Any) -> object:
    return decide(RULES, view(**changes), history, now)


def test_nothing_is_due() -> None:
    assert decided() == Rest()


@pytest.mark.parametrize(
    "state", [MarginState.PROOF_DUE, MarginState.MARGIN_CALL, MarginState.DEFAULT, MarginState.REDUCE_ONLY]
)
def test_a_state_that_asks_for_a_proof_gets_it_at_once(state: MarginState) -> None:
    assert decided(state=state) == Prove(MAINTENANCE, Why.STATE)


def test_after_its_share_of_the_interval_a_proof_is_due() -> None:
    assert decided(proof_due_at=NOW + 1_801) == Rest()
    assert decided(proof_due_at=NOW + 1_800) == Prove(MAINTENANCE, Why.INTERVAL)
    assert decided(proof_due_at=NOW - 5) == Prove(MAINTENANCE, Why.INTERVAL)
    assert decided(proof_due_at=0) == Rest()


@pytest.mark.parametrize("proposal", [LINE, COVER], ids=["line", "cover"])
def test_a_proposal_within_the_limit_is_proven_at_once(proposal: Proposal) -> None:
    wanted = Prove(Ask(proposal.purpose, proposal.commitment), Why.PROPOSAL, proposal)
    assert decided(proposal=proposal, standing=False, state=MarginState.NEVER_PROVEN) == wanted
    assert decided(proposal=proposal, state=MarginState.MARGIN_CALL) == wanted


def test_a_line_above_the_limit_is_never_accepted_but_proofs_go_on() -> None:
    large = dataclasses.replace(LINE, line=1_001)
    assert refuses_line(RULES, large)
    assert not refuses_line(RULES, LINE)
    assert decided(proposal=large) == Rest()
    assert decided(proposal=large, state=MarginState.MARGIN_CALL) == Prove(MAINTENANCE, Why.STATE)


def test_only_one_venue_changes_its_pledge_at_a_time() -> None:
    assert decided(proposal=LINE, swapping_elsewhere=True) == Rest()
    due = decided(proposal=LINE, swapping_elsewhere=True, state=MarginState.PROOF_DUE)
    assert due == Prove(MAINTENANCE, Why.STATE)


def test_what_covers_the_book_does_not_wait_when_time_runs_out() -> None:
    cover = Prove(Ask(COVER.purpose, COVER.commitment), Why.PROPOSAL, COVER)
    waiting: dict[str, Any] = {"proposal": COVER, "swapping_elsewhere": True}
    assert decided(**waiting) == Rest()
    assert decided(**waiting, proof_due_at=NOW + 301) == Prove(MAINTENANCE, Why.INTERVAL)
    assert decided(**waiting, proof_due_at=NOW + 300) == cover
    assert decided(**waiting, proof_due_at=0) == Rest()
    assert decided(**waiting, state=MarginState.MARGIN_CALL) == cover
    line = decided(proposal=LINE, swapping_elsewhere=True, state=MarginState.MARGIN_CALL)
    assert line == Prove(MAINTENANCE, Why.STATE)


def test_nothing_is_sent_while_the_venues_own_swap_is_under_way() -> None:
    assert decided(swapping=True, state=MarginState.MARGIN_CALL) == Rest(ReasonCode.PLEDGE_PENDING)


def test_without_a_snapshot_there_is_nothing_to_prove_on() -> None:
    assert decided(stamp=None, state=MarginState.MARGIN_CALL) == Rest(ReasonCode.SNAPSHOT_STALE)


def test_a_venue_that_forgot_the_last_proof_gets_one() -> None:
    assert decided(state=MarginState.NEVER_PROVEN) == Prove(MAINTENANCE, Why.STATE)


def test_without_a_pledge_there_is_nothing_to_prove_about() -> None:
    assert decided(standing=False, state=MarginState.NEVER_PROVEN) == Rest()
    assert decided(standing=False, state=MarginState.MARGIN_CALL) == Rest(ReasonCode.PLEDGE_MISSING)


@pytest.mark.parametrize(
    "newer",
    [Stamp(8, 1, bytes(32)), Stamp(7, 2, bytes(32)), Stamp(7, 1, b"\x01" * 32)],
    ids=["prices", "certificates", "pledges"],
)
def test_a_question_is_asked_again_only_when_its_answer_could_change(newer: Stamp) -> None:
    history = answered(MEASURED, MAINTENANCE, STAMP)
    assert decided(history, state=MarginState.MARGIN_CALL) == Rest()
    assert decided(history, state=MarginState.MARGIN_CALL, stamp=newer) == Prove(MAINTENANCE, Why.STATE)


def test_a_proposal_that_cannot_be_proven_does_not_keep_a_due_proof_from_being_made() -> None:
    history = answered(MEASURED, Ask(LINE.purpose, LINE.commitment), STAMP)
    assert decided(history, proposal=LINE, state=MarginState.PROOF_DUE) == Prove(MAINTENANCE, Why.STATE)
    assert decided(history, proposal=LINE) == Rest()


def test_headroom_is_measured_regularly_and_when_collateral_or_pledges_change() -> None:
    assert decided(VenueHistory()) == Measure()
    assert decided(now=NOW + 59, proof_due_at=0) == Rest()
    assert decided(now=NOW + 60, proof_due_at=0) == Measure()
    assert decided(now=NOW - 1, proof_due_at=0) == Measure()
    assert decided(stamp=Stamp(8, 1, bytes(32))) == Rest()
    assert decided(stamp=Stamp(7, 2, bytes(32))) == Measure()
    assert decided(stamp=Stamp(7, 1, b"\x01" * 32)) == Measure()


def test_old_answers_are_forgotten() -> None:
    history = VenueHistory()
    for slot in range(5):
        history = answered(history, MAINTENANCE, Stamp(slot, 1, bytes(32)))
        history = answered(history, Ask(Purpose.INITIAL), Stamp(slot, 1, bytes(32)))
    assert set(history.answered.values()) == {Stamp(4, 1, bytes(32))}


STAMPS = st.builds(Stamp, st.integers(0, 3), st.integers(0, 3), st.sampled_from([bytes(32), b"\x01" * 32]))
PROPOSALS = st.builds(
    Proposal, st.sampled_from([b"\x01" * 48, b"\x02" * 48]), st.integers(0, 2_000), st.sampled_from(Purpose)
)
VIEWS = st.builds(
    VenueView,
    stamp=st.none() | STAMPS,
    state=st.sampled_from(MarginState),
    proof_due_at=st.integers(0, 2 * NOW),
    standing=st.booleans(),
    swapping=st.booleans(),
    swapping_elsewhere=st.booleans(),
    proposal=st.none() | PROPOSALS,
)


@given(VIEWS, st.lists(st.tuples(st.sampled_from([MAINTENANCE, Ask(Purpose.INITIAL, b"\x01" * 48)]), STAMPS)))
def test_what_never_happens(now_view: VenueView, past: list[tuple[Ask, Stamp]]) -> None:
    history = VenueHistory()
    for ask, stamp in past:
        history = answered(history, ask, stamp)
    decision = decide(RULES, now_view, history, NOW)
    if isinstance(decision, Rest):
        return
    assert now_view.stamp is not None
    assert not now_view.swapping
    assert history.answered.get(decision.ask) != now_view.stamp
    if isinstance(decision, Prove) and decision.proposal is not None:
        assert decision.proposal.line <= RULES.line_limit
        assert not now_view.swapping_elsewhere or decision.proposal.line == 0
        assert decision.ask == Ask(decision.proposal.purpose, decision.proposal.commitment)
    else:
        assert now_view.standing
        assert decision.ask == MAINTENANCE


@given(VIEWS)
def test_once_answered_a_question_is_not_asked_on_the_same_stamp(now_view: VenueView) -> None:
    history, asked = VenueHistory(), []
    for _ in range(4):
        decision = decide(RULES, now_view, history, NOW)
        if isinstance(decision, Rest):
            return
        asked.append(decision.ask)
        assert now_view.stamp is not None
        history = measured(answered(history, decision.ask, now_view.stamp), now_view.stamp, NOW)
    assert len(set(asked)) == len(asked) <= 2


def test_representations_show_no_line() -> None:
    assert "4711" not in repr(Proposal(bytes(48), 4711, Purpose.INITIAL))
