"""Two development chains and a network deployed on them by the command's own code."""

import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from marginproof import core
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.cli.actions import network_cards, network_deploy, network_plan
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.relayers.keys import create_keystore
from marginproof.verifier.keys import create_keystore as create_venue_keystore
from tests.prover.world import VENUE_KEY
from tests.support.command import VARIABLES, Command

PASSWORD = "correct horse battery"
HOME, SECOND = "eip155:31337", "eip155:31338"
DEPLOYER = development_account(60)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    for name in VARIABLES:
        monkeypatch.delenv(f"MARGINPROOF_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MARGINPROOF_PASSWORD", PASSWORD)
    return Command(capsys)


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys and cards of three relayers and a venue, and the password file."""
    folder = tmp_path_factory.mktemp("cards")
    password = folder / "password"
    password.write_text(PASSWORD)
    for index in range(3):
        keystore = folder / f"bls-{index}.json"
        create_keystore(keystore, core.SigningKey.generate(), PASSWORD, insecure_fast=True)
        network_cards.relayer(
            keystore, password, folder / f"tls-{index}", f"127.0.0.1:{index + 1}", folder / f"relayer-{index}.yaml"
        )
    create_venue_keystore(folder / "venue.json", PASSWORD, insecure_fast=True)
    network_cards.venue(folder / "venue.json", password, folder / "tls-venue", "127.0.0.1:9", folder / "venue.yaml")
    return folder


@dataclasses.dataclass(frozen=True)
class Planned:
    """A folder with a plan that can be deployed."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    @property
    def network(self) -> Path:
        return self.folder / "network.yaml"

    @property
    def rpc(self) -> Path:
        return self.folder / "rpc.txt"

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def file(self) -> NetworkFile:
        return load_network_file(self.network)

    def edit(self, **values: object) -> None:
        """Sets keys of the plan; a dotted name reaches into a section."""
        document = yaml.safe_load(self.plan.read_text())
        for name, value in values.items():
            section, _, key = name.rpartition("__")
            (document[section] if section else document)[key] = value
        self.plan.write_text(yaml.safe_dump(document))

    def edit_universe(self, old: str, new: str) -> None:
        path = self.folder / "universe.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def planned(folder: Path, cards: Path) -> Planned:
    """The devnet profile's plan with cards, key and a file of endpoints that nobody serves."""
    network_plan.init(folder, "devnet", int(time.time()))
    for card in cards.glob("*.yaml"):
        shutil.copy(card, folder)
    (folder / "key").write_text(bytes(DEPLOYER.key).hex())
    (folder / "rpc.txt").write_text(f"{HOME}=http://127.0.0.1:1\n{SECOND}=http://127.0.0.1:2\n")
    (folder / "rpc.txt").chmod(0o600)
    return Planned(folder)


@pytest.fixture
def plan(cards: Path, tmp_path: Path) -> Planned:
    return planned(tmp_path / "network", cards)


@dataclasses.dataclass(frozen=True)
class Chains:
    """Both chains, with coins for the deployer."""

    home: Devnet
    second: Devnet

    def serve(self, plan: Planned) -> None:
        """Writes their endpoints into a plan's file."""
        plan.rpc.write_text(f"{HOME}={self.home.url}/?key=planted\n{SECOND}={self.second.url}\n")

    def nonces(self) -> list[int]:
        """How many transactions the deployer has sent on each."""
        return [
            int(chain.rpc("eth_getTransactionCount", DEPLOYER.address, "latest"), 16)
            for chain in (self.home, self.second)
        ]


@pytest.fixture(scope="session")
def chains() -> Iterator[Chains]:
    with (
        Devnet(DevnetOptions(chain_id=31337, block_seconds=1)) as home,
        Devnet(DevnetOptions(chain_id=31338, block_seconds=1)) as second,
    ):
        for devnet in (home, second):
            for number in (60, 61):  # now: coins given later change a block's state behind its root
                devnet.account(number)
        home.fund(VENUE_KEY.address, 10**18)
        yield Chains(home, second)


@pytest.fixture(scope="session")
def deployed(chains: Chains, cards: Path, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """A network that was deployed once for all tests; they work on copies."""
    plan = planned(tmp_path_factory.mktemp("deployed") / "network", cards)
    plan.edit(venues=["venue.yaml"])
    chains.serve(plan)
    heard: list[str] = []
    network_deploy.deploy(plan.plan, plan.key, None, 60, int(time.time()), heard.append)
    assert "planted" not in "".join(heard)
    return plan


@pytest.fixture
def network(deployed: Planned, tmp_path: Path) -> Planned:
    """A copy of the deployed network's folder."""
    shutil.copytree(deployed.folder, tmp_path / "network")
    return Planned(tmp_path / "network")
