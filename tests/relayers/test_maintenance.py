"""Forgetting forgets nothing that could be signed again; a halt is lifted by the operator only."""

import dataclasses
from pathlib import Path

import pytest

from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import dump_network_file
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.archive import Archive
from marginproof.relayers.config import RelayerConfig
from marginproof.relayers.keys import create_keystore
from marginproof.relayers.maintenance import clear_halt
from marginproof.relayers.protection import SigningProtection
from tests.attestation.builders import CHAIN, KEYS, OTHER_CHAIN, body, certificate, leaf
from tests.relayers.files import network_file
from tests.relayers.test_protection import VIEW, observed, open_store


def test_what_is_forgotten_can_never_be_signed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "relayer.db")
    protection, archive = SigningProtection(store), Archive(store)
    for epoch in (6, 7):
        protection.fix(dataclasses.replace(VIEW, epoch=epoch))
        archive.add_certificate(certificate(body((leaf(1),), epoch=epoch)), (leaf(1),))
    for slot in (3, 4):
        protection.fix_observations(observed(slot=slot))
        archive.add_report(slot, PriceReport(()))
    store.forget_before(7, 4)
    store.forget_before(5, 2)  # the beginning never goes back
    store.close()

    store = open_store(tmp_path / "relayer.db")
    protection, archive = SigningProtection(store), Archive(store)
    assert protection.fixed(CHAIN, 6) is None
    assert protection.fixed(CHAIN, 7) == VIEW
    assert archive.certificates(CHAIN, 6) == ()
    assert len(archive.certificates(CHAIN, 7)) == 1
    assert archive.last_reported() == protection.last_observed() == 4
    for sign in (
        lambda: protection.fix(dataclasses.replace(VIEW, epoch=6)),
        lambda: protection.fix_observations(observed(slot=3, value=9)),
    ):
        with pytest.raises(MarginproofError) as caught:
            sign()
        assert caught.value.code == ReasonCode.SIGNING_PROTECTION
    with pytest.raises(MarginproofError) as caught:
        archive.account_leaf(leaf(1).account, CHAIN, 6)
    assert caught.value.code == ReasonCode.NOT_FOUND
    store.close()


@pytest.fixture
def config(tmp_path: Path) -> RelayerConfig:
    (tmp_path / "network.yaml").write_bytes(dump_network_file(network_file()))
    create_keystore(tmp_path / "bls.json", KEYS[0], "password", insecure_fast=True)
    return RelayerConfig(
        network=tmp_path / "network.yaml",
        keystore=tmp_path / "bls.json",
        password_file=None,
        database=tmp_path / "relayer.db",
        tls_directory=tmp_path,
        evidence_directory=tmp_path,
        listen="127.0.0.1:1",
        endpoints={},
    )


def refusal(config: RelayerConfig, chain: str = CHAIN) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        clear_halt(config, "password", chain)
    return caught.value.code


def test_a_halt_is_lifted_on_a_stopped_node(config: RelayerConfig) -> None:
    assert refusal(config) == ReasonCode.NOT_FOUND
    assert not config.database.exists()
    store = open_store(config.database, network=network_file().network_id)
    store.halt(CHAIN, 5, "0x01", "0x02")
    assert refusal(config) == ReasonCode.STORE_LOCKED
    store.close()
    assert refusal(config, OTHER_CHAIN) == ReasonCode.NOT_FOUND
    clear_halt(config, "password", CHAIN)
    assert refusal(config) == ReasonCode.NOT_FOUND
