from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof import core
from marginproof.core import CoreError, SigningKey

KEYS = [SigningKey.from_bytes(bytes([seed]) * 32) for seed in (1, 2, 3)]
INFINITE_KEY = bytes([0xC0]) + bytes(47)
INFINITE_SIGNATURE = bytes([0xC0]) + bytes(95)


def code(action: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(CoreError) as refused:
        action(*arguments)
    return refused.value.code


def test_a_signature_binds_key_and_message() -> None:
    signature = KEYS[0].sign(b"message")
    core.verify_signature(KEYS[0].public_key, b"message", signature)
    assert code(core.verify_signature, KEYS[0].public_key, b"other", signature) == "SIGNATURE_INVALID"
    assert code(core.verify_signature, KEYS[1].public_key, b"message", signature) == "SIGNATURE_INVALID"


def test_secrets() -> None:
    assert KEYS[0].expose_secret() == b"\x01" * 32
    assert repr(KEYS[0]) == str(KEYS[0]) == "SigningKey(…)"
    assert SigningKey.generate().public_key != SigningKey.generate().public_key
    for bad in (bytes(32), core.FIELD_MODULUS.to_bytes(32, "big"), b"\x01" * 31, b"\x01" * 33, b""):
        assert code(SigningKey.from_bytes, bad) == "KEY_INVALID"


def test_public_keys_are_checked() -> None:
    signature = KEYS[0].sign(b"m")
    for bad in (INFINITE_KEY, bytes(48), KEYS[0].public_key[:-1], KEYS[0].public_key + b"\x00", b""):
        assert code(core.verify_signature, bad, b"m", signature) == "KEY_INVALID"
        assert code(core.verify_possession, bad, signature) == "KEY_INVALID"
        keys = [KEYS[0].public_key, bad]
        assert code(core.verify_aggregate, keys, b"m", signature) == "KEY_INVALID"


def test_aggregates() -> None:
    public = [key.public_key for key in KEYS]
    signatures = [key.sign(b"m") for key in KEYS]
    total = core.aggregate_signatures(signatures)
    core.verify_aggregate(public, b"m", total)
    assert code(core.verify_aggregate, public, b"n", total) == "SIGNATURE_INVALID"
    assert code(core.verify_aggregate, public[:2], b"m", total) == "SIGNATURE_INVALID"
    assert code(core.verify_aggregate, [], b"m", total) == "INPUT_LENGTH"
    assert code(core.aggregate_signatures, []) == "INPUT_LENGTH"
    assert code(core.aggregate_signatures, [signatures[0], INFINITE_SIGNATURE]) == "SIGNATURE_INVALID"
    opposite = bytes([signatures[0][0] ^ 0x20]) + signatures[0][1:]
    assert code(core.aggregate_signatures, [signatures[0], opposite]) == "SIGNATURE_INVALID"


def test_possession() -> None:
    proof = KEYS[0].prove_possession()
    core.verify_possession(KEYS[0].public_key, proof)
    assert code(core.verify_possession, KEYS[1].public_key, proof) == "POSSESSION_INVALID"
    signed = KEYS[0].sign(KEYS[0].public_key)
    assert code(core.verify_possession, KEYS[0].public_key, signed) == "POSSESSION_INVALID"


@settings(deadline=None)
@given(st.binary(max_size=100), st.binary(max_size=200))
def test_any_bytes_give_a_verdict(public_key: bytes, signature: bytes) -> None:
    assert code(core.verify_signature, public_key, b"m", signature) == "KEY_INVALID"
    assert code(core.verify_signature, KEYS[0].public_key, b"m", signature) == "SIGNATURE_INVALID"
    assert code(core.verify_possession, KEYS[0].public_key, signature) == "POSSESSION_INVALID"
    assert code(core.aggregate_signatures, [signature]) == "SIGNATURE_INVALID"
