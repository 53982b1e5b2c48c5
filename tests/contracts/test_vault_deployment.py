"""What the vault's constructor takes, and that nothing of it can change."""

import pytest

from marginproof.chains.evm.contracts import COLLATERAL_VAULT
from tests.contracts.conftest import NOTICE, PAYOUT, World
from tests.contracts.harness import ZERO, compiled

YEAR = 31_536_000


@pytest.mark.parametrize("delays", [(0, 1), (1, 0), (YEAR + 1, 1), (1, YEAR + 1)])
def test_delays_out_of_range_are_refused(world: World, delays: tuple[int, int]) -> None:
    artifact = compiled(COLLATERAL_VAULT)
    reason = world.chain.deploy_refused(artifact, delays[0], ZERO, delays[1], sender=world.deployer)
    assert reason == "DELAY_OUT_OF_RANGE"


@pytest.mark.parametrize("delays", [(1, YEAR), (YEAR, 1)])
def test_the_longest_and_shortest_delays_are_taken(world: World, delays: tuple[int, int]) -> None:
    artifact = compiled(COLLATERAL_VAULT)
    vault = world.chain.deploy(artifact, delays[0], ZERO, delays[1], sender=world.deployer)
    assert (vault.call("notice_seconds"), vault.call("payout_seconds")) == delays
    assert vault.call("arbiter") == ZERO


def test_the_vault_tells_its_terms(world: World) -> None:
    assert world.vault.call("notice_seconds") == NOTICE
    assert world.vault.call("payout_seconds") == PAYOUT
    assert world.vault.call("arbiter") == world.arbiter.address.lower()


def test_without_arbiter_nobody_freezes(world: World) -> None:
    vault = world.chain.deploy(compiled(COLLATERAL_VAULT), NOTICE, ZERO, PAYOUT, sender=world.deployer)
    vault.act(world.owner, "lock_native", b"\x01" * 32, value=1)
    for sender in (world.deployer, world.owner):
        assert vault.refused(sender, "freeze", 1, bytes(32), bytes(32), bytes(32)) == "NOT_ARBITER"


def test_the_interface_holds_no_way_to_change_the_contract() -> None:
    """The list is complete on purpose: whatever is added to the vault must be judged here."""
    changing = {
        entry["name"]
        for entry in compiled(COLLATERAL_VAULT).abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    owner = {"lock_native", "lock_token", "add_native", "add_token", "start_notice", "cancel_notice", "withdraw"}
    assert changing == owner | {"freeze", "pay", "release"}
