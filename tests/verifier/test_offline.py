"""An auditor's check: the whole report of a good bundle, and each line going red for its own fault."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.bundle import PresentationBundle
from marginproof.model.margin import Decision, Outcome, Presentation, Purpose, SignedDecision, SignedSnapshot
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message, snapshot_message
from marginproof.verifier.offline import CheckOutcome, StepResult, check_presentation
from tests.verifier.world import (
    ACCOUNT,
    FILE,
    HOME,
    NETWORK_ID,
    NOW,
    OTHER,
    OWNER_KEY,
    PRICES,
    STRANGER_KEY,
    VENUE,
    VENUE_KEY,
    World,
    certify,
    price_report,
    record_of,
)

Change = Callable[[World, PresentationBundle], PresentationBundle]


def decision(world: World, data_digest: bytes, **changes: Any) -> SignedDecision:
    plain = Decision(NETWORK_ID, VENUE, ACCOUNT, data_digest, world.snapshot.digest, 2, Outcome.ACCEPT, 0, (), NOW + 5)
    changed = dataclasses.replace(plain, **changes)
    return SignedDecision(changed, sign_typed(VENUE_KEY, decision_message(changed)))


@pytest.fixture(scope="module")
def bundle(world: World) -> PresentationBundle:
    presentation = world.present()
    return PresentationBundle(
        network_id=NETWORK_ID,
        policy=world.policy.source,
        signed_snapshot=world.snapshot.encode(),
        price_report=world.report.encode(),
        registry_record=world.record.encode(),
        presentation=presentation.encode(),
        certificates=tuple(leaf.certificate.encode() for leaf in world.leaves),
        signed_decision=decision(world, presentation.digest).encode(),
    )


def failures(report: list[StepResult]) -> dict[str, ReasonCode | None]:
    return {line.name: line.reason for line in report if line.outcome is CheckOutcome.FAIL}


def test_a_good_bundle_passes_every_line_that_files_allow(bundle: PresentationBundle) -> None:
    report = check_presentation(FILE, bundle)
    assert failures(report) == {}
    skipped = {line.name for line in report if line.outcome is CheckOutcome.SKIPPED}
    assert skipped == {"policy announced", "certificates newest", "registry record", "proposal and book", "ledger"}
    assert all("not checkable offline" in line.detail for line in report if line.outcome is CheckOutcome.SKIPPED)
    numbers = [line.number for line in report]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 9))


def of_a_new_pledge(world: World, bundle: PresentationBundle) -> PresentationBundle:
    presentation = world.present(pledge=world.proposal, purpose=Purpose.INITIAL)
    return dataclasses.replace(bundle, presentation=presentation.encode(), signed_decision=None)


def test_a_proof_of_a_new_pledge_passes_with_its_consent(world: World, bundle: PresentationBundle) -> None:
    report = check_presentation(FILE, of_a_new_pledge(world, bundle))
    assert failures(report) == {}
    assert "consent" in next(line.detail for line in report if line.name == "pledges")


def with_another_consent(world: World, bundle: PresentationBundle) -> PresentationBundle:
    assert world.proposal is not None
    consent = world.consent(world.proposal.commitment, key=STRANGER_KEY)
    presentation = Presentation.decode(of_a_new_pledge(world, bundle).presentation)
    changed = dataclasses.replace(presentation, consent=(consent,))
    return dataclasses.replace(bundle, presentation=changed.encode(), signed_decision=None)


def with_record(**fields: Any) -> Change:
    """A record of the right digest that says something else."""
    return lambda world, bundle: dataclasses.replace(
        bundle, registry_record=dataclasses.replace(world.record, **fields).encode()
    )


def a_pledge_elsewhere_left_out(world: World, bundle: PresentationBundle) -> PresentationBundle:
    return dataclasses.replace(bundle, registry_record=record_of(world.pledge).encode())


def test_without_a_decision_that_line_is_skipped(bundle: PresentationBundle) -> None:
    report = check_presentation(FILE, dataclasses.replace(bundle, signed_decision=None))
    assert report[-1].outcome is CheckOutcome.SKIPPED
    assert failures(report) == {}


def other_snapshot(world: World, bundle: PresentationBundle) -> PresentationBundle:
    later = dataclasses.replace(world.snapshot.snapshot, created_at=NOW + 1)
    signed = dataclasses.replace(world.snapshot, snapshot=later)
    return dataclasses.replace(bundle, signed_snapshot=signed.encode())


def snapshot_of_a_stranger(world: World, bundle: PresentationBundle) -> PresentationBundle:
    signature = sign_typed(OWNER_KEY, snapshot_message(world.snapshot.snapshot))
    return dataclasses.replace(
        bundle, signed_snapshot=dataclasses.replace(world.snapshot, signature=signature).encode()
    )


def snapshot_with(slot: int | None = None, **fields: Any) -> Change:
    """Whatever the venue itself signed, with everything else fitting it."""

    def change(world: World, bundle: PresentationBundle) -> PresentationBundle:
        report = world.report if slot is None else price_report(slot)
        snapshot = dataclasses.replace(world.snapshot.snapshot, **fields)
        signed = SignedSnapshot(snapshot, sign_typed(VENUE_KEY, snapshot_message(snapshot)))
        presentation = dataclasses.replace(world, snapshot=signed).present()
        return dataclasses.replace(
            bundle,
            signed_snapshot=signed.encode(),
            price_report=report.encode(),
            presentation=presentation.encode(),
            signed_decision=None,
        )

    return change


def other_prices(_world: World, bundle: PresentationBundle) -> PresentationBundle:
    report = price_report(prices={**PRICES, "price:ETH": 2_011 * 10**8})
    return dataclasses.replace(bundle, price_report=report.encode())


def forged_certificate(world: World, bundle: PresentationBundle) -> PresentationBundle:
    good = world.leaves[0].certificate
    forged = dataclasses.replace(good, signature=world.leaves[1].certificate.signature)
    return dataclasses.replace(bundle, certificates=(forged.encode(), bundle.certificates[1]))


def with_another_point(world: World, bundle: PresentationBundle) -> PresentationBundle:
    data = world.present()
    changed = dataclasses.replace(data, proof=world.leaves[0].included.leaf.commitment + data.proof[48:])
    return dataclasses.replace(bundle, presentation=changed.encode(), signed_decision=None)


def wrong_payee(world: World, bundle: PresentationBundle) -> PresentationBundle:
    changed = dataclasses.replace(world.present(), payee_salt=bytes(32))
    return dataclasses.replace(bundle, presentation=changed.encode(), signed_decision=None)


def short_lived(world: World, bundle: PresentationBundle) -> PresentationBundle:
    leaves = [certify(HOME, certificate_seconds=200), certify(OTHER)]
    return dataclasses.replace(
        bundle,
        presentation=world.present(leaves).encode(),
        certificates=tuple(leaf.certificate.encode() for leaf in leaves),
        signed_decision=None,
    )


def late(world: World, bundle: PresentationBundle) -> PresentationBundle:
    digest = Presentation.decode(bundle.presentation).digest
    signed = decision(world, digest, decided_at=world.snapshot.snapshot.expires_at)
    return dataclasses.replace(bundle, signed_decision=signed.encode())


def before_its_snapshot(world: World, bundle: PresentationBundle) -> PresentationBundle:
    digest = Presentation.decode(bundle.presentation).digest
    skew = FILE.configuration.clock_skew_seconds
    signed = decision(world, digest, decided_at=world.snapshot.snapshot.created_at - skew - 1)
    return dataclasses.replace(bundle, signed_decision=signed.encode())


def decision_on_another(world: World, bundle: PresentationBundle) -> PresentationBundle:
    return dataclasses.replace(bundle, signed_decision=decision(world, b"\x01" * 32).encode())


def decision_of_a_stranger(world: World, bundle: PresentationBundle) -> PresentationBundle:
    assert bundle.signed_decision is not None
    signed = SignedDecision.decode(bundle.signed_decision)
    signature = sign_typed(OWNER_KEY, decision_message(signed.decision))
    return dataclasses.replace(bundle, signed_decision=dataclasses.replace(signed, signature=signature).encode())


def for_venue(world: World, bundle: PresentationBundle) -> PresentationBundle:
    return dataclasses.replace(bundle, presentation=world.present(venue=b"\x66" * 20).encode(), signed_decision=None)


def changed(**fields: Any) -> Change:
    return lambda _world, bundle: dataclasses.replace(bundle, **fields)


R = ReasonCode
CASES: list[tuple[str, str, ReasonCode, Change]] = [
    ("another network's bundle", "presentation", R.WRONG_NETWORK, changed(network_id=bytes(32))),
    ("bytes", "presentation", R.PRESENTATION_MALFORMED, changed(presentation=b"x")),
    ("an unlisted venue", "presentation", R.WRONG_VENUE, for_venue),
    ("another snapshot", "snapshot signed by the venue", R.SNAPSHOT_UNKNOWN, other_snapshot),
    (
        "a snapshot without end",
        "snapshot signed by the venue",
        R.SNAPSHOT_STALE,
        snapshot_with(expires_at=NOW + FILE.configuration.snapshot_seconds + 1),
    ),
    ("prices of long ago", "prices against the report", R.PRICE_STALE, snapshot_with(7, price_slot=7)),
    ("a stranger's snapshot", "snapshot signed by the venue", R.SNAPSHOT_SIGNATURE, snapshot_of_a_stranger),
    ("no snapshot", "snapshot signed by the venue", R.MALFORMED, changed(signed_snapshot=b"")),
    (
        "another policy",
        "policy and rows",
        R.POLICY_NOT_ANNOUNCED,
        lambda w, b: dataclasses.replace(b, policy=b.policy + b"#"),
    ),
    ("no policy", "policy and rows", R.POLICY_INVALID, changed(policy=b"")),
    ("other prices", "prices against the report", R.PRICE_OUTSIDE_BAND, other_prices),
    (
        "another slot's prices",
        "prices against the report",
        R.PRICE_STALE,
        lambda w, b: dataclasses.replace(b, price_report=price_report(7).encode()),
    ),
    (
        "one observer",
        "prices against the report",
        R.SIGNERS_TOO_FEW,
        lambda w, b: dataclasses.replace(b, price_report=price_report(observers=1).encode()),
    ),
    ("a forged certificate", "certificates signed by relayers", R.CERTIFICATE_SIGNATURE, forged_certificate),
    (
        "a certificate too few",
        "certificates signed by relayers",
        R.CERTIFICATE_UNKNOWN,
        lambda w, b: dataclasses.replace(b, certificates=b.certificates[:1]),
    ),
    ("an expired certificate", "certificates in force", R.CERTIFICATE_EXPIRED, short_lived),
    ("another payee", "leaves and payee", R.VENUE_NOT_PAYEE, wrong_payee),
    ("no registry record", "pledges", R.MALFORMED, changed(registry_record=b"")),
    ("a record of another digest", "pledges", R.REGISTRY_DIGEST_STALE, with_record(digest=bytes(32))),
    ("a record of another account", "pledges", R.REGISTRY_DIGEST_STALE, with_record(account=bytes(32))),
    ("a record without the pledge", "pledges", R.PLEDGE_MISSING, with_record(pledges=())),
    ("a stranger's consent", "pledges", R.PLEDGE_SIGNATURE, with_another_consent),
    ("a pledge elsewhere left out", "proof", R.PROOF_LENGTH, a_pledge_elsewhere_left_out),
    ("too late", "freshness", R.SNAPSHOT_STALE, late),
    ("decided before its snapshot", "freshness", R.SNAPSHOT_UNKNOWN, before_its_snapshot),
    ("a changed proof", "proof", R.PROOF_INVALID, with_another_point),
    ("another's decision", "decision", R.SIGNATURE_INVALID, decision_on_another),
    ("a stranger's decision", "decision", R.SIGNATURE_INVALID, decision_of_a_stranger),
]


@pytest.mark.parametrize(("name", "reason", "change"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_fault_is_named_in_its_line(
    world: World, bundle: PresentationBundle, name: str, reason: ReasonCode, change: Change
) -> None:
    assert failures(check_presentation(FILE, change(world, bundle))) == {name: reason}


def test_the_time_can_be_given(world: World, bundle: PresentationBundle) -> None:
    expires = world.snapshot.snapshot.expires_at
    assert failures(check_presentation(FILE, bundle, at=expires - 1)) == {}
    assert failures(check_presentation(FILE, bundle, at=expires)) == {"freshness": ReasonCode.SNAPSHOT_STALE}


FIELDS = ("policy", "signed_snapshot", "price_report", "registry_record", "presentation", "signed_decision")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(field=st.sampled_from(FIELDS), junk=st.binary(max_size=200), keep=st.integers(min_value=0, max_value=400))
def test_any_bundle_gives_a_report(
    world: World, bundle: PresentationBundle, field: str, junk: bytes, keep: int
) -> None:
    original: bytes = getattr(bundle, field)
    fields: dict[str, Any] = {field: original[:keep] + junk}
    broken = dataclasses.replace(bundle, **fields)
    report = check_presentation(FILE, broken)
    assert len(report) == 16
    assert broken == bundle or failures(report)
