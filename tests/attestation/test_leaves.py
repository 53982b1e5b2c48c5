import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.attestation.leaves import check_leaf_list, include, verify_included
from marginproof.model.certificates import MAX_LEAVES, IncludedLeaf
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import merkle_branch
from tests.attestation.builders import OTHER_CHAIN, body, certificate, leaf


def refusal(included: IncludedLeaf, of: tuple[int, ...] = (1, 2, 3)) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        verify_included(included, certificate(body(tuple(leaf(number) for number in of))))
    return caught.value.code


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 2**256 - 1), min_size=1, max_size=9), st.data())
def test_every_leaf_is_shown_under_its_certificate(numbers: set[int], data: st.DataObject) -> None:
    leaves = tuple(leaf(number) for number in sorted(numbers))
    made = certificate(body(leaves))
    chosen = data.draw(st.sampled_from(leaves))
    included = include(leaves, chosen.account, made.digest)
    verify_included(included, made)
    assert included.leaf == chosen
    assert included.branch == merkle_branch(leaves, leaves.index(chosen), MAX_LEAVES)  # the SSZ library's own


def test_absent_account_has_no_leaf() -> None:
    with pytest.raises(MarginproofError) as caught:
        include((leaf(1),), leaf(2).account, bytes(32))
    assert caught.value.code == ReasonCode.NOT_FOUND


def test_leaf_of_another_certificate_is_refused() -> None:
    leaves = (leaf(1), leaf(2), leaf(3))
    included = include(leaves, leaf(2).account, certificate(body(leaves, epoch=6)).digest)
    assert refusal(included) == ReasonCode.CERTIFICATE_MISMATCH


def test_leaf_of_another_chain_is_refused() -> None:
    leaves = (leaf(1, OTHER_CHAIN),)
    of = certificate(body(leaves))
    with pytest.raises(MarginproofError) as caught:
        verify_included(include(leaves, leaf(1).account, of.digest), of)
    assert caught.value.code == ReasonCode.CERTIFICATE_MISMATCH


def good() -> IncludedLeaf:
    leaves = (leaf(1), leaf(2), leaf(3))
    return include(leaves, leaf(2).account, certificate(body(leaves)).digest)


@pytest.mark.parametrize("field", ["account", "registration_digest", "payees_root", "commitment"])
def test_every_field_of_the_leaf_is_bound(field: str) -> None:
    value = getattr(good().leaf, field)
    changed = dataclasses.replace(good().leaf, **{field: bytes([value[0] ^ 1]) + value[1:]})
    assert refusal(dataclasses.replace(good(), leaf=changed)) == ReasonCode.LEAF_NOT_INCLUDED


@pytest.mark.parametrize("index", [0, 2, 3, 1 << 20, (1 << 20) + 1])
def test_index_is_bound_and_below_the_length(index: int) -> None:
    assert refusal(dataclasses.replace(good(), index=index)) == ReasonCode.LEAF_NOT_INCLUDED


def test_branch_is_bound_node_by_node() -> None:
    branch = good().branch
    for position, node in enumerate(branch):
        flipped = (*branch[:position], bytes([node[0] ^ 1]) + node[1:], *branch[position + 1 :])
        assert refusal(dataclasses.replace(good(), branch=flipped)) == ReasonCode.LEAF_NOT_INCLUDED
    for wrong in (branch[:-1], branch[1:], (*branch, bytes(32)), ()):
        assert refusal(dataclasses.replace(good(), branch=wrong)) == ReasonCode.LEAF_NOT_INCLUDED


def test_lists_rise_strictly_on_one_chain() -> None:
    check_leaf_list(())
    check_leaf_list((leaf(1), leaf(2)))
    for wrong in ((leaf(2), leaf(1)), (leaf(1), leaf(1)), (leaf(1), leaf(2, OTHER_CHAIN))):
        with pytest.raises(MarginproofError) as caught:
            check_leaf_list(wrong)
        assert caught.value.code == ReasonCode.LEAF_ORDER
