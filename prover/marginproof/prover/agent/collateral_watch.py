"""Tops up a lock from a configured wallet, within limits: reserved, sent, then counted by a certificate."""

import asyncio

from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry
from marginproof.prover.agent.events import Event, EventKind
from marginproof.prover.agent.levels import Level
from marginproof.prover.agent.shared import Shared, Troubles
from marginproof.prover.agent.top_ups import Ledger, TopUp, TopUpLimits, counted, plan, reserved, sent
from marginproof.prover.agent.valuation import base_units_for
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.state import LockRecord


class CollateralWatch:
    """Adds to one lock when headroom at any venue is too small.

    What is spent is in the account's state before a transaction is sent; one that was reserved is finished first,
    whatever became of the process, and there is never a second one before it counts.

    Args:
        shared: The agent's.
        actions: Acts on the account's locks, paid by the configured wallet.
        limits: What may be spent.
        lock: The account's number of the lock.
        entry: Its universe entry.
        when: The level at which collateral is added.
    """

    def __init__(
        self, shared: Shared, actions: ChainActions, limits: TopUpLimits, *, lock: int, entry: Entry, when: Level
    ) -> None:
        self._shared = shared
        self._actions = actions
        self._limits = limits
        self._lock = lock
        self._entry = entry
        self._when = when
        self._needed_certificates = 0
        self._refused = False
        self.troubles = Troubles(shared, "top-up")

    async def run(self) -> None:
        """Goes on until cancelled."""
        bell = self._shared.on_measured
        while True:
            await self.serve()
            if self.troubles.failures:
                await asyncio.sleep(self.troubles.wait_seconds())
            else:
                await bell.wait(self._shared.config.poll_seconds)

    async def serve(self) -> None:
        """Does what is to be done now; a failure is noted."""
        try:
            await self._step()
        except Exception as error:  # venues are served whatever becomes of a top-up
            self.troubles.failed(error)
        else:
            self.troubles.over()

    async def _step(self) -> None:
        opened = self._ledger.open
        if opened is None:
            opened = await self._reserve()
        if opened is None:
            return
        if opened.sent_block is None:
            await self._send(opened)
        elif self._shared.references.get(self._entry.chain, -1) >= opened.sent_block:
            self._counted()

    @property
    def _ledger(self) -> Ledger:
        return self._shared.memory.ledger

    async def _reserve(self) -> TopUp | None:
        """Writes the next top-up down, if one is needed and the limits leave it."""
        needy = [
            standing.missing_cents
            for standing in self._shared.standings.values()
            if standing.level >= self._when and standing.certificates >= self._needed_certificates
        ]
        if not needy:
            self._refused = False
            return None
        price = self._shared.prices.get(self._entry.price_point, 0)
        wanted = base_units_for(max(needy), self._entry, price) if price else 0
        now = self._shared.clock()
        try:
            amount = plan(self._limits, self._ledger, wanted, now)
        except RefusedError as error:
            if not self._refused:
                self._refused = True
                self._tell(EventKind.TOP_UP_REFUSED, error.code)
            return None
        held = (await self._actions.notice_view(self._lock)).record.amount
        top_up = TopUp(self._lock, amount, held, now)
        self._keep(reserved(self._ledger, top_up, now))
        self._tell(EventKind.TOP_UP_RESERVED)
        return top_up

    async def _send(self, top_up: TopUp) -> None:
        """Brings the lock to what was reserved: never beyond it, however often this is begun again."""
        record = await self._brought(top_up)
        self._keep(sent(self._ledger, record.events[-1].block_number))
        self._refused = False
        self._tell(EventKind.TOP_UP_SENT)

    async def _brought(self, top_up: TopUp) -> LockRecord:
        record = self._shared.account.lock(top_up.lock)
        unfinished = self._actions.unfinished()
        if unfinished:
            if [lock.number for lock in unfinished] != [top_up.lock] or record.wanted > top_up.target:
                raise RefusedError(
                    ReasonCode.CONFLICT,
                    "a lock or top-up that the agent did not begin is unfinished",
                    fix="stop the agent and run: marginproof account lock --resume",
                )
            await self._actions.resume()
            return self._shared.account.lock(top_up.lock)
        record = (await self._actions.notice_view(top_up.lock)).record
        if record.amount >= top_up.target:
            return record
        return await self._actions.top_up(top_up.lock, top_up.target - record.amount)

    def _counted(self) -> None:
        self._keep(counted(self._ledger, self._shared.clock()))
        self._needed_certificates = self._shared.certificates  # older measurements know nothing of it
        self._tell(EventKind.TOP_UP_COUNTED)
        self._shared.ring()

    def _keep(self, ledger: Ledger) -> None:
        self._shared.remember(self._shared.memory.with_ledger(ledger))

    def _tell(self, kind: EventKind, code: ReasonCode | None = None) -> None:
        self._shared.tell(Event(kind, self._shared.clock(), code=code, subject="top-up"))


def check_lock(shared: Shared, lock: int, asset: str) -> Entry:
    """The entry of the lock that the agent may add to.

    Raises:
        ConfigurationError: CONFIG_INVALID: the lock holds another asset than the configuration names.
        NotFoundError: There is no such lock.
    """
    record = shared.account.lock(lock)
    entry = shared.network.universe.collateral_entry(record.chain, record.token)
    if entry is None or entry.id != asset:
        raise ConfigurationError(
            f"lock {lock} does not hold the asset that top_up names",
            fix="compare top_up.lock and top_up.asset with: marginproof account status",
        )
    return entry
