"""Levels: worse at once, better only beyond the hysteresis; no amount in any representation."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from marginproof.prover.agent.levels import Level, LevelRules, Measured, Threshold

CENTS = st.integers(-(10**15), 10**15)
LEVELS = st.sampled_from(Level)
RULES = LevelRules(Threshold(percent=Fraction(20)), Threshold(percent=Fraction(10)), Fraction(1, 10))


def level(free: int, previous: Level = Level.OK, collateral: int = 100_000) -> Level:
    return RULES.level(Measured(free, collateral), previous)


def test_levels_begin_below_their_thresholds() -> None:
    assert [level(20_000), level(19_999), level(10_000), level(9_999), level(-1)] == [
        Level.OK,
        Level.TIGHT,
        Level.TIGHT,
        Level.CRITICAL,
        Level.CRITICAL,
    ]


def test_levels_end_only_beyond_the_hysteresis() -> None:
    assert level(10_500, Level.CRITICAL) is Level.CRITICAL
    assert level(11_000, Level.CRITICAL) is Level.TIGHT
    assert level(21_999, Level.TIGHT) is Level.TIGHT
    assert level(22_000, Level.TIGHT) is Level.OK
    assert level(21_999, Level.OK) is Level.OK
    assert level(50_000, Level.CRITICAL) is Level.OK


def test_missing_margin_is_critical_whatever_the_thresholds() -> None:
    rules = LevelRules(Threshold(usd_cents=0), Threshold(usd_cents=0), Fraction(0))
    assert rules.level(Measured(-1, 0), Level.OK) is Level.CRITICAL
    assert rules.level(Measured(0, 0), Level.OK) is Level.OK


def test_the_larger_of_two_thresholds_counts() -> None:
    both = Threshold(Fraction(10), 5_000)
    assert both.cents(Measured(0, 100_000)) == 10_000
    assert both.cents(Measured(0, 10_000)) == 5_000


@given(CENTS, st.integers(0, 10**15), LEVELS)
def test_a_level_never_flickers(free: int, collateral: int, previous: Level) -> None:
    first = RULES.level(Measured(free, collateral), previous)
    assert RULES.level(Measured(free, collateral), first) is first


@given(CENTS, CENTS, st.integers(0, 10**15), LEVELS)
def test_more_headroom_is_never_a_worse_level(one: int, other: int, collateral: int, previous: Level) -> None:
    low, high = sorted((one, other))
    assert RULES.level(Measured(high, collateral), previous) <= RULES.level(Measured(low, collateral), previous)


@given(CENTS, st.integers(0, 10**15))
def test_what_is_missing_brings_the_level_back(free: int, collateral: int) -> None:
    missing = RULES.missing_cents(Measured(free, collateral))
    assert missing >= 0
    assert RULES.level(Measured(free + missing, collateral), Level.CRITICAL) is Level.OK
    if missing:
        assert RULES.level(Measured(free + missing - 1, collateral), Level.CRITICAL) is not Level.OK


def test_representations_show_no_amount() -> None:
    assert "4711" not in repr(Measured(4711, 4711))
