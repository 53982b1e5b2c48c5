"""The registry: policies announced with delay, signer sets published by anybody."""

import hashlib

import pytest

from marginproof.chains.evm.contracts import PLEDGE_REGISTRY
from marginproof.model.network import VECTOR_LENGTHS
from tests.contracts.conftest import POLICY_DELAY, World
from tests.contracts.harness import compiled

CONFIGURATION_DIGEST = b"\xcd" * 32
DIGEST, ROOT, SIGNATURE = b"\x0d" * 32, b"\x0e" * 32, b"\x0f" * 97


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ((256, CONFIGURATION_DIGEST, 0, 60), "DELAY_OUT_OF_RANGE"),
        ((256, CONFIGURATION_DIGEST, 31_536_001, 60), "DELAY_OUT_OF_RANGE"),
        ((256, CONFIGURATION_DIGEST, 60, 0), "DELAY_OUT_OF_RANGE"),
        ((256, CONFIGURATION_DIGEST, 60, 31_536_001), "DELAY_OUT_OF_RANGE"),
        ((256, bytes(32), 60, 60), "DIGEST_EMPTY"),
        *(((n, CONFIGURATION_DIGEST, 60, 60), "VECTOR_LENGTH_UNKNOWN") for n in (0, 255, 768, 4096)),
    ],
)
def test_impossible_terms_are_refused(world: World, terms: tuple[object, ...], reason: str) -> None:
    assert world.chain.deploy_refused(compiled(PLEDGE_REGISTRY), *terms, sender=world.deployer) == reason


@pytest.mark.parametrize("n", VECTOR_LENGTHS)
@pytest.mark.parametrize("delay", [1, 31_536_000])
def test_the_shortest_and_longest_delay_are_taken(world: World, n: int, delay: int) -> None:
    terms = (n, CONFIGURATION_DIGEST, delay, delay)
    registry = world.chain.deploy(compiled(PLEDGE_REGISTRY), *terms, sender=world.deployer)
    assert registry.call("policy_delay") == registry.call("notice_seconds") == delay


def test_a_policy_holds_after_the_delay(world: World) -> None:
    outcome = world.registry.act(world.owner, "announce_policy", DIGEST)
    effective_at = outcome.time + POLICY_DELAY
    assert world.registry.events(outcome, "PolicyAnnounced") == [
        {"venue": world.owner.lower(), "digest": DIGEST, "effective_at": effective_at}
    ]
    assert world.registry.call("policy_effective_at", world.owner, DIGEST) == effective_at


def test_a_policy_is_its_venues_alone(world: World) -> None:
    world.registry.act(world.owner, "announce_policy", DIGEST)
    assert world.registry.call("policy_effective_at", world.stranger, DIGEST) == 0
    world.registry.act(world.stranger, "announce_policy", DIGEST)


def test_an_announcement_is_never_repeated(world: World) -> None:
    first = world.registry.act(world.owner, "announce_policy", DIGEST).time
    for at in (first + 1, first + POLICY_DELAY, first + 10 * POLICY_DELAY):
        assert world.registry.refused(world.owner, "announce_policy", DIGEST, at=at) == "ALREADY_ANNOUNCED"
    assert world.registry.call("policy_effective_at", world.owner, DIGEST) == first + POLICY_DELAY


def test_an_empty_digest_is_refused(world: World) -> None:
    assert world.registry.refused(world.owner, "announce_policy", bytes(32)) == "DIGEST_EMPTY"


def test_a_signer_set_is_recorded_with_its_contents(world: World) -> None:
    outcome = world.registry.act(world.stranger, "record_signer_set", 1, ROOT, 77, SIGNATURE)
    record = hashlib.sha256(ROOT + (77).to_bytes(32, "big") + SIGNATURE).digest()
    assert world.registry.events(outcome, "SignerSetRecorded") == [
        {"index": 1, "root": ROOT, "record": record, "first_epoch": 77, "signature": SIGNATURE}
    ]
    assert world.registry.call("signer_set_record", ROOT, 77, SIGNATURE) == record
    assert world.registry.call("signer_set_recorded_at", 1, record) == outcome.time


def test_a_false_record_never_takes_the_place_of_a_true_one(world: World) -> None:
    true = (1, ROOT, 77, SIGNATURE)
    for false in (
        (1, ROOT, 77, b"garbage"),
        (1, ROOT, 78, SIGNATURE),
        (1, b"\x66" * 32, 77, SIGNATURE),
        (2, ROOT, 77, SIGNATURE),
    ):
        world.registry.act(world.stranger, "record_signer_set", *false)
    world.registry.act(world.owner, "record_signer_set", *true)


def test_a_record_is_never_repeated(world: World) -> None:
    world.registry.act(world.owner, "record_signer_set", 1, ROOT, 77, SIGNATURE)
    assert world.registry.refused(world.owner, "record_signer_set", 1, ROOT, 77, SIGNATURE) == "ALREADY_RECORDED"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0, ROOT, 77, SIGNATURE), "INDEX_ZERO"),
        ((1, bytes(32), 77, SIGNATURE), "ROOT_EMPTY"),
        ((1, ROOT, 2**64, SIGNATURE), "EPOCH_OUT_OF_RANGE"),
        ((1, ROOT, 77, b""), "SIGNATURE_EMPTY"),
        ((1, ROOT, 77, bytes(1025)), ""),
    ],
)
def test_impossible_signer_sets_are_refused(world: World, arguments: tuple[object, ...], reason: str) -> None:
    assert world.registry.refused(world.owner, "record_signer_set", *arguments) == reason


def test_the_longest_signature_and_the_last_epoch_are_taken(world: World) -> None:
    world.registry.act(world.owner, "record_signer_set", 1, ROOT, 2**64 - 1, bytes(1024))


def test_the_registry_takes_no_coins(world: World) -> None:
    outcome, _ = world.chain.send(world.owner, world.registry.address, b"", value=1)
    assert outcome.reason is not None
    assert world.registry.refused(world.owner, "announce_policy", DIGEST, value=1) == ""
