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
from marginproof.model.margin import Decision, Outcome, Presentation, ProofContext, SignedDecision
from marginproof.model.pledges import NO_COMMITMENT, RegistryRecord
from marginproof.model.typed_data import decision_message
from marginproof.verifier.decision_store import FIRST_ANSWER, REPLAY_ANSWER, DecisionRecord
from marginproof.verifier.evidence import RelayerEvidence
from marginproof.verifier.facts import AccountFacts, NewestLeaf, SnapshotFacts, VenueView
from marginproof.verifier.live import LiveAccounts, pledge_facts
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.pledge_store import Acceptance, PledgeRow, PledgeState
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.procedure import Verdict, check_addressed, confirm, judge_read, read_presentation
from marginproof.verifier.registry_watch import RegistryWatch
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.status import StatusRules, after_accept
from marginproof.verifier.store import VenueStore
from marginproof.verifier.swaps import SwapOrder
from marginproof.verifier.turns import in_turn

_NOBODY: Final = bytes(32)
_log = structlog.get_logger("marginproof.venue")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a submitter gets; ``repeated`` when these bytes were decided before."""

    signed: SignedDecision
    repeated: bool


@dataclasses.dataclass(frozen=True, slots=True)
class _Registered:
    """What the registry has of the account, read at one finalized block of this height."""

    record: RegistryRecord
    authorised: bool
    height: int


@dataclasses.dataclass(frozen=True, slots=True)
class _Gathered:
    """What relayers and registry contributed."""

    certificates: Mapping[bytes, Certificate] = dataclasses.field(default_factory=dict)
    newest_leaves: Mapping[str, NewestLeaf] = dataclasses.field(default_factory=dict)
    registered: _Registered | None = None


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
        store: Ledger and pledges.
        live: The accounts.
        policies: The venue's policies.
        snapshots: Its snapshots.
        evidence: What relayers show.
        watch: What the registry shows.
        metrics: Counters.
        lock: Held while accounts change; not while a proof is verified, so that orders never wait for one.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        store: VenueStore,
        live: LiveAccounts,
        policies: PolicyBook,
        snapshots: SnapshotDesk,
        evidence: RelayerEvidence,
        watch: RegistryWatch,
        metrics: VenueMetrics,
        lock: asyncio.Lock,
    ) -> None:
        self._setting = setting
        self._store = store
        self._live = live
        self._policies = policies
        self._snapshots = snapshots
        self._evidence = evidence
        self._watch = watch
        self._metrics = metrics
        self._lock = lock
        self._deciding = asyncio.Lock()
        self._rules = StatusRules.of(setting.configuration)

    async def submit(self, data: bytes) -> Answer:
        """Judges, signs and records; the answer is on disk before it is given.

        Args:
            data: SSZ of a Presentation, from anybody.

        Raises:
            UnavailableError: Too few relayers answered, or the registry cannot be read; nothing was decided, the same
                bytes may be sent again.
        """
        submitted = _Submitted(data, hashlib.sha256(data).digest(), await asyncio.to_thread(read_presentation, data))
        decided = self._store.decisions.find(submitted.key, FIRST_ANSWER) is not None
        gathered = _Gathered() if decided else await self._gather(submitted.read)
        async with self._deciding:
            return await self._decide(submitted, gathered)

    async def _gather(self, read: Presentation | MarginproofError) -> _Gathered:
        """Asks relayers and registry for what a well-addressed presentation names; they are not asked for any other."""
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
        leaves = {chain: leaf for chain, leaf in zip(chains, newest, strict=True) if leaf is not None}
        registered = await self._registered(context) if self._live.is_open(context.account) else None
        return _Gathered(certificates, leaves, registered)

    async def _registered(self, context: ProofContext) -> _Registered:
        """Reads the registry, once more at the newest block where the account has seen another digest."""
        header = await self._watch.header()
        record = await self._watch.record_at(header, context.account)
        if record.digest != context.registry_digest:
            header = await self._watch.header(fresh=True)
            record = await self._watch.record_at(header, context.account)
        proposed = context.new_pledge != NO_COMMITMENT
        authorised = proposed and await self._watch.authorised_at(header, context.account)
        return _Registered(record, authorised, header.number)

    async def _decide(self, submitted: _Submitted, gathered: _Gathered) -> Answer:
        """Finds the verdict without holding up orders; records it once nothing that it rests on has moved."""
        now, started = self._setting.clock(), time.perf_counter()
        async with self._lock:
            first = await asyncio.to_thread(self._store.decisions.find, submitted.key, FIRST_ANSWER)
            stored = await asyncio.to_thread(self._stored, submitted, first, now)
            version = self._version(submitted)
            view = await asyncio.to_thread(self._view, submitted.read, gathered, now, decided_before=first is not None)
        if stored is not None:
            self._metrics.repeated()
            return Answer(stored.signed, repeated=True)
        verdict = await asyncio.to_thread(judge_read, submitted.read, view)

        def conclude() -> tuple[Verdict, SignedDecision]:
            found = verdict
            if self._version(submitted) != version:
                again = self._view(submitted.read, gathered, now, decided_before=first is not None)
                found = confirm(verdict, again)
            answer = FIRST_ANSWER if first is None else REPLAY_ANSWER
            return found, self._record(submitted, answer, found, gathered, now)

        verdict, signed = await in_turn(self._lock, conclude)
        seconds = time.perf_counter() - started
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

    def _stored(self, submitted: _Submitted, first: DecisionRecord | None, now: int) -> DecisionRecord | None:
        if first is None or _repeatable(first, now):
            return first
        return self._store.decisions.find(submitted.key, REPLAY_ANSWER)

    def _version(self, submitted: _Submitted) -> int:
        read = submitted.read
        return self._live.version(read.context.account) if isinstance(read, Presentation) else 0

    def _record(
        self, submitted: _Submitted, answer: int, verdict: Verdict, gathered: _Gathered, now: int
    ) -> SignedDecision:
        signed = self._sign(submitted.data, verdict, now)
        until = self._repeat_until(verdict, now) if answer == FIRST_ANSWER else None
        status = pledge = None
        if verdict.outcome is Outcome.ACCEPT and verdict.presentation is not None:
            bodies = [certificate.body for certificate in gathered.certificates.values()]
            status = after_accept(now, {body.chain: body.reference.timestamp for body in bodies}, self._rules)
            pledge = self._accepted(verdict.presentation, gathered)
        self._store.record_decision(submitted.key, answer, DecisionRecord(signed, until), status, pledge)
        return signed

    def _accepted(self, presentation: Presentation, gathered: _Gathered) -> tuple[PledgeRow, SwapOrder] | None:
        """The proposal whose proof was accepted, and the swap that puts it onto the registry."""
        context, registered = presentation.context, gathered.registered
        if context.new_pledge == NO_COMMITMENT or registered is None:
            return None
        live, (consent,) = self._live.of(context.account), presentation.consent
        row = next(row for row in live.pledges if row.commitment == context.new_pledge)
        acceptance = Acceptance(consent.owner, consent.index, live.row.status)
        order = SwapOrder(
            account=context.account,
            owner=consent.owner,
            index=consent.index,
            digest=context.registry_digest,
            commitment=context.new_pledge,
            universe_version=row.opening.universe_version,
            signature=consent.signature,
            height=registered.height,
        )
        self._metrics.pledge_moved(PledgeState.ACCEPTED)
        return dataclasses.replace(row, state=PledgeState.ACCEPTED, acceptance=acceptance), order

    def _view(
        self, read: Presentation | MarginproofError, gathered: _Gathered, now: int, *, decided_before: bool
    ) -> VenueView:
        snapshots: dict[bytes, SnapshotFacts] = {}
        accounts: dict[bytes, AccountFacts] = {}
        if isinstance(read, Presentation):
            context = read.context
            facts = self._snapshots.facts(context.snapshot_digest, now)
            if facts is not None:
                snapshots[context.snapshot_digest] = facts
            if gathered.registered is not None:
                accounts[context.account] = self._account(context.account, gathered.registered)
        file = self._setting.file
        return VenueView(
            network=file.network,
            venue=self._setting.venue,
            universe_digest=self._setting.universe_digest,
            compatible_since=file.universe.compatible_since,
            now=now,
            policies=self._policies.effective_at,
            snapshots=snapshots,
            certificates=gathered.certificates,
            newest_leaves=gathered.newest_leaves,
            certificate_grace_seconds=self._setting.certificate_grace_seconds,
            accounts=accounts,
            decided_before=decided_before,
        )

    def _account(self, account: bytes, registered: _Registered) -> AccountFacts:
        live, record = self._live.of(account), registered.record
        standing = live.standing(record, self._setting.venue, self._setting.universe.compatible_since)
        proposal = live.in_state(PledgeState.PROPOSED)
        if proposal is not None and proposal.opening.universe_digest != self._setting.universe_digest:
            proposal = None  # of an older universe; the account is given a new one when it asks
        return AccountFacts(
            record=record,
            authorised=registered.authorised,
            book=live.row.book,
            proposal=pledge_facts(proposal),
            pending=live.pending is not None,
            standing=pledge_facts(standing),
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


def _repeatable(record: DecisionRecord, now: int) -> bool:
    return record.repeat_until is None or now < record.repeat_until
