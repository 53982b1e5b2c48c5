"""Waits after failures: they grow, they stay below the cap, and they leave time before a deadline."""

from hypothesis import given
from hypothesis import strategies as st

from marginproof.prover.agent.backoff import backoff_seconds


def wait(failures: int, chance: float = 0.999, left: float | None = None) -> float:
    return backoff_seconds(failures, base=1, cap=60, chance=chance, seconds_left=left)


def test_waits_double_up_to_the_cap() -> None:
    assert [round(wait(failures)) for failures in (1, 2, 3, 4, 7, 1_000)] == [1, 2, 4, 8, 60, 60]


def test_two_agents_do_not_come_at_the_same_time() -> None:
    assert wait(4, chance=0.0) == 4.0
    assert wait(4, chance=0.5) == 6.0


def test_a_near_deadline_shortens_the_wait() -> None:
    assert wait(10, left=40) <= 10
    assert 0.25 <= wait(10, left=0) <= 0.5
    assert 0.25 <= wait(10, left=-100) <= 0.5


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True), st.none() | st.floats(-(10**9), 10**9))
def test_waits_are_bounded(failures: int, chance: float, left: float | None) -> None:
    assert 0 < wait(failures, chance, left) <= 60
