"""The test token keeps to ERC-20, so that the demo shows what a real token would do."""

from tests.contracts.conftest import World
from tests.contracts.harness import ZERO


def test_transfers_move_and_conserve(world: World) -> None:
    token = world.token
    supply, before = token.call("totalSupply"), token.call("balanceOf", world.owner)
    outcome = token.act(world.owner, "transfer", world.stranger, 7)
    assert token.events(outcome, "Transfer") == [
        {"sender": world.owner.lower(), "receiver": world.stranger.lower(), "value": 7}
    ]
    assert token.call("balanceOf", world.owner) == before - 7
    assert token.call("balanceOf", world.stranger) == 7
    assert token.call("totalSupply") == supply
    assert (token.call("symbol"), token.call("decimals")) == ("TESTUSD", 6)


def test_allowances_are_used_up(world: World) -> None:
    token = world.token
    token.act(world.owner, "approve", world.stranger, 10)
    token.act(world.stranger, "transferFrom", world.owner, world.stranger, 6)
    assert token.call("allowance", world.owner, world.stranger) == 4
    reason = token.refused(world.stranger, "transferFrom", world.owner, world.stranger, 5)
    assert reason == "ALLOWANCE_TOO_SMALL"


def test_more_than_the_balance_is_refused(world: World) -> None:
    assert world.token.refused(world.stranger, "transfer", world.owner, 1) == "BALANCE_TOO_SMALL"
    assert world.token.refused(world.owner, "transfer", ZERO, 1) == "RECIPIENT_INVALID"


def test_minting_adds_to_the_supply(world: World) -> None:
    supply = world.token.call("totalSupply")
    world.token.act(world.stranger, "mint", world.stranger, 3)
    assert world.token.call("totalSupply") == supply + 3
