"""Fills: exact arithmetic, bounds, idempotency, and who may send them or see the book."""

import dataclasses
from fractions import Fraction

import grpc
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof import core
from marginproof.attestation.typed_signing import sign_typed
from marginproof.client.venue import AccountCredential
from marginproof.client.venue_book import VenueBookClient
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MalformedError, MarginproofError, NotFoundError, RefusedError, UnauthorisedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import request_message, venue_method
from marginproof.model.universe import Universe
from marginproof.verifier.book import Fill, apply_fill, cash_change_floor, cash_entry, commit_book
from tests.verifier.rig import Rig, credential
from tests.verifier.world import ACCOUNT, CALL, CASH, FILE, IDENTITY, LOT, NETWORK_ID, NOW, OTHER_VENUE, PERP, VENUE

UNIVERSE = FILE.universe
PRICE = 2_000 * 10**8


def fill(instrument: str = "ETH-PERP", lots: int = LOT, price_e8: int = PRICE, fill_id: str = "f") -> Fill:
    return Fill(fill_id, ACCOUNT, instrument, lots, price_e8)


def test_a_purchase_moves_position_and_cash() -> None:
    after = apply_fill(UNIVERSE, {CASH: 50}, fill(), NOW)
    assert after == {CASH: 50 - 2_000 * LOT, PERP: LOT}


def test_selling_everything_leaves_no_entry() -> None:
    after = apply_fill(UNIVERSE, {CASH: -2_000 * LOT, PERP: LOT}, fill(lots=-LOT), NOW)
    assert after == {}


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
        (fill("ETH-FUTURE"), NotFoundError),
        (fill("USD"), MalformedError),
        (fill(UNIVERSE.entries[0].id), MalformedError),
        (fill(lots=0), MalformedError),
        (fill(price_e8=0), MalformedError),
        (fill(fill_id=""), MalformedError),
        (fill(lots=10**13 + 1, price_e8=1), RefusedError),
        (fill(lots=10**13, price_e8=PRICE), RefusedError),
    ],
    ids=["unknown", "cash", "collateral", "no lots", "no price", "no id", "position too large", "cash too large"],
)
def test_a_bad_fill_changes_nothing(bad: Fill, kind: type[MarginproofError]) -> None:
    before = {CASH: 1}
    with pytest.raises(kind):
        apply_fill(UNIVERSE, before, bad, NOW)
    assert before == {CASH: 1}


def test_bounds_hold_to_the_lot() -> None:
    assert apply_fill(UNIVERSE, {}, fill(lots=10**13, price_e8=1), NOW)[PERP] == 10**13
    with pytest.raises(RefusedError) as caught:
        apply_fill(UNIVERSE, {PERP: 1}, fill(lots=10**13, price_e8=1), NOW)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE
    assert caught.value.fields == {"entry": "ETH-PERP"}


def test_an_option_trades_until_its_expiry() -> None:
    expiry = UNIVERSE.entry("ETH-C-2500").expiry
    assert apply_fill(UNIVERSE, {}, fill("ETH-C-2500"), expiry - 1)[CALL] == LOT
    with pytest.raises(MalformedError):
        apply_fill(UNIVERSE, {}, fill("ETH-C-2500"), expiry)


def test_a_universe_needs_exactly_one_cash_entry() -> None:
    entries = tuple(entry for entry in UNIVERSE.entries if entry.index != CASH)
    with pytest.raises(MalformedError) as caught:
        cash_entry(Universe(1, 1, 256, UNIVERSE.points, entries))
    assert caught.value.code == ReasonCode.CONFIG_INVALID


def test_every_commitment_is_fresh_and_opens() -> None:
    first, second = (
        commit_book(UNIVERSE, venue=VENUE, account=ACCOUNT, sequence=1, values={PERP: -7}) for _ in range(2)
    )
    assert first.commitment != second.commitment
    assert core.commit(256, first.vector(), first.blinding) == first.commitment
    assert core.commit(256, {}, second.blinding) != second.commitment


def test_no_repr_shows_positions_or_blindings() -> None:
    opening = commit_book(UNIVERSE, venue=VENUE, account=ACCOUNT, sequence=1, values={PERP: -7_654_321})
    assert "7654321" not in repr(opening)
    assert opening.blinding.hex() not in repr(opening)
    assert "2000" not in repr(fill())


async def test_a_fill_is_booked_once(rig: Rig) -> None:
    await rig.book.open_account(ACCOUNT)
    first = await rig.book.record_fill("one", ACCOUNT, "ETH-PERP", LOT, PRICE)
    assert first[0] == 1
    assert await rig.book.record_fill("one", ACCOUNT, "ETH-PERP", LOT, PRICE) == first
    with pytest.raises(MarginproofError) as conflict:
        await rig.book.record_fill("one", ACCOUNT, "ETH-PERP", LOT, PRICE + 1)
    assert conflict.value.code == ReasonCode.CONFLICT
    second = await rig.book.record_fill("two", ACCOUNT, "ETH-PERP", LOT, PRICE)
    assert second[0] == 2
    assert await rig.book.open_account(ACCOUNT) == 2
    assert (await rig.venue.get_book(credential("GetBook"))).vector() == {PERP: 2 * LOT, CASH: -4_000 * LOT}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("f" * 65, ACCOUNT, "ETH-PERP", LOT, PRICE), ReasonCode.OUT_OF_RANGE),
        (("", ACCOUNT, "ETH-PERP", LOT, PRICE), ReasonCode.OUT_OF_RANGE),
        (("f", b"short", "ETH-PERP", LOT, PRICE), ReasonCode.OUT_OF_RANGE),
        (("f", ACCOUNT, "NONE", LOT, PRICE), ReasonCode.NOT_FOUND),
        (("f", ACCOUNT, "ETH-PERP", -(2**63), PRICE), ReasonCode.OUT_OF_RANGE),
        (("f", ACCOUNT, "ETH-PERP", 2**63 - 1, 2**64 - 1), ReasonCode.OUT_OF_RANGE),
        (("f", b"\x01" * 32, "ETH-PERP", LOT, PRICE), ReasonCode.BOOK_UNKNOWN),
    ],
)
async def test_bad_fills_are_told_and_leave_nothing(
    rig: Rig, arguments: tuple[str, bytes, str, int, int], code: ReasonCode
) -> None:
    await rig.book.open_account(ACCOUNT)
    before = await rig.venue.get_book(credential("GetBook"))
    with pytest.raises(MarginproofError) as caught:
        await rig.book.record_fill(*arguments)
    assert caught.value.code == code
    assert await rig.venue.get_book(credential("GetBook")) == before


@pytest.mark.parametrize("token", ["", "token-of-somebody-else..", "token-of-the-matching-engin"])
async def test_the_book_service_needs_its_token(rig: Rig, token: str) -> None:
    pem = (rig.config.tls_directory / "certificate.pem").read_text()
    async with VenueBookClient(f"127.0.0.1:{rig.node.book_port}", pem, token) as stranger:
        for call in (
            stranger.open_account(ACCOUNT),
            stranger.record_fill("f", ACCOUNT, "ETH-PERP", LOT, PRICE),
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
    with pytest.raises(MalformedError) as caught:
        await rig.book.open_account(b"short")
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
