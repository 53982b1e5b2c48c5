"""Crafted tries whose hashes are right: only the structure's own checks stand between them and a false fact."""

import random
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from marginproof.chains.evm.verify.accounts import verify_account, verify_slot
from marginproof.chains.evm.verify.trie_proof import EMPTY_TRIE_ROOT, MAX_NODE_BYTES, MAX_NODES, proven_value
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

KEY = bytes.fromhex("12" * 32)
VALUE = b"v" * 40


def path(nibbles: str, *, leaf: bool) -> bytes:
    """Hex-prefix encoding of nibbles written as hexadecimal digits."""
    flag = 2 * leaf
    return bytes.fromhex(f"{flag + 1:x}{nibbles}" if len(nibbles) % 2 else f"{flag:x}0{nibbles}")


def leaf(nibbles: str, value: Any = VALUE) -> list[Any]:
    return [path(nibbles, leaf=True), value]


def extension(nibbles: str, child: Any) -> list[Any]:
    return [path(nibbles, leaf=False), child]


def branch(children: dict[int, Any], value: bytes = b"") -> list[Any]:
    return [*(children.get(index, b"") for index in range(16)), value]


def chain(*nodes: Any) -> tuple[bytes, tuple[bytes, ...]]:
    """Root and proof of nodes given from the leaf upwards; each maker gets its child's hash."""
    encoded: list[bytes] = []
    for node in nodes:
        encoded.insert(0, rlp.encode(node(keccak(encoded[0])) if callable(node) else node))
    return keccak(encoded[0]), tuple(encoded)


def refused(root: bytes, nodes: tuple[bytes, ...], key: bytes = KEY) -> ReasonCode:
    with pytest.raises(MalformedError) as caught:
        proven_value(root, key, nodes)
    return caught.value.code


HEX = KEY.hex()
OTHER = b"\xee" * 32


def test_leaf_extension_and_branch_lead_to_the_value() -> None:
    assert proven_value(*_swap(chain(leaf(HEX)))) == VALUE
    root, nodes = chain(
        leaf(HEX[3:]), lambda child: branch({int(HEX[2], 16): child, 15: OTHER}), lambda c: extension(HEX[:2], c)
    )
    assert proven_value(root, KEY, nodes) == VALUE


def _swap(proof: tuple[bytes, tuple[bytes, ...]]) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    return proof[0], KEY, proof[1]


@pytest.mark.parametrize(
    "nodes",
    [
        [leaf("3" + HEX[1:])],
        [leaf(HEX[:-1] + "f")],
        [lambda _: branch({0: OTHER, 15: OTHER})],
        [branch({0: OTHER, 15: OTHER}), lambda child: extension("77", child)],
    ],
    ids=["leaf-first", "leaf-last", "empty-child", "extension"],
)
def test_absence_is_shown_by_what_stands_there_instead(nodes: list[Any]) -> None:
    node = nodes[-1](OTHER) if callable(nodes[-1]) else nodes[-1]
    data = rlp.encode(node)
    assert proven_value(keccak(data), KEY, (data,)) is None


NODE_FAULTS: dict[str, Any] = {
    "leaf shorter than the key": leaf(HEX[:-1]),
    "leaf longer than the key": leaf(HEX + "1"),
    "leaf without value": leaf(HEX, b""),
    "leaf whose value is a node": leaf(HEX, [b"a", b"b"]),
    "extension of no nibbles": extension("", OTHER),
    "extension to the end of the key": extension(HEX, OTHER),
    "extension beyond the key": extension(HEX + "1", OTHER),
    "extension to nothing": extension("77" * 31, b""),
    "branch with a value": branch({1: OTHER, 2: OTHER}, VALUE),
    "branch whose value is a node": [*branch({1: OTHER, 2: OTHER})[:16], [b"a"]],
    "branch with one child": branch({0: OTHER}),
    "branch without children": branch({}),
    "child of 31 bytes": branch({1: OTHER[:31], 2: OTHER}),
    "child of 33 bytes": branch({1: OTHER + b"x", 2: OTHER}),
    "embedded child of 32 bytes or more": branch({1: leaf(HEX[1:]), 2: OTHER}),
    "path that is a list": [[b"a"], VALUE],
    "path of no bytes": [b"", VALUE],
    "path with flag 4": [bytes.fromhex("40" + HEX), VALUE],
    "path with a padded even flag": [bytes.fromhex("21" + HEX), VALUE],
    "node of no items": [],
    "node of three items": [b"a", b"b", b"c"],
    "node of eighteen items": [*branch({1: OTHER, 2: OTHER}), b""],
    "node that is a string": b"x" * 40,
    "root shorter than any key": branch({1: b"", 2: [b"\x20", b"v"], 3: [b"\x20", b"v"]}),
}


@pytest.mark.parametrize("node", NODE_FAULTS.values(), ids=NODE_FAULTS.keys())
def test_malformed_nodes_with_the_right_hash(node: Any) -> None:
    data = rlp.encode(node)
    assert refused(keccak(data), (data,)) is ReasonCode.TRIE_PROOF_INVALID


def test_branch_below_the_last_nibble() -> None:
    node: Any = branch({1: b"", 2: OTHER, 3: OTHER})
    root, nodes = chain(
        node, lambda child: branch({int(HEX[-1], 16): child, 15: OTHER}), lambda c: extension(HEX[:-1], c)
    )
    assert refused(root, nodes) is ReasonCode.TRIE_PROOF_INVALID


def test_extension_to_a_leaf() -> None:
    root, nodes = chain(leaf(HEX[2:]), lambda child: extension(HEX[:2], child))
    assert refused(root, nodes) is ReasonCode.TRIE_PROOF_INVALID


def test_short_node_named_by_its_hash() -> None:
    root, nodes = chain(
        leaf(HEX[63:], b"v"),
        lambda child: branch({int(HEX[62], 16): child, 15: OTHER}),
        lambda c: extension(HEX[:62], c),
    )
    assert len(nodes[-1]) < 32
    assert refused(root, nodes) is ReasonCode.TRIE_PROOF_INVALID


@pytest.mark.parametrize(("value_bytes", "accepted"), [(26, True), (27, False)])
def test_embedded_nodes_end_at_31_bytes(value_bytes: int, accepted: bool) -> None:
    value = b"v" * value_bytes
    embedded = leaf(HEX[61:], value)
    assert len(rlp.encode(embedded)) == 5 + value_bytes
    root, nodes = chain(branch({int(HEX[60], 16): embedded, 15: OTHER}), lambda child: extension(HEX[:60], child))
    if accepted:
        assert proven_value(root, KEY, nodes) == value
    else:
        assert refused(root, nodes) is ReasonCode.TRIE_PROOF_INVALID


def test_node_with_surplus_bytes_or_long_lengths() -> None:
    data = rlp.encode(leaf(HEX))
    assert refused(keccak(data + b"\x00"), (data + b"\x00",)) is ReasonCode.TRIE_PROOF_INVALID
    body = data[2:] if data[0] == 0xF8 else data[1:]
    padded = b"\xf9" + len(body).to_bytes(2, "big") + body
    assert refused(keccak(padded), (padded,)) is ReasonCode.TRIE_PROOF_INVALID


def test_row_13_value_reused_as_a_reference() -> None:
    forged = rlp.encode(leaf(HEX[1:], b"forged" * 8))
    root, nodes = chain(leaf(HEX, keccak(forged)))
    assert refused(root, (*nodes, forged)) is ReasonCode.TRIE_NODE_SURPLUS


def test_size_limits() -> None:
    large = rlp.encode(leaf(HEX, b"x" * MAX_NODE_BYTES))
    assert refused(keccak(large), (large,)) is ReasonCode.TOO_LARGE
    assert refused(OTHER, (b"x",) * (MAX_NODES + 1)) is ReasonCode.TOO_LARGE


@pytest.mark.parametrize(("root", "key"), [(OTHER[:31], KEY), (OTHER + b"x", KEY), (OTHER, KEY[:31]), (OTHER, b"")])
def test_root_and_key_have_32_bytes(root: bytes, key: bytes) -> None:
    assert refused(root, (), key) is ReasonCode.TRIE_PROOF_INVALID


def test_empty_trie_has_the_proof_without_nodes_only() -> None:
    assert proven_value(EMPTY_TRIE_ROOT, KEY, ()) is None
    assert refused(EMPTY_TRIE_ROOT, (b"\x80",)) is ReasonCode.TRIE_NODE_SURPLUS


def trie_of(entries: dict[bytes, bytes]) -> Any:
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    return trie


def library_proof(trie: Any, key: bytes) -> tuple[bytes, ...]:
    """The library's proof as it travels: embedded nodes lie in their parents."""
    encoded = [rlp.encode(node) for node in trie.get_proof(key)]
    return tuple(node for index, node in enumerate(encoded) if index == 0 or len(node) >= 32)


@pytest.mark.parametrize("shared_nibbles", [0, 40, 58, 60, 61])
@pytest.mark.parametrize("value_bytes", [1, 33])
def test_row_14_embedded_nodes_against_the_library(shared_nibbles: int, value_bytes: int) -> None:
    source = random.Random(shared_nibbles * 100 + value_bytes)
    prefix = "".join(source.choices("0123456789abcdef", k=shared_nibbles))
    keys = {
        bytes.fromhex(prefix + "".join(source.choices("0123456789abcdef", k=64 - shared_nibbles))) for _ in range(24)
    }
    entries = {key: source.randbytes(value_bytes).replace(b"\x00", b"\x01") for key in keys}
    trie = trie_of(entries)
    absent = [
        bytes.fromhex(prefix + "".join(source.choices("0123456789abcdef", k=64 - shared_nibbles))) for _ in range(24)
    ]
    for key in [*keys, *absent, KEY]:
        nodes = library_proof(trie, key)
        assert proven_value(trie.root_hash, key, nodes) == entries.get(key)
        for count in range(len(nodes)):
            assert refused(trie.root_hash, nodes[:count], key) is ReasonCode.TRIE_PROOF_TRUNCATED


def test_embedded_nodes_do_occur_in_these_tries() -> None:
    keys = [KEY[:31] + bytes([last]) for last in (0x10, 0x11, 0x20)]
    trie = trie_of(dict.fromkeys(keys, b"v"))
    assert len(trie.get_proof(keys[0])) > len(library_proof(trie, keys[0]))
    assert proven_value(trie.root_hash, keys[0], library_proof(trie, keys[0])) == b"v"


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_are_refused(root: bytes, nodes: list[bytes]) -> None:
    refused(root, tuple(nodes))


def with_entry(key: bytes, value: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    root, nodes = chain(leaf(keccak(key).hex(), value))
    return root, nodes


ADDRESS = b"\x0a" * 20
SLOT = b"\x0b" * 32
GOOD_ACCOUNT = [b"\x01", b"\x02", OTHER, OTHER]


@pytest.mark.parametrize(
    "fields",
    [
        GOOD_ACCOUNT[:3],
        [*GOOD_ACCOUNT, b""],
        [b"\x00", *GOOD_ACCOUNT[1:]],
        [b"\x01" * 9, *GOOD_ACCOUNT[1:]],
        [b"\x01", b"\x00\x01", OTHER, OTHER],
        [b"\x01", b"\x01" * 33, OTHER, OTHER],
        [b"\x01", b"\x02", OTHER[:31], OTHER],
        [b"\x01", b"\x02", OTHER, b""],
        [b"\x01", b"\x02", OTHER, [b""]],
        b"account",
    ],
)
def test_entries_that_are_no_account(fields: Any) -> None:
    root, nodes = with_entry(ADDRESS, rlp.encode(fields))
    with pytest.raises(MalformedError) as caught:
        verify_account(root, ADDRESS, nodes)
    assert caught.value.code is ReasonCode.TRIE_PROOF_INVALID


def test_entries_that_are_accounts_and_words() -> None:
    root, nodes = with_entry(ADDRESS, rlp.encode(GOOD_ACCOUNT))
    assert verify_account(root, ADDRESS, nodes).balance == 2
    root, nodes = with_entry(SLOT, rlp.encode(b"\xff" * 32))
    assert verify_slot(root, SLOT, nodes).value == 2**256 - 1


@pytest.mark.parametrize("entry", [b"\x00", b"\x82\x00\x01", b"\xc0", b"\xa1" + b"\x01" * 33, b"\x81\x7f", b"\x05\x05"])
def test_entries_that_are_no_storage_word(entry: bytes) -> None:
    root, nodes = with_entry(SLOT, entry)
    with pytest.raises(MalformedError) as caught:
        verify_slot(root, SLOT, nodes)
    assert caught.value.code is ReasonCode.TRIE_PROOF_INVALID


def test_an_entry_of_zero_reads_as_none() -> None:
    root, nodes = with_entry(SLOT, b"\x80")
    fact = verify_slot(root, SLOT, nodes)
    assert (fact.value, fact.present) == (0, False)


def test_addresses_and_slots_have_one_length() -> None:
    for call in (lambda: verify_account(OTHER, ADDRESS + b"x", ()), lambda: verify_slot(OTHER, SLOT[:31], ())):
        with pytest.raises(MalformedError, match="bytes"):
            call()


def test_amounts_stay_out_of_representations() -> None:
    root, nodes = with_entry(ADDRESS, rlp.encode([b"\x01", (123456789).to_bytes(4, "big"), OTHER, OTHER]))
    assert "123456789" not in repr(verify_account(root, ADDRESS, nodes))
    root, nodes = with_entry(SLOT, rlp.encode((123456789).to_bytes(4, "big")))
    assert "123456789" not in repr(verify_slot(root, SLOT, nodes))
