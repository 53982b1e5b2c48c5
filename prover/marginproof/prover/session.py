"""An account at work: fetches evidence, proves, submits, and remembers. The high-level, asynchronous face."""

import asyncio
import dataclasses
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from eth_account.signers.local import LocalAccount

from marginproof.attestation.signer_sets import check_signer_set
from marginproof.attestation.typed_signing import sign_typed
from marginproof.client.pledge_status import PledgeStatus, ProposalState
from marginproof.client.venue import AccountCredential, DecisionAnswer, MarginStatus
from marginproof.model.bundle import PresentationBundle
from marginproof.model.errors import NotFoundError, RefusedError
from marginproof.model.margin import Presentation, Purpose
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import Book, RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import request_message, venue_method
from marginproof.prover.account import Account
from marginproof.prover.authorising import RegistryChange, RegistryWriter
from marginproof.prover.connections import Connections
from marginproof.prover.evaluations import Evaluations
from marginproof.prover.evidence import CertifiedLeaf
from marginproof.prover.gathering import Evidence, EvidenceReader, LeftOut
from marginproof.prover.headroom import Headroom, MarginInsufficientError
from marginproof.prover.pledges import CheckedProposal, check_book, check_proposal
from marginproof.prover.preparing import Preparation, Preparer, bundle_of
from marginproof.prover.proving import evaluate, make_presentation, proof_context
from marginproof.prover.registering import RegistrationReport, register
from marginproof.prover.registry_view import RegistryReader
from marginproof.prover.state import PledgeRecord
from marginproof.prover.venue_checks import check_decision
from marginproof.prover.waiting import DEFAULT_PATIENCE, Patience, until

Clock = Callable[[], int]
"""UTC seconds."""
Talk = Callable[[str], None]
"""Told what is being done, one short public sentence at a time."""

_PROPOSAL_TRIES = 3


def system_clock() -> int:
    """UTC seconds of this machine."""
    return int(time.time())


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """A presentation that was not submitted yet.

    Attributes:
        presentation: What the venue will get.
        bundle: The same with everything an auditor needs; no secret is in it.
        left_out: Chains whose collateral it does not use.
        headroom: What was to spare; for the account's eyes only.
        prove_seconds: Time that building and proving took; 0 for one that was made before.
        repeated: Whether it was made before for the same occasion.
    """

    presentation: Presentation
    bundle: PresentationBundle
    left_out: tuple[LeftOut, ...]
    headroom: Headroom
    prove_seconds: float
    repeated: bool


class AccountSession:
    """One account on one network; an asynchronous context manager that closes every connection.

    Args:
        account: Open.
        network: Its network.
        clock: UTC seconds.
        timeout_seconds: Deadline of every call to a relayer, venue or chain.
        talk: See :data:`Talk`.
        payer: The key that pays for the account's transactions on the registry; never one that pays for locks, which
            it would link to the account.
        patience: How long to wait for the home chain's finality.

    Raises:
        ConfigurationError: POSSESSION_INVALID or CONFIG_INVALID: the network file's relayers cannot be trusted.
        RefusedError: LOCK_OWNER_REUSED: the payer owns or funded a lock.
    """

    def __init__(
        self,
        account: Account,
        network: NetworkFile,
        *,
        clock: Clock = system_clock,
        timeout_seconds: float = 5.0,
        talk: Talk = lambda _: None,
        payer: LocalAccount | None = None,
        patience: Patience = DEFAULT_PATIENCE,
    ) -> None:
        check_signer_set(network.signer_set, [relayer.possession for relayer in network.relayers])
        self._account = account
        self._network = network
        self._clock = clock
        self._timeout = timeout_seconds
        self._talk = talk
        self._patience = patience
        self._connections = Connections(account, network, timeout_seconds)
        self._registry = RegistryReader(account, network, self._connections)
        self._writer = RegistryWriter(account, network, self._registry, payer, patience)
        self._evidence = EvidenceReader(account, network, self._connections, clock)
        self._preparer = Preparer(account, network, self._connections, self._registry, self._evidence, self.credential)
        self._evaluations = Evaluations(account, network, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.aclose()

    async def register(self) -> RegistrationReport:
        """Tells every relayer which locks form the account; see :func:`marginproof.prover.registering.register`."""
        return await register(self._account, self._network, self._clock(), timeout_seconds=self._timeout)

    async def evidence(self) -> Evidence:
        """See :meth:`EvidenceReader.evidence`."""
        return await self._evidence.evidence()

    async def certified(self, chain: str) -> CertifiedLeaf:
        """See :meth:`EvidenceReader.certified`."""
        return await self._evidence.certified(chain)

    async def authorise(self, venue: bytes) -> RegistryChange:
        """Lets a venue pledge the account's headroom; see :meth:`RegistryWriter.authorise`."""
        self._talk("authorising the venue on the registry")
        return await self._writer.authorise(venue)

    async def revoke(self, venue: bytes) -> RegistryChange:
        """Takes that back: the venue swaps no more, its standing pledge lapses after the network's notice."""
        self._talk("revoking the venue on the registry")
        return await self._writer.authorise(venue, revoke=True)

    async def lapse(self, venue: bytes) -> RegistryChange:
        """Ends a revoked venue's pledge once its notice is over; see :meth:`RegistryWriter.lapse`."""
        self._talk("ending the revoked venue's pledge")
        return await self._writer.lapse(venue)

    async def rotate_key(self) -> RegistryChange:
        """Hands the account over to its next key; see :meth:`RegistryWriter.rotate_key`."""
        self._talk("rotating the account's key on the registry")
        return await self._writer.rotate_key()

    async def record(self) -> RegistryRecord:
        """What the registry has of the account by its finalised state, proven."""
        return (await self._registry.view()).record

    async def proposal(self, venue: bytes, *, max_line: int | None = None) -> CheckedProposal | None:
        """The pledge that a venue proposes, checked against its book and the account's limit.

        Args:
            venue: Address, 20 bytes.
            max_line: Largest line to accept, lots of the cash entry; None for the account's limit for this venue, which
                is no line at all where none was set.

        Returns:
            None where the venue proposes nothing.

        Raises:
            MarginproofError: All of :func:`check_proposal` and :func:`check_book`.
        """
        limit = self._account.line_limit(venue) if max_line is None else max_line
        client, account = self._connections.venue(venue), self._account.account_id
        for tries_left in reversed(range(_PROPOSAL_TRIES)):
            try:
                opening = await client.get_pledge_proposal(self.credential(venue, "GetPledgeProposal"))
            except NotFoundError:
                return None
            book = await self.book(venue)
            if opening.book_sequence == book.sequence or not tries_left:
                break
        return check_proposal(opening, book, self._network, venue, account, max_line=limit)

    async def prepare(self, venue: bytes, purpose: Purpose, proposal: CheckedProposal | None = None) -> Prepared:
        """Fetches and checks everything, then proves; or gives the proof made before for the same occasion.

        Args:
            venue: Address, 20 bytes, named by the network file.
            purpose: Which level of the policy to prove.
            proposal: The venue's, to be consented to; None to prove on the pledge that stands.

        Raises:
            MarginInsufficientError: There is nothing true to prove; nothing was sent.
            RefusedError: PROOF_ALREADY_MADE: proposal or snapshot changed, but price report and certificates did not.
            MarginproofError: Whatever was refused of relayers, registry and venue, by its own reason code.
        """
        self._talk("fetching snapshot, policy, pledges and certificates")
        made = await self._preparer.prepare(venue, purpose, proposal, self._clock())
        started = time.perf_counter()
        presentation, headroom, repeated = await self._prove_once(made)
        seconds = 0.0 if repeated else time.perf_counter() - started
        bundle = bundle_of(made, presentation)
        return Prepared(presentation, bundle, made.left_out, headroom, seconds, repeated)

    async def headroom(self, venue: bytes, purpose: Purpose, proposal: CheckedProposal | None = None) -> Headroom:
        """What is to spare at a venue now, for the account only: nothing is proven, sent or remembered.

        Args:
            venue: Address, 20 bytes.
            purpose: Which level.
            proposal: To be counted in place of the pledge that stands.

        Raises:
            MarginproofError: As :meth:`prepare`, but never MARGIN_INSUFFICIENT: what is missing is a negative surplus.
        """
        made = await self._preparer.prepare(venue, purpose, proposal, self._clock())
        return (await asyncio.to_thread(evaluate, made.inputs)).headroom

    async def submit(self, prepared: Prepared) -> tuple[DecisionAnswer, PresentationBundle]:
        """Submits a presentation, checks the signed decision, and gives the bundle with the decision in it.

        Raises:
            RefusedError: SIGNATURE_INVALID: the answer is not the venue's signed decision on this presentation.
            MarginproofError: The venue cannot be reached or refused to decide.
        """
        self._talk("submitting the proof")
        venue = prepared.presentation.context.venue
        answer = await self._connections.venue(venue).submit_presentation(prepared.presentation)
        check_decision(answer.signed_decision, prepared.presentation, self._network)
        return answer, dataclasses.replace(prepared.bundle, signed_decision=answer.signed_decision.encode())

    async def wait_standing(
        self, venue: bytes, commitment: bytes, timeout_seconds: float | None = None
    ) -> PledgeStatus:
        """Waits until a pledge stands by the account's own finalised view and the venue knows it, too.

        Args:
            venue: Address, 20 bytes.
            commitment: Of a pledge that was consented to, 48 bytes.
            timeout_seconds: How long at most; None for the session's patience.

        Raises:
            RefusedError: The venue says why it failed; REGISTRY_DIGEST_STALE: another change came first.
            UnavailableError: DEADLINE.
        """
        self._talk("waiting until the pledge stands")
        patience = self._patience
        if timeout_seconds is not None:
            patience = dataclasses.replace(patience, timeout_seconds=timeout_seconds)
        return await until(lambda: self._standing(venue, commitment), patience, "the pledge's finality")

    async def pledge_status(self, venue: bytes) -> PledgeStatus:
        """How far a venue's pledge is, as the venue says."""
        return await self._connections.venue(venue).get_pledge_status(self.credential(venue, "GetPledgeStatus"))

    async def book(self, venue: bytes) -> Book:
        """The venue's book with this account; secret between the two."""
        book = await self._connections.venue(venue).get_book(self.credential(venue, "GetBook"))
        check_book(book, self._network, venue, self._account.account_id)
        return book

    async def margin_status(self, venue: bytes) -> MarginStatus:
        """Where the account stands with a venue and when its next proof is due."""
        return await self._connections.venue(venue).get_margin_status(self.credential(venue, "GetMarginStatus"))

    def credential(self, venue: bytes, rpc: str) -> AccountCredential:
        """Shows one venue, for one call, that the caller is the account; signed by the account's present key."""
        now = self._clock()
        message = request_message(self._network.network_id, self._account.account_id, venue_method(venue, rpc), now)
        return AccountCredential(self._account.identity, now, sign_typed(self._account.signer, message))

    async def _standing(self, venue: bytes, commitment: bytes) -> PledgeStatus | None:
        record = await self.record()
        standing = record.pledge_of(venue)
        status = await self.pledge_status(venue)
        if standing is not None and standing.commitment == commitment:
            return status if status.standing_commitment == commitment else None
        if status.proposed_commitment == commitment and status.proposal_state is ProposalState.FAILED:
            code = ReasonCode(status.reason) if status.reason in set(ReasonCode) else ReasonCode.PLEDGE_UNEXPECTED
            raise RefusedError(
                code, "the venue could not bring the pledge to the registry", fix="ask it to propose the pledge again"
            )
        if not any(known.commitment == commitment for known in self._account.state.pledges):
            raise RefusedError(
                ReasonCode.REGISTRY_DIGEST_STALE,
                "another change of the account's pledges came first; this one can stand no more",
                fix="ask the venue to propose the pledge again and prove it anew",
            )
        return None

    async def _prove_once(self, made: Preparation) -> tuple[Presentation, Headroom, bool]:
        inputs, context = made.inputs, proof_context(made.inputs)
        known = self._evaluations.made_before(context, inputs.snapshot.snapshot.price_slot)
        evaluation = await asyncio.to_thread(evaluate, inputs)
        if known is not None:
            return known, evaluation.headroom, True
        self._talk("proving")
        try:
            presentation = await asyncio.to_thread(make_presentation, inputs, evaluation, self._account.signer)
        except MarginInsufficientError:
            self._evaluations.remember(context, evaluation.headroom)
            raise
        # Written before anything is sent: a crash cannot lead to a second proof of the same occasion, nor lose the
        # opening of a pledge that the venue may bring to stand.
        first = self._evaluations.remember(context, evaluation.headroom, presentation, _consented(made))
        return first or presentation, evaluation.headroom, first is not presentation


def _consented(made: Preparation) -> PledgeRecord | None:
    pledge = made.inputs.pledge
    if not made.inputs.proposed:
        return None
    return PledgeRecord(
        pledge.venue, pledge.commitment, made.inputs.registry_digest, made.view.header.number, pledge.encode()
    )
