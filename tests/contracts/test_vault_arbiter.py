"""The arbiter's side of the vault: what it may do, when, and to whom."""

import hashlib
from dataclasses import dataclass

import pytest

from marginproof.model.accounts import Payee, lock_binding, payee_branch, payees_root
from tests.contracts.conftest import NOTICE, PAYOUT, World
from tests.contracts.harness import ZERO, address_of

ACCOUNT = b"\xaa" * 32
SALT = b"\x5a" * 32


def listed(count: int) -> tuple[Payee, ...]:
    return tuple(
        Payee(bytes.fromhex(address_of(f"venue {index}")[2:]), bytes([index + 1]) * 32) for index in range(count)
    )


PAYEES = listed(3)
ROOT = payees_root(PAYEES)
BINDING = lock_binding(ACCOUNT, ROOT, SALT)


@dataclass(frozen=True)
class Payment:
    """The arguments of ``pay``, right unless a test replaces one."""

    lock_id: int = 1
    payee: str = address_of("venue 1")
    amount: int = 40
    account: bytes = ACCOUNT
    root: bytes = ROOT
    salt: bytes = SALT
    payee_salt: bytes = PAYEES[1].salt
    index: int = 1
    branch: tuple[bytes, ...] = payee_branch(PAYEES, 1)

    @property
    def arguments(self) -> tuple[object, ...]:
        return tuple(vars(self).values())


def pay(world: World, payment: Payment, at: int | None = None) -> str | None:
    return world.arbitrate("pay", *payment.arguments, at=at)


def freeze(world: World, lock_id: int, at: int | None = None) -> int:
    assert world.arbitrate("freeze", lock_id, ACCOUNT, ROOT, SALT, at=at) is None
    return world.chain.now()


def frozen_at(world: World, lock_id: int) -> int:
    return int(world.vault.call("read_lock", lock_id)[4])


def notice_at(world: World, lock_id: int) -> int:
    return int(world.vault.call("read_lock", lock_id)[3])


def test_only_the_arbiter_freezes_and_pays(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    for sender in (world.owner, world.stranger, world.deployer):
        assert world.vault.refused(sender, "freeze", lock_id, ACCOUNT, ROOT, SALT) == "NOT_ARBITER"
    at = freeze(world, lock_id) + NOTICE
    assert world.vault.refused(world.deployer, "pay", *Payment().arguments, at=at) == "NOT_ARBITER"


def test_the_stand_in_obeys_its_deployer_only(world: World) -> None:
    assert world.arbiter.refused(world.stranger, "order", world.vault.address, b"") == "NOT_DEPLOYER"


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_freezing_needs_the_opened_binding(world: World, wrong: int) -> None:
    lock_id = world.lock_native(100, BINDING)
    opening = [ACCOUNT, ROOT, SALT]
    opening[wrong] = b"\x77" * 32
    assert world.arbitrate("freeze", lock_id, *opening) == "BINDING_MISMATCH"
    assert frozen_at(world, lock_id) == 0


def test_a_freeze_is_recorded_and_logged(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    data = world.vault.data("freeze", lock_id, ACCOUNT, ROOT, SALT)
    outcome = world.arbiter.act(world.deployer, "order", world.vault.address, data)
    assert frozen_at(world, lock_id) == outcome.time
    assert world.vault.events(outcome, "Frozen") == [
        {"lock_id": lock_id, "account": ACCOUNT, "payable_at": outcome.time + NOTICE}
    ]
    assert world.arbitrate("freeze", lock_id, ACCOUNT, ROOT, SALT) == "LOCK_FROZEN"
    assert frozen_at(world, lock_id) == outcome.time


def test_unknown_locks_are_not_frozen_or_paid_from(world: World) -> None:
    assert world.arbitrate("freeze", 1, ACCOUNT, ROOT, SALT) == "LOCK_UNKNOWN"
    assert pay(world, Payment()) == "LOCK_UNKNOWN"
    assert world.arbitrate("release", 1) == "LOCK_UNKNOWN"


def test_the_owner_can_do_nothing_with_a_frozen_lock(world: World) -> None:
    native, token = world.lock_native(100, BINDING), world.lock_token(100, BINDING)
    freeze(world, native)
    freeze(world, token)
    vault, owner = world.vault, world.owner
    assert vault.refused(owner, "add_native", native, value=1) == "LOCK_FROZEN"
    assert vault.refused(owner, "add_token", token, 1) == "LOCK_FROZEN"
    assert vault.refused(owner, "start_notice", native) == "LOCK_FROZEN"
    assert vault.refused(owner, "cancel_notice", native) == "LOCK_FROZEN"
    assert vault.refused(owner, "withdraw", native, owner) == "LOCK_FROZEN"


def test_a_due_withdrawal_does_not_pass_a_freeze(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    freeze(world, lock_id, at=started + NOTICE - 1)
    assert notice_at(world, lock_id) == started
    reason = world.vault.refused(world.owner, "withdraw", lock_id, world.owner, at=started + NOTICE)
    assert reason == "LOCK_FROZEN"
    assert world.vault.refused(world.owner, "cancel_notice", lock_id) == "LOCK_FROZEN"


def test_an_overdue_lock_can_still_be_frozen_until_it_is_withdrawn(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    freeze(world, lock_id, at=started + 3 * NOTICE)
    assert frozen_at(world, lock_id) == started + 3 * NOTICE


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (1, "PAYOUT_NOT_OPEN"),
        (NOTICE - 1, "PAYOUT_NOT_OPEN"),
        (NOTICE, None),
        (NOTICE + 1, None),
        (NOTICE + PAYOUT - 1, None),
        (NOTICE + PAYOUT, "PAYOUT_OVER"),
        (NOTICE + PAYOUT + 1, "PAYOUT_OVER"),
    ],
)
def test_payment_by_the_second(world: World, seconds: int, reason: str | None) -> None:
    at = freeze(world, world.lock_native(100, BINDING)) + seconds
    assert pay(world, Payment(), at=at) == reason


def test_an_earlier_notice_brings_no_payment_forward(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    frozen = freeze(world, lock_id, at=started + NOTICE)
    assert pay(world, Payment(), at=frozen + NOTICE - 1) == "PAYOUT_NOT_OPEN"
    assert pay(world, Payment(), at=frozen + NOTICE) is None


def test_nothing_is_paid_from_a_lock_that_is_not_frozen(world: World) -> None:
    world.lock_native(100, BINDING)
    assert pay(world, Payment()) == "LOCK_NOT_FROZEN"


@pytest.mark.parametrize("asset", ["native", "token"])
def test_payments_lower_the_lock_and_the_total_until_it_is_empty(world: World, asset: str) -> None:
    native = asset == "native"
    lock_id = world.lock_native(100, BINDING) if native else world.lock_token(100, BINDING)
    asset_address = ZERO if native else world.token.address
    payee = Payment().payee
    at = freeze(world, lock_id) + NOTICE

    def received() -> int:
        return world.chain.balance(payee) if native else int(world.token.call("balanceOf", payee))

    data = world.vault.data("pay", *Payment().arguments)
    outcome = world.arbiter.act(world.deployer, "order", world.vault.address, data, at=at)
    assert world.vault.events(outcome, "Paid") == [
        {"lock_id": lock_id, "payee": payee.lower(), "amount": 40, "remaining": 60}
    ]
    assert received() == 40
    assert world.vault.call("read_lock", lock_id) == (
        world.owner.lower(), asset_address.lower(), 60, 0, at - NOTICE, BINDING,
    )  # fmt: skip
    assert world.vault.call("total_locked", asset_address) == 60
    assert pay(world, Payment(amount=61)) == "AMOUNT_EXCEEDS_LOCK"
    assert pay(world, Payment(amount=60)) is None
    assert received() == 100
    assert world.vault.call("total_locked", asset_address) == 0
    assert pay(world, Payment(amount=1)) == "LOCK_UNKNOWN"
    assert world.arbitrate("release", lock_id) == "LOCK_UNKNOWN"


def test_a_payment_of_nothing_is_refused(world: World) -> None:
    at = freeze(world, world.lock_native(100, BINDING)) + NOTICE
    assert pay(world, Payment(amount=0), at=at) == "AMOUNT_ZERO"


def test_one_lock_does_not_pay_for_another(world: World) -> None:
    world.lock_native(100, BINDING)
    world.lock_native(100, BINDING)
    at = freeze(world, 1) + NOTICE
    assert pay(world, Payment(amount=101), at=at) == "AMOUNT_EXCEEDS_LOCK"
    assert pay(world, Payment(lock_id=2)) == "LOCK_NOT_FROZEN"


@pytest.mark.parametrize("count", [1, 2, 3, 15, 16])
def test_every_listed_payee_is_paid(world: World, count: int) -> None:
    payees = listed(count)
    root = payees_root(payees)
    lock_id = world.lock_native(100, lock_binding(ACCOUNT, root, SALT))
    assert world.arbitrate("freeze", lock_id, ACCOUNT, root, SALT) is None
    world.chain.devnet.mine(world.chain.now() + NOTICE)
    for index, payee in enumerate(payees):
        address = address_of(f"venue {index}")
        payment = Payment(lock_id, address, 1, ACCOUNT, root, SALT, payee.salt, index, payee_branch(payees, index))
        assert pay(world, payment) is None
        assert world.chain.balance(address) == 1


WRONG_OPENINGS = {
    "account": Payment(account=b"\x77" * 32),
    "root": Payment(root=b"\x77" * 32),
    "salt": Payment(salt=b"\x77" * 32),
}


@pytest.mark.parametrize("name", WRONG_OPENINGS)
def test_paying_needs_the_opened_binding(world: World, name: str) -> None:
    at = freeze(world, world.lock_native(100, BINDING)) + NOTICE
    assert pay(world, WRONG_OPENINGS[name], at=at) == "BINDING_MISMATCH"


def test_another_accounts_payees_are_not_paid(world: World) -> None:
    """Root and branch fit each other, but not this lock."""
    others = listed(1)
    payment = Payment(
        payee=address_of("venue 0"),
        root=payees_root(others),
        payee_salt=others[0].salt,
        index=0,
        branch=payee_branch(others, 0),
    )
    at = freeze(world, world.lock_native(100, BINDING)) + NOTICE
    assert pay(world, payment, at=at) == "BINDING_MISMATCH"


def _branch_with(position: int, node: bytes) -> tuple[bytes, ...]:
    branch = list(Payment().branch)
    branch[position] = node
    return tuple(branch)


NOT_PAYEES = {
    "address not listed": Payment(payee=address_of("stranger")),
    "address of another index": Payment(payee=address_of("venue 0")),
    "salt": Payment(payee_salt=b"\x77" * 32),
    "index of another": Payment(index=2),
    "index beyond the length": Payment(index=3),
    "index that wraps to the same path": Payment(index=17),
    "greatest index": Payment(index=2**256 - 1),
    "sibling 0": Payment(branch=_branch_with(0, b"\x77" * 32)),
    "sibling 1": Payment(branch=_branch_with(1, b"\x77" * 32)),
    "sibling 2": Payment(branch=_branch_with(2, b"\x77" * 32)),
    "sibling 3": Payment(branch=_branch_with(3, b"\x77" * 32)),
    "another length": Payment(branch=_branch_with(4, (4).to_bytes(32, "little"))),
    "length zero": Payment(branch=_branch_with(4, bytes(32))),
}


@pytest.mark.parametrize("name", NOT_PAYEES)
def test_only_listed_payees_are_paid(world: World, name: str) -> None:
    at = freeze(world, world.lock_native(100, BINDING)) + NOTICE
    assert pay(world, NOT_PAYEES[name], at=at) == "NOT_A_PAYEE"
    assert world.vault.call("read_lock", 1)[2] == 100


@pytest.mark.parametrize(
    ("length_chunk", "reason"),
    [
        ((3).to_bytes(32, "little"), None),
        ((17).to_bytes(32, "little"), "NOT_A_PAYEE"),  # more than the list may hold
        (b"\x03" + bytes(30) + b"\x01", "NOT_A_PAYEE"),  # a length of 2^248 + 3
        ((1).to_bytes(32, "little"), "NOT_A_PAYEE"),  # the index lies beyond it
    ],
)
def test_a_root_over_an_impossible_length_pays_nobody(world: World, length_chunk: bytes, reason: str | None) -> None:
    """Roots that an owner made himself, consistent with their own branch."""
    node = Payment().branch
    tree = hashlib.sha256(node[0] + PAYEES[1].root()).digest()
    for sibling in node[1:4]:
        tree = hashlib.sha256(tree + sibling).digest()
    root = hashlib.sha256(tree + length_chunk).digest()
    lock_id = world.lock_native(100, lock_binding(ACCOUNT, root, SALT))
    assert world.arbitrate("freeze", lock_id, ACCOUNT, root, SALT) is None
    payment = Payment(root=root, branch=(*node[:4], length_chunk))
    assert pay(world, payment, at=world.chain.now() + NOTICE) == reason


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("kind", ["nobody", "the vault"])
def test_nobody_and_the_vault_itself_are_never_paid(world: World, kind: str, native: bool) -> None:
    address = ZERO if kind == "nobody" else world.vault.address
    payees = (Payee(bytes.fromhex(address[2:]), SALT),)
    root = payees_root(payees)
    binding = lock_binding(ACCOUNT, root, SALT)
    lock_id = world.lock_native(100, binding) if native else world.lock_token(100, binding)
    assert world.arbitrate("freeze", lock_id, ACCOUNT, root, SALT) is None
    payment = Payment(lock_id, address, 1, ACCOUNT, root, SALT, SALT, 0, payee_branch(payees, 0))
    assert pay(world, payment, at=world.chain.now() + NOTICE) == "RECIPIENT_INVALID"


def test_a_payee_that_takes_no_coins_does_not_cost_the_lock(world: World) -> None:
    payees = (Payee(bytes.fromhex(world.registry.address[2:]), SALT),)
    root = payees_root(payees)
    lock_id = world.lock_native(100, lock_binding(ACCOUNT, root, SALT))
    assert world.arbitrate("freeze", lock_id, ACCOUNT, root, SALT) is None
    payment = Payment(lock_id, world.registry.address, 1, ACCOUNT, root, SALT, SALT, 0, payee_branch(payees, 0))
    assert pay(world, payment, at=world.chain.now() + NOTICE) == "NATIVE_TRANSFER_FAILED"
    assert world.vault.call("read_lock", lock_id)[2] == world.vault.call("total_locked", ZERO) == 100


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (NOTICE, "PAYOUT_NOT_OVER"),
        (NOTICE + PAYOUT - 1, "PAYOUT_NOT_OVER"),
        (NOTICE + PAYOUT, None),
        (NOTICE + PAYOUT + 1, None),
    ],
)
def test_anybody_ends_a_freeze_by_the_second(world: World, seconds: int, reason: str | None) -> None:
    lock_id = world.lock_native(100, BINDING)
    at = freeze(world, lock_id) + seconds
    assert world.vault.attempt(world.stranger, "release", lock_id, at=at).reason == reason


def test_only_a_frozen_lock_is_released(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    assert world.arbitrate("release", lock_id) == "LOCK_NOT_FROZEN"
    assert world.vault.refused(world.owner, "release", lock_id) == "LOCK_NOT_FROZEN"


def test_after_a_full_freeze_the_rest_is_the_owners_at_once(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    frozen = freeze(world, lock_id)
    assert pay(world, Payment(), at=frozen + NOTICE) is None
    outcome = world.vault.act(world.owner, "release", lock_id, at=frozen + NOTICE + PAYOUT)
    assert world.vault.events(outcome, "Released") == [{"lock_id": lock_id, "withdrawable_at": frozen + NOTICE}]
    assert frozen_at(world, lock_id) == 0
    before = world.chain.balance(world.stranger)
    world.vault.act(world.owner, "withdraw", lock_id, world.stranger)
    assert world.chain.balance(world.stranger) - before == 60


def test_a_released_lock_counts_again_only_if_its_owner_says_so(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    frozen = freeze(world, lock_id)
    assert world.arbitrate("release", lock_id, at=frozen + 10) is None
    assert notice_at(world, lock_id) == frozen
    world.vault.act(world.owner, "cancel_notice", lock_id)
    assert world.vault.call("read_lock", lock_id)[2:5] == (100, 0, 0)


@pytest.mark.parametrize(("seconds", "reason"), [(NOTICE - 1, "NOTICE_NOT_OVER"), (NOTICE, None)])
def test_an_early_release_does_not_shorten_the_notice(world: World, seconds: int, reason: str | None) -> None:
    lock_id = world.lock_native(100, BINDING)
    frozen = freeze(world, lock_id)
    assert world.arbitrate("release", lock_id, at=frozen + 10) is None
    outcome = world.vault.attempt(world.owner, "withdraw", lock_id, world.owner, at=frozen + seconds)
    assert outcome.reason == reason


def test_a_release_keeps_a_notice_that_began_before_the_freeze(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    freeze(world, lock_id, at=started + 10)
    assert world.arbitrate("release", lock_id, at=started + 20) is None
    assert notice_at(world, lock_id) == started
    assert world.vault.refused(world.owner, "withdraw", lock_id, world.owner, at=started + NOTICE - 1)
    world.vault.act(world.owner, "withdraw", lock_id, world.owner, at=started + NOTICE)


def test_a_released_lock_can_be_frozen_again(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    first = freeze(world, lock_id)
    assert world.arbitrate("release", lock_id, at=first + 10) is None
    second = freeze(world, lock_id, at=first + 20)
    assert pay(world, Payment(), at=first + NOTICE) == "PAYOUT_NOT_OPEN"
    assert pay(world, Payment(), at=second + NOTICE) is None


def test_a_freeze_has_48_bits_too(world: World) -> None:
    lock_id = world.lock_native(100, BINDING)
    assert world.arbitrate("freeze", lock_id, ACCOUNT, ROOT, SALT, at=2**48) == "TIME_OUT_OF_RANGE"
    assert frozen_at(world, lock_id) == 0
