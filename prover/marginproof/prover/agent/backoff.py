"""How long to wait after a failure: longer each time, never the same for two agents, never past a deadline."""

from typing import Final

_SHARE_OF_REST: Final = 4
_LEAST_SECONDS: Final = 0.5


def backoff_seconds(
    failures: int, *, base: float, cap: float, chance: float, seconds_left: float | None = None
) -> float:
    """Seconds until the next try.

    Args:
        failures: In a row, 1 or more.
        base: Longest wait after the first one, seconds.
        cap: Longest wait at all, seconds.
        chance: In [0, 1); spreads the waits over their upper half.
        seconds_left: Until the next deadline; at most a quarter of it is waited. None where there is no deadline.
    """
    longest = min(cap, base * 2.0 ** min(failures - 1, 32))
    if seconds_left is not None:
        longest = min(longest, max(seconds_left / _SHARE_OF_REST, _LEAST_SECONDS))
    return longest * (1 + chance) / 2
