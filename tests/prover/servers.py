"""A relayer's and a venue's answers over real sockets; what they answer, the test decides."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from marginproof.v1 import relayer_service_pb2 as relayer_messages
from marginproof.v1 import verifier_service_pb2 as venue_messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceServicer, add_RelayerServiceServicer_to_server
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceServicer, add_VerifierServiceServicer_to_server

from marginproof.attestation.typed_signing import recover_typed, sign_typed
from marginproof.model.accounts import AccountIdentity, SignedRegistration
from marginproof.model.certificates import Certificate, IncludedLeaf
from marginproof.model.errors import MarginproofError, NotFoundError, UnavailableError
from marginproof.model.margin import BookOpening, Decision, Outcome, Presentation, SignedDecision, SignedSnapshot
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message, request_message, venue_method
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from tests.prover.world import POLICY, VENUE, VENUE_KEY


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
    """Gives what the test put in; accepts every presentation unless told what to answer."""

    network_id: bytes
    snapshot: SignedSnapshot | None = None
    report: PriceReport | None = None
    book: BookOpening | None = None
    policy: bytes = POLICY.source
    outcome: Outcome = Outcome.ACCEPT
    reasons: tuple[str, ...] = ()
    forged: bool = False
    presentations: list[Presentation] = dataclasses.field(default_factory=list)

    async def GetPolicy(self, request: Any, context: Any) -> Any:
        return venue_messages.GetPolicyResponse(policy=self.policy, digest=POLICY.digest, effective_at=0)

    async def GetSnapshot(self, request: Any, context: Any) -> Any:
        if self.snapshot is None or self.report is None:
            raise UnavailableError("no snapshot yet", code=ReasonCode.SNAPSHOT_UNKNOWN)
        return venue_messages.GetSnapshotResponse(
            signed_snapshot=self.snapshot.encode(), price_report=self.report.encode()
        )

    async def GetBook(self, request: Any, context: Any) -> Any:
        assert self.book is not None
        self._check(request.credential, "GetBook")
        return venue_messages.GetBookResponse(book_opening=self.book.encode())

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
            venue=VENUE,
            account=presentation.context.account,
            presentation_digest=presentation.digest,
            snapshot_digest=presentation.context.snapshot_digest,
            purpose=presentation.context.purpose,
            outcome=self.outcome,
            step=0 if self.outcome is Outcome.ACCEPT else 7,
            reasons=self.reasons,
            decided_at=self.snapshot.snapshot.created_at if self.snapshot else 1,
        )
        signature = bytes(65) if self.forged else sign_typed(VENUE_KEY, decision_message(decision))
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
        """As a venue must: the credential is the owner's, of this method at this venue."""
        identity = AccountIdentity.decode(credential.identity)
        message = request_message(
            self.network_id, credential.account, venue_method(VENUE, rpc), credential.requested_at
        )
        assert identity.root() == credential.account
        assert recover_typed(message, credential.signature) == identity.owner


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
