"""From proven words to locks: what the vault really writes, and what its code never writes."""

import dataclasses

import pytest

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.verify import (
    AccountFacts,
    AccountProof,
    BlockHeader,
    SlotFact,
    decode_lock,
    lock_slots,
    policy_slot,
    recorded_time,
    signer_set_slot,
    total_locked_slot,
    vault_facts,
    vault_slots,
    verify_proof,
    verify_vault,
)
from marginproof.chains.evm.verify.layout import map_slot, next_slot, word
from marginproof.chains.evm.verify.registry import POLICY_EFFECTIVE_SLOT, SIGNER_SET_SLOT
from marginproof.chains.evm.verify.vault import LOCKS_SLOT, TOTAL_LOCKED_SLOT
from marginproof.model.chains import NATIVE_ASSET
from marginproof.model.errors import MalformedError, MarginproofError
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import CODE_HASH, LOCKS, NOTICED_LOCK, POLICY_DELAY, World, raw

OWNER = int.from_bytes(b"\x51" * 20, "big")
ASSET = b"\x61" * 20
BINDING = 7
HEADER = BlockHeader(number=9, hash=b"h" * 32, parent_hash=b"p" * 32, timestamp=1_000, state_root=b"s" * 32)
ACCOUNT = AccountFacts(exists=True, nonce=1, balance=500, storage_root=b"r" * 32, code_hash=CODE_HASH)
LOCK_IDS = (*range(1, LOCKS + 2), 999)


def test_layout_is_the_contracts_own() -> None:
    vault = load_artifact(COLLATERAL_VAULT).storage
    registry = load_artifact(PLEDGE_REGISTRY).storage
    assert word(vault["locks"]) == LOCKS_SLOT
    assert word(vault["total_locked"]) == TOTAL_LOCKED_SLOT
    assert word(registry["policy_effective_at"]) == POLICY_EFFECTIVE_SLOT
    assert word(registry["signer_set_recorded_at"]) == SIGNER_SET_SLOT


def test_slots_follow_one_another_and_wrap() -> None:
    first, second, third = lock_slots(3)
    assert first == map_slot(LOCKS_SLOT, word(3))
    assert (second, third) == (next_slot(first, 1), next_slot(second, 1))
    assert next_slot(b"\xff" * 32, 1) == bytes(32)
    assert len(vault_slots([1, 1, 2], [NATIVE_ASSET, ASSET])) == 8


def test_vault_read_by_proof_equals_the_vaults_own_view(recorded: World) -> None:
    header = recorded.header()
    vault, token = raw(recorded.vault.address), raw(recorded.token.address)
    proof = recorded.proof(header, vault, vault_slots(LOCK_IDS, [token]))
    facts = verify_vault(header, address=vault, code_hash=CODE_HASH, proof=proof, lock_ids=LOCK_IDS, assets=[token])
    for lock_id in LOCK_IDS[:-1]:
        lock = facts.locks[lock_id]
        view = recorded.vault.call("read_lock", lock_id)
        own = (
            f"0x{lock.owner.hex()}",
            f"0x{lock.asset.hex()}",
            lock.amount,
            lock.notice_at,
            lock.frozen_at,
            lock.binding,
        )
        assert tuple(item.lower() if isinstance(item, str) else item for item in view) == own
        assert lock.exists
        assert lock.counts == (lock_id != NOTICED_LOCK)
    assert not facts.locks[999].exists
    assert not facts.locks[999].counts
    assert facts.total_locked[NATIVE_ASSET] == recorded.chain.balance(recorded.vault.address)
    assert facts.total_locked[token] == facts.locks[LOCKS + 1].amount == 5_000_000


def test_registry_read_by_proof(recorded: World) -> None:
    header = recorded.header()
    venue, other = raw(recorded.owner), b"\x77" * 20
    slots = [policy_slot(venue, recorded.digest), policy_slot(other, recorded.digest), policy_slot(venue, b"\x01" * 32)]
    _, values = verify_proof(header.state_root, recorded.proof(header, raw(recorded.registry.address), slots))
    times = [recorded_time(values[slot]) for slot in slots]
    assert times[1:] == [None, None]
    assert times[0] == recorded.registry.call("policy_effective_at", recorded.owner, recorded.digest)
    assert times[0] == header.timestamp + POLICY_DELAY


def test_signer_set_read_by_proof(world: World) -> None:
    root, signature = b"\x0c" * 32, b"signature"
    world.registry.act(world.owner, "record_signer_set", 1, root, 7, signature)
    record = world.registry.call("signer_set_record", root, 7, signature)
    header = world.header()
    slots = [signer_set_slot(1, record), signer_set_slot(2, record)]
    _, values = verify_proof(header.state_root, world.proof(header, raw(world.registry.address), slots))
    assert [recorded_time(values[slot]) for slot in slots] == [header.timestamp, None]


def test_row_15_facts_are_keyed_by_the_request(recorded: World) -> None:
    header = recorded.header()
    vault = raw(recorded.vault.address)
    proof = recorded.proof(header, vault, vault_slots([1], []))
    elsewhere = AccountProof(raw(recorded.owner), proof.account_nodes, proof.slot_nodes)
    facts = verify_vault(header, address=vault, code_hash=CODE_HASH, proof=elsewhere, lock_ids=[1], assets=[])
    assert facts.address == vault
    for lock_ids, assets in ([1, 2], []), ([1], [ASSET]):
        with pytest.raises(MalformedError) as caught:
            verify_vault(header, address=vault, code_hash=CODE_HASH, proof=proof, lock_ids=lock_ids, assets=assets)
        assert caught.value.code is ReasonCode.TRIE_PROOF_TRUNCATED
    with pytest.raises(MalformedError):
        verify_vault(
            header, address=raw(recorded.token.address), code_hash=CODE_HASH, proof=proof, lock_ids=[1], assets=[]
        )


def test_lock_words_are_unpacked_bit_by_bit() -> None:
    lock = decode_lock((OWNER | 11 << 160 | 12 << 208, int.from_bytes(ASSET, "big") | 13 << 160, BINDING))
    assert dataclasses.astuple(lock) == (True, b"\x51" * 20, ASSET, 13, 11, 12, word(BINDING))
    full = decode_lock(((1 << 256) - 1,) * 3)
    assert (full.amount, full.notice_at, full.frozen_at) == ((1 << 96) - 1, (1 << 48) - 1, (1 << 48) - 1)
    assert not decode_lock((0, 0, 0)).exists


@pytest.mark.parametrize(
    ("notice_at", "frozen_at", "counts"), [(0, 0, True), (1, 0, False), (0, 1, False), (1, 1, False)]
)
def test_only_free_locks_count(notice_at: int, frozen_at: int, counts: bool) -> None:
    assert decode_lock((OWNER | notice_at << 160 | frozen_at << 208, 1 << 160, BINDING)).counts is counts


@pytest.mark.parametrize(
    "words",
    [
        (0, 0, BINDING),
        (0, 1 << 160, 0),
        (1 << 160, 0, 0),
        (OWNER, 0, BINDING),
        (OWNER, OWNER, BINDING),
        (OWNER, 1 << 160, 0),
    ],
)
def test_row_27_words_that_the_vault_never_writes(words: tuple[int, int, int]) -> None:
    with pytest.raises(MarginproofError) as caught:
        decode_lock(words)
    assert caught.value.code is ReasonCode.VAULT_INVARIANT


def facts_of(
    *,
    account: AccountFacts = ACCOUNT,
    holder: int = OWNER,
    amounts: tuple[int, int] = (200, 300),
    native_total: int = 500,
    token_total: int = 0,
    asset: bytes = NATIVE_ASSET,
) -> None:
    values = {total_locked_slot(NATIVE_ASSET): native_total, total_locked_slot(ASSET): token_total}
    for lock_id, amount in enumerate(amounts, 1):
        words = (holder, int.from_bytes(asset, "big") | amount << 160, BINDING)
        values.update(zip(lock_slots(lock_id), words, strict=True))
    vault_facts(
        HEADER,
        address=b"\x01" * 20,
        code_hash=CODE_HASH,
        account=account,
        values={slot: SlotFact(value, value != 0) for slot, value in values.items()},
        lock_ids=(1, 2),
        assets=(ASSET,),
    )


def test_row_27_invariants_hold_to_the_last_unit() -> None:
    facts_of()
    facts_of(holder=OWNER | HEADER.timestamp << 160 | HEADER.timestamp << 208)
    facts_of(asset=ASSET, token_total=500, native_total=0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account": dataclasses.replace(ACCOUNT, exists=False)}, ReasonCode.ACCOUNT_ABSENT),
        ({"account": dataclasses.replace(ACCOUNT, code_hash=b"\x01" * 32)}, ReasonCode.CODE_HASH_MISMATCH),
        ({"account": dataclasses.replace(ACCOUNT, balance=499)}, ReasonCode.VAULT_INVARIANT),
        ({"native_total": 499}, ReasonCode.VAULT_INVARIANT),
        ({"asset": ASSET, "token_total": 499, "native_total": 0}, ReasonCode.VAULT_INVARIANT),
        ({"holder": OWNER | HEADER.timestamp + 1 << 160}, ReasonCode.VAULT_INVARIANT),
        ({"holder": OWNER | HEADER.timestamp + 1 << 208}, ReasonCode.VAULT_INVARIANT),
    ],
    ids=["absent", "other code", "balance", "native total", "token total", "future notice", "future freeze"],
)
def test_row_27_what_contradicts_the_vaults_code(change: dict[str, object], code: ReasonCode) -> None:
    with pytest.raises(MarginproofError) as caught:
        facts_of(**change)  # type: ignore[arg-type]  # each case names one keyword of its own type
    assert caught.value.code is code
    assert not any(text in str(caught.value) for text in ("499", "500", "0x51"))


def test_locks_show_neither_owner_nor_amount() -> None:
    text = repr(decode_lock((OWNER, int.from_bytes(ASSET, "big") | 987654321 << 160, BINDING)))
    assert "987654321" not in text
    assert "Q" * 4 not in text
    assert "a" * 4 not in text
