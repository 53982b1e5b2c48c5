"""What a venue says of pledges, orders and fills, over real sockets, and what its clients make of it."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from marginproof.v1 import venue_book_service_pb2 as book_messages
from marginproof.v1 import verifier_service_pb2 as messages
from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceServicer, add_VenueBookServiceServicer_to_server
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceServicer, add_VerifierServiceServicer_to_server

from marginproof.client.pledge_status import PledgeStatus, ProposalState
from marginproof.client.venue import AccountCredential, VenueClient
from marginproof.client.venue_book import FillResult, OrderCheck, OrderFill, VenueBookClient
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError
from marginproof.model.pledges import Book, PledgeOpening, VectorValue
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity

ACCOUNT, COMMITMENT, DIGEST = b"a" * 32, b"c" * 48, b"d" * 32
CREDENTIAL = AccountCredential(AccountIdentity("eip155:1", b"r" * 20, b"o" * 20, 0), 1, bytes(65))
FILL = OrderFill("fill", ACCOUNT, "ETH-PERP", -5, 100)


def wire_status(**changes: Any) -> messages.PledgeStatus:
    fields: dict[str, Any] = {
        "standing_commitment": COMMITMENT,
        "line_open": True,
        "registry_digest": DIGEST,
        "proposal_state": messages.PROPOSAL_STATE_STANDING,
        "proposed_commitment": COMMITMENT,
    }
    return messages.PledgeStatus(**{**fields, **changes})


class Venue(VerifierServiceServicer, VenueBookServiceServicer):
    """Answers every call of both services with what the test put in."""

    answer: Any = None
    asked: Any = None

    async def _any(self, request: Any, context: Any) -> Any:
        self.asked = (request, dict(context.invocation_metadata() or ()))
        return self.answer

    GetBook = GetPledgeProposal = GetStandingPledge = GetPledgeStatus = _any
    ReservePledge = ReleasePledge = GetPledge = CheckOrder = RecordFill = RecordFills = _any


def new_venue() -> Venue:
    return Venue()  # type: ignore[abstract] # the methods not asked for stay unimplemented


@contextlib.asynccontextmanager
async def serving(servicer: Venue, directory: Path) -> AsyncIterator[tuple[VenueClient, VenueBookClient]]:
    identity = ServerIdentity.load_or_create(directory, hosts=())
    services = [
        Service(add_VerifierServiceServicer_to_server, servicer, "marginproof.v1.VerifierService"),
        Service(add_VenueBookServiceServicer_to_server, servicer, "marginproof.v1.VenueBookService"),
    ]
    server = GrpcServer("127.0.0.1:0", identity, services)
    target = f"127.0.0.1:{await server.start()}"
    pem = identity.certificate_pem
    try:
        async with VenueClient(target, pem) as venue, VenueBookClient(target, pem, "token") as book:
            yield venue, book
    finally:
        await server.stop(0)


async def test_books_and_openings_come_as_they_are(tmp_path: Path) -> None:
    servicer = new_venue()
    book = Book(b"v" * 20, ACCOUNT, bytes(32), 3, (VectorValue(2, -7),))
    opening = PledgeOpening(b"v" * 20, ACCOUNT, bytes(32), 1, 3, 4, 1, 9, book.values, bytes(32), COMMITMENT)
    async with serving(servicer, tmp_path) as (venue, _):
        servicer.answer = messages.GetBookResponse(book=book.encode())
        assert await venue.get_book(CREDENTIAL) == book
        servicer.answer = messages.GetPledgeProposalResponse(pledge_opening=opening.encode())
        assert await venue.get_pledge_proposal(CREDENTIAL) == opening
        servicer.answer = messages.GetStandingPledgeResponse(pledge_opening=opening.encode())
        assert await venue.get_standing_pledge(CREDENTIAL) == opening
        servicer.answer = messages.GetPledgeProposalResponse(pledge_opening=opening.encode()[:-1])
        with pytest.raises(MalformedError):
            await venue.get_pledge_proposal(CREDENTIAL)


async def test_both_services_tell_the_same_status(tmp_path: Path) -> None:
    servicer = new_venue()
    expected = PledgeStatus(COMMITMENT, True, DIGEST, ProposalState.STANDING, COMMITMENT, "")
    async with serving(servicer, tmp_path) as (venue, book):
        servicer.answer = messages.GetPledgeStatusResponse(status=wire_status())
        assert await venue.get_pledge_status(CREDENTIAL) == expected
        servicer.answer = book_messages.ReservePledgeResponse(status=wire_status())
        assert await book.reserve_pledge(ACCOUNT, 5) == expected
        assert servicer.asked[0].line_lots == 5
        assert servicer.asked[1]["authorization"] == "Bearer token"
        servicer.answer = book_messages.ReleasePledgeResponse(status=wire_status(standing_commitment=b""))
        assert await book.release_pledge(ACCOUNT) == dataclasses.replace(expected, standing_commitment=None)
        servicer.answer = book_messages.GetPledgeResponse(
            status=wire_status(proposal_state=messages.PROPOSAL_STATE_FAILED, reason="REGISTRY_DIGEST_STALE")
        )
        failed = await book.get_pledge(ACCOUNT)
        assert (failed.proposal_state, failed.reason) == (ProposalState.FAILED, "REGISTRY_DIGEST_STALE")


@pytest.mark.parametrize(
    "change",
    [
        {"standing_commitment": COMMITMENT[:-1]},
        {"proposed_commitment": COMMITMENT + b"c"},
        {"registry_digest": b""},
        {"registry_digest": DIGEST[:-1]},
        {"proposal_state": 0},
        {"proposal_state": 77},
    ],
)
async def test_a_status_that_is_none_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    servicer = new_venue()
    servicer.answer = messages.GetPledgeStatusResponse(status=wire_status(**change))
    async with serving(servicer, tmp_path) as (venue, _):
        with pytest.raises(MalformedError):
            await venue.get_pledge_status(CREDENTIAL)


async def test_orders_and_fills(tmp_path: Path) -> None:
    servicer = new_venue()
    async with serving(servicer, tmp_path) as (_, book):
        servicer.answer = book_messages.CheckOrderResponse(fits=False, reason="LINE_EXCEEDED")
        assert await book.check_order(ACCOUNT, "ETH-PERP", -5, 100) == OrderCheck(False, "LINE_EXCEEDED")
        assert servicer.asked[0].lots == -5
        servicer.answer = book_messages.RecordFillResponse(sequence=4)
        assert await book.record_fill(FILL) == 4
        results = [
            book_messages.FillResult(recorded=True, sequence=5, repeated_answer=True),
            book_messages.FillResult(reason="LINE_CLOSED"),
        ]
        servicer.answer = book_messages.RecordFillsResponse(results=results)
        assert await book.record_fills([FILL, FILL]) == (
            FillResult(True, "", 5, True),
            FillResult(False, "LINE_CLOSED", 0, False),
        )
        assert [fill.fill_id for fill in servicer.asked[0].fills] == ["fill", "fill"]


async def test_an_answer_to_other_fills_is_refused(tmp_path: Path) -> None:
    servicer = new_venue()
    servicer.answer = book_messages.RecordFillsResponse(results=[book_messages.FillResult(recorded=True)])
    async with serving(servicer, tmp_path) as (_, book):
        with pytest.raises(MalformedError):
            await book.record_fills([FILL, FILL])
