"""Pledges on the registry: one venue, then several, on one account's digest."""

import pytest

from marginproof.model.chains import parse_address
from marginproof.model.pledges import NO_DIGEST, next_digest
from tests.contracts.accounts import Holder, commitment, network_of
from tests.contracts.conftest import World

ONE, TWO = commitment(1), commitment(2)


@pytest.fixture
def holder(world: World) -> Holder:
    return Holder(network_of(world.registry))


def test_ids_on_chain_are_the_models_roots(world: World, holder: Holder) -> None:
    assert world.registry.call("network_id") == holder.network.root()
    for index in (0, 1, 7, 255, 256, 0x0102030405060708, 2**64 - 1):
        one = Holder(holder.network, index=index)
        assert world.registry.call("account_id", *one.names) == one.account


def test_a_swap_sets_the_pledge_and_advances_the_digest(world: World, holder: Holder) -> None:
    venue = world.stranger
    world.registry.act(world.owner, "authorise", *holder.authorise(venue, 0))
    outcome = world.registry.act(venue, "swap", *holder.swap(venue, NO_DIGEST, ONE, 3))
    digest = next_digest(NO_DIGEST, parse_address(venue), ONE, 3)
    assert world.registry.events(outcome, "PledgeSwapped") == [
        {
            "account": holder.account,
            "venue": venue.lower(),
            "digest": digest,
            "commitment": ONE,
            "universe_version": 3,
        }
    ]
    state = world.registry.call("read_account", holder.account)
    assert state == (digest, "0x" + "00" * 20, 0, ((venue.lower(), ONE, 3, 0),))
