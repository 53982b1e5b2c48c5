"""The slots that others read by storage proof: changing any of them breaks every relayer and venue."""

import pytest
from eth_utils.crypto import keccak

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.devnet import development_account
from marginproof.model.accounts import Payee, lock_binding, payees_root
from marginproof.model.chains import parse_address
from marginproof.model.pledges import NO_DIGEST, next_digest
from tests.contracts.accounts import Holder, commitment, network_of
from tests.contracts.conftest import World
from tests.contracts.harness import ZERO


def word(value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    return (bytes.fromhex(value[2:]) if isinstance(value, str) else value).rjust(32, b"\0")


def mapping_slot(slot: int | bytes, key: int | str | bytes) -> bytes:
    """Vyper's rule: keccak256(slot ‖ key), the other way round from Solidity's."""
    return bytes(keccak(word(slot) + word(key)))


def plus(slot: bytes, offset: int) -> bytes:
    return word(int.from_bytes(slot, "big") + offset)


def lock_slots(world: World, lock_id: int, count: int = 3) -> list[int]:
    first = mapping_slot(0, lock_id)
    return [world.chain.slot(world.vault.address, plus(first, offset)) for offset in range(count)]


def test_variables_lie_where_the_documentation_says() -> None:
    vault = load_artifact(COLLATERAL_VAULT)
    assert vault.storage == {"locks": 0, "total_locked": 1, "lock_count": 2}
    assert vault.immutables == ("NOTICE_SECONDS", "PAYOUT_SECONDS", "ARBITER")
    registry = load_artifact(PLEDGE_REGISTRY)
    assert registry.storage == {
        "policy_effective_at": 0,
        "signer_set_recorded_at": 1,
        "accounts": 2,
        "authorisations": 3,
        "agreed_until": 4,
        "key_used": 5,
    }
    assert registry.immutables == ("POLICY_DELAY", "NOTICE_SECONDS", "NETWORK_ID", "HOME_BRANCH", "DOMAIN_SEPARATOR")


@pytest.mark.parametrize("amount", [1, 2**96 - 1])
def test_a_lock_takes_three_slots(world: World, amount: int) -> None:
    lock_id = world.lock_token(amount, b"\x99" * 32)
    owner, asset = int(world.owner, 16), int(world.token.address, 16)
    assert lock_slots(world, lock_id, 5) == [owner, asset | amount << 160, int.from_bytes(b"\x99" * 32, "big"), 0, 0]


def test_notice_and_freeze_share_the_owners_slot(world: World) -> None:
    root = payees_root((Payee(bytes(20), bytes(32)),))
    lock_id = world.lock_native(5, lock_binding(bytes(32), root, bytes(32)))
    owner = int(world.owner, 16)
    notice = world.vault.act(world.owner, "start_notice", lock_id).time
    assert lock_slots(world, lock_id)[0] == owner | notice << 160
    frozen = notice + 5
    assert world.arbitrate("freeze", lock_id, bytes(32), root, bytes(32), at=frozen) is None
    assert lock_slots(world, lock_id)[:2] == [owner | notice << 160 | frozen << 208, 5 << 160]


def test_a_withdrawn_lock_leaves_empty_slots(world: World) -> None:
    lock_id = world.lock_native()
    world.vault.act(world.owner, "start_notice", lock_id)
    world.vault.act(world.owner, "withdraw", lock_id, world.owner, at=world.chain.now() + 10_000)
    assert lock_slots(world, lock_id) == [0, 0, 0]


def test_totals_and_the_counter(world: World) -> None:
    world.lock_native(5)
    world.lock_native(6)
    world.lock_token(7)
    vault = world.vault.address
    assert world.chain.slot(vault, mapping_slot(1, ZERO)) == 11
    assert world.chain.slot(vault, mapping_slot(1, world.token.address)) == 7
    assert world.chain.slot(vault, word(2)) == 3


def test_the_registrys_records(world: World) -> None:
    registry = world.registry
    digest, root, signature = b"\x0d" * 32, b"\x0e" * 32, b"\x0f" * 96
    effective_at = registry.events(registry.act(world.owner, "announce_policy", digest), "PolicyAnnounced")[0][
        "effective_at"
    ]
    slot = mapping_slot(mapping_slot(0, world.owner), digest)
    assert world.chain.slot(registry.address, slot) == effective_at
    recorded = registry.act(world.stranger, "record_signer_set", 1, root, 9, signature)
    record = registry.call("signer_set_record", root, 9, signature)
    slot = mapping_slot(mapping_slot(1, 1), record)
    assert world.chain.slot(registry.address, slot) == recorded.time


def test_an_accounts_words(world: World) -> None:
    """Digest, control, then three words for each pledge, the authorisations elsewhere."""
    registry, venues = world.registry, (world.owner, world.stranger)
    holder, new = Holder(network_of(registry)), development_account(96)
    base = mapping_slot(2, holder.account)
    digest = NO_DIGEST
    for seed, venue in enumerate(venues):
        registry.act(world.owner, "authorise", *holder.authorise(venue, 0))
        registry.act(venue, "swap", *holder.swap(venue, digest, commitment(seed), 5 + seed))
        digest = next_digest(digest, parse_address(venue), commitment(seed), 5 + seed)
    registry.act(world.owner, "rotate_key", *holder.rotate(new.address, 0))

    def words(count: int) -> list[int]:
        return [world.chain.slot(registry.address, plus(base, offset)) for offset in range(count)]

    def entry(venue: str) -> int:
        return world.chain.slot(registry.address, mapping_slot(mapping_slot(3, holder.account), venue))

    expected = [int.from_bytes(digest, "big"), int(new.address, 16) | 1 << 160 | 2 << 224]
    for seed, venue in enumerate(venues):
        head, last = commitment(seed)[:32], commitment(seed)[32:]
        tail = int.from_bytes(last, "big") << 128 | 5 + seed << 64
        expected += [int.from_bytes(head, "big"), tail, int(venue, 16)]
    assert words(9) == [*expected, 0]
    assert [entry(venue) for venue in venues] == [1 | 1 << 128, 1 | 2 << 128]
    revoked = registry.act(world.owner, "revoke", *holder.with_key(new).revoke(venues[0], 1)).time
    assert words(8)[3] == expected[3] | revoked
    assert entry(venues[0]) == 2 | revoked << 64 | 1 << 128
    registry.act(venues[0], "release", holder.account)
    assert words(8)[1:] == [int(new.address, 16) | 1 << 160 | 1 << 224, *expected[5:8], 0, 0, 0]
    assert [entry(venue) for venue in venues] == [2, 1 | 1 << 128]


def test_agreements_and_used_keys(world: World) -> None:
    registry, holder, new = world.registry, Holder(network_of(world.registry)), development_account(96)
    registry.act(world.owner, "agree", world.stranger)
    slot = mapping_slot(mapping_slot(4, world.owner), world.stranger)
    assert world.chain.slot(registry.address, slot) == 2**64 - 1
    registry.act(world.owner, "rotate_key", *holder.rotate(new.address, 0))
    assert world.chain.slot(registry.address, mapping_slot(mapping_slot(5, holder.account), new.address)) == 1
