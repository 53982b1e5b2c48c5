"""A node as its operator runs it: one process, started from a file, ended by a signal."""

import asyncio
import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from marginproof import core
from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import dump_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.node.tls import ServerIdentity
from marginproof.relayers.config import RelayerConfig
from marginproof.relayers.keys import create_keystore
from marginproof.relayers.node import Node
from tests.relayers.world import HOME, SECOND, Chains, Relayers, until

MAIN = """
import asyncio, sys
from pathlib import Path
from marginproof.model.errors import MarginproofError
from marginproof.relayers.config import load_config
from marginproof.relayers.node import run
try:
    asyncio.run(run(load_config(Path(sys.argv[1]))))
except MarginproofError as error:
    print(error.code)
    sys.exit(9)
"""
PASSWORD = "a password that nothing may show"
MAX_RESIDENT_BYTES = 150 << 20


def write_files(relayers: Relayers, folder: Path) -> Path:
    config = relayers.configs[0]
    create_keystore(config.keystore, relayers.keys[0], PASSWORD, insecure_fast=True)
    (folder / "password").write_text(PASSWORD)
    document = {
        "apiVersion": "marginproof/relayer/v1",
        "network": config.network.name,
        "network_id": "0x" + relayers.file.network_id.hex(),
        "keystore": config.keystore.name,
        "password_file": "password",
        "database": config.database.name,
        "tls_directory": config.tls_directory.name,
        "evidence_directory": config.evidence_directory.name,
        "listen": config.listen,
        "endpoints": {chain: {"urls": list(entry.urls)} for chain, entry in config.endpoints.items()},
    }
    path = folder / "relayer.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_process_starts_serves_and_ends(chains: Chains, tmp_path: Path) -> None:
    relayers = Relayers.prepare(chains, tmp_path)
    command = [sys.executable, "-c", MAIN, str(write_files(relayers, tmp_path))]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:

        async def observes() -> bool:
            async with relayers.client(0) as client:
                status = await client.get_status()
            assert not status.healthy  # alone it can certify nothing
            return status.last_price_slot is not None

        assert asyncio.run(until(observes))
        second = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert (second.returncode, second.stdout.strip()) == (9, ReasonCode.STORE_LOCKED.encode())
        assert psutil.Process(process.pid).memory_info().rss <= MAX_RESIDENT_BYTES
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, b"")
    text = (tmp_path / "log").read_text()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert (events[0], events[-1]) == ("relayer started", "relayer stopped")
    for secret in (PASSWORD, relayers.keys[0].expose_secret().hex(), chains.home.url):
        assert secret not in text


def other_key(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    return config, core.SigningKey.generate()


def other_network(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    return dataclasses.replace(config, network_id=b"\x01" * 32), relayers.keys[0]


def missing_chain(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    return dataclasses.replace(config, endpoints={HOME: config.endpoints[HOME]}), relayers.keys[0]


def missing_home_chain(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    """No collateral and no feed lies on it, but it has the registry that says which key signs for an account."""
    configuration = dataclasses.replace(
        relayers.file.configuration,
        vaults=tuple(vault for vault in relayers.file.configuration.vaults if vault.chain == SECOND),
    )
    network = dataclasses.replace(relayers.file.network, configuration_digest=configuration.root())
    universe = dataclasses.replace(relayers.file.universe, points=(), entries=())
    file = dataclasses.replace(relayers.file, network=network, configuration=configuration, universe=universe)
    config.network.write_bytes(dump_network_file(file))
    endpoints = {SECOND: config.endpoints[SECOND]}
    return dataclasses.replace(config, endpoints=endpoints, network_id=file.network_id), relayers.keys[0]


def other_certificate(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    folder = config.tls_directory.parent / "other"
    ServerIdentity.load_or_create(folder)
    return dataclasses.replace(config, tls_directory=folder), relayers.keys[0]


def wrong_chain(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    crossed = {HOME: config.endpoints[SECOND], SECOND: config.endpoints[HOME]}
    return dataclasses.replace(config, endpoints=crossed), relayers.keys[0]


def false_possession(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    first, *others = relayers.file.relayers
    rogue = dataclasses.replace(first, possession=others[0].possession)
    config.network.write_bytes(dump_network_file(dataclasses.replace(relayers.file, relayers=(rogue, *others))))
    return config, relayers.keys[0]


def few_endpoints(relayers: Relayers, config: RelayerConfig) -> tuple[RelayerConfig, core.SigningKey]:
    config.network.write_bytes(dump_network_file(dataclasses.replace(relayers.file, development=False)))
    return config, relayers.keys[0]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (other_key, ReasonCode.SIGNER_SET_UNKNOWN),
        (other_network, ReasonCode.WRONG_NETWORK),
        (missing_chain, ReasonCode.CONFIG_INVALID),
        (missing_home_chain, ReasonCode.CONFIG_INVALID),
        (other_certificate, ReasonCode.CONFIG_INVALID),
        (wrong_chain, ReasonCode.CHAIN_ID_MISMATCH),
        (false_possession, ReasonCode.POSSESSION_INVALID),
        (few_endpoints, ReasonCode.ENDPOINT_TOO_FEW),
    ],
)
async def test_a_node_that_is_set_up_wrongly_does_not_start(
    chains: Chains, tmp_path: Path, prepare: Callable[..., Any], code: ReasonCode
) -> None:
    relayers = Relayers.prepare(chains, tmp_path)
    config, key = prepare(relayers, relayers.configs[0])
    with pytest.raises(MarginproofError) as caught:
        async with Node(config, key):
            pass
    assert caught.value.code == code
