"""Orders and fills: exact arithmetic, bounds, idempotency, batches, and who may send them or see the book."""

import dataclasses
from fractions import Fraction

import grpc
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.attestation.typed_signing import sign_typed
from marginproof.client.venue import AccountCredential
from marginproof.client.venue_book import MAX_FILLS, FillResult, OrderFill, VenueBookClient
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError, MarginproofError, NotFoundError, RefusedError, UnauthorisedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import request_message, venue_method
from marginproof.model.universe import Universe
from marginproof.risk.line import cash_entry
from marginproof.verifier.api import MAX_BOOK_MESSAGE_BYTES
from marginproof.verifier.book import (
    Fill,
    Floor,
    Order,
    cash_change_floor,
    check_fill_id,
    decode_values,
    encode_values,
)
from tests.verifier.rig import Rig, credential
from tests.verifier.world import (
    ACCOUNT,
    BOOK,
    CALL,
    CASH,
    FILE,
    IDENTITY,
    LINE,
    LOT,
    NETWORK_ID,
    NOW,
    OTHER_VENUE,
    PERP,
    VENUE,
)

UNIVERSE = FILE.universe
FLOOR = Floor(UNIVERSE)
PRICE = 2_000 * 10**8


def order(instrument: str = "ETH-PERP", lots: int = LOT, price_e8: int = PRICE) -> Order:
    return Order(ACCOUNT, instrument, lots, price_e8)


def filled(values: dict[int, int], wanted: Order, now: int = NOW) -> dict[int, int]:
    entry = FLOOR.instrument(wanted, now)
    return FLOOR.apply(values, FLOOR.change(entry, wanted))


def test_a_purchase_moves_position_and_cash() -> None:
    assert filled({CASH: 50}, order()) == {CASH: 50 - 2_000 * LOT, PERP: LOT}


def test_selling_everything_leaves_no_entry() -> None:
    assert filled({CASH: -2_000 * LOT, PERP: LOT}, order(lots=-LOT)) == {}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    lots=st.integers(min_value=-(10**12), max_value=10**12).filter(bool),
    price_e8=st.integers(min_value=1, max_value=10**13),
    exponent=st.integers(min_value=0, max_value=12),
    cash_exponent=st.integers(min_value=0, max_value=12),
)
def test_cash_is_rounded_against_the_account(lots: int, price_e8: int, exponent: int, cash_exponent: int) -> None:
    entry = dataclasses.replace(UNIVERSE.entry("ETH-PERP"), lot_exponent=exponent)
    cash = dataclasses.replace(cash_entry(UNIVERSE), lot_exponent=cash_exponent)
    exact = -Fraction(lots, 10**exponent) * Fraction(price_e8, 10**8) * 10**cash_exponent
    assert 0 <= exact - cash_change_floor(entry, cash, lots, price_e8) < 1


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (order("ETH-FUTURE"), NotFoundError),
        (order("USD"), MalformedError),
        (order(UNIVERSE.entries[0].id), MalformedError),
        (order(lots=0), MalformedError),
        (order(price_e8=0), MalformedError),
        (order(lots=10**13 + 1, price_e8=1), RefusedError),
        (order(lots=10**13, price_e8=PRICE), RefusedError),
    ],
    ids=["unknown", "cash", "collateral", "no lots", "no price", "position too large", "cash too large"],
)
def test_a_bad_order_changes_nothing(bad: Order, kind: type[MarginproofError]) -> None:
    before = {CASH: 1}
    with pytest.raises(kind):
        filled(before, bad)
    assert before == {CASH: 1}


@pytest.mark.parametrize("fill_id", ["", "f" * 65, "é" * 33])
def test_a_fill_has_an_id_of_1_to_64_bytes(fill_id: str) -> None:
    check_fill_id("é" * 32)
    with pytest.raises(MalformedError) as caught:
        check_fill_id(fill_id)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE


def test_bounds_hold_to_the_lot() -> None:
    assert filled({}, order(lots=10**13, price_e8=1))[PERP] == 10**13
    with pytest.raises(RefusedError) as caught:
        filled({PERP: 1}, order(lots=10**13, price_e8=1))
    assert caught.value.code == ReasonCode.OUT_OF_RANGE
    assert caught.value.fields == {"entry": "ETH-PERP"}


def test_an_option_trades_until_its_expiry() -> None:
    expiry = UNIVERSE.entry("ETH-C-2500").expiry
    assert filled({}, order("ETH-C-2500"), expiry - 1)[CALL] == LOT
    with pytest.raises(MalformedError):
        filled({}, order("ETH-C-2500"), expiry)


def test_entries_are_found_by_index_and_not_by_place() -> None:
    """A universe may leave indices out; the slots of old instruments stay empty."""
    entries = tuple(entry for entry in UNIVERSE.entries if entry.index != 0)
    floor = Floor(Universe(1, 1, 256, UNIVERSE.points, entries))
    wanted = order(lots=10**13, price_e8=1)
    assert floor.apply({}, floor.change(floor.instrument(wanted, NOW), wanted))[PERP] == 10**13


def test_what_is_stored_is_read_again() -> None:
    assert decode_values(encode_values(BOOK)) == BOOK
    fill = Fill("é", order(lots=-(2**63) + 1, price_e8=2**64 - 1))
    assert Fill.decode("é", fill.encode()) == fill


def test_a_universe_needs_exactly_one_cash_entry() -> None:
    entries = tuple(entry for entry in UNIVERSE.entries if entry.index != CASH)
    with pytest.raises(MalformedError) as caught:
        Floor(Universe(1, 1, 256, UNIVERSE.points, entries))
    assert caught.value.code == ReasonCode.CONFIG_INVALID


def test_no_repr_shows_what_is_traded() -> None:
    assert "2000" not in repr(order())
    assert "2000" not in repr(Fill("f", order()))


async def book_vector(rig: Rig) -> dict[int, int]:
    return (await rig.venue.get_book(credential("GetBook"))).vector()


async def test_a_fill_is_booked_once(rig: Rig) -> None:
    await rig.open_with_line()
    assert await rig.book.record_fill(OrderFill("one", ACCOUNT, "ETH-PERP", LOT // 10, PRICE)) == 1
    assert await rig.book.record_fill(OrderFill("one", ACCOUNT, "ETH-PERP", LOT // 10, PRICE)) == 1
    with pytest.raises(MarginproofError) as conflict:
        await rig.book.record_fill(OrderFill("one", ACCOUNT, "ETH-PERP", LOT // 10, PRICE + 1))
    assert conflict.value.code == ReasonCode.CONFLICT
    assert await rig.book.record_fill(OrderFill("two", ACCOUNT, "ETH-PERP", LOT // 10, PRICE)) == 2
    assert await rig.book.open_account(ACCOUNT) == 2
    assert await book_vector(rig) == {PERP: 2 * LOT // 10, CASH: -400 * LOT}


async def test_a_batch_is_judged_fill_by_fill_and_booked_at_once(rig: Rig) -> None:
    await rig.open_with_line()
    small = OrderFill("small", ACCOUNT, "ETH-PERP", LOT // 10, PRICE)
    results = await rig.book.record_fills(
        [
            small,
            OrderFill("stranger", b"\x01" * 32, "ETH-PERP", LOT // 10, PRICE),
            OrderFill("wide", ACCOUNT, "ETH-PERP", 100 * LOT, PRICE),
            dataclasses.replace(small, price_e8=PRICE - 1),
            small,
            dataclasses.replace(small, fill_id="later"),
        ]
    )
    assert results == (
        FillResult(True, "", 1, False),
        FillResult(False, "BOOK_UNKNOWN", 0, False),
        FillResult(False, "LINE_EXCEEDED", 0, False),
        FillResult(False, "CONFLICT", 0, False),
        FillResult(True, "", 1, True),
        FillResult(True, "", 2, False),
    )
    assert await book_vector(rig) == {PERP: 2 * LOT // 10, CASH: -400 * LOT}


async def test_later_fills_of_a_batch_see_the_line_that_is_left(rig: Rig) -> None:
    await rig.open_with_line()
    fills = [OrderFill(f"f{number}", ACCOUNT, "ETH-PERP", LOT, PRICE) for number in range(6)]
    together = [result.recorded for result in await rig.book.record_fills(fills)]
    room = together.index(False)
    assert 0 < room < 6
    assert together == [True] * room + [False] * (6 - room)
    check = await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)
    assert (check.fits, check.reason) == (False, "LINE_EXCEEDED")


async def test_an_order_is_checked_without_changing_anything(rig: Rig) -> None:
    await rig.open_with_line()
    before = await rig.venue.get_book(credential("GetBook"))
    for lots, fits in ((LOT, True), (LOT, True), (100 * LOT, False)):
        check = await rig.book.check_order(ACCOUNT, "ETH-PERP", lots, PRICE)
        assert (check.fits, check.reason) == (fits, "" if fits else "LINE_EXCEEDED")
    assert await rig.venue.get_book(credential("GetBook")) == before


BAD_FILLS = [
    (OrderFill("f" * 65, ACCOUNT, "ETH-PERP", LOT, PRICE), ReasonCode.OUT_OF_RANGE),
    (OrderFill("", ACCOUNT, "ETH-PERP", LOT, PRICE), ReasonCode.OUT_OF_RANGE),
    (OrderFill("f", b"short", "ETH-PERP", LOT, PRICE), ReasonCode.BOOK_UNKNOWN),
    (OrderFill("f", ACCOUNT, "NONE", LOT, PRICE), ReasonCode.NOT_FOUND),
    (OrderFill("f", ACCOUNT, "USD", LOT, PRICE), ReasonCode.OUT_OF_RANGE),
    (OrderFill("f", ACCOUNT, "ETH-PERP", 0, PRICE), ReasonCode.OUT_OF_RANGE),
    (OrderFill("f", ACCOUNT, "ETH-PERP", LOT, 0), ReasonCode.OUT_OF_RANGE),
    (OrderFill("f", ACCOUNT, "ETH-PERP", -(2**63), PRICE), ReasonCode.OUT_OF_RANGE),
    (OrderFill("f", ACCOUNT, "ETH-PERP", 2**63 - 1, 2**64 - 1), ReasonCode.OUT_OF_RANGE),
    (OrderFill("f", b"\x01" * 32, "ETH-PERP", LOT, PRICE), ReasonCode.BOOK_UNKNOWN),
    (OrderFill("f", ACCOUNT, "ETH-PERP", LOT, PRICE), ReasonCode.LINE_CLOSED),
]


async def test_bad_fills_are_told_and_leave_nothing(rig: Rig) -> None:
    await rig.book.open_account(ACCOUNT)
    before = await rig.venue.get_book(credential("GetBook"))
    for bad, code in BAD_FILLS:
        with pytest.raises(MarginproofError) as caught:
            await rig.book.record_fill(bad)
        assert caught.value.code == code, bad
        check = await rig.book.check_order(bad.account, bad.instrument, bad.lots, bad.price_e8)
        if 0 < len(bad.fill_id) < 65:
            assert (check.fits, check.reason) == (False, code), bad
    results = await rig.book.record_fills([bad for bad, _ in BAD_FILLS])
    assert [result.reason for result in results] == [code for _, code in BAD_FILLS]
    assert await rig.venue.get_book(credential("GetBook")) == before


@pytest.mark.parametrize("number", [0, MAX_FILLS + 1])
async def test_a_call_has_1_to_1000_fills(rig: Rig, number: int) -> None:
    with pytest.raises(MarginproofError) as caught:
        await rig.book.record_fills([BAD_FILLS[0][0]] * number)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE


def test_the_longest_fills_of_one_call_fit() -> None:
    longest = OrderFill("f" * 64, ACCOUNT, "i" * 192, -(2**63), 2**64 - 1).message()
    assert MAX_FILLS * (longest.ByteSize() + 4) < MAX_BOOK_MESSAGE_BYTES


@pytest.mark.parametrize("token", ["", "token-of-somebody-else..", "token-of-the-matching-engin"])
async def test_the_book_service_needs_its_token(rig: Rig, token: str) -> None:
    pem = (rig.config.tls_directory / "certificate.pem").read_text()
    async with VenueBookClient(f"127.0.0.1:{rig.node.book_port}", pem, token) as stranger:
        for call in (
            stranger.open_account(ACCOUNT),
            stranger.reserve_pledge(ACCOUNT, LINE),
            stranger.release_pledge(ACCOUNT),
            stranger.get_pledge(ACCOUNT),
            stranger.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE),
            stranger.record_fill(OrderFill("f", ACCOUNT, "ETH-PERP", LOT, PRICE)),
            stranger.record_fills([OrderFill("f", ACCOUNT, "ETH-PERP", LOT, PRICE)]),
        ):
            with pytest.raises(UnauthorisedError):
                await call
    with pytest.raises(NotFoundError):
        await rig.venue.get_book(credential("GetBook"))


async def test_accounts_cannot_reach_the_book_service(rig: Rig) -> None:
    pem = (rig.config.tls_directory / "certificate.pem").read_text()
    async with VenueBookClient(f"127.0.0.1:{rig.node.port}", pem, "token-of-the-matching-engine") as astray:
        with pytest.raises(MarginproofError) as caught:
            await astray.open_account(ACCOUNT)
    assert grpc.StatusCode.UNIMPLEMENTED.name in caught.value.message


async def test_an_account_id_has_32_bytes(rig: Rig) -> None:
    for call in (
        rig.book.open_account(b"short"),
        rig.book.reserve_pledge(b"short", LINE),
        rig.book.release_pledge(b"short"),
        rig.book.get_pledge(b"short"),
    ):
        with pytest.raises(MalformedError) as caught:
            await call
        assert caught.value.code == ReasonCode.INPUT_LENGTH


STRANGER = Account.from_key(b"\x53" * 32)
WRONG_CREDENTIALS = {
    "another call": credential("GetMarginStatus"),
    "another venue": credential("GetBook", venue=OTHER_VENUE),
    "another key": credential("GetBook", key=STRANGER),
    "too old": credential("GetBook", requested_at=NOW - 61),
    "too early": credential("GetBook", requested_at=NOW + 61),
    "another network's account": credential("GetBook", identity=dataclasses.replace(IDENTITY, registry=bytes(20))),
    "another chain's account": credential("GetBook", identity=dataclasses.replace(IDENTITY, home_chain="eip155:5")),
    "no signature": dataclasses.replace(credential("GetBook"), signature=b""),
}


@pytest.mark.parametrize("name", WRONG_CREDENTIALS)
async def test_only_the_owner_sees_the_book(rig: Rig, name: str) -> None:
    await rig.book.open_account(ACCOUNT)
    with pytest.raises(UnauthorisedError):
        await rig.venue.get_book(WRONG_CREDENTIALS[name])
    assert (await rig.venue.get_book(credential("GetBook", requested_at=NOW - 60))).account == ACCOUNT


async def test_an_identity_that_is_not_the_account_is_refused(rig: Rig) -> None:
    """The account of one, the identity and key of another: the root decides, not the field."""
    own = AccountIdentity(IDENTITY.home_chain, IDENTITY.registry, bytes.fromhex(STRANGER.address[2:]), 0)
    asked = request_message(NETWORK_ID, ACCOUNT, venue_method(VENUE, "GetBook"), NOW)
    stranger = AccountCredential(own, NOW, sign_typed(STRANGER, asked)).message()
    await rig.book.open_account(ACCOUNT)
    await rig.book.open_account(own.root())
    stranger.account = ACCOUNT

    class Forged:
        def message(self) -> object:
            return stranger

    with pytest.raises(UnauthorisedError):
        await rig.venue.get_book(Forged())  # type: ignore[arg-type] # made by hand, as an attacker would
