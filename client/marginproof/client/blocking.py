"""The same clients without asyncio: each method blocks until its answer is there."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Self, TypeVar

from marginproof.client.calls import GrpcClient
from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.client.venue_book import VenueBookClient

_Client = TypeVar("_Client", bound=GrpcClient)
_Answer = TypeVar("_Answer")


class Blocking(Generic[_Client]):
    """Runs one client on an event loop of its own; a context manager.

    ``client.call(lambda c: c.get_snapshot())`` gives what the asyncio method would give. Not for use inside a running
    event loop, and not from several threads at once.
    """

    def __init__(self, make: Callable[[], _Client]) -> None:
        self._runner = asyncio.Runner()
        self._client = self._runner.run(_made(make))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: Callable[[_Client], Coroutine[Any, Any, _Answer]]) -> _Answer:
        """Runs one method to its end and gives its answer."""
        return self._runner.run(method(self._client))

    def close(self) -> None:
        """Closes the channel and the loop."""
        self._runner.run(self._client.aclose())
        self._runner.close()


async def _made(make: Callable[[], _Client]) -> _Client:
    return make()


def blocking_relayer(target: str, certificate_pem: str, **options: Any) -> Blocking[RelayerClient]:
    """A blocking client of a relayer."""
    return Blocking(functools.partial(RelayerClient, target, certificate_pem, **options))


def blocking_venue(target: str, certificate_pem: str, **options: Any) -> Blocking[VenueClient]:
    """A blocking client of a venue's verifier."""
    return Blocking(functools.partial(VenueClient, target, certificate_pem, **options))


def blocking_venue_book(target: str, certificate_pem: str, token: str, **options: Any) -> Blocking[VenueBookClient]:
    """A blocking client of a venue's book service."""
    return Blocking(functools.partial(VenueBookClient, target, certificate_pem, token, **options))
