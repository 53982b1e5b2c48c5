"""Backups: a whole account in one file, and what a restored copy must not get wrong."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.chains.evm.devnet import development_account
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import KEYSTORE_NAME, STATE_NAME, Account
from marginproof.prover.backup import (
    Backup,
    ScryptWork,
    after_restore,
    make_backup,
    restore_backup,
    seal,
    unseal,
)
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.funding import Funding
from marginproof.prover.registry_changes import sign_rotation
from marginproof.prover.state import AccountState, LockRecord
from tests.prover.stage import Stage, refused
from tests.prover.world import CASH, HOME, LOT, OTHER_VENUE, PASSWORD, VENUE, make_account, network_file

NETWORK = network_file()
FAST = ScryptWork(log_n=10)
NOW = 1_800_000_000
BACKUP = Backup(NOW, b"keystore", b"state")


def backed_up(directory: Path, now: int = NOW, password: str = PASSWORD) -> bytes:
    with Account.open(directory, NETWORK, PASSWORD):  # somebody may be using it
        return make_backup(directory, NETWORK, password, now, work=FAST)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "account"
    with make_account(directory, NETWORK, endpoints={HOME: ["http://127.0.0.1:1"]}) as account:
        account.replace_lock(LockRecord(0, 0, HOME, b"\x33" * 20, bytes(20), 5, 0))
    return directory


def test_a_second_machine_has_the_same_account(directory: Path, tmp_path: Path) -> None:
    data = backed_up(directory)
    copy = tmp_path / "second" / "account"
    account_id = restore_backup(data, copy, NETWORK, PASSWORD, NOW + 5)
    with Account.open(directory, NETWORK, PASSWORD) as old, Account.open(copy, NETWORK, PASSWORD) as new:
        assert new.account_id == old.account_id == account_id
        assert new.state.locks == old.state.locks
        assert new.state.endpoints == old.state.endpoints
        assert (old.state.restored_at, new.state.restored_at) == (0, NOW + 5)
        assert new.state.next_key_index > old.state.next_key_index + (1 << 40)
    assert (copy / KEYSTORE_NAME).read_bytes() == (directory / KEYSTORE_NAME).read_bytes()


def test_nothing_of_an_account_lies_in_a_backup_in_clear(directory: Path) -> None:
    data = backed_up(directory)
    with Account.open(directory, NETWORK, PASSWORD) as account:
        wanted = [account.secret.state_key(), account.secret.lock_salt(0), bytes(account.signer.key), VENUE, b"127.0.0"]
    assert [value for value in wanted if value in data or value.hex().encode() in data] == []
    assert "keystore" not in repr(BACKUP).replace("keystore=", "")


def test_each_wrong_restoration_is_refused_and_leaves_nothing(directory: Path, tmp_path: Path) -> None:
    data, copy = backed_up(directory), tmp_path / "copy"
    other = network_file(registry=b"\x98" * 20)
    with refused(ReasonCode.WRONG_NETWORK):
        restore_backup(data, copy, other, PASSWORD, NOW)
    with refused(ReasonCode.BACKUP_CORRUPT):
        restore_backup(data, copy, NETWORK, "another password", NOW)
    with refused(ReasonCode.CONFIG_INVALID):
        restore_backup(data, copy, NETWORK, PASSWORD, NOW - 1)
    with refused(ReasonCode.CONFLICT):
        restore_backup(data, directory, NETWORK, PASSWORD, NOW)
    assert not copy.exists()


def test_the_password_must_be_the_keystores(directory: Path) -> None:
    with refused(ReasonCode.KEYSTORE_PASSWORD):
        backed_up(directory, password="another password")


def test_only_a_whole_account_of_this_network_is_backed_up(directory: Path) -> None:
    with refused(ReasonCode.WRONG_NETWORK):
        make_backup(directory, network_file(registry=b"\x98" * 20), PASSWORD, NOW, work=FAST)
    state = directory / STATE_NAME
    state.write_bytes(state.read_bytes()[:-1])
    with refused(ReasonCode.STORE_CORRUPT):
        make_backup(directory, NETWORK, PASSWORD, NOW, work=FAST)


def test_what_is_inside_must_be_one_account(directory: Path, tmp_path: Path) -> None:
    whole = unseal(backed_up(directory), PASSWORD)
    torn = [
        dataclasses.replace(whole, keystore=b"{}"),
        dataclasses.replace(whole, state=whole.state[:-1]),
        dataclasses.replace(whole, state=NETWORK.network_id),
    ]
    for backup in torn:
        with refused(ReasonCode.BACKUP_CORRUPT):
            restore_backup(seal(backup, PASSWORD, work=FAST), tmp_path / "copy", NETWORK, PASSWORD, NOW)
    assert not (tmp_path / "copy").exists()


def test_every_changed_byte_is_found() -> None:
    data = seal(BACKUP, PASSWORD, work=ScryptWork(log_n=1, r=1))
    assert unseal(data, PASSWORD) == BACKUP
    for place in [*range(30), *range(33, 70), len(data) - 1]:  # between them: how much work, tried below
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with refused(ReasonCode.BACKUP_CORRUPT) as caught:
            unseal(changed, PASSWORD)
        assert ("later version" in caught.value.message) is (place < 30)


@pytest.mark.parametrize("work", [(31, 8, 1), (255, 8, 1), (17, 255, 255), (0, 8, 1), (17, 0, 1), (17, 8, 0)])
def test_a_greedy_or_senseless_backup_is_refused_before_any_work(work: tuple[int, int, int]) -> None:
    data = seal(BACKUP, PASSWORD, work=ScryptWork(log_n=1, r=1))
    with refused(ReasonCode.BACKUP_CORRUPT) as caught:
        unseal(data[:30] + bytes(work) + data[33:], PASSWORD)
    assert "memory" in caught.value.message


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_any_bytes_are_refused(data: bytes) -> None:
    for wrong in (data, seal(BACKUP, PASSWORD, work=ScryptWork(log_n=1, r=1))[: len(data)]):
        with pytest.raises(MarginproofError) as caught:
            unseal(wrong, PASSWORD)
        assert caught.value.code is ReasonCode.BACKUP_CORRUPT


def test_a_restored_copy_numbers_keys_where_nobody_was() -> None:
    state = AccountState(b"\x01" * 32, 0, (VENUE,), next_key_index=3)
    restored = after_restore(state, NOW)
    assert restored.next_key_index == NOW << 16
    again = after_restore(dataclasses.replace(restored, next_key_index=restored.next_key_index + 200), NOW)
    assert again.next_key_index == restored.next_key_index + 200


async def restored_stage(stage: Stage, tmp_path: Path, data: bytes) -> Account:
    """The first machine is lost; its copy goes on."""
    stage.account.close()
    copy = tmp_path / "restored"
    restore_backup(data, copy, stage.network, PASSWORD, stage.now)
    return Account.open(copy, stage.network, PASSWORD)


async def test_a_restored_copy_evaluates_nothing_that_the_lost_one_may_have(stage: Stage, tmp_path: Path) -> None:
    await stage.ready()
    data = make_backup(tmp_path / "account", stage.network, PASSWORD, stage.now, work=FAST)
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    with await restored_stage(stage, tmp_path, data) as account:
        async with stage.open_session(account) as session:
            with refused(ReasonCode.PROOF_ALREADY_MADE) as caught:
                await session.prepare(VENUE, Purpose.MAINTENANCE)
            assert "restored" in caught.value.message
            stage.tick(60)  # a snapshot that far ahead may have been proven on: clocks differ by so much
            with refused(ReasonCode.PROOF_ALREADY_MADE):
                await session.prepare(VENUE, Purpose.MAINTENANCE)
            stage.tick()
            assert not (await session.prepare(VENUE, Purpose.MAINTENANCE)).repeated


async def test_a_restored_copy_registers_under_a_number_above_every_lost_one(stage: Stage, tmp_path: Path) -> None:
    await stage.collateral()
    data = make_backup(tmp_path / "account", stage.network, PASSWORD, stage.now, work=FAST)
    lost = await stage.session.register()
    with await restored_stage(stage, tmp_path, data) as account:
        async with stage.open_session(account) as session:
            report = await session.register()
    assert report.number == stage.now > lost.number


async def test_a_restored_copy_never_uses_a_lost_locks_key(stage: Stage, tmp_path: Path) -> None:
    data = make_backup(tmp_path / "account", stage.network, PASSWORD, stage.now, work=FAST)
    await stage.lock()
    lost = stage.account.lock(0)
    with await restored_stage(stage, tmp_path, data) as account:
        actions = ChainActions(account, stage.network, Funding(development_account(1)))
        made = await actions.lock(stage.network.universe.entries[0], 10**18)
        assert made.key_index != lost.key_index
        assert account.secret.lock_salt(made.key_index) != account.secret.lock_salt(lost.key_index)


async def test_a_pledge_that_a_restored_copy_does_not_know_is_found_or_refused(stage: Stage, tmp_path: Path) -> None:
    await stage.ready()
    await stage.authorise(OTHER_VENUE)
    data = make_backup(tmp_path / "account", stage.network, PASSWORD, stage.now, work=FAST)
    await stage.pledge({CASH: LOT}, venue=OTHER_VENUE)
    with await restored_stage(stage, tmp_path, data) as account:
        stage.tick(120)
        given = stage.other.standing
        async with stage.open_session(account) as session:
            stage.other.standing = None
            with refused(ReasonCode.PLEDGE_UNKNOWN) as caught:
                await session.prepare(VENUE, Purpose.MAINTENANCE)
            assert caught.value.fields["reason"] == "NOT_FOUND"
            assert "backup" in caught.value.fix
            stage.other.standing = given
            assert not (await session.prepare(VENUE, Purpose.MAINTENANCE)).repeated
            stage.other.standing = None
            stage.tick()
            await session.prepare(VENUE, Purpose.MAINTENANCE)  # it is remembered


async def test_a_restored_copy_learns_of_a_rotation(stage: Stage, tmp_path: Path) -> None:
    data = make_backup(tmp_path / "account", stage.network, PASSWORD, stage.now, work=FAST)
    await stage.post(sign_rotation(stage.account, stage.network.network_id))
    with await restored_stage(stage, tmp_path, data) as account:
        async with stage.open_session(account) as session:
            await session.record()
        assert account.signer.address == account.secret.owner_key(0, 1).address
