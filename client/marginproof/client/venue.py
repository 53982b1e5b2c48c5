"""Client of a venue's verifier."""

import dataclasses
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from marginproof.v1 import verifier_service_pb2 as messages
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceStub

from marginproof.client.calls import GrpcClient
from marginproof.client.pledge_status import PledgeStatus
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError
from marginproof.model.margin import MarginState, Outcome, Presentation, SignedDecision, SignedSnapshot
from marginproof.model.pledges import Book, PledgeOpening
from marginproof.model.prices import PriceReport

if TYPE_CHECKING:  # the asyncio stubs exist for type checkers alone
    from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceAsyncStub


@dataclasses.dataclass(frozen=True, slots=True)
class AnnouncedPolicy:
    """A policy file, its digest and the UTC second from which it holds."""

    source: bytes
    digest: bytes
    effective_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class AccountCredential:
    """Shows that the caller owns the account: its key's EIP-712 signature over the Request of one method and time."""

    identity: AccountIdentity
    requested_at: int
    signature: bytes

    def message(self) -> messages.AccountCredential:
        """The wire form."""
        return messages.AccountCredential(
            account=self.identity.root(),
            requested_at=self.requested_at,
            identity=self.identity.encode(),
            signature=self.signature,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """A venue's recorded decision; ``repeated`` when the same bytes were decided before."""

    signed_decision: SignedDecision
    outcome: Outcome
    step: int
    reasons: tuple[str, ...]
    repeated: bool


@dataclasses.dataclass(frozen=True, slots=True)
class MarginStatus:
    """Where the account stands; times are UTC seconds."""

    state: MarginState
    proof_due_at: int
    accepted_at: int | None
    missed_deadline_count: int
    next_action: str


class VenueClient(GrpcClient):
    """Asks one venue's verifier; every answer is decoded, none is verified. All methods raise MarginproofError."""

    def __init__(self, target: str, certificate_pem: str, **options: Any) -> None:
        super().__init__(target, certificate_pem, **{"peer": "the venue", **options})
        self._stub: VerifierServiceAsyncStub = VerifierServiceStub(self._channel)

    async def get_policy(self, digest: bytes = b"") -> AnnouncedPolicy:
        """The policy in force, or an announced one by its digest."""
        answer = await self._unary(self._stub.GetPolicy, messages.GetPolicyRequest(digest=digest))
        return AnnouncedPolicy(answer.policy, answer.digest, answer.effective_at)

    async def get_snapshot(self) -> tuple[SignedSnapshot, PriceReport]:
        """The newest snapshot and the price report it was made from."""
        answer = await self._unary(self._stub.GetSnapshot, messages.GetSnapshotRequest())
        return SignedSnapshot.decode(answer.signed_snapshot), PriceReport.decode(answer.price_report)

    async def stream_snapshots(self) -> AsyncIterator[tuple[SignedSnapshot, PriceReport]]:
        """Every snapshot from now on with its price report."""
        async for answer in self._stream(self._stub.StreamSnapshots, messages.StreamSnapshotsRequest()):
            yield SignedSnapshot.decode(answer.signed_snapshot), PriceReport.decode(answer.price_report)

    async def get_book(self, credential: AccountCredential) -> Book:
        """The venue's book with the caller's account."""
        answer = await self._unary(self._stub.GetBook, messages.GetBookRequest(credential=credential.message()))
        return Book.decode(answer.book)

    async def get_pledge_proposal(self, credential: AccountCredential) -> PledgeOpening:
        """The opening of the pledge that the venue proposes; NotFoundError when it proposes none."""
        request = messages.GetPledgeProposalRequest(credential=credential.message())
        answer = await self._unary(self._stub.GetPledgeProposal, request)
        return PledgeOpening.decode(answer.pledge_opening)

    async def get_standing_pledge(self, credential: AccountCredential) -> PledgeOpening:
        """The opening of the venue's standing pledge; NotFoundError when none stands."""
        request = messages.GetStandingPledgeRequest(credential=credential.message())
        answer = await self._unary(self._stub.GetStandingPledge, request)
        return PledgeOpening.decode(answer.pledge_opening)

    async def get_pledge_status(self, credential: AccountCredential) -> PledgeStatus:
        """How far the venue's pledge of the caller's account is."""
        request = messages.GetPledgeStatusRequest(credential=credential.message())
        answer = await self._unary(self._stub.GetPledgeStatus, request)
        return PledgeStatus.of(answer.status)

    async def submit_presentation(self, presentation: Presentation | bytes) -> DecisionAnswer:
        """The decision on a presentation; REJECT is a normal answer."""
        data = presentation if isinstance(presentation, bytes) else presentation.encode()
        request = messages.SubmitPresentationRequest(presentation=data)
        answer = await self._unary(self._stub.SubmitPresentation, request)
        signed = SignedDecision.decode(answer.signed_decision)
        decision = signed.decision  # what is signed is what counts; the plain fields only spare others the decoding
        answered = (answer.outcome, answer.step, tuple(answer.reasons))
        if decision.outcome not in set(Outcome) or answered != (decision.outcome, decision.step, decision.reasons):
            raise MalformedError("the venue's answer and its signed decision differ")
        return DecisionAnswer(
            signed, Outcome(decision.outcome), decision.step, decision.reasons, answer.repeated_answer
        )

    async def get_margin_status(self, credential: AccountCredential) -> MarginStatus:
        """Where the caller's account stands and when its next proof is due."""
        request = messages.GetMarginStatusRequest(credential=credential.message())
        answer = await self._unary(self._stub.GetMarginStatus, request)
        try:
            state = MarginState(int(answer.state))
        except ValueError:
            raise MalformedError("the venue named an unknown margin state") from None
        accepted_at = answer.accepted_at if answer.HasField("accepted_at") else None
        return MarginStatus(state, answer.proof_due_at, accepted_at, answer.missed_deadline_count, answer.next_action)
