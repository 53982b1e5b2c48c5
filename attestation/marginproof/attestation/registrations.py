"""Registrations: which locks form an account, said by its owner."""

from typing import Final

from eth_account.signers.local import LocalAccount

from marginproof.attestation.typed_signing import recover_typed, sign_typed
from marginproof.model.accounts import Registration, SignedRegistration, check_lock_order
from marginproof.model.chains import parse_chain
from marginproof.model.errors import MalformedError, UnauthorisedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import registration_message

MAX_REGISTRATION_BYTES: Final = 64 * 1024
_ZERO: Final = bytes(32)


def sign_registration(registration: Registration, key: LocalAccount) -> SignedRegistration:
    """Signs a registration with the account's current key: its owner's, until the registry shows a rotation."""
    return SignedRegistration(registration, sign_typed(key, registration_message(registration)))


def check_registration(signed: SignedRegistration, network_id: bytes, home_chain: str, registry: bytes) -> None:
    """Checks everything about a registration that needs no clock, no store and no chain; not who signed it.

    Args:
        signed: From anywhere.
        network_id: The network's id, 32 bytes.
        home_chain: The network's home chain, CAIP-2.
        registry: The network's registry contract, 20 bytes.

    Raises:
        MalformedError: WRONG_NETWORK, REGISTRATION_NUMBER (0), REGISTRATION_LOCKS (order, chain ids), MALFORMED.
    """
    registration = signed.registration
    identity = registration.identity
    if registration.network != network_id or (identity.home_chain, identity.registry) != (home_chain, registry):
        raise MalformedError(
            "the registration is for another network",
            code=ReasonCode.WRONG_NETWORK,
            fix="use the network file that this relayer uses",
        )
    if registration.number == 0:
        raise MalformedError("registrations are numbered from 1", code=ReasonCode.REGISTRATION_NUMBER)
    if _ZERO in (registration.blinding_seed, registration.payees_root):
        raise MalformedError("blinding seed and payees root must be set")
    for lock in registration.locks:
        parse_chain(lock.chain)
    check_lock_order(registration)


def verify_registration(signed: SignedRegistration, key: bytes) -> None:
    """Checks who signed a registration.

    Args:
        signed: Checked by :func:`check_registration`.
        key: Address (20 bytes) of the account's current key, as the registry shows it.

    Raises:
        UnauthorisedError: REGISTRATION_SIGNATURE.
    """
    try:
        signer = recover_typed(registration_message(signed.registration), signed.signature)
    except MalformedError as error:
        raise _wrong_key() from error
    if signer != key:
        raise _wrong_key()


def _wrong_key() -> UnauthorisedError:
    return UnauthorisedError(
        "the registration is not signed by the account's current key",
        code=ReasonCode.REGISTRATION_SIGNATURE,
        fix="sign it with the owner's key or, after a rotation on the registry, with the newest one",
    )
