"""The daemon's configuration, keystore, sealing and password: every bad input is a typed refusal."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer
from marginproof.verifier.config import load_config, parse_config
from marginproof.verifier.keys import create_keystore, load_keystore, read_password

CONFIG = """\
apiVersion: marginproof/venue/v1
network: network.yaml
keystore: keystore.json
password_file: password
database: data/venue.sqlite
policies: [policy.yaml]
listen: 127.0.0.1:7400
book_listen: 127.0.0.1:7401
book_token_file: token
tls_directory: tls
home_endpoints: ["http://127.0.0.1:8545"]
"""
BASE = Path("/etc/venue")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "venue.yaml"
    path.write_text(CONFIG)
    config = load_config(path)
    assert config.database == tmp_path / "data" / "venue.sqlite"
    assert config.policies == (tmp_path / "policy.yaml",)
    assert config.password_file == tmp_path / "password"
    assert config.certificate_grace_seconds is None


def test_endpoints_are_not_in_the_repr() -> None:
    assert "8545" not in repr(parse_config(CONFIG.encode(), BASE))


@pytest.mark.parametrize(
    ("line", "replacement", "place"),
    [
        ("network: network.yaml", "", "network"),
        ("database: data/venue.sqlite", "database: 7", "database"),
        ("policies: [policy.yaml]", "policies: []", "policies"),
        ("listen: 127.0.0.1:7400", "listen: somewhere", "listen"),
        ("tls_directory: tls", "tls_directory: tls\ntls_dir: tls", "tls_dir"),
        ("marginproof/venue/v1", "marginproof/venue/v2", "apiVersion"),
        ("tls_directory: tls", "tls_directory: tls\ncertificate_grace_seconds: -1", "certificate_grace_seconds"),
        ("tls_directory: tls", "tls_directory: tls\nmetrics_listen: nine", "metrics_listen"),
        ("tls_directory: tls", "tls_directory: tls\nswap_fee_cap_gwei: 0", "swap_fee_cap_gwei"),
    ],
)
def test_a_wrong_key_is_named(line: str, replacement: str, place: str) -> None:
    assert line in CONFIG
    with pytest.raises(ConfigurationError) as caught:
        parse_config(CONFIG.replace(line, replacement, 1).encode(), BASE)
    assert caught.value.code == ReasonCode.CONFIG_INVALID
    assert str(caught.value.fields["path"]).startswith(place)


def test_a_missing_or_oversized_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as missing:
        load_config(tmp_path / "none.yaml")
    assert missing.value.code == ReasonCode.FILE_UNREADABLE
    with pytest.raises(ConfigurationError) as large:
        parse_config(bytes(2 << 20), BASE)
    assert large.value.code == ReasonCode.TOO_LARGE


@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    with pytest.raises(ConfigurationError):
        parse_config(data, BASE)


def test_a_keystore_opens_with_its_password_only(tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    address = create_keystore(path, "correct horse", insecure_fast=True)
    assert path.stat().st_mode & 0o077 == 0
    assert bytes.fromhex(load_keystore(path, "correct horse").address[2:]) == address
    with pytest.raises(ConfigurationError) as wrong:
        load_keystore(path, "incorrect horse")
    assert wrong.value.code == ReasonCode.KEYSTORE_PASSWORD


def test_a_keystore_is_never_overwritten_and_needs_a_password(tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    create_keystore(path, "one", insecure_fast=True)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError) as exists:
        create_keystore(path, "two", insecure_fast=True)
    assert exists.value.code == ReasonCode.FILE_UNREADABLE
    assert path.read_bytes() == before
    with pytest.raises(ConfigurationError) as empty:
        create_keystore(tmp_path / "other.json", "")
    assert empty.value.code == ReasonCode.KEYSTORE_PASSWORD
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"version": 3}', b"\xff", json.dumps({"version": 9}).encode()]
)
def test_what_is_no_keystore_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keystore.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_keystore(path, "x")
    assert caught.value.code == ReasonCode.CONFIG_INVALID


def test_the_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from file\nsecond line\n")
    assert read_password(path, {"MARGINPROOF_PASSWORD": "other"}) == "from file"
    assert read_password(None, {"MARGINPROOF_PASSWORD": "from environment"}) == "from environment"
    for named in (None, tmp_path / "none"):
        with pytest.raises(ConfigurationError):
            read_password(named, {})


def test_sealed_values_open_only_in_their_place_with_their_key() -> None:
    sealer = Sealer(b"\x01" * 32)
    sealed = sealer.seal(b"twelve lots", b"book 1")
    assert sealer.open(sealed, b"book 1") == b"twelve lots"
    assert sealed != sealer.seal(b"twelve lots", b"book 1")
    assert b"twelve" not in sealed
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    attempts = [(sealer, sealed, b"book 2"), (sealer, flipped, b"book 1"), (sealer, b"", b"book 1")]
    for who, data, place in [*attempts, (Sealer(b"\x02" * 32), sealed, b"book 1")]:
        with pytest.raises(MarginproofError) as caught:
            who.open(data, place)
        assert caught.value.code == ReasonCode.STORE_CORRUPT
