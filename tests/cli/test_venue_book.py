"""``marginproof venue reserve|release|pledge|check|fill``: a matching engine by hand, over a real socket."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marginproof.v1 import venue_book_service_pb2 as messages
from marginproof.v1 import verifier_service_pb2 as shared
from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceServicer, add_VenueBookServiceServicer_to_server

from marginproof.model.errors import RefusedError
from marginproof.model.reasons import ReasonCode, exit_code
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from tests.support.command import Command

ACCOUNT, COMMITMENT = "0x" + "a5" * 32, b"c" * 48
STATUS = shared.PledgeStatus(
    registry_digest=b"d" * 32, proposal_state=shared.PROPOSAL_STATE_PROPOSED, proposed_commitment=COMMITMENT
)
ORDER = ("--instrument", "ETH-PERP", "--lots", "-5", "--price-e8", "100")


class Engine(VenueBookServiceServicer):
    """A book service that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refusal: ReasonCode | None = None

    async def OpenAccount(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        return messages.OpenAccountResponse()

    async def ReservePledge(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        return messages.ReservePledgeResponse(status=STATUS)

    async def ReleasePledge(self, request: Any, context: Any) -> Any:
        return messages.ReleasePledgeResponse(status=STATUS)

    async def GetPledge(self, request: Any, context: Any) -> Any:
        return messages.GetPledgeResponse(status=STATUS)

    async def CheckOrder(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        reason = "" if self.refusal is None else str(self.refusal)
        return messages.CheckOrderResponse(fits=not reason, reason=reason)

    async def RecordFill(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        if self.refusal is not None:
            raise RefusedError(self.refusal, "not now")
        return messages.RecordFillResponse(sequence=7)

    async def RecordFills(self, request: Any, context: Any) -> Any:
        return messages.RecordFillsResponse()


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def access(engine: Engine, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """Options that reach the engine, which serves in a thread of its own."""
    identity = ServerIdentity.load_or_create(tmp_path / "tls", hosts=())
    certificate, token = tmp_path / "certificate.pem", tmp_path / "token"
    certificate.write_text(identity.certificate_pem)
    token.write_text("a token of the venue\n")
    service = Service(add_VenueBookServiceServicer_to_server, engine, "marginproof.v1.VenueBookService")
    loop, started, ports = asyncio.new_event_loop(), threading.Event(), []

    async def serve(stop: asyncio.Event) -> None:
        server = GrpcServer("127.0.0.1:0", identity, [service])
        ports.append(await server.start())
        started.set()
        await stop.wait()
        await server.stop(0)

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(stop)))
    thread.start()
    assert started.wait(20)
    target = f"127.0.0.1:{ports[0]}"
    yield ("--target", target, "--certificate", str(certificate), "--token-file", str(token), "--account", ACCOUNT)
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


def test_a_line_is_reserved_shown_and_given_up(run: Command, engine: Engine, access: tuple[str, ...]) -> None:
    reserved = run("--json", "venue", "reserve", *access, "--line-lots", "500").document
    assert [type(request).__name__ for request in engine.asked] == ["OpenAccountRequest", "ReservePledgeRequest"]
    assert (engine.asked[1].account.hex(), engine.asked[1].line_lots) == ("a5" * 32, 500)
    assert reserved == {
        "schema": "marginproof/venue-reserve/v1",
        "line_open": False,
        "standing_commitment": None,
        "proposal_state": "PROPOSED",
        "proposed_commitment": "0x" + COMMITMENT.hex(),
        "reason": "",
        "registry_digest": "0x" + "64" * 32,
    }
    for verb in ("pledge", "release"):
        assert run("--json", "venue", verb, *access).document == reserved | {"schema": f"marginproof/venue-{verb}/v1"}
    assert "PROPOSED" in run("venue", "pledge", *access).out


def test_an_order_is_checked_and_booked(run: Command, engine: Engine, access: tuple[str, ...]) -> None:
    checked = run("--json", "venue", "check", *access, *ORDER)
    assert (checked.code, checked.document["fits"]) == (0, True)
    booked = run("--json", "venue", "fill", *access, *ORDER, "--fill-id", "f1")
    assert (booked.code, booked.document["sequence"]) == (0, 7)
    assert [(asked.instrument, asked.lots, asked.price_e8) for asked in engine.asked] == [("ETH-PERP", -5, 100)] * 2
    assert engine.asked[1].fill_id == "f1"


def test_a_refused_order_ends_with_its_reason(run: Command, engine: Engine, access: tuple[str, ...]) -> None:
    engine.refusal = ReasonCode.LINE_EXCEEDED
    checked = run("--json", "venue", "check", *access, *ORDER)
    assert (checked.code, checked.document["reason"]) == (exit_code(ReasonCode.LINE_EXCEEDED), "LINE_EXCEEDED")
    booked = run("--json", "venue", "fill", *access, *ORDER, "--fill-id", "f1")
    assert (booked.code, booked.error["code"]) == (exit_code(ReasonCode.LINE_EXCEEDED), "LINE_EXCEEDED")


@pytest.mark.parametrize("account", ["", "0x12", "zz" * 32])
def test_what_is_no_account(run: Command, access: tuple[str, ...], account: str) -> None:
    assert run("--json", "venue", "pledge", *access[:-1], account).error["code"] == "INPUT_LENGTH"
