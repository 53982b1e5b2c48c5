"""JSON of unknown honesty, to proofs and values or to typed errors."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.chains.evm.client.blocks import claimed_hash, read_quantity
from marginproof.chains.evm.verify import parse_get_proof
from marginproof.chains.evm.verify.trie_proof import MAX_NODE_BYTES, MAX_NODES
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

ADDRESS = b"\x0a" * 20
SLOTS = [b"\x01" * 32, b"\x02" * 32]
GOOD: dict[str, Any] = {"accountProof": ["0xc0"], "storageProof": [{"proof": ["0x01"]}, {"proof": ["0x80"]}]}


def test_nodes_are_taken_in_the_order_of_the_request() -> None:
    proof = parse_get_proof({**GOOD, "address": "0x" + "99" * 20, "balance": "0x1", "storageHash": 5}, ADDRESS, SLOTS)
    assert proof.address == ADDRESS
    assert proof.account_nodes == (b"\xc0",)
    assert proof.slot_nodes == {SLOTS[0]: (b"\x01",), SLOTS[1]: ()}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (None, ReasonCode.MALFORMED),
        ([], ReasonCode.MALFORMED),
        ({}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": None}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": "0xc0"}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": [1]}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": ["c0"]}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": ["0xc"]}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": ["0xzz"]}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": ["0xc0 c0"]}, ReasonCode.MALFORMED),
        ({**GOOD, "accountProof": ["0x" + "00" * (MAX_NODE_BYTES + 1)]}, ReasonCode.TOO_LARGE),
        ({**GOOD, "accountProof": ["0x00"] * (MAX_NODES + 1)}, ReasonCode.TOO_LARGE),
        ({**GOOD, "storageProof": {}}, ReasonCode.MALFORMED),
        ({**GOOD, "storageProof": GOOD["storageProof"][:1]}, ReasonCode.MALFORMED),
        ({**GOOD, "storageProof": [*GOOD["storageProof"], {"proof": []}]}, ReasonCode.MALFORMED),
        ({**GOOD, "storageProof": [{"proof": []}, "proof"]}, ReasonCode.MALFORMED),
        ({**GOOD, "storageProof": [{"proof": []}, {}]}, ReasonCode.MALFORMED),
    ],
)
def test_replies_that_are_no_proof(reply: Any, code: ReasonCode) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_get_proof(reply, ADDRESS, SLOTS)
    assert caught.value.code is code


def test_a_slot_asked_for_twice() -> None:
    with pytest.raises(MalformedError):
        parse_get_proof(GOOD, ADDRESS, [SLOTS[0], SLOTS[0]])


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["0x", "0x80", "0xc0"])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["accountProof", "storageProof", "proof"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(JSON)
def test_any_json_gives_a_proof_or_a_reason(reply: Any) -> None:
    try:
        parse_get_proof(reply, ADDRESS, SLOTS)
    except MalformedError as error:
        assert error.code in {ReasonCode.MALFORMED, ReasonCode.TOO_LARGE}


@pytest.mark.parametrize("value", [None, 5, "5", "0x", "0xg", "-0x1", "0x8000000000000000", "0x" + "f" * 65, ["0x1"]])
def test_quantities_that_are_none(value: Any) -> None:
    with pytest.raises(MalformedError):
        read_quantity(value)


def test_quantities_and_hashes() -> None:
    assert read_quantity("0x7fffffffffffffff") == 2**63 - 1
    assert read_quantity("0x0a") == 10
    assert claimed_hash({"hash": "0x" + "AB" * 32}) == "0x" + "ab" * 32
    blocks: list[Any] = [None, [], {}, {"hash": 5}, {"hash": "0x12"}, {"hash": "0x" + "12" * 33}]
    for block in blocks:
        assert claimed_hash(block) == ""
