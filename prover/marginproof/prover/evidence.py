"""Leaves and certificates as the account checks them: who signed, what is included, and that it is its collateral."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.certificates import verify_certificate
from marginproof.attestation.collateral import collateral_vector
from marginproof.attestation.leaves import verify_included
from marginproof.model.accounts import Registration
from marginproof.model.certificates import Certificate, IncludedLeaf
from marginproof.model.errors import MarginproofError, RefusedError, UnavailableError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode


@dataclasses.dataclass(frozen=True, slots=True)
class CertifiedLeaf:
    """The account's leaf on one chain under a certificate that was verified."""

    included: IncludedLeaf
    certificate: Certificate

    @property
    def chain(self) -> str:
        """CAIP-2 id."""
        return self.included.leaf.chain


@dataclasses.dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """A certified leaf with its opening; secret."""

    certified: CertifiedLeaf
    vector: Mapping[int, int] = dataclasses.field(repr=False)
    blinding: bytes = dataclasses.field(repr=False)


def check_leaf(
    included: IncludedLeaf, certificate: Certificate, *, network: NetworkFile, account: bytes, chain: str, now: int
) -> CertifiedLeaf:
    """Checks one relayer's answer completely, but for what the leaf commits to.

    Raises:
        MarginproofError: All of :func:`verify_certificate` and :func:`verify_included`; LEAF_ACCOUNT_MISMATCH,
            UNIVERSE_MISMATCH, CERTIFICATE_EXPIRED.
    """
    body = certificate.body
    verify_certificate(certificate, network.network_id, network.signer_set)
    verify_included(included, certificate)
    if included.leaf.account != account or included.leaf.chain != chain:
        raise _refused(ReasonCode.LEAF_ACCOUNT_MISMATCH, "the relayer gave a leaf of another account or chain")
    if body.universe_digest != network.universe.root():
        raise _refused(ReasonCode.UNIVERSE_MISMATCH, "the certificate is of another universe")
    if body.expires_at <= now:
        raise UnavailableError(
            f"the newest certificate of {chain} has expired",
            code=ReasonCode.CERTIFICATE_EXPIRED,
            fix="wait for the next epoch; see with `marginproof relayer status` how far the relayers are",
            fields={"chain": chain},
        )
    return CertifiedLeaf(included, certificate)


def newest(leaves: Iterable[CertifiedLeaf]) -> CertifiedLeaf:
    """The leaf of the newest epoch; the venue takes no older one. At least one leaf must be given."""
    return max(leaves, key=lambda leaf: leaf.certificate.body.epoch)


def open_leaf(
    leaf: CertifiedLeaf,
    registrations: Mapping[bytes, Registration],
    network: NetworkFile,
    holdings: Sequence[tuple[bytes, int]],
) -> OpenedLeaf:
    """Recomputes what the leaf must commit to and refuses a leaf that commits to anything else.

    Args:
        leaf: Verified.
        registrations: The account's own, by digest.
        network: The network.
        holdings: The account's own view of its collateral at the certificate's reference block.

    Raises:
        RefusedError: CERTIFICATE_MISMATCH.
    """
    body, committed = leaf.certificate.body, leaf.included.leaf
    registration = registrations.get(committed.registration_digest)
    if registration is None or registration.payees_root != committed.payees_root:
        raise RefusedError(
            ReasonCode.CERTIFICATE_MISMATCH,
            f"the leaf on {leaf.chain} is under a registration that this account did not make",
            fix="register again with: marginproof account register",
            fields={"chain": leaf.chain},
        )
    vector = collateral_vector(network.universe, leaf.chain, holdings)
    blinding = leaf_blinding(
        registration.blinding_seed,
        network=network.network_id,
        chain=leaf.chain,
        account=registration.account,
        registration_digest=committed.registration_digest,
        epoch=body.epoch,
        reference_hash=body.reference.hash,
        universe_digest=body.universe_digest,
    )
    if core.commit(network.network.n, vector, blinding) != committed.commitment:
        raise RefusedError(
            ReasonCode.CERTIFICATE_MISMATCH,
            f"the relayers certified other collateral on {leaf.chain} than the account sees at the same block",
            fix="give own endpoints of this chain with `marginproof account endpoints`; if they say the same, "
            "do not prove and report these relayers",
            fields={"chain": leaf.chain, "epoch": body.epoch},
        )
    return OpenedLeaf(leaf, vector, blinding)


def _refused(code: ReasonCode, message: str) -> MarginproofError:
    return MarginproofError(code, message, fix="ask another relayer of this network")
