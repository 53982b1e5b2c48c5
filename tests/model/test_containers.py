"""Ids, universe, registration and errors."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginproof.model import accounts, chains, errors, network, reasons, universe
from marginproof.model.accounts import AccountIdentity, LockReference, Payee, Registration
from marginproof.model.errors import MalformedError, MarginproofError, NotFoundError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe

ROOT = Path(__file__).resolve().parents[2]
SALT = b"\x5a" * 32


def test_reason_codes_are_their_own_names_and_short_enough_for_error_info() -> None:
    for code in ReasonCode:
        assert code.value == code.name
        assert re.fullmatch(r"[A-Z][A-Z0-9_]{1,61}[A-Z0-9]", code.value)
        assert 0 < reasons.exit_code(code) < 128


@pytest.mark.parametrize("text", ["eip155:1", "bip122:000000000019d6689c085ae165831e93", "solana:5eykt4UsFv8P8NJd"])
def test_chain_ids(text: str) -> None:
    assert chains.parse_chain(text) == text


@pytest.mark.parametrize("text", ["", "eip155", "EIP155:1", "eip155:", "eip155:1/x", "e:1", "eip155:" + "1" * 33])
def test_wrong_chain_ids(text: str) -> None:
    with pytest.raises(MalformedError):
        chains.parse_chain(text)


def test_asset_ids() -> None:
    assert chains.parse_asset("eip155:1/slip44:60") == "eip155:1/slip44:60"
    with pytest.raises(MalformedError):
        chains.parse_asset("eip155:1")


@pytest.mark.parametrize("text", ["solana:5eykt4UsFv8P8NJd", "eip155:x", "eip155:٣"])
def test_not_an_evm_chain(text: str) -> None:
    with pytest.raises(MalformedError):
        chains.evm_chain_number(text)


@given(st.binary(min_size=20, max_size=20))
def test_addresses(address: bytes) -> None:
    assert chains.parse_address(chains.format_address(address)) == address
    assert chains.parse_address("0x" + address.hex().upper()) == address


@pytest.mark.parametrize("text", ["", "0x", "ab" * 20, "0x" + "ab" * 19, "0x" + "ab" * 21, "0x" + "zz" * 20])
def test_wrong_addresses(text: str) -> None:
    with pytest.raises(MalformedError):
        chains.parse_address(text)


def _configuration() -> network.Configuration:
    return network.Configuration(100, 10, 3, 60, 120, 30, 0, 5, 8, 10, 10, 200, 2, bytes(32), ())


def test_epochs_and_slots_start_at_genesis() -> None:
    configuration = _configuration()
    assert [network.epoch_of(configuration, time) for time in (99, 100, 109, 110)] == [-1, 0, 0, 1]
    assert network.epoch_cutoff(configuration, 0) == 110
    assert [network.price_slot_of(configuration, time) for time in (100, 102, 103)] == [0, 0, 1]


def test_a_chain_without_a_vault_is_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        network.vaults_on(_configuration(), "eip155:7")
    assert caught.value.fields == {"chain": "eip155:7"}


PRICE = PricePoint("price:ETH", PointKind.PRICE, (Feed("eip155:1", b"f" * 20),), 1, 60, 100)
VOLATILITY = PricePoint("volatility:ETH", PointKind.VOLATILITY, (Feed("eip155:1", b"g" * 20),), 1, 60, 100)
ETH = Entry(0, "eip155:1/slip44:60", EntryKind.COLLATERAL, 8, 10**12, "price:ETH", "eip155:1", bytes(20), 18, 0, 0, "")
CALL = Entry(3, "ETH-CALL", EntryKind.CALL, 4, 10**9, "price:ETH", "", bytes(20), 0, 10**10, 99, "volatility:ETH")
TWO_FEEDS = (*PRICE.feeds, Feed("eip155:1", b"h" * 20))
GOOD = Universe(1, 1, 256, (PRICE, VOLATILITY), (ETH, CALL))


def test_a_good_universe_is_found_by_id_and_token() -> None:
    assert GOOD.checked() is GOOD
    assert GOOD.entry("ETH-CALL") is CALL
    assert GOOD.collateral_entry("eip155:1", bytes(20)) is ETH
    assert GOOD.collateral_entry("eip155:2", bytes(20)) is None
    with pytest.raises(NotFoundError):
        GOOD.entry("no such")


@pytest.mark.parametrize(
    "bad",
    [
        dataclasses.replace(GOOD, entries=(CALL, ETH)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(ETH, index=256),)),
        dataclasses.replace(GOOD, entries=(ETH, dataclasses.replace(ETH, index=1))),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(ETH, kind=9),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(ETH, max_lots=0),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(ETH, max_lots=1 << 63),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(ETH, lot_exponent=19),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(ETH, price_point="volatility:ETH"),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(CALL, strike=0),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(CALL, expiry=0),)),
        dataclasses.replace(GOOD, entries=(dataclasses.replace(CALL, volatility_point="price:ETH"),)),
        dataclasses.replace(GOOD, points=(PRICE, PRICE)),
        dataclasses.replace(GOOD, points=(dataclasses.replace(PRICE, kind=0), VOLATILITY)),
        dataclasses.replace(GOOD, points=(dataclasses.replace(PRICE, min_feeds=2), VOLATILITY)),
        dataclasses.replace(GOOD, points=(dataclasses.replace(PRICE, min_feeds=0), VOLATILITY)),
        dataclasses.replace(GOOD, points=(dataclasses.replace(PRICE, feeds=TWO_FEEDS), VOLATILITY)),
        dataclasses.replace(GOOD, points=(dataclasses.replace(PRICE, feeds=PRICE.feeds * 2), VOLATILITY)),
    ],
)
def test_each_rule_of_a_universe(bad: Universe) -> None:
    with pytest.raises(MalformedError) as caught:
        bad.checked()
    assert caught.value.code == ReasonCode.CONFIG_INVALID


@given(st.integers(0, 10**30))
def test_collateral_is_floored_and_capped(amount: int) -> None:
    lots = universe.lots_of_base_units_floor(ETH, amount)
    assert lots == min(amount // 10**10, 10**12)


def _registration(*locks: LockReference) -> Registration:
    identity = AccountIdentity("eip155:1", b"r" * 20, b"o" * 20, 0)
    return Registration(b"n" * 32, identity, 1, 7, b"p" * 32, SALT, locks)


def _lock(chain: str = "eip155:1", vault: bytes = b"v" * 20, lock_id: int = 1) -> LockReference:
    return LockReference(chain, vault, lock_id, SALT)


def test_locks_must_rise() -> None:
    rising = (_lock(), _lock(lock_id=2), _lock(vault=b"w" * 20, lock_id=0), _lock("eip155:2", lock_id=0))
    accounts.check_lock_order(_registration(*rising))
    for first, second in ((0, 0), (1, 0), (2, 1), (3, 2)):
        with pytest.raises(MalformedError) as caught:
            accounts.check_lock_order(_registration(rising[first], rising[second]))
        assert caught.value.code == ReasonCode.REGISTRATION_LOCKS


def test_secrets_are_in_no_repr() -> None:
    registration = _registration(_lock())
    signed = accounts.SignedRegistration(registration, bytes(65))
    for text in (repr(registration), repr(signed), repr(_lock()), repr([registration])):
        assert SALT.hex() not in text
        assert "ZZZZ" not in text


def test_a_binding_names_account_payees_and_salt() -> None:
    parts = [b"a" * 32, b"b" * 32, b"c" * 32]
    bindings = {accounts.lock_binding(*parts)}
    for position in range(3):
        changed = list(parts)
        changed[position] = b"d" * 32
        bindings.add(accounts.lock_binding(*changed))
    assert len(bindings) == 4
    with pytest.raises(MalformedError):
        accounts.lock_binding(b"a" * 31, b"b" * 32, b"c" * 32)


def test_a_payee_is_shown_with_its_salt_only() -> None:
    payees = (Payee(b"x" * 20, b"1" * 32), Payee(b"y" * 20, b"2" * 32))
    root = accounts.payees_root(payees)
    branch = accounts.payee_branch(payees, 1)
    assert len(branch) == 5
    assert accounts.payee_holds(payees[1], 1, branch, root)
    assert not accounts.payee_holds(payees[0], 1, branch, root)
    assert not accounts.payee_holds(Payee(b"y" * 20, b"3" * 32), 1, branch, root)


def test_an_error_shows_code_message_and_way_out() -> None:
    error = MarginproofError(ReasonCode.NOT_FOUND, "nothing is here", fix="look elsewhere", fields={"id": 1})
    assert str(error) == "NOT_FOUND: nothing is here — look elsewhere"
    assert errors.NotFoundError("x").code == ReasonCode.NOT_FOUND


def test_no_namespace_package_has_an_init_file() -> None:
    """One stray file would hide all other portions of the namespace."""
    portions = [path for path in ROOT.glob("*/marginproof") if path.is_dir()] + [ROOT / "core/python/marginproof"]
    assert len(portions) >= 12
    assert [path for path in portions if (path / "__init__.py").exists()] == []
