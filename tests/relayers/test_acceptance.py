"""A lying peer gets no signature, and a false certificate no place."""

import dataclasses
from typing import Any

import pytest

from marginproof.attestation.certificates import assemble, partial_signature
from marginproof.model.certificates import AssuranceLevel, Certificate, CertificateBody, Leaf, LeafList, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.acceptance import check_certificate, check_proposal, own_body
from marginproof.relayers.protection import FixedList
from tests.attestation.builders import CHAIN, KEYS, OTHER_CHAIN, leaf
from tests.relayers.files import EPOCH_SECONDS, GENESIS, network_file

EPOCH = 7
CUTOFF = GENESIS + (EPOCH + 1) * EPOCH_SECONDS
REFERENCE = Reference(50, b"\x04" * 32, CUTOFF - 3)
VIEW = FixedList(CHAIN, EPOCH, REFERENCE, (leaf(1), leaf(2), leaf(3)))
NOW = CUTOFF + 10


def refusal(body: CertificateBody, leaves: tuple[Leaf, ...]) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        check_proposal(network_file(), VIEW, body, leaves)
    return caught.value.code


@pytest.mark.parametrize("chosen", [(1,), (2, 3), (1, 2, 3)])
def test_any_subset_of_the_own_leaves_is_signed(chosen: tuple[int, ...]) -> None:
    leaves = tuple(leaf(number) for number in chosen)
    check_proposal(network_file(), VIEW, own_body(network_file(), VIEW, leaves), leaves)


CHANGES: dict[str, tuple[Any, ReasonCode]] = {
    "network": (b"\x12" * 32, ReasonCode.WRONG_NETWORK),
    "chain": (OTHER_CHAIN, ReasonCode.CERTIFICATE_MISMATCH),
    "epoch": (EPOCH + 1, ReasonCode.CERTIFICATE_MISMATCH),
    "reference": (dataclasses.replace(REFERENCE, hash=b"\x05" * 32), ReasonCode.SIGNING_PROTECTION),
    "assurance": (AssuranceLevel.LIGHT_CLIENT_AND_PROOF, ReasonCode.CERTIFICATE_MISMATCH),
    "universe_digest": (b"\x12" * 32, ReasonCode.UNIVERSE_MISMATCH),
    "leaves_root": (LeafList((leaf(1),)).root(), ReasonCode.CERTIFICATE_MISMATCH),
    "signer_set": (b"\x12" * 32, ReasonCode.SIGNER_SET_UNKNOWN),
    "expires_at": (REFERENCE.timestamp + 7201, ReasonCode.CERTIFICATE_MISMATCH),
}


def test_every_field_of_a_body_has_its_change() -> None:
    assert set(CHANGES) == {field.name for field in dataclasses.fields(CertificateBody)}


@pytest.mark.parametrize("field", sorted(CHANGES))
def test_a_proposal_with_one_wrong_field_is_refused(field: str) -> None:
    value, code = CHANGES[field]
    body = dataclasses.replace(own_body(network_file(), VIEW, VIEW.leaves), **{field: value})
    assert refusal(body, VIEW.leaves) == code


@pytest.mark.parametrize(
    "reference", [dataclasses.replace(REFERENCE, number=1), dataclasses.replace(REFERENCE, timestamp=1)]
)
def test_every_part_of_the_reference_is_compared(reference: Reference) -> None:
    body = dataclasses.replace(own_body(network_file(), VIEW, VIEW.leaves), reference=reference)
    assert refusal(body, VIEW.leaves) == ReasonCode.SIGNING_PROTECTION


@pytest.mark.parametrize(
    ("leaves", "code"),
    [
        ((), ReasonCode.MALFORMED),
        ((leaf(2), leaf(1)), ReasonCode.LEAF_ORDER),
        ((leaf(1), leaf(1)), ReasonCode.LEAF_ORDER),
        ((leaf(1), leaf(4)), ReasonCode.LEAF_NOT_OWN),
        ((leaf(1, commitment=b"\xc1" + bytes(47)),), ReasonCode.LEAF_NOT_OWN),
        ((leaf(1, OTHER_CHAIN),), ReasonCode.LEAF_NOT_OWN),
    ],
)
def test_leaves_that_are_not_the_own_ones_are_refused(leaves: tuple[Leaf, ...], code: ReasonCode) -> None:
    assert refusal(own_body(network_file(), VIEW, leaves), leaves) == code


def certificate(body: CertificateBody) -> Certificate:
    return assemble(body, network_file().signer_set, {i: partial_signature(KEYS[i], body) for i in (0, 1)})


def rejection(certificate_: Certificate, leaves: tuple[Leaf, ...] = VIEW.leaves, now: int = NOW) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        check_certificate(network_file(), certificate_, leaves, now)
    return caught.value.code


def test_a_finished_certificate_is_kept() -> None:
    check_certificate(network_file(), certificate(own_body(network_file(), VIEW, VIEW.leaves)), VIEW.leaves, NOW)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("chain", "eip155:5", ReasonCode.CERTIFICATE_MISMATCH),
        ("chain", OTHER_CHAIN, ReasonCode.CERTIFICATE_MISMATCH),
        ("epoch", 8, ReasonCode.CERTIFICATE_MISMATCH),
        ("assurance", AssuranceLevel.QUORUM_VALUE, ReasonCode.CERTIFICATE_MISMATCH),
        ("universe_digest", b"\x12" * 32, ReasonCode.UNIVERSE_MISMATCH),
        ("leaves_root", b"\x12" * 32, ReasonCode.CERTIFICATE_MISMATCH),
        ("expires_at", 1, ReasonCode.CERTIFICATE_MISMATCH),
        ("network", b"\x12" * 32, ReasonCode.WRONG_NETWORK),
        ("signer_set", b"\x12" * 32, ReasonCode.SIGNER_SET_UNKNOWN),
    ],
)
def test_a_certificate_that_cannot_be_right_is_refused(field: str, value: Any, code: ReasonCode) -> None:
    body = dataclasses.replace(own_body(network_file(), VIEW, VIEW.leaves), **{field: value})
    assert rejection(certificate(body)) == code  # although enough relayers signed it


def test_a_reference_after_the_cutoff_is_refused() -> None:
    late = dataclasses.replace(VIEW, reference=dataclasses.replace(REFERENCE, timestamp=CUTOFF + 1))
    assert rejection(certificate(own_body(network_file(), late, late.leaves))) == ReasonCode.CERTIFICATE_MISMATCH


def test_signatures_of_a_certificate_are_checked() -> None:
    good = certificate(own_body(network_file(), VIEW, VIEW.leaves))
    forged = dataclasses.replace(good, signers=(True, False, True))
    assert rejection(forged) == ReasonCode.CERTIFICATE_SIGNATURE


def test_a_certificate_before_its_cutoff_or_with_disordered_leaves_is_refused() -> None:
    good = certificate(own_body(network_file(), VIEW, VIEW.leaves))
    assert rejection(good, now=CUTOFF - 6) == ReasonCode.CERTIFICATE_MISMATCH
    check_certificate(network_file(), good, VIEW.leaves, CUTOFF - 5)  # clocks may differ by the skew
    assert rejection(good, leaves=VIEW.leaves[::-1]) == ReasonCode.LEAF_ORDER
    assert rejection(good, leaves=()) == ReasonCode.MALFORMED
