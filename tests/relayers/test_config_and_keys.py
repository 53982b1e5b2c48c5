"""Files at the node's boundary."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.config import load_config, parse_config
from marginproof.relayers.keys import create_keystore, load_keystore, read_password, store_key
from tests.attestation.builders import CHAIN, KEYS, NETWORK

SECRET_URL = "https://rpc.example.test/v1/an-access-key"
DOCUMENT: dict[str, Any] = {
    "apiVersion": "marginproof/relayer/v1",
    "network": "network.yaml",
    "keystore": "keys/bls.json",
    "database": "relayer.db",
    "tls_directory": "tls",
    "evidence_directory": "evidence",
    "listen": "127.0.0.1:7400",
    "endpoints": {CHAIN: {"urls": [SECRET_URL]}},
}


def parse(**changes: Any) -> Any:
    return parse_config(yaml.safe_dump({**DOCUMENT, **changes}).encode(), Path("/etc/marginproof"))


def test_paths_start_at_the_file() -> None:
    config = parse(password_file="password", network_id="0x" + "11" * 32)
    assert config.keystore == Path("/etc/marginproof/keys/bls.json")
    assert config.password_file == Path("/etc/marginproof/password")
    assert config.network_id == NETWORK
    assert config.endpoints[CHAIN].urls == (SECRET_URL,)
    assert parse().password_file is None


def test_addresses_of_endpoints_do_not_show() -> None:
    assert "access-key" not in repr(parse())


@pytest.mark.parametrize(
    "changes",
    [
        {"apiVersion": "marginproof/relayer/v2"},
        {"surprise": 1},
        {"listen": "nowhere"},
        {"endpoints": {}},
        {"endpoints": {"ethereum": {"urls": [SECRET_URL]}}},
        {"endpoints": {CHAIN: {"urls": []}}},
        {"endpoints": {CHAIN: {"urls": ["ftp://an-access-key"]}}},
        {"endpoints": {CHAIN: {"urls": [SECRET_URL], "required": 0}}},
        {"network_id": "0x11"},
        {"request_timeout_seconds": 0},
        {"max_accounts": 0},
        {"max_locks_per_account": 257},
    ],
    ids="-".join,
)
def test_wrong_settings_are_named_without_secrets(changes: dict[str, Any]) -> None:
    with pytest.raises(MarginproofError) as caught:
        parse(**changes)
    assert caught.value.code == ReasonCode.CONFIG_INVALID
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "access-key" not in str(chain)
        chain = chain.__cause__


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    with pytest.raises(MarginproofError) as caught:
        parse_config(data, Path("/"))
    assert caught.value.code == ReasonCode.CONFIG_INVALID


def test_missing_and_oversized_files(tmp_path: Path) -> None:
    with pytest.raises(MarginproofError) as caught:
        load_config(tmp_path / "none.yaml")
    assert caught.value.code == ReasonCode.FILE_UNREADABLE
    with pytest.raises(MarginproofError) as caught:
        parse_config(b" " * ((1 << 20) + 1), tmp_path)
    assert caught.value.code == ReasonCode.TOO_LARGE
    (tmp_path / "relayer.yaml").write_text(yaml.safe_dump(DOCUMENT))
    assert load_config(tmp_path / "relayer.yaml").database == tmp_path / "relayer.db"


PASSWORD = "correct horse ｂattery"


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "bls.json"
    create_keystore(path, KEYS[0], PASSWORD, insecure_fast=True)
    return path


def refusal(path: Path, password: str = PASSWORD) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        load_keystore(path, password)
    for secret in (password, KEYS[0].expose_secret().hex()):
        assert secret not in str(caught.value)
    return caught.value.code


def test_keystore_holds_the_key_and_only_its_owner_reads_it(keystore: Path) -> None:
    assert load_keystore(keystore, PASSWORD).expose_secret() == KEYS[0].expose_secret()
    assert load_keystore(keystore, "correct horse battery").public_key == KEYS[0].public_key  # NFKD
    assert keystore.stat().st_mode & 0o077 == 0
    document = json.loads(keystore.read_text())
    assert document["version"] == 4
    assert document["pubkey"] == KEYS[0].public_key.hex()


def test_a_keystore_is_never_overwritten(keystore: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(MarginproofError) as caught:
        create_keystore(keystore, KEYS[1], PASSWORD, insecure_fast=True)
    assert caught.value.code == ReasonCode.FILE_UNREADABLE
    assert keystore.read_bytes() == before


def test_a_keystore_larger_than_any_keystore_is_not_read(keystore: Path) -> None:
    keystore.write_text(keystore.read_text() + " " * 64 * 1024)
    assert refusal(keystore) == ReasonCode.CONFIG_INVALID


def test_wrong_and_empty_passwords(keystore: Path, tmp_path: Path) -> None:
    assert refusal(keystore, "wrong") == ReasonCode.KEYSTORE_PASSWORD
    for empty in ("", "\x01\x7f"):
        with pytest.raises(MarginproofError) as caught:
            create_keystore(tmp_path / "other.json", KEYS[0], empty, insecure_fast=True)
        assert caught.value.code == ReasonCode.KEYSTORE_PASSWORD


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_stated_public_key_that_is_not_the_keys_is_refused(keystore: Path) -> None:
    change(keystore, pubkey=KEYS[1].public_key.hex())
    assert refusal(keystore) == ReasonCode.KEY_INVALID


@pytest.mark.parametrize("value", [{"version": 3}, {"crypto": {}}, {"crypto": None}, {"crypto": {"kdf": 5}}])
def test_documents_that_are_no_keystore(keystore: Path, value: dict[str, Any]) -> None:
    change(keystore, **value)
    assert refusal(keystore) == ReasonCode.CONFIG_INVALID


@pytest.mark.parametrize("text", ["", "[]", "nothing", "[" * 100_000, " " * 70_000])
def test_files_that_are_no_document(keystore: Path, text: str) -> None:
    keystore.write_text(text)
    assert refusal(keystore) == ReasonCode.CONFIG_INVALID


@pytest.mark.parametrize(
    "derivation",
    [
        {"function": "pbkdf2", "params": {"c": 10**12, "dklen": 32, "prf": "hmac-sha256", "salt": "00"}},
        {"function": "scrypt", "params": {"n": 2**40, "r": 8, "p": 1, "dklen": 32, "salt": "00"}},
    ],
)
def test_a_keystore_cannot_keep_the_node_busy_for_hours(keystore: Path, derivation: dict[str, Any]) -> None:
    crypto = json.loads(keystore.read_text())["crypto"]
    change(keystore, crypto={**crypto, "kdf": {**derivation, "message": ""}})
    assert refusal(keystore) == ReasonCode.CONFIG_INVALID


def test_published_keystore_of_the_standard_opens(tmp_path: Path) -> None:
    """The PBKDF2 test case of EIP-2335."""
    path = tmp_path / "eip2335.json"
    path.write_text(json.dumps(EIP_2335))
    key = load_keystore(path, "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑")
    assert key.expose_secret().hex() == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


EIP_2335 = {
    "crypto": {
        "kdf": {
            "function": "pbkdf2",
            "params": {
                "dklen": 32,
                "c": 262144,
                "prf": "hmac-sha256",
                "salt": "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
            },
            "message": "",
        },
        "checksum": {
            "function": "sha256",
            "params": {},
            "message": "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
        },
        "cipher": {
            "function": "aes-128-ctr",
            "params": {"iv": "264daa3f303d7259501c93d997d84fe6"},
            "message": "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
        },
    },
    "description": "This is a test keystore that uses PBKDF2 to secure the secret.",
    "pubkey": ("9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07"),
    "path": "m/12381/60/0/0",
    "uuid": "64625def-3331-4eea-ab6f-782f3ed16a83",
    "version": 4,
}


def test_passwords_come_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\n")
    environment = {"MARGINPROOF_PASSWORD": "from the environment"}
    assert read_password(file, environment) == "from the file"
    assert read_password(None, environment) == "from the environment"
    with pytest.raises(MarginproofError) as caught:
        read_password(None, {})
    assert caught.value.code == ReasonCode.KEYSTORE_PASSWORD
    with pytest.raises(MarginproofError) as caught:
        read_password(tmp_path / "none", environment)
    assert caught.value.code == ReasonCode.FILE_UNREADABLE


def test_the_stores_key_differs_by_relayer_and_network() -> None:
    keys = {store_key(key, network) for key in KEYS for network in (NETWORK, b"\x12" * 32)}
    assert len(keys) == 6
    assert not any(key.expose_secret() in keys for key in KEYS)
    assert os.environ.get("MARGINPROOF_PASSWORD") is None
