"""What a snapshot counts in full, and what a restart takes up again."""

import asyncio
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from marginproof.model.errors import UnavailableError
from marginproof.model.margin import Outcome, Purpose
from marginproof.risk.policy import Policy, load_policy
from marginproof.risk.recognition import Recognition
from marginproof.verifier.policies import PolicyBook
from marginproof.verifier.procedure import judge
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import SnapshotDesk, make_snapshot
from marginproof.verifier.store import VenueStore
from tests.verifier.test_standings import OWNER, SEALER
from tests.verifier.world import (
    CALL,
    FILE,
    NOW,
    OTHER_VENUE,
    PERP,
    SETTING,
    VENUE_KEY,
    FakeClock,
    World,
    policy,
    price_report,
)

STRANGER = b"\x99" * 20


class RegistryForTests:
    """Says with whom agreements hold, and notes who was asked about."""

    def __init__(self, agreed: Iterable[bytes] = ()) -> None:
        self.agreed = frozenset(agreed)
        self.asked: list[frozenset[bytes]] = []
        self.silent = False

    async def agreements(self, candidates: Iterable[bytes]) -> frozenset[bytes]:
        self.asked.append(frozenset(candidates))
        if self.silent:
            raise UnavailableError("no endpoint answers")
        return self.agreed & frozenset(candidates)


def recognising(*venues: bytes) -> Policy:
    listed = ", ".join(f'"0x{venue.hex()}"' for venue in venues)
    return load_policy(policy().source + f"recognition: {{full: [{listed}]}}\n".encode())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VenueStore]:
    made = VenueStore(tmp_path / "venue.sqlite", SEALER, OWNER)
    yield made
    made.close()


def desk(store: VenueStore, rules: Policy, registry: RegistryForTests, **setting: Any) -> SnapshotDesk:
    changed = dataclasses.replace(VenueSetting.of(FILE, VENUE_KEY, clock=FakeClock()), **setting)
    return SnapshotDesk(changed, PolicyBook([rules]), store.snapshots, registry.agreements)


@pytest.mark.parametrize(
    ("listed", "agreed", "counted"),
    [
        ((OTHER_VENUE, STRANGER), (OTHER_VENUE,), (OTHER_VENUE,)),
        ((OTHER_VENUE, STRANGER), (STRANGER, OTHER_VENUE), (OTHER_VENUE, STRANGER)),
        ((OTHER_VENUE,), (STRANGER,), ()),
        ((OTHER_VENUE,), (), ()),
    ],
    ids=["one agrees", "both, rising", "another agrees", "nobody agrees"],
)
def test_in_full_counts_who_is_listed_and_has_agreed(
    store: VenueStore, listed: tuple[bytes, ...], agreed: tuple[bytes, ...], counted: tuple[bytes, ...]
) -> None:
    registry = RegistryForTests(agreed)
    made = desk(store, recognising(*listed), registry)
    assert asyncio.run(made.offer(price_report()))
    assert made.newest()[0].snapshot.full_recognition == counted
    assert registry.asked == [frozenset(listed)]


def test_a_policy_without_a_list_never_asks_the_registry(store: VenueStore) -> None:
    registry = RegistryForTests((OTHER_VENUE,))
    made = desk(store, policy(), registry)
    assert asyncio.run(made.offer(price_report()))
    assert (made.newest()[0].snapshot.full_recognition, registry.asked) == ((), [])


def test_while_agreements_cannot_be_read_there_is_no_snapshot(store: VenueStore) -> None:
    registry = RegistryForTests((OTHER_VENUE,))
    registry.silent = True
    made = desk(store, recognising(OTHER_VENUE), registry)
    with pytest.raises(UnavailableError):
        asyncio.run(made.offer(price_report()))
    assert not made.has_current
    assert made.terms is None


def test_a_proof_counts_others_as_its_snapshot_says(world: World) -> None:
    rules = recognising(OTHER_VENUE)
    for full in ((), (OTHER_VENUE,)):
        signed = make_snapshot(SETTING, rules, price_report(), NOW, full)
        shown = dataclasses.replace(world, policy=rules, snapshot=signed)
        assert shown.recognitions() == ((Recognition.FULL,) if full else (Recognition.LOSSES_ONLY,))
        assert judge(shown.present().encode(), shown.view()).outcome is Outcome.ACCEPT
        wrong = dataclasses.replace(world, policy=rules, snapshot=make_snapshot(SETTING, rules, price_report(), NOW))
        if full:  # proven as losses only, judged in full
            data = dataclasses.replace(wrong.present(), context=shown.context()).encode()
            assert judge(data, shown.view()).step == 7


def test_terms_quote_every_instrument(store: VenueStore) -> None:
    made = desk(store, policy(), RegistryForTests())
    asyncio.run(made.offer(price_report()))
    assert made.terms is not None
    assert set(made.terms.quotes) == {PERP, CALL}
    assert made.terms.quotes[PERP].value == made.terms.quotes[CALL].underlying == 2_000
    assert 0 < made.terms.quotes[CALL].value < 200
    rows = made.facts(made.terms.digest, NOW)
    assert rows is not None
    assert rows.rows is not None
    assert made.terms.line_rows == rows.rows.line_rows()
    assert len(made.terms.line_rows) == sum(len(rows.rows.compile(purpose).labels) for purpose in Purpose)


def test_a_restart_goes_on_from_the_newest_snapshot(store: VenueStore) -> None:
    first = desk(store, policy(), RegistryForTests())
    asyncio.run(first.offer(price_report()))
    again = desk(store, policy(), RegistryForTests())
    assert (again.newest(), again.terms) == (first.newest(), first.terms)


def test_a_restart_under_another_policy_or_universe_makes_its_own(store: VenueStore) -> None:
    asyncio.run(desk(store, policy(), RegistryForTests()).offer(price_report()))
    other = dataclasses.replace(FILE.universe, version=2)
    file = dataclasses.replace(FILE, universe=other)
    for changed in (
        desk(store, recognising(OTHER_VENUE), RegistryForTests()),
        desk(store, policy(), RegistryForTests(), file=file, universe_digest=other.root()),
    ):
        assert (changed.newest_slot, changed.terms) == (-1, None)
