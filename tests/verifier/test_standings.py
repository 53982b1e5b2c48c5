"""The ticking of deadlines against a real database, and what the store promises."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.errors import ConfigurationError, NotFoundError, RefusedError
from marginproof.model.margin import Decision, MarginState, Outcome, SignedDecision
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message
from marginproof.node.sealing import Sealer
from marginproof.verifier.book import Fill, Order
from marginproof.verifier.book_store import AccountRow, FillRecord
from marginproof.verifier.decision_store import FIRST_ANSWER, REPLAY_ANSWER, DecisionRecord
from marginproof.verifier.evidence import ChainEvidence
from marginproof.verifier.live import LiveAccounts
from marginproof.verifier.pledge_store import Acceptance, PledgeRow, PledgeState
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.standings import StandingKeeper
from marginproof.verifier.status import AccountStatus, after_accept
from marginproof.verifier.store import VenueStore
from marginproof.verifier.swap_store import SwapStore
from marginproof.verifier.swaps import SwapOrder
from tests.verifier.world import (
    ACCOUNT,
    BOOK,
    FILE,
    HOME,
    NETWORK_ID,
    NOW,
    OTHER,
    VENUE,
    VENUE_KEY,
    FakeClock,
    World,
    pledge_of,
)

OWNER = NETWORK_ID + VENUE
SEALER = Sealer(b"\x01" * 32)


class EvidenceForTests:
    """What is to be had, as the test says."""

    def __init__(self) -> None:
        self.has_current = True
        self.expires_at = {HOME: NOW + 10**6, OTHER: NOW + 10**6}
        self.last_reference = NOW
        self.registry_current = True

    @property
    def chains(self) -> frozenset[str]:
        return frozenset(self.expires_at)

    def chain(self, chain: str) -> ChainEvidence | None:
        return ChainEvidence(self.last_reference, self.expires_at[chain])


class Scene:
    def __init__(self, path: Path) -> None:
        self.store = VenueStore(path, SEALER, OWNER)
        self.clock = FakeClock()
        self.evidence = EvidenceForTests()
        setting = VenueSetting.of(FILE, VENUE_KEY, clock=self.clock)
        both: Any = self.evidence  # stands in for the snapshots and for the relayers
        live = LiveAccounts(self.store, VENUE, FILE.universe.compatible_since)
        self.keeper = StandingKeeper(setting, self.store, live, both, both, lambda: self.evidence.registry_current)
        self.store.books.open(ACCOUNT)
        self.write_status(after_accept(NOW, {HOME: NOW - 50}, self.keeper.rules))

    def write_status(self, status: AccountStatus) -> None:
        self.store.books.write_statuses([(ACCOUNT, status)])

    def status(self) -> AccountStatus:
        row = self.store.books.read(ACCOUNT)
        assert row is not None
        return row.status

    def at(self, seconds: int) -> MarginState:
        """The state after a tick at NOW + seconds."""
        self.clock.now = NOW + seconds
        self.keeper.tick()
        return self.keeper.standing(ACCOUNT)[1]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "venue.sqlite")
    yield made
    made.store.close()


def test_from_good_to_default(scene: Scene) -> None:
    states = [scene.at(seconds) for seconds in (0, 1_799, 1_800, 3_599, 3_600, 4_199, 4_200, 99_999)]
    assert states == [
        MarginState.GOOD,
        MarginState.GOOD,
        MarginState.PROOF_DUE,
        MarginState.PROOF_DUE,
        MarginState.MARGIN_CALL,
        MarginState.MARGIN_CALL,
        MarginState.DEFAULT,
        MarginState.DEFAULT,
    ]
    assert scene.status() == AccountStatus(NOW, NOW + 4_800, 2, False, ((HOME, NOW - 50),))


@pytest.mark.parametrize("missing", ["snapshot", "registry", HOME])
def test_nothing_is_missed_without_a_snapshot_the_registry_or_a_needed_certificate(scene: Scene, missing: str) -> None:
    scene.at(0)
    if missing == "snapshot":
        scene.evidence.has_current = False
    elif missing == "registry":
        scene.evidence.registry_current = False
    else:
        scene.evidence.expires_at[missing] = NOW
    assert scene.at(3_600) is MarginState.REDUCE_ONLY
    scene.evidence.has_current = scene.evidence.registry_current = True
    scene.evidence.expires_at[HOME] = NOW + 10**6
    assert scene.at(4_000) is MarginState.PROOF_DUE
    assert scene.at(4_599) is MarginState.PROOF_DUE
    assert scene.at(4_600) is MarginState.MARGIN_CALL


def test_a_swap_excuses_until_the_collateral_of_its_own_proof_may_leave(scene: Scene) -> None:
    """Newer certificates of the chain may lack the account's leaf: they put nothing off."""
    status = after_accept(NOW, {HOME: NOW - 50}, scene.keeper.rules)
    row = PledgeRow(pledge_of("proposed"), PledgeState.ACCEPTED, Acceptance(b"\x01" * 20, 0, status))
    scene.store.change_pledges(ACCOUNT, [row])
    scene.at(0)
    excused = 172_800 - 86_400 - 50
    scene.evidence.last_reference = NOW + excused
    assert scene.at(excused) is MarginState.REDUCE_ONLY
    assert scene.at(excused + 1) is MarginState.MARGIN_CALL


def test_a_chain_that_the_proof_did_not_use_excuses_nothing(scene: Scene) -> None:
    scene.at(0)
    scene.evidence.expires_at[OTHER] = NOW
    assert scene.at(3_600) is MarginState.MARGIN_CALL


def test_an_outage_ends_when_collateral_may_leave(scene: Scene) -> None:
    scene.at(0)
    scene.evidence.has_current = False
    excused = 172_800 - 86_400
    assert scene.at(excused) is MarginState.REDUCE_ONLY
    assert scene.at(excused + 1) is MarginState.MARGIN_CALL
    assert scene.at(excused + 601) is MarginState.DEFAULT


def test_the_venues_own_downtime_is_no_missed_deadline(scene: Scene) -> None:
    assert scene.at(3_700) is MarginState.PROOF_DUE  # the first tick of a process that was not there at the deadline
    assert scene.keeper.standing(ACCOUNT)[0].deadline == NOW + 4_300


def test_an_unknown_account_has_no_standing(scene: Scene) -> None:
    with pytest.raises(NotFoundError) as caught:
        scene.keeper.standing(bytes(32))
    assert caught.value.code == ReasonCode.BOOK_UNKNOWN


def record(outcome: Outcome = Outcome.ACCEPT) -> DecisionRecord:
    decision = Decision(NETWORK_ID, VENUE, ACCOUNT, bytes(32), bytes(32), 2, outcome, 0, (), NOW)
    return DecisionRecord(SignedDecision(decision, sign_typed(VENUE_KEY, decision_message(decision))), NOW + 5)


def test_a_decision_is_never_written_over(scene: Scene) -> None:
    scene.store.record_decision(b"key", FIRST_ANSWER, record())
    with pytest.raises(Exception, match="UNIQUE"):
        scene.store.record_decision(b"key", FIRST_ANSWER, record(Outcome.REJECT), AccountStatus(missed=1))
    assert scene.store.decisions.find(b"key", FIRST_ANSWER) == record()
    assert scene.store.decisions.find(b"key", REPLAY_ANSWER) is None
    assert scene.status().missed == 0  # the standing of the refused write was not kept either


def accepted() -> tuple[PledgeRow, SwapOrder]:
    opening = pledge_of("accepted")
    acceptance = Acceptance(b"\x01" * 20, 2**64 - 1, AccountStatus(missed=1, references=((HOME, 5),)))
    order = SwapOrder(ACCOUNT, acceptance.owner, acceptance.index, bytes(32), opening.commitment, 1, b"\x02" * 65)
    return PledgeRow(opening, PledgeState.ACCEPTED, acceptance), order


def test_decision_pledge_and_swap_are_written_together(scene: Scene) -> None:
    row, order = accepted()
    scene.store.record_decision(b"key", FIRST_ANSWER, record(), AccountStatus(accepted_at=NOW), (row, order))
    assert scene.store.pledges.of(ACCOUNT) == (row,)
    assert [pending.order for pending in SwapStore(scene.store.database.engine).open_orders()] == [order]
    another = dataclasses.replace(order, commitment=b"\x03" * 48)
    with pytest.raises(RefusedError) as caught:
        scene.store.record_decision(b"other", FIRST_ANSWER, record(), AccountStatus(missed=7), (row, another))
    assert caught.value.code == ReasonCode.PLEDGE_PENDING
    assert scene.store.decisions.find(b"other", FIRST_ANSWER) is None
    assert scene.status().accepted_at == NOW


def fill(fill_id: str) -> Fill:
    return Fill(fill_id, Order(ACCOUNT, "ETH-PERP", 1, 1))


def booked(scene: Scene, fill_id: str, before: int = 0) -> None:
    after = AccountRow(before + 1, BOOK, AccountStatus())
    scene.store.books.record([FillRecord(fill(fill_id), before + 1)], {ACCOUNT: (before, after)})


def test_a_fill_on_a_book_that_moved_on_is_refused(scene: Scene) -> None:
    booked(scene, "f")
    with pytest.raises(RefusedError) as caught:
        booked(scene, "g")
    assert caught.value.code == ReasonCode.CONFLICT
    assert scene.store.books.find_fills(["f", "g"]) == {"f": FillRecord(fill("f"), 1)}


def test_fills_and_book_are_written_together(scene: Scene) -> None:
    booked(scene, "f")
    with pytest.raises(Exception, match="UNIQUE"):
        booked(scene, "f", before=1)
    row = scene.store.books.read(ACCOUNT)
    assert row is not None
    assert row.sequence == 1


def test_opening_twice_keeps_the_first_book(scene: Scene) -> None:
    booked(scene, "f")
    assert scene.store.books.open(ACCOUNT) == 1
    row = scene.store.books.read(ACCOUNT)
    assert row is not None
    assert row.book == BOOK
    assert row.status.accepted_at == NOW  # a fill changes no standing


def test_another_key_does_not_open_the_books(tmp_path: Path) -> None:
    path = tmp_path / "venue.sqlite"
    store = VenueStore(path, SEALER, OWNER)
    store.books.open(ACCOUNT)
    store.close()
    other = VenueStore(path, Sealer(b"\x02" * 32), OWNER)
    try:
        with pytest.raises(ConfigurationError) as caught:
            other.books.read(ACCOUNT)
        assert caught.value.code == ReasonCode.STORE_CORRUPT
    finally:
        other.close()


def test_expired_snapshots_are_dropped_after_their_time(scene: Scene, world: World) -> None:
    expires = world.snapshot.snapshot.expires_at
    scene.store.snapshots.add(world.snapshot, world.report, keep_after=expires)
    assert scene.store.snapshots.find(world.snapshot.digest) == world.snapshot
    after = dataclasses.replace(world.snapshot.snapshot, price_slot=10**6, expires_at=expires + 9)
    later = dataclasses.replace(world.snapshot, snapshot=after)
    scene.store.snapshots.add(later, world.report, keep_after=expires + 1)
    assert scene.store.snapshots.find(world.snapshot.digest) is None
    assert scene.store.snapshots.newest() == (later, world.report)
