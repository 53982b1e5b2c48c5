"""Amounts as people write them, to exact integers and back; nothing is ever rounded."""

import re
from typing import Final

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

_DECIMAL: Final = re.compile(r"(?P<whole>[0-9]{1,30})(?:\.(?P<part>[0-9]{1,36}))?")


def parse_units(text: str, decimals: int, what: str = "the amount") -> int:
    """``text`` whole units in base units of 10^-decimals.

    Args:
        text: Digits with at most one point; no sign, exponent or separator.
        decimals: 0 to 36.
        what: How the error names it.

    Raises:
        MalformedError: OUT_OF_RANGE: no such number, or finer than a base unit.
    """
    match = _DECIMAL.fullmatch(text)
    part = (match["part"] or "").rstrip("0") if match else ""
    if match is None or len(part) > decimals:
        raise MalformedError(
            f"{what} is no plain decimal number with at most {decimals} decimals",
            code=ReasonCode.OUT_OF_RANGE,
            fix="write it like 2.5",
        )
    return int(match["whole"] + part.ljust(decimals, "0"))


def format_units(amount: int, decimals: int) -> str:
    """The inverse of :func:`parse_units`, without trailing zeros."""
    digits = str(amount).rjust(decimals + 1, "0")
    whole, part = (digits[:-decimals], digits[-decimals:].rstrip("0")) if decimals else (digits, "")
    return f"{whole}.{part}" if part else whole
