"""Agree on facts, not on sets."""

from collections import Counter
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.certificates import Leaf
from marginproof.relayers.proposal import Proposal, next_proposal
from tests.attestation.builders import leaf


def other(number: int) -> Leaf:
    """Another view of the same account."""
    return leaf(number, commitment=b"\xc1" + bytes(47))


def all_proposals(lists: Mapping[int, tuple[Leaf, ...]], threshold: int) -> list[Proposal]:
    certified: set[Leaf] = set()
    found = []
    while proposal := next_proposal(lists, certified, threshold):
        found.append(proposal)
        certified.update(proposal.leaves)
    return found


def test_what_all_share_goes_into_one_list() -> None:
    leaves = (leaf(1), leaf(2), leaf(3))
    assert all_proposals({0: leaves, 1: leaves, 2: leaves}, 2) == [Proposal(frozenset({0, 1, 2}), leaves)]


def test_a_registration_that_one_relayer_lacks_costs_nothing_to_others() -> None:
    lists = {0: (leaf(1), leaf(2)), 1: (leaf(1), leaf(2)), 2: (leaf(1),)}
    assert all_proposals(lists, 2) == [
        Proposal(frozenset({0, 1}), (leaf(1), leaf(2))),
    ]


def test_two_views_of_one_account_cost_only_that_account() -> None:
    lists = {0: (leaf(1), leaf(2)), 1: (leaf(1), other(2)), 2: (leaf(1), leaf(3))}
    assert all_proposals(lists, 2) == [Proposal(frozenset({0, 1, 2}), (leaf(1),))]


def test_the_majority_view_wins() -> None:
    lists = {0: (leaf(1),), 1: (other(1),), 2: (other(1),)}
    assert all_proposals(lists, 2) == [Proposal(frozenset({1, 2}), (other(1),))]


def test_a_silent_relayer_is_no_obstacle() -> None:
    assert all_proposals({0: (leaf(1),), 2: (leaf(1),)}, 2) == [Proposal(frozenset({0, 2}), (leaf(1),))]
    assert all_proposals({0: (leaf(1),)}, 2) == []


def test_leaves_that_pairs_share_take_further_lists() -> None:
    lists = {0: (leaf(1), leaf(2)), 1: (leaf(1), leaf(3)), 2: (leaf(2), leaf(3))}
    found = all_proposals(lists, 2)
    assert {item for proposal in found for item in proposal.leaves} == {leaf(1), leaf(2), leaf(3)}


LEAVES = st.builds(lambda account, view: view(account), st.integers(0, 6), st.sampled_from([leaf, other]))


def one_view_each(leaves: list[Leaf]) -> tuple[Leaf, ...]:
    return tuple(sorted({item.account: item for item in leaves}.values(), key=lambda item: item.account))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(LEAVES, max_size=8).map(one_view_each), min_size=1, max_size=6), st.integers(2, 6))
def test_exactly_what_enough_relayers_share_is_certified(lists: list[tuple[Leaf, ...]], threshold: int) -> None:
    by_signer = dict(enumerate(lists))
    shared = {item for item, count in Counter(item for own in lists for item in own).items() if count >= threshold}
    found = all_proposals(by_signer, threshold)
    assert {item for proposal in found for item in proposal.leaves} == shared
    for proposal in found:
        assert len(proposal.signers) >= threshold
        assert list(proposal.leaves) == sorted(set(proposal.leaves), key=lambda item: item.account)
        assert len({item.account for item in proposal.leaves}) == len(proposal.leaves)
        for signer in proposal.signers:
            assert set(proposal.leaves) <= set(by_signer[signer])
