"""Replies of ``eth_getProof``: the nodes are taken from the reply, what they are checked against never is."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from marginproof.chains.evm.verify.accounts import AccountFacts, SlotFact, verify_account, verify_slot
from marginproof.chains.evm.verify.trie_proof import MAX_NODE_BYTES, MAX_NODES
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

_EMPTY_NODE: Final = b"\x80"


@dataclasses.dataclass(frozen=True, slots=True)
class AccountProof:
    """Unchecked nodes for one account and some of its slots.

    Args:
        address: 20 bytes, as asked for.
        account_nodes: From the state root downwards.
        slot_nodes: For each slot (32 bytes, as asked for) the nodes from the storage root downwards.
    """

    address: bytes
    account_nodes: tuple[bytes, ...]
    slot_nodes: Mapping[bytes, tuple[bytes, ...]]


def parse_get_proof(reply: object, address: bytes, slots: Sequence[bytes]) -> AccountProof:
    """Takes the nodes out of a JSON reply; total: any JSON value gives a proof to check, or an error.

    The reply's own address, keys, values, balance and roots are not looked at: the n-th storage proof is taken
    for the n-th slot asked for, and verification shows whether it is. Clients that spell the proof of the empty
    trie as its one empty node mean the proof without nodes.

    Args:
        reply: The ``result`` of the call.
        address: 20 bytes, as asked for.
        slots: 32 bytes each, distinct, in the order asked for.

    Raises:
        MalformedError: MALFORMED or TOO_LARGE.
    """
    if not isinstance(reply, Mapping):
        raise _malformed("the reply is no object")
    storage = reply.get("storageProof")
    if not isinstance(storage, list) or len(storage) != len(slots):
        raise _malformed("the reply has not one storage proof for each slot asked for")
    slot_nodes = {
        slot: _nodes(entry.get("proof"))
        for slot, entry in zip(slots, storage, strict=True)
        if isinstance(entry, Mapping)
    }
    if len(slot_nodes) != len(slots):
        raise _malformed("a storage proof is no object, or a slot was asked for twice")
    return AccountProof(address, _nodes(reply.get("accountProof")), slot_nodes)


def verify_proof(state_root: bytes, proof: AccountProof) -> tuple[AccountFacts, dict[bytes, SlotFact]]:
    """Checks the account, then each slot under the storage root that was proven with it.

    Raises:
        MalformedError: See :func:`verify_account` and :func:`verify_slot`.
    """
    account = verify_account(state_root, proof.address, proof.account_nodes)
    slots = {slot: verify_slot(account.storage_root, slot, nodes) for slot, nodes in proof.slot_nodes.items()}
    return account, slots


def _nodes(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise _malformed("a proof is no list")
    if len(value) > MAX_NODES:
        raise _malformed(f"a proof has more than {MAX_NODES} nodes", ReasonCode.TOO_LARGE)
    nodes = tuple(_node(item) for item in value)
    return () if nodes == (_EMPTY_NODE,) else nodes


def _node(item: object) -> bytes:
    if not isinstance(item, str) or item[:2] != "0x":
        raise _malformed("a node is no hexadecimal string")
    if len(item) > 2 + 2 * MAX_NODE_BYTES:
        raise _malformed(f"a node has more than {MAX_NODE_BYTES} bytes", ReasonCode.TOO_LARGE)
    try:
        data = bytes.fromhex(item[2:])
    except ValueError as error:
        raise _malformed("a node is no hexadecimal string") from error
    if 2 + 2 * len(data) != len(item):  # fromhex skips white space
        raise _malformed("a node is no hexadecimal string")
    return data


def _malformed(message: str, code: ReasonCode = ReasonCode.MALFORMED) -> MalformedError:
    return MalformedError(message, code=code, fix="ask another endpoint for the proof")
