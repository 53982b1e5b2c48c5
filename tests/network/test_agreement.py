"""``marginproof venue agree`` on a deployed network: what it writes to the registry, and what it refuses to send."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
import yaml

from marginproof.chains.evm.contracts.artifact import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.transactions import Sender
from marginproof.model.chains import format_address
from marginproof.model.network_file import dump_network_file
from marginproof.model.reasons import ReasonCode, exit_code
from tests.network.conftest import DEPLOYER, Chains, Planned
from tests.support.command import Command

OTHER = b"\x0f" * 20
NO_END = 2**64 - 1


@pytest.fixture
def config(deployed: Planned, cards: Path, chains: Chains, tmp_path: Path) -> Path:
    """The configuration of the network's venue, whose network file knows a second one."""
    file = deployed.file
    chains.home.fund(format_address(file.venues[0].address), 10**18)
    second = dataclasses.replace(file.venues[0], address=OTHER)
    (tmp_path / "network.yaml").write_bytes(dump_network_file(dataclasses.replace(file, venues=(*file.venues, second))))
    path = tmp_path / "venue-config.yaml"
    return write(path, cards, chains.home.url)


def write(path: Path, cards: Path, endpoint: str) -> Path:
    document = {
        "apiVersion": "marginproof/venue/v1",
        "network": "network.yaml",
        "keystore": str(cards / "venue.json"),
        "password_file": str(cards / "password"),
        "database": "store.sqlite",
        "policies": ["policy.yaml"],
        "listen": "127.0.0.1:1",
        "book_listen": "127.0.0.1:2",
        "book_token_file": "token",
        "tls_directory": "tls",
        "home_endpoints": [endpoint],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def agreed_until(deployed: Planned, chains: Chains) -> int:
    """What the registry has of the venue's agreement with the other."""

    async def ask() -> int:
        artifact, file = load_artifact(PLEDGE_REGISTRY), deployed.file
        registry, own = format_address(file.network.registry), format_address(file.venues[0].address)
        async with Sender(chains.home.url, DEPLOYER) as sender:
            (until,) = await sender.call(artifact, registry, "agreed_until", own, format_address(OTHER))
        return int(until)

    return asyncio.run(ask())


def test_an_agreement_is_made_and_ended(run: Command, deployed: Planned, chains: Chains, config: Path) -> None:
    agree = ("--json", "venue", "agree", "--config", str(config), "--with", format_address(OTHER))
    assert run(*agree).document["agreed"] is True
    assert agreed_until(deployed, chains) == NO_END
    assert run(*agree).error["code"] == "TRANSACTION_REVERTED"  # it stands already
    ended = run(*agree, "--end").document
    assert ended["agreed"] is False
    assert ended["until"] == agreed_until(deployed, chains) < NO_END


def test_nothing_is_sent_to_strangers_or_to_another_chain(
    run: Command, deployed: Planned, cards: Path, chains: Chains, config: Path
) -> None:
    before = agreed_until(deployed, chains)
    stranger = run("--json", "venue", "agree", "--config", str(config), "--with", "0x" + "77" * 20)
    assert stranger.error["code"] == "NOT_FOUND"
    write(config, cards, chains.second.url)
    elsewhere = run("--json", "venue", "agree", "--config", str(config), "--with", format_address(OTHER))
    assert (elsewhere.code, elsewhere.error["code"]) == (exit_code(ReasonCode.CHAIN_ID_MISMATCH), "CHAIN_ID_MISMATCH")
    assert agreed_until(deployed, chains) == before
