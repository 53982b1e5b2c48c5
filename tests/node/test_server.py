"""The server shell: addresses, health, limits, and errors that a service did not raise as ours."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from marginproof.v1 import relayer_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import (
    RelayerServiceServicer,
    RelayerServiceStub,
    add_RelayerServiceServicer_to_server,
)

from marginproof.client.transport.channel import open_channel
from marginproof.client.transport.errors import error_of
from marginproof.model.errors import ConfigurationError, NotFoundError
from marginproof.model.reasons import ReasonCode
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity

NAME = "marginproof.v1.RelayerService"
SECRET = "0xdeadbeefsecretseed"
Serving = health_pb2.HealthCheckResponse


class Relayer(RelayerServiceServicer):
    """Fails in ways that the shell must turn into statuses."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()

    async def GetStatus(self, request: Any, context: Any) -> Any:
        self.entered.set()
        await asyncio.Event().wait()

    async def GetCertificate(self, request: Any, context: Any) -> Any:
        return messages.GetCertificateResponse(certificate=b"x" * 100_000)

    async def ListCertificates(self, request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "said by the service itself")

    async def StreamCertificates(self, request: Any, context: Any) -> Any:
        yield messages.StreamCertificatesResponse(certificate=b"first")
        raise NotFoundError("no more") if request.chains else RuntimeError(SECRET)


@pytest.fixture
def identity(tmp_path: Path) -> ServerIdentity:
    return ServerIdentity.load_or_create(tmp_path / "tls")


@contextlib.asynccontextmanager
async def serving(
    identity: ServerIdentity, servicer: Relayer | None = None, **options: Any
) -> AsyncIterator[tuple[GrpcServer, grpc.aio.Channel, str]]:
    servicer = servicer or Relayer()  # type: ignore[abstract] # the methods not asked for stay unimplemented
    service = Service(add_RelayerServiceServicer_to_server, servicer, NAME)
    server = GrpcServer("127.0.0.1:0", identity, [service], **options)
    port = await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}", identity.certificate_pem) as channel:
            yield server, channel, f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def test_one_address_has_one_server(identity: ServerIdentity) -> None:
    async with serving(identity) as (_, _, address):
        second = GrpcServer(address, identity, [])
        with pytest.raises(ConfigurationError, match="cannot listen on"):
            await second.start()


async def test_health_says_when_it_no_longer_serves(identity: ServerIdentity) -> None:
    async with serving(identity) as (server, channel, _):
        health = health_pb2_grpc.HealthStub(channel)
        for serving_now, status in ((True, Serving.SERVING), (False, Serving.NOT_SERVING)):
            await server.set_serving(serving_now)
            for name in ("", NAME):
                answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
                assert answer.status == status


async def test_whoever_watches_hears_of_the_end(identity: ServerIdentity) -> None:
    async with serving(identity) as (server, channel, _):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME), timeout=20)
        assert (await watch.read()).status == Serving.SERVING
        stopping = asyncio.create_task(server.stop(5))
        assert (await watch.read()).status == Serving.NOT_SERVING
        watch.cancel()
        await stopping


async def test_reflection_can_be_left_out(identity: ServerIdentity) -> None:
    async with serving(identity, reflect=False) as (_, channel, _):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in stub.ServerReflectionInfo(iter([request]), timeout=5):
                pass
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", ["/marginproof.v1.RelayerService/Nothing", "/elsewhere.Service/Nothing"])
async def test_unknown_methods_are_unimplemented(identity: ServerIdentity, method: str) -> None:
    async with serving(identity) as (_, channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(method, bytes, bytes)(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_status_that_a_service_chose_is_kept_and_no_failure(
    identity: ServerIdentity, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(identity) as (_, channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await RelayerServiceStub(channel).ListCertificates(messages.ListCertificatesRequest(), timeout=5)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.OUT_OF_RANGE,
        "said by the service itself",
    )
    output = capsys.readouterr()
    assert "call failed" not in output.out + output.err


@pytest.mark.parametrize(
    ("chains", "code"), [(["eip155:1"], ReasonCode.NOT_FOUND), ([], ReasonCode.INTERNAL)], ids=["typed", "unexpected"]
)
async def test_a_stream_ends_with_a_typed_error_and_no_secret(
    identity: ServerIdentity, chains: list[str], code: ReasonCode, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(identity) as (_, channel, _):
        request = messages.StreamCertificatesRequest(chains=chains)
        answers = RelayerServiceStub(channel).StreamCertificates(request, timeout=5)
        assert await answers.read() == messages.StreamCertificatesResponse(certificate=b"first")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answers.read()
    assert error_of(caught.value, "the relayer").code is code
    output = capsys.readouterr()
    assert SECRET not in str(caught.value) + output.out + output.err


async def test_answers_have_a_largest_size(identity: ServerIdentity) -> None:
    async with serving(identity, max_message_bytes=50_000) as (_, channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await RelayerServiceStub(channel).GetCertificate(messages.GetCertificateRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_calls_at_one_time_are_bounded(identity: ServerIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marginproof.node.server._MAX_CONCURRENT_CALLS", 1)
    servicer = Relayer()  # type: ignore[abstract] # the methods not asked for stay unimplemented
    async with serving(identity, servicer) as (_, channel, _):
        stub = RelayerServiceStub(channel)
        first = stub.GetStatus(messages.GetStatusRequest(), timeout=20)
        waiting = asyncio.ensure_future(first)
        await servicer.entered.wait()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetCertificate(messages.GetCertificateRequest(), timeout=5)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
