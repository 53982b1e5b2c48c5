"""A stage with venues that live: they have states, stream snapshots, take pledges, hang and break when told to."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from marginproof.v1 import relayer_service_pb2 as relayer_messages
from marginproof.v1 import verifier_service_pb2 as venue_messages

from marginproof.chains.evm.devnet import development_account
from marginproof.model.errors import UnavailableError
from marginproof.model.margin import MarginState, Outcome
from marginproof.model.pledges import NO_COMMITMENT
from marginproof.prover.account import Account
from marginproof.prover.agent.agent import Agent, Wallet
from marginproof.prover.agent.config import AgentConfig, TopUpConfig, VenueConfig
from marginproof.prover.agent.events import Event, EventKind
from marginproof.prover.agent.levels import Level, LevelRules, Threshold
from marginproof.prover.agent.top_ups import TopUpLimits
from marginproof.prover.funding import Funding
from tests.prover.servers import RelayerForTests, VenueForTests
from tests.prover.stage import ETHER, Stage
from tests.prover.world import HOME, OTHER_VENUE, VENUE

PATIENCE_SECONDS = 30.0
WALLET = Funding(development_account(1))
LIMITS = TopUpLimits(step=ETHER, per_top_up=4 * ETHER, per_day=6 * ETHER, in_all=8 * ETHER, least_seconds_between=0)


@dataclasses.dataclass
class LiveVenue(VenueForTests):
    """A venue as the agent sees it over a day."""

    state: MarginState = MarginState.GOOD
    due_at: int = 0
    accepted: bool = False
    broken: bool = False
    hanging: bool = False
    streams: bool = True
    watchers: set[asyncio.Queue[bool]] = dataclasses.field(default_factory=set)

    def publish(self) -> None:
        """Everybody on the stream gets the newest snapshot."""
        for watcher in self.watchers:
            watcher.put_nowait(True)

    def drop_streams(self) -> None:
        for watcher in self.watchers:
            watcher.put_nowait(False)

    async def GetSnapshot(self, request: Any, context: Any) -> Any:
        await self._trouble()
        return await super().GetSnapshot(request, context)

    async def StreamSnapshots(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await self._trouble()
        if not self.streams:
            raise UnavailableError("no streams today")
        watcher: asyncio.Queue[bool] = asyncio.Queue()
        self.watchers.add(watcher)
        try:
            while True:
                yield await VenueForTests.GetSnapshot(self, request, context)
                if not await watcher.get():
                    raise UnavailableError("the stream was cut")
        finally:
            self.watchers.discard(watcher)

    async def GetMarginStatus(self, request: Any, context: Any) -> Any:
        await self._trouble()
        self._check(request.credential, "GetMarginStatus")
        state: Any = int(self.state)
        return venue_messages.GetMarginStatusResponse(state=state, proof_due_at=self.due_at, next_action="")

    async def GetPledgeStatus(self, request: Any, context: Any) -> Any:
        await self._trouble()
        answer = await super().GetPledgeStatus(request, context)
        if self.proposal is not None and not self.accepted and not self.failure:
            answer.status.proposal_state = venue_messages.PROPOSAL_STATE_PROPOSED
        return answer

    async def SubmitPresentation(self, request: Any, context: Any) -> Any:
        await self._trouble()
        answer = await super().SubmitPresentation(request, context)
        if self.outcome is Outcome.ACCEPT:
            self.accepted = self.presentations[-1].context.new_pledge != NO_COMMITMENT
            if not self.accepted:
                self.state, self.due_at = MarginState.GOOD, 0
        return answer

    async def swap(self, url: str, registry: bytes) -> None:
        await super().swap(url, registry)
        self.accepted = False

    async def _trouble(self) -> None:
        if self.hanging:
            await asyncio.sleep(PATIENCE_SECONDS)
        if self.broken:
            raise UnavailableError("down for a while")


class LiveRelayer(RelayerForTests):
    """Streams certificates, too; may stop answering."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.watchers: set[asyncio.Queue[str]] = set()

    def publish(self, chain: str) -> None:
        """Everybody on the stream gets the newest certificate of a chain."""
        for watcher in self.watchers:
            watcher.put_nowait(chain)

    async def StreamCertificates(self, request: Any, context: Any) -> AsyncIterator[Any]:
        watcher: asyncio.Queue[str] = asyncio.Queue()
        self.watchers.add(watcher)
        try:
            while True:
                _, certificate = self.leaves[await watcher.get()]
                yield relayer_messages.StreamCertificatesResponse(certificate=certificate.encode())
        finally:
            self.watchers.discard(watcher)

    async def GetAccountLeaf(self, request: Any, context: Any) -> Any:
        if self.broken:
            raise UnavailableError("down for a while")
        return await super().GetAccountLeaf(request, context)


class Heard:
    """Every event, and a way to wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def of(self, kind: EventKind, venue: bytes | None = None) -> list[Event]:
        return [event for event in self.events if event.kind is kind and venue in (None, event.venue)]

    async def until(self, done: Callable[[], object]) -> None:
        """Waits until something is true; looks after every event and now and then."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not done():
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.05)

    async def next(self, kind: EventKind, venue: bytes | None = None) -> Event:
        """The next event of a kind from now on."""
        before = len(self.of(kind, venue))
        await self.until(lambda: len(self.of(kind, venue)) > before)
        return self.of(kind, venue)[before]

    async def has(self, kind: EventKind, venue: bytes | None = None) -> Event:
        """The first event of a kind, past or to come."""
        await self.until(lambda: self.of(kind, venue))
        return self.of(kind, venue)[0]


def cents(usd: int) -> Threshold:
    return Threshold(usd_cents=usd * 100)


def configuration(**changes: Any) -> AgentConfig:
    """An agent that is quick and never tight, unless a test says otherwise."""
    config = AgentConfig(
        network=Path("network.yaml"),
        account=Path("account"),
        password_file=None,
        venues=(VenueConfig(VENUE, Fraction(1_000)), VenueConfig(OTHER_VENUE, Fraction(1_000))),
        at_share=Fraction(1, 2),
        measure_seconds=20,
        levels=LevelRules(cents(0), cents(0), Fraction(1, 10)),
        poll_seconds=0.1,
        backoff_seconds=0.3,
        timeout_seconds=2.0,
    )
    return dataclasses.replace(config, **changes)


def topping_up(when: Level = Level.CRITICAL) -> TopUpConfig:
    """The amounts that count are those of the wallet's limits."""
    return TopUpConfig(
        lock=0,
        asset=f"{HOME}/slip44:60",
        funding_key_file=Path("wallet.key"),
        step="1",
        per_top_up="4",
        per_day="6",
        in_all="8",
        least_seconds_between=0,
        when=when,
        gas_reserve=None,
        wait_seconds=30.0,
    )


def agent_of(stage: Stage, heard: Heard, account: Account | None = None, **options: Any) -> Agent:
    limits = dataclasses.replace(options.pop("limits", LIMITS), **_given(options, "step"))
    sinks, given = options.pop("sinks", ()), _given(options, "metrics")
    config = configuration(**options)
    wallet = Wallet(WALLET, limits) if config.top_up is not None else None
    return Agent(
        config,
        account or stage.account,
        stage.network,
        wallet=wallet,
        sinks=[heard, *sinks],
        clock=lambda: stage.now,
        chance=lambda: 0.5,
        **given,
    )


def _given(options: dict[str, Any], name: str) -> dict[str, Any]:
    """Takes an option out, if it is there."""
    return {name: options.pop(name)} if name in options else {}


@contextlib.asynccontextmanager
async def running(stage: Stage, account: Account | None = None, **options: Any) -> AsyncIterator[Heard]:
    """An agent at work for the time of a ``with`` block."""
    heard, stop = Heard(), asyncio.Event()
    task = asyncio.create_task(agent_of(stage, heard, account, **options).run(stop))
    try:
        yield heard
    finally:
        stop.set()
        await task


def live(stage: Stage, venue: bytes = VENUE) -> LiveVenue:
    found = stage.venues[venue]
    assert isinstance(found, LiveVenue)
    return found


def tick(stage: Stage, seconds: int = 30) -> None:
    """Time passes, and whoever follows a stream is told."""
    stage.tick(seconds)
    for venue in stage.venues:
        live(stage, venue).publish()
