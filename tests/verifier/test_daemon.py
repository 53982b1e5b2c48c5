"""The daemon as a process, its database lock, and everything that keeps it from starting."""

import asyncio
import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from marginproof.chains.evm.devnet import Devnet
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer
from marginproof.node.tls import ServerIdentity
from marginproof.verifier.config import VenueConfig, load_config
from marginproof.verifier.keys import create_keystore
from marginproof.verifier.service import VenueNode
from marginproof.verifier.store import VenueStore
from tests.verifier.rig import PASSWORD, TOKEN, write_config
from tests.verifier.world import World

PROGRAM = """
import asyncio, sys
from pathlib import Path
from marginproof.verifier.config import load_config
from marginproof.verifier.service import run
asyncio.run(run(load_config(Path(sys.argv[1]))))
"""


@pytest.fixture
def config_path(tmp_path: Path, home_chain: Devnet, world: World) -> Path:
    identity = ServerIdentity.load_or_create(tmp_path / "relayer-tls")
    targets = ["127.0.0.1:1"] * 3
    return write_config(tmp_path / "venue", home_chain.urls, targets, identity.certificate_pem, world.policy.source)


@pytest.fixture
def process(config_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(config_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        yield running
        if running.poll() is None:
            running.kill()


def test_a_process_serves_until_told_to_stop(process: subprocess.Popen[str], config_path: Path) -> None:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "venue serves":
            break
    with pytest.raises(ConfigurationError) as locked:
        VenueNode(load_config(config_path))
    assert locked.value.code == ReasonCode.STORE_LOCKED
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest == ""  # results are for standard output, and a daemon has none
    lines += [json.loads(line) for line in errors.splitlines()]
    assert lines[-1]["event"] == "venue stopped"
    text = json.dumps(lines)
    for secret in (PASSWORD, TOKEN, "http://"):
        assert secret not in text


Spoil = Callable[[VenueConfig], VenueConfig]


def overwrite(field: str, data: bytes) -> Spoil:
    def spoil(config: VenueConfig) -> VenueConfig:
        getattr(config, field).write_bytes(data)
        return config

    return spoil


def without(field: str) -> Spoil:
    def spoil(config: VenueConfig) -> VenueConfig:
        getattr(config, field).unlink()
        return config

    return spoil


def strangers_key(config: VenueConfig) -> VenueConfig:
    config.keystore.unlink()
    create_keystore(config.keystore, PASSWORD, insecure_fast=True)
    return config


def no_database(config: VenueConfig) -> VenueConfig:
    config.database.write_bytes(b"this is no database, whatever its name says" * 100)
    return config


def anothers_database(config: VenueConfig) -> VenueConfig:
    VenueStore(config.database, Sealer(bytes(32)), b"another venue").close()
    return config


def policy_twice(config: VenueConfig) -> VenueConfig:
    return dataclasses.replace(config, policies=config.policies * 2)


def possessions_swapped(config: VenueConfig) -> VenueConfig:
    document = yaml.safe_load(config.network.read_text())
    first, second = document["relayers"][:2]
    first["possession"], second["possession"] = second["possession"], first["possession"]
    config.network.write_text(yaml.safe_dump(document))
    return config


CASES: dict[str, tuple[ReasonCode, Spoil]] = {
    "no network file": (ReasonCode.FILE_UNREADABLE, without("network")),
    "no keystore": (ReasonCode.FILE_UNREADABLE, without("keystore")),
    "no token": (ReasonCode.FILE_UNREADABLE, without("book_token_file")),
    "short token": (ReasonCode.CONFIG_INVALID, overwrite("book_token_file", b"short")),
    "wrong password": (ReasonCode.KEYSTORE_PASSWORD, overwrite("password_file", b"wrong")),
    "empty password": (ReasonCode.KEYSTORE_PASSWORD, overwrite("password_file", b"\n")),
    "another venue's key": (ReasonCode.CONFIG_INVALID, strangers_key),
    "a relayer's key not shown": (ReasonCode.POSSESSION_INVALID, possessions_swapped),
    "no database": (ReasonCode.STORE_CORRUPT, no_database),
    "another venue's database": (ReasonCode.CONFIG_INVALID, anothers_database),
    "no policy": (ReasonCode.FILE_UNREADABLE, lambda c: dataclasses.replace(c, policies=(c.network.parent / "none",))),
    "a policy twice": (ReasonCode.CONFIG_INVALID, policy_twice),
    "one host twice": (
        ReasonCode.CONFIG_INVALID,
        lambda c: dataclasses.replace(c, home_endpoints=c.home_endpoints * 2),
    ),
    "a busy port": (ReasonCode.CONFIG_INVALID, lambda c: dataclasses.replace(c, listen="192.0.2.1:1")),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_cannot_work_is_told_at_the_start(config_path: Path, name: str) -> None:
    code, spoil = CASES[name]
    config = spoil(load_config(config_path))
    for _ in range(2):  # the second time as the first: a failed start leaves no lock behind
        with pytest.raises(MarginproofError) as caught:
            async with VenueNode(config):
                await asyncio.sleep(0)
        assert caught.value.code == code
        assert caught.value.fix
