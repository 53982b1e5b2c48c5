"""News from venues and relayers: streams that reconnect, with polling beside them. News wakes; checks come later."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final, TypeVar

from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.model.certificates import Certificate
from marginproof.model.errors import MarginproofError, NotFoundError, UnavailableError
from marginproof.model.margin import SignedSnapshot
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.events import Event, EventKind
from marginproof.prover.agent.shared import Bell, Shared, Troubles
from marginproof.prover.venue_checks import check_snapshot

_Item = TypeVar("_Item")
_SILENT_TURNS: Final = 4
"""A stream that gives nothing for so many of its turns is taken for dead."""
_POLLS_PER_EPOCH: Final = 4
SNAPSHOTS: Final = "snapshots"
CERTIFICATES: Final = "certificates"


class Stream:
    """One stream that is opened again whenever it ends, for ever.

    Args:
        shared: The agent's.
        subject: What it gives, a fixed word.
        venue: Whose it is; None for a relayer's.
        silent_seconds: It is taken for dead after this long without an item.
    """

    def __init__(self, shared: Shared, subject: str, venue: bytes | None, silent_seconds: float) -> None:
        self._shared = shared
        self._subject = subject
        self._venue = venue
        self._silent = silent_seconds
        self._told: bool | None = None
        self._failures = Troubles(shared, subject, venue)
        self.up = False

    async def follow(self, opened: Callable[[], AsyncIterator[_Item]], take: Callable[[_Item], None]) -> None:
        """Gives every item to ``take`` until cancelled."""
        while True:
            try:
                await self._drain(opened(), take)
            except (
                Exception
            ) as error:  # whatever a peer does to a stream, it is opened again; polling goes on beside it
                self._note(up=False, code=error.code if isinstance(error, MarginproofError) else None)
            self._failures.failures += 1
            await asyncio.sleep(self._failures.wait_seconds())

    async def _drain(self, items: AsyncIterator[_Item], take: Callable[[_Item], None]) -> None:
        """Ends only by an error: a stream of news that ends by itself is one, too."""
        async with _closing(items):
            while True:
                async with asyncio.timeout(self._silent):
                    item = await anext(items)
                self._failures.failures = 0
                self._note(up=True)
                take(item)

    def _note(self, *, up: bool, code: ReasonCode | None = None) -> None:
        self.up = up
        if up is not self._told:
            self._told = up
            kind = EventKind.STREAM_BACK if up else EventKind.STREAM_LOST
            self._shared.tell(Event(kind, self._shared.clock(), self._venue, code=code, subject=self._subject))


@contextlib.asynccontextmanager
async def _closing(items: AsyncIterator[_Item]) -> AsyncIterator[None]:
    """Ends the call behind a stream at once, not whenever its generator is collected."""
    try:
        yield
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()


class SnapshotFeed:
    """A venue's newest snapshot: streamed, and asked for where the stream has none that is current."""

    def __init__(self, shared: Shared, venue: bytes, client: VenueClient, wake: Callable[[], None]) -> None:
        self._shared = shared
        self._venue = venue
        self._client = client
        self._wake = wake
        self._newest: tuple[SignedSnapshot, PriceReport] | None = None
        turn = shared.network.configuration.price_seconds
        self._stream = Stream(shared, SNAPSHOTS, venue, max(_SILENT_TURNS * turn, shared.config.timeout_seconds))

    async def run(self) -> None:
        """Follows the stream until cancelled."""
        await self._stream.follow(self._client.stream_snapshots, self._take)

    async def current(self) -> tuple[SignedSnapshot, PriceReport] | None:
        """The newest snapshot, whose signature and age were checked; None where the venue has none that is current.

        Raises:
            MarginproofError: The venue cannot be reached, or what it gives is not its own.
        """
        if not self._is_current():
            try:
                self._newest = await self._client.get_snapshot()
            except MarginproofError as error:
                if error.code is ReasonCode.SNAPSHOT_UNKNOWN or isinstance(error, NotFoundError):
                    return None
                raise
        newest = self._newest
        if newest is None:
            return None
        try:
            check_snapshot(newest[0], self._shared.network, self._venue, self._shared.clock())
        except UnavailableError:
            return None
        return newest

    def _is_current(self) -> bool:
        newest = self._newest
        return self._stream.up and newest is not None and newest[0].snapshot.expires_at > self._shared.clock()

    def _take(self, item: tuple[SignedSnapshot, PriceReport]) -> None:
        self._newest = item
        self._wake()


class CertificateFeed:
    """The account's newest certificates: relayers' streams tell when to ask, and asking goes on without them."""

    def __init__(self, shared: Shared, clients: list[RelayerClient]) -> None:
        self._shared = shared
        self._clients = clients
        self._digests: dict[str, bytes] = {}
        self._bell = Bell()
        self._troubles = Troubles(shared, CERTIFICATES)
        epoch = shared.network.configuration.epoch_seconds
        silent = max(_SILENT_TURNS * epoch, shared.config.timeout_seconds)
        self._streams = [Stream(shared, f"{CERTIFICATES} {index}", None, silent) for index in range(len(clients))]

    async def run(self) -> None:
        """Asks again and again until cancelled."""
        async with asyncio.TaskGroup() as group:
            for client, stream in zip(self._clients, self._streams, strict=True):
                group.create_task(stream.follow(client.stream_certificates, self._take))
            group.create_task(self._poll())

    async def refresh(self) -> None:
        """Asks every relayer for the account's newest leaf of each chain; failures of one chain leave the others."""
        chains = sorted({lock.chain for lock in self._shared.account.state.locks if lock.live})
        failure: MarginproofError | None = None
        for chain in chains:
            try:
                certificate = (await self._shared.session.certified(chain)).certificate
            except MarginproofError as error:
                failure = error
                continue
            self._learn(chain, certificate)
        if failure is None:
            self._troubles.over()
        else:
            self._troubles.failed(failure)

    def _learn(self, chain: str, certificate: Certificate) -> None:
        if self._digests.get(chain) != certificate.digest:
            self._digests[chain] = certificate.digest
            self._shared.references[chain] = certificate.body.reference.number
            self._shared.certificates += 1
            self._shared.ring()

    async def _poll(self) -> None:
        while True:
            await self.refresh()
            await self._bell.wait(self._turn())

    def _turn(self) -> float:
        poll = self._shared.config.poll_seconds
        if not any(stream.up for stream in self._streams):
            return poll
        return max(poll, self._shared.network.configuration.epoch_seconds / _POLLS_PER_EPOCH)

    def _take(self, certificate: Certificate) -> None:
        if any(lock.chain == certificate.body.chain for lock in self._shared.account.state.locks):
            self._bell.ring()
