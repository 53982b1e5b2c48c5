"""Which leaves to propose to whom: agree on facts, not on sets. Pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from marginproof.model.certificates import Leaf


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """Leaves common to all of ``signers``, sorted by account."""

    signers: frozenset[int]
    leaves: tuple[Leaf, ...]


def next_proposal(lists: Mapping[int, Sequence[Leaf]], certified: AbstractSet[Leaf], threshold: int) -> Proposal | None:
    """The next list to propose, or None when every leaf that ``threshold`` relayers share is certified.

    Starts with everybody and drops, one at a time, who shares fewest of the open leaves; of the groups met on the way
    the one with most common leaves is taken, the larger group when equal. If all of those have nothing in common, the
    holders of one open leaf are taken: so every call that finds an open leaf proposes at least one, and repeating the
    call ends.

    Args:
        lists: Relayer → its own leaves, all read at one reference block.
        certified: Leaves that some certificate of this chain and epoch covers.
        threshold: t, the fewest signers.
    """
    holders = _open_leaves(lists, certified, threshold)
    if not holders:
        return None
    group = frozenset(lists)
    best = Proposal(group, _common(holders, group))
    while len(group) > threshold:
        shares = {signer: sum(signer in having for having in holders.values()) for signer in group}
        group -= {min(group, key=lambda signer: (shares[signer], -signer))}
        common = _common(holders, group)
        if len(common) > len(best.leaves):
            best = Proposal(group, common)
    if best.leaves:
        return best
    first = min(holders, key=lambda leaf: (leaf.account, leaf.commitment))
    return Proposal(holders[first], _common(holders, holders[first]))


def _open_leaves(
    lists: Mapping[int, Sequence[Leaf]], certified: AbstractSet[Leaf], threshold: int
) -> dict[Leaf, frozenset[int]]:
    holders: dict[Leaf, set[int]] = {}
    for signer, leaves in lists.items():
        for leaf in leaves:
            holders.setdefault(leaf, set()).add(signer)
    return {
        leaf: frozenset(having)
        for leaf, having in holders.items()
        if len(having) >= threshold and leaf not in certified
    }


def _common(holders: Mapping[Leaf, frozenset[int]], group: frozenset[int]) -> tuple[Leaf, ...]:
    """Two leaves of one account never meet here: a relayer has one leaf per account, and the group is not empty."""
    return tuple(sorted((leaf for leaf, having in holders.items() if group <= having), key=lambda leaf: leaf.account))
