"""How tight an account's margin is at one venue, in three words; the amounts behind them stay where they are kept."""

import dataclasses
from enum import IntEnum
from fractions import Fraction


class Level(IntEnum):
    """All that ever leaves the encrypted store of an account's headroom; larger is worse."""

    OK = 0
    TIGHT = 1
    CRITICAL = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What is left in the worst row of a venue's policy; secret.

    Args:
        free_cents: USD cents above zero, rounded down; below zero where margin is missing.
        collateral_cents: What the locks that count are worth before haircuts, USD cents rounded down.
    """

    free_cents: int = dataclasses.field(repr=False)
    collateral_cents: int = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Threshold:
    """A headroom below which a level begins; where both are given, the larger of the two.

    Args:
        percent: Of the value of the collateral that counts, before haircuts.
        usd_cents: A fixed amount, USD cents.
    """

    percent: Fraction | None = None
    usd_cents: int | None = None

    def cents(self, measured: Measured) -> Fraction:
        """The threshold for this account now, USD cents; never negative, so missing margin is below every one."""
        share = Fraction(0)
        if self.percent is not None:
            share = self.percent / 100 * measured.collateral_cents
        return max(share, Fraction(self.usd_cents or 0))


@dataclasses.dataclass(frozen=True, slots=True)
class LevelRules:
    """When a level begins, and how far beyond its beginning it ends.

    Args:
        warn: TIGHT begins below it.
        critical: CRITICAL begins below it.
        hysteresis: A level ends only above its threshold times one plus this, so that it does not flicker.
    """

    warn: Threshold
    critical: Threshold
    hysteresis: Fraction

    def level(self, measured: Measured, previous: Level) -> Level:
        """The level after a measurement: worse at once, better only beyond the hysteresis."""
        at_once = self._plain(measured, Fraction(1))
        held = self._plain(measured, 1 + self.hysteresis)
        return max(at_once, min(previous, held))

    def missing_cents(self, measured: Measured) -> int:
        """What brings the level back to OK, USD cents rounded up; 0 where nothing is missing."""
        wanted = self.warn.cents(measured) * (1 + self.hysteresis)
        missing = wanted - measured.free_cents
        return max(-(-missing.numerator // missing.denominator), 0)

    def _plain(self, measured: Measured, factor: Fraction) -> Level:
        if measured.free_cents < self.critical.cents(measured) * factor:
            return Level.CRITICAL
        return Level.TIGHT if measured.free_cents < self.warn.cents(measured) * factor else Level.OK
