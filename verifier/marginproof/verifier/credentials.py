"""Who may see an account's book and status: whoever signs the request with the account's present key."""

import hmac
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from marginproof.v1 import verifier_service_pb2 as messages

from marginproof.attestation.typed_signing import recover_typed
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MarginproofError, UnauthorisedError
from marginproof.model.network import Network
from marginproof.model.pledges import RegistryRecord
from marginproof.model.typed_data import request_message, venue_method

_BEARER: Final = "Bearer "


Records = Callable[[bytes], Awaitable[RegistryRecord | None]]
"""Gives the registry's finalized record of an account; None for one that is not open here."""


async def check_account_credential(
    credential: messages.AccountCredential,
    *,
    network: Network,
    venue: bytes,
    rpc: str,
    now: int,
    clock_skew_seconds: int,
    records: Records,
) -> bytes:
    """The account id (32 bytes) of a request that its present key has signed for this venue and call.

    The registry is read last, so that no caller has it read for nothing.

    Args:
        credential: From the request.
        network: The venue's network.
        venue: This venue's address, 20 bytes.
        rpc: Name of the call, such as ``GetBook``.
        now: UTC seconds.
        clock_skew_seconds: How far the request's time may lie from ``now``.
        records: Where the account's key is looked up; without a record the owner's own key counts.

    Raises:
        UnauthorisedError: UNAUTHORISED.
        MarginproofError: The registry cannot be read.
    """
    try:
        identity = AccountIdentity.decode(credential.identity)
        message = request_message(network.root(), credential.account, venue_method(venue, rpc), credential.requested_at)
        signer = recover_typed(message, credential.signature)
    except (MarginproofError, ValueError) as error:
        raise _unauthorised("the credential is malformed") from error
    if identity.root() != credential.account:
        raise _unauthorised("the identity is not that of the account")
    if (identity.home_chain, identity.registry) != (network.home_chain, network.registry):
        raise _unauthorised("the account belongs to another network")
    if abs(now - credential.requested_at) > clock_skew_seconds:
        raise _unauthorised("the request's time is too far from this venue's clock")
    record = await records(credential.account)
    if signer != (identity.owner if record is None else record.signer(identity)):
        raise _unauthorised("the request is not signed by the account's present key for this call at this venue")
    return bytes(credential.account)


def check_bearer_token(metadata: Iterable[tuple[str, str | bytes]], token: str) -> None:
    """Refuses a call without the venue's own bearer token; compares in constant time.

    Raises:
        UnauthorisedError: UNAUTHORISED.
    """
    expected = (_BEARER + token).encode()
    given = [value for key, value in metadata if key == "authorization"]
    presented = given[0] if len(given) == 1 else ""
    presented = presented.encode() if isinstance(presented, str) else presented
    if not hmac.compare_digest(presented, expected):
        raise UnauthorisedError(
            "the book service needs the venue's bearer token",
            fix="send it in the metadata key authorization, from book_token_file",
        )


def _unauthorised(message: str) -> UnauthorisedError:
    return UnauthorisedError(message, fix="sign the request anew with the account's present key; check the clock")
