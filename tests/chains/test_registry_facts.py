"""What the registry's words mean, and words that its code never writes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.chains.evm.contracts import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.verify import (
    AccountHead,
    Authorisation,
    account_slots,
    agreement_holds,
    agreement_slot,
    authorisation_slot,
    decode_authorisation,
    decode_head,
    decode_pledge,
    pledge_slots,
    registry_record,
)
from marginproof.chains.evm.verify.layout import address_word, map_slot, next_slot
from marginproof.chains.evm.verify.registry import ACCOUNTS_SLOT, AGREED_UNTIL_SLOT, AUTHORISATIONS_SLOT, NO_END
from marginproof.model.errors import MarginproofError
from marginproof.model.pledges import MAX_PLEDGES, RegistryRecord, StandingPledge
from marginproof.model.reasons import ReasonCode

NOW = 1_700_000_000
ACCOUNT, KEY, VENUE, OTHER = b"\xac" * 32, b"\x4b" * 20, b"\x0e" * 20, b"\x0f" * 20
DIGEST = 1 << 255 | 7
HEAD, LAST = int.from_bytes(b"\xa1" * 32, "big"), int.from_bytes(b"\xa2" * 16, "big")
words = st.one_of(
    st.integers(0, 2**256 - 1), st.integers(0, 2**70), st.sampled_from([0, 1, 2**160, 2**224, 2**256 - 1])
)


def number(address: bytes) -> int:
    return int.from_bytes(address, "big")


def control(key: bytes = KEY, key_number: int = 1, count: int = 0) -> int:
    return number(key) | key_number << 160 | count << 224


def pledge(
    venue: int = number(VENUE), head: int = HEAD, last: int = LAST, version: int = 3, revoked: int = 0
) -> list[int]:
    return [head, last << 128 | version << 64 | revoked, venue]


def authorisation(count: int, revoked_at: int = 0, position: int = 0) -> int:
    return count | revoked_at << 64 | position << 128


def broken(call: Any, *arguments: Any) -> bool:
    with pytest.raises(MarginproofError) as caught:
        call(*arguments)
    return caught.value.code is ReasonCode.REGISTRY_INVARIANT


def test_slots_are_the_compilers() -> None:
    storage = load_artifact(PLEDGE_REGISTRY).storage
    assert storage["accounts"] == number(ACCOUNTS_SLOT)
    assert storage["authorisations"] == number(AUTHORISATIONS_SLOT)
    assert storage["agreed_until"] == number(AGREED_UNTIL_SLOT)


def test_where_an_account_lies() -> None:
    first = map_slot(ACCOUNTS_SLOT, ACCOUNT)
    assert account_slots(ACCOUNT) == (first, next_slot(first, 1))
    assert pledge_slots(ACCOUNT, 0) == []
    assert pledge_slots(ACCOUNT, 2) == [next_slot(first, offset) for offset in range(2, 8)]
    assert len(set(pledge_slots(ACCOUNT, MAX_PLEDGES))) == 48
    assert authorisation_slot(ACCOUNT, VENUE) == map_slot(map_slot(AUTHORISATIONS_SLOT, ACCOUNT), address_word(VENUE))
    assert agreement_slot(VENUE, OTHER) != agreement_slot(OTHER, VENUE)


def test_an_account_that_was_never_seen() -> None:
    head = decode_head(0, 0)
    assert head == AccountHead(bytes(32), bytes(20), 0, 0)
    assert registry_record(ACCOUNT, head, [], NOW) == RegistryRecord(ACCOUNT, bytes(32), bytes(20), 0, ())


def test_a_head_in_full() -> None:
    top = 2**64 - 1
    assert decode_head(DIGEST, control(b"\xff" * 20, top, 16)) == AccountHead(
        DIGEST.to_bytes(32, "big"), b"\xff" * 20, top, 16
    )


@pytest.mark.parametrize(
    ("digest", "word"),
    [
        (DIGEST, control(count=17)),
        (DIGEST, control(count=2**32 - 1)),
        (DIGEST, control(key=bytes(20), key_number=1)),
        (DIGEST, control(key=KEY, key_number=0)),
        (0, control(count=1)),
    ],
)
def test_impossible_heads(digest: int, word: int) -> None:
    assert broken(decode_head, digest, word)


def test_a_pledge_in_full() -> None:
    top = 2**64 - 1
    commitment = b"\xa1" * 32 + b"\xa2" * 16
    assert decode_pledge(pledge(), NOW) == StandingPledge(VENUE, commitment, 3, 0)
    assert decode_pledge(pledge(version=top, revoked=NOW), NOW) == StandingPledge(VENUE, commitment, top, NOW)
    assert decode_pledge(pledge(head=0), NOW).commitment == bytes(32) + b"\xa2" * 16
    assert decode_pledge(pledge(last=0), NOW).commitment == b"\xa1" * 32 + bytes(16)


@pytest.mark.parametrize(
    "three",
    [
        pledge(venue=0),
        pledge(venue=1 << 160),
        pledge(venue=number(VENUE) | 1 << 255),
        pledge(head=0, last=0),
        pledge(revoked=NOW + 1),
        [0, 0, 0],
    ],
)
def test_impossible_pledges(three: list[int]) -> None:
    assert broken(decode_pledge, three, NOW)


def test_a_record_is_sorted_and_takes_no_more_than_its_count() -> None:
    head = decode_head(DIGEST, control(count=2))
    record = registry_record(ACCOUNT, head, [*pledge(number(OTHER)), *pledge(), *pledge(0)], NOW)
    assert [one.venue for one in record.pledges] == [VENUE, OTHER]
    assert (record.account, record.digest, record.key, record.key_number) == (ACCOUNT, head.digest, KEY, 1)


def test_a_venue_has_one_pledge() -> None:
    head = decode_head(DIGEST, control(count=2))
    assert broken(registry_record, ACCOUNT, head, [*pledge(), *pledge(version=4)], NOW)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0, Authorisation(0, False, 0)),
        (authorisation(1), Authorisation(1, True, 0)),
        (authorisation(1, position=16), Authorisation(1, True, 0)),
        (authorisation(2), Authorisation(2, False, 0)),
        (authorisation(2, NOW, 1), Authorisation(2, False, NOW)),
        (authorisation(2**64 - 1), Authorisation(2**64 - 1, True, 0)),
    ],
)
def test_authorisations(word: int, expected: Authorisation) -> None:
    assert decode_authorisation(word, NOW) == expected


@pytest.mark.parametrize(
    "word",
    [
        authorisation(1, position=17),
        authorisation(1) | 1 << 255,
        authorisation(2, NOW + 1, 1),
        authorisation(1, NOW, 1),
        authorisation(1, NOW),
        authorisation(2, NOW),
        authorisation(2, 0, 1),
        authorisation(0, NOW, 1),
    ],
)
def test_impossible_authorisations(word: int) -> None:
    assert broken(decode_authorisation, word, NOW)


@pytest.mark.parametrize(
    ("one", "two", "holds"),
    [
        (0, 0, False),
        (NO_END, 0, False),
        (0, NO_END, False),
        (NO_END, NO_END, True),
        (NO_END, NOW + 1, True),
        (NOW + 1, NO_END, True),
        (NO_END, NOW, False),
        (NOW, NO_END, False),
        (NOW + 1, NOW + 2, True),
    ],
)
def test_agreements(one: int, two: int, holds: bool) -> None:
    assert agreement_holds(one, two, NOW) is holds


@pytest.mark.parametrize("sides", [(NO_END + 1, NO_END), (NO_END, 1 << 255), (NO_END + 1, 0)])
def test_impossible_agreements(sides: tuple[int, int]) -> None:
    assert broken(agreement_holds, *sides, NOW)


@given(st.lists(words, min_size=5, max_size=5))
def test_any_words_give_a_value_or_the_one_reason(found: list[int]) -> None:
    for call, arguments in (
        (decode_head, found[:2]),
        (decode_pledge, (found[2:], NOW)),
        (decode_authorisation, (found[0], NOW)),
        (agreement_holds, (*found[:2], NOW)),
    ):
        try:
            call(*arguments)
        except MarginproofError as error:
            assert error.code is ReasonCode.REGISTRY_INVARIANT
