"""Typed errors, TLS pinning, limits, health and reflection over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from marginproof.v1 import relayer_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceServicer, add_RelayerServiceServicer_to_server

from marginproof.client.blocking import blocking_relayer
from marginproof.client.relayer import RelayerClient
from marginproof.client.transport.channel import open_channel
from marginproof.client.transport.errors import status_code
from marginproof.model.errors import (
    MalformedError,
    MarginproofError,
    NotFoundError,
    RefusedError,
    UnauthorisedError,
    UnavailableError,
)
from marginproof.model.reasons import ReasonCode
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity

SECRET = "0xdeadbeefsecretseed"

ERRORS: dict[str, Exception] = {
    "malformed": MalformedError("these bytes are no certificate", fields={"container": "Certificate"}),
    "missing": NotFoundError("no such certificate", fix="ask for another epoch"),
    "unauthorised": UnauthorisedError("no"),
    "unavailable": UnavailableError("later", code=ReasonCode.PRICE_UNAVAILABLE),
    "refused": RefusedError(ReasonCode.SIGNING_PROTECTION, "never twice"),
    "conflict": RefusedError(ReasonCode.CONFLICT, "another one is stored"),
    "unexpected": RuntimeError(SECRET),
}


class RaisingService(RelayerServiceServicer):
    """Answers every call with the error that the request names."""

    async def ListCertificates(self, request: Any, context: Any) -> Any:
        raise ERRORS[request.chain]

    async def StreamCertificates(self, request: Any, context: Any) -> Any:
        yield messages.StreamCertificatesResponse(certificate=b"\x00")
        raise ERRORS[request.chains[0]]

    async def GetStatus(self, request: Any, context: Any) -> Any:
        return messages.GetStatusResponse(signer=2)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[str, ServerIdentity]]:
    identity = ServerIdentity.load_or_create(tmp_path / "tls")
    servicer = RaisingService()  # type: ignore[abstract] # the methods not asked for stay unimplemented
    service = Service(add_RelayerServiceServicer_to_server, servicer, "marginproof.v1.RelayerService")
    running = GrpcServer("127.0.0.1:0", identity, [service], max_message_bytes=1 << 16)
    port = await running.start()
    yield f"127.0.0.1:{port}", identity
    await running.stop(0)


@pytest.mark.parametrize("name", [name for name in ERRORS if name != "unexpected"])
async def test_a_typed_error_arrives_with_class_reason_fields_and_way_out(
    server: tuple[str, ServerIdentity], name: str
) -> None:
    target, identity = server
    sent = ERRORS[name]
    assert isinstance(sent, MarginproofError)
    async with RelayerClient(target, identity.certificate_pem) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.list_certificates(name)
    assert caught.value.code == sent.code
    assert caught.value.fix == sent.fix
    assert caught.value.fields == sent.fields
    assert sent.message in caught.value.message
    assert isinstance(caught.value, type(sent))


async def test_an_unexpected_error_shows_nothing_of_its_text(
    server: tuple[str, ServerIdentity], capsys: pytest.CaptureFixture[str]
) -> None:
    target, identity = server
    async with RelayerClient(target, identity.certificate_pem) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.list_certificates("unexpected")
    assert caught.value.code == ReasonCode.INTERNAL
    output = capsys.readouterr()
    assert SECRET not in str(caught.value) + output.out + output.err


async def test_a_stream_that_fails_ends_with_the_typed_error(server: tuple[str, ServerIdentity]) -> None:
    target, identity = server
    async with RelayerClient(target, identity.certificate_pem) as client:
        with pytest.raises(MalformedError):  # the one answer is no certificate
            async for _ in client.stream_certificates(["refused"]):
                pass


async def test_a_server_with_another_certificate_is_not_talked_to(
    server: tuple[str, ServerIdentity], tmp_path: Path
) -> None:
    target, _ = server
    other = ServerIdentity.load_or_create(tmp_path / "other")
    async with RelayerClient(target, other.certificate_pem, timeout_seconds=2) as client:
        with pytest.raises(UnavailableError):
            await client.get_status()


async def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    identity = ServerIdentity.load_or_create(tmp_path)
    async with RelayerClient("127.0.0.1:1", identity.certificate_pem, timeout_seconds=2) as client:
        with pytest.raises(UnavailableError):
            await client.get_status()


async def test_an_oversized_request_is_refused_before_it_is_read(server: tuple[str, ServerIdentity]) -> None:
    target, identity = server
    async with RelayerClient(target, identity.certificate_pem) as client:
        with pytest.raises(MalformedError) as caught:
            await client.list_certificates("x" * (1 << 17))
    assert caught.value.code == ReasonCode.TOO_LARGE


async def test_the_blocking_face_gives_the_same_answers_and_errors(server: tuple[str, ServerIdentity]) -> None:
    target, identity = server

    def ask() -> int:
        with blocking_relayer(target, identity.certificate_pem) as client:
            with pytest.raises(NotFoundError):
                client.call(lambda relayer: relayer.list_certificates("missing"))
            return client.call(lambda relayer: relayer.get_status()).signer

    assert await asyncio.to_thread(ask) == 2


async def test_health_and_reflection_answer(server: tuple[str, ServerIdentity]) -> None:
    target, identity = server
    async with open_channel(target, identity.certificate_pem) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "marginproof.v1.RelayerService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflection.ServerReflectionInfo(iter([request]), timeout=5):
            names = {service.name for service in answer.list_services_response.service}
            assert "marginproof.v1.RelayerService" in names


def test_the_private_key_is_kept_from_others_and_from_repr(tmp_path: Path) -> None:
    identity = ServerIdentity.load_or_create(tmp_path / "tls")
    assert (tmp_path / "tls" / "key.pem").stat().st_mode & 0o077 == 0
    assert "PRIVATE" not in repr(identity)
    assert ServerIdentity.load_or_create(tmp_path / "tls") == identity


def test_every_error_class_has_a_status() -> None:
    for kind in MarginproofError.__subclasses__():
        error = kind.__new__(kind)
        MarginproofError.__init__(error, ReasonCode.MALFORMED, "x")
        assert status_code(error) is not grpc.StatusCode.OK
