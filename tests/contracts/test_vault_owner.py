"""The owner's side of the vault: every refusal, and every edge of the notice by a second."""

import pytest

from tests.contracts.conftest import NOTICE, World
from tests.contracts.harness import ZERO

BINDING = b"\x01" * 32
MAX_AMOUNT = 2**96 - 1
ELSEWHERE = "0x" + "ee" * 20


def test_a_native_lock_holds_what_was_sent(world: World) -> None:
    outcome = world.vault.act(world.owner, "lock_native", BINDING, value=7)
    (event,) = world.vault.events(outcome, "Locked")
    assert event == {
        "lock_id": 1,
        "owner": world.owner.lower(),
        "asset": ZERO,
        "amount": 7,
        "binding": BINDING,
    }
    assert world.vault.call("read_lock", 1) == (world.owner.lower(), ZERO, 7, 0, 0, BINDING)
    assert world.vault.call("total_locked", ZERO) == 7
    assert world.native_surplus() == 0


def test_a_token_lock_holds_what_was_pulled(world: World) -> None:
    token = world.token
    before = token.call("balanceOf", world.owner)
    outcome = world.vault.act(world.owner, "lock_token", token.address, 5, BINDING)
    (event,) = world.vault.events(outcome, "Locked")
    assert (event["lock_id"], event["asset"], event["amount"]) == (1, token.address.lower(), 5)
    assert world.vault.call("read_lock", 1) == (world.owner.lower(), token.address.lower(), 5, 0, 0, BINDING)
    assert world.vault.call("total_locked", token.address) == 5
    assert token.call("balanceOf", world.vault.address) == 5
    assert token.call("balanceOf", world.owner) == before - 5


def test_lock_ids_count_from_one_and_are_not_used_again(world: World) -> None:
    assert world.lock_native() == 1
    assert world.lock_token() == 2
    started = world.vault.act(world.owner, "start_notice", 2).time
    world.vault.act(world.owner, "withdraw", 2, world.owner, at=started + NOTICE)
    assert world.lock_native() == 3
    assert world.vault.call("lock_count") == 3


def test_zero_amounts_are_refused(world: World) -> None:
    vault, owner = world.vault, world.owner
    assert vault.refused(owner, "lock_native", BINDING) == "AMOUNT_ZERO"
    assert vault.refused(owner, "lock_token", world.token.address, 0, BINDING) == "AMOUNT_ZERO"
    native, token = world.lock_native(), world.lock_token()
    assert vault.refused(owner, "add_native", native) == "AMOUNT_ZERO"
    assert vault.refused(owner, "add_token", token, 0) == "AMOUNT_ZERO"


def test_an_empty_binding_is_refused(world: World) -> None:
    assert world.vault.refused(world.owner, "lock_native", bytes(32), value=1) == "BINDING_EMPTY"
    reason = world.vault.refused(world.owner, "lock_token", world.token.address, 1, bytes(32))
    assert reason == "BINDING_EMPTY"


def test_a_lock_holds_at_most_96_bits(world: World) -> None:
    vault, owner, token = world.vault, world.owner, world.token
    assert vault.refused(owner, "lock_native", BINDING, value=MAX_AMOUNT + 1) == "AMOUNT_OUT_OF_RANGE"
    assert vault.refused(owner, "lock_token", token.address, MAX_AMOUNT + 1, BINDING) == "AMOUNT_OUT_OF_RANGE"
    full = world.lock_token(MAX_AMOUNT)
    assert vault.call("read_lock", full)[2] == MAX_AMOUNT
    assert vault.refused(owner, "add_token", full, 1) == "AMOUNT_OUT_OF_RANGE"
    full = world.lock_native(MAX_AMOUNT)
    assert vault.refused(owner, "add_native", full, value=1) == "AMOUNT_OUT_OF_RANGE"
    world.lock_token(MAX_AMOUNT)
    assert vault.call("total_locked", token.address) == 2 * MAX_AMOUNT


def test_the_native_coin_is_no_token(world: World) -> None:
    assert world.vault.refused(world.owner, "lock_token", ZERO, 1, BINDING) == "ASSET_INVALID"


def test_an_address_without_code_is_no_token(world: World) -> None:
    assert world.vault.refused(world.owner, "lock_token", world.stranger, 1, BINDING) == ""


def test_coins_sent_without_a_call_are_refused(world: World) -> None:
    outcome, _ = world.chain.send(world.owner, world.vault.address, b"", value=1)
    assert outcome.reason is not None


@pytest.mark.parametrize("function", ["lock_token", "add_token", "start_notice", "cancel_notice", "withdraw"])
def test_calls_that_take_no_coins_refuse_them(world: World, function: str) -> None:
    arguments = {
        "lock_token": (world.token.address, 1, BINDING),
        "add_token": (world.lock_token(), 1),
        "withdraw": (1, world.owner),
    }.get(function, (1,))
    assert world.vault.refused(world.owner, function, *arguments, value=1) == ""


def test_adding_increases_the_lock_and_the_total(world: World) -> None:
    native, token = world.lock_native(10), world.lock_token(20)
    outcome = world.vault.act(world.owner, "add_native", native, value=3)
    assert world.vault.events(outcome, "Added") == [{"lock_id": native, "added": 3, "amount": 13}]
    outcome = world.vault.act(world.owner, "add_token", token, 4)
    assert world.vault.events(outcome, "Added") == [{"lock_id": token, "added": 4, "amount": 24}]
    assert world.vault.call("read_lock", native)[2] == world.vault.call("total_locked", ZERO) == 13
    assert (
        world.vault.call("read_lock", token)[2]
        == world.vault.call("total_locked", world.token.address)
        == world.token.call("balanceOf", world.vault.address)
        == 24
    )


def test_adding_the_other_kind_of_asset_is_refused(world: World) -> None:
    native, token = world.lock_native(), world.lock_token()
    assert world.vault.refused(world.owner, "add_native", token, value=1) == "ASSET_MISMATCH"
    assert world.vault.refused(world.owner, "add_token", native, 1) == "ASSET_MISMATCH"


def test_adding_to_a_lock_under_notice_is_refused(world: World) -> None:
    native, token = world.lock_native(), world.lock_token()
    for lock_id in (native, token):
        world.vault.act(world.owner, "start_notice", lock_id)
    assert world.vault.refused(world.owner, "add_native", native, value=1) == "NOTICE_RUNNING"
    assert world.vault.refused(world.owner, "add_token", token, 1) == "NOTICE_RUNNING"


@pytest.mark.parametrize(
    ("function", "arguments", "value"),
    [
        ("add_native", (1,), 1),
        ("add_token", (2, 1), 0),
        ("start_notice", (1,), 0),
        ("cancel_notice", (3,), 0),
        ("withdraw", (3, ELSEWHERE), 0),
    ],
)
def test_only_the_owner_uses_a_lock(world: World, function: str, arguments: tuple[object, ...], value: int) -> None:
    world.lock_native()
    world.lock_token()
    started = world.vault.act(world.owner, "start_notice", world.lock_native()).time
    at = started + NOTICE
    assert world.vault.refused(world.stranger, function, *arguments, value=value, at=at) == "NOT_OWNER"
    world.vault.act(world.owner, function, *arguments, value=value)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("add_native", ()),
        ("add_token", (1,)),
        ("start_notice", ()),
        ("cancel_notice", ()),
        ("withdraw", (ELSEWHERE,)),
        ("release", ()),
    ],
)
@pytest.mark.parametrize("lock_id", [0, 2, 2**256 - 1])
def test_unknown_locks_are_refused(world: World, function: str, arguments: tuple[object, ...], lock_id: int) -> None:
    world.lock_native()
    assert world.vault.refused(world.owner, function, lock_id, *arguments) == "LOCK_UNKNOWN"


def test_reading_an_unknown_lock_is_refused(world: World) -> None:
    assert world.vault.refused(world.stranger, "read_lock", 1) == "LOCK_UNKNOWN"


def test_a_notice_is_recorded_with_its_time(world: World) -> None:
    lock_id = world.lock_native()
    at = world.chain.now() + 77
    outcome = world.vault.act(world.owner, "start_notice", lock_id, at=at)
    assert world.vault.call("read_lock", lock_id)[3] == at
    assert world.vault.events(outcome, "NoticeStarted") == [{"lock_id": lock_id, "withdrawable_at": at + NOTICE}]


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, "NOTICE_NOT_OVER"), (NOTICE - 1, "NOTICE_NOT_OVER"), (NOTICE, None), (NOTICE + 1, None)]
)
def test_withdrawal_by_the_second(world: World, seconds: int, reason: str | None) -> None:
    lock_id = world.lock_native()
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    # The same second is possible only in the same block, which automatic mining does not make.
    at = max(started + seconds, started + 1)
    outcome = world.vault.attempt(world.owner, "withdraw", lock_id, world.stranger, at=at)
    assert outcome.reason == reason


def test_withdrawal_needs_a_notice(world: World) -> None:
    lock_id = world.lock_native()
    at = world.chain.now() + 10 * NOTICE
    assert world.vault.refused(world.owner, "withdraw", lock_id, world.owner, at=at) == "NOTICE_NOT_RUNNING"


@pytest.mark.parametrize("asset", ["native", "token"])
def test_withdrawal_pays_everything_and_leaves_nothing(world: World, asset: str) -> None:
    native = asset == "native"
    lock_id = world.lock_native(50) if native else world.lock_token(50)
    asset_address = ZERO if native else world.token.address
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    before = world.chain.balance(world.stranger)
    outcome = world.vault.act(world.owner, "withdraw", lock_id, world.stranger, at=started + NOTICE)
    assert world.vault.events(outcome, "Withdrawn") == [
        {"lock_id": lock_id, "to": world.stranger.lower(), "amount": 50}
    ]
    received = world.chain.balance(world.stranger) - before if native else world.token.call("balanceOf", world.stranger)
    assert received == 50
    assert world.vault.call("total_locked", asset_address) == 0
    assert world.vault.refused(world.owner, "withdraw", lock_id, world.stranger) == "LOCK_UNKNOWN"


def test_one_withdrawal_leaves_other_locks_alone(world: World) -> None:
    first, second = world.lock_native(50), world.lock_native(60)
    started = world.vault.act(world.owner, "start_notice", first).time
    world.vault.act(world.owner, "withdraw", first, world.owner, at=started + NOTICE)
    assert world.vault.call("read_lock", second)[2] == 60
    assert world.vault.call("total_locked", ZERO) == world.chain.balance(world.vault.address) == 60


@pytest.mark.parametrize("native", [True, False])
def test_withdrawal_to_nobody_or_to_the_vault_is_refused(world: World, native: bool) -> None:
    lock_id = world.lock_native() if native else world.lock_token()
    world.vault.act(world.owner, "start_notice", lock_id)
    world.chain.devnet.mine(world.chain.now() + NOTICE)
    for to in (ZERO, world.vault.address):
        assert world.vault.refused(world.owner, "withdraw", lock_id, to) == "RECIPIENT_INVALID"


def test_a_recipient_that_takes_no_coins_does_not_cost_the_lock(world: World) -> None:
    lock_id = world.lock_native(50)
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    at = started + NOTICE
    reason = world.vault.refused(world.owner, "withdraw", lock_id, world.registry.address, at=at)
    assert reason == "NATIVE_TRANSFER_FAILED"
    assert world.vault.call("read_lock", lock_id)[2] == world.vault.call("total_locked", ZERO) == 50
    world.vault.act(world.owner, "withdraw", lock_id, world.owner)


def test_a_running_notice_cannot_be_started_again(world: World) -> None:
    lock_id = world.lock_native()
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    assert world.vault.refused(world.owner, "start_notice", lock_id, at=started + 5) == "NOTICE_RUNNING"
    assert world.vault.call("read_lock", lock_id)[3] == started


def test_only_a_running_notice_is_cancelled(world: World) -> None:
    lock_id = world.lock_native()
    assert world.vault.refused(world.owner, "cancel_notice", lock_id) == "NOTICE_NOT_RUNNING"
    world.vault.act(world.owner, "start_notice", lock_id)
    outcome = world.vault.act(world.owner, "cancel_notice", lock_id)
    assert world.vault.events(outcome, "NoticeCancelled") == [{"lock_id": lock_id}]
    assert world.vault.call("read_lock", lock_id)[3] == 0
    world.vault.act(world.owner, "add_native", lock_id, value=1)


@pytest.mark.parametrize(("seconds", "reason"), [(NOTICE - 1, "NOTICE_NOT_OVER"), (NOTICE, None)])
def test_after_a_cancellation_the_next_notice_runs_in_full(world: World, seconds: int, reason: str | None) -> None:
    lock_id = world.lock_native()
    first = world.vault.act(world.owner, "start_notice", lock_id).time
    world.vault.act(world.owner, "cancel_notice", lock_id, at=first + NOTICE - 1)
    second = world.vault.act(world.owner, "start_notice", lock_id, at=first + NOTICE).time
    outcome = world.vault.attempt(world.owner, "withdraw", lock_id, world.owner, at=second + seconds)
    assert outcome.reason == reason


def test_a_due_notice_can_still_be_cancelled(world: World) -> None:
    lock_id = world.lock_native()
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    world.vault.act(world.owner, "cancel_notice", lock_id, at=started + 2 * NOTICE)
    assert world.vault.refused(world.owner, "withdraw", lock_id, world.owner) == "NOTICE_NOT_RUNNING"


LAST_SECOND = 2**48 - 1


def test_times_have_48_bits(world: World) -> None:
    """Nine million years from now the vault refuses rather than spill into the neighbouring field."""
    first, second = world.lock_native(), world.lock_native()
    world.vault.act(world.owner, "start_notice", first, at=LAST_SECOND)
    assert world.vault.call("read_lock", first)[3:5] == (LAST_SECOND, 0)
    assert world.vault.refused(world.owner, "start_notice", second, at=LAST_SECOND + 1) == "TIME_OUT_OF_RANGE"
