"""Tokens that do not behave, recipients that call back, and coins that come uninvited."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from marginproof.chains.evm.contracts import COLLATERAL_VAULT
from marginproof.model.accounts import Payee, lock_binding, payee_branch, payees_root
from tests.contracts.conftest import NOTICE, PAYOUT, World
from tests.contracts.harness import ZERO, Contract, compiled

BINDING = b"\x01" * 32


def deploy_token(world: World, name: str) -> Contract:
    token = world.chain.deploy(compiled(name), sender=world.deployer)
    token.act(world.owner, "mint", world.owner, 10**9)
    return token


def test_a_fee_on_the_transfer_is_the_payers(world: World) -> None:
    token = deploy_token(world, "FeeToken")
    outcome = world.vault.act(world.owner, "lock_token", token.address, 1_000, BINDING)
    assert world.vault.events(outcome, "Locked")[0]["amount"] == 990
    outcome = world.vault.act(world.owner, "add_token", 1, 500)
    assert world.vault.events(outcome, "Added")[0] == {"lock_id": 1, "added": 495, "amount": 1_485}
    assert world.vault.call("read_lock", 1)[2] == 1_485
    assert world.vault.call("total_locked", token.address) == token.call("balanceOf", world.vault.address) == 1_485


def test_a_transfer_of_which_nothing_arrives_is_refused(world: World) -> None:
    token = deploy_token(world, "FeeToken")
    assert world.vault.refused(world.owner, "lock_token", token.address, 99, BINDING) == "NOTHING_RECEIVED"
    world.vault.act(world.owner, "lock_token", token.address, 1_000, BINDING)
    assert world.vault.refused(world.owner, "add_token", 1, 99) == "NOTHING_RECEIVED"


def test_a_token_that_returns_nothing_works(world: World) -> None:
    token = deploy_token(world, "NoReturnToken")
    world.vault.act(world.owner, "lock_token", token.address, 70, BINDING)
    started = world.vault.act(world.owner, "start_notice", 1).time
    world.vault.act(world.owner, "withdraw", 1, world.stranger, at=started + NOTICE)
    assert token.call("balanceOf", world.stranger) == 70


def test_a_token_that_returns_false_is_refused_on_the_way_in(world: World) -> None:
    token = deploy_token(world, "FalseToken")
    assert world.vault.refused(world.owner, "lock_token", token.address, 70, BINDING) == "TOKEN_TRANSFER_FAILED"
    assert world.vault.call("total_locked", token.address) == 0


def test_a_token_that_returns_false_on_the_way_out_does_not_cost_the_lock(world: World) -> None:
    token = deploy_token(world, "FalseToken")
    token.act(world.owner, "set_truthful", True)
    world.vault.act(world.owner, "lock_token", token.address, 70, BINDING)
    started = world.vault.act(world.owner, "start_notice", 1).time
    token.act(world.owner, "set_truthful", False)
    reason = world.vault.refused(world.owner, "withdraw", 1, world.owner, at=started + NOTICE)
    assert reason == "TOKEN_TRANSFER_FAILED"
    assert world.vault.call("read_lock", 1)[2] == world.vault.call("total_locked", token.address) == 70
    token.act(world.owner, "set_truthful", True)
    world.vault.act(world.owner, "withdraw", 1, world.owner)


def test_a_missing_approval_is_refused_with_the_tokens_reason(world: World) -> None:
    world.token.act(world.stranger, "mint", world.stranger, 10)
    reason = world.vault.refused(world.stranger, "lock_token", world.token.address, 10, BINDING)
    assert reason == "ALLOWANCE_TOO_SMALL"


def test_coins_forced_upon_the_vault_change_nothing(world: World) -> None:
    """By SELFDESTRUCT, which no contract can refuse; and tokens by plain transfer."""
    lock_id = world.lock_native(100)
    init_code = b"\x73" + bytes.fromhex(world.vault.address[2:]) + b"\xff"
    world.chain.send(world.stranger, None, init_code, value=5)
    world.token.act(world.owner, "transfer", world.vault.address, 5)
    assert world.native_surplus() == 5
    assert world.vault.call("total_locked", ZERO) == 100
    assert world.vault.call("total_locked", world.token.address) == 0
    token_lock = world.lock_token(7)
    assert world.vault.call("read_lock", token_lock)[2] == 7
    started = world.vault.act(world.owner, "start_notice", lock_id).time
    before = world.chain.balance(world.stranger)
    world.vault.act(world.owner, "withdraw", lock_id, world.stranger, at=started + NOTICE)
    assert world.chain.balance(world.stranger) - before == 100
    assert world.native_surplus() == 5


@dataclass(frozen=True)
class Heist:
    """A vault whose arbiter and whose biggest owner is one puppet, with something to lose in every function.

    Locks: 1 native and due, 2 reentrant token and due, 3 native and free, 4 token and free, 5 native and frozen
    long enough to pay from and to release, 6 native and frozen too.
    """

    world: World
    vault: Contract
    puppet: Contract
    token: Contract
    binding: bytes
    payment: tuple[object, ...]

    def command(self, function: str, *arguments: object, value: int = 0, at: int | None = None) -> str | None:
        data = self.vault.data(function, *arguments)
        return self.puppet.attempt(
            self.world.stranger, "forward", self.vault.address, data, value, value=value, at=at
        ).reason

    def arguments(self, function: str) -> tuple[tuple[object, ...], int]:
        """Arguments with which the call succeeds, and the coins it needs."""
        token = self.world.token.address
        return {
            "read_lock": ((3,), 0),
            "lock_native": ((self.binding,), 1),
            "lock_token": ((token, 1, self.binding), 0),
            "add_native": ((3,), 1),
            "add_token": ((4, 1), 0),
            "start_notice": ((3,), 0),
            "cancel_notice": ((1,), 0),
            "withdraw": ((1, self.world.stranger), 0),
            "freeze": ((3, *self.payment[3:6]), 0),
            "pay": (self.payment, 0),
            "release": ((6,), 0),
        }[function]


@pytest.fixture
def heist(world: World) -> Heist:
    chain = world.chain
    puppet = chain.deploy(compiled("Puppet"), sender=world.stranger)
    chain.devnet.fund(puppet.address, 10**20)
    vault = chain.deploy(compiled(COLLATERAL_VAULT), NOTICE, puppet.address, PAYOUT, sender=world.deployer)
    payees = (Payee(bytes.fromhex(puppet.address[2:]), b"\x05" * 32),)
    account, salt, root = b"\xaa" * 32, b"\x5a" * 32, payees_root(payees)
    binding = lock_binding(account, root, salt)
    payment = (5, puppet.address, 10, account, root, salt, payees[0].salt, 0, payee_branch(payees, 0))
    token = chain.deploy(compiled("ReentrantToken"), sender=world.deployer)
    heist = Heist(world, vault, puppet, token, binding, payment)
    token.act(world.owner, "mint", puppet.address, 10**6)
    world.token.act(world.owner, "mint", puppet.address, 10**6)
    approve = world.token.data("approve", vault.address, 10**6)
    puppet.act(world.stranger, "forward", world.token.address, approve, 0)
    steps: tuple[tuple[str, tuple[object, ...], int], ...] = (
        ("lock_native", (binding,), 100),
        ("lock_token", (token.address, 100, binding), 0),
        ("lock_native", (binding,), 100),
        ("lock_token", (world.token.address, 100, binding), 0),
        ("lock_native", (binding,), 100),
        ("lock_native", (binding,), 100),
        ("start_notice", (1,), 0),
        ("start_notice", (2,), 0),
        ("freeze", (5, account, root, salt), 0),
        ("freeze", (6, account, root, salt), 0),
    )
    for function, arguments, value in steps:
        assert heist.command(function, *arguments, value=value) is None
    chain.devnet.mine(chain.now() + NOTICE)
    token.act(world.owner, "set_accomplice", puppet.address)
    return heist


ENTRANCES: dict[str, tuple[str, Callable[[Heist], tuple[object, ...]]]] = {
    "withdraw a native coin": ("withdraw", lambda heist: (1, heist.puppet.address)),
    "withdraw a token": ("withdraw", lambda heist: (2, heist.world.stranger)),
    "pay a native coin": ("pay", lambda heist: heist.payment),
    "lock a token": ("lock_token", lambda heist: (heist.token.address, 1, heist.binding)),
}
REENTRIES = (
    "read_lock",
    "lock_native",
    "lock_token",
    "add_native",
    "add_token",
    "start_notice",
    "cancel_notice",
    "withdraw",
    "freeze",
    "pay",
    "release",
)


@pytest.mark.parametrize("inner", REENTRIES)
def test_every_reentry_would_succeed_from_outside(heist: Heist, inner: str) -> None:
    """Otherwise the next test would prove nothing."""
    arguments, value = heist.arguments(inner)
    assert heist.command(inner, *arguments, value=value) is None


@pytest.mark.parametrize("inner", REENTRIES)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_nothing_is_reentered(heist: Heist, entrance: str, inner: str) -> None:
    outer, outer_arguments = ENTRANCES[entrance]
    arguments, value = heist.arguments(inner)
    if entrance == "withdraw a native coin" and inner in ("cancel_notice", "withdraw"):
        # Lock 1 is on its way out here: the second due lock is the one worth taking.
        arguments = (2, *arguments[1:])
        heist.token.act(heist.world.owner, "set_accomplice", ZERO)
    heist.puppet.act(heist.world.stranger, "prepare", heist.vault.address, heist.vault.data(inner, *arguments), value)
    assert heist.command(outer, *outer_arguments(heist)) is None
    assert heist.puppet.call("strikes") == 1
    assert heist.puppet.call("successes") == 0


def test_adding_is_not_reentered(heist: Heist) -> None:
    world = heist.world
    assert heist.command("lock_token", heist.token.address, 1, heist.binding) is None
    data = heist.vault.data("add_native", 3)
    heist.puppet.act(world.stranger, "prepare", heist.vault.address, data, 1)
    before = heist.puppet.call("strikes")
    assert heist.command("add_token", 7, 1) is None
    assert heist.puppet.call("strikes") == before + 1
    assert heist.puppet.call("successes") == 0
    assert heist.vault.call("read_lock", 3)[2] == 100
