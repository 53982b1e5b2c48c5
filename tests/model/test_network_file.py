"""The network file: what is written is read back, and every wrong field is refused by name."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.errors import ConfigurationError
from marginproof.model.network import Configuration, Network, VaultPin
from marginproof.model.network_file import (
    NetworkFile,
    RelayerEndpoint,
    VenueEndpoint,
    dump_network_file,
    load_network_file,
    parse_network_file,
    signer_set_of,
)
from marginproof.model.reasons import ReasonCode
from tests.model.test_containers import GOOD

KEYS = tuple(bytes([index]) * 48 for index in (1, 2, 3))


def _file() -> NetworkFile:
    signer_set = signer_set_of(KEYS, 2)
    vault = VaultPin("eip155:1", b"v" * 20, b"h" * 32)
    configuration = Configuration(0, 4, 2, 60, 120, 30, 0, 5, 8, 10, 10, 200, 2, signer_set.root(), (vault,))
    return NetworkFile(
        network=Network("eip155:1", b"r" * 20, 256, configuration.root()),
        configuration=configuration,
        universe=GOOD,
        signer_set=signer_set,
        relayers=tuple(RelayerEndpoint(i, key, b"p" * 96, "127.0.0.1:5", "PEM") for i, key in enumerate(KEYS)),
        venues=(VenueEndpoint(b"e" * 20, "127.0.0.1:6", "PEM"),),
        development=True,
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_bytes(dump_network_file(_file()))
    assert load_network_file(path) == _file()
    assert load_network_file(path).venue(b"e" * 20).target == "127.0.0.1:6"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("apiVersion", "marginproof/network/v2"),
        ("home_chain", "solana:5eykt4UsFv8P8NJd"),
        ("registry", "0x12"),
        ("n", 255),
        ("configuration.threshold", 1),
        ("configuration.threshold", 4),
        ("configuration.epoch_seconds", 0),
        ("configuration.notice_seconds", 60 + 5 + 10 + 30 - 1),
        ("configuration.price_band_bps", 10_001),
        ("configuration.surplus", 1),
        ("universe.entries.0.kind", "share"),
        ("universe.entries.0.index", 5),
        ("relayers.1.public_key", "0x" + KEYS[0].hex()),
        ("relayers.0.public_key", "0x12"),
        ("relayers.0.target", "nowhere"),
        ("venues.0.address", "0x" + "00" * 21),
    ],
)
def test_each_wrong_field_is_refused(place: str, value: object) -> None:
    document = yaml.safe_load(dump_network_file(_file()))
    *parents, last = place.split(".")
    target = document
    for parent in parents:
        target = target[int(parent)] if parent.isdigit() else target[parent]
    target[last] = value
    with pytest.raises(ConfigurationError) as caught:
        parse_network_file(yaml.safe_dump(document).encode())
    assert caught.value.code == ReasonCode.CONFIG_INVALID


@given(st.binary(max_size=300))
def test_any_bytes_are_a_typed_error(data: bytes) -> None:
    with pytest.raises(ConfigurationError):
        parse_network_file(data)


def test_a_missing_or_oversized_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as missing:
        load_network_file(tmp_path / "none.yaml")
    assert missing.value.code == ReasonCode.FILE_UNREADABLE
    with pytest.raises(ConfigurationError) as oversized:
        parse_network_file(bytes((4 << 20) + 1))
    assert oversized.value.code == ReasonCode.TOO_LARGE


SHARED = b"apiVersion: &same [1, 2]\nn: *same\n"


@pytest.mark.parametrize(
    "data",
    [
        SHARED,
        b"[" * 60_000,
        b'a: "\\UFFFFFFFF"',
        b'a: !!float ""',
        b'a: !!timestamp "x"',
        b'a: !!bool "x"',
        b"%YAML " + b"9" * 5_000 + b".1\n--- 1",
    ],
)
def test_what_the_yaml_library_trips_over_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="is no YAML document of this form") as caught:
        parse_network_file(data)
    assert caught.value.code == ReasonCode.CONFIG_INVALID
