"""Snapshots: built by the venue, rebuilt by the account, refused where anything differs."""

import dataclasses

import pytest

from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose, Snapshot
from marginproof.model.prices import PointValue
from marginproof.model.reasons import ReasonCode
from marginproof.risk.policy import load_policy
from marginproof.risk.recognition import Recognition, recognition_of
from marginproof.risk.rows import compile_policy
from marginproof.risk.snapshot import SnapshotRows, build_snapshot, compile_snapshot, snapshot_market
from tests.risk import world

FRIENDS = (b"\x0a" * 20, b"\xff" * 20)
"""Venues that the policy lets count in full."""
LISTED = "".join(f', "0x{friend.hex()}"' for friend in FRIENDS).removeprefix(", ")
POLICY = load_policy(f"{world.POLICY}recognition: {{full: [{LISTED}]}}\n".encode())
UNIVERSE = world.universe()


def build(**changes: object) -> Snapshot:
    arguments = {
        "network_id": b"n" * 32,
        "venue": b"v" * 20,
        "price_slot": 7,
        "values": {**world.market().values, "price:UNUSED": 5},
        "created_at": world.NOW,
        "expires_at": world.NOW + 60,
        **changes,
    }
    return build_snapshot(POLICY, UNIVERSE, **arguments)  # type: ignore[arg-type]  # test data


def test_states_everything_that_the_rows_depend_on() -> None:
    snapshot = build()
    assert (snapshot.network, snapshot.venue, snapshot.price_slot) == (b"n" * 32, b"v" * 20, 7)
    assert (snapshot.created_at, snapshot.expires_at) == (world.NOW, world.NOW + 60)
    assert snapshot.policy_digest == POLICY.digest
    assert snapshot.universe_digest == UNIVERSE.root()
    assert [value.point for value in snapshot.values] == ["price:ETH", "price:USDC", "volatility:ETH"]
    assert Snapshot.decode(snapshot.encode()) == snapshot


@pytest.mark.parametrize("purpose", Purpose)
def test_rebuilds_the_same_rows(purpose: Purpose) -> None:
    snapshot = build()
    rebuilt = compile_snapshot(POLICY, UNIVERSE, snapshot, purpose)
    assert rebuilt.statement.digest == compile_policy(POLICY, UNIVERSE, world.market(), purpose).statement.digest
    stated = {Purpose.INITIAL: snapshot.initial_statement, Purpose.MAINTENANCE: snapshot.maintenance_statement}
    assert rebuilt.statement.digest == stated[purpose]
    assert rebuilt.labels[0] == "no move"


@pytest.mark.parametrize("agreed", [FRIENDS[:1], FRIENDS, FRIENDS[::-1], FRIENDS * 2], ids=len)
def test_names_the_venues_that_count_in_full(agreed: tuple[bytes, ...]) -> None:
    """Rising by address and without changing the stated rows, which are those without other venues."""
    snapshot = build(full_recognition=agreed)
    assert snapshot.full_recognition == tuple(sorted(set(agreed)))
    assert snapshot.initial_statement == build().initial_statement
    for venue in (*FRIENDS, b"o" * 20):
        assert (recognition_of(snapshot, venue) is Recognition.FULL) == (venue in agreed)
    assert recognition_of(snapshot, b"o" * 20) is Recognition.LOSSES_ONLY


def test_builds_none_that_counts_an_unlisted_venue_in_full() -> None:
    with pytest.raises(MarginproofError) as caught:
        build(full_recognition=(FRIENDS[0], b"o" * 20))
    assert caught.value.code == ReasonCode.POLICY_INVALID


@pytest.mark.parametrize("purpose", Purpose)
def test_statements_for_other_venues_are_those_of_the_policy(purpose: Purpose) -> None:
    others = (Recognition.LOSSES_ONLY, Recognition.FULL)
    expected = compile_policy(POLICY, UNIVERSE, world.market(), purpose, others)
    found = compile_snapshot(POLICY, UNIVERSE, build(), purpose, others)
    assert found == dataclasses.replace(expected, statement=found.statement)
    assert found.statement.digest == expected.statement.digest


def test_rows_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = SnapshotRows(POLICY, UNIVERSE, build())
    first = [rows.compile(purpose, [Recognition.FULL] * count) for purpose in Purpose for count in (0, 2)]
    monkeypatch.setattr("marginproof.risk.snapshot.unit_values", None)
    monkeypatch.setattr("marginproof.risk.snapshot.policy_rows", None)
    again = [rows.compile(purpose, (Recognition.FULL,) * count) for purpose in Purpose for count in (0, 2)]
    assert all(one is other for one, other in zip(first, again, strict=True))
    third = rows.compile(Purpose.INITIAL, [Recognition.LOSSES_ONLY])
    assert third.statement.inputs == 3


def test_a_line_is_checked_in_the_rows_of_both_purposes() -> None:
    rows = SnapshotRows(POLICY, UNIVERSE, build())
    initial, maintenance = (rows.compile(purpose).book_rows for purpose in (Purpose.INITIAL, Purpose.MAINTENANCE))
    assert rows.line_rows() == initial + maintenance
    assert initial != maintenance


def test_the_market_is_that_of_its_creation() -> None:
    market = snapshot_market(build())
    assert market.time == world.NOW
    assert market.values == world.market().values


VALUES = build().values


@pytest.mark.parametrize("values", [(VALUES[1], VALUES[0]), (VALUES[0], VALUES[0])])
def test_points_out_of_order_are_no_market(values: tuple[PointValue, ...]) -> None:
    with pytest.raises(MarginproofError) as caught:
        snapshot_market(dataclasses.replace(build(), values=values))
    assert caught.value.code == ReasonCode.MALFORMED


USDC_AT_TWO = PointValue("price:USDC", 2 * 10**8)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policy_digest": bytes(32)}, ReasonCode.POLICY_NOT_ANNOUNCED),
        ({"universe_digest": bytes(32)}, ReasonCode.UNIVERSE_MISMATCH),
        ({"maintenance_statement": bytes(32)}, ReasonCode.STATEMENT_MISMATCH),
        ({"created_at": world.NOW + 1}, ReasonCode.STATEMENT_MISMATCH),
        ({"values": (VALUES[0], USDC_AT_TWO, VALUES[2])}, ReasonCode.STATEMENT_MISMATCH),
        ({"values": VALUES[:2]}, ReasonCode.MALFORMED),
        ({"full_recognition": (b"o" * 20,)}, ReasonCode.STATEMENT_MISMATCH),
        ({"full_recognition": (FRIENDS[0], b"o" * 20)}, ReasonCode.STATEMENT_MISMATCH),
        ({"full_recognition": FRIENDS[::-1]}, ReasonCode.MALFORMED),
        ({"full_recognition": FRIENDS[:1] * 2}, ReasonCode.MALFORMED),
        ({"values": (*VALUES, PointValue("zzz", 1))}, ReasonCode.MALFORMED),
        ({"values": (VALUES[1], VALUES[0], VALUES[2])}, ReasonCode.MALFORMED),
        ({"values": (VALUES[0], VALUES[0], VALUES[1], VALUES[2])}, ReasonCode.MALFORMED),
    ],
)
def test_a_snapshot_that_is_not_this_policy_at_these_prices_is_refused(
    changes: dict[str, object], code: ReasonCode
) -> None:
    snapshot = dataclasses.replace(build(), **changes)  # type: ignore[arg-type]  # test data
    for others in ((), (Recognition.LOSSES_ONLY,)):
        with pytest.raises(MarginproofError) as caught:
            compile_snapshot(POLICY, UNIVERSE, snapshot, Purpose.MAINTENANCE, others)
        assert caught.value.code == code


def test_each_purpose_is_compared_with_its_own_digest() -> None:
    snapshot = dataclasses.replace(build(), initial_statement=bytes(32))
    compile_snapshot(POLICY, UNIVERSE, snapshot, Purpose.MAINTENANCE)
    with pytest.raises(MarginproofError):
        compile_snapshot(POLICY, UNIVERSE, snapshot, Purpose.INITIAL)


def test_a_policy_that_differs_by_one_remark_is_another_policy() -> None:
    other = load_policy(POLICY.source + b"#\n")
    with pytest.raises(MarginproofError) as caught:
        compile_snapshot(other, UNIVERSE, build(), Purpose.INITIAL)
    assert caught.value.code == ReasonCode.POLICY_NOT_ANNOUNCED


@pytest.mark.parametrize(
    ("created_at", "expires_at"), [(world.NOW, world.NOW), (world.NOW, world.NOW - 1), (-1, world.NOW)]
)
def test_a_snapshot_lives_for_some_time(created_at: int, expires_at: int) -> None:
    with pytest.raises(MarginproofError) as caught:
        build(created_at=created_at, expires_at=expires_at)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE


def test_a_missing_price_builds_none() -> None:
    with pytest.raises(MarginproofError) as caught:
        build(values={"price:ETH": 1})
    assert caught.value.code == ReasonCode.PRICE_UNAVAILABLE
