"""Certificates: built by relayers, checked by everybody."""

from collections.abc import Mapping, Sequence

from marginproof import core
from marginproof.attestation.digests import digest_of
from marginproof.model.certificates import (
    LEAF_LIST_ROLE,
    AssuranceLevel,
    Certificate,
    CertificateBody,
    Leaf,
    LeafList,
    Reference,
)
from marginproof.model.errors import MarginproofError
from marginproof.model.network import SignerSet
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import signing_root


def certificate_body(
    *,
    network_id: bytes,
    chain: str,
    epoch: int,
    reference: Reference,
    universe_digest: bytes,
    leaves: Sequence[Leaf],
    signer_set: SignerSet,
    certificate_seconds: int,
    assurance: AssuranceLevel = AssuranceLevel.QUORUM_HEADER_AND_PROOF,
) -> CertificateBody:
    """What relayers sign for these leaves; every relayer that agrees on the facts builds the same bytes.

    Args:
        network_id: Root of the network, 32 bytes.
        chain: CAIP-2 chain id.
        epoch: The epoch.
        reference: The block at which the chain was read.
        universe_digest: Root of the universe, 32 bytes.
        leaves: Sorted by account.
        signer_set: Who signs.
        certificate_seconds: L: the certificate expires at the reference's time + L.
        assurance: How the reference's header was trusted.
    """
    return CertificateBody(
        network=network_id,
        chain=chain,
        epoch=epoch,
        reference=reference,
        assurance=assurance,
        universe_digest=universe_digest,
        leaves_root=LeafList(tuple(leaves)).root(),
        signer_set=digest_of(signer_set),
        expires_at=reference.timestamp + certificate_seconds,
    )


def partial_signature(key: core.SigningKey, body: CertificateBody) -> bytes:
    """One relayer's signature over the body, 96 bytes. The caller has made sure that the body is its own view."""
    return key.sign(signing_root(body, LEAF_LIST_ROLE, body.network))


def verify_partial(public_key: bytes, body: CertificateBody, signature: bytes) -> None:
    """Checks one relayer's signature over the body.

    Raises:
        MarginproofError: CERTIFICATE_SIGNATURE.
    """
    try:
        core.verify_signature(public_key, signing_root(body, LEAF_LIST_ROLE, body.network), signature)
    except core.CoreError as error:
        raise _refused(
            ReasonCode.CERTIFICATE_SIGNATURE, "a relayer's signature does not hold for this certificate"
        ) from error


def assemble(body: CertificateBody, signer_set: SignerSet, signatures: Mapping[int, bytes]) -> Certificate:
    """Puts verified partial signatures together.

    Args:
        body: What was signed.
        signer_set: Who may sign.
        signatures: Position in the set → signature that :func:`verify_partial` accepted.

    Raises:
        MarginproofError: SIGNERS_TOO_FEW, SIGNER_SET_UNKNOWN.
    """
    count = len(signer_set.relayers)
    if any(not 0 <= signer < count for signer in signatures):
        raise _refused(ReasonCode.SIGNER_SET_UNKNOWN, "a signature is of nobody in the signer set")
    if len(signatures) < signer_set.threshold:
        raise _too_few(len(signatures), signer_set.threshold)
    ordered = [signatures[signer] for signer in sorted(signatures)]
    bits = tuple(signer in signatures for signer in range(count))
    return Certificate(body, bits, core.aggregate_signatures(ordered))


def verify_certificate(certificate: Certificate, network_id: bytes, signer_set: SignerSet) -> None:
    """Checks who signed a certificate and that they did; says nothing of its age or chain.

    Args:
        certificate: From anywhere.
        network_id: The network that the caller is on, 32 bytes.
        signer_set: The set that the network pins, its keys' possession proven (:func:`check_signer_set`).

    Raises:
        MarginproofError: WRONG_NETWORK, SIGNER_SET_UNKNOWN, SIGNERS_TOO_FEW, CERTIFICATE_SIGNATURE.
    """
    body = certificate.body
    if body.network != network_id:
        raise _refused(ReasonCode.WRONG_NETWORK, "the certificate is of another network")
    if body.signer_set != digest_of(signer_set) or body.epoch < signer_set.first_epoch:
        raise _refused(ReasonCode.SIGNER_SET_UNKNOWN, "the certificate names a signer set that is not the network's")
    if len(certificate.signers) != len(signer_set.relayers):
        raise _refused(ReasonCode.SIGNER_SET_UNKNOWN, "the certificate's bits do not fit the signer set")
    keys = [r.public_key for r, signed in zip(signer_set.relayers, certificate.signers, strict=True) if signed]
    if len(keys) < signer_set.threshold:
        raise _too_few(len(keys), signer_set.threshold)
    try:
        core.verify_aggregate(keys, signing_root(body, LEAF_LIST_ROLE, network_id), certificate.signature)
    except core.CoreError as error:
        raise _refused(
            ReasonCode.CERTIFICATE_SIGNATURE, "the certificate's signature is not of the relayers that it names"
        ) from error


def _too_few(count: int, threshold: int) -> MarginproofError:
    return MarginproofError(
        ReasonCode.SIGNERS_TOO_FEW,
        f"{count} relayers signed, {threshold} are needed",
        fix="wait for the next epoch, or ask another relayer",
        fields={"signers": count, "threshold": threshold},
    )


def _refused(code: ReasonCode, message: str) -> MarginproofError:
    return MarginproofError(code, message, fix="fetch the certificate again, from another relayer of this network")
