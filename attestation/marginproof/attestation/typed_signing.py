"""EIP-712 signatures of accounts and venues: 65 bytes r ‖ s ‖ v, low s only, v 27 or 28."""

from typing import Any, Final

from coincurve import PublicKey
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

SIGNATURE_BYTES: Final = 65
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def sign_typed(account: LocalAccount, message: dict[str, Any]) -> bytes:
    """Signs a message of :mod:`marginproof.model.typed_data`.

    Args:
        account: The key.
        message: Full EIP-712 message: types, primaryType, domain, message.

    Returns:
        65 bytes: r ‖ s ‖ v with s in the lower half and v 27 or 28.
    """
    return bytes(account.sign_message(encode_typed_data(full_message=message)).signature)


def recover_typed(message: dict[str, Any], signature: bytes) -> bytes:
    """The address (20 bytes) whose key made the signature.

    Args:
        message: Full EIP-712 message.
        signature: r ‖ s ‖ v; any other spelling of the same signature is refused.

    Raises:
        MalformedError: SIGNATURE_INVALID; wrong length, v, high s, or no point recovers.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise _invalid("a signature has 65 bytes")
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28):
        raise _invalid("the last byte of a signature is 27 or 28")
    if not 0 < r < _ORDER or not 0 < s <= _ORDER // 2:
        raise _invalid("the signature is not in its lower form")
    try:
        point = PublicKey.from_signature_and_message(
            signature[:64] + bytes([v - 27]), _digest(encode_typed_data(full_message=message)), hasher=None
        )
    except Exception as error:  # the binding raises bare exceptions for what does not recover
        raise _invalid("no key made this signature") from error
    return bytes(keccak(point.format(compressed=False)[1:]))[-20:]


def _digest(signable: SignableMessage) -> bytes:
    return bytes(keccak(b"\x19" + signable.version + signable.header + signable.body))


def _invalid(message: str) -> MalformedError:
    return MalformedError(message, code=ReasonCode.SIGNATURE_INVALID, fix="sign the message again with the right key")
