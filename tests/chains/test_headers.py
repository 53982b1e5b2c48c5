"""Headers: real ones, spoiled ones, and well-hashed ones that are no headers."""

from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.chains.evm.client.blocks import encode_header, read_header
from marginproof.chains.evm.verify import parse_header
from marginproof.chains.evm.verify.headers import FORK_FIELD_COUNTS, MAX_HEADER_BYTES
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import World

FIELDS: list[Any] = [
    b"\x01" * 32, b"\x02" * 32, b"\x03" * 20, b"\x04" * 32, b"\x05" * 32, b"\x06" * 32, b"\x07" * 256, b"",
    b"\x64", b"\x01\x00", b"", b"\x65\x00\x00\x00", b"extra", b"\x0d" * 32, b"\x00" * 8, b"\x07",
    b"\x10" * 32, b"", b"", b"\x13" * 32, b"\x14" * 32, b"\x15" * 32, b"\x16" * 32,
]  # fmt: skip
LENGTH_ONE = {0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 19, 20}


def refused(fields: Any) -> ReasonCode:
    data = rlp.encode(fields)
    with pytest.raises(MalformedError) as caught:
        parse_header(data, keccak(data))
    return caught.value.code


def replaced(index: int, value: Any) -> list[Any]:
    return [*FIELDS[:index], value, *FIELDS[index + 1 : 21]]


def test_every_recorded_header_hashes_to_its_hash(recorded: World) -> None:
    for number in range(recorded.tip() + 1):
        block = recorded.block(number)
        header = read_header(block)
        assert (header.number, header.timestamp) == (number, int(block["timestamp"], 16))
        assert header.parent_hash.hex() == block["parentHash"][2:]
        assert header.state_root.hex() == block["stateRoot"][2:]


def test_every_byte_of_a_header_is_bound_by_its_hash(recorded: World) -> None:
    block = recorded.block(3)
    data, block_hash = encode_header(block), bytes.fromhex(block["hash"][2:])
    spoiled = [data[:-1], data + b"\x00", b""]
    spoiled += [data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :] for index in range(len(data))]
    for changed in spoiled:
        with pytest.raises(MalformedError) as caught:
            parse_header(changed, block_hash)
        assert caught.value.code is ReasonCode.HEADER_HASH_MISMATCH


@pytest.mark.parametrize("count", range(24))
def test_row_30_only_known_forks_are_read(count: int) -> None:
    data = rlp.encode(FIELDS[:count])
    if count in FORK_FIELD_COUNTS:
        assert parse_header(data, keccak(data)).number == 100
    else:
        assert refused(FIELDS[:count]) is ReasonCode.HEADER_MALFORMED


@pytest.mark.parametrize("index", sorted(LENGTH_ONE))
def test_fields_of_fixed_length(index: int) -> None:
    for wrong in (FIELDS[index][:-1], FIELDS[index] + b"x", b""):
        assert refused(replaced(index, wrong)) is ReasonCode.HEADER_MALFORMED


@pytest.mark.parametrize("index", [7, 8, 9, 10, 11, 15, 17, 18])
def test_integers_without_leading_zeros_and_of_bounded_length(index: int) -> None:
    longest = 32 if index in {7, 15} else 8
    for wrong in (b"\x00", b"\x00\x01", b"\x01" * (longest + 1)):
        assert refused(replaced(index, wrong)) is ReasonCode.HEADER_MALFORMED


@pytest.mark.parametrize("index", range(21))
def test_no_field_is_a_list(index: int) -> None:
    assert refused(replaced(index, [b""])) is ReasonCode.HEADER_MALFORMED


def test_row_23_a_state_root_of_zeros() -> None:
    assert refused(replaced(3, bytes(32))) is ReasonCode.HEADER_MALFORMED


def test_headers_are_lists_of_bounded_size() -> None:
    assert refused(b"header") is ReasonCode.HEADER_MALFORMED
    assert refused(replaced(12, b"x" * MAX_HEADER_BYTES)) is ReasonCode.TOO_LARGE
    noncanonical = rlp.encode(FIELDS[:15]) + b"\x00"
    with pytest.raises(MalformedError):
        parse_header(noncanonical, keccak(noncanonical))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=700))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_header(data, keccak(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80) | st.just("0x" + "12" * 32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["hash", "number", "nonce"]), inner),
    max_leaves=8,
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(JSON)
def test_any_json_is_refused_with_a_reason(block: Any) -> None:
    with pytest.raises(MalformedError):
        read_header(block)


def test_block_fields_that_are_no_hexadecimal_text(recorded: World) -> None:
    block = recorded.block(3)
    for name, wrong in [
        ("number", "3"),
        ("number", 3),
        ("miner", "0x1"),
        ("extraData", "0x" + "00" * 5000),
        ("nonce", None),
    ]:
        with pytest.raises(MalformedError):
            encode_header({**block, name: wrong})
