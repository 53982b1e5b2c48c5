"""From bytes to a signed, recorded answer: the shell around the pure procedure."""

import asyncio
import dataclasses
import hashlib
import time
from collections.abc import Mapping
from typing import Final

import structlog

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.certificates import Certificate
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Decision, Outcome, Presentation, SignedDecision
from marginproof.model.typed_data import decision_message
from marginproof.verifier.evidence import RelayerEvidence
from marginproof.verifier.facts import NewestLeaf, SnapshotFacts, VenueView
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.procedure import Verdict, check_addressed, judge_read, read_presentation
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.status import AccountStatus, StatusRules, after_accept
from marginproof.verifier.store import FIRST_ANSWER, REPLAY_ANSWER, DecisionRecord, VenueStore

_NOBODY: Final = bytes(32)
_log = structlog.get_logger("marginproof.venue")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a submitter gets; ``repeated`` when these bytes were decided before."""

    signed: SignedDecision
    repeated: bool


@dataclasses.dataclass(frozen=True, slots=True)
class _Gathered:
    """What the relayers contributed."""

    certificates: Mapping[bytes, Certificate] = dataclasses.field(default_factory=dict)
    newest_leaves: Mapping[str, NewestLeaf] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class _Submitted:
    """What came in: the bytes, their SHA-256, and what they are."""

    data: bytes
    key: bytes
    read: Presentation | MarginproofError


class DecisionDesk:
    """Decides on presentations, one after another, so that the same bytes never get two answers.

    Args:
        setting: The venue.
        store: Ledger and books.
        policies: The venue's policies.
        snapshots: Its snapshots.
        evidence: What relayers show.
        metrics: Counters.
        lock: Held while books, ledger and standings change.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        store: VenueStore,
        policies: PolicyBook,
        snapshots: SnapshotDesk,
        evidence: RelayerEvidence,
        metrics: VenueMetrics,
        lock: asyncio.Lock,
    ) -> None:
        self._setting = setting
        self._store = store
        self._policies = policies
        self._snapshots = snapshots
        self._evidence = evidence
        self._metrics = metrics
        self._lock = lock
        self._rules = StatusRules.of(setting.configuration)

    async def submit(self, data: bytes) -> Answer:
        """Judges, signs and records; the answer is on disk before it is given.

        Args:
            data: SSZ of a Presentation, from anybody.

        Raises:
            UnavailableError: Too few relayers answered; nothing was decided, the same bytes may be sent again.
        """
        submitted = _Submitted(data, hashlib.sha256(data).digest(), await asyncio.to_thread(read_presentation, data))
        decided = self._store.find_decision(submitted.key, FIRST_ANSWER) is not None
        gathered = _Gathered() if decided else await self._gather(submitted.read)
        async with self._lock:
            return await asyncio.to_thread(self._decide, submitted, gathered)

    async def _gather(self, read: Presentation | MarginproofError) -> _Gathered:
        """Asks the relayers for what a well-addressed presentation names; they are not asked for any other."""
        if isinstance(read, MarginproofError):
            return _Gathered()
        try:
            check_addressed(read, self._setting.network_id, self._setting.venue)
        except MarginproofError:
            return _Gathered()
        context = read.context
        if len(context.certificates) > len(self._evidence.chains):
            return _Gathered()  # one chain would count twice: step 3 rejects it, and no relayer is asked for dozens
        found = await asyncio.gather(*(self._evidence.certificate(digest) for digest in context.certificates))
        certificates = {certificate.digest: certificate for certificate in found if certificate is not None}
        chains = sorted({certificate.body.chain for certificate in certificates.values()})
        newest = await asyncio.gather(*(self._evidence.newest_leaf(context.account, chain) for chain in chains))
        return _Gathered(
            certificates, {chain: leaf for chain, leaf in zip(chains, newest, strict=True) if leaf is not None}
        )

    def _decide(self, submitted: _Submitted, gathered: _Gathered) -> Answer:
        now = self._setting.clock()
        first = self._store.find_decision(submitted.key, FIRST_ANSWER)
        if first is not None:
            stored = first if _repeatable(first, now) else self._store.find_decision(submitted.key, REPLAY_ANSWER)
            if stored is not None:
                self._metrics.repeated()
                return Answer(stored.signed, repeated=True)
        started = time.perf_counter()
        view = self._view(submitted.read, gathered, now, decided_before=first is not None)
        verdict = judge_read(submitted.read, view)
        seconds = time.perf_counter() - started
        signed = self._sign(submitted.data, verdict, now)
        answer = FIRST_ANSWER if first is None else REPLAY_ANSWER
        record = DecisionRecord(signed, None if first else self._repeat_until(verdict, now))
        self._store.record_decision(submitted.key, answer, record, self._status_after(verdict, gathered, now))
        self._metrics.decided(verdict.outcome, verdict.reasons, seconds)
        _log.info(
            "decided",
            outcome=verdict.outcome.name,
            step=verdict.step,
            reasons=[str(reason) for reason in verdict.reasons],
            presentation_bytes=len(submitted.data),
            judging_milliseconds=round(seconds * 1000, 3),
        )
        return Answer(signed, repeated=False)

    def _view(
        self, read: Presentation | MarginproofError, gathered: _Gathered, now: int, *, decided_before: bool
    ) -> VenueView:
        snapshots: dict[bytes, SnapshotFacts] = {}
        books: dict[bytes, bytes] = {}
        if isinstance(read, Presentation):
            context = read.context
            facts = self._snapshots.facts(context.snapshot_digest, now)
            if facts is not None:
                snapshots[context.snapshot_digest] = facts
            commitment = self._store.book_commitment(context.account)
            if commitment is not None:
                books[context.account] = commitment
        return VenueView(
            network_id=self._setting.network_id,
            venue=self._setting.venue,
            universe_digest=self._setting.universe_digest,
            now=now,
            policies=self._policies.effective_at,
            snapshots=snapshots,
            certificates=gathered.certificates,
            newest_leaves=gathered.newest_leaves,
            certificate_grace_seconds=self._setting.certificate_grace_seconds,
            books=books,
            decided_before=decided_before,
        )

    def _sign(self, data: bytes, verdict: Verdict, now: int) -> SignedDecision:
        presentation = verdict.presentation
        context = presentation.context if presentation is not None else None
        decision = Decision(
            network=self._setting.network_id,
            venue=self._setting.venue,
            account=context.account if context else _NOBODY,
            # What cannot be decoded has no root; its bytes' own hash names it.
            presentation_digest=presentation.digest if presentation else hashlib.sha256(data).digest(),
            snapshot_digest=context.snapshot_digest if context else _NOBODY,
            purpose=context.purpose if context else 0,
            outcome=verdict.outcome,
            step=verdict.step,
            reasons=tuple(str(reason) for reason in verdict.reasons),
            decided_at=now,
        )
        return SignedDecision(decision, sign_typed(self._setting.key, decision_message(decision)))

    def _repeat_until(self, verdict: Verdict, now: int) -> int | None:
        if verdict.presentation is None:
            return None
        facts = self._snapshots.facts(verdict.presentation.context.snapshot_digest, now)
        return None if facts is None else facts.snapshot.expires_at

    def _status_after(self, verdict: Verdict, gathered: _Gathered, now: int) -> AccountStatus | None:
        if verdict.outcome is not Outcome.ACCEPT:
            return None
        bodies = [certificate.body for certificate in gathered.certificates.values()]
        return after_accept(now, {body.chain: body.reference.timestamp for body in bodies}, self._rules)


def _repeatable(record: DecisionRecord, now: int) -> bool:
    return record.repeat_until is None or now < record.repeat_until
