"""Numbers, epochs and secrets of registrations."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginproof.attestation.registrations import sign_registration
from marginproof.model.accounts import LockReference, Registration, SignedRegistration
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer
from marginproof.relayers.registrations import MAX_PENDING, RegistrationBook
from marginproof.relayers.store import Store
from tests.attestation.builders import OWNER, registration
from tests.relayers.test_protection import open_store

SEALER = Sealer(b"\x05" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "relayer.db")
    yield opened
    opened.close()


@pytest.fixture
def book(store: Store) -> RegistrationBook:
    return RegistrationBook(store, SEALER, max_accounts=2)


def signed(number: int = 1, first_epoch: int = 6, index: int = 0, **changes: object) -> SignedRegistration:
    identity = dataclasses.replace(registration().identity, index=index)
    made = registration(number=number, first_epoch=first_epoch, identity=identity, **changes)
    return sign_registration(made, OWNER)


def refusal(book: RegistrationBook, of: SignedRegistration, current_epoch: int = 5) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        book.add(of, current_epoch)
    return caught.value.code


def effective(book: RegistrationBook, epoch: int) -> list[Registration]:
    return [known.registration for known in book.effective(epoch)]


def test_the_same_again_gives_the_same_answer_whenever(book: RegistrationBook) -> None:
    answer = book.add(signed(), 5)
    assert answer == (signed().registration.root(), 6)
    assert book.add(signed(), 5) == book.add(signed(), 50) == answer


def test_a_number_is_used_once(book: RegistrationBook) -> None:
    book.add(signed(), 5)
    assert refusal(book, signed(first_epoch=7)) == ReasonCode.CONFLICT
    assert effective(book, 7) == [signed().registration]


def test_an_account_has_as_many_locks_as_this_node_reads(store: Store) -> None:
    book = RegistrationBook(store, SEALER, max_accounts=2, max_locks=3)
    locks = tuple(LockReference("eip155:1", b"v" * 20, lock_id, bytes(32)) for lock_id in range(1, 5))
    assert refusal(book, signed(locks=locks)) == ReasonCode.REGISTRATION_LOCKS
    book.add(signed(locks=locks[:3]), 5)


def test_numbers_rise(book: RegistrationBook) -> None:
    book.add(signed(5), 5)
    assert refusal(book, signed(4)) == ReasonCode.REGISTRATION_NUMBER
    book.add(signed(6), 5)


def test_counts_from_the_next_epoch_at_the_earliest(book: RegistrationBook) -> None:
    assert refusal(book, signed(first_epoch=5)) == ReasonCode.REGISTRATION_EPOCH
    book.add(signed(first_epoch=6), 5)


def test_the_highest_number_valid_for_an_epoch_counts(book: RegistrationBook) -> None:
    book.add(signed(1, 6), 5)
    book.add(signed(2, 9), 5)
    book.add(signed(3, 8), 5)
    numbers = {epoch: [item.number for item in effective(book, epoch)] for epoch in (5, 6, 7, 8, 9)}
    assert numbers == {5: [], 6: [1], 7: [1], 8: [3], 9: [3]}


def test_accounts_and_pending_registrations_are_limited(book: RegistrationBook) -> None:
    for number in range(1, MAX_PENDING + 1):
        book.add(signed(number), 5)
    assert refusal(book, signed(MAX_PENDING + 1)) == ReasonCode.RATE_LIMITED
    book.add(signed(MAX_PENDING + 1, 8), 6)
    book.add(signed(index=1), 5)
    assert refusal(book, signed(index=2)) == ReasonCode.RATE_LIMITED
    assert book.account_count() == 2


@pytest.mark.parametrize("changes", [{"number": 1 << 63}, {"first_epoch": 1 << 63}])
def test_numbers_that_the_database_cannot_hold_are_refused(book: RegistrationBook, changes: dict[str, int]) -> None:
    assert refusal(book, signed(**changes)) == ReasonCode.OUT_OF_RANGE


def test_old_secrets_are_dropped(store: Store, book: RegistrationBook) -> None:
    book.add(signed(1, 6), 5)
    book.add(signed(2, 7), 6)
    book.add(signed(3, 40), 39)
    with store.read() as connection:
        numbers = [row[0] for row in connection.exec_driver_sql("SELECT number FROM registrations ORDER BY number")]
    assert numbers == [2, 3]
    assert [item.number for item in effective(book, 39)] == [2]


def test_registrations_outlive_the_process(tmp_path: Path) -> None:
    store = open_store(tmp_path / "relayer.db")
    RegistrationBook(store, SEALER, 2).add(signed(), 5)
    store.close()
    store = open_store(tmp_path / "relayer.db")
    (known,) = RegistrationBook(store, SEALER, 2).effective(6)
    assert (known.registration, known.account) == (signed().registration, signed().registration.account)
    store.close()


def test_secrets_are_sealed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "relayer.db")
    RegistrationBook(store, SEALER, 2).add(signed(), 5)
    store.close()
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (registration().blinding_seed, *(lock.salt for lock in registration().locks)):
        assert secret[:8] * 2 not in data


@pytest.mark.parametrize("change", ["account", "number", "sealed", "digest", "key"])
def test_a_changed_or_moved_row_does_not_open(tmp_path: Path, change: str) -> None:
    path = tmp_path / "relayer.db"
    store = open_store(path)
    RegistrationBook(store, SEALER, 2).add(signed(), 5)
    store.close()
    statements = {
        "account": "UPDATE registrations SET account = zeroblob(32)",
        "number": "UPDATE registrations SET number = 2",
        "sealed": "UPDATE registrations SET sealed = zeroblob(99)",
        "digest": "UPDATE registrations SET digest = zeroblob(32)",
        "key": "SELECT 1",
    }
    with sqlite3.connect(path) as database:
        database.execute(statements[change])
    database.close()
    store = open_store(path)
    sealer = Sealer(b"\x06" * 32) if change == "key" else SEALER
    with pytest.raises(MarginproofError) as caught:
        RegistrationBook(store, sealer, 2).effective(6)
    assert caught.value.code == ReasonCode.STORE_CORRUPT
    store.close()
