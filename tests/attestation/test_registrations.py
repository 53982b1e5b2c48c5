import dataclasses
from typing import Any

import pytest
from eth_account import Account

from marginproof.attestation.registrations import check_registration, sign_registration, verify_registration
from marginproof.attestation.typed_signing import recover_typed, sign_typed
from marginproof.model.accounts import LockReference, Registration, SignedRegistration
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import registration_message, request_message
from tests.attestation.builders import CHAIN, NETWORK, OTHER_CHAIN, OWNER, REGISTRY, registration

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


OWNER_ADDRESS = bytes.fromhex(OWNER.address[2:])


def check(signed: SignedRegistration, network: bytes = NETWORK, chain: str = CHAIN, registry: bytes = REGISTRY) -> None:
    check_registration(signed, network, chain, registry)
    verify_registration(signed, OWNER_ADDRESS)


def refusal(signed: SignedRegistration, network: bytes = NETWORK, registry: bytes = REGISTRY) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        check(signed, network, registry=registry)
    return caught.value.code


def signed(changed: Registration) -> SignedRegistration:
    return SignedRegistration(changed, sign_typed(OWNER, registration_message(changed)))


def test_owner_signs_and_everybody_checks() -> None:
    check(sign_registration(registration(), OWNER))


def test_an_account_without_locks_may_be_registered() -> None:
    check(sign_registration(registration(locks=()), OWNER))


def test_only_the_current_key_signs() -> None:
    """After a rotation the newer key signs and the owner's own does not; the identity stays the owner's."""
    newer = Account.from_key(b"\x02" * 32)
    by_newer = sign_registration(registration(), newer)
    check_registration(by_newer, NETWORK, CHAIN, REGISTRY)
    verify_registration(by_newer, bytes.fromhex(newer.address[2:]))
    assert refusal(by_newer) == ReasonCode.REGISTRATION_SIGNATURE
    with pytest.raises(MarginproofError) as caught:
        verify_registration(sign_registration(registration(), OWNER), bytes.fromhex(newer.address[2:]))
    assert caught.value.code == ReasonCode.REGISTRATION_SIGNATURE


def test_a_signature_that_nobody_made() -> None:
    assert refusal(SignedRegistration(registration(), bytes(65))) == ReasonCode.REGISTRATION_SIGNATURE


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", 2), ("first_epoch", 7), ("payees_root", b"\x67" * 32), ("blinding_seed", b"\x89" * 32), ("locks", ())],
)
def test_every_field_is_signed(field: str, value: Any) -> None:
    changed = dataclasses.replace(registration(), **{field: value})
    forged = SignedRegistration(changed, sign_registration(registration(), OWNER).signature)
    assert refusal(forged) == ReasonCode.REGISTRATION_SIGNATURE


def test_another_network_registry_or_home_chain_is_refused() -> None:
    good = sign_registration(registration(), OWNER)
    assert refusal(good, network=b"\x12" * 32) == ReasonCode.WRONG_NETWORK
    assert refusal(good, registry=b"\x34" * 20) == ReasonCode.WRONG_NETWORK
    with pytest.raises(MarginproofError) as caught:
        check(good, chain=OTHER_CHAIN)
    assert caught.value.code == ReasonCode.WRONG_NETWORK


def test_locks_must_rise_strictly() -> None:
    locks = registration().locks
    for wrong in ((locks[1], locks[0]), (locks[0], locks[0]), (locks[2], locks[0])):
        assert refusal(signed(registration(locks=wrong))) == ReasonCode.REGISTRATION_LOCKS


def test_same_lock_with_another_salt_is_refused() -> None:
    lock = registration().locks[0]
    twice = (lock, dataclasses.replace(lock, salt=b"\x09" * 32))
    assert refusal(signed(registration(locks=twice))) == ReasonCode.REGISTRATION_LOCKS


def test_number_seed_payees_and_chain_ids_must_be_real() -> None:
    assert refusal(signed(registration(number=0))) == ReasonCode.REGISTRATION_NUMBER
    assert refusal(signed(registration(blinding_seed=bytes(32)))) == ReasonCode.MALFORMED
    assert refusal(signed(registration(payees_root=bytes(32)))) == ReasonCode.MALFORMED
    nonsense = (LockReference("no chain", b"\x77" * 20, 1, b"\x01" * 32),)
    assert refusal(signed(registration(locks=nonsense))) == ReasonCode.MALFORMED


def test_signatures_have_one_spelling() -> None:
    message = registration_message(registration())
    good = sign_typed(OWNER, message)
    assert recover_typed(message, good) == bytes.fromhex(OWNER.address[2:])
    s = int.from_bytes(good[32:64], "big")
    high = good[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - good[64]])
    for wrong in (high, good[:64] + bytes([good[64] - 27]), good[:64], good + b"\x00", bytes(65), b"\xff" * 65):
        with pytest.raises(MarginproofError) as caught:
            recover_typed(message, wrong)
        assert caught.value.code == ReasonCode.SIGNATURE_INVALID


def test_recovery_ids_that_no_wallet_makes_are_refused() -> None:
    """With v = 29 the point's x is r + the group order: such points exist, and would recover to some address."""
    field = 2**256 - 2**32 - 977
    r = next(r for r in range(1, 100) if pow((r + ORDER) ** 3 + 7, (field - 1) // 2, field) == 1)
    with pytest.raises(MarginproofError) as caught:
        recover_typed(registration_message(registration()), r.to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x1d")
    assert caught.value.code == ReasonCode.SIGNATURE_INVALID


def test_a_point_that_does_not_exist_is_refused() -> None:
    message = registration_message(registration())
    r = (5).to_bytes(32, "big")  # no point of the curve has this x
    with pytest.raises(MarginproofError) as caught:
        recover_typed(message, r + (1).to_bytes(32, "big") + b"\x1b")
    assert caught.value.code == ReasonCode.SIGNATURE_INVALID


def test_signature_is_bound_to_message_and_network() -> None:
    owner = OWNER_ADDRESS
    message = request_message(NETWORK, b"\x01" * 32, "GetBook", 5)
    good = sign_typed(OWNER, message)
    others = (
        request_message(b"\x12" * 32, b"\x01" * 32, "GetBook", 5),
        request_message(NETWORK, b"\x02" * 32, "GetBook", 5),
        request_message(NETWORK, b"\x01" * 32, "GetMarginStatus", 5),
        request_message(NETWORK, b"\x01" * 32, "GetBook", 6),
    )
    for other in others:
        assert recover_typed(other, good) != owner


def test_secrets_do_not_show() -> None:
    shown = repr(sign_registration(registration(), OWNER)) + repr(registration().locks)
    for secret in (registration().blinding_seed, *(lock.salt for lock in registration().locks)):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
