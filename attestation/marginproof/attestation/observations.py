"""Price observations: signed by one relayer for one slot."""

import itertools

from marginproof import core
from marginproof.attestation.digests import digest_of
from marginproof.model.errors import MarginproofError
from marginproof.model.network import SignerSet
from marginproof.model.prices import OBSERVATION_ROLE, Observations, SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import signing_root


def sign_observations(key: core.SigningKey, observations: Observations) -> SignedObservations:
    """Signs what one relayer saw. The caller has made sure that the slot was not signed before."""
    root = signing_root(observations, OBSERVATION_ROLE, observations.network)
    return SignedObservations(observations, key.sign(root))


def verify_observations(
    signed: SignedObservations, *, network_id: bytes, universe_digest: bytes, signer_set: SignerSet
) -> None:
    """Checks whose observations these are and that they are of this network and universe.

    Raises:
        MarginproofError: WRONG_NETWORK, UNIVERSE_MISMATCH, SIGNER_SET_UNKNOWN, MALFORMED (points not rising),
            OBSERVATION_SIGNATURE.
    """
    seen = signed.observations
    if seen.network != network_id:
        raise _refused(ReasonCode.WRONG_NETWORK, "the observations are of another network")
    if seen.universe_digest != universe_digest:
        raise _refused(ReasonCode.UNIVERSE_MISMATCH, "the observations are of another universe")
    if seen.signer_set != digest_of(signer_set) or seen.signer >= len(signer_set.relayers):
        raise _refused(ReasonCode.SIGNER_SET_UNKNOWN, "the observations are of nobody in the network's signer set")
    if any(first.point >= second.point for first, second in itertools.pairwise(seen.values)):
        raise _refused(ReasonCode.MALFORMED, "the observed points must rise strictly by id")
    public_key = signer_set.relayers[seen.signer].public_key
    try:
        core.verify_signature(public_key, signing_root(seen, OBSERVATION_ROLE, network_id), signed.signature)
    except core.CoreError as error:
        raise _refused(ReasonCode.OBSERVATION_SIGNATURE, "the observations are not signed by their relayer") from error


def _refused(code: ReasonCode, message: str) -> MarginproofError:
    return MarginproofError(code, message, fix="fetch the price report again, from another relayer of this network")
