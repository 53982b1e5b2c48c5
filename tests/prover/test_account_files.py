import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.prover import files
from marginproof.prover.account import Account
from marginproof.prover.state import LockRecord
from tests.prover.world import HOME, OTHER_VENUE, PASSWORD, VENUE, entropy, make_account, network_file

NETWORK = network_file()
URL = "http://127.0.0.1:8545/secret-access-key"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "account"


def refused(code: ReasonCode) -> pytest.RaisesExc[MarginproofError]:
    return pytest.raises(MarginproofError, match=f"^{code}")


def test_an_account_comes_back_as_it_was(directory: Path) -> None:
    with make_account(directory, NETWORK, endpoints={HOME: [URL]}) as account:
        first = (account.account_id, account.payees.root, account.signer.address)
        record = LockRecord(0, 0, HOME, b"\x33" * 20, bytes(20), 5, 0)
        account.replace_lock(record)
    with Account.open(directory, NETWORK, PASSWORD) as account:
        assert (account.account_id, account.payees.root, account.signer.address) == first
        assert account.state.locks == (record,)
        assert account.endpoints(HOME) == (URL,)


def test_only_the_owner_may_read_the_files(directory: Path) -> None:
    make_account(directory, NETWORK).close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_no_secret_lies_on_disk_in_clear(directory: Path) -> None:
    with make_account(directory, NETWORK, endpoints={HOME: [URL]}) as account:
        secret = account.secret
        wanted = [secret.lock_salt(0), secret.blinding_seed(1), bytes(account.signer.key), entropy(32), VENUE]
        texts = [value.hex().encode() for value in wanted] + [b"secret-access-key", *wanted]
        shown = repr(account) + repr(account.state) + repr(account.payees)
    content = b"".join(path.read_bytes() for path in directory.iterdir())
    assert not [text for text in texts if text in content]
    assert not [text for text in texts[:4] if text.decode() in shown]
    assert "secret-access-key" not in shown


def test_an_existing_directory_is_left_alone(directory: Path) -> None:
    directory.mkdir()
    with refused(ReasonCode.CONFLICT):
        make_account(directory, NETWORK)
    assert list(directory.iterdir()) == []
    (directory / "mine").write_text("x")
    with refused(ReasonCode.CONFLICT):
        make_account(directory, NETWORK)
    assert [path.name for path in directory.iterdir()] == ["mine"]


def test_a_failure_while_creating_leaves_nothing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(path: Path, data: bytes) -> None:
        if path.name == "state":
            raise OSError("no space left")
        original(path, data)

    original = files._write_flushed
    monkeypatch.setattr(files, "_write_flushed", full_disk)
    with refused(ReasonCode.FILE_UNREADABLE):
        make_account(directory, NETWORK)
    assert list(directory.parent.iterdir()) == []


def test_a_failure_while_saving_keeps_the_old_state(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_account(directory, NETWORK) as account:
        before = account.state
        with monkeypatch.context() as patch:
            patch.setattr(files, "_flush_directory", lambda _: None)
            patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("torn")))
            with refused(ReasonCode.FILE_UNREADABLE):
                account.remember(dataclasses.replace(before, next_key_index=9))
        assert account.state == before
    with Account.open(directory, NETWORK, PASSWORD) as account:
        assert account.state == before
    assert sorted(path.name for path in directory.iterdir()) == ["account.json", "in-use", "state"]


def test_a_second_process_is_refused(directory: Path) -> None:
    with make_account(directory, NETWORK), refused(ReasonCode.STORE_LOCKED):
        Account.open(directory, NETWORK, PASSWORD)
    Account.open(directory, NETWORK, PASSWORD).close()


def test_the_lock_ends_with_a_killed_process(directory: Path) -> None:
    make_account(directory, NETWORK).close()
    script = (
        "import os,sys,pathlib\nfrom marginproof.prover.files import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])):\n os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(directory)], check=False, env=dict(os.environ))
    assert ended.returncode == -9
    Account.open(directory, NETWORK, PASSWORD).close()


def test_another_network_is_refused_before_the_password_is_used(directory: Path) -> None:
    make_account(directory, NETWORK).close()
    with refused(ReasonCode.WRONG_NETWORK):
        Account.open(directory, network_file(epoch_seconds=301), "not even the password")


def test_a_wrong_password_is_refused_and_frees_the_directory(directory: Path) -> None:
    make_account(directory, NETWORK).close()
    with refused(ReasonCode.KEYSTORE_PASSWORD):
        Account.open(directory, NETWORK, "wrong")
    Account.open(directory, NETWORK, PASSWORD).close()


@pytest.mark.parametrize("place", [32, 44, 60, -1])
def test_a_changed_byte_in_the_state_is_found(directory: Path, place: int) -> None:
    make_account(directory, NETWORK).close()
    data = bytearray((directory / "state").read_bytes())
    data[place] ^= 1
    (directory / "state").write_bytes(data)
    with refused(ReasonCode.STORE_CORRUPT):
        Account.open(directory, NETWORK, PASSWORD)


def test_a_missing_or_cut_state_is_found(directory: Path) -> None:
    make_account(directory, NETWORK).close()
    whole = (directory / "state").read_bytes()
    (directory / "state").write_bytes(whole[:50])
    with refused(ReasonCode.STORE_CORRUPT):
        Account.open(directory, NETWORK, PASSWORD)
    (directory / "state").unlink()
    with refused(ReasonCode.FILE_UNREADABLE):
        Account.open(directory, NETWORK, PASSWORD)


def test_no_account_directory(tmp_path: Path) -> None:
    with refused(ReasonCode.FILE_UNREADABLE):
        Account.open(tmp_path / "none", NETWORK, PASSWORD)


@pytest.mark.parametrize(
    "venues", [[], [VENUE, VENUE], [bytes(20)], [b"\x01" * 19], [bytes([n] * 20) for n in range(1, 18)]]
)
def test_unusable_lists_of_venues_are_refused_and_leave_nothing(directory: Path, venues: list[bytes]) -> None:
    with refused(ReasonCode.OUT_OF_RANGE):
        make_account(directory, NETWORK, venues=venues)
    assert not directory.exists()


def test_owners_of_different_index_have_different_accounts(tmp_path: Path) -> None:
    with make_account(tmp_path / "a", NETWORK) as first, make_account(tmp_path / "b", NETWORK, index=1) as second:
        assert first.account_id != second.account_id


def test_venues_change_the_payees_and_nothing_else(tmp_path: Path) -> None:
    with (
        make_account(tmp_path / "a", NETWORK) as first,
        make_account(tmp_path / "b", NETWORK, venues=[VENUE, OTHER_VENUE]) as second,
    ):
        assert first.account_id == second.account_id
        assert first.payees.root != second.payees.root
