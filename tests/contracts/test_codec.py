"""Encoding and decoding: total on foreign bytes, and silent about values."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.contracts.codec import (
    checksum_address,
    decode_event,
    decode_result,
    encode_call,
    encode_deployment,
    revert_reason,
)
from marginproof.model.errors import MalformedError

VAULT = load_artifact(COLLATERAL_VAULT)
ERROR = bytes.fromhex("08c379a0")
LOCKED = keccak(text="Locked(uint256,address,address,uint256,bytes32)")


def test_a_call_is_selector_and_arguments() -> None:
    assert encode_call(VAULT, "start_notice", 5) == keccak(text="start_notice(uint256)")[:4] + encode(["uint256"], [5])


def test_a_deployment_is_bytecode_and_arguments() -> None:
    data = encode_deployment(VAULT, 1, "0x" + "11" * 20, 2)
    assert data == VAULT.bytecode + encode(["uint256", "address", "uint256"], [1, "0x" + "11" * 20, 2])


@pytest.mark.parametrize("arguments", [(), (1, 2), ("5",), (-1,), (2**256,), (None,)])
def test_arguments_that_do_not_fit_are_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(MalformedError):
        encode_call(VAULT, "start_notice", *arguments)


def test_refused_arguments_are_not_shown() -> None:
    with pytest.raises(MalformedError) as caught:
        encode_call(VAULT, "lock_native", b"recognisable secret" * 2)
    assert "recognisable" not in str(caught.value)


@pytest.mark.parametrize("name", ["Locked", "locks", "", "__init__"])
def test_unknown_functions_are_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="has no function"):
        encode_call(VAULT, name)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_result_or_an_error(data: bytes) -> None:
    try:
        assert len(decode_result(VAULT, "read_lock", data)) == 1
    except MalformedError:
        assert data != encode(["uint256"], [1])


@given(st.binary(max_size=300))
def test_any_bytes_give_a_printable_reason(data: bytes) -> None:
    for candidate in (data, ERROR + data):
        reason = revert_reason(candidate)
        assert len(reason) <= 256
        assert reason.isprintable()


def test_reasons_are_read_and_cut() -> None:
    assert revert_reason(ERROR + encode(["string"], ["LOCK_FROZEN"])) == "LOCK_FROZEN"
    assert revert_reason(ERROR + encode(["string"], ["a\x1b[31mb\n"])) == "a[31mb"
    assert revert_reason(ERROR + encode(["string"], ["x" * 1_000])) == "x" * 256
    assert revert_reason(encode(["string"], ["LOCK_FROZEN"])) == ""


@given(st.lists(st.binary(min_size=0, max_size=40), max_size=5), st.binary(max_size=100))
def test_any_log_entry_is_decoded_or_refused(topics: list[bytes], data: bytes) -> None:
    assert decode_event(VAULT, "Locked", topics, data) is None or topics[0] == LOCKED
    try:
        decode_event(VAULT, "Locked", [LOCKED, *topics], data)
    except MalformedError as error:
        assert "Locked" in error.message


@pytest.mark.parametrize("address", ["", "0x12", "0x" + "zz" * 20, b"\x01" * 19, "11" * 21])
def test_what_is_no_address_is_refused(address: str | bytes) -> None:
    with pytest.raises(MalformedError):
        checksum_address(address)
