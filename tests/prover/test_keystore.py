import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.keystore import decrypt_secret, encrypt_secret

SECRET = b"\x42" * 32
PASSWORD = "pass"
KEYSTORE = encrypt_secret(SECRET, "pass", insecure_fast=True)


def changed(**parameters: Any) -> bytes:
    document = json.loads(KEYSTORE)
    document["crypto"]["kdfparams"] |= parameters
    return json.dumps(document).encode()


def refused(data: bytes, password: str = PASSWORD) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        decrypt_secret(data, password)
    assert SECRET.hex() not in str(caught.value)
    return caught.value.code


def test_round_trip() -> None:
    assert decrypt_secret(KEYSTORE, "pass") == SECRET


def test_the_default_derivation_is_scrypt_at_full_strength() -> None:
    document = json.loads(encrypt_secret(SECRET, "pass"))
    assert document["crypto"]["kdf"] == "scrypt"
    assert document["crypto"]["kdfparams"]["n"] >= 1 << 17


def test_no_address_and_no_secret_in_clear() -> None:
    assert "address" not in json.loads(KEYSTORE)
    assert SECRET.hex() not in KEYSTORE.decode()


def test_a_wrong_password_says_so() -> None:
    assert refused(KEYSTORE, "Pass") is ReasonCode.KEYSTORE_PASSWORD


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(MarginproofError) as caught:
        encrypt_secret(SECRET, "")
    assert caught.value.code is ReasonCode.KEYSTORE_PASSWORD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        KEYSTORE[:-40],
        KEYSTORE.replace(b'"version": 3', b'"version": 4'),
        changed(c=10_000_001),
        changed(c=10**12),
        changed(c=0),
        changed(dklen=1 << 40),
    ],
)
def test_damaged_and_greedy_keystores_are_refused_at_once(data: bytes) -> None:
    assert refused(data) is ReasonCode.STORE_CORRUPT


def test_a_scrypt_keystore_that_wants_all_memory_is_refused() -> None:
    document = json.loads(KEYSTORE)
    document["crypto"]["kdf"] = "scrypt"
    document["crypto"]["kdfparams"] = {"dklen": 32, "n": 1 << 40, "r": 8, "p": 1, "salt": "00" * 16}
    assert refused(json.dumps(document).encode()) is ReasonCode.STORE_CORRUPT


@given(st.binary(max_size=400))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    assert refused(data) is ReasonCode.STORE_CORRUPT
