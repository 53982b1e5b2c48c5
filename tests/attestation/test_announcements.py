"""The relayers' announcement of a universe: who signs, what, when; every bad one."""

import dataclasses
from typing import Any

import pytest

from marginproof.attestation.announcements import (
    announcement_of,
    check_succession,
    sign_announcement,
    verify_announcement,
)
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import signing_root
from marginproof.model.succession import ANNOUNCEMENT_ROLE, AnnouncementSignature, SignedAnnouncement
from marginproof.model.universe import Entry, EntryKind, Universe
from tests.attestation.builders import KEYS, NETWORK, signer_set

CASH = Entry(0, "usd", EntryKind.CASH, 6, 10**12, "", "", bytes(20), 0, 0, 0, "")
OLD = Universe(1, 1, 256, (), (CASH,)).checked()
NEW = dataclasses.replace(OLD, version=2, compatible_since=2, entries=(dataclasses.replace(CASH, lot_exponent=4),))
SAME = dataclasses.replace(OLD, version=2)
NOTICE, SKEW, TIME = 1000, 5, 1_700_000_000
CODES = {"invalid": ReasonCode.ANNOUNCEMENT_INVALID, "incompatible": ReasonCode.UNIVERSE_INCOMPATIBLE}


def unsigned(**changes: Any) -> SignedAnnouncement:
    announcement = announcement_of(NETWORK, OLD, NEW, TIME)
    return SignedAnnouncement(dataclasses.replace(announcement, **changes), ())


def sign(signed: SignedAnnouncement, *signers: int, **changes: Any) -> SignedAnnouncement:
    for signer in signers:
        arguments: dict[str, Any] = {"network_id": NETWORK, "old": OLD, "new": NEW, "now": TIME, **changes}
        arguments |= {"clock_skew_seconds": SKEW, "notice_seconds": NOTICE}
        signed = sign_announcement(KEYS[signer], signer, signed, **arguments)
    return signed


def verify(signed: SignedAnnouncement, **changes: Any) -> None:
    arguments = {"network_id": NETWORK, "old": OLD, "new": NEW, "signer_set": signer_set(), **changes}
    verify_announcement(signed, **arguments)


def succession(announcement: SignedAnnouncement | None, **changes: Any) -> None:
    arguments = {"network_id": NETWORK, "signer_set": signer_set(), "notice_seconds": NOTICE, "now": TIME + NOTICE}
    new = changes.pop("new", NEW)
    check_succession(OLD, new, announcement, **{**arguments, **changes})


def code_of(work: Any, *arguments: Any, **changes: Any) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        work(*arguments, **changes)
    assert caught.value.fix
    return caught.value.code


def test_enough_relayers_in_any_order() -> None:
    signed = sign(unsigned(), 2, 0)
    assert [one.signer for one in signed.signatures] == [0, 2]
    verify(SignedAnnouncement.decode(signed.encode()))
    succession(signed)
    assert sign(signed, 2) == signed, "signing again changes nothing"


def test_a_compatible_successor_needs_no_announcement() -> None:
    succession(None, new=SAME)
    assert code_of(succession, None) is ReasonCode.ANNOUNCEMENT_INVALID


def test_the_notice_runs_in_full() -> None:
    signed = sign(unsigned(), 0, 1)
    assert code_of(succession, signed, now=TIME + NOTICE - 1) is ReasonCode.ANNOUNCEMENT_INVALID
    succession(signed, now=TIME + NOTICE)


def test_too_few_and_unknown_signers() -> None:
    assert code_of(succession, sign(unsigned(), 1)) is ReasonCode.SIGNERS_TOO_FEW
    signed = sign(unsigned(), 0, 1)
    stranger = AnnouncementSignature(3, signed.signatures[0].signature)
    assert code_of(verify, dataclasses.replace(signed, signatures=(*signed.signatures, stranger))) is CODES["invalid"]


@pytest.mark.parametrize("order", [(0, 0), (1, 0)])
def test_one_relayer_never_counts_twice(order: tuple[int, int]) -> None:
    signed = sign(unsigned(), 0, 1)
    twice = dataclasses.replace(signed, signatures=tuple(signed.signatures[place] for place in order))
    assert code_of(verify, twice) is ReasonCode.ANNOUNCEMENT_INVALID


def test_a_signature_of_another_role_network_or_key() -> None:
    signed = unsigned()
    for root in (
        signing_root(signed.announcement, "observation", NETWORK),
        signing_root(signed.announcement, ANNOUNCEMENT_ROLE, b"\x12" * 32),
        bytes(32),
    ):
        wrong = AnnouncementSignature(0, KEYS[0].sign(root))
        good = sign(signed, 1).signatures
        assert code_of(verify, dataclasses.replace(signed, signatures=(wrong, *good))) is CODES["invalid"]


@pytest.mark.parametrize(
    "change",
    [
        {"network": b"\x12" * 32},
        {"old_digest": bytes(32)},
        {"new_digest": bytes(32)},
        {"version": 3},
        {"compatible_since": 1},
    ],
)
def test_an_announcement_of_something_else_is_neither_signed_nor_accepted(change: dict[str, Any]) -> None:
    wrong = unsigned(**change)
    assert code_of(sign, wrong, 0) is ReasonCode.ANNOUNCEMENT_INVALID
    root = signing_root(wrong.announcement, ANNOUNCEMENT_ROLE, NETWORK)
    forged = tuple(AnnouncementSignature(signer, KEYS[signer].sign(root)) for signer in (0, 1))
    assert code_of(verify, dataclasses.replace(wrong, signatures=forged)) is ReasonCode.ANNOUNCEMENT_INVALID


def test_a_relayer_signs_no_time_that_is_past_or_far_ahead() -> None:
    for now in (TIME + SKEW, TIME, TIME - NOTICE):
        sign(unsigned(), 0, now=now)
    for now in (TIME + SKEW + 1, TIME - NOTICE - 1):
        assert code_of(sign, unsigned(), 0, now=now) is ReasonCode.ANNOUNCEMENT_INVALID


def test_a_relayer_signs_no_successor_that_breaks_a_rule() -> None:
    bad = dataclasses.replace(NEW, compatible_since=1)
    assert code_of(sign, unsigned(), 0, new=bad) is ReasonCode.UNIVERSE_INCOMPATIBLE
    assert code_of(succession, sign(unsigned(), 0, 1), new=bad) is ReasonCode.UNIVERSE_INCOMPATIBLE


@pytest.mark.parametrize("data", [b"", b"\x00" * 7, b"\xff" * 500])
def test_other_bytes_are_no_announcement(data: bytes) -> None:
    with pytest.raises(MarginproofError) as caught:
        SignedAnnouncement.decode(data)
    assert caught.value.code is ReasonCode.MALFORMED
