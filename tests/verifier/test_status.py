"""The rules of proving again, each edge to the second, and over random histories."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.margin import MarginState
from marginproof.verifier.status import (
    NEXT_ACTIONS,
    AccountStatus,
    Evidence,
    StatusRules,
    advance,
    after_accept,
    after_covered,
    after_failed,
    after_standing,
    after_uncovered,
    state_of,
)

RULES = StatusRules(interval=100, grace=20, unclaimed_seconds=1_000)
START = 10_000
CHAIN = "eip155:1"
ALWAYS = Evidence(since=0, last_reference=START)
NEVER = Evidence(since=None, last_reference=START)
PROVEN = after_accept(START, {CHAIN: START - 5}, RULES)


def at(status: AccountStatus, now: int, evidence: Evidence = ALWAYS) -> tuple[AccountStatus, MarginState]:
    after = advance(status, now, evidence, RULES)
    return after, state_of(after, now, evidence, RULES)


def test_nothing_is_due_of_an_account_that_never_traded() -> None:
    status, state = at(AccountStatus(), START + 10**6)
    assert (status, state) == (AccountStatus(), MarginState.NEVER_PROVEN)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (START, MarginState.GOOD),
        (START + 49, MarginState.GOOD),
        (START + 50, MarginState.PROOF_DUE),
        (START + 99, MarginState.PROOF_DUE),
        (START + 100, MarginState.MARGIN_CALL),
        (START + 119, MarginState.MARGIN_CALL),
    ],
)
def test_an_interval_runs_from_good_through_due_to_the_call(now: int, state: MarginState) -> None:
    assert at(PROVEN, now)[1] is state


def test_default_takes_two_deadlines_in_a_row() -> None:
    once, _ = at(PROVEN, START + 100)
    assert (once.missed, once.deadline) == (1, START + 120)
    assert at(once, START + 119)[1] is MarginState.MARGIN_CALL
    twice, state = at(once, START + 120)
    assert (twice.missed, state) == (2, MarginState.DEFAULT)
    assert at(twice, START + 10**6) == (twice, MarginState.DEFAULT)


def test_a_proof_between_two_deadlines_starts_the_count_again() -> None:
    once, _ = at(PROVEN, START + 100)
    again = after_accept(START + 110, {CHAIN: START}, RULES)
    assert once.missed == 1
    assert at(again, START + 209)[1] is MarginState.PROOF_DUE
    assert at(again, START + 210)[0].missed == 1


def test_an_accepted_proof_ends_a_default() -> None:
    assert at(after_accept(START, {}, RULES), START)[1] is MarginState.GOOD


def test_an_uncovered_book_makes_a_proof_due_at_once() -> None:
    uncovered = after_uncovered(PROVEN, START + 10, RULES)
    assert uncovered.deadline == START + 30
    assert at(uncovered, START + 10)[1] is MarginState.PROOF_DUE
    assert at(uncovered, START + 30)[1] is MarginState.MARGIN_CALL


def test_an_uncovered_book_never_puts_a_deadline_off() -> None:
    assert after_uncovered(PROVEN, START + 95, RULES).deadline == START + 100
    called, _ = at(PROVEN, START + 100)
    assert after_uncovered(called, START + 101, RULES).deadline == START + 120
    assert after_uncovered(called, START + 101, RULES).missed == 1


def test_the_next_snapshot_does_not_bring_the_deadline_forward_again() -> None:
    uncovered = after_uncovered(PROVEN, START + 10, RULES)
    assert after_uncovered(uncovered, START + 5, RULES) == uncovered
    assert after_uncovered(uncovered, START + 20, RULES) == uncovered


def test_a_book_covered_again_keeps_its_deadline() -> None:
    covered = after_covered(after_uncovered(PROVEN, START + 10, RULES))
    assert (covered.deadline, covered.uncovered) == (START + 30, False)
    assert after_covered(PROVEN) == PROVEN


def test_a_book_without_any_proof_gets_a_deadline_once_it_is_uncovered() -> None:
    uncovered = after_uncovered(AccountStatus(), START, RULES)
    assert (uncovered.deadline, at(uncovered, START)[1]) == (START + 20, MarginState.PROOF_DUE)


def test_a_deadline_waits_while_a_swap_is_under_way() -> None:
    swapping = dataclasses.replace(ALWAYS, swapping=True)
    status, state = at(PROVEN, START + 500, swapping)
    assert (status, state) == (PROVEN, MarginState.REDUCE_ONLY)
    assert at(PROVEN, START + 100, swapping)[1] is MarginState.REDUCE_ONLY
    assert at(PROVEN, START + 99, swapping)[1] is MarginState.PROOF_DUE
    assert at(PROVEN, START + 1_001, swapping)[0].missed == 1  # at most until collateral may leave


def test_a_pledge_that_stands_gives_at_least_a_grace() -> None:
    assert after_standing(PROVEN, START + 10, RULES) == PROVEN
    assert after_standing(PROVEN, START + 90, RULES).deadline == START + 110
    assert after_standing(AccountStatus(), START, RULES) == AccountStatus()


def test_a_failed_swap_takes_its_proof_back() -> None:
    called, _ = at(PROVEN, START + 100)
    accepted = after_accept(START + 110, {CHAIN: START}, RULES)
    failed = after_failed(accepted, called, START + 112, RULES)
    assert (failed.missed, failed.deadline, failed.accepted_at) == (1, START + 132, START)
    assert at(failed, START + 112)[1] is MarginState.MARGIN_CALL
    assert at(failed, START + 132)[1] is MarginState.DEFAULT


def test_a_failed_swap_leaves_a_later_deadline_and_later_misses() -> None:
    accepted = after_accept(START + 10, {CHAIN: START}, RULES)
    assert after_failed(accepted, PROVEN, START + 12, RULES) == PROVEN
    missed = dataclasses.replace(accepted, missed=2)
    assert after_failed(missed, PROVEN, START + 12, RULES).missed == 2
    uncovered = after_uncovered(accepted, START + 11, RULES)
    assert after_failed(uncovered, PROVEN, START + 12, RULES).deadline == START + 32


def test_a_failed_first_swap_leaves_nothing() -> None:
    assert after_failed(PROVEN, AccountStatus(), START + 1, RULES) == AccountStatus()


def test_without_evidence_no_deadline_passes_and_only_reducing_is_possible() -> None:
    status, state = at(PROVEN, START + 500, NEVER)
    assert (status.missed, state) == (0, MarginState.REDUCE_ONLY)


def test_once_evidence_is_back_a_full_grace_runs() -> None:
    back = Evidence(since=START + 500, last_reference=START)
    status, state = at(PROVEN, START + 500, back)
    assert (status.missed, status.deadline, state) == (0, START + 520, MarginState.PROOF_DUE)
    assert at(status, START + 519, back)[0].missed == 0
    assert at(status, START + 520, back)[0].missed == 1


@pytest.mark.parametrize(("since", "missed"), [(START + 90, 1), (START + 91, 0)])
def test_evidence_must_have_been_there_for_the_last_part_of_the_time(since: int, missed: int) -> None:
    assert at(PROVEN, START + 100, Evidence(since, START))[0].missed == missed


@pytest.mark.parametrize(("now", "missed"), [(START + 1_000, 0), (START + 1_001, 1)])
def test_an_outage_excuses_only_until_collateral_may_leave(now: int, missed: int) -> None:
    assert at(PROVEN, now, NEVER)[0].missed == missed


def test_after_that_the_state_is_a_call_and_not_reduce_only() -> None:
    status, state = at(PROVEN, START + 1_001, NEVER)
    assert state is MarginState.MARGIN_CALL
    assert at(status, START + 1_021, NEVER)[1] is MarginState.DEFAULT


def test_a_default_stays_one_in_an_outage() -> None:
    assert at(dataclasses.replace(PROVEN, missed=2), START + 10, NEVER)[1] is MarginState.DEFAULT


def test_every_state_names_what_to_do() -> None:
    assert set(NEXT_ACTIONS) == set(MarginState)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(min_value=1, max_value=60),
            st.sampled_from(["tick", "uncovered", "accept", "swap", "outage", "back"]),
        ),
        max_size=40,
    )
)
def test_no_history_defaults_without_two_full_answers_missed(steps: list[tuple[int, str]]) -> None:
    """A default needs at least a grace since the last accepted proof, and never falls in an outage."""
    now, since, status, accepted = START, START, PROVEN, START
    outage = False
    for seconds, event in steps:
        now += seconds
        if event == "outage":
            outage = True
        elif event == "back" and outage:
            outage, since = False, now
        evidence = Evidence(None if outage else since, now - 10)
        before = status.missed
        status = advance(status, now, evidence, RULES)
        assert status.missed - before in (0, 1)
        if outage:
            assert status.missed == before
        if event == "uncovered":
            status = after_uncovered(status, now, RULES)
        elif event == "swap" and not outage:  # accepted, and failed at once: it never starts the count again
            again = after_failed(after_accept(now, {CHAIN: now}, RULES), status, now, RULES)
            assert again.missed == status.missed
            status = again
        elif event == "accept" and not outage:
            status, accepted = after_accept(now, {CHAIN: now}, RULES), now
        if status.missed == 2:
            assert now - accepted >= RULES.grace
        assert state_of(status, now, evidence, RULES) in set(MarginState)
