"""The gRPC faces of a venue: one for accounts and auditors, one for its own matching engine."""

from collections.abc import AsyncIterator
from typing import Any, Final

from marginproof.v1 import venue_book_service_pb2 as book_messages
from marginproof.v1 import verifier_service_pb2 as messages
from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceServicer
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceServicer

from marginproof.client.pledge_status import PledgeStatus
from marginproof.client.venue_book import MAX_FILLS
from marginproof.model.errors import MalformedError, MarginproofError, RefusedError
from marginproof.model.margin import MarginState, SignedSnapshot
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.node.limits import RateLimit, caller_of
from marginproof.verifier.book import Fill, Order
from marginproof.verifier.books import BookDesk, FillAnswer
from marginproof.verifier.credentials import Records, check_account_credential, check_bearer_token
from marginproof.verifier.decisions import DecisionDesk
from marginproof.verifier.pledges import PledgeDesk
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.standings import StandingKeeper
from marginproof.verifier.status import NEXT_ACTIONS

VERIFIER_SERVICE: Final = "marginproof.v1.VerifierService"
BOOK_SERVICE: Final = "marginproof.v1.VenueBookService"
MAX_VERIFIER_MESSAGE_BYTES: Final = 512 * 1024
"""Twice the largest presentation; snapshots with their reports stay far below."""
MAX_BOOK_MESSAGE_BYTES: Final = 512 * 1024
"""More than 1000 of the longest fills."""
MAX_STREAMS: Final = 64
"""Open snapshot streams; so many idle readers never keep presentations out of the server's calls."""


class VerifierApi(VerifierServiceServicer):
    """Answers accounts and auditors.

    Args:
        setting: The venue.
        policies: Its policies.
        snapshots: Its snapshots.
        books: Its books.
        pledges: Its pledges.
        decisions: Where presentations are decided.
        standings: Where accounts stand.
        records: The registry's records, for the accounts' present keys.
        limit: How many presentations one caller may submit.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        policies: PolicyBook,
        snapshots: SnapshotDesk,
        books: BookDesk,
        pledges: PledgeDesk,
        decisions: DecisionDesk,
        standings: StandingKeeper,
        records: Records,
        limit: RateLimit,
    ) -> None:
        self._setting = setting
        self._limit = limit
        self._policies = policies
        self._snapshots = snapshots
        self._books = books
        self._pledges = pledges
        self._decisions = decisions
        self._standings = standings
        self._records = records
        self._streams = 0

    async def GetPolicy(  # noqa: N802 - named by the service
        self, request: messages.GetPolicyRequest, _context: Any
    ) -> messages.GetPolicyResponse:
        """Gives the policy in force, or one by digest; ``effective_at`` is 0 while it is not announced."""
        if request.digest:
            policy = self._policies.find(request.digest)
        else:
            policy = self._policies.in_force(self._setting.clock())
        effective_at = self._policies.effective_at.get(policy.digest, 0)
        return messages.GetPolicyResponse(policy=policy.source, digest=policy.digest, effective_at=effective_at)

    async def GetSnapshot(  # noqa: N802 - named by the service
        self, _request: messages.GetSnapshotRequest, _context: Any
    ) -> messages.GetSnapshotResponse:
        """Gives the newest snapshot."""
        signed, report = self._snapshots.newest()
        return messages.GetSnapshotResponse(signed_snapshot=signed.encode(), price_report=report.encode())

    async def StreamSnapshots(  # noqa: N802 - named by the service
        self, _request: messages.StreamSnapshotsRequest, _context: Any
    ) -> AsyncIterator[messages.StreamSnapshotsResponse]:
        """Sends every snapshot from now on."""
        if self._streams >= MAX_STREAMS:
            raise RefusedError(
                ReasonCode.RATE_LIMITED, "too many streams are open at this venue", fix="call GetSnapshot instead"
            )
        self._streams += 1
        try:
            pair: tuple[SignedSnapshot, PriceReport]
            async for pair in self._snapshots.follow():
                yield messages.StreamSnapshotsResponse(signed_snapshot=pair[0].encode(), price_report=pair[1].encode())
        finally:
            self._streams -= 1

    async def GetBook(  # noqa: N802 - named by the service
        self, request: messages.GetBookRequest, _context: Any
    ) -> messages.GetBookResponse:
        """Hands the book to the account's owner."""
        account = await self._owner(request.credential, "GetBook")
        return messages.GetBookResponse(book=self._books.book(account).encode())

    async def GetPledgeProposal(  # noqa: N802 - named by the service
        self, request: messages.GetPledgeProposalRequest, _context: Any
    ) -> messages.GetPledgeProposalResponse:
        """Hands the opening of the proposed pledge to the account's owner."""
        account = await self._owner(request.credential, "GetPledgeProposal")
        opening = await self._pledges.proposal(account)
        return messages.GetPledgeProposalResponse(pledge_opening=opening.encode())

    async def GetStandingPledge(  # noqa: N802 - named by the service
        self, request: messages.GetStandingPledgeRequest, _context: Any
    ) -> messages.GetStandingPledgeResponse:
        """Hands the opening of the standing pledge to the account's owner."""
        account = await self._owner(request.credential, "GetStandingPledge")
        opening = await self._pledges.standing(account)
        return messages.GetStandingPledgeResponse(pledge_opening=opening.encode())

    async def GetPledgeStatus(  # noqa: N802 - named by the service
        self, request: messages.GetPledgeStatusRequest, _context: Any
    ) -> messages.GetPledgeStatusResponse:
        """Tells the account's owner how far the pledge is."""
        account = await self._owner(request.credential, "GetPledgeStatus")
        return messages.GetPledgeStatusResponse(status=_status_message(await self._pledges.status(account)))

    async def SubmitPresentation(  # noqa: N802 - named by the service
        self, request: messages.SubmitPresentationRequest, context: Any
    ) -> messages.SubmitPresentationResponse:
        """Decides; every decision is kept, so that nobody may ask for them without bound."""
        self._limit.take(caller_of(context.peer()), float(self._setting.clock()))
        answer = await self._decisions.submit(request.presentation)
        decision = answer.signed.decision
        return messages.SubmitPresentationResponse(
            signed_decision=answer.signed.encode(),
            outcome=messages.Outcome.ValueType(decision.outcome),
            step=decision.step,
            reasons=decision.reasons,
            repeated_answer=answer.repeated,
        )

    async def GetMarginStatus(  # noqa: N802 - named by the service
        self, request: messages.GetMarginStatusRequest, _context: Any
    ) -> messages.GetMarginStatusResponse:
        """Tells the account's owner where it stands."""
        account = await self._owner(request.credential, "GetMarginStatus")
        status, state = self._standings.standing(account)
        return messages.GetMarginStatusResponse(
            state=messages.MarginState.ValueType(state),
            proof_due_at=status.deadline or 0,
            accepted_at=status.accepted_at,
            missed_deadline_count=status.missed,
            next_action=NEXT_ACTIONS[MarginState(state)],
        )

    async def _owner(self, credential: messages.AccountCredential, rpc: str) -> bytes:
        return await check_account_credential(
            credential,
            network=self._setting.file.network,
            venue=self._setting.venue,
            rpc=rpc,
            now=self._setting.clock(),
            clock_skew_seconds=self._setting.configuration.clock_skew_seconds,
            records=self._records,
        )


class VenueBookApi(VenueBookServiceServicer):
    """Answers the venue's own matching engine.

    Args:
        books: The venue's books.
        pledges: Its pledges.
        token: Bearer token; secret.
    """

    def __init__(self, books: BookDesk, pledges: PledgeDesk, token: str) -> None:
        self._books = books
        self._pledges = pledges
        self._token = token

    async def OpenAccount(  # noqa: N802 - named by the service
        self, request: book_messages.OpenAccountRequest, context: Any
    ) -> book_messages.OpenAccountResponse:
        """Opens an account."""
        account = self._account(request.account, context)
        return book_messages.OpenAccountResponse(sequence=await self._books.open_account(account))

    async def ReservePledge(  # noqa: N802 - named by the service
        self, request: book_messages.ReservePledgeRequest, context: Any
    ) -> book_messages.ReservePledgeResponse:
        """Proposes a pledge with a line."""
        status = await self._pledges.reserve(self._account(request.account, context), request.line_lots)
        return book_messages.ReservePledgeResponse(status=_status_message(status))

    async def ReleasePledge(  # noqa: N802 - named by the service
        self, request: book_messages.ReleasePledgeRequest, context: Any
    ) -> book_messages.ReleasePledgeResponse:
        """Gives a pledge up."""
        status = await self._pledges.release(self._account(request.account, context))
        return book_messages.ReleasePledgeResponse(status=_status_message(status))

    async def GetPledge(  # noqa: N802 - named by the service
        self, request: book_messages.GetPledgeRequest, context: Any
    ) -> book_messages.GetPledgeResponse:
        """Tells how far a pledge is."""
        status = await self._pledges.status(self._account(request.account, context))
        return book_messages.GetPledgeResponse(status=_status_message(status))

    async def CheckOrder(  # noqa: N802 - named by the service
        self, request: book_messages.CheckOrderRequest, context: Any
    ) -> book_messages.CheckOrderResponse:
        """Tells whether an order fits; a refusal is a normal answer."""
        check_bearer_token(context.invocation_metadata() or (), self._token)
        try:
            await self._books.check_order(Order(request.account, request.instrument, request.lots, request.price_e8))
        except MarginproofError as refusal:
            return book_messages.CheckOrderResponse(fits=False, reason=refusal.code)
        return book_messages.CheckOrderResponse(fits=True)

    async def RecordFill(  # noqa: N802 - named by the service
        self, request: book_messages.RecordFillRequest, context: Any
    ) -> book_messages.RecordFillResponse:
        """Books a fill; a refusal is an error."""
        check_bearer_token(context.invocation_metadata() or (), self._token)
        answer = await self._books.record_fill(_fill(request))
        return book_messages.RecordFillResponse(sequence=answer.sequence)

    async def RecordFills(  # noqa: N802 - named by the service
        self, request: book_messages.RecordFillsRequest, context: Any
    ) -> book_messages.RecordFillsResponse:
        """Books fills; each refusal is an answer of its own."""
        check_bearer_token(context.invocation_metadata() or (), self._token)
        if not 0 < len(request.fills) <= MAX_FILLS:
            raise MalformedError(f"a call records 1 to {MAX_FILLS} fills", code=ReasonCode.OUT_OF_RANGE)
        answers = await self._books.record_fills([_fill(fill) for fill in request.fills])
        return book_messages.RecordFillsResponse(results=[_result(answer) for answer in answers])

    def _account(self, account: bytes, context: Any) -> bytes:
        check_bearer_token(context.invocation_metadata() or (), self._token)
        if len(account) != 32:
            raise MalformedError("an account id has 32 bytes", code=ReasonCode.INPUT_LENGTH)
        return account


def _fill(request: book_messages.RecordFillRequest) -> Fill:
    return Fill(request.fill_id, Order(request.account, request.instrument, request.lots, request.price_e8))


def _result(answer: FillAnswer) -> book_messages.FillResult:
    refusal = answer.refusal
    return book_messages.FillResult(
        recorded=refusal is None,
        reason="" if refusal is None else refusal.code,
        sequence=answer.sequence,
        repeated_answer=answer.repeated,
    )


def _status_message(status: PledgeStatus) -> messages.PledgeStatus:
    return messages.PledgeStatus(
        standing_commitment=status.standing_commitment or b"",
        line_open=status.line_open,
        registry_digest=status.registry_digest,
        proposal_state=messages.ProposalState.ValueType(status.proposal_state),
        proposed_commitment=status.proposed_commitment or b"",
        reason=status.reason,
    )
