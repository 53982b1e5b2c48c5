"""What the agent's tasks have in common: the account's session, the time, whom events are told, who waits for what."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Final

import structlog

from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.agent.backoff import backoff_seconds
from marginproof.prover.agent.config import AgentConfig
from marginproof.prover.agent.events import Event, EventKind, Sink
from marginproof.prover.agent.levels import Level
from marginproof.prover.agent.memory import AgentMemory
from marginproof.prover.agent.metrics import AgentMetrics
from marginproof.prover.session import AccountSession

_FIRST_WAIT_SECONDS: Final = 1.0
_log = structlog.get_logger("marginproof.agent")


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """One venue's last measurement.

    Args:
        level: What it came to.
        missing_cents: What would bring the level back to OK, USD cents; secret.
        certificates: The count of certificates that it rests on.
    """

    level: Level
    missing_cents: int = dataclasses.field(repr=False)
    certificates: int


class Bell:
    """Wakes those who wait for news; each waiter has one of its own."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wakes the waiter now, or when it next waits."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Returns when rung, or after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()


@dataclasses.dataclass(slots=True)
class Shared:
    """State of one running agent that more than one task uses; everything runs in one event loop.

    Attributes:
        config: The agent's settings.
        account: Open, held by this process alone.
        network: Its network.
        session: What asks, proves and submits.
        clock: UTC seconds.
        chance: In [0, 1), for waits.
        tell: Whom events go to.
        metrics: What is counted.
        certificates: Rises with every new certificate of the account.
        references: The newest certified reference block by chain.
        standings: Last measurement by venue.
        prices: Prices of the last measurement, 10^-8 USD by price point.
        swaps: Venues that bring a pledge to the registry, and until when others wait for them, UTC seconds.
        pledging: Held while a proposal is proven and submitted.
        bells: Everybody who waits for news.
        on_measured: Rung after every measurement.
    """

    config: AgentConfig
    account: Account
    network: NetworkFile
    session: AccountSession
    clock: Callable[[], int]
    chance: Callable[[], float]
    tell: Sink
    metrics: AgentMetrics
    certificates: int = 0
    references: dict[str, int] = dataclasses.field(default_factory=dict)
    standings: dict[bytes, Standing] = dataclasses.field(default_factory=dict)
    prices: dict[str, int] = dataclasses.field(default_factory=dict)
    swaps: dict[bytes, int] = dataclasses.field(default_factory=dict)
    pledging: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    bells: list[Bell] = dataclasses.field(default_factory=list)
    on_measured: Bell = dataclasses.field(default_factory=Bell)

    @property
    def memory(self) -> AgentMemory:
        """What the agent keeps in the account's state."""
        return self.account.state.agent

    def remember(self, memory: AgentMemory) -> None:
        """Writes it durably."""
        self.account.remember(dataclasses.replace(self.account.state, agent=memory))

    def bell(self) -> Bell:
        """A new waiter's bell."""
        self.bells.append(Bell())
        return self.bells[-1]

    def ring(self) -> None:
        """Wakes everybody."""
        for bell in self.bells:
            bell.ring()

    def swapping_elsewhere(self, venue: bytes) -> bool:
        """Whether another venue brings a pledge to the registry now."""
        now = self.clock()
        return any(until > now for other, until in self.swaps.items() if other != venue)


class Troubles:
    """One part's failures in a row: told once until the reason changes, and when they are over.

    Args:
        shared: Whom to tell.
        subject: What fails, a fixed word.
        venue: At which venue; None for none.
    """

    def __init__(self, shared: Shared, subject: str, venue: bytes | None = None) -> None:
        self._shared = shared
        self._subject = subject
        self._venue = venue
        self.code: ReasonCode | None = None
        self.failures = 0

    def failed(self, error: Exception) -> None:
        """Notes a failure; of an unexpected one only that it happened, for its text may hold a secret."""
        code = ReasonCode.INTERNAL
        if isinstance(error, MarginproofError):
            code = error.code
        else:
            _log.error("unexpected failure", subject=self._subject, error=type(error).__name__)
        self.failures += 1
        if code is not self.code:
            self.code = code
            self._tell(EventKind.TROUBLE, code)

    def over(self) -> None:
        """Notes a success."""
        self.failures = 0
        if self.code is not None:
            self.code = None
            self._tell(EventKind.TROUBLE_OVER, None)

    def wait_seconds(self, seconds_left: float | None = None) -> float:
        """How long to wait before the next try; see :func:`backoff_seconds`."""
        cap = self._shared.config.backoff_seconds
        base = min(_FIRST_WAIT_SECONDS, self._shared.config.poll_seconds)
        return backoff_seconds(
            self.failures, base=base, cap=cap, chance=self._shared.chance(), seconds_left=seconds_left
        )

    def _tell(self, kind: EventKind, code: ReasonCode | None) -> None:
        self._shared.tell(Event(kind, self._shared.clock(), self._venue, code=code, subject=self._subject))
