"""What a universe may become: each rule at both sides, and a property over chains of versions."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.errors import RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.succession import changes, check_successor
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe

FEED = Feed("eip155:1", b"\x0a" * 20)
POINTS = (
    PricePoint("other", PointKind.PRICE, (FEED,), 1, 60, 100),
    PricePoint("p", PointKind.PRICE, (FEED,), 1, 60, 100),
    PricePoint("v", PointKind.VOLATILITY, (FEED,), 1, 60, 100),
    PricePoint("w", PointKind.VOLATILITY, (FEED,), 1, 60, 100),
)
ETH = Entry(0, "eth", EntryKind.COLLATERAL, 6, 10**12, "p", "eip155:1", bytes(20), 18, 0, 0, "")
CASH = Entry(1, "usd", EntryKind.CASH, 6, 10**12, "", "", bytes(20), 0, 0, 0, "")
PUT = Entry(5, "put", EntryKind.PUT, 4, 10**9, "p", "", bytes(20), 0, 10**8, 1_800_000_000, "v")
OLD = Universe(7, 3, 256, POINTS, (ETH, CASH, PUT)).checked()
NEXT = dataclasses.replace(OLD, version=8)


def with_entries(*entries: Entry, **changes: Any) -> Universe:
    return dataclasses.replace(NEXT, entries=entries, **changes).checked()


def refusal(new: Universe, old: Universe = OLD) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        check_successor(old, new)
    assert caught.value.code is ReasonCode.UNIVERSE_INCOMPATIBLE
    assert caught.value.fix
    return caught.value


def test_the_next_version_may_leave_everything_as_it_is() -> None:
    assert check_successor(OLD, NEXT) is False
    assert changes(OLD, NEXT) == ()


@pytest.mark.parametrize("version", [0, 6, 7, 9])
def test_versions_rise_by_one(version: int) -> None:
    new = dataclasses.replace(OLD, version=version, compatible_since=min(3, version))
    assert "version" in refusal(new).message


def test_the_vector_length_never_changes() -> None:
    assert "length" in refusal(dataclasses.replace(NEXT, n=512)).message


@pytest.mark.parametrize("compatible_since", [2, 9])
def test_compatible_since_neither_falls_nor_passes_the_version(compatible_since: int) -> None:
    assert "compatible_since" in refusal(dataclasses.replace(NEXT, compatible_since=compatible_since)).message


@pytest.mark.parametrize("compatible_since", [4, 8])
def test_a_higher_compatible_since_needs_an_announcement_even_without_a_reason(compatible_since: int) -> None:
    assert check_successor(OLD, dataclasses.replace(NEXT, compatible_since=compatible_since)) is True


@pytest.mark.parametrize(
    ("entry", "field", "value"),
    [
        (ETH, "id", "ether"),
        (ETH, "kind", EntryKind.PERPETUAL),
        (ETH, "lot_exponent", 7),
        (ETH, "max_lots", 10**12 - 1),
        (ETH, "price_point", "other"),
        (ETH, "chain", "eip155:2"),
        (ETH, "token", b"\x01" * 20),
        (ETH, "decimals", 6),
        (PUT, "strike", 10**8 + 1),
        (PUT, "expiry", 1_800_000_001),
        (PUT, "volatility_point", "w"),
        (PUT, "index", 6),
    ],
)
def test_no_field_of_an_entry_in_use_changes(entry: Entry, field: str, value: Any) -> None:
    changed = dataclasses.replace(entry, **{field: value})
    entries = tuple(changed if one is entry else one for one in OLD.entries)
    error = refusal(with_entries(*entries))
    assert error.fields["index"] == entry.index
    # Only a version older than the new one may be in the way: exactly the new version is asked for.
    refusal(with_entries(*entries, compatible_since=7))
    assert check_successor(OLD, with_entries(*entries, compatible_since=8)) is True


def test_every_field_of_an_entry_was_tried() -> None:
    fields = {field.name for field in dataclasses.fields(Entry)}
    rows = test_no_field_of_an_entry_in_use_changes.pytestmark[0].args[1]
    assert {field for _, field, _ in rows} == fields


def test_more_lots_are_allowed_alone() -> None:
    more = dataclasses.replace(ETH, max_lots=10**12 + 1)
    assert check_successor(OLD, with_entries(more, CASH, PUT)) is False
    refusal(with_entries(dataclasses.replace(more, decimals=8), CASH, PUT))


def test_free_slots_take_entries_and_used_ones_are_not_left() -> None:
    added = dataclasses.replace(CASH, index=3, id="eur")
    assert check_successor(OLD, with_entries(ETH, CASH, added, PUT)) is False
    assert "retired" in refusal(with_entries(ETH, CASH)).message
    assert check_successor(OLD, with_entries(ETH, CASH, compatible_since=8)) is True


def test_a_price_point_keeps_its_kind_and_may_change_its_rule() -> None:
    rule = dataclasses.replace(POINTS[0], max_age_seconds=90, feeds=(Feed("eip155:1", b"\x0b" * 20),))
    assert check_successor(OLD, dataclasses.replace(NEXT, points=(rule, *POINTS[1:]))) is False
    kind = dataclasses.replace(POINTS[0], kind=PointKind.VOLATILITY)
    assert "kind" in refusal(dataclasses.replace(NEXT, points=(kind, *POINTS[1:]))).message


def test_changes_name_what_differs() -> None:
    more = dataclasses.replace(ETH, max_lots=10**13)
    added = dataclasses.replace(CASH, index=3, id="eur")
    found = changes(OLD, with_entries(more, CASH, added, compatible_since=8))
    assert [(change.index, change.fields, change.breaking) for change in found] == [
        (0, ("max_lots",), False),
        (3, (), False),
        (5, (), True),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([None, "a", "b"]), min_size=4, max_size=4), min_size=2, max_size=6))
def test_a_slot_means_one_thing_in_all_versions_that_count(history: list[list[str | None]]) -> None:
    """Whatever the history: an index holds at most one entry over all versions from ``compatible_since`` on."""
    versions = [_version(1, 1, history[0])]
    for slots in history[1:]:
        before = versions[-1]
        new = _version(before.version + 1, before.compatible_since, slots)
        try:
            check_successor(before, new)
        except RefusedError:
            new = dataclasses.replace(new, compatible_since=new.version)
            assert check_successor(before, new) is True
        versions.append(new)
    counting = [version for version in versions if version.version >= versions[-1].compatible_since]
    for index in range(4):
        meanings = {entry.id for version in counting for entry in version.entries if entry.index == index}
        assert len(meanings) <= 1
        if meanings:  # and what a counting pledge can hold is still weighed
            assert index in {entry.index for entry in versions[-1].entries}


def _version(version: int, compatible_since: int, slots: list[str | None]) -> Universe:
    entries = tuple(
        dataclasses.replace(CASH, index=index, id=f"{slot}{index}") for index, slot in enumerate(slots) if slot
    )
    return Universe(version, compatible_since, 256, (), entries).checked()
