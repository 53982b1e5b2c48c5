"""The strict decoder against the field's library, and everything it refuses."""

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.chains.evm.verify.canonical_rlp import Item, RlpError, RlpList, decode, fixed, unsigned

NESTED = st.recursive(st.binary(max_size=80), lambda children: st.lists(children, max_size=6), max_leaves=20)


def plain(item: Item) -> object:
    return [plain(child) for child in item.items] if isinstance(item, RlpList) else item


@settings(max_examples=200, derandomize=True, deadline=None)
@given(NESTED)
def test_decodes_what_the_library_encodes(value: object) -> None:
    data = rlp.encode(value)
    item = decode(data, max_depth=64)
    assert plain(item) == value
    assert not isinstance(item, RlpList) or item.size == len(data)


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_give_the_one_item_that_encodes_to_them_or_an_error(data: bytes) -> None:
    try:
        item = decode(data, max_depth=8)
    except RlpError:
        return
    assert rlp.encode(plain(item)) == data


@pytest.mark.parametrize(
    "data",
    [
        "",
        "8100",
        "817f",
        "82ff",
        "b800",
        "b837" + "00" * 55,
        "b90038" + "00" * 56,
        "b8",
        "b9ff",
        "c2b9ff" + "00" * 300,
        "bfffffffffffffffff",
        "f800",
        "f837" + "00" * 55,
        "f90038" + "00" * 56,
        "c1",
        "c3820000" + "00",
        "c28200",
        "c0c0",
        "8080",
        "ffffffffffffffffff",
    ],
)
def test_refuses_what_is_not_canonical(data: str) -> None:
    with pytest.raises(RlpError):
        decode(bytes.fromhex(data), max_depth=4)


def test_depth_is_bounded() -> None:
    three = bytes.fromhex("c2c1c0")
    assert decode(three, max_depth=3)
    with pytest.raises(RlpError, match="deep"):
        decode(three, max_depth=2)
    deep = rlp.encode([])
    for _ in range(300):
        deep = rlp.encode([rlp.decode(deep)]) if len(deep) < 3 else _wrapped(deep)
    with pytest.raises(RlpError, match="deep"):
        decode(deep, max_depth=16)


def _wrapped(data: bytes) -> bytes:
    if len(data) < 56:
        return bytes([0xC0 + len(data)]) + data
    length = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(length)]) + length + data


def test_integers_and_fixed_strings_are_strict() -> None:
    assert unsigned(b"", 8) == 0
    assert unsigned(b"\x01\x00", 8) == 256
    for wrong in (b"\x00", b"\x00\x01", b"\x01" * 9, RlpList((), 1)):
        with pytest.raises(RlpError):
            unsigned(wrong, 8)
    assert fixed(b"ab", 2) == b"ab"
    for other in (b"a", b"abc", RlpList((), 1), RlpList((b"a", b"b"), 3)):
        with pytest.raises(RlpError):
            fixed(other, 2)
