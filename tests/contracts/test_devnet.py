"""The development chain starts, answers on every host, and is gone afterwards."""

import os
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from marginproof.chains.evm.devnet import (
    ANVIL_VARIABLE,
    Devnet,
    DevnetOptions,
    development_account,
    find_anvil,
    free_port,
)
from marginproof.model.errors import ConfigurationError, UnavailableError
from marginproof.model.reasons import ReasonCode

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


def test_it_listens_on_every_host_and_is_gone_afterwards() -> None:
    with Devnet(DevnetOptions(chain_id=4242, hosts=HOSTS)) as chain:
        process_id = chain.process_id
        assert process_id is not None
        os.kill(process_id, 0)
        assert [url.split("/")[2].split(":")[0] for url in chain.urls] == list(HOSTS)
        for host in HOSTS:
            same = Devnet(DevnetOptions(hosts=(host,)))
            same.port = chain.port
            assert int(same.rpc("eth_chainId"), 16) == 4242
    assert chain.process_id is None
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    with pytest.raises(UnavailableError):
        chain.rpc("eth_chainId")
    chain.stop()


def test_finality_follows_the_head_by_two_blocks(devnet: Devnet) -> None:
    with devnet.snapshot():
        for _ in range(3):
            devnet.mine()
        head = int(devnet.rpc("eth_blockNumber"), 16)
        assert int(devnet.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16) == head - 2


def test_a_started_chain_has_a_block_with_a_state(devnet: Devnet) -> None:
    """Block 0 has the root of an empty trie: nothing can be proven in it."""
    empty = keccak(b"\x80").hex()
    roots = [devnet.rpc("eth_getBlockByNumber", number, False)["stateRoot"] for number in ("0x0", "0x1")]
    assert roots[0] == "0x" + empty
    assert roots[1] != roots[0]


def test_time_is_the_tests(devnet: Devnet) -> None:
    with devnet.snapshot():
        at = devnet.now() + 12_345
        devnet.mine(at)
        assert devnet.now() == at
        with pytest.raises(UnavailableError, match="evm_setNextBlockTimestamp"):
            devnet.mine(at - 1)


def test_a_snapshot_is_undone(devnet: Devnet) -> None:
    account = development_account(7)
    with devnet.snapshot():
        devnet.account(7)
        assert int(devnet.rpc("eth_getBalance", account.address, "latest"), 16) == 10_000 * 10**18
    assert int(devnet.rpc("eth_getBalance", account.address, "latest"), 16) == 0


def test_development_keys_differ_and_stay() -> None:
    assert development_account(0).address == development_account(0).address
    assert development_account(0).address != development_account(1).address


def test_unknown_methods_are_refused(devnet: Devnet) -> None:
    with pytest.raises(UnavailableError, match="anvil_nonsense"):
        devnet.rpc("anvil_nonsense")


def test_a_missing_program_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ANVIL_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError) as caught:
        Devnet().start()
    assert caught.value.code is ReasonCode.TOOL_MISSING
    assert ANVIL_VARIABLE in str(caught.value)


def test_without_any_anvil_the_npm_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(ANVIL_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("marginproof.chains.evm.devnet.__file__", str(tmp_path / "devnet.py"))
    with pytest.raises(ConfigurationError, match="make install"):
        find_anvil()
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    assert find_anvil() == program


def test_a_program_that_ends_at_once_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv(ANVIL_VARIABLE, str(program))
    chain = Devnet()
    with pytest.raises(UnavailableError, match="ended while starting"):
        chain.start()
    assert chain.process_id is None


def test_a_free_port_is_free_on_every_host() -> None:
    assert 1024 < free_port(HOSTS) < 65_536
