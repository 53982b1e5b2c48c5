"""A relayer's and a venue's answers over real sockets; what they answer, the test decides."""

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from marginproof.v1 import relayer_service_pb2 as relayer_messages
from marginproof.v1 import verifier_service_pb2 as venue_messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceServicer, add_RelayerServiceServicer_to_server
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceServicer, add_VerifierServiceServicer_to_server

from marginproof.attestation.typed_signing import recover_typed, sign_typed
from marginproof.chains.evm.transactions import Registry, Sender
from marginproof.model.accounts import AccountIdentity, SignedRegistration
from marginproof.model.certificates import Certificate, IncludedLeaf
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, NotFoundError, UnavailableError
from marginproof.model.margin import Decision, Outcome, Presentation, SignedDecision, SignedSnapshot
from marginproof.model.pledges import Book, PledgeOpening
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message, request_message, venue_method
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from tests.prover.world import FULL_POLICY, POLICY, VENUE_KEY


class RelayerForTests(RelayerServiceServicer):
    """Takes registrations unless told to refuse; gives the leaves that the test put in."""

    def __init__(self) -> None:
        self.registrations: list[SignedRegistration] = []
        self.leaves: dict[str, tuple[IncludedLeaf, Certificate]] = {}
        self.refusal: MarginproofError | None = None

    async def RegisterAccount(self, request: Any, context: Any) -> Any:
        if self.refusal is not None:
            raise self.refusal
        signed = SignedRegistration.decode(request.signed_registration)
        self.registrations.append(signed)
        registration = signed.registration
        return relayer_messages.RegisterAccountResponse(
            registration_digest=registration.root(), first_epoch=registration.first_epoch
        )

    async def GetAccountLeaf(self, request: Any, context: Any) -> Any:
        if request.chain not in self.leaves:
            raise NotFoundError("no leaf of this account here")
        included, certificate = self.leaves[request.chain]
        return relayer_messages.GetAccountLeafResponse(
            included_leaf=included.encode(), certificate=certificate.encode()
        )

    async def GetCertificate(self, request: Any, context: Any) -> Any:
        raise NotFoundError("accounts do not ask for this")

    async def ListCertificates(self, request: Any, context: Any) -> Any:
        raise NotFoundError("accounts do not ask for this")

    async def GetPriceReport(self, request: Any, context: Any) -> Any:
        raise NotFoundError("accounts do not ask for this")

    def StreamCertificates(self, request: Any, context: Any) -> Any:
        raise NotFoundError("accounts do not ask for this")

    def StreamPriceReports(self, request: Any, context: Any) -> Any:
        raise NotFoundError("accounts do not ask for this")

    async def GetStatus(self, request: Any, context: Any) -> Any:
        return relayer_messages.GetStatusResponse(signer=0, healthy=True, account_count=len(self.registrations))


@dataclasses.dataclass
class VenueForTests(VerifierServiceServicer):
    """Gives what the test put in; accepts every presentation unless told what to answer, and swaps when told to."""

    network_id: bytes
    key: LocalAccount = VENUE_KEY
    snapshot: SignedSnapshot | None = None
    report: PriceReport | None = None
    book: Book | None = None
    proposal: PledgeOpening | None = None
    standing: PledgeOpening | None = None
    earlier_proposals: list[PledgeOpening] = dataclasses.field(default_factory=list)
    policies: tuple[bytes, ...] = (POLICY.source, FULL_POLICY.source)
    outcome: Outcome = Outcome.ACCEPT
    reasons: tuple[str, ...] = ()
    failure: str = ""
    forged: bool = False
    swaps_on: tuple[str, bytes] | None = None
    swapping: asyncio.Task[None] | None = None
    presentations: list[Presentation] = dataclasses.field(default_factory=list)
    signers: list[bytes] = dataclasses.field(default_factory=list)

    @property
    def address(self) -> bytes:
        return bytes.fromhex(self.key.address[2:])

    async def swap(self, url: str, registry: bytes) -> None:
        """Brings the proposal that was last consented to to the registry."""
        presentation = self.presentations[-1]
        (consent,) = presentation.consent
        assert self.proposal is not None
        async with Sender(url, self.key) as sender:
            await Registry(sender, format_address(registry)).swap(
                consent.owner,
                consent.index,
                presentation.context.registry_digest,
                presentation.context.new_pledge,
                self.proposal.universe_version,
                consent.signature,
            )
        self.standing, self.proposal = self.proposal, None

    async def GetPolicy(self, request: Any, context: Any) -> Any:
        for source in self.policies:
            if hashlib.sha256(source).digest() == request.digest:
                return venue_messages.GetPolicyResponse(policy=source, digest=request.digest, effective_at=0)
        return venue_messages.GetPolicyResponse(policy=self.policies[0], digest=request.digest, effective_at=0)

    async def GetSnapshot(self, request: Any, context: Any) -> Any:
        if self.snapshot is None or self.report is None:
            raise UnavailableError("no snapshot yet", code=ReasonCode.SNAPSHOT_UNKNOWN)
        return venue_messages.GetSnapshotResponse(
            signed_snapshot=self.snapshot.encode(), price_report=self.report.encode()
        )

    async def GetBook(self, request: Any, context: Any) -> Any:
        assert self.book is not None
        self._check(request.credential, "GetBook")
        return venue_messages.GetBookResponse(book=self.book.encode())

    async def GetPledgeProposal(self, request: Any, context: Any) -> Any:
        self._check(request.credential, "GetPledgeProposal")
        proposal = self.earlier_proposals.pop(0) if self.earlier_proposals else self.proposal
        if proposal is None:
            raise NotFoundError("nothing is proposed")
        return venue_messages.GetPledgeProposalResponse(pledge_opening=proposal.encode())

    async def GetStandingPledge(self, request: Any, context: Any) -> Any:
        self._check(request.credential, "GetStandingPledge")
        if self.standing is None:
            raise NotFoundError("no pledge stands")
        return venue_messages.GetStandingPledgeResponse(pledge_opening=self.standing.encode())

    async def GetPledgeStatus(self, request: Any, context: Any) -> Any:
        self._check(request.credential, "GetPledgeStatus")
        proposed = self.proposal or self.standing
        state = venue_messages.PROPOSAL_STATE_STANDING if self.standing else venue_messages.PROPOSAL_STATE_NONE
        if self.proposal is not None:
            state = venue_messages.PROPOSAL_STATE_FAILED if self.failure else venue_messages.PROPOSAL_STATE_ACCEPTED
        status = venue_messages.PledgeStatus(
            standing_commitment=self.standing.commitment if self.standing else b"",
            line_open=self.standing is not None,
            registry_digest=bytes(32),
            proposal_state=state,
            proposed_commitment=proposed.commitment if proposed else b"",
            reason=self.failure,
        )
        return venue_messages.GetPledgeStatusResponse(status=status)

    async def GetMarginStatus(self, request: Any, context: Any) -> Any:
        self._check(request.credential, "GetMarginStatus")
        return venue_messages.GetMarginStatusResponse(
            state=venue_messages.MARGIN_STATE_GOOD, proof_due_at=77, next_action="nothing"
        )

    async def SubmitPresentation(self, request: Any, context: Any) -> Any:
        presentation = Presentation.decode(request.presentation)
        repeated = presentation in self.presentations
        self.presentations.append(presentation)
        decision = Decision(
            network=self.network_id,
            venue=self.address,
            account=presentation.context.account,
            presentation_digest=presentation.digest,
            snapshot_digest=presentation.context.snapshot_digest,
            purpose=presentation.context.purpose,
            outcome=self.outcome,
            step=0 if self.outcome is Outcome.ACCEPT else 7,
            reasons=self.reasons,
            decided_at=self.snapshot.snapshot.created_at if self.snapshot else 1,
        )
        if self.swaps_on and presentation.consent and self.outcome is Outcome.ACCEPT:
            self.swapping = asyncio.create_task(self.swap(*self.swaps_on))
        signature = bytes(65) if self.forged else sign_typed(self.key, decision_message(decision))
        return venue_messages.SubmitPresentationResponse(
            signed_decision=SignedDecision(decision, signature).encode(),
            outcome=int(self.outcome),  # type: ignore[arg-type] # same numbers, pinned by the client's tests
            step=decision.step,
            reasons=list(self.reasons),
            repeated_answer=repeated,
        )

    def StreamSnapshots(self, request: Any, context: Any) -> Any:
        raise NotFoundError("accounts do not ask for this")

    def _check(self, credential: Any, rpc: str) -> None:
        """The credential is of this method at this venue; who signed it, the tests look up."""
        identity = AccountIdentity.decode(credential.identity)
        method = venue_method(self.address, rpc)
        message = request_message(self.network_id, credential.account, method, credential.requested_at)
        assert identity.root() == credential.account
        self.signers.append(recover_typed(message, credential.signature))


@contextlib.asynccontextmanager
async def serving(servicer: RelayerForTests | VenueForTests, directory: Path) -> AsyncIterator[tuple[str, str]]:
    """Serves on a free port; gives target and pinned certificate."""
    identity = ServerIdentity.load_or_create(directory)
    if isinstance(servicer, RelayerForTests):
        service = Service(add_RelayerServiceServicer_to_server, servicer, "marginproof.v1.RelayerService")
    else:
        service = Service(add_VerifierServiceServicer_to_server, servicer, "marginproof.v1.VerifierService")
    server = GrpcServer("127.0.0.1:0", identity, [service])
    port = await server.start()
    try:
        yield f"127.0.0.1:{port}", identity.certificate_pem
    finally:
        await server.stop(0)
