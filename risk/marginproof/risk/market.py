"""The prices and volatilities at which a policy is evaluated."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

from marginproof.model.errors import MalformedError, UnavailableError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import PRICE_SCALE, VOLATILITY_SCALE, EntryKind, Universe


@dataclasses.dataclass(frozen=True, slots=True)
class Market:
    """Values of price points at ``time`` (UTC seconds): integers of 10^-8 USD per unit, or 10^-8 per year."""

    time: int
    values: Mapping[str, int]

    def price(self, point: str) -> Fraction:
        """USD per unit.

        Raises:
            UnavailableError: PRICE_UNAVAILABLE, the market has no such point.
            MalformedError: OUT_OF_RANGE, the value is not positive.
        """
        return Fraction(self._value(point), PRICE_SCALE)

    def volatility(self, point: str) -> Fraction:
        """Implied volatility per square root of a year; errors as :meth:`price`."""
        return Fraction(self._value(point), VOLATILITY_SCALE)

    def _value(self, point: str) -> int:
        value = self.values.get(point)
        if value is None:
            raise UnavailableError(
                f"there is no usable value for price point {point!r}",
                code=ReasonCode.PRICE_UNAVAILABLE,
                fix="wait for the next price report",
                fields={"point": point},
            )
        if value <= 0:
            raise MalformedError(
                f"the value of price point {point!r} is not positive",
                code=ReasonCode.OUT_OF_RANGE,
                fields={"point": point},
            )
        return value


def required_points(universe: Universe) -> tuple[str, ...]:
    """The points that value at least one entry, rising by id."""
    points: set[str] = set()
    for entry in universe.entries:
        if entry.kind != EntryKind.CASH:
            points.add(entry.price_point)
        if entry.kind in (EntryKind.CALL, EntryKind.PUT):
            points.add(entry.volatility_point)
    return tuple(sorted(points))
