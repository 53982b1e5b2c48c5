"""The SSZ adapter: canonical, total, and one root per value."""

import dataclasses
import hashlib
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import (
    Bits,
    Blob,
    Bytes32,
    Int64,
    Many,
    SszContainer,
    Text64,
    Uint8,
    Uint64,
    branch_holds,
    list_root,
    merkle_branch,
    signing_root,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Inner(SszContainer):
    """A small container."""

    amount: Int64
    name: Text64


@dataclasses.dataclass(frozen=True, slots=True)
class Outer(SszContainer):
    """One of every field kind."""

    hash: Bytes32
    number: Uint64
    small: Uint8
    blob: Annotated[bytes, Blob(8)]
    bits: Annotated[tuple[bool, ...], Bits(16)]
    items: Annotated[tuple[Inner, ...], Many(16)]
    inner: Inner


inners = st.builds(
    Inner, st.integers(-(2**63) + 1, 2**63 - 1), st.text(max_size=16).filter(lambda text: len(text.encode()) <= 64)
)
outers = st.builds(
    Outer,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.binary(max_size=8),
    st.lists(st.booleans(), max_size=16).map(tuple),
    st.lists(inners, max_size=4).map(tuple),
    inners,
)


@given(outers)
def test_decoding_gives_back_what_was_encoded(value: Outer) -> None:
    assert Outer.decode(value.encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_typed_error(data: bytes) -> None:
    try:
        value = Outer.decode(data)
    except MalformedError as error:
        assert error.code in (ReasonCode.MALFORMED, ReasonCode.OUT_OF_RANGE)
    else:
        assert value.encode() == data


@given(outers, st.data())
def test_a_changed_byte_is_refused_or_another_value(value: Outer, data: st.DataObject) -> None:
    encoded = bytearray(value.encode())
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        assert Outer.decode(bytes(encoded)) != value
    except MalformedError:
        pass


@given(outers, outers)
def test_different_values_have_different_roots(first: Outer, second: Outer) -> None:
    assert (first == second) == (first.root() == second.root())


@pytest.mark.parametrize("amount", [-(2**63), 2**63])
def test_an_entry_outside_its_range_is_refused_without_showing_it(amount: int) -> None:
    with pytest.raises(MalformedError) as caught:
        Inner(amount, "x").root()
    assert caught.value.code == ReasonCode.OUT_OF_RANGE
    assert str(amount) not in str(caught.value)


def test_the_entry_that_has_no_negative_is_refused_when_decoding() -> None:
    encoded = bytearray(Inner(1, "").encode())
    encoded[:8] = (1 << 63).to_bytes(8, "little")
    with pytest.raises(MalformedError):
        Inner.decode(bytes(encoded))


def test_bytes_hidden_before_the_first_offset_are_refused() -> None:
    """The library's own decoder skips them: two spellings of one value."""
    amount = (1).to_bytes(8, "little")
    assert Inner.decode(amount + (12).to_bytes(4, "little") + b"ab") == Inner(1, "ab")
    with pytest.raises(MalformedError):
        Inner.decode(amount + (13).to_bytes(4, "little") + b"!ab")


def test_an_oversized_encoding_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedError) as caught:
        Outer.decode(bytes(Outer.MAX_BYTES + 1))
    assert caught.value.code == ReasonCode.TOO_LARGE


def test_the_root_is_that_of_the_consensus_specs_by_hand() -> None:
    """Two chunks: the amount as uint64, and the text as a list of bytes with its length mixed in."""
    amount = (5).to_bytes(8, "little") + bytes(24)
    text_chunks = hashlib.sha256(b"ab".ljust(32, b"\0") + bytes(32)).digest()
    text = hashlib.sha256(text_chunks + (2).to_bytes(32, "little")).digest()
    assert Inner(5, "ab").root() == hashlib.sha256(amount + text).digest()


@given(st.lists(inners, min_size=1, max_size=7), st.data())
def test_a_branch_shows_its_element_at_its_place_only(items: list[Inner], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(items) - 1))
    root = list_root(items, Inner, 16)
    branch = merkle_branch(items, index, 16)
    leaf = items[index].root()
    assert branch_holds(leaf, index, branch, root, 16)
    other = data.draw(st.integers(0, 15))
    if other >= len(items) or items[other] != items[index]:
        assert not branch_holds(leaf, other, branch, root, 16)
    for position in range(len(branch)):
        changed = list(branch)
        changed[position] = hashlib.sha256(changed[position]).digest()
        assert not branch_holds(leaf, index, changed, root, 16)
    assert not branch_holds(leaf, index, branch[:-1], root, 16)
    assert not branch_holds(leaf, index, (*branch, bytes(32)), root, 16)
    assert not branch_holds(leaf, index - 16, branch, root, 16)


def test_an_unused_leaf_is_never_shown() -> None:
    """The zero chunk after the last element lies under the root, but beyond the length."""
    items = [Inner(1, "a")]
    node = items[0].root()
    siblings = [node] + [merkle_branch(items, 0, 16)[level] for level in range(1, 5)]
    assert not branch_holds(bytes(32), 1, siblings, list_root(items, Inner, 16), 16)


def test_a_signature_is_for_one_role_network_and_version() -> None:
    value = Inner(1, "a")
    roots = {
        signing_root(value, role, network, version)
        for role in ("certificate", "observation")
        for network in (bytes(32), b"\1" * 32)
        for version in (1, 2)
    }
    assert len(roots) == 8
