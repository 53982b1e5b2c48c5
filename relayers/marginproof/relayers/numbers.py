"""Epochs and slots from callers."""

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

_LIMIT = 1 << 63


def checked_number(value: int) -> int:
    """An epoch or slot that the database can hold.

    Raises:
        MalformedError: OUT_OF_RANGE; 2^63 and above.
    """
    if value >= _LIMIT:
        raise MalformedError("epochs and slots stay below 2^63", code=ReasonCode.OUT_OF_RANGE)
    return value
