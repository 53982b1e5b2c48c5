"""What a venue and a relayer answer, over real sockets, and what their clients make of it."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from marginproof.v1 import relayer_service_pb2 as relayer_messages
from marginproof.v1 import verifier_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceServicer, add_RelayerServiceServicer_to_server
from marginproof.v1.verifier_service_pb2_grpc import VerifierServiceServicer, add_VerifierServiceServicer_to_server

from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import AccountCredential, VenueClient
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError, MarginproofError, UnavailableError
from marginproof.model.margin import Decision, MarginState, Outcome, Purpose, SignedDecision
from marginproof.model.reasons import ReasonCode
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity

DECISION = Decision(
    network=b"n" * 32,
    venue=b"v" * 20,
    account=b"a" * 32,
    presentation_digest=b"p" * 32,
    snapshot_digest=b"s" * 32,
    purpose=Purpose.INITIAL,
    outcome=Outcome.REJECT,
    step=7,
    reasons=("PROOF_INVALID",),
    decided_at=1,
)


class Venue(VerifierServiceServicer):
    """Answers with what the test put in."""

    answer: Any = None

    async def SubmitPresentation(self, request: Any, context: Any) -> Any:
        return self.answer

    async def GetMarginStatus(self, request: Any, context: Any) -> Any:
        return self.answer


class Relayer(RelayerServiceServicer):
    """Answers its status with what the test put in; prices never come."""

    status: Any = None

    async def GetStatus(self, request: Any, context: Any) -> Any:
        return self.status

    async def GetPriceReport(self, request: Any, context: Any) -> Any:
        await asyncio.Event().wait()

    async def GetCertificate(self, request: Any, context: Any) -> Any:
        return relayer_messages.GetCertificateResponse(certificate=b"x" * 4_000)

    async def ListCertificates(self, request: Any, context: Any) -> Any:
        return relayer_messages.ListCertificatesResponse()


@contextlib.asynccontextmanager
async def serving(service: Service, directory: Path) -> AsyncIterator[tuple[str, str]]:
    identity = ServerIdentity.load_or_create(directory, hosts=())  # known by the name that all identities carry
    server = GrpcServer("127.0.0.1:0", identity, [service])
    port = await server.start()
    try:
        yield f"127.0.0.1:{port}", identity.certificate_pem
    finally:
        await server.stop(0)


@contextlib.asynccontextmanager
async def venue(servicer: Venue, directory: Path) -> AsyncIterator[VenueClient]:
    service = Service(add_VerifierServiceServicer_to_server, servicer, "marginproof.v1.VerifierService")
    async with serving(service, directory) as (target, pem), VenueClient(target, pem) as client:
        yield client


@contextlib.asynccontextmanager
async def relayer(servicer: Relayer, directory: Path, **options: Any) -> AsyncIterator[RelayerClient]:
    service = Service(add_RelayerServiceServicer_to_server, servicer, "marginproof.v1.RelayerService")
    async with serving(service, directory) as (target, pem), RelayerClient(target, pem, **options) as client:
        yield client


def answer_of(decision: Decision, **differs: Any) -> Any:
    plain = {"outcome": int(decision.outcome), "step": decision.step, "reasons": list(decision.reasons), **differs}
    return messages.SubmitPresentationResponse(
        signed_decision=SignedDecision(decision, bytes(65)).encode(), repeated_answer=True, **plain
    )


def new_venue() -> Venue:
    return Venue()  # type: ignore[abstract] # the methods not asked for stay unimplemented


def new_relayer() -> Relayer:
    return Relayer()  # type: ignore[abstract] # the methods not asked for stay unimplemented


async def test_a_decision_is_what_was_signed(tmp_path: Path) -> None:
    servicer = new_venue()
    servicer.answer = answer_of(DECISION)
    async with venue(servicer, tmp_path) as client:
        answer = await client.submit_presentation(b"any bytes")
    assert answer.signed_decision.decision == DECISION
    assert (answer.outcome, answer.step, answer.reasons) == (Outcome.REJECT, 7, ("PROOF_INVALID",))
    assert answer.repeated


@pytest.mark.parametrize(
    "answer",
    [
        answer_of(DECISION, outcome=int(Outcome.ACCEPT)),
        answer_of(DECISION, step=6),
        answer_of(DECISION, reasons=[]),
        answer_of(DECISION, reasons=["PROOF_INVALID", "MALFORMED"]),
        answer_of(dataclasses.replace(DECISION, outcome=99)),
    ],
    ids=["outcome", "step", "no reasons", "more reasons", "unknown outcome"],
)
async def test_an_answer_beside_its_signed_decision_is_refused(tmp_path: Path, answer: Any) -> None:
    servicer = new_venue()
    servicer.answer = answer
    async with venue(servicer, tmp_path) as client:
        with pytest.raises(MalformedError):
            await client.submit_presentation(b"any bytes")


CREDENTIAL = AccountCredential(AccountIdentity("eip155:1", b"r" * 20, b"o" * 20, 0), 1, bytes(65))


async def test_an_account_that_was_never_accepted_has_no_time_of_it(tmp_path: Path) -> None:
    servicer = new_venue()
    async with venue(servicer, tmp_path) as client:
        for accepted_at in (None, 0, 5):
            servicer.answer = messages.GetMarginStatusResponse(
                state=messages.MARGIN_STATE_GOOD, accepted_at=accepted_at
            )
            status = await client.get_margin_status(CREDENTIAL)
            assert (status.state, status.accepted_at) == (MarginState(int(messages.MARGIN_STATE_GOOD)), accepted_at)


async def test_an_unknown_margin_state_is_refused(tmp_path: Path) -> None:
    servicer = new_venue()
    servicer.answer = messages.GetMarginStatusResponse(state=77)  # type: ignore[arg-type] # what no venue may say
    async with venue(servicer, tmp_path) as client:
        with pytest.raises(MalformedError):
            await client.get_margin_status(CREDENTIAL)


async def test_a_relayer_that_has_nothing_yet_says_none(tmp_path: Path) -> None:
    servicer = new_relayer()
    async with relayer(servicer, tmp_path) as client:
        for number in (None, 0, 5):
            chain = relayer_messages.ChainStatus(chain="eip155:1", certified_epoch=number)
            servicer.status = relayer_messages.GetStatusResponse(chains=[chain], last_price_slot=number)
            status = await client.get_status()
            assert (status.chains[0].certified_epoch, status.last_price_slot) == (number, number)


async def test_a_call_has_a_deadline(tmp_path: Path) -> None:
    async with relayer(new_relayer(), tmp_path, timeout_seconds=0.2) as client:
        with pytest.raises(UnavailableError) as caught:
            await asyncio.wait_for(client.get_price_report(), 10)
    assert caught.value.code is ReasonCode.DEADLINE


async def test_large_answers_and_requests_stay_outside(tmp_path: Path) -> None:
    async with relayer(new_relayer(), tmp_path, max_message_bytes=2_000) as client:
        assert await client.list_certificates("x" * 1_000) == ()
        for call in (client.get_certificate(bytes(32)), client.list_certificates("x" * 3_000)):
            with pytest.raises(MalformedError) as caught:
                await call
            assert caught.value.code is ReasonCode.TOO_LARGE


async def test_the_call_itself_is_not_shown_with_its_error(tmp_path: Path) -> None:
    """The library's error holds the call's details; a traceback must not print them."""
    async with relayer(new_relayer(), tmp_path, max_message_bytes=2_000) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.get_certificate(bytes(32))
        assert caught.value.__suppress_context__
        with pytest.raises(MarginproofError) as caught:
            async for _ in client.stream_price_reports():
                pass
        assert caught.value.__suppress_context__
    assert caught.value.code is ReasonCode.INTERNAL
