"""Deploying on real chains: each contract once, whatever interrupts; the file is what the plan says."""

import concurrent.futures
import hashlib
from pathlib import Path

import pytest
import yaml

from marginproof.chains.evm.contracts.artifact import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.transactions import Sender
from marginproof.cli.actions.network_contracts import contract_address
from tests.network.conftest import DEPLOYER, HOME, PASSWORD, SECOND, Chains, Planned
from tests.support.command import Command, Spoken


def deploy(run: Command, plan: Planned, *more: str) -> Spoken:
    return run("network", "deploy", str(plan.plan), "--key-file", str(plan.key), "--wait", "60", "--json", *more)


def test_what_was_deployed_is_what_was_planned(deployed: Planned) -> None:
    file = deployed.file
    plan = yaml.safe_load(deployed.plan.read_text())
    configuration = file.configuration
    for name, value in plan["delays"].items():
        assert getattr(configuration, name) == value
    assert [vault.chain for vault in configuration.vaults] == [HOME, SECOND]
    assert (file.network.home_chain, file.network.n, file.signer_set.threshold) == (HOME, 256, 2)
    assert file.development
    assert len(file.venues) == 1
    assert len({feed for point in file.universe.points for feed in point.feeds}) == 3


def test_running_it_again_deploys_nothing(run: Command, network: Planned, chains: Chains) -> None:
    before, nonces = network.network.read_bytes(), chains.nonces()
    spoken = deploy(run, network)
    assert (spoken.code, chains.nonces()) == (0, nonces)
    assert network.network.read_bytes() == before
    assert spoken.document["file_digest"] == "0x" + hashlib.sha256(before).hexdigest()
    assert "planted" not in run.heard
    assert PASSWORD not in run.heard


def test_a_venue_joins_later_without_a_new_network(run: Command, network: Planned, chains: Chains) -> None:
    before, nonces = network.file, chains.nonces()
    network.edit(venues=[])
    deploy(run, network)
    after = network.file
    assert (after.network, after.venues, chains.nonces()) == (before.network, (), nonces)


def test_an_interrupted_deployment_is_found_again(run: Command, network: Planned, chains: Chains) -> None:
    """A run that ended after sending and before anything else: its record has the intent, and no file was written."""
    nonces = chains.nonces()
    record = yaml.safe_load((network.folder / "deployed.yaml").read_text())
    file = network.file
    network.network.unlink()
    spoken = deploy(run, network)
    assert (spoken.code, chains.nonces(), network.file) == (0, nonces, file)
    assert yaml.safe_load((network.folder / "deployed.yaml").read_text()) == record


def test_an_intent_that_was_never_sent_is_sent_now(run: Command, network: Planned, chains: Chains) -> None:
    path = network.folder / "deployed.yaml"
    record = yaml.safe_load(path.read_text())
    nonce = chains.nonces()[0]
    address = "0x" + contract_address(bytes.fromhex(DEPLOYER.address[2:]), nonce).hex()
    record["contracts"]["registry"] |= {"nonce": nonce, "address": address}
    path.write_text(yaml.safe_dump(record))
    spoken = deploy(run, network)
    assert (spoken.code, spoken.document["registry"]) == (0, address)
    assert chains.nonces()[0] == nonce + 1


async def _send(chain_url: str) -> None:
    async with Sender(chain_url, DEPLOYER) as sender:
        await sender.transfer(DEPLOYER.address, 1)


async def test_a_transaction_in_its_place_is_noticed(run: Command, network: Planned, chains: Chains) -> None:
    """The key sent something else under the intent's number: nothing lies there, the intent is dropped."""
    path = network.folder / "deployed.yaml"
    record = yaml.safe_load(path.read_text())
    nonce = chains.nonces()[0]
    address = "0x" + contract_address(bytes.fromhex(DEPLOYER.address[2:]), nonce).hex()
    record["contracts"]["registry"] |= {"nonce": nonce, "address": address}
    path.write_text(yaml.safe_dump(record))
    await _send(chains.home.url)
    spoken = _in_thread(run, network)
    assert spoken.error["code"] == "ACCOUNT_ABSENT"
    assert "registry" not in yaml.safe_load(path.read_text())["contracts"]


def _in_thread(run: Command, network: Planned) -> Spoken:
    """The command has a loop of its own, which cannot run inside the test's."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(deploy, run, network).result()


def test_a_changed_plan_never_adopts_other_contracts(run: Command, network: Planned, chains: Chains) -> None:
    nonces = chains.nonces()
    for changes in ({"delays__claim_seconds": 21}, {"delays__epoch_seconds": 6}):
        network.edit(**changes)
        spoken = deploy(run, network)
        assert (spoken.code, spoken.error["code"]) == (14, "CODE_HASH_MISMATCH")
        network.edit(delays__claim_seconds=20, delays__epoch_seconds=5)
    assert chains.nonces() == nonces


def test_another_key_does_not_go_on(run: Command, network: Planned, chains: Chains) -> None:
    network.key.write_text(bytes(development_account(61).key).hex())
    spoken = deploy(run, network)
    assert (spoken.error["code"], DEPLOYER.address.lower() in spoken.error["message"]) == ("CONFLICT", True)


def test_a_key_without_coins_is_named(run: Command, plan: Planned, chains: Chains) -> None:
    chains.serve(plan)
    poor = development_account(62)
    plan.key.write_text(bytes(poor.key).hex())
    spoken = deploy(run, plan)
    assert (spoken.error["code"], poor.address.lower() in spoken.error["fix"]) == ("TRANSACTION_REVERTED", True)


def test_endpoints_of_another_chain_are_refused(run: Command, network: Planned, chains: Chains) -> None:
    network.rpc.write_text(f"{HOME}={chains.second.url}\n{SECOND}={chains.home.url}\n")
    assert deploy(run, network).error["code"] == "CHAIN_ID_MISMATCH"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("deployed.yaml", b"\xff\x00", "CONFIG_INVALID"),
        (
            "deployed.yaml",
            b"apiVersion: marginproof/network-record/v1",
            "CONFIG_INVALID",
        ),
        ("key", b"planted-no-key", "KEY_INVALID"),
        ("key", b"", "KEY_INVALID"),
        ("rpc.txt", b"planted", "CONFIG_INVALID"),
    ],
)
def test_files_that_are_something_else(
    run: Command, network: Planned, chains: Chains, name: str, data: bytes, code: str
) -> None:
    nonces = chains.nonces()
    (network.folder / name).write_bytes(data)
    spoken = deploy(run, network)
    assert spoken.error["code"] == code
    assert "planted" not in run.heard
    assert chains.nonces() == nonces


def test_a_changed_price_is_posted(run: Command, network: Planned, chains: Chains) -> None:
    nonces = chains.nonces()
    plan = yaml.safe_load(network.plan.read_text())
    plan["test"]["feeds"][0]["price"] = "1500.5"
    network.plan.write_text(yaml.safe_dump(plan))
    assert deploy(run, network).code == 0
    assert chains.nonces() == [nonces[0] + 1, nonces[1]]


def test_the_universe_in_force_is_kept(run: Command, network: Planned) -> None:
    """After the first deployment the network file's universe counts, whatever the plan's says."""
    before = network.file.universe
    network.edit_universe("max_spread_bps: 200", "max_spread_bps: 100")
    assert deploy(run, network).code == 0
    assert network.file.universe == before


def test_a_contracts_address_follows_from_sender_and_number() -> None:
    """Known answer: the addresses of the first two contracts of a well-known development key."""
    sender = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
    assert contract_address(sender, 0).hex() == "5fbdb2315678afecb367f032d93f642f64180aa3"
    assert contract_address(sender, 1).hex() == "e7f1725e7734ce288f8367e1bb143e90bb3f0512"
    assert load_artifact(COLLATERAL_VAULT).immutables == ("NOTICE_SECONDS", "PAYOUT_SECONDS", "ARBITER")


def test_files_are_readable_by_whom_they_should(deployed: Planned, tmp_path: Path) -> None:
    assert deployed.network.stat().st_mode & 0o777 == 0o644
    assert deployed.rpc.stat().st_mode & 0o777 == 0o600
