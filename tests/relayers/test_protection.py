"""What was fixed stays fixed: after a restart, after a crash, and for a database made anew."""

import dataclasses
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marginproof.attestation.observations import sign_observations
from marginproof.model.certificates import Leaf, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.prices import Observations, PointValue, SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.protection import FixedList, SigningProtection
from marginproof.relayers.store import Store
from tests.attestation.builders import CHAIN, KEYS, NETWORK, OTHER_CHAIN, UNIVERSE, leaf, signer_set

REFERENCE = Reference(50, b"\x04" * 32, 1_700_000_000)
VIEW = FixedList(CHAIN, 7, REFERENCE, (leaf(1), leaf(2)))
Opener = Callable[[], Store]


def open_store(path: Path, *, epoch: int = 0, slot: int = -1, key: int = 0, network: bytes = NETWORK) -> Store:
    return Store.open(path, network_id=network, public_key=KEYS[key].public_key, epoch=epoch, slot=slot)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node" / "relayer.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = open_store(path)
    yield opened
    opened.close()


def observed(slot: int = 3, value: int = 5) -> SignedObservations:
    seen = Observations(NETWORK, UNIVERSE, slot, 1, signer_set().root(), 0, (PointValue("a", value),))
    return sign_observations(KEYS[0], seen)


def code_of(call: Callable[[], object]) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        call()
    return caught.value.code


OTHER_VIEWS = {
    "reference": dataclasses.replace(VIEW, reference=dataclasses.replace(REFERENCE, hash=b"\x05" * 32)),
    "fewer leaves": dataclasses.replace(VIEW, leaves=(leaf(1),)),
    "more leaves": dataclasses.replace(VIEW, leaves=(leaf(1), leaf(2), leaf(3))),
    "another leaf": dataclasses.replace(VIEW, leaves=(leaf(1), leaf(2, commitment=b"\xc1" + bytes(47)))),
}


@pytest.mark.parametrize("name", sorted(OTHER_VIEWS))
def test_a_second_view_is_refused_also_after_a_restart(path: Path, name: str) -> None:
    for attempt in range(3):
        store = open_store(path)
        protection = SigningProtection(store)
        if not attempt:
            protection.fix(VIEW)
        with pytest.raises(MarginproofError) as caught:
            protection.fix(OTHER_VIEWS[name])
        assert caught.value.code == ReasonCode.SIGNING_PROTECTION
        assert protection.fixed(CHAIN, 7) == VIEW
        assert protection.fix(VIEW) == VIEW
        store.close()


def test_other_epochs_and_chains_are_their_own(store: Store) -> None:
    protection = SigningProtection(store)
    protection.fix(VIEW)
    protection.fix(dataclasses.replace(VIEW, epoch=8, leaves=()))
    protection.fix(dataclasses.replace(VIEW, chain=OTHER_CHAIN, leaves=()))
    assert protection.last_fixed(CHAIN) == 8
    assert protection.last_fixed(OTHER_CHAIN) == 7
    assert protection.last_fixed("eip155:5") is None
    assert protection.fixed(CHAIN, 9) is None


def test_a_price_slot_is_signed_once_also_after_a_restart(path: Path) -> None:
    store = open_store(path)
    assert SigningProtection(store).fix_observations(observed()) == observed()
    store.close()
    store = open_store(path)
    protection = SigningProtection(store)
    assert protection.observations(3) == observed()
    assert protection.fix_observations(observed()) == observed()
    assert code_of(lambda: protection.fix_observations(observed(value=6))) == ReasonCode.SIGNING_PROTECTION
    assert protection.last_observed() == 3
    store.close()


def test_a_database_made_anew_signs_nothing_that_an_earlier_one_could_have(path: Path) -> None:
    store = open_store(path, epoch=7, slot=3)
    protection = SigningProtection(store)
    ended = dataclasses.replace(VIEW, epoch=6)
    assert code_of(lambda: protection.fix(ended)) == ReasonCode.SIGNING_PROTECTION
    assert code_of(lambda: protection.fix_observations(observed(slot=3))) == ReasonCode.SIGNING_PROTECTION
    protection.fix(VIEW)
    protection.fix_observations(observed(slot=4))
    store.close()
    store = open_store(path, epoch=900, slot=900)  # an old database keeps its own beginning
    assert (store.first_epoch, store.first_slot) == (7, 4)
    store.close()


def test_a_second_process_is_refused(path: Path) -> None:
    store = open_store(path)
    assert code_of(lambda: open_store(path)) == ReasonCode.STORE_LOCKED
    store.close()
    open_store(path).close()


def test_a_database_of_another_key_or_network_is_refused(path: Path) -> None:
    open_store(path).close()
    assert code_of(lambda: open_store(path, key=1)) == ReasonCode.CONFIG_INVALID
    assert code_of(lambda: open_store(path, network=b"\x12" * 32)) == ReasonCode.CONFIG_INVALID
    open_store(path).close()  # and the lock was given back


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert code_of(lambda: open_store(tmp_path / "file" / "relayer.db")) == ReasonCode.FILE_UNREADABLE
    (tmp_path / "folder").mkdir()
    assert code_of(lambda: open_store(tmp_path / "folder")) == ReasonCode.FILE_UNREADABLE


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but long enough to look like one" * 100)
    assert code_of(lambda: open_store(path)) == ReasonCode.STORE_CORRUPT


CORRUPTIONS = {
    "leaf_list": "UPDATE fixed_lists SET leaf_list = zeroblob(7)",
    "reference": "UPDATE fixed_lists SET reference = zeroblob(7)",
    "list_digest": "UPDATE fixed_lists SET list_digest = zeroblob(32)",
}


@pytest.mark.parametrize("column", sorted(CORRUPTIONS))
def test_a_changed_row_is_found_out(path: Path, column: str) -> None:
    store = open_store(path)
    SigningProtection(store).fix(VIEW)
    store.close()
    with sqlite3.connect(path) as database:
        database.execute(CORRUPTIONS[column])
    database.close()
    store = open_store(path)
    assert code_of(lambda: SigningProtection(store).fixed(CHAIN, 7)) == ReasonCode.STORE_CORRUPT
    store.close()


def test_schema_of_another_version_is_refused(path: Path) -> None:
    open_store(path).close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE identity SET schema_version = 99")
    database.close()
    assert code_of(lambda: open_store(path)) == ReasonCode.STORE_CORRUPT


def test_only_the_owner_may_read_the_database(path: Path, store: Store) -> None:
    assert path.stat().st_mode & 0o077 == 0


def test_a_halt_stays_until_it_is_cleared(path: Path) -> None:
    for attempt in range(2):
        store = open_store(path)
        if not attempt:
            store.halt(CHAIN, 5, "0x01", "0x02")
            store.halt(CHAIN, 6, "0x03", "0x04")
        assert store.is_halted(CHAIN)
        assert not store.is_halted(OTHER_CHAIN)
        store.close()
    store = open_store(path)
    store.clear_halt(CHAIN)
    assert not store.is_halted(CHAIN)
    store.close()


CRASH = """
import os, signal, sys
from pathlib import Path
from tests.relayers.test_protection import VIEW, open_store
from marginproof.relayers.protection import SigningProtection
store = open_store(Path(sys.argv[1]))
SigningProtection(store).fix(VIEW)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_fixed_survives_a_kill(path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", CRASH, str(path)], cwd=root, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = open_store(path)
    assert SigningProtection(store).fixed(CHAIN, 7) == VIEW
    store.close()


def test_order_of_leaves_is_part_of_a_view(store: Store) -> None:
    leaves: tuple[Leaf, ...] = (leaf(2), leaf(1))
    protection = SigningProtection(store)
    protection.fix(VIEW)
    turned = dataclasses.replace(VIEW, leaves=leaves)
    assert code_of(lambda: protection.fix(turned)) == ReasonCode.SIGNING_PROTECTION
