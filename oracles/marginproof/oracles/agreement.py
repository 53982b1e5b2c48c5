"""When several values of one thing are believed."""

from collections.abc import Sequence
from typing import Final

_BASIS_POINTS: Final = 10_000


def agreed_value(values: Sequence[int], needed: int, max_spread_bps: int) -> int | None:
    """The lower median of the largest group of values that lie close together.

    Exact integers only, so that everybody who has the same values gets the same answer. With ``needed`` more than
    half of those who may speak, two groups always share a member, and values outside the group change nothing.

    Args:
        values: Each > 0, in any order.
        needed: Fewest values that a group must have, ≥ 1.
        max_spread_bps: Within a group (highest − lowest) · 10 000 ≤ max_spread_bps · lowest.

    Returns:
        The value, or None when no group is large enough. Of several largest groups the lowest is taken.
    """
    ordered = sorted(values)
    best: list[int] = []
    for start, low in enumerate(ordered):
        group = [value for value in ordered[start:] if (value - low) * _BASIS_POINTS <= max_spread_bps * low]
        if len(group) > len(best):
            best = group
    if len(best) < needed:
        return None
    return best[(len(best) - 1) // 2]
