"""Limits of top-ups: none is ever passed, whatever the agent wants and whatever the clock does."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.errors import RefusedError
from marginproof.prover.agent.top_ups import DAY_SECONDS, Ledger, TopUp, TopUpLimits, counted, plan, reserved, sent

LIMITS = TopUpLimits(step=10, per_top_up=50, per_day=80, in_all=200, least_seconds_between=600)
NOW = 2_000_000


def spend(ledger: Ledger, amount: int, now: int) -> Ledger:
    return counted(sent(reserved(ledger, TopUp(0, amount, 0, now), now), 5), now)


def refused() -> "pytest.RaisesExc[RefusedError]":
    return pytest.raises(RefusedError, match=r"^TOP_UP_LIMIT")


def test_whole_steps_at_least_one_at_most_the_limit() -> None:
    wanted = {0: 10, 1: 10, 10: 10, 11: 20, 50: 50, 51: 50, 10**30: 50}
    assert {want: plan(LIMITS, Ledger(), want, NOW) for want in wanted} == wanted


def test_the_days_limit_and_the_sum_of_all() -> None:
    ledger = spend(Ledger(), 50, NOW)
    assert plan(LIMITS, ledger, 100, NOW + 600) == 30
    ledger = spend(ledger, 30, NOW + 600)
    with refused():
        plan(LIMITS, ledger, 10, NOW + 1_200)
    assert plan(LIMITS, ledger, 100, NOW + DAY_SECONDS + 600) == 50
    for day in range(1, 4):
        ledger = spend(ledger, 40, NOW + 2 * day * DAY_SECONDS)
    assert ledger.spent_in_all == 200
    with refused():
        plan(LIMITS, ledger, 10, NOW + 100 * DAY_SECONDS)


def test_less_than_a_step_left_is_nothing_left() -> None:
    with refused():
        plan(dataclasses.replace(LIMITS, per_day=9), Ledger(), 10, NOW)


def test_time_between_two() -> None:
    ledger = spend(Ledger(), 10, NOW)
    with refused():
        plan(LIMITS, ledger, 10, NOW + 599)
    assert plan(LIMITS, ledger, 10, NOW + 600) == 10


def test_time_between_two_is_kept_even_when_it_is_longer_than_a_day() -> None:
    limits = dataclasses.replace(LIMITS, least_seconds_between=10 * DAY_SECONDS)
    ledger = spend(spend(Ledger(), 10, NOW), 10, NOW + 3 * DAY_SECONDS)
    with refused():
        plan(limits, ledger, 10, NOW + 12 * DAY_SECONDS)


def test_nothing_more_before_the_last_one_counts() -> None:
    ledger = reserved(Ledger(), TopUp(0, 10, 0, NOW), NOW)
    for changed in (ledger, sent(ledger, 5)):
        with refused():
            plan(LIMITS, changed, 10, NOW + 10 * DAY_SECONDS)
    assert plan(LIMITS, counted(sent(ledger, 5), NOW + 60), 10, NOW + 600) == 10


def test_a_clock_that_was_set_back_forgives_nothing() -> None:
    ledger = spend(Ledger(), 80, NOW)
    limits = dataclasses.replace(LIMITS, least_seconds_between=0)
    with refused():
        plan(limits, ledger, 10, NOW - 5 * DAY_SECONDS)


def test_the_ledger_stays_short() -> None:
    ledger = Ledger()
    for number in range(100):
        ledger = spend(ledger, 1, NOW + number * DAY_SECONDS // 4)
    assert len(ledger.recent) <= 6
    assert ledger.spent_in_all == 100


def test_representations_show_no_amount() -> None:
    ledger = spend(Ledger(), 4711, NOW)
    assert "4711" not in repr(ledger) + repr(dataclasses.replace(LIMITS, step=4711))


TIMES = st.lists(st.tuples(st.integers(-DAY_SECONDS, 2 * DAY_SECONDS), st.integers(0, 200)), max_size=30)


@settings(derandomize=True)
@given(TIMES, st.sampled_from([lambda ledger, _: ledger, counted]))
def test_limits_hold_over_any_history(moves: list[tuple[int, int]], finish: Callable[[Ledger, int], Ledger]) -> None:
    """Also where the clock jumps back; ``finish`` either settles each top-up or leaves it open for ever."""
    ledger, now, made = Ledger(), NOW, []
    for seconds, wanted in moves:
        now += seconds
        try:
            amount = plan(LIMITS, ledger, wanted, now)
        except RefusedError:
            continue
        made.append((now, amount))
        ledger = finish(reserved(ledger, TopUp(0, amount, 0, now), now), now)
    assert sum(amount for _, amount in made) <= LIMITS.in_all
    assert all(0 < amount <= LIMITS.per_top_up and amount % LIMITS.step == 0 for _, amount in made)
    for at, _ in made:
        assert sum(amount for when, amount in made if at - DAY_SECONDS < when <= at) <= LIMITS.per_day
    if finish is not counted:
        assert len(made) <= 1
