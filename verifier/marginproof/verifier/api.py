"""The gRPC faces of a venue: one for accounts and auditors, one for its own matching engine."""

from collections.abc import AsyncIterator
from typing import Any, Final

from marginproof.v1 import venue_book_service_pb2 as book_messages
from marginproof.v1 import verifier_service_pb2 as messages
from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceServicer
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceServicer

from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.margin import MarginState, SignedSnapshot
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.node.limits import RateLimit, caller_of
from marginproof.verifier.book import Fill
from marginproof.verifier.books import BookDesk
from marginproof.verifier.credentials import check_account_credential, check_bearer_token
from marginproof.verifier.decisions import DecisionDesk
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.standings import StandingKeeper
from marginproof.verifier.status import NEXT_ACTIONS

VERIFIER_SERVICE: Final = "marginproof.v1.VerifierService"
BOOK_SERVICE: Final = "marginproof.v1.VenueBookService"
MAX_VERIFIER_MESSAGE_BYTES: Final = 512 * 1024
"""Twice the largest presentation; snapshots with their reports stay far below."""
MAX_BOOK_MESSAGE_BYTES: Final = 64 * 1024
MAX_STREAMS: Final = 64
"""Open snapshot streams; so many idle readers never keep presentations out of the server's calls."""


class VerifierApi(VerifierServiceServicer):
    """Answers accounts and auditors.

    Args:
        setting: The venue.
        policies: Its policies.
        snapshots: Its snapshots.
        books: Its books.
        decisions: Where presentations are decided.
        standings: Where accounts stand.
        limit: How many presentations one caller may submit.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        policies: PolicyBook,
        snapshots: SnapshotDesk,
        books: BookDesk,
        decisions: DecisionDesk,
        standings: StandingKeeper,
        limit: RateLimit,
    ) -> None:
        self._setting = setting
        self._limit = limit
        self._policies = policies
        self._snapshots = snapshots
        self._books = books
        self._decisions = decisions
        self._standings = standings
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
        """Hands the opening of the book to the account's owner."""
        account = self._owner(request.credential, "GetBook")
        return messages.GetBookResponse(book_opening=self._books.opening(account).encode())

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
        account = self._owner(request.credential, "GetMarginStatus")
        status, state = self._standings.standing(account)
        return messages.GetMarginStatusResponse(
            state=messages.MarginState.ValueType(state),
            proof_due_at=status.deadline or 0,
            accepted_at=status.accepted_at,
            missed_deadline_count=status.missed,
            next_action=NEXT_ACTIONS[MarginState(state)],
        )

    def _owner(self, credential: messages.AccountCredential, rpc: str) -> bytes:
        return check_account_credential(
            credential,
            network=self._setting.file.network,
            venue=self._setting.venue,
            rpc=rpc,
            now=self._setting.clock(),
            clock_skew_seconds=self._setting.configuration.clock_skew_seconds,
        )


class VenueBookApi(VenueBookServiceServicer):
    """Answers the venue's own matching engine.

    Args:
        books: The venue's books.
        token: Bearer token; secret.
    """

    def __init__(self, books: BookDesk, token: str) -> None:
        self._books = books
        self._token = token

    async def OpenAccount(  # noqa: N802 - named by the service
        self, request: book_messages.OpenAccountRequest, context: Any
    ) -> book_messages.OpenAccountResponse:
        """Opens an account."""
        check_bearer_token(context.invocation_metadata() or (), self._token)
        if len(request.account) != 32:
            raise MalformedError("an account id has 32 bytes", code=ReasonCode.INPUT_LENGTH)
        return book_messages.OpenAccountResponse(sequence=await self._books.open_account(request.account))

    async def RecordFill(  # noqa: N802 - named by the service
        self, request: book_messages.RecordFillRequest, context: Any
    ) -> book_messages.RecordFillResponse:
        """Books a fill."""
        check_bearer_token(context.invocation_metadata() or (), self._token)
        fill = Fill(request.fill_id, request.account, request.instrument, request.lots, request.price_e8)
        record = await self._books.record_fill(Fill.decode(fill.encode()))  # one door: out of range is refused here
        return book_messages.RecordFillResponse(sequence=record.sequence, book_commitment=record.commitment)
