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
from marginproof.verifier.book import Fill
from marginproof.verifier.evidence import ChainEvidence
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.standings import StandingKeeper
from marginproof.verifier.status import AccountStatus, after_accept
from marginproof.verifier.store import FIRST_ANSWER, REPLAY_ANSWER, DecisionRecord, VenueStore
from tests.verifier.world import (
    ACCOUNT,
    FILE,
    HOME,
    NETWORK_ID,
    NOW,
    OTHER,
    VENUE,
    VENUE_KEY,
    FakeClock,
    World,
    book_opening,
)

OWNER = NETWORK_ID + VENUE
SEALER = Sealer(b"\x01" * 32)


class EvidenceForTests:
    """What is to be had, as the test says."""

    def __init__(self) -> None:
        self.has_current = True
        self.expires_at = {HOME: NOW + 10**6, OTHER: NOW + 10**6}
        self.last_reference = NOW

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
        self.keeper = StandingKeeper(setting, self.store, both, both)
        self.store.open_book(book_opening(sequence=0))
        self.store.write_status(ACCOUNT, after_accept(NOW, {HOME: NOW - 50}, self.keeper.rules))

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
    assert scene.store.status(ACCOUNT) == AccountStatus(NOW, NOW + 4_800, 2, False, ((HOME, NOW - 50),))


@pytest.mark.parametrize("missing", ["snapshot", HOME])
def test_nothing_is_missed_without_a_snapshot_or_a_needed_certificate(scene: Scene, missing: str) -> None:
    scene.at(0)
    if missing == "snapshot":
        scene.evidence.has_current = False
    else:
        scene.evidence.expires_at[missing] = NOW
    assert scene.at(3_600) is MarginState.REDUCE_ONLY
    scene.evidence.has_current = True
    scene.evidence.expires_at[HOME] = NOW + 10**6
    assert scene.at(4_000) is MarginState.PROOF_DUE
    assert scene.at(4_599) is MarginState.PROOF_DUE
    assert scene.at(4_600) is MarginState.MARGIN_CALL


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
    assert scene.store.find_decision(b"key", FIRST_ANSWER) == record()
    assert scene.store.find_decision(b"key", REPLAY_ANSWER) is None
    status = scene.store.status(ACCOUNT)
    assert status is not None
    assert status.missed == 0  # the standing of the refused write was not kept either


def test_a_fill_on_a_book_that_moved_on_is_refused(scene: Scene) -> None:
    fill = Fill("f", ACCOUNT, "ETH-PERP", 1, 1)
    scene.store.record_fill(fill, book_opening(sequence=1), AccountStatus())
    with pytest.raises(RefusedError) as caught:
        scene.store.record_fill(Fill("g", ACCOUNT, "ETH-PERP", 1, 1), book_opening(sequence=1), AccountStatus())
    assert caught.value.code == ReasonCode.CONFLICT
    assert scene.store.find_fill("g") is None


def test_opening_twice_keeps_the_first_book(scene: Scene) -> None:
    before = scene.store.book(ACCOUNT)
    scene.store.record_fill(Fill("f", ACCOUNT, "ETH-PERP", 1, 1), book_opening(sequence=1), AccountStatus())
    assert scene.store.open_book(book_opening({}, sequence=0)) == 1
    assert scene.store.book(ACCOUNT) == book_opening(sequence=1) != before


def test_another_key_does_not_open_the_books(tmp_path: Path) -> None:
    path = tmp_path / "venue.sqlite"
    store = VenueStore(path, SEALER, OWNER)
    store.open_book(book_opening(sequence=0))
    store.close()
    other = VenueStore(path, Sealer(b"\x02" * 32), OWNER)
    try:
        with pytest.raises(ConfigurationError) as caught:
            other.book(ACCOUNT)
        assert caught.value.code == ReasonCode.STORE_CORRUPT
    finally:
        other.close()


def test_expired_snapshots_are_dropped_after_their_time(scene: Scene, world: World) -> None:
    expires = world.snapshot.snapshot.expires_at
    scene.store.add_snapshot(world.snapshot, world.report, keep_after=expires)
    assert scene.store.find_snapshot(world.snapshot.digest) == world.snapshot
    after = dataclasses.replace(world.snapshot.snapshot, price_slot=10**6, expires_at=expires + 9)
    later = dataclasses.replace(world.snapshot, snapshot=after)
    scene.store.add_snapshot(later, world.report, keep_after=expires + 1)
    assert scene.store.find_snapshot(world.snapshot.digest) is None
    assert scene.store.newest_snapshot() == (later, world.report)
