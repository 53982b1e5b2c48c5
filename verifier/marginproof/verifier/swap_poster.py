"""Carries orders to the registry and sees them final: reading, signing, sending and remembering around :mod:`.swaps`.

Every transaction is on disk before it is sent, so that a crash at any point only means that it is sent again. Nothing
is told to the venue before the finalized registry shows it.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final

import sqlalchemy as sa
import structlog

from marginproof.attestation.typed_signing import recover_typed
from marginproof.chains.evm.transactions.posting import BroadcastOutcome
from marginproof.chains.evm.transactions.receipts import TransactionReverted
from marginproof.chains.evm.verify.headers import BlockHeader
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError, UnavailableError
from marginproof.model.pledges import PledgeStep
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import pledge_message
from marginproof.verifier.registry_watch import RegistryWatch
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.swap_plan import (
    Attempt,
    Head,
    Post,
    Resend,
    SwapRules,
    foreign_nonces,
    live_orders,
    placed_orders,
    plan,
)
from marginproof.verifier.swap_sending import SwapSending
from marginproof.verifier.swap_store import SwapStore
from marginproof.verifier.swaps import Finding, PendingOrder, SwapKind, SwapOrder, SwapOutcome, SwapState, judge

_log = structlog.get_logger("marginproof.venue")

_REFUSALS: Final = {
    BroadcastOutcome.INSUFFICIENT_FUNDS: "fund the venue's key on the home chain",
    BroadcastOutcome.REFUSED: "check home_endpoints; it is sent again",
}
DIGEST_STALE: Final = "DIGEST_STALE"
"""The registry's refusal of a swap that does not follow its digest: final only once the digest is."""

OutcomeSink = Callable[[SwapOutcome], Awaitable[None] | None]
"""Told of every outcome at least once: again after a crash between being told and the note of it."""


class SwapPoster:
    """Posts one venue's swaps and releases. One at a time per key: nobody else should send transactions with it.

    Args:
        engine: Of the venue's database.
        watch: The registry.
        sending: The key and the endpoints that take its transactions.
        setting: The venue.
        on_outcome: Told what became of each order.
        rules: How to send.
    """

    def __init__(
        self,
        engine: sa.Engine,
        watch: RegistryWatch,
        sending: SwapSending,
        setting: VenueSetting,
        on_outcome: OutcomeSink,
        rules: SwapRules | None = None,
    ) -> None:
        self._store = SwapStore(engine)
        self._watch = watch
        self._sending = sending
        self._setting = setting
        self._on_outcome = on_outcome
        self._rules = rules or SwapRules()
        self._turn = asyncio.Lock()
        self._gas: dict[int, int] = {}
        self._refused: dict[int, int] = {}
        self._hopeless: set[int] = set()
        self._outbid: set[bytes] = set()
        self._foreign: set[int] = set()
        self._warned: set[tuple[str, int]] = set()
        self._looked_for: dict[tuple[int, int], bool] = {}

    async def enqueue(self, order: SwapOrder) -> None:
        """Takes an order, on disk when this returns. The same order again changes nothing.

        Raises:
            RefusedError: PLEDGE_PENDING; another order of the account is open.
        """
        await asyncio.to_thread(self._store.add_order, order)

    async def tick(self) -> None:
        """Settles what the finalized registry settles, and sends what is missing. Call it every second or so.

        Raises:
            MarginproofError: The home chain's endpoints fail; nothing is lost, the next call goes on.
        """
        async with self._turn:
            await self._tell()
            orders = await asyncio.to_thread(self._store.open_orders)
            if not orders:
                return
            header = await self._watch.header(fresh=True)
            if header.number < await asyncio.to_thread(self._store.final_height):
                return  # the endpoints are behind what was judged before a restart
            await self._settle(header, orders)
            await self._tell()
            await self._send(header)

    # What is final.

    async def _settle(self, header: BlockHeader, orders: list[PendingOrder]) -> None:
        attempts = await asyncio.to_thread(self._store.attempts)
        nonce = await self._watch.nonce_at(header)
        live = live_orders(attempts, nonce)
        settled = []
        for pending in orders:
            if pending.order.height <= header.number:
                verdict = await self._verdict(header, pending, live=pending.number in live)
                if verdict is not None:
                    settled.append((pending.number, *verdict))
        before = await asyncio.to_thread(self._store.final_nonce)
        if settled or nonce != before or header.number != await asyncio.to_thread(self._store.final_height):
            self._note_foreign(foreign_nonces(attempts, before, nonce))
            await asyncio.to_thread(self._store.settle, header.number, nonce, settled)
        for number, _, _ in settled:
            self._forget_refusal(number)
            self._gas.pop(number, None)

    async def _verdict(
        self, header: BlockHeader, pending: PendingOrder, *, live: bool
    ) -> tuple[SwapState, ReasonCode | None] | None:
        order = pending.order
        record = await self._watch.record_at(header, order.account)
        network = self._setting.file.network
        identity = AccountIdentity(network.home_chain, network.registry, order.owner, order.index)
        authorised = await self._watch.authorised_at(header, order.account)
        finding = Finding(record, authorised, record.signer(identity))
        consented = None if live else self._consented(order)
        verdict = judge(order, self._setting.venue, finding, live=live, consented=consented)
        if verdict is None and not live and pending.number in self._hopeless:
            return SwapState.FAILED, ReasonCode.TRANSACTION_REVERTED
        return verdict

    def _consented(self, order: SwapOrder) -> bytes | None:
        step = PledgeStep(order.digest, self._setting.venue, order.commitment, order.universe_version)
        try:
            return recover_typed(pledge_message(self._setting.network_id, order.account, step), order.signature)
        except MalformedError:
            return None

    async def _tell(self) -> None:
        for number, outcome in await asyncio.to_thread(self._store.untold):
            try:
                answer = self._on_outcome(outcome)
                if inspect.isawaitable(answer):
                    await answer
            except Exception as error:  # it is told again; the outcomes of other accounts must not wait for it
                self._warn("an outcome was not taken", number, error=type(error).__name__)
                continue
            await asyncio.to_thread(self._store.mark_told, number)
            _log.info(
                "pledge settled", state=str(outcome.state), kind=str(outcome.kind), reason=str(outcome.reason or "")
            )

    # What is sent.

    async def _send(self, final: BlockHeader) -> None:
        orders = await asyncio.to_thread(self._store.open_orders)
        if not orders:
            return
        attempts = await asyncio.to_thread(self._store.attempts)
        head = await self._sending.head(final)
        placed = placed_orders(orders, attempts)
        displaced = await self._displaced(placed, attempts, head)
        waiting = [pending for pending in orders if pending.number not in placed or pending.number in displaced]
        ready = await self._ready(waiting, head, final)
        found = plan(
            orders,
            attempts,
            ready=ready,
            displaced=displaced,
            outbid=self._outbid,
            head=head,
            now=self._setting.clock(),
            rules=self._rules,
        )
        for nonce in found.capped:
            self._warn("the fee cap keeps a transaction waiting", nonce, fix="raise the fee cap, or wait")
        by_number = {pending.number: pending.order for pending in orders}
        for step in found.steps:
            if isinstance(step, Resend):
                await self._broadcast(step.attempt)
            else:
                await self._post(step, by_number, attempts, head)

    async def _ready(self, waiting: list[PendingOrder], head: Head, final: BlockHeader) -> list[int]:
        """Numbers of the first waiting orders that the registry would take now, with the gas that each needs."""
        ready: list[int] = []
        for pending in waiting:
            if len(ready) == self._rules.window:
                break
            try:
                call = self._sending.call_of(pending.order)
                self._gas[pending.number] = await self._sending.estimate(call)
            except (TransactionReverted, MalformedError) as refusal:
                if pending.order.kind is SwapKind.RELEASE or getattr(refusal, "reason", "") == DIGEST_STALE:
                    self._forget_refusal(pending.number)  # the finalized record decides
                elif self._refused.setdefault(pending.number, head.height) <= final.number:
                    # Refused ever since a block that is final by now, and nothing of it is on its way.
                    self._hopeless.add(pending.number)
                continue
            self._forget_refusal(pending.number)
            ready.append(pending.number)
        return ready

    def _forget_refusal(self, number: int) -> None:
        self._refused.pop(number, None)
        self._hopeless.discard(number)

    async def _displaced(self, placed: dict[int, int], attempts: list[Attempt], head: Head) -> set[int]:
        """Orders at used nonces where no endpoint knows a receipt of ours: somebody else has sent with this key."""
        used = {number: nonce for number, nonce in placed.items() if nonce < head.mined}
        # Once for each block is often enough.
        known = {(nonce, head.height): self._looked_for.get((nonce, head.height)) for nonce in used.values()}
        self._looked_for = {}
        for (nonce, height), gone in known.items():
            hashes = [attempt.hash for attempt in attempts if attempt.nonce == nonce]
            self._looked_for[nonce, height] = await self._sending.none_mined(hashes) if gone is None else gone
        displaced = {number for number, nonce in used.items() if self._looked_for[nonce, head.height]}
        self._note_foreign(tuple(used[number] for number in displaced))
        return displaced

    async def _post(self, step: Post, orders: dict[int, SwapOrder], attempts: list[Attempt], head: Head) -> None:
        if step.order is None:
            call = self._sending.no_op()
            gas = await self._sending.estimate(call)
        else:
            call = self._sending.call_of(orders[step.order])
            earlier = next((attempt.gas for attempt in reversed(attempts) if attempt.order == step.order), 0)
            gas = max(self._gas.get(step.order, 0), earlier)
        made = self._sending.sign(call, step.nonce, step.fees, gas)
        now = self._setting.clock()
        attempt = Attempt(step.nonce, step.order, step.fees, gas, made.hash, made.raw, now, head.height)
        await asyncio.to_thread(self._store.add_attempt, attempt)
        await self._broadcast(attempt)

    async def _broadcast(self, attempt: Attempt) -> None:
        try:
            outcome = await self._sending.broadcast(attempt.raw)
        except UnavailableError as error:
            self._warn("no endpoint takes a transaction", attempt.nonce, reason=str(error.code), fix=error.fix)
            return
        self._outbid.discard(attempt.hash)
        if outcome is BroadcastOutcome.UNDERPRICED:
            self._outbid.add(attempt.hash)
        elif outcome in _REFUSALS:
            self._warn("a transaction is refused", attempt.nonce, outcome=str(outcome), fix=_REFUSALS[outcome])

    def _note_foreign(self, nonces: tuple[int, ...]) -> None:
        for nonce in nonces:
            if nonce not in self._foreign:
                self._foreign.add(nonce)
                _log.warning(
                    "another program sent a transaction with the venue's key",
                    nonce=nonce,
                    fix="let nobody else use this key; orders that lost their nonce are sent again",
                )

    def _warn(self, event: str, number: int, **fields: str) -> None:
        """Logs once for each nonce, or each order."""
        if (event, number) not in self._warned:
            self._warned.add((event, number))
            _log.warning(event, number=number, **fields)
