"""The gRPC server shell of relayers and venues: TLS, size limits, typed errors, health and reflection."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, cast

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from marginproof.client.transport.channel import DEFAULT_MAX_MESSAGE_BYTES
from marginproof.client.transport.errors import status_of
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.node.tls import ServerIdentity

_MAX_CONCURRENT_CALLS: Final = 256
_log = structlog.get_logger("marginproof.server")


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """One service to serve: the generated ``add_…_to_server``, its servicer and its full name."""

    add: Callable[[Any, grpc.aio.Server], None]
    servicer: object
    full_name: str


class GrpcServer:
    """Serves services on one address until stopped.

    Args:
        listen: host:port; port 0 takes a free one.
        identity: TLS identity of this server.
        services: What to serve beside health and reflection.
        max_message_bytes: Largest request or response.
        reflect: Whether clients may list services and messages.
    """

    def __init__(
        self,
        listen: str,
        identity: ServerIdentity,
        services: Sequence[Service],
        *,
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
        reflect: bool = True,
    ) -> None:
        self._listen = listen
        self._names = [service.full_name for service in services]
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(
            interceptors=(_TypedErrors(),),
            maximum_concurrent_rpcs=_MAX_CONCURRENT_CALLS,
            options=(
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", max_message_bytes),
                ("grpc.so_reuseport", 0),
            ),
        )
        for service in services:
            service.add(service.servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if reflect:
            reflected = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(reflected, self._server)
        self._credentials = grpc.ssl_server_credentials(
            [(identity.private_key_pem.encode(), identity.certificate_pem.encode())]
        )

    async def start(self) -> int:
        """Starts serving and gives the port.

        Raises:
            ConfigurationError: The address cannot be bound.
        """
        try:
            port = self._server.add_secure_port(self._listen, self._credentials)
        except RuntimeError as error:
            raise ConfigurationError(
                f"cannot listen on {self._listen}", fix="choose a free port, or end the process that uses it"
            ) from error
        await self._server.start()
        await self.set_serving(True)
        return port

    async def set_serving(self, serving: bool) -> None:
        """Sets what the health service answers for every service and for the server as a whole."""
        kind = health_pb2.HealthCheckResponse.ServingStatus
        status = kind.SERVING if serving else kind.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, status)

    async def stop(self, grace_seconds: float = 1.0) -> None:
        """Answers NOT_SERVING, lets running calls end within the grace, and closes."""
        await self.set_serving(False)
        await self._server.stop(grace_seconds)


class _TypedErrors(grpc.aio.ServerInterceptor):
    """Turns our errors into rich statuses; anything unexpected is logged by class and answered INTERNAL."""

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        handler: Any = await continuation(handler_call_details)
        if handler is None or not str(handler_call_details.method).startswith("/marginproof."):
            return None if handler is None else cast("grpc.RpcMethodHandler[Any, Any]", handler)
        method = str(handler_call_details.method)
        if handler.unary_unary is not None:
            wrapped = grpc.unary_unary_rpc_method_handler(
                _guard_unary(handler.unary_unary, method), handler.request_deserializer, handler.response_serializer
            )
        else:
            wrapped = grpc.unary_stream_rpc_method_handler(
                _guard_stream(handler.unary_stream, method), handler.request_deserializer, handler.response_serializer
            )
        return wrapped


def _guard_unary(behaviour: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            return await behaviour(request, context)
        except Exception as error:
            await _abort(context, error, method)

    return guarded


def _guard_stream(behaviour: Callable[..., AsyncIterator[Any]], method: str) -> Callable[..., AsyncIterator[Any]]:
    async def guarded(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            async for response in behaviour(request, context):
                yield response
        except Exception as error:
            await _abort(context, error, method)

    return guarded


async def _abort(context: Any, error: Exception, method: str) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if not isinstance(error, MarginproofError):
        # Only the class: an unexpected error's text may hold what a caller or the node keeps secret.
        _log.error("call failed", method=method, error=type(error).__name__)
        error = MarginproofError(ReasonCode.INTERNAL, "the server failed on this request")
    status = rpc_status.to_status(status_of(error))
    await context.abort(status.code, status.details, status.trailing_metadata)
