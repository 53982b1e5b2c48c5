"""What the account checks of a venue before it proves: one thing wrong at a time."""

import dataclasses
from collections.abc import Callable

import pytest

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import (
    Decision,
    Outcome,
    Presentation,
    ProofContext,
    Purpose,
    SignedDecision,
    SignedSnapshot,
)
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message
from marginproof.prover.keys import MasterSecret
from marginproof.prover.venue_checks import (
    check_decision,
    check_policy,
    check_prices,
    check_recognition,
    check_snapshot,
)
from tests.prover.world import (
    FULL_POLICY,
    GENESIS,
    OTHER_VENUE,
    POLICY,
    PRICES,
    VENUE,
    VENUE_KEY,
    network_file,
    price_report,
    snapshot,
)

NETWORK = network_file()
NOW = GENESIS + 10_000
ACCOUNT = b"\x0c" * 32
STRANGER = MasterSecret(b"\x42" * 32, b"\x01" * 32).owner_key(0)
SNAPSHOT = snapshot(NETWORK, NOW)


def code_of(check: Callable[..., None], *arguments: object) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        check(*arguments)
    return caught.value.code


def test_an_honest_venue_passes() -> None:
    check_snapshot(SNAPSHOT, NETWORK, VENUE, NOW)
    check_prices(SNAPSHOT.snapshot, price_report(NETWORK, NOW), NETWORK)
    check_policy(POLICY.source, SNAPSHOT.snapshot, NOW)


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        (snapshot(NETWORK, NOW, network=b"\x01" * 32), ReasonCode.WRONG_NETWORK),
        (snapshot(NETWORK, NOW, venue=OTHER_VENUE), ReasonCode.WRONG_VENUE),
        (snapshot(NETWORK, NOW, universe_digest=b"\x01" * 32), ReasonCode.UNIVERSE_MISMATCH),
        (snapshot(NETWORK, NOW, key=STRANGER, venue=VENUE), ReasonCode.SNAPSHOT_SIGNATURE),
        (SignedSnapshot(SNAPSHOT.snapshot, bytes(65)), ReasonCode.SNAPSHOT_SIGNATURE),
        (
            dataclasses.replace(SNAPSHOT, snapshot=dataclasses.replace(SNAPSHOT.snapshot, price_slot=1)),
            ReasonCode.SNAPSHOT_SIGNATURE,
        ),
        (snapshot(NETWORK, NOW, expires_at=NOW), ReasonCode.SNAPSHOT_STALE),
        (snapshot(NETWORK, NOW, expires_at=NOW + 121), ReasonCode.SNAPSHOT_STALE),
        (snapshot(NETWORK, NOW + 61), ReasonCode.SNAPSHOT_STALE),
    ],
)
def test_each_wrong_snapshot_is_refused(signed: SignedSnapshot, code: ReasonCode) -> None:
    assert code_of(check_snapshot, signed, NETWORK, VENUE, NOW) is code


def test_freshness_to_the_second() -> None:
    check_snapshot(SNAPSHOT, NETWORK, VENUE, NOW + 119)
    assert code_of(check_snapshot, SNAPSHOT, NETWORK, VENUE, NOW + 120) is ReasonCode.SNAPSHOT_STALE
    check_snapshot(snapshot(NETWORK, NOW + 60), NETWORK, VENUE, NOW)


@pytest.mark.parametrize("shift", [51, -51])
def test_a_price_outside_the_band_is_refused(shift: int) -> None:
    price = PRICES["price:ETH"]
    inside = PRICES | {"price:ETH": price + price * (50 if shift > 0 else -50) // 10_000}
    outside = PRICES | {"price:ETH": price + price * shift // 10_000}
    report = price_report(NETWORK, NOW)
    check_prices(snapshot(NETWORK, NOW, inside).snapshot, report, NETWORK)
    assert code_of(check_prices, snapshot(NETWORK, NOW, outside).snapshot, report, NETWORK) is (
        ReasonCode.PRICE_OUTSIDE_BAND
    )


def test_each_wrong_report_is_refused() -> None:
    report = price_report(NETWORK, NOW)
    alone = dataclasses.replace(report, observations=report.observations[:1])
    assert code_of(check_prices, SNAPSHOT.snapshot, alone, NETWORK) is ReasonCode.SIGNERS_TOO_FEW
    lacking = price_report(NETWORK, NOW, {"price:ETH": PRICES["price:ETH"]})
    assert code_of(check_prices, SNAPSHOT.snapshot, lacking, NETWORK) is ReasonCode.PRICE_UNAVAILABLE
    other_slot = price_report(NETWORK, NOW, slot=SNAPSHOT.snapshot.price_slot - 1)
    assert code_of(check_prices, SNAPSHOT.snapshot, other_slot, NETWORK) is ReasonCode.PRICE_STALE


def test_an_old_report_is_refused() -> None:
    slot = SNAPSHOT.snapshot.price_slot
    for age, fresh in ((5, True), (6, False)):
        old = snapshot(NETWORK, NOW, price_slot=slot - age).snapshot
        report = price_report(NETWORK, NOW, slot=slot - age)
        if fresh:
            check_prices(old, report, NETWORK)
        else:
            assert code_of(check_prices, old, report, NETWORK) is ReasonCode.PRICE_STALE


def test_each_wrong_policy_is_refused() -> None:
    made = SNAPSHOT.snapshot
    assert code_of(check_policy, POLICY.source + b"\n", made, NOW) is ReasonCode.POLICY_NOT_ANNOUNCED
    assert code_of(check_policy, POLICY.source, made, None) is ReasonCode.POLICY_NOT_ANNOUNCED
    assert code_of(check_policy, POLICY.source, made, NOW + 1) is ReasonCode.POLICY_NOT_YET_EFFECTIVE


def test_full_recognition_needs_policy_and_agreement() -> None:
    both = frozenset({OTHER_VENUE})
    full = snapshot(NETWORK, NOW, policy=FULL_POLICY, full=[OTHER_VENUE]).snapshot
    check_recognition(full, both, both)
    check_recognition(SNAPSHOT.snapshot, both, frozenset())
    assert code_of(check_recognition, full, both, frozenset()) is ReasonCode.AGREEMENT_MISSING
    assert code_of(check_recognition, full, frozenset(), both) is ReasonCode.AGREEMENT_MISSING
    own = dataclasses.replace(full, full_recognition=(VENUE,))
    everybody = frozenset({VENUE, OTHER_VENUE})
    assert code_of(check_recognition, own, everybody, everybody) is ReasonCode.AGREEMENT_MISSING


CONTEXT = ProofContext(NETWORK.network_id, VENUE, ACCOUNT, Purpose.INITIAL, bytes(32), bytes(48), SNAPSHOT.digest, ())
PRESENTATION = Presentation(1, CONTEXT, (), (), bytes(32), 0, (), b"proof")


def decision(**changes: object) -> SignedDecision:
    fields = {
        "network": NETWORK.network_id,
        "venue": VENUE,
        "account": ACCOUNT,
        "presentation_digest": PRESENTATION.digest,
        "snapshot_digest": SNAPSHOT.digest,
        "purpose": Purpose.INITIAL,
        "outcome": Outcome.ACCEPT,
        "step": 0,
        "reasons": (),
        "decided_at": NOW,
    }
    made = Decision(**(fields | changes))  # type: ignore[arg-type] # fields of many types
    return SignedDecision(made, sign_typed(VENUE_KEY, decision_message(made)))


def test_the_venues_own_decision_passes() -> None:
    check_decision(decision(), PRESENTATION, NETWORK)


@pytest.mark.parametrize(
    "signed",
    [
        decision(network=b"\x01" * 32),
        decision(venue=OTHER_VENUE),
        decision(account=b"\x0d" * 32),
        decision(presentation_digest=b"\x01" * 32),
        decision(snapshot_digest=b"\x01" * 32),
        decision(purpose=Purpose.MAINTENANCE),
        dataclasses.replace(decision(), signature=bytes(65)),
        dataclasses.replace(decision(), decision=decision(outcome=Outcome.REJECT).decision),
    ],
)
def test_each_wrong_decision_is_refused(signed: SignedDecision) -> None:
    assert code_of(check_decision, signed, PRESENTATION, NETWORK) is ReasonCode.SIGNATURE_INVALID
