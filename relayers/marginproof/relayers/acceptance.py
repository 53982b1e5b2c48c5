"""What this node agrees to sign, and which finished certificates it keeps. Pure: every field is checked by itself."""

import dataclasses
from collections.abc import Sequence

from marginproof.attestation.certificates import certificate_body, verify_certificate
from marginproof.attestation.digests import digest_of
from marginproof.attestation.leaves import check_leaf_list
from marginproof.model.certificates import AssuranceLevel, Certificate, CertificateBody, Leaf, LeafList
from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.network import epoch_cutoff
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.protection import FixedList

_CODE_OF_FIELD = {
    "network": ReasonCode.WRONG_NETWORK,
    "chain": ReasonCode.CERTIFICATE_MISMATCH,
    "epoch": ReasonCode.CERTIFICATE_MISMATCH,
    "reference": ReasonCode.SIGNING_PROTECTION,
    "assurance": ReasonCode.CERTIFICATE_MISMATCH,
    "universe_digest": ReasonCode.UNIVERSE_MISMATCH,
    "leaves_root": ReasonCode.CERTIFICATE_MISMATCH,
    "signer_set": ReasonCode.SIGNER_SET_UNKNOWN,
    "expires_at": ReasonCode.CERTIFICATE_MISMATCH,
}


def own_body(file: NetworkFile, view: FixedList, leaves: Sequence[Leaf]) -> CertificateBody:
    """The body that this node builds from its own view for a choice of leaves."""
    return certificate_body(
        network_id=digest_of(file.network),
        chain=view.chain,
        epoch=view.epoch,
        reference=view.reference,
        universe_digest=digest_of(file.universe),
        leaves=leaves,
        signer_set=file.signer_set,
        certificate_seconds=file.configuration.certificate_seconds,
    )


def check_proposal(file: NetworkFile, view: FixedList, body: CertificateBody, leaves: Sequence[Leaf]) -> None:
    """Refuses a proposal unless it is, field by field, what this node would have proposed for these leaves.

    Args:
        file: The network.
        view: This node's own fixed view of the chain and epoch.
        body: What is to be signed.
        leaves: The list whose root the body names.

    Raises:
        MalformedError: LEAF_ORDER, MALFORMED (no leaves).
        RefusedError: LEAF_NOT_OWN (a leaf is not in the view), or the code of the first field that differs:
            WRONG_NETWORK, SIGNING_PROTECTION (another reference), UNIVERSE_MISMATCH, SIGNER_SET_UNKNOWN,
            CERTIFICATE_MISMATCH.
    """
    _check_leaves(leaves)
    expected = own_body(file, view, leaves)
    for field in dataclasses.fields(body):
        if getattr(body, field.name) != getattr(expected, field.name):
            raise RefusedError(
                _CODE_OF_FIELD[field.name],
                f"the proposal's {field.name} is not what this relayer has",
                fix="nothing was signed; compare the two nodes' network files and endpoints",
                fields={"field": field.name, "chain": view.chain, "epoch": view.epoch},
            )
    own = set(view.leaves)
    if any(leaf not in own for leaf in leaves):
        raise RefusedError(
            ReasonCode.LEAF_NOT_OWN,
            "the proposal has a leaf that this relayer did not derive",
            fix="propose the leaves that all chosen relayers share",
            fields={"chain": view.chain, "epoch": view.epoch},
        )


def check_certificate(file: NetworkFile, certificate: Certificate, leaves: Sequence[Leaf], now: int) -> None:
    """Refuses a finished certificate that no relayer of this network should have formed.

    Says nothing of whether this node would have signed it: it may not have seen the chain yet.

    Args:
        file: The network; its signer set's possession proofs were checked.
        certificate: From a peer.
        leaves: The list under it.
        now: UTC seconds.

    Raises:
        MalformedError: LEAF_ORDER, MALFORMED.
        RefusedError: CERTIFICATE_MISMATCH, UNIVERSE_MISMATCH.
        MarginproofError: See :func:`marginproof.attestation.certificates.verify_certificate`.
    """
    body, configuration = certificate.body, file.configuration
    _check_leaves(leaves)
    cutoff = epoch_cutoff(configuration, body.epoch)
    wrong = {
        "chain": body.chain not in {vault.chain for vault in configuration.vaults} or leaves[0].chain != body.chain,
        "epoch": cutoff > now + configuration.clock_skew_seconds,
        "reference": body.reference.timestamp > cutoff,
        "assurance": body.assurance < AssuranceLevel.QUORUM_HEADER_AND_PROOF,
        "universe_digest": body.universe_digest != digest_of(file.universe),
        "leaves_root": body.leaves_root != LeafList(tuple(leaves)).root(),
        "expires_at": body.expires_at != body.reference.timestamp + configuration.certificate_seconds,
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            code = ReasonCode.UNIVERSE_MISMATCH if name == "universe_digest" else ReasonCode.CERTIFICATE_MISMATCH
            raise RefusedError(code, f"the certificate's {name} cannot be right", fields={"field": name})
    verify_certificate(certificate, digest_of(file.network), file.signer_set)


def _check_leaves(leaves: Sequence[Leaf]) -> None:
    if not leaves:
        raise MalformedError("a leaf list without leaves needs no certificate")
    check_leaf_list(leaves)
