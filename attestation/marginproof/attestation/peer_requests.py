"""How one relayer shows another who is asking."""

from marginproof import core
from marginproof.model.errors import UnauthorisedError
from marginproof.model.network import SignerSet
from marginproof.model.peers import PEER_ROLE, PeerRequest
from marginproof.model.ssz import signing_root


def sign_peer_request(key: core.SigningKey, request: PeerRequest, network_id: bytes) -> bytes:
    """The caller's BLS signature over the request, 96 bytes."""
    return key.sign(signing_root(request, PEER_ROLE, network_id))


def verify_peer_request(
    request: PeerRequest,
    signature: bytes,
    *,
    network_id: bytes,
    signer_set: SignerSet,
    now: int,
    clock_skew_seconds: int,
) -> None:
    """Checks that a relayer of the set asked for exactly this, just now.

    Args:
        request: Rebuilt by the callee from what it was asked for and from its own number.
        signature: 96 bytes.
        network_id: Network id, 32 bytes.
        signer_set: Who may ask.
        now: UTC seconds.
        clock_skew_seconds: How far ``requested_at`` may lie from now.

    Raises:
        UnauthorisedError: UNAUTHORISED.
    """
    if request.caller >= len(signer_set.relayers):
        raise UnauthorisedError("the caller is no relayer of this network")
    if abs(now - request.requested_at) > clock_skew_seconds:
        raise UnauthorisedError(
            "the request is too old or from the future", fix="set both machines' clocks (for example with chrony)"
        )
    public_key = signer_set.relayers[request.caller].public_key
    try:
        core.verify_signature(public_key, signing_root(request, PEER_ROLE, network_id), signature)
    except core.CoreError as error:
        raise UnauthorisedError("the request is not signed by the relayer that it names") from error
