"""Proofs recorded live from a real chain, and every way to spoil each of them."""

import itertools
from collections.abc import Iterator, Sequence

import pytest

from marginproof.chains.evm.verify import (
    AccountFacts,
    AccountProof,
    BlockHeader,
    SlotFact,
    lock_slots,
    verify_account,
    verify_proof,
    verify_slot,
)
from marginproof.chains.evm.verify.accounts import EMPTY_CODE_HASH
from marginproof.chains.evm.verify.trie_proof import EMPTY_TRIE_ROOT
from marginproof.chains.evm.verify.vault import total_locked_slot
from marginproof.model.chains import NATIVE_ASSET
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from tests.chains.conftest import CODE_HASH, LOCKS, World, raw
from tests.contracts.harness import address_of

ABSENT_ADDRESS = raw(address_of("nobody"))
PRESENT_SLOTS = [*lock_slots(1), *lock_slots(LOCKS), total_locked_slot(NATIVE_ASSET)]
ABSENT_SLOTS = [*lock_slots(999), total_locked_slot(ABSENT_ADDRESS)]
Nodes = tuple[bytes, ...]


@pytest.fixture(scope="module")
def header(recorded: World) -> BlockHeader:
    return recorded.header()


@pytest.fixture(scope="module")
def vault_proof(recorded: World, header: BlockHeader) -> AccountProof:
    return recorded.proof(header, raw(recorded.vault.address), PRESENT_SLOTS + ABSENT_SLOTS)


@pytest.fixture(scope="module")
def absent_proof(recorded: World, header: BlockHeader) -> AccountProof:
    return recorded.proof(header, ABSENT_ADDRESS, [lock_slots(1)[0]])


def refused(root: bytes, key: bytes, nodes: Sequence[bytes]) -> ReasonCode:
    verify = verify_account if len(key) == 20 else verify_slot
    with pytest.raises(MalformedError) as caught:
        verify(root, key, nodes)
    return caught.value.code


@pytest.fixture(scope="module")
def walks(
    header: BlockHeader, vault_proof: AccountProof, absent_proof: AccountProof
) -> list[tuple[bytes, bytes, Nodes]]:
    """(root, key, nodes) of every recorded proof: accounts and slots, present and absent."""
    account, _ = verify_proof(header.state_root, vault_proof)
    return [
        (header.state_root, vault_proof.address, vault_proof.account_nodes),
        (header.state_root, absent_proof.address, absent_proof.account_nodes),
        *((account.storage_root, slot, nodes) for slot, nodes in vault_proof.slot_nodes.items()),
    ]


def test_recorded_proofs_are_deep_enough_to_mean_something(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    assert all(len(nodes) >= 2 for _, _, nodes in walks)


def test_facts_equal_what_the_chain_says(recorded: World, header: BlockHeader, vault_proof: AccountProof) -> None:
    account, slots = verify_proof(header.state_root, vault_proof)
    assert account.exists
    assert account.has_code
    assert account.code_hash == CODE_HASH
    assert account.nonce == 1
    assert account.balance == recorded.chain.balance(recorded.vault.address)
    for slot in PRESENT_SLOTS:
        assert slots[slot] == SlotFact(recorded.chain.slot(recorded.vault.address, slot), present=True)
    for slot in ABSENT_SLOTS:
        assert slots[slot] == SlotFact(0, present=False)


def test_row_17_absent_empty_and_codeless_accounts_differ(recorded: World, header: BlockHeader) -> None:
    def read(address: bytes) -> AccountFacts:
        return verify_proof(header.state_root, recorded.proof(header, address, [lock_slots(1)[0]]))[0]

    absent, plain, contract = read(ABSENT_ADDRESS), read(raw(recorded.owner)), read(raw(recorded.vault.address))
    assert absent == AccountFacts(False, 0, 0, EMPTY_TRIE_ROOT, EMPTY_CODE_HASH)
    assert plain.exists
    assert plain.balance > 0
    assert plain.storage_root == EMPTY_TRIE_ROOT
    assert not plain.has_code
    assert contract.has_code


def test_row_12_every_proper_prefix_is_refused(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for root, key, nodes in walks:
        for count in range(len(nodes)):
            assert refused(root, key, nodes[:count]) is ReasonCode.TRIE_PROOF_TRUNCATED


def test_every_node_dropped(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for root, key, nodes in walks:
        for index in range(len(nodes) - 1):
            assert refused(root, key, nodes[:index] + nodes[index + 1 :]) is ReasonCode.TRIE_PROOF_INVALID


def test_every_node_truncated(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for root, key, nodes in walks:
        for index, node in enumerate(nodes):
            for length in (0, 1, len(node) // 2, len(node) - 1):
                spoiled = (*nodes[:index], node[:length], *nodes[index + 1 :])
                assert refused(root, key, spoiled) is ReasonCode.TRIE_PROOF_INVALID


def test_every_byte_of_every_node_flipped(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for root, key, nodes in walks[:4]:
        for index, node in enumerate(nodes):
            for position in range(len(node)):
                flipped = bytearray(node)
                flipped[position] ^= 1 << position % 8
                spoiled = (*nodes[:index], bytes(flipped), *nodes[index + 1 :])
                assert refused(root, key, spoiled) is ReasonCode.TRIE_PROOF_INVALID


def test_row_16_nodes_swapped(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for root, key, nodes in walks:
        for first, second in itertools.combinations(range(len(nodes)), 2):
            swapped = list(nodes)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            assert refused(root, key, swapped) is ReasonCode.TRIE_PROOF_INVALID


def test_row_13_and_16_nodes_appended_or_repeated(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for root, key, nodes in walks:
        for extra in (*nodes, b"", b"\x80", b"\xc0"):
            assert refused(root, key, (*nodes, extra)) is ReasonCode.TRIE_NODE_SURPLUS
        for index, node in enumerate(nodes[:-1]):
            repeated = (*nodes[: index + 1], node, *nodes[index + 1 :])
            assert refused(root, key, repeated) is ReasonCode.TRIE_PROOF_INVALID


def test_row_15_proof_of_another_key_or_another_root(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for (root, key, nodes), (other_root, other_key, _) in _pairs(walks):
        if root == other_root and len(key) == len(other_key):
            assert _differs(root, other_key, nodes, key)
        if root != other_root:
            assert refused(other_root, key, nodes) is ReasonCode.TRIE_PROOF_INVALID


def test_row_26_proof_of_another_block(recorded: World, vault_proof: AccountProof, header: BlockHeader) -> None:
    for earlier in (header.number - 1, header.number - 5, 1):
        with pytest.raises(MalformedError):
            verify_proof(recorded.header(earlier).state_root, vault_proof)


def test_row_15_swapped_slots_in_the_reply(header: BlockHeader, vault_proof: AccountProof) -> None:
    first, second = PRESENT_SLOTS[0], PRESENT_SLOTS[4]
    crossed = {
        **vault_proof.slot_nodes,
        first: vault_proof.slot_nodes[second],
        second: vault_proof.slot_nodes[first],
    }
    with pytest.raises(MalformedError):
        verify_proof(header.state_root, AccountProof(vault_proof.address, vault_proof.account_nodes, crossed))


def test_row_23_zero_and_empty_roots(walks: list[tuple[bytes, bytes, Nodes]]) -> None:
    for _, key, nodes in walks:
        assert refused(bytes(32), key, nodes) is ReasonCode.TRIE_PROOF_INVALID
        assert refused(bytes(32), key, ()) is ReasonCode.TRIE_PROOF_TRUNCATED
        assert refused(EMPTY_TRIE_ROOT, key, nodes) is ReasonCode.TRIE_NODE_SURPLUS


def _pairs(
    walks: list[tuple[bytes, bytes, Nodes]],
) -> Iterator[tuple[tuple[bytes, bytes, Nodes], tuple[bytes, bytes, Nodes]]]:
    return itertools.permutations(walks, 2)


def _differs(root: bytes, key: bytes, nodes: Nodes, true_key: bytes) -> bool:
    """Whether the nodes are refused for a foreign key, or show it absent (never the true key's value)."""
    verify = verify_account if len(key) == 20 else verify_slot
    try:
        fact = verify(root, key, nodes)
    except MalformedError:
        return True
    present = fact.exists if isinstance(fact, AccountFacts) else fact.present
    return not present and key != true_key
