"""Random stories of one account: whatever comes in whatever order, the registry's pledge covers the book."""

import asyncio
import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.pledges import RegistryRecord, StandingPledge, next_digest
from marginproof.model.reasons import ReasonCode
from marginproof.risk.line import covers
from marginproof.verifier.book import Fill, Order
from marginproof.verifier.decision_store import FIRST_ANSWER
from marginproof.verifier.live import LiveAccounts
from marginproof.verifier.pledge_store import Acceptance, PledgeRow, PledgeState
from marginproof.verifier.status import after_accept
from marginproof.verifier.swap_store import SwapStore
from marginproof.verifier.swaps import SwapKind, SwapOrder, SwapOutcome, SwapState
from tests.verifier.test_live import Scene
from tests.verifier.test_standings import record as decision
from tests.verifier.world import ACCOUNT, FILE, HOME, LINE, LOT, NOW, VENUE, World, record_of

STEPS = 120
SEEDS = range(6)


class Registry:
    """What is final; stands in for the watch."""

    def __init__(self, record: RegistryRecord) -> None:
        self.now = record

    async def header(self) -> None:
        """Nothing is asked of it but that it can be seen."""

    async def record(self, _account: bytes) -> RegistryRecord:
        return self.now

    def change(self, commitment: bytes | None) -> None:
        """This venue's pledge is replaced or ends; the digest moves on."""
        kept = tuple(pledge for pledge in self.now.pledges if pledge.venue != VENUE)
        own = () if commitment is None else (StandingPledge(VENUE, commitment, FILE.universe.version, 0),)
        self.now = dataclasses.replace(
            self.now, digest=next_digest(self.now.digest, VENUE, commitment or bytes(48)), pledges=(*kept, *own)
        )


class Story:
    """One account, driven at random; the swaps are decided by a die."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.dice = random.Random(seed)
        row = scene.live.of(ACCOUNT).in_state(PledgeState.STANDING)
        assert row is not None
        self.registry = Registry(record_of(row.opening))
        scene.pledges._watch = self.registry  # type: ignore[assignment] # stands in for the chain
        self.fills = 0

    async def reserve(self) -> None:
        await self.scene.pledges.reserve(ACCOUNT, self.dice.choice((0, LINE // 2, 3 * LINE)))

    async def accept(self) -> None:
        """As the decision desk does it, once a proof of the open proposal has passed."""
        live = self.scene.live.of(ACCOUNT)
        row = live.in_state(PledgeState.PROPOSED)
        rows = self.scene.snapshots.terms.line_rows
        if row is None or live.pending or not covers(rows, row.opening.vector(), live.row.book):
            return
        accepted = dataclasses.replace(
            row, state=PledgeState.ACCEPTED, acceptance=Acceptance(bytes(20), 0, live.row.status)
        )
        order = SwapOrder(ACCOUNT, bytes(20), 0, self.registry.now.digest, row.commitment, 1, bytes(65))
        status = after_accept(NOW, {HOME: NOW}, self.scene.standings.rules)
        key = self.dice.randbytes(32)
        self.scene.store.record_decision(key, FIRST_ANSWER, decision(), status, (accepted, order))

    async def settle(self) -> None:
        """The chain ends what is under way, for better or worse; sometimes the venue is told twice."""
        store = SwapStore(self.scene.store.database.engine)
        for pending in store.open_orders():
            order = pending.order
            state = SwapState.RELEASED if order.kind is SwapKind.RELEASE else SwapState.STANDING
            if order.kind is SwapKind.SWAP and self.dice.random() < 0.4:
                state = SwapState.FAILED
            else:
                self.registry.change(order.commitment if state is SwapState.STANDING else None)
            reason = ReasonCode.REGISTRY_DIGEST_STALE if state is SwapState.FAILED else None
            store.settle(0, 0, [(pending.number, state, reason)])
            outcome = SwapOutcome(ACCOUNT, order.commitment, order.kind, state, reason)
            for _ in range(self.dice.choice((1, 2))):
                await self.scene.pledges.on_outcome(outcome)

    async def trade(self) -> None:
        fills = []
        for _ in range(self.dice.randint(1, 4)):
            self.fills += 1
            lots = self.dice.choice((-1, 1)) * self.dice.randint(1, 2 * LOT)
            fills.append(Fill(f"n{self.fills}", Order(ACCOUNT, "ETH-PERP", lots, 2_000 * 10**8)))
        await self.scene.books.record_fills(fills)

    async def restart(self) -> None:
        """Nothing is remembered but the database; the registry is read again."""
        fresh = LiveAccounts(self.scene.store, VENUE, FILE.universe.compatible_since)
        for name in ("_rows", "_records", "_lines"):
            setattr(self.scene.live, name, getattr(fresh, name))
        assert self.scene.lines() == ()
        await self.scene.pledges.refresh()

    async def run(self) -> None:
        steps = [self.reserve, self.accept, self.settle, self.trade, self.trade, self.trade, self.restart]
        for _ in range(STEPS):
            try:
                await self.dice.choice(steps)()
            except MarginproofError as refusal:
                assert refusal.code in (ReasonCode.PLEDGE_PENDING, ReasonCode.OUT_OF_RANGE)
            self.check()

    def check(self) -> None:
        live, rows = self.scene.live.of(ACCOUNT), self.scene.snapshots.terms.line_rows
        own = self.registry.now.pledge_of(VENUE)
        assert own is not None
        standing = next(row for row in live.pledges if row.commitment == own.commitment)
        assert covers(rows, standing.opening.vector(), live.row.book)
        states = [row.state for row in live.pledges]
        assert sum(state in (PledgeState.STANDING, PledgeState.RELEASING) for state in states) == 1
        assert len(states) <= 2
        assert LiveAccounts(self.scene.store, VENUE, 1).of(ACCOUNT).row == live.row


@pytest.fixture
def scene(tmp_path: Path, world: World) -> Iterator[Scene]:
    made = Scene(tmp_path / "venue.sqlite", world)
    made.standings.observe(NOW)
    yield made
    made.store.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_registrys_pledge_always_covers_the_book(scene: Scene, seed: int) -> None:
    """No quotes, so nothing counts as reducing risk: only the line lets an order through."""
    story = Story(scene, seed)
    asyncio.run(story.run())
    assert story.fills > 20


async def test_the_same_outcome_twice_changes_nothing(scene: Scene) -> None:
    story = Story(scene, 1)
    row = PledgeRow(scene.live.of(ACCOUNT).pledges[0].opening, PledgeState.STANDING)
    before = scene.live.of(ACCOUNT)
    for state in SwapState:
        for kind in SwapKind:
            await scene.pledges.on_outcome(SwapOutcome(ACCOUNT, row.commitment, kind, state, None))
    assert scene.live.of(ACCOUNT).pledges == before.pledges
    assert story.registry.now.digest == record_of(None).digest


async def test_cover_is_proposed_where_nothing_open_covers(scene: Scene) -> None:
    Story(scene, 1)
    rows = scene.snapshots.terms.line_rows
    scene.pledges.propose_cover(ACCOUNT, rows)
    first = scene.live.of(ACCOUNT).in_state(PledgeState.PROPOSED)
    assert first is not None
    assert (first.opening.line, first.opening.purpose) == (0, Purpose.MAINTENANCE)
    scene.pledges.propose_cover(ACCOUNT, rows)
    assert scene.live.of(ACCOUNT).in_state(PledgeState.PROPOSED) == first
