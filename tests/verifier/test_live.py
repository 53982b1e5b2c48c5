"""What orders are judged by: which pledges bind, when lines are worked out anew, and what is not judged by a guess."""

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marginproof.model.margin import MarginState
from marginproof.risk.line import Line
from marginproof.verifier.book import Fill, Order
from marginproof.verifier.book_store import AccountRow, FillRecord
from marginproof.verifier.books import BookDesk
from marginproof.verifier.coverage import CoverageKeeper
from marginproof.verifier.live import LiveAccounts
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.pledge_store import Acceptance, PledgeRow, PledgeState
from marginproof.verifier.pledges import PledgeDesk
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import TradingTerms
from marginproof.verifier.standings import StandingKeeper
from marginproof.verifier.status import AccountStatus, after_accept
from marginproof.verifier.store import VenueStore
from marginproof.verifier.trading import TradingDesk
from tests.verifier.test_standings import OWNER, SEALER, EvidenceForTests
from tests.verifier.world import (
    ACCOUNT,
    BOOK,
    CASH,
    FILE,
    HOME,
    LINE,
    NOW,
    VENUE,
    VENUE_KEY,
    FakeClock,
    World,
    book_of,
    pledge_of,
    record_of,
)

STANDING = pledge_of("standing")
ACCEPTANCE = Acceptance(b"\x01" * 20, 0, AccountStatus())


class SnapshotsForTests:
    """The terms that the test sets."""

    has_current = True

    def __init__(self, world: World) -> None:
        rows = world.rows.line_rows()
        self.terms = TradingTerms(world.snapshot.digest, world.snapshot.snapshot.expires_at, rows, {})


class Scene:
    """The desks around one account with a standing pledge and a book that it covers."""

    def __init__(self, path: Path, world: World) -> None:
        self.store = VenueStore(path, SEALER, OWNER)
        self.clock = FakeClock()
        self.setting = VenueSetting.of(FILE, VENUE_KEY, clock=self.clock)
        snapshots: Any = SnapshotsForTests(world)
        evidence: Any = EvidenceForTests()
        self.snapshots = snapshots
        self.live = LiveAccounts(self.store, VENUE, FILE.universe.compatible_since)
        self.standings = StandingKeeper(self.setting, self.store, self.live, self.snapshots, evidence, lambda: True)
        self.trading = TradingDesk(self.setting, self.live, self.snapshots, self.standings)
        shared: dict[str, Any] = {"store": self.store, "live": self.live, "lock": asyncio.Lock()}
        shared["metrics"] = VenueMetrics()
        self.books = BookDesk(self.setting, trading=self.trading, **shared)
        watch: Any = None
        self.pledges = PledgeDesk(self.setting, watch=watch, trading=self.trading, **shared)
        self.coverage = CoverageKeeper(self.setting, snapshots=snapshots, pledges=self.pledges, **shared)
        self.store.books.open(ACCOUNT)
        self.store.books.write_statuses([(ACCOUNT, after_accept(NOW, {HOME: NOW}, self.standings.rules))])
        self.store.books.record(
            [FillRecord(Fill("f", Order(ACCOUNT, "ETH-PERP", 1, 1)), 1)],
            {ACCOUNT: (0, AccountRow(1, BOOK, AccountStatus()))},
        )
        self.pledge(PledgeRow(STANDING, PledgeState.STANDING, ACCEPTANCE))
        self.live.note_record(record_of(STANDING))

    def pledge(self, *rows: PledgeRow) -> None:
        self.store.change_pledges(ACCOUNT, rows)

    def lines(self) -> tuple[Line, ...]:
        view = self.trading.view(ACCOUNT, self.live.of(ACCOUNT), self.clock.now)
        return view.lines

    def room(self) -> list[int]:
        return [int(line.room_usd(14)) for line in self.lines()]


@pytest.fixture
def scene(tmp_path: Path, world: World) -> Iterator[Scene]:
    made = Scene(tmp_path / "venue.sqlite", world)
    yield made
    made.store.close()


def test_a_standing_pledge_opens_its_line(scene: Scene) -> None:
    assert scene.room() == [LINE // 10**6]


def test_no_line_without_a_record_or_a_pledge_in_it(scene: Scene) -> None:
    for record in (record_of(None), record_of(pledge_of("unknown")), record_of(STANDING, revoked_at=NOW)):
        scene.live.note_record(record)
        assert scene.lines() == ()
    fresh = LiveAccounts(scene.store, VENUE, FILE.universe.compatible_since)
    terms = scene.snapshots.terms
    assert fresh.lines(ACCOUNT, fresh.of(ACCOUNT), terms.line_rows, terms.digest) == ()
    later = LiveAccounts(scene.store, VENUE, FILE.universe.version + 1)
    later.note_record(record_of(STANDING))
    assert later.lines(ACCOUNT, later.of(ACCOUNT), terms.line_rows, terms.digest) == ()


def test_no_line_while_a_release_is_under_way(scene: Scene) -> None:
    scene.pledge(PledgeRow(STANDING, PledgeState.RELEASING, ACCEPTANCE))
    assert scene.lines() == ()


def test_no_line_without_a_current_snapshot(scene: Scene) -> None:
    scene.clock.now = scene.snapshots.terms.expires_at - 1
    assert len(scene.lines()) == 1
    scene.clock.now += 1
    assert scene.lines() == ()
    scene.snapshots.terms = None
    assert scene.lines() == ()


def test_the_pledge_whose_swap_is_under_way_binds_too(scene: Scene) -> None:
    scene.pledge(PledgeRow(pledge_of("next", line=LINE // 2), PledgeState.ACCEPTED, ACCEPTANCE))
    assert scene.room() == [LINE // 10**6, LINE // 2 // 10**6]
    scene.pledge(PledgeRow(pledge_of("later", line=LINE // 4), PledgeState.PROPOSED))
    assert len(scene.lines()) == 2  # what is only proposed binds nobody


def test_once_the_registry_shows_the_swap_its_pledge_alone_binds(scene: Scene) -> None:
    following = pledge_of("next", line=LINE // 2)
    scene.pledge(PledgeRow(following, PledgeState.ACCEPTED, ACCEPTANCE))
    scene.live.note_record(record_of(following))
    assert scene.room() == [LINE // 2 // 10**6]


def test_lines_follow_book_snapshot_and_pledges(scene: Scene) -> None:
    before = scene.lines()
    assert scene.lines() is before
    worse = {**BOOK, CASH: BOOK[CASH] - LINE // 2}
    after = AccountRow(2, worse, AccountStatus())
    scene.store.books.record([FillRecord(Fill("g", Order(ACCOUNT, "ETH-PERP", 1, 1)), 2)], {ACCOUNT: (1, after)})
    assert scene.room() == [LINE // 2 // 10**6]
    again = scene.lines()
    scene.snapshots.terms = dataclasses.replace(scene.snapshots.terms, digest=b"\x09" * 32)
    assert scene.lines() is not again
    other = pledge_of("other", line=2 * LINE)
    scene.pledge(PledgeRow(other, PledgeState.STANDING, ACCEPTANCE))
    scene.live.note_record(record_of(other))
    assert scene.room() == [(2 * LINE - LINE // 2) // 10**6]


async def test_a_batch_leaves_the_lines_that_a_fresh_look_finds(scene: Scene) -> None:
    scene.standings.observe(NOW)
    fills = [Fill(f"n{n}", Order(ACCOUNT, "ETH-PERP", 10_000 + n, 2_000 * 10**8)) for n in range(5)]
    answers = await scene.books.record_fills(fills)
    assert [(answer.sequence, answer.refusal) for answer in answers] == [(n, None) for n in range(2, 7)]
    kept = scene.lines()
    fresh = Line(scene.snapshots.terms.line_rows, STANDING.vector(), scene.live.of(ACCOUNT).row.book)
    assert kept[0].room_usd(14) == fresh.room_usd(14)
    read = LiveAccounts(scene.store, VENUE, FILE.universe.compatible_since).of(ACCOUNT)
    assert read.row == scene.live.of(ACCOUNT).row


async def test_a_batch_that_cannot_be_written_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.standings.observe(NOW)
    before, room = scene.live.of(ACCOUNT).row, scene.room()

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(scene.store.books, "record", full)
    with pytest.raises(OSError, match="disk full"):
        await scene.books.record_fills([Fill("n", Order(ACCOUNT, "ETH-PERP", 10_000, 2_000 * 10**8))])
    assert (scene.live.of(ACCOUNT).row, scene.room()) == (before, room)


async def test_an_account_is_not_judged_before_its_record_was_read(scene: Scene, tmp_path: Path) -> None:
    scene.live.__init__(scene.store, VENUE, FILE.universe.compatible_since)  # type: ignore[misc] # as after a restart
    scene.standings.observe(NOW)
    await scene.coverage.step()
    assert not scene.live.of(ACCOUNT).row.status.uncovered
    scene.live.note_record(record_of(None))
    await scene.coverage.step()
    status = scene.live.of(ACCOUNT).row.status
    assert (status.uncovered, status.deadline) == (True, NOW + 600)
    cover = scene.live.of(ACCOUNT).in_state(PledgeState.PROPOSED)
    assert cover is not None
    assert (cover.opening.line, cover.opening.vector()) == (0, book_of().vector())
    assert scene.standings.state(scene.live.of(ACCOUNT), NOW) is MarginState.PROOF_DUE
