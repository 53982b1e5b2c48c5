"""Merkle-Patricia proofs of one key: what stands there, or that nothing does.

The library ``trie`` answers the same question, but accepts nodes that no step of the walk uses; evidence with
room for such nodes can be re-spelled. Here every node must be used once, in the order of the path, and a proof
that stops early is an error and never an absence.
Source: Ethereum yellow paper, appendix D; attacks: truncated exclusion proofs, nodes after the end, values
reused as references, mishandled embedded nodes.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak

from marginproof.chains.evm.verify.canonical_rlp import Item, RlpError, RlpList, decode
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

EMPTY_TRIE_ROOT: Final = keccak(b"\x80")
"""Root of the trie without entries; its one proof is the proof without nodes."""
KEY_BYTES: Final = 32
MAX_NODE_BYTES: Final = 576
"""A branch with sixteen references has 532 bytes; the leaf of an account fewer."""
MAX_NODES: Final = 2 * KEY_BYTES + 1
_MAX_DEPTH: Final = 16
"""Embedded nodes have fewer than 32 bytes, so their lists cannot lie deeper."""
_HASH_BYTES: Final = 32
_BRANCH_ITEMS: Final = 17


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    value: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class _Absent:
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class _Next:
    reference: Item
    consumed: int
    must_branch: bool


def proven_value(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Walks a proof from the root to a key of 32 bytes.

    Args:
        root: Trie root, 32 bytes, already trusted.
        key: The hashed key, 32 bytes.
        nodes: RLP of the nodes from the root downwards; embedded nodes are inside their parents. No node at all
            for the empty trie.

    Returns:
        The value's bytes, or None where the trie has nothing at this key.

    Raises:
        MalformedError: TRIE_PROOF_TRUNCATED (it stops before the answer), TRIE_NODE_SURPLUS (nodes that the walk
            does not use), TOO_LARGE, or TRIE_PROOF_INVALID for everything else.
    """
    if len(root) != _HASH_BYTES or len(key) != KEY_BYTES:
        raise _bad("root and key of a trie proof have 32 bytes each")
    if len(nodes) > MAX_NODES:
        raise _bad(f"at most {MAX_NODES} nodes lie on a path", ReasonCode.TOO_LARGE)
    if root == EMPTY_TRIE_ROOT:
        _require_all_used(nodes, 0)
        return None
    return _walk(root, _nibbles(key), nodes)


def _walk(root: bytes, path: tuple[int, ...], nodes: Sequence[bytes]) -> bytes | None:
    reference: Item = root
    used = depth = 0
    must_branch = False
    while True:
        if isinstance(reference, RlpList):
            node = reference
        else:
            node = _open_node(nodes, used, reference)
            used += 1
        if must_branch and len(node.items) != _BRANCH_ITEMS:
            raise _bad("an extension leads to something else than a branch", node=used - 1)
        step = _step(node, path[depth:], used - 1)
        if not isinstance(step, _Next):
            _require_all_used(nodes, used)
            return step.value if isinstance(step, _Found) else None
        reference, must_branch = step.reference, step.must_branch
        depth += step.consumed


def _open_node(nodes: Sequence[bytes], index: int, reference: bytes) -> RlpList:
    if index == len(nodes):
        raise _bad("the proof stops before the answer", ReasonCode.TRIE_PROOF_TRUNCATED, node=index)
    data = nodes[index]
    if len(data) > MAX_NODE_BYTES:
        raise _bad(f"a node has more than {MAX_NODE_BYTES} bytes", ReasonCode.TOO_LARGE, node=index)
    if keccak(data) != reference:
        raise _bad("a node does not have the hash by which its parent, or the root, names it", node=index)
    if len(data) < _HASH_BYTES:  # with keys of 32 bytes, no root is that short
        raise _bad("a node of fewer than 32 bytes must be embedded in its parent", node=index)
    try:
        node = decode(data, max_depth=_MAX_DEPTH)
    except RlpError as error:
        raise _bad(f"a node is no canonical RLP: {error}", node=index) from error
    if not isinstance(node, RlpList):
        raise _bad("a node is no list", node=index)
    return node


def _step(node: RlpList, path: tuple[int, ...], index: int) -> _Found | _Absent | _Next:
    if len(node.items) == _BRANCH_ITEMS:
        return _branch_step(node, path, index)
    if len(node.items) == 2:
        return _path_step(node, path, index)
    raise _bad("a node has neither 2 nor 17 items", node=index)


def _branch_step(node: RlpList, path: tuple[int, ...], index: int) -> _Absent | _Next:
    # All keys of a hashed trie have 64 nibbles: none ends in a branch.
    if not path or node.items[16] != b"":
        raise _bad("a branch lies at the end of a key or carries a value", node=index)
    children = node.items[:16]
    if sum(child != b"" for child in children) < 2:
        raise _bad("a branch has fewer than two children", node=index)
    child = children[path[0]]
    if child == b"":
        return _Absent()
    return _Next(_reference(child, index), 1, must_branch=False)


def _path_step(node: RlpList, path: tuple[int, ...], index: int) -> _Found | _Absent | _Next:
    own, is_leaf = _compact_path(node.items[0], index)
    target = node.items[1]
    if is_leaf:
        if len(own) != len(path):
            raise _bad("a leaf does not lie at the end of a key", node=index)
        if isinstance(target, RlpList) or not target:
            raise _bad("a leaf carries no value", node=index)
        return _Found(target) if own == path else _Absent()
    if not own or len(own) >= len(path):
        raise _bad("an extension is empty or reaches the end of a key", node=index)
    reference = _reference(target, index)
    if own != path[: len(own)]:
        return _Absent()
    return _Next(reference, len(own), must_branch=True)


def _compact_path(item: Item, index: int) -> tuple[tuple[int, ...], bool]:
    """The nibbles of a hex-prefix encoded path, and whether it is a leaf's."""
    if isinstance(item, RlpList) or not item:
        raise _bad("a path is no byte string", node=index)
    flag, first = divmod(item[0], 16)
    if flag > 3 or (flag % 2 == 0 and first):
        raise _bad("a path has a wrong prefix", node=index)
    tail = _nibbles(item[1:])
    return ((first, *tail) if flag % 2 else tail), flag >= 2


def _reference(item: Item, index: int) -> Item:
    """A child: the 32-byte hash of a longer node, or the shorter node itself."""
    if isinstance(item, RlpList):
        if item.size >= _HASH_BYTES:
            raise _bad("an embedded node has 32 bytes or more", node=index)
    elif len(item) != _HASH_BYTES:
        raise _bad("a reference has not 32 bytes", node=index)
    return item


def _nibbles(data: bytes) -> tuple[int, ...]:
    return tuple(nibble for byte in data for nibble in divmod(byte, 16))


def _require_all_used(nodes: Sequence[bytes], used: int) -> None:
    if used != len(nodes):
        raise _bad("nodes follow after the end of the proof", ReasonCode.TRIE_NODE_SURPLUS, node=used)


def _bad(message: str, code: ReasonCode = ReasonCode.TRIE_PROOF_INVALID, *, node: int | None = None) -> MalformedError:
    fields = {} if node is None else {"node": node}
    return MalformedError(message, code=code, fix="ask another endpoint for the proof", fields=fields)
