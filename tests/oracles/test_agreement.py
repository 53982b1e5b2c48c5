from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.oracles.agreement import agreed_value

VALUES = st.lists(st.integers(1, 400), min_size=1, max_size=7)


def close(values: tuple[int, ...], spread: int) -> bool:
    return (max(values) - min(values)) * 10_000 <= spread * min(values)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.integers(1, 5), st.integers(0, 20_000))
def test_agrees_with_the_definition(values: list[int], needed: int, spread: int) -> None:
    groups = [g for size in range(needed, len(values) + 1) for g in combinations(sorted(values), size)]
    fitting = [g for g in groups if close(g, spread)]
    got = agreed_value(values, needed, spread)
    if not fitting:
        assert got is None
        return
    size = max(len(g) for g in fitting)
    best = min(g for g in fitting if len(g) == size)
    assert got == best[(size - 1) // 2]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(9_950, 10_050), min_size=2, max_size=2), st.integers(1, 10**30))
def test_one_liar_of_three_moves_nothing_outside_the_honest_values(honest: list[int], lie: int) -> None:
    value = agreed_value([*honest, lie], 2, 150)
    assert value is not None
    assert min(honest) * 985 // 1000 <= value <= max(honest)


def test_lower_median() -> None:
    assert agreed_value([10, 11], 2, 2000) == 10
    assert agreed_value([10, 11, 12], 2, 2000) == 11
    assert agreed_value([10, 11, 12, 12], 2, 2000) == 11


def test_spread_is_inclusive_and_exact() -> None:
    assert agreed_value([10_000, 10_100], 2, 100) == 10_000
    assert agreed_value([10_000, 10_101], 2, 100) is None


def test_too_few_values_agree_on_nothing() -> None:
    assert agreed_value([], 1, 100) is None
    assert agreed_value([5], 2, 100) is None
