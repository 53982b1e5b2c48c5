"""Checks a saved presentation as an auditor would: step by step, with nothing but files.

The steps and their numbers are the venue's own (:mod:`.procedure`). What only the venue, the registry or the relayers
know at the moment of decision cannot be checked from files; those lines say so and are marked skipped.
"""

import dataclasses
from collections.abc import Callable
from enum import StrEnum

from marginproof.attestation.certificates import verify_certificate
from marginproof.attestation.signer_sets import check_signer_set
from marginproof.attestation.typed_signing import recover_typed
from marginproof.model.bundle import PresentationBundle
from marginproof.model.certificates import Certificate
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.margin import Decision, Outcome, Presentation, Purpose, SignedDecision, SignedSnapshot, Snapshot
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import NO_COMMITMENT, PledgeStep, RegistryRecord
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message, snapshot_message
from marginproof.oracles.report import check_slot_time, require_points, usable_prices
from marginproof.risk.policy import load_policy
from marginproof.risk.snapshot import SnapshotRows
from marginproof.verifier.facts import SnapshotFacts, VenueView, live_pledge
from marginproof.verifier.pledge_steps import check_consent, verify_proof
from marginproof.verifier.procedure import check_certificates, check_freshness, check_inclusion, decode_presentation

_BASIS_POINTS = 10_000


class CheckOutcome(StrEnum):
    """How one line of the report ended."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True)
class StepResult:
    """One line of the report: the procedure's step number, what was checked, and what came of it.

    Args:
        number: Step of the venue's procedure; several lines may have one number.
        name: What was checked.
        outcome: Pass, fail or skipped.
        reason: Why it failed; None otherwise.
        detail: One sentence: what was found, what was wrong, or why it was skipped.
    """

    number: int
    name: str
    outcome: CheckOutcome
    reason: ReasonCode | None
    detail: str


def check_presentation(file: NetworkFile, bundle: PresentationBundle, *, at: int | None = None) -> list[StepResult]:
    """Runs every check that files allow; never raises for what the bundle holds.

    Args:
        file: The network that the auditor trusts.
        bundle: The saved presentation and what it rests on.
        at: UTC seconds to judge freshness at. Without it: the signed decision's time, else the snapshot's creation.

    Returns:
        The report, in the order of the steps. The presentation holds as far as files show iff no line failed.
    """
    audit = _Audit(file, bundle, at)
    return [_line(number, name, check) for number, name, check in audit.checks()]


class _Skipped(Exception):  # noqa: N818 - no error: a line that cannot be filled
    """The line cannot be checked; the text says why."""


def _line(number: int, name: str, check: Callable[[], str]) -> StepResult:
    try:
        return StepResult(number, name, CheckOutcome.PASS, None, check())
    except _Skipped as skipped:
        return StepResult(number, name, CheckOutcome.SKIPPED, None, str(skipped))
    except MarginproofError as error:
        return StepResult(number, name, CheckOutcome.FAIL, error.code, error.message)


def _only(who: str) -> Callable[[], str]:
    def check() -> str:
        raise _Skipped(f"not checkable offline: only {who}")

    return check


class _Audit:
    """The pieces of one bundle, each there once the line that checks it has passed."""

    def __init__(self, file: NetworkFile, bundle: PresentationBundle, at: int | None) -> None:
        self._file = file
        self._bundle = bundle
        self._at = at
        self._presentation: Presentation | None = None
        self._snapshot: SignedSnapshot | None = None
        self._facts: SnapshotFacts | None = None
        self._certificates: dict[bytes, Certificate] | None = None
        self._record: RegistryRecord | None = None

    def checks(self) -> list[tuple[int, str, Callable[[], str]]]:
        """Every line: step number, name, check."""
        return [
            (1, "presentation", self._check_decode),
            (2, "snapshot signed by the venue", self._check_snapshot),
            (2, "policy and rows", self._check_rows),
            (2, "prices against the report", self._check_prices),
            (2, "policy announced", _only("the registry on the home chain says since when a policy holds")),
            (3, "certificates signed by relayers", self._check_signatures),
            (3, "certificates in force", self._check_certificates),
            (3, "certificates newest", _only("relayers can show a newer leaf")),
            (4, "leaves and payee", self._check_inclusion),
            (5, "pledges", self._check_pledges),
            (
                5,
                "registry record",
                _only("the registry shows whether this record is its own, and who agreed to recognise whom in full"),
            ),
            (5, "proposal and book", _only("the venue knows what it proposed, its book, and what is under way")),
            (6, "freshness", self._check_freshness),
            (7, "proof", self._check_proof),
            (8, "ledger", _only("the venue's ledger shows whether these bytes were decided before")),
            (8, "decision", self._check_decision),
        ]

    def _check_decode(self) -> str:
        if self._bundle.network_id != self._file.network_id:
            raise RefusedError(ReasonCode.WRONG_NETWORK, "the bundle is of another network")
        presentation = decode_presentation(self._bundle.presentation)
        context = presentation.context
        if context.network != self._file.network_id:
            raise RefusedError(ReasonCode.WRONG_NETWORK, "the proof is for another network")
        if all(venue.address != context.venue for venue in self._file.venues):
            raise RefusedError(ReasonCode.WRONG_VENUE, "the proof is for a venue that the network file does not list")
        if context.purpose not in set(Purpose):
            raise RefusedError(ReasonCode.PURPOSE_UNKNOWN, f"purpose {context.purpose} is not known")
        self._presentation = presentation
        purpose = Purpose(context.purpose).name.lower()
        return f"for venue {format_address(context.venue)}, {purpose} margin, {len(self._bundle.presentation)} bytes"

    def _check_snapshot(self) -> str:
        context = self._need_presentation().context
        signed = SignedSnapshot.decode(self._bundle.signed_snapshot)
        snapshot = signed.snapshot
        if signed.digest != context.snapshot_digest:
            raise RefusedError(ReasonCode.SNAPSHOT_UNKNOWN, "the proof is for another snapshot")
        if (snapshot.network, snapshot.venue) != (context.network, context.venue):
            raise RefusedError(ReasonCode.SNAPSHOT_SIGNATURE, "the snapshot is another venue's or network's")
        if recover_typed(snapshot_message(snapshot), signed.signature) != context.venue:
            raise RefusedError(ReasonCode.SNAPSHOT_SIGNATURE, "the snapshot is not signed by the venue")
        if not 0 < snapshot.expires_at - snapshot.created_at <= self._file.configuration.snapshot_seconds:
            raise RefusedError(ReasonCode.SNAPSHOT_STALE, "the snapshot lasts longer than the network lets one last")
        self._snapshot = signed
        return f"price slot {snapshot.price_slot}, made at {snapshot.created_at}, good until {snapshot.expires_at}"

    def _check_rows(self) -> str:
        snapshot = self._need_snapshot()
        policy = load_policy(self._bundle.policy)
        rows = SnapshotRows(policy, self._file.universe, snapshot)
        rows.line_rows()
        self._facts = SnapshotFacts(snapshot, rows)
        return f"policy {policy.name!r}, digest {policy.digest.hex()}, both purposes' rows rebuilt"

    def _check_prices(self) -> str:
        snapshot, file = self._need_snapshot(), self._file
        _check_possessions(file)
        prices = usable_prices(
            PriceReport.decode(self._bundle.price_report),
            universe=file.universe,
            network_id=file.network_id,
            signer_set=file.signer_set,
            threshold=file.configuration.threshold,
            slot=snapshot.price_slot,
        )
        check_slot_time(file.configuration, snapshot.price_slot, snapshot.created_at)
        require_points(prices, [value.point for value in snapshot.values])
        band = file.configuration.price_band_bps
        for value in snapshot.values:
            reported = prices[value.point]
            if abs(value.value - reported) * _BASIS_POINTS > band * reported:
                raise RefusedError(ReasonCode.PRICE_OUTSIDE_BAND, f"{value.point} lies outside the band")
        return f"{len(snapshot.values)} values within {band} basis points of the relayers' medians"

    def _check_signatures(self) -> str:
        presentation = self._need_presentation()
        _check_possessions(self._file)
        found = [Certificate.decode(data) for data in self._bundle.certificates]
        for certificate in found:
            verify_certificate(certificate, self._file.network_id, self._file.signer_set)
        certificates = {certificate.digest: certificate for certificate in found}
        if any(digest not in certificates for digest in presentation.context.certificates):
            raise RefusedError(ReasonCode.CERTIFICATE_UNKNOWN, "the bundle lacks a certificate that the proof names")
        self._certificates = certificates
        return "; ".join(f"{c.body.chain} epoch {c.body.epoch}: {sum(c.signers)} of {len(c.signers)}" for c in found)

    def _check_certificates(self) -> str:
        check_certificates(self._need_presentation(), self._view())
        return f"one for each chain, of this universe, unexpired at {self._time()}"

    def _check_inclusion(self) -> str:
        check_inclusion(self._need_presentation(), self._view())
        return "every leaf is the account's and names the venue as payee"

    def _check_pledges(self) -> str:
        presentation = self._need_presentation()
        context, since = presentation.context, self._file.universe.compatible_since
        record = RegistryRecord.decode(self._bundle.registry_record)
        if (record.account, record.digest) != (context.account, context.registry_digest):
            raise RefusedError(ReasonCode.REGISTRY_DIGEST_STALE, "the proof is for another state of the pledges")
        others = record.others(context.venue, since)
        if context.new_pledge == NO_COMMITMENT:
            if live_pledge(record, context.venue, since) is None:
                raise RefusedError(ReasonCode.PLEDGE_MISSING, "no pledge of the venue stands, and none is proposed")
            about = "the standing pledge"
        else:
            step = PledgeStep(record.digest, context.venue, context.new_pledge, self._file.universe.version)
            check_consent(presentation, step, record, self._file.network)
            about = "a new pledge with the account's consent"
        self._record = record
        return f"{about}, {len(others)} of other venues; compare with the registry: digest {record.digest.hex()}"

    def _check_freshness(self) -> str:
        skew = self._file.configuration.clock_skew_seconds
        if self._time() + skew < self._need_snapshot().created_at:
            raise RefusedError(ReasonCode.SNAPSHOT_UNKNOWN, "the snapshot was made later than the time judged at")
        check_freshness(self._need_presentation(), self._view())
        return f"the snapshot was current at {self._time()}"

    def _check_proof(self) -> str:
        presentation = self._need_presentation()
        record = self._need_record()
        self._need_certificates()
        rows = verify_proof(presentation, self._need_facts(), record, self._file.universe.compatible_since)
        return f"{len(presentation.proof)} bytes; every one of {rows} rows holds"

    def _check_decision(self) -> str:
        if self._bundle.signed_decision is None:
            raise _Skipped("the bundle has no decision")
        presentation = self._need_presentation()
        signed = SignedDecision.decode(self._bundle.signed_decision)
        decision = signed.decision
        if not _decides_on(decision, presentation) or decision.outcome not in set(Outcome):
            raise RefusedError(ReasonCode.SIGNATURE_INVALID, "the decision is not on this presentation")
        if recover_typed(decision_message(decision), signed.signature) != presentation.context.venue:
            raise RefusedError(ReasonCode.SIGNATURE_INVALID, "the decision is not signed by the venue")
        reasons = f" ({', '.join(decision.reasons)})" if decision.reasons else ""
        return f"{Outcome(decision.outcome).name}{reasons} at {decision.decided_at}"

    def _view(self) -> VenueView:
        """What the venue would have known, as far as files show it."""
        context = self._need_presentation().context
        return VenueView(
            network=self._file.network,
            venue=context.venue,
            universe_digest=self._file.universe.root(),
            compatible_since=self._file.universe.compatible_since,
            now=self._time(),
            policies={},
            snapshots={context.snapshot_digest: self._facts or SnapshotFacts(self._need_snapshot(), None)},
            certificates=self._need_certificates(),
            newest_leaves={},
            certificate_grace_seconds=0,
            accounts={},
            decided_before=False,
        )

    def _time(self) -> int:
        if self._at is not None:
            return self._at
        if self._bundle.signed_decision is not None:
            return SignedDecision.decode(self._bundle.signed_decision).decision.decided_at
        return self._need_snapshot().created_at

    def _need_presentation(self) -> Presentation:
        if self._presentation is None:
            raise _Skipped("needs a presentation that can be read")
        return self._presentation

    def _need_snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise _Skipped("needs the venue's snapshot")
        return self._snapshot.snapshot

    def _need_facts(self) -> SnapshotFacts:
        if self._facts is None:
            raise _Skipped("needs the rows of policy and snapshot")
        return self._facts

    def _need_record(self) -> RegistryRecord:
        if self._record is None:
            raise _Skipped("needs a registry record that fits the proof")
        return self._record

    def _need_certificates(self) -> dict[bytes, Certificate]:
        if self._certificates is None:
            raise _Skipped("needs certificates whose signatures hold")
        return self._certificates


def _check_possessions(file: NetworkFile) -> None:
    check_signer_set(file.signer_set, [relayer.possession for relayer in file.relayers])


def _decides_on(decision: Decision, presentation: Presentation) -> bool:
    context = presentation.context
    named = (decision.network, decision.venue, decision.account, decision.snapshot_digest, decision.purpose)
    shown = (context.network, context.venue, context.account, context.snapshot_digest, context.purpose)
    return decision.presentation_digest == presentation.digest and named == shown
