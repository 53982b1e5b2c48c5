"""Leaf lists: sorted, so that absence can be shown; one branch shows one leaf."""

import hashlib
import itertools
from collections.abc import Sequence
from typing import Final

from marginproof.model.certificates import MAX_LEAVES, Certificate, IncludedLeaf, Leaf
from marginproof.model.errors import MalformedError, MarginproofError, NotFoundError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import branch_holds

_DEPTH: Final = MAX_LEAVES.bit_length() - 1


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(left + right).digest()


def _empty_hashes() -> tuple[bytes, ...]:
    """Roots of empty subtrees by height."""
    hashes = [bytes(32)]
    for _ in range(_DEPTH):
        hashes.append(_pair(hashes[-1], hashes[-1]))
    return tuple(hashes)


_EMPTY: Final = _empty_hashes()


def check_leaf_list(leaves: Sequence[Leaf]) -> None:
    """Refuses leaves that do not rise strictly by account or that lie on two chains.

    Raises:
        MalformedError: LEAF_ORDER.
    """
    if any(first.account >= second.account for first, second in itertools.pairwise(leaves)):
        raise MalformedError("the leaves must rise strictly by account", code=ReasonCode.LEAF_ORDER)
    if len({leaf.chain for leaf in leaves}) > 1:
        raise MalformedError("the leaves of one list lie on one chain", code=ReasonCode.LEAF_ORDER)


def include(leaves: Sequence[Leaf], account: bytes, certificate_digest: bytes) -> IncludedLeaf:
    """The account's leaf with the branch that shows it.

    Args:
        leaves: All leaves under the certificate, sorted by account.
        account: Account id, 32 bytes.
        certificate_digest: Root of the certificate's body, 32 bytes.

    Raises:
        NotFoundError: The list has no leaf of the account.
    """
    return LeafTree(leaves).include(account, certificate_digest)


class LeafTree:
    """A leaf list with the hashes above it, for whoever shows many leaves of one list: a branch costs look-ups only.

    Args:
        leaves: All leaves under one certificate, sorted by account.
    """

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self._leaves = tuple(leaves)
        self._index = {leaf.account: index for index, leaf in enumerate(self._leaves)}
        layer = [leaf.root() for leaf in self._leaves]
        self._layers = [layer]
        for level in range(_DEPTH):
            padded = [*layer, _EMPTY[level]] if len(layer) % 2 else layer
            layer = [_pair(padded[place], padded[place + 1]) for place in range(0, len(padded), 2)]
            self._layers.append(layer)

    def include(self, account: bytes, certificate_digest: bytes) -> IncludedLeaf:
        """See :func:`include`."""
        index = self._index.get(account)
        if index is None:
            raise NotFoundError(
                "this certificate has no leaf of the account",
                fix="register the account with the relayers and wait for the next epoch",
            )
        branch = []
        for level in range(_DEPTH):
            sibling = (index >> level) ^ 1
            layer = self._layers[level]
            branch.append(layer[sibling] if sibling < len(layer) else _EMPTY[level])
        length = len(self._leaves).to_bytes(32, "little")
        return IncludedLeaf(self._leaves[index], certificate_digest, index, (*branch, length))


def verify_included(included: IncludedLeaf, certificate: Certificate) -> None:
    """Checks that a leaf lies under a certificate; the certificate itself is checked elsewhere.

    Raises:
        MarginproofError: CERTIFICATE_MISMATCH (of another certificate or chain), LEAF_NOT_INCLUDED.
    """
    body = certificate.body
    if included.certificate_digest != certificate.digest or included.leaf.chain != body.chain:
        raise MarginproofError(
            ReasonCode.CERTIFICATE_MISMATCH,
            "the leaf belongs to another certificate",
            fix="fetch leaf and certificate again, together",
        )
    if not branch_holds(included.leaf.root(), included.index, included.branch, body.leaves_root, MAX_LEAVES):
        raise MarginproofError(
            ReasonCode.LEAF_NOT_INCLUDED,
            "the branch does not show the leaf under the certificate",
            fix="fetch leaf and certificate again, from another relayer",
        )
