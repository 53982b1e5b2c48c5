"""The committed artifacts are what the sources compile to, and what lies on a chain."""

import dataclasses
import json
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, Artifact, load_artifact
from marginproof.chains.evm.contracts.artifact import ARTIFACTS, CONTRACTS, SOURCES
from marginproof.chains.evm.contracts.build import compile_contract
from marginproof.chains.evm.contracts.registry_code import expected_registry_code
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.reasons import ReasonCode
from tests.contracts.accounts import CONFIGURATION, NOTICE, network_of
from tests.contracts.conftest import PAYOUT, World
from tests.contracts.harness import Contract

CODE_SIZE_LIMIT = 24_576  # EIP-170


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_rebuild_changes_no_byte(name: str) -> None:
    rebuilt = compile_contract(SOURCES / f"{name}.vy").to_json()
    assert rebuilt == (ARTIFACTS / f"{name}.json").read_text(encoding="utf-8")


def test_every_contract_has_an_artifact_and_no_artifact_is_left_over() -> None:
    assert {path.stem for path in SOURCES.glob("*.vy")} == set(CONTRACTS)
    assert {path.stem for path in ARTIFACTS.glob("*.json")} == set(CONTRACTS)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_code_fits_the_chains_limit(name: str) -> None:
    assert len(load_artifact(name).runtime) < CODE_SIZE_LIMIT


def _code(world: World, contract: Contract) -> bytes:
    return bytes.fromhex(world.chain.devnet.rpc("eth_getCode", contract.address, "latest")[2:])


def test_deployed_code_is_known_before_the_deployment(world: World) -> None:
    terms: dict[str, int | str] = {
        "NOTICE_SECONDS": NOTICE,
        "PAYOUT_SECONDS": PAYOUT,
        "ARBITER": world.arbiter.address,
    }
    assert _code(world, world.vault) == world.vault.artifact.deployed_code(**terms)


def test_the_registrys_code_hash_follows_from_its_network(world: World) -> None:
    network = network_of(world.registry)
    found = bytes(keccak(_code(world, world.registry)))
    assert found == expected_registry_code(network, CONFIGURATION)
    for other in (
        dataclasses.replace(network, home_chain="eip155:5"),
        dataclasses.replace(network, registry=b"\x01" * 20),
        dataclasses.replace(network, n=256),
        dataclasses.replace(network, configuration_digest=b"\x02" * 32),
    ):
        assert found != expected_registry_code(other, CONFIGURATION)
    for terms in (
        dataclasses.replace(CONFIGURATION, policy_delay_seconds=1),
        dataclasses.replace(CONFIGURATION, notice_seconds=1),
    ):
        assert found != expected_registry_code(network, terms)


def test_the_code_hash_pins_the_vaults_terms() -> None:
    vault = load_artifact(COLLATERAL_VAULT)
    terms: dict[str, int | str] = {"NOTICE_SECONDS": 60, "PAYOUT_SECONDS": 30, "ARBITER": "0x" + "11" * 20}
    hashes = {vault.code_hash(**terms)}
    hashes.add(vault.code_hash(**{**terms, "NOTICE_SECONDS": 61}))
    hashes.add(vault.code_hash(**{**terms, "PAYOUT_SECONDS": 31}))
    hashes.add(vault.code_hash(**{**terms, "ARBITER": "0x" + "12" * 20}))
    assert len(hashes) == 4


@pytest.mark.parametrize("terms", [{}, {"DECIMALS": 1, "MORE": 2}, {"decimals": 1}])
def test_immutable_values_are_given_by_their_names(terms: dict[str, int | str]) -> None:
    with pytest.raises(MalformedError, match="DECIMALS"):
        load_artifact("PriceFeed").deployed_code(**terms)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_immutable_bytes_fill_a_word(length: int) -> None:
    feed = load_artifact("PriceFeed")
    assert feed.deployed_code(DECIMALS=8, TRANSMITTER=b"\x07" * 32) == feed.runtime + bytes(31) + b"\x08" + b"\x07" * 32
    with pytest.raises(MalformedError, match="32"):
        feed.deployed_code(DECIMALS=8, TRANSMITTER=bytes(length))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"name": 1}', '{"name"'])
def test_damaged_artifacts_are_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        Artifact.from_json(text)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Artifact)])
def test_artifacts_that_lack_a_field_are_refused(field: str) -> None:
    fields = json.loads(load_artifact(COLLATERAL_VAULT).to_json())
    del fields[field]
    with pytest.raises(MalformedError):
        Artifact.from_json(json.dumps(fields))


def test_an_unknown_contract_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_artifact("Nonsense")
    assert caught.value.code is ReasonCode.FILE_UNREADABLE


def test_sources_that_do_not_compile_are_refused_with_the_compilers_words(tmp_path: Path) -> None:
    source = tmp_path / "Broken.vy"
    source.write_text("# pragma version 0.4.3\nnonsense")
    with pytest.raises(ConfigurationError, match=r"Broken\.vy does not compile"):
        compile_contract(source, tmp_path)
