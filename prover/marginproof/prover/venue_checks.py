"""What an account checks of a venue before it proves: snapshot, prices, policy, recognition; then its decision."""

import hashlib

from marginproof.attestation.typed_signing import recover_typed
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, RefusedError, UnavailableError
from marginproof.model.margin import Presentation, SignedDecision, SignedSnapshot, Snapshot
from marginproof.model.network import Configuration, price_slot_of
from marginproof.model.network_file import NetworkFile
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message, snapshot_message
from marginproof.oracles.report import require_points, usable_prices

_BASIS: int = 10_000


def check_snapshot(signed: SignedSnapshot, network: NetworkFile, venue: bytes, now: int) -> None:
    """Checks whose snapshot it is and that it is current.

    Raises:
        RefusedError: WRONG_NETWORK, WRONG_VENUE, SNAPSHOT_SIGNATURE, UNIVERSE_MISMATCH.
        UnavailableError: SNAPSHOT_STALE.
    """
    snapshot, configuration = signed.snapshot, network.configuration
    if snapshot.network != network.network_id:
        raise _refused(ReasonCode.WRONG_NETWORK, "the snapshot is of another network")
    if snapshot.venue != venue:
        raise _refused(ReasonCode.WRONG_VENUE, "the snapshot is of another venue")
    if snapshot.universe_digest != network.universe.root():
        raise _refused(ReasonCode.UNIVERSE_MISMATCH, "the snapshot is of another universe")
    if not _signed_by(venue, snapshot_message(snapshot), signed.signature):
        raise _refused(ReasonCode.SNAPSHOT_SIGNATURE, "the snapshot is not signed by the venue")
    lasts = snapshot.expires_at - snapshot.created_at
    early = snapshot.created_at > now + configuration.clock_skew_seconds
    if snapshot.expires_at <= now or early or not 0 < lasts <= configuration.snapshot_seconds:
        raise UnavailableError(
            "the venue's snapshot is not current",
            code=ReasonCode.SNAPSHOT_STALE,
            fix="fetch it again; if this lasts, compare the clock of this machine with the venue's",
        )


def check_prices(snapshot: Snapshot, report: PriceReport, network: NetworkFile) -> None:
    """Checks the report's signatures and that the snapshot's values lie in the band around the relayers' medians.

    Raises:
        RefusedError: PRICE_OUTSIDE_BAND, naming the point.
        UnavailableError: PRICE_STALE: the report is older than a snapshot may be.
        MarginproofError: All of :func:`usable_prices`; PRICE_UNAVAILABLE.
    """
    configuration = network.configuration
    medians = usable_prices(
        report,
        universe=network.universe,
        network_id=network.network_id,
        signer_set=network.signer_set,
        threshold=configuration.threshold,
        slot=snapshot.price_slot,
    )
    if _slots_between(configuration, snapshot) * configuration.price_seconds > configuration.snapshot_seconds:
        raise UnavailableError(
            "the venue's snapshot rests on an old price report", code=ReasonCode.PRICE_STALE, fix="fetch it again later"
        )
    require_points(medians, (value.point for value in snapshot.values))
    for value in snapshot.values:
        median = medians[value.point]
        if abs(value.value - median) * _BASIS > configuration.price_band_bps * median:
            raise RefusedError(
                ReasonCode.PRICE_OUTSIDE_BAND,
                f"the venue's value for {value.point} is too far from what the relayers observed",
                fix="do not prove on it; ask the venue for a new snapshot",
                fields={"point": value.point},
            )


def check_policy(source: bytes, snapshot: Snapshot, effective_at: int | None) -> None:
    """Checks that these bytes are the snapshot's policy and that it was in force when the snapshot was made.

    Args:
        source: The policy file from the venue.
        snapshot: Verified.
        effective_at: What the registry says of this venue and digest, UTC seconds; None: never announced.

    Raises:
        RefusedError: POLICY_NOT_ANNOUNCED, POLICY_NOT_YET_EFFECTIVE.
    """
    if effective_at is None or hashlib.sha256(source).digest() != snapshot.policy_digest:
        raise RefusedError(
            ReasonCode.POLICY_NOT_ANNOUNCED,
            "the venue uses a policy that it did not announce on the registry",
            fix="do not prove under it; ask the venue to announce it",
        )
    if effective_at > snapshot.created_at:
        raise RefusedError(
            ReasonCode.POLICY_NOT_YET_EFFECTIVE,
            "the venue uses a policy before its announced time",
            fix=f"prove again after {effective_at} (UTC seconds)",
            fields={"effective_at": effective_at},
        )


def check_recognition(snapshot: Snapshot, listed: frozenset[bytes], agreed: frozenset[bytes]) -> None:
    """Checks that the snapshot counts in full only pledges of venues that it may count so.

    Args:
        snapshot: Verified.
        listed: Venues that the policy names for it.
        agreed: Venues that the registry shows in a mutual agreement with this one.

    Raises:
        RefusedError: AGREEMENT_MISSING.
    """
    for venue in snapshot.full_recognition:
        if venue not in listed or venue not in agreed or venue == snapshot.venue:
            raise RefusedError(
                ReasonCode.AGREEMENT_MISSING,
                f"the snapshot counts pledges of {format_address(venue)} in full without policy and mutual agreement",
                fix="do not prove on it; if the agreement is new, try again once it is final",
                fields={"venue": format_address(venue)},
            )


def check_decision(signed: SignedDecision, presentation: Presentation, network: NetworkFile) -> None:
    """Checks that the decision is the venue's signed answer to exactly this presentation.

    Raises:
        RefusedError: SIGNATURE_INVALID.
    """
    decision, context = signed.decision, presentation.context
    answers = (
        decision.network == network.network_id
        and decision.venue == context.venue
        and decision.account == context.account
        and decision.presentation_digest == presentation.digest
        and decision.snapshot_digest == context.snapshot_digest
        and decision.purpose == context.purpose
    )
    if not answers or not _signed_by(context.venue, decision_message(decision), signed.signature):
        raise _refused(ReasonCode.SIGNATURE_INVALID, "the decision is not the venue's signed answer to this proof")


def _signed_by(address: bytes, message: dict[str, object], signature: bytes) -> bool:
    try:
        return recover_typed(message, signature) == address
    except MarginproofError:
        return False


def _slots_between(configuration: Configuration, snapshot: Snapshot) -> int:
    return max(price_slot_of(configuration, snapshot.created_at) - snapshot.price_slot - 1, 0)


def _refused(code: ReasonCode, message: str) -> RefusedError:
    return RefusedError(code, message, fix="do not rely on this answer; ask the venue again or report it")
