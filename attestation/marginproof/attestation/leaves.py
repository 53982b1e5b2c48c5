"""Leaf lists: sorted, so that absence can be shown; one branch shows one leaf."""

import itertools
from collections.abc import Sequence

from marginproof.model.certificates import MAX_LEAVES, Certificate, IncludedLeaf, Leaf
from marginproof.model.errors import MalformedError, MarginproofError, NotFoundError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import branch_holds, merkle_branch


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
    for index, leaf in enumerate(leaves):
        if leaf.account == account:
            return IncludedLeaf(leaf, certificate_digest, index, merkle_branch(leaves, index, MAX_LEAVES))
    raise NotFoundError(
        "this certificate has no leaf of the account",
        fix="register the account with the relayers and wait for the next epoch",
    )


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
