"""Strict, bounded RLP decoding: every value has exactly one accepted encoding.

Library decoders accept lengths beyond the end of their input or recurse as deep as the input says; what is
decoded here comes from whoever answers, so both are refused. Encoding is left to the ``rlp`` library.
Source: Ethereum yellow paper, appendix B.
"""

import dataclasses
from typing import TypeAlias

_SHORT = 55
"""Payloads up to this many bytes carry their length in the first byte."""


class RlpError(ValueError):
    """Bytes that are no canonical RLP item; callers turn it into an error with a reason code."""


@dataclasses.dataclass(frozen=True, slots=True)
class RlpList:
    """A decoded list.

    Args:
        items: Its elements.
        size: Bytes of the whole encoding, prefix included.
    """

    items: tuple["Item", ...]
    size: int


Item: TypeAlias = bytes | RlpList


def decode(data: bytes, *, max_depth: int) -> Item:
    """Decodes one item that fills ``data`` exactly.

    Args:
        data: The encoding; callers bound its length.
        max_depth: How many lists may lie inside one another, the outermost included.

    Raises:
        RlpError: Not canonical, truncated, followed by surplus bytes or nested too deep.
    """
    item, end = _item(data, 0, len(data), max_depth)
    if end != len(data):
        raise RlpError("surplus bytes after the item")
    return item


def unsigned(item: Item, max_bytes: int) -> int:
    """Reads a big-endian unsigned integer without leading zeros (zero is the empty string).

    Raises:
        RlpError: A list, too long, or with a leading zero.
    """
    if isinstance(item, RlpList) or len(item) > max_bytes or item[:1] == b"\x00":
        raise RlpError(f"not a canonical integer of at most {max_bytes} bytes")
    return int.from_bytes(item, "big")


def fixed(item: Item, length: int) -> bytes:
    """Reads a byte string of exactly ``length`` bytes.

    Raises:
        RlpError: A list, or another length.
    """
    if isinstance(item, RlpList) or len(item) != length:
        raise RlpError(f"not a string of {length} bytes")
    return item


def _item(data: bytes, start: int, end: int, depth: int) -> tuple[Item, int]:
    if start >= end:
        raise RlpError("truncated")
    first = data[start]
    if first < 0x80:
        return data[start : start + 1], start + 1
    base = 0x80 if first < 0xC0 else 0xC0
    payload, stop = _payload(data, start, end, first - base)
    if base == 0xC0:
        return RlpList(_elements(data, payload, stop, depth), stop - start), stop
    if stop - payload == 1 and data[payload] < 0x80:
        raise RlpError("a single byte below 0x80 stands for itself")
    return data[payload:stop], stop


def _payload(data: bytes, start: int, end: int, code: int) -> tuple[int, int]:
    """Where the payload starts and stops."""
    if code <= _SHORT:
        begin, length = start + 1, code
    else:
        begin = start + 1 + code - _SHORT
        digits = data[start + 1 : min(begin, end)]
        if digits[:1] == b"\x00":
            raise RlpError("a length has a leading zero")
        length = int.from_bytes(digits, "big")
        if length <= _SHORT:
            raise RlpError("a long length was used for a short payload")
    if length > end - begin:  # also where the digits themselves were cut off: then begin lies beyond the end
        raise RlpError("truncated")
    return begin, begin + length


def _elements(data: bytes, start: int, end: int, depth: int) -> tuple[Item, ...]:
    if depth <= 0:
        raise RlpError("lists are nested too deep")
    items: list[Item] = []
    while start < end:
        item, start = _item(data, start, end, depth - 1)
        items.append(item)
    return tuple(items)
