"""What an account signs: every field counts, one signature has one form, and a rotated key is dead."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from marginproof.chains.evm.devnet import development_account
from marginproof.model.pledges import NO_DIGEST
from tests.contracts.accounts import Holder, commitment, network_of
from tests.contracts.conftest import World
from tests.contracts.harness import ZERO, Contract

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NEW, NEWER = development_account(91), development_account(92)
ONE = commitment(1)
Signed = Callable[[Holder, World], tuple[str, str, tuple[object, ...]]]


def _authorise(holder: Holder, world: World) -> tuple[str, str, tuple[object, ...]]:
    return world.owner, "authorise", holder.authorise(world.owner, 0)


def _revoke(holder: Holder, world: World) -> tuple[str, str, tuple[object, ...]]:
    return world.owner, "revoke", holder.revoke(world.stranger, 1)


def _swap(holder: Holder, world: World) -> tuple[str, str, tuple[object, ...]]:
    return world.stranger, "swap", holder.swap(world.stranger, NO_DIGEST, ONE)


def _rotate(holder: Holder, world: World) -> tuple[str, str, tuple[object, ...]]:
    return world.owner, "rotate_key", holder.rotate(NEW.address, 0)


CALLS: dict[str, Signed] = {"authorise": _authorise, "revoke": _revoke, "swap": _swap, "rotate_key": _rotate}


@pytest.fixture
def registry(world: World) -> Contract:
    """A registry on which the account has authorised the stranger."""
    holder = Holder(network_of(world.registry))
    world.registry.act(world.owner, "authorise", *holder.authorise(world.stranger, 0))
    return world.registry


@pytest.fixture
def holder(registry: Contract) -> Holder:
    return Holder(network_of(registry))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_signatures_have_one_form(world: World, registry: Contract, holder: Holder, call: Signed) -> None:
    sender, function, arguments = call(holder, world)
    *rest, signature = arguments
    assert isinstance(signature, bytes)
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    assert v in (27, 28)
    mirrored = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    just_too_high = r + (ORDER // 2 + 1).to_bytes(32, "big") + bytes([v])
    highest = r + (ORDER // 2).to_bytes(32, "big") + bytes([v])
    for spoiled, reason in (
        (mirrored, "SIGNATURE_MALLEABLE"),
        (just_too_high, "SIGNATURE_MALLEABLE"),
        (highest, "SIGNATURE_INVALID"),
        *((signature[:64] + bytes([other]), "SIGNATURE_MALLEABLE") for other in (0, 1, v - 27, 26, 29, 255)),
        (signature[:64] + bytes([55 - v]), "SIGNATURE_INVALID"),
        (signature[:64], "SIGNATURE_LENGTH"),
        (b"", "SIGNATURE_LENGTH"),
        (signature + b"\x00", ""),
        (bytes(64) + b"\x1b", "SIGNATURE_INVALID"),
        (b"\xff" * 32 + signature[32:], "SIGNATURE_INVALID"),
    ):
        assert registry.refused(sender, function, *rest, spoiled) == reason
    registry.act(sender, function, *arguments)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_only_the_accounts_key_signs(world: World, registry: Contract, holder: Holder, call: Signed) -> None:
    sender, function, arguments = call(holder.with_key(NEW), world)
    assert registry.refused(sender, function, *arguments) == "SIGNATURE_INVALID"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_signatures_are_of_one_network(world: World, registry: Contract, holder: Holder, call: Signed) -> None:
    for other in (
        replace(holder.network, home_chain="eip155:1"),
        replace(holder.network, registry=b"\x01" * 20),
        replace(holder.network, n=256),
        replace(holder.network, configuration_digest=b"\x02" * 32),
    ):
        sender, function, arguments = call(replace(holder, network=other), world)
        assert registry.refused(sender, function, *arguments) == "SIGNATURE_INVALID"


def test_what_recovers_to_nobody_is_not_the_zero_addresss(world: World, registry: Contract) -> None:
    nothing = bytes(64) + b"\x1b"
    for function, arguments in (
        ("authorise", (ZERO, 0, world.stranger, 0, nothing)),
        ("rotate_key", (ZERO, 0, NEW.address, 0, nothing)),
    ):
        assert registry.refused(world.stranger, function, *arguments) == "SIGNATURE_INVALID"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_argument_is_signed_for(world: World, registry: Contract, holder: Holder, call: Signed) -> None:
    """Another account, venue, number, digest, commitment or version: never the signed one's effect."""
    sender, function, arguments = call(holder, world)
    other_owner = development_account(93).address
    others: tuple[object, ...] = {
        "authorise": (other_owner, 8, world.deployer, 1),
        "revoke": (other_owner, 8, world.owner, 0),
        "rotate_key": (other_owner, 8, NEWER.address, 1),
        "swap": (other_owner, 8, b"\x07" * 32, commitment(2), 2),
    }[function]
    for place, other in enumerate(others):
        changed = (*arguments[:place], other, *arguments[place + 1 :])
        assert registry.refused(sender, function, *changed) in {
            "SIGNATURE_INVALID",  # nothing else stands in the way
            "NUMBER_STALE",
            "NOT_AUTHORISED",
            "DIGEST_STALE",
        }
    for place in {"authorise": (0, 1, 2), "revoke": (), "rotate_key": (0, 1, 2), "swap": (3, 4)}[function]:
        changed = (*arguments[:place], others[place], *arguments[place + 1 :])
        assert registry.refused(sender, function, *changed) == "SIGNATURE_INVALID"


def test_a_swap_is_signed_for_one_venue(world: World, registry: Contract, holder: Holder) -> None:
    registry.act(world.owner, "authorise", *holder.authorise(world.owner, 0))
    for_stranger = holder.swap(world.stranger, NO_DIGEST, ONE)
    assert registry.refused(world.owner, "swap", *for_stranger) == "SIGNATURE_INVALID"


def test_messages_of_one_kind_do_not_serve_as_another(world: World, registry: Contract, holder: Holder) -> None:
    """Authorise, Revoke and RotateKey have the same fields; their types differ."""
    venue, subject = world.stranger, NEW.address
    assert registry.refused(venue, "revoke", *holder.authorise(venue, 1)) == "SIGNATURE_INVALID"
    assert registry.refused(venue, "authorise", *holder.revoke(subject, 0)) == "SIGNATURE_INVALID"
    assert registry.refused(venue, "rotate_key", *holder.authorise(subject, 0)) == "SIGNATURE_INVALID"
    assert registry.refused(venue, "authorise", *holder.rotate(subject, 0)) == "SIGNATURE_INVALID"


def test_a_rotated_key_is_dead(world: World, registry: Contract, holder: Holder) -> None:
    left_over = {
        "revoke": holder.revoke(world.stranger, 1),
        "authorise": holder.authorise(world.owner, 0),
        "swap": holder.swap(world.stranger, NO_DIGEST, ONE),
        "rotate_key": holder.rotate(NEWER.address, 1),
    }
    outcome = registry.act(world.stranger, "rotate_key", *holder.rotate(NEW.address, 0))
    assert registry.events(outcome, "KeyRotated") == [
        {"account": holder.account, "key": NEW.address.lower(), "number": 1}
    ]
    assert registry.call("read_account", holder.account) == (NO_DIGEST, NEW.address.lower(), 1, ())
    for function, arguments in left_over.items():
        assert registry.refused(world.stranger, function, *arguments) == "SIGNATURE_INVALID"
    new = holder.with_key(NEW)
    registry.act(world.stranger, "swap", *new.swap(world.stranger, NO_DIGEST, ONE))
    registry.act(world.owner, "revoke", *new.revoke(world.stranger, 1))
    registry.act(world.owner, "authorise", *new.authorise(world.owner, 0))
    registry.act(world.owner, "rotate_key", *new.rotate(NEWER.address, 1))
    # The pledge and the digest are the account's, not the key's.
    _, key, number, pledges = registry.call("read_account", holder.account)
    assert (key, number, len(pledges)) == (NEWER.address.lower(), 2, 1)
    assert registry.refused(world.owner, "revoke", *new.revoke(world.owner, 1)) == "SIGNATURE_INVALID"


def test_a_dead_key_never_comes_back(world: World, registry: Contract, holder: Holder) -> None:
    registry.act(world.owner, "rotate_key", *holder.rotate(NEW.address, 0))
    new = holder.with_key(NEW)
    for key in (holder.owner.address, NEW.address):
        assert registry.refused(world.owner, "rotate_key", *new.rotate(key, 1)) == "KEY_USED_BEFORE"
    registry.act(world.owner, "rotate_key", *new.rotate(NEWER.address, 1))
    newer = holder.with_key(NEWER)
    assert registry.refused(world.owner, "rotate_key", *newer.rotate(NEW.address, 2)) == "KEY_USED_BEFORE"
    # Another account of the same owner may use the key.
    other = replace(holder, index=holder.index + 1)
    registry.act(world.owner, "rotate_key", *other.rotate(NEW.address, 0))


def test_impossible_rotations_are_refused(world: World, registry: Contract, holder: Holder) -> None:
    assert registry.refused(world.owner, "rotate_key", *holder.rotate(ZERO, 0)) == "KEY_EMPTY"
    assert registry.refused(world.owner, "rotate_key", *holder.rotate(holder.owner.address, 0)) == "KEY_USED_BEFORE"
    assert registry.refused(world.owner, "rotate_key", *holder.rotate(NEW.address, 1)) == "NUMBER_STALE"
    first = holder.rotate(NEW.address, 0)
    registry.act(world.owner, "rotate_key", *first)
    assert registry.refused(world.owner, "rotate_key", *first) == "NUMBER_STALE"
