"""What an account checks of a proposed pledge: one thing wrong at a time; and which openings it keeps."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.pledges import PledgeOpening, RegistryRecord, StandingPledge, VectorValue
from marginproof.model.reasons import ReasonCode
from marginproof.prover.pledges import (
    MAX_CONSENTS,
    CheckedProposal,
    check_book,
    check_opening,
    check_proposal,
    kept_pledges,
    opening_of,
    satisfies,
    with_pledge,
)
from marginproof.prover.state import AccountState, PledgeRecord
from tests.prover.world import CASH, LOT, OTHER_VENUE, PERP, VENUE, book, network_file, pledge, values_of

NETWORK = network_file()
ACCOUNT = b"\x0c" * 32
BOOK = book(NETWORK, ACCOUNT, {CASH: 5 * LOT, PERP: -LOT}, sequence=7)
LINE = 3 * LOT
GOOD = pledge(NETWORK, BOOK, LINE)


def code_of(check: Callable[..., object], *arguments: object, **options: object) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        check(*arguments, **options)
    return caught.value.code


def check(opening: PledgeOpening = GOOD, *, of: object = BOOK, max_line: int = LINE) -> CheckedProposal:
    return check_proposal(opening, of, NETWORK, VENUE, ACCOUNT, max_line=max_line)  # type: ignore[arg-type] # tried below


def test_an_honest_proposal_passes() -> None:
    checked = check()
    assert (checked.venue, checked.commitment, checked.purpose) == (VENUE, GOOD.commitment, Purpose.INITIAL)
    assert checked.line_usd == Fraction(3)
    assert check(pledge(NETWORK, BOOK), max_line=0).purpose is Purpose.MAINTENANCE
    assert check(pledge(NETWORK, BOOK, purpose=int(Purpose.INITIAL)), max_line=0).line_usd == 0


def test_a_proposal_shows_no_amount() -> None:
    shown = repr(check())
    assert str(LINE) not in shown
    assert str(5 * LOT) not in shown
    assert "Fraction" not in shown
    assert GOOD.blinding.hex() not in shown


def changed(**changes: object) -> PledgeOpening:
    return dataclasses.replace(GOOD, **changes)  # type: ignore[arg-type] # fields of many types


def other_vector(vector: dict[int, int]) -> PledgeOpening:
    """A pledge that opens well, but is not the book with its cash lowered."""
    return dataclasses.replace(
        pledge(NETWORK, dataclasses.replace(BOOK, values=values_of(vector))), line=LINE, purpose=1
    )


@pytest.mark.parametrize(
    ("opening", "code"),
    [
        (changed(venue=OTHER_VENUE), ReasonCode.WRONG_VENUE),
        (changed(account=b"\x0d" * 32), ReasonCode.LEAF_ACCOUNT_MISMATCH),
        (changed(universe_digest=b"\x01" * 32), ReasonCode.UNIVERSE_MISMATCH),
        (changed(universe_version=2), ReasonCode.UNIVERSE_INCOMPATIBLE),
        (changed(book_sequence=6), ReasonCode.PLEDGE_OPENING),
        (changed(book_sequence=8), ReasonCode.PLEDGE_OPENING),
        (changed(line=LINE - 1), ReasonCode.PLEDGE_OPENING),
        (changed(blinding=bytes(31) + b"\x01"), ReasonCode.PLEDGE_OPENING),
        (changed(blinding=b"\xff" * 32), ReasonCode.PLEDGE_OPENING),
        (changed(commitment=pledge(NETWORK, BOOK, LINE, 2).commitment), ReasonCode.PLEDGE_OPENING),
        (changed(values=tuple(reversed(GOOD.values))), ReasonCode.PLEDGE_OPENING),
        (changed(values=(GOOD.values[0], *GOOD.values)), ReasonCode.PLEDGE_OPENING),
        (changed(values=(*GOOD.values, VectorValue(256, 1))), ReasonCode.PLEDGE_OPENING),
        (other_vector({CASH: 2 * LOT, PERP: -2 * LOT}), ReasonCode.PLEDGE_OPENING),
        (other_vector({CASH: 2 * LOT - 1, PERP: -LOT}), ReasonCode.PLEDGE_OPENING),
        (other_vector({CASH: 2 * LOT}), ReasonCode.PLEDGE_OPENING),
        (changed(purpose=int(Purpose.MAINTENANCE)), ReasonCode.PURPOSE_INSUFFICIENT),
        (changed(purpose=0), ReasonCode.PURPOSE_INSUFFICIENT),
        (changed(purpose=3), ReasonCode.PURPOSE_INSUFFICIENT),
        (pledge(NETWORK, BOOK, purpose=0), ReasonCode.PURPOSE_INSUFFICIENT),
        (pledge(NETWORK, BOOK, purpose=3), ReasonCode.PURPOSE_INSUFFICIENT),
    ],
)
def test_each_wrong_proposal_is_refused(opening: PledgeOpening, code: ReasonCode) -> None:
    assert code_of(check, opening) is code


def test_a_line_is_limited_to_the_lot() -> None:
    check(max_line=LINE)
    assert code_of(check, max_line=LINE - 1) is ReasonCode.LINE_LIMIT
    assert code_of(check, max_line=0) is ReasonCode.LINE_LIMIT


def test_a_line_that_no_book_can_carry_is_refused() -> None:
    assert code_of(check, changed(line=1 << 63)) is ReasonCode.PLEDGE_OPENING


def test_an_opening_of_an_older_universe_still_opens() -> None:
    check_opening(changed(universe_digest=b"\x01" * 32, universe_version=0), NETWORK, VENUE, ACCOUNT)


def test_each_wrong_book_is_refused() -> None:
    check_book(BOOK, NETWORK, VENUE, ACCOUNT)
    bound = NETWORK.universe.entries[CASH].max_lots
    check_book(dataclasses.replace(BOOK, values=values_of({CASH: -bound})), NETWORK, VENUE, ACCOUNT)
    wrong: dict[ReasonCode, list[dict[str, Any]]] = {
        ReasonCode.WRONG_VENUE: [{"venue": OTHER_VENUE}],
        ReasonCode.LEAF_ACCOUNT_MISMATCH: [{"account": b"\x0d" * 32}],
        ReasonCode.UNIVERSE_MISMATCH: [{"universe_digest": b"\x01" * 32}],
        ReasonCode.OUT_OF_RANGE: [
            {"values": values}
            for values in (
                values_of({CASH: bound + 1}),
                values_of({CASH: -bound - 1}),
                values_of({200: 1}),
                (VectorValue(CASH, 0),),
                tuple(reversed(BOOK.values)),
                (BOOK.values[0], *BOOK.values),
            )
        ],
    }
    for code, all_changes in wrong.items():
        for changes in all_changes:
            assert code_of(check_book, dataclasses.replace(BOOK, **changes), NETWORK, VENUE, ACCOUNT) is code


@pytest.mark.parametrize(
    ("proven", "wanted", "enough"),
    [
        (Purpose.INITIAL, Purpose.INITIAL, True),
        (Purpose.INITIAL, Purpose.MAINTENANCE, True),
        (Purpose.MAINTENANCE, Purpose.MAINTENANCE, True),
        (Purpose.MAINTENANCE, Purpose.INITIAL, False),
    ],
)
def test_the_initial_level_serves_for_both(proven: Purpose, wanted: Purpose, enough: bool) -> None:
    assert satisfies(proven, wanted) is enough


D, LATER = b"\x01" * 32, b"\x02" * 32


def kept(pledge_record: PledgeRecord, digest: bytes, block: int, *standing: bytes, venue: bytes = VENUE) -> bool:
    pledges = tuple(StandingPledge(venue, commitment, 1, 0) for commitment in standing)
    return bool(kept_pledges((pledge_record,), RegistryRecord(ACCOUNT, digest, bytes(20), 0, pledges), block))


def test_an_opening_is_kept_while_its_pledge_may_stand() -> None:
    own = PledgeRecord(VENUE, b"\x0a" * 48, D, 10, b"")
    assert kept(own, D, 10)  # consent is alive
    assert kept(own, LATER, 20, own.commitment)  # it stands
    assert kept(own, LATER, 9)  # the view is older than the consent
    assert not kept(own, LATER, 10)
    assert not kept(own, LATER, 20, b"\x0b" * 48)
    assert not kept(own, LATER, 20, own.commitment, venue=OTHER_VENUE)
    found = PledgeRecord(VENUE, b"\x0a" * 48, b"", 10, b"")
    assert kept(found, D, 10, found.commitment)
    assert not kept(found, D, 10)


def test_openings_are_found_by_venue_and_commitment() -> None:
    record = PledgeRecord(VENUE, GOOD.commitment, D, 10, GOOD.encode())
    state = with_pledge(AccountState(NETWORK.network_id, 0, (VENUE,)), record)
    assert opening_of(state, VENUE, GOOD.commitment) == GOOD
    assert opening_of(state, OTHER_VENUE, GOOD.commitment) is None
    assert opening_of(state, VENUE, b"\x0b" * 48) is None


def test_a_venue_has_consent_to_few_pledges_at_one_time() -> None:
    state = AccountState(NETWORK.network_id, 0, (VENUE,))
    for number in range(MAX_CONSENTS):
        state = with_pledge(state, PledgeRecord(VENUE, bytes([number]) * 48, D, 10, b""))
    assert with_pledge(state, state.pledges[0]) is state
    one_more = PledgeRecord(VENUE, b"\xff" * 48, D, 10, b"")
    assert code_of(with_pledge, state, one_more) is ReasonCode.PLEDGE_PENDING
    for free in (
        dataclasses.replace(one_more, venue=OTHER_VENUE),
        dataclasses.replace(one_more, previous=LATER),
        dataclasses.replace(one_more, previous=b""),
    ):
        assert len(with_pledge(state, free).pledges) == MAX_CONSENTS + 1
