import dataclasses
from typing import Any

import pytest

from marginproof.attestation.certificates import (
    assemble,
    partial_signature,
    verify_certificate,
    verify_partial,
)
from marginproof.attestation.signer_sets import check_signer_set
from marginproof.model.certificates import AssuranceLevel, Certificate, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.network import SignerSet
from marginproof.model.reasons import ReasonCode
from tests.attestation.builders import KEYS, NETWORK, OTHER_CHAIN, body, certificate, leaf, signer_set


def refusal(certificate_: Certificate, network: bytes = NETWORK, signers: SignerSet | None = None) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        verify_certificate(certificate_, network, signers or signer_set())
    return caught.value.code


@pytest.mark.parametrize("signers", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_any_threshold_of_relayers_makes_a_certificate(signers: tuple[int, ...]) -> None:
    made = certificate(body((leaf(1),)), signers)
    verify_certificate(made, NETWORK, signer_set())
    assert Certificate.decode(made.encode()) == made


def test_digest_is_of_the_body_alone() -> None:
    of = body((leaf(1),))
    assert certificate(of, (0, 1)).digest == certificate(of, (0, 1, 2)).digest == of.root()


def test_expires_at_the_reference_time_plus_the_certificates_life() -> None:
    assert body().expires_at == 1_700_000_000 + 7200


CHANGES: dict[str, Any] = {
    "chain": OTHER_CHAIN,
    "epoch": 6,
    "reference": Reference(17, b"\x45" * 32, 1_700_000_000),
    "assurance": AssuranceLevel.QUORUM_VALUE,
    "universe_digest": b"\x23" * 32,
    "leaves_root": b"\x24" * 32,
    "expires_at": 1_800_000_000,
}


@pytest.mark.parametrize("field", sorted(CHANGES))
def test_a_changed_field_breaks_the_signature(field: str) -> None:
    made = certificate(body((leaf(1),)))
    changed = dataclasses.replace(made, body=dataclasses.replace(made.body, **{field: CHANGES[field]}))
    assert refusal(changed) == ReasonCode.CERTIFICATE_SIGNATURE


def test_another_network_is_refused() -> None:
    made = certificate(body((leaf(1),)))
    assert refusal(made, network=b"\x12" * 32) == ReasonCode.WRONG_NETWORK


def test_a_signature_does_not_carry_over_to_another_network() -> None:
    made = certificate(body((leaf(1),)))
    other = b"\x12" * 32
    moved = dataclasses.replace(made, body=dataclasses.replace(made.body, network=other))
    assert refusal(moved, network=other) == ReasonCode.CERTIFICATE_SIGNATURE


def test_another_signer_set_is_refused() -> None:
    made = certificate(body((leaf(1),)))
    assert refusal(made, signers=signer_set(threshold=3)) == ReasonCode.SIGNER_SET_UNKNOWN


def test_a_signer_set_does_not_sign_before_its_first_epoch() -> None:
    later = dataclasses.replace(signer_set(), first_epoch=6)
    made = certificate(body((leaf(1),), signer_set=later.root()))
    assert refusal(made, signers=later) == ReasonCode.SIGNER_SET_UNKNOWN


def test_too_few_signers_are_refused() -> None:
    of = body((leaf(1),))
    one = Certificate(of, (True, False, False), partial_signature(KEYS[0], of))
    assert refusal(one) == ReasonCode.SIGNERS_TOO_FEW


@pytest.mark.parametrize("bits", [(True, True), (True, True, False, False), ()])
def test_bits_that_do_not_fit_the_set_are_refused(bits: tuple[bool, ...]) -> None:
    made = dataclasses.replace(certificate(body((leaf(1),)), (0, 1)), signers=bits)
    assert refusal(made) == ReasonCode.SIGNER_SET_UNKNOWN


def test_a_signer_that_did_not_sign_is_found_out() -> None:
    made = certificate(body((leaf(1),)), (0, 1))
    for bits in ((True, False, True), (False, True, True), (True, True, True)):
        assert refusal(dataclasses.replace(made, signers=bits)) == ReasonCode.CERTIFICATE_SIGNATURE


@pytest.mark.parametrize("signature", [bytes(96), b"\xc0" + bytes(95), b"\xff" * 96])
def test_garbage_signatures_are_refused(signature: bytes) -> None:
    made = dataclasses.replace(certificate(body((leaf(1),))), signature=signature)
    assert refusal(made) == ReasonCode.CERTIFICATE_SIGNATURE


def test_assembling_needs_the_threshold_and_known_signers() -> None:
    of = body((leaf(1),))
    partials = {signer: partial_signature(KEYS[signer], of) for signer in range(3)}
    for signatures, code in (
        ({0: partials[0]}, ReasonCode.SIGNERS_TOO_FEW),
        ({0: partials[0], 3: partials[1]}, ReasonCode.SIGNER_SET_UNKNOWN),
    ):
        with pytest.raises(MarginproofError) as caught:
            assemble(of, signer_set(), signatures)
        assert caught.value.code == code


def test_partial_signatures_are_of_one_key_and_one_body() -> None:
    of = body((leaf(1),))
    partial = partial_signature(KEYS[0], of)
    verify_partial(KEYS[0].public_key, of, partial)
    for key, other in ((KEYS[1], of), (KEYS[0], body((leaf(2),)))):
        with pytest.raises(MarginproofError) as caught:
            verify_partial(key.public_key, other, partial)
        assert caught.value.code == ReasonCode.CERTIFICATE_SIGNATURE


def test_signer_set_is_taken_with_possession_of_every_key() -> None:
    proofs = [key.prove_possession() for key in KEYS]
    check_signer_set(signer_set(), proofs)
    for wrong in ([proofs[0], proofs[1], proofs[1]], [proofs[0], proofs[1], bytes(96)]):
        with pytest.raises(MarginproofError) as caught:
            check_signer_set(signer_set(), wrong)
        assert caught.value.code == ReasonCode.POSSESSION_INVALID
        assert caught.value.fields == {"signer": 2}


@pytest.mark.parametrize(
    "bad",
    [
        signer_set(threshold=1),
        signer_set(threshold=4),
        signer_set([KEYS[0], KEYS[0], KEYS[1]]),
        dataclasses.replace(signer_set(), relayers=signer_set().relayers[::-1]),
        dataclasses.replace(signer_set(), relayers=signer_set().relayers[:2]),
    ],
    ids=["minority", "more-than-all", "repeated-key", "order", "missing-possession"],
)
def test_weak_or_disordered_signer_sets_are_refused(bad: SignerSet) -> None:
    proofs = [key.prove_possession() for key in KEYS]
    with pytest.raises(MarginproofError) as caught:
        check_signer_set(bad, proofs)
    assert caught.value.code == ReasonCode.CONFIG_INVALID
