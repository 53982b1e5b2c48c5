"""The relayers' announcement of a universe that ends the meaning of older pledges: t of them, N ahead."""

from operator import attrgetter

from marginproof import core
from marginproof.attestation.digests import digest_of
from marginproof.model.errors import RefusedError
from marginproof.model.network import SignerSet
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import signing_root
from marginproof.model.succession import (
    ANNOUNCEMENT_ROLE,
    AnnouncementSignature,
    SignedAnnouncement,
    UniverseAnnouncement,
    check_successor,
)
from marginproof.model.universe import Universe


def announcement_of(network_id: bytes, old: Universe, new: Universe, announced_at: int) -> UniverseAnnouncement:
    """What relayers say of a successor.

    Args:
        network_id: The network's id, 32 bytes.
        old: The version in force.
        new: The next one.
        announced_at: UTC seconds from which the notice runs.

    Raises:
        RefusedError: UNIVERSE_INCOMPATIBLE.
    """
    check_successor(old, new)
    return UniverseAnnouncement(
        network_id, digest_of(old), digest_of(new), new.version, new.compatible_since, announced_at
    )


def sign_announcement(
    key: core.SigningKey,
    signer: int,
    signed: SignedAnnouncement,
    *,
    network_id: bytes,
    old: Universe,
    new: Universe,
    now: int,
    clock_skew_seconds: int,
    notice_seconds: int,
) -> SignedAnnouncement:
    """Adds one relayer's signature, after everything that the relayer can know was checked.

    Args:
        key: The relayer's.
        signer: Its place in the signer set.
        signed: The announcement and what others signed.
        network_id: The network's id, 32 bytes.
        old: The version in force, from the relayer's own network file.
        new: The next one.
        now: UTC seconds.
        clock_skew_seconds: How far clocks may differ: the notice must not have begun longer ago than this.
        notice_seconds: N; an announcement further ahead than this is a slip of the pen.

    Raises:
        RefusedError: UNIVERSE_INCOMPATIBLE; ANNOUNCEMENT_INVALID (another announcement, or of a time that is past
            or too far ahead).
    """
    announcement = signed.announcement
    _check_subject(announcement, network_id, old, new)
    if announcement.announced_at < now - clock_skew_seconds:
        raise _invalid("the announcement's time is past: signed now it would shorten the notice", "announce it anew")
    if announcement.announced_at > now + notice_seconds:
        raise _invalid("the announcement's time lies further ahead than the notice is long", "announce it anew")
    root = signing_root(announcement, ANNOUNCEMENT_ROLE, network_id)
    others = [one for one in signed.signatures if one.signer != signer]
    own = AnnouncementSignature(signer, key.sign(root))
    return SignedAnnouncement(announcement, tuple(sorted([*others, own], key=attrgetter("signer"))))


def verify_announcement(
    signed: SignedAnnouncement, *, network_id: bytes, old: Universe, new: Universe, signer_set: SignerSet
) -> None:
    """Checks that t relayers announced exactly this succession; says nothing of its age.

    Args:
        signed: From anywhere.
        network_id: The network's id, 32 bytes.
        old: The version in force.
        new: The next one.
        signer_set: The set that the network pins.

    Raises:
        RefusedError: UNIVERSE_INCOMPATIBLE; ANNOUNCEMENT_INVALID (another network, universe or version; a
            signature that does not hold, of nobody in the set, or twice of one).
        MarginproofError: SIGNERS_TOO_FEW.
    """
    _check_subject(signed.announcement, network_id, old, new)
    signers = [one.signer for one in signed.signatures]
    if signers != sorted(set(signers)):
        raise _invalid("the signers of an announcement must rise", "collect the signatures again")
    root = signing_root(signed.announcement, ANNOUNCEMENT_ROLE, network_id)
    for one in signed.signatures:
        if one.signer >= len(signer_set.relayers):
            raise _invalid("a signature is of nobody in the signer set", "collect the signatures again")
        try:
            core.verify_signature(signer_set.relayers[one.signer].public_key, root, one.signature)
        except core.CoreError as error:
            raise _invalid(f"relayer {one.signer} did not sign this announcement", "ask it to sign again") from error
    if len(signers) < signer_set.threshold:
        raise RefusedError(
            ReasonCode.SIGNERS_TOO_FEW,
            f"{len(signers)} relayers signed the announcement, {signer_set.threshold} are needed",
            fix="have more relayers sign it: marginproof relayer announce-universe",
            fields={"signers": len(signers), "threshold": signer_set.threshold},
        )


def check_succession(
    old: Universe,
    new: Universe,
    announcement: SignedAnnouncement | None,
    *,
    network_id: bytes,
    signer_set: SignerSet,
    notice_seconds: int,
    now: int,
) -> None:
    """The whole rule: whether ``new`` may come into force now.

    Raises:
        RefusedError: UNIVERSE_INCOMPATIBLE; ANNOUNCEMENT_INVALID (none where one is needed, or younger than N), and
            as :func:`verify_announcement`.
    """
    if not check_successor(old, new):
        return
    if announcement is None:
        raise _invalid(
            "compatible_since rises, which relayers must have announced",
            "have t relayers sign it: marginproof relayer announce-universe",
        )
    verify_announcement(announcement, network_id=network_id, old=old, new=new, signer_set=signer_set)
    effective_at = announcement.announcement.announced_at + notice_seconds
    if now < effective_at:
        raise RefusedError(
            ReasonCode.ANNOUNCEMENT_INVALID,
            f"the announcement is younger than the notice of {notice_seconds} s",
            fix=f"wait until {effective_at} (UTC seconds)",
            fields={"effective_at": effective_at},
        )


def _check_subject(announcement: UniverseAnnouncement, network_id: bytes, old: Universe, new: Universe) -> None:
    if announcement != announcement_of(network_id, old, new, announcement.announced_at):
        raise _invalid(
            "the announcement is of another network or another change of the universe",
            "compare the digests with: marginproof network universe check",
        )


def _invalid(message: str, fix: str) -> RefusedError:
    return RefusedError(ReasonCode.ANNOUNCEMENT_INVALID, message, fix=fix)
