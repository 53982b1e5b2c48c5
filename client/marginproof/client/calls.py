"""How every client makes a call: a deadline always, typed errors only, retries where nothing was sent."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Final, Self, TypeVar

import grpc

from marginproof.client.transport.channel import DEFAULT_MAX_MESSAGE_BYTES, open_channel
from marginproof.client.transport.errors import error_of

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
_Response = TypeVar("_Response")


class GrpcClient:
    """Base of the typed clients; an async context manager.

    Args:
        target: host:port of the server.
        certificate_pem: Its pinned TLS certificate, from the network file.
        timeout_seconds: Deadline of every unary call.
        peer: How errors name the other side.
    """

    def __init__(
        self,
        target: str,
        certificate_pem: str,
        *,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        peer: str = "the server",
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
    ) -> None:
        self._channel = open_channel(target, certificate_pem, max_message_bytes)
        self._timeout = timeout_seconds
        self._peer = peer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the channel; calls under way are cancelled."""
        await self._channel.close()

    async def _unary(self, method: Callable[..., Awaitable[_Response]], request: object, **options: Any) -> _Response:
        try:
            return await method(request, timeout=self._timeout, **options)
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure, self._peer) from None  # the call's text may quote the request

    async def _stream(
        self, method: Callable[..., AsyncIterable[_Response]], request: object
    ) -> AsyncIterator[_Response]:
        try:
            async for response in method(request):
                yield response
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure, self._peer) from None
