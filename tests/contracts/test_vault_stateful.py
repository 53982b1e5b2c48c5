"""Long random stories: the vault and its Python model must agree on every answer and every balance."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from marginproof.model.accounts import Payee, lock_binding, payee_branch, payees_root
from tests.contracts.conftest import NOTICE, PAYOUT, World
from tests.contracts.harness import ZERO, address_of
from tests.contracts.vault_model import MAX_AMOUNT, VaultModel

ACCOUNT, SALT = b"\xaa" * 32, b"\x5a" * 32
VENUES = tuple(address_of(f"story venue {index}") for index in range(2))
PAYEES = tuple(Payee(bytes.fromhex(venue[2:]), bytes([index]) * 32) for index, venue in enumerate(VENUES))
ROOT = payees_root(PAYEES)
BINDING = lock_binding(ACCOUNT, ROOT, SALT)
VAULT_OPENING = (ACCOUNT, ROOT, SALT)
RECIPIENT = address_of("story recipient")

people = st.integers(0, 1)
lock_ids = st.integers(1, 4)
amounts = st.one_of(st.integers(0, 20), st.sampled_from([MAX_AMOUNT, MAX_AMOUNT + 1]))
# Most steps follow at once; some land just before, on or after the next edge of some lock.
waits = st.one_of(st.just(1), st.just(1), st.integers(2, NOTICE), st.sampled_from(["before", "on", "after"]))


class VaultStory(RuleBasedStateMachine):
    """Every rule asks the model first and then the chain, with the same clock."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.vault = world.vault
        self.snapshot = world.chain.devnet.rpc("evm_snapshot")
        self.people = (world.owner, world.stranger)
        self.model = VaultModel(NOTICE, PAYOUT, ZERO)
        self.now = world.chain.now()

    def teardown(self) -> None:
        self.world.chain.devnet.rpc("evm_revert", self.snapshot)

    @initialize()
    def give_tokens(self) -> None:
        for person in self.people:
            self.world.token.act(person, "mint", person, 2**100)
            self.world.token.act(person, "approve", self.vault.address, 2**256 - 1)
        self.now = self.world.chain.now()

    def tick(self, wait: int | str) -> int:
        if isinstance(wait, int):
            self.now += wait
        else:
            edge = next((edge for edge in self.model.edges() if edge > self.now), self.now + 1)
            self.now = max(self.now + 1, edge + {"before": -1, "on": 0, "after": 1}[wait])
        return self.now

    def sends(self, sender: str, expected: str | None, function: str, *arguments: Any, value: int = 0) -> None:
        outcome = self.vault.attempt(sender, function, *arguments, value=value, at=self.now)
        assert outcome.reason == expected

    @rule(person=people, amount=amounts, native=st.booleans(), wait=waits)
    def lock(self, person: int, amount: int, native: bool, wait: int | str) -> None:
        self.tick(wait)
        sender = self.people[person]
        asset = ZERO if native else self.world.token.address
        expected = self.model.lock(sender, asset, amount)
        if native:
            self.sends(sender, expected, "lock_native", BINDING, value=amount)
        else:
            self.sends(sender, expected, "lock_token", asset, amount, BINDING)

    @rule(person=people, lock_id=lock_ids, amount=amounts, native=st.booleans(), wait=waits)
    def add(self, person: int, lock_id: int, amount: int, native: bool, wait: int | str) -> None:
        self.tick(wait)
        sender = self.people[person]
        expected = self.model.add(sender, lock_id, amount, native)
        if native:
            self.sends(sender, expected, "add_native", lock_id, value=amount)
        else:
            self.sends(sender, expected, "add_token", lock_id, amount)

    @rule(person=people, lock_id=lock_ids, wait=waits)
    def start_notice(self, person: int, lock_id: int, wait: int | str) -> None:
        now = self.tick(wait)
        sender = self.people[person]
        self.sends(sender, self.model.start_notice(sender, lock_id, now), "start_notice", lock_id)

    @rule(person=people, lock_id=lock_ids, wait=waits)
    def cancel_notice(self, person: int, lock_id: int, wait: int | str) -> None:
        self.tick(wait)
        sender = self.people[person]
        self.sends(sender, self.model.cancel_notice(sender, lock_id), "cancel_notice", lock_id)

    @rule(person=people, lock_id=lock_ids, wait=waits)
    def withdraw(self, person: int, lock_id: int, wait: int | str) -> None:
        now = self.tick(wait)
        sender = self.people[person]
        expected = self.model.withdraw(sender, lock_id, RECIPIENT, now)
        self.sends(sender, expected, "withdraw", lock_id, RECIPIENT)

    @rule(lock_id=lock_ids, wait=waits)
    def freeze(self, lock_id: int, wait: int | str) -> None:
        now = self.tick(wait)
        expected = self.model.freeze(lock_id, now)
        assert self.world.arbitrate("freeze", lock_id, *VAULT_OPENING, at=now) == expected

    @rule(lock_id=lock_ids, venue=people, amount=amounts, wait=waits)
    def pay(self, lock_id: int, venue: int, amount: int, wait: int | str) -> None:
        now = self.tick(wait)
        expected = self.model.pay(lock_id, VENUES[venue], amount, now)
        listing = (PAYEES[venue].salt, venue, payee_branch(PAYEES, venue))
        answer = self.world.arbitrate("pay", lock_id, VENUES[venue], amount, *VAULT_OPENING, *listing, at=now)
        assert answer == expected

    @rule(lock_id=lock_ids, by_arbiter=st.booleans(), wait=waits)
    def release(self, lock_id: int, by_arbiter: bool, wait: int | str) -> None:
        now = self.tick(wait)
        expected = self.model.release(lock_id, by_arbiter, now)
        if by_arbiter:
            assert self.world.arbitrate("release", lock_id, at=now) == expected
        else:
            self.sends(self.world.stranger, expected, "release", lock_id)

    @invariant()
    def totals_equal_balances_and_the_model(self) -> None:
        token = self.world.token
        native, tokens = self.model.total(ZERO), self.model.total(token.address)
        assert self.vault.call("total_locked", ZERO) == native == self.world.chain.balance(self.vault.address)
        assert self.vault.call("total_locked", token.address) == tokens
        assert token.call("balanceOf", self.vault.address) == tokens

    @invariant()
    def every_lock_is_the_models(self) -> None:
        for lock_id, lock in self.model.locks.items():
            assert self.vault.call("read_lock", lock_id) == (
                lock.owner.lower(),
                lock.asset.lower(),
                lock.amount,
                lock.notice_at,
                lock.frozen_at,
                BINDING,
            )

    @invariant()
    def everybody_received_what_the_model_paid(self) -> None:
        for (asset, to), amount in self.model.paid.items():
            native = asset == ZERO
            assert amount == (self.world.chain.balance(to) if native else self.world.token.call("balanceOf", to))


def test_random_stories_agree_with_the_model(world: World) -> None:
    run_state_machine_as_test(
        lambda: VaultStory(world),  # type: ignore[arg-type]  # any factory works, the annotation is narrower
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
