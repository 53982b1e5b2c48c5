"""The agent as a whole: one task per venue and feed, until it is told to stop."""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import MarginState
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.agent.collateral_watch import CollateralWatch, check_lock
from marginproof.prover.agent.config import AgentConfig
from marginproof.prover.agent.decisions import CALLS
from marginproof.prover.agent.events import Event, EventKind, Sink
from marginproof.prover.agent.feeds import CertificateFeed
from marginproof.prover.agent.levels import Level
from marginproof.prover.agent.metrics import AgentMetrics
from marginproof.prover.agent.shared import Shared
from marginproof.prover.agent.top_ups import TopUpLimits
from marginproof.prover.agent.venue_watch import VenueWatch
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.funding import Funding, check_funding_key
from marginproof.prover.session import AccountSession, system_clock
from marginproof.risk.line import cash_entry


@dataclasses.dataclass(frozen=True, slots=True)
class Wallet:
    """Who pays for top-ups and within which limits."""

    funding: Funding = dataclasses.field(repr=False)
    limits: TopUpLimits


@dataclasses.dataclass(frozen=True, slots=True)
class VenueReport:
    """How one venue was left by a single round.

    Args:
        venue: Address, 20 bytes.
        level: Of its headroom; None where it could not be measured in this round.
        state: Its margin state; None where it did not say.
        code: Why it could not be served; None where it could.
    """

    venue: bytes
    level: Level | None
    state: MarginState | None
    code: ReasonCode | None

    @property
    def well(self) -> bool:
        """Whether nothing there needs anybody's attention."""
        return self.code is None and self.level is not Level.CRITICAL and self.state not in CALLS


class Agent:
    """Looks after one account at its venues.

    Args:
        config: Settings.
        account: Open, held by this process alone.
        network: Its network.
        wallet: Who pays for top-ups; None where none are made.
        sinks: Who is told of events, beside the metrics.
        metrics: What is counted.
        clock: UTC seconds.
        chance: In [0, 1), for waits.

    Raises:
        ConfigurationError: The configuration does not fit the account or the network.
        NotFoundError: It names a venue or lock that is not there.
        RefusedError: VENUE_NOT_PAYEE; LOCK_OWNER_REUSED: the wallet is one of the account's own keys.
    """

    def __init__(
        self,
        config: AgentConfig,
        account: Account,
        network: NetworkFile,
        *,
        wallet: Wallet | None = None,
        sinks: Sequence[Sink] = (),
        metrics: AgentMetrics | None = None,
        clock: Callable[[], int] = system_clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.metrics = metrics or AgentMetrics(clock)
        self._sinks: tuple[Sink, ...] = (self.metrics, *sinks)
        self._account = account
        self._network = network
        session = AccountSession(account, network, clock=clock, timeout_seconds=config.timeout_seconds)
        self._shared = Shared(config, account, network, session, clock, chance, self._tell, self.metrics)
        self._set_limits()
        self._wallet = wallet
        if wallet is not None and config.top_up is not None:
            check_lock(self._shared, config.top_up.lock, config.top_up.asset)
            if wallet.funding.key is not None:
                check_funding_key(account, wallet.funding.key)

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until ``stop`` is set. Every task may be ended at any point: what must not be lost is written first.

        Raises:
            MarginproofError: INTERNAL: a task ended by itself, which none may do.
        """
        async with self._parts() as (certificates, watches, collateral):
            self._say(EventKind.STARTED)
            await certificates.refresh()
            work = [certificates.run(), *(watch.feed.run() for watch in watches), *(watch.run() for watch in watches)]
            if collateral is not None:
                work.append(collateral.run())
            try:
                await _until(stop, work)
            finally:
                self._say(EventKind.STOPPED)

    async def once(self) -> tuple[VenueReport, ...]:
        """One round, for a timer: everything that is due is done, and a top-up begun if one is needed."""
        async with self._parts() as (certificates, watches, collateral):
            await certificates.refresh()
            if collateral is not None:
                await collateral.serve()  # what an earlier round began may count by now
            await asyncio.gather(*(watch.serve() for watch in watches))
            if collateral is not None:
                await collateral.serve()
            return tuple(self._report(watch) for watch in watches)

    def _report(self, watch: VenueWatch) -> VenueReport:
        standing = self._shared.standings.get(watch.venue)
        level = None if standing is None else standing.level
        return VenueReport(watch.venue, level, watch.state, watch.troubles.code)

    @contextlib.asynccontextmanager
    async def _parts(self) -> AsyncIterator[tuple[CertificateFeed, list[VenueWatch], CollateralWatch | None]]:
        """The tasks' objects with their connections, which end with the block."""
        shared = self._shared
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(shared.session)
            timeout = shared.config.timeout_seconds
            relayers = [
                await stack.enter_async_context(
                    RelayerClient(relayer.target, relayer.certificate_pem, timeout_seconds=timeout)
                )
                for relayer in self._network.relayers
            ]
            watches = []
            for venue in shared.config.venues:
                end = self._network.venue(venue.address)
                client = await stack.enter_async_context(
                    VenueClient(end.target, end.certificate_pem, timeout_seconds=timeout)
                )
                watches.append(VenueWatch(shared, venue.address, client))
            yield CertificateFeed(shared, relayers), watches, self._collateral()

    def _collateral(self) -> CollateralWatch | None:
        wallet, top_up = self._wallet, self._shared.config.top_up
        if wallet is None or top_up is None:
            return None
        actions = ChainActions(self._account, self._network, wallet.funding)
        entry = check_lock(self._shared, top_up.lock, top_up.asset)
        return CollateralWatch(self._shared, actions, wallet.limits, lock=top_up.lock, entry=entry, when=top_up.when)

    def _set_limits(self) -> None:
        """The configuration's line limits become the account's own: there is one limit, and the session checks it."""
        lots_of_one = 10 ** cash_entry(self._network.universe).lot_exponent
        for venue in self._shared.config.venues:
            self._network.venue(venue.address)
            self._account.payees.opening(venue.address)
            if venue.line_limit_usd is None:
                continue
            lots = int(venue.line_limit_usd * lots_of_one)
            if lots != self._account.line_limit(venue.address):
                self._account.set_line_limit(venue.address, lots)

    def _say(self, kind: EventKind) -> None:
        self._tell(Event(kind, self._shared.clock()))

    def _tell(self, event: Event) -> None:
        for sink in self._sinks:
            sink(event)


async def _until(stop: asyncio.Event, work: Sequence[Coroutine[Any, Any, None]]) -> None:
    tasks = [asyncio.create_task(part) for part in work]
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
    if stopping not in done:
        raise MarginproofError(ReasonCode.INTERNAL, "a task of the agent ended by itself")
