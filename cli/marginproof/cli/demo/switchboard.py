"""Endpoints whose other end can be exchanged while the network runs: what an operator's JSON-RPC provider turns into.

Every relayer is given addresses of its own for every chain. Behind each lies a small TCP forwarder, which leads to the
honest chain until somebody takes it over. Nothing in a relayer knows of it.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

_CHUNK_BYTES: Final = 1 << 16


class Forwarder:
    """One address on loopback that leads to another one, which can be changed.

    Args:
        host: Loopback address to listen on; the system chooses the port.
        upstream: Address that connections lead to at first, as an ``http://host:port`` URL.
    """

    def __init__(self, host: str, upstream: str) -> None:
        self._host = host
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()

    @property
    def url(self) -> str:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("a forwarder has no address before it is started")
        return f"http://{self._host}:{self._server.sockets[0].getsockname()[1]}"

    async def lead_to(self, upstream: str) -> None:
        """Exchanges the other end. Connections that are open now are cut; the next ones lead there."""
        self._upstream = upstream
        await self._cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - a stream server always calls from a task
            return
        self._open.add(task)
        try:
            await _join(reader, writer, self._upstream)
        except (OSError, asyncio.CancelledError):
            # The other end does not listen or went away, or the line is cut: the client sees a connection that ends.
            # A cancelled task would be reported by the server as a fault.
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _cut(self) -> None:
        cut = list(self._open)
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: str) -> None:
    parts = urlsplit(upstream)
    far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
    pumps = [
        asyncio.create_task(_pump(reader, far_writer)),
        asyncio.create_task(_pump(far_reader, writer)),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


@dataclasses.dataclass(frozen=True, slots=True)
class Switchboard:
    """The endpoints of one relayer: for each chain (CAIP-2), forwarders to the same honest addresses."""

    honest: Mapping[str, Sequence[str]]
    forwarders: Mapping[str, Sequence[Forwarder]]

    @property
    def urls(self) -> dict[str, list[str]]:
        """What stands in the relayer's configuration."""
        return {chain: [forwarder.url for forwarder in lines] for chain, lines in self.forwarders.items()}

    async def take_over(self, chain: str, count: int, upstream: str) -> None:
        """Leads the first ``count`` endpoints of a chain to another process; the rest stay as they are."""
        await asyncio.gather(*(forwarder.lead_to(upstream) for forwarder in self.forwarders[chain][:count]))

    async def give_back(self, chain: str) -> None:
        """Leads every endpoint of a chain to the honest one again."""
        lines = zip(self.forwarders[chain], self.honest[chain], strict=True)
        await asyncio.gather(*(forwarder.lead_to(url) for forwarder, url in lines))


async def start_switchboard(
    stack: contextlib.AsyncExitStack, hosts: Sequence[str], honest: Mapping[str, Sequence[str]]
) -> Switchboard:
    """Starts one relayer's endpoints; the stack ends them.

    Args:
        stack: Ends the forwarders when it is closed.
        hosts: Loopback addresses, one for each endpoint of a chain: a node wants its endpoints on distinct hosts.
        honest: For each chain (CAIP-2), as many addresses as hosts.
    """
    forwarders: dict[str, list[Forwarder]] = {}
    for chain, urls in honest.items():
        forwarders[chain] = [
            await stack.enter_async_context(Forwarder(host, url)) for host, url in zip(hosts, urls, strict=True)
        ]
    return Switchboard(dict(honest), forwarders)
