"""A bound on requests per caller."""

from collections import OrderedDict
from typing import Final

from marginproof.model.errors import UnavailableError
from marginproof.model.reasons import ReasonCode

_MAX_CALLERS: Final = 4096
_BURST_SECONDS: Final = 2


class RateLimit:
    """Token buckets: ``per_second`` on average, twice that at once. Time is given by the caller.

    Args:
        per_second: Requests that one caller may make per second.
    """

    def __init__(self, per_second: int) -> None:
        self._rate = per_second
        self._burst = float(per_second * _BURST_SECONDS)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, now: float) -> None:
        """Counts one request.

        Raises:
            UnavailableError: RATE_LIMITED.
        """
        tokens, since = self._buckets.pop(caller, (self._burst, now))
        tokens = min(self._burst, tokens + max(now - since, 0.0) * self._rate)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise UnavailableError(
                "too many requests", code=ReasonCode.RATE_LIMITED, fix="wait a second before the next one"
            )


def caller_of(peer: str) -> str:
    """The caller behind a gRPC peer string such as ``ipv4:10.0.0.1:41234``: its address without the port."""
    return peer.rpartition(":")[0] or peer
