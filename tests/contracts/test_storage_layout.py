"""The slots that others read by storage proof: changing any of them breaks every relayer and venue."""

import pytest
from eth_utils.crypto import keccak

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, PLEDGE_REGISTRY, load_artifact
from marginproof.model.accounts import Payee, lock_binding, payees_root
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
