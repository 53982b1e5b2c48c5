"""Long random stories: the registry and its Python model must agree on every answer and every word of storage."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.verify import (
    account_slots,
    agreement_slot,
    authorisation_slot,
    decode_authorisation,
    decode_head,
    pledge_slots,
    registry_record,
)
from marginproof.model.chains import parse_address
from marginproof.model.pledges import NO_COMMITMENT, NO_DIGEST
from tests.contracts.accounts import Holder, commitment, network_of
from tests.contracts.conftest import NOTICE, POLICY_DELAY, World
from tests.contracts.registry_model import ModelAccount, RegistryModel

KEYS = tuple(development_account(200 + index) for index in range(4))
ADDRESSES = tuple(parse_address(key.address) for key in KEYS)
NAMES = (0, 1)

names = st.sampled_from(NAMES)
venues = st.integers(0, 2)
choices = st.integers(0, 63)
# Mostly the right key, number and digest, so that stories go somewhere.
keys = st.sampled_from([None, None, None, None, 0, 1])
numbers = st.sampled_from([0, 0, 0, 0, 1, -1])
stale = st.sampled_from([False, False, False, True])
commitments = st.one_of(st.integers(0, 40).map(commitment), st.just(NO_COMMITMENT))
versions = st.sampled_from([0, 1, 2, 2**64 - 1])
waits = st.one_of(st.just(1), st.just(1), st.integers(2, 50), st.sampled_from(["before", "on", "after"]))


class RegistryStory(RuleBasedStateMachine):
    """Every rule asks the model first and then the chain, with the same clock."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.registry = world.registry
        self.snapshot = world.chain.devnet.rpc("evm_snapshot")
        self.holders = {name: Holder(network_of(world.registry), KEYS[0], name, KEYS[0]) for name in NAMES}
        self.model = RegistryModel(NOTICE, POLICY_DELAY, {name: ModelAccount([ADDRESSES[0]]) for name in NAMES})
        self.venues: list[str] = []
        self.now = world.chain.now()
        self.steps = 0

    def teardown(self) -> None:
        self.world.chain.devnet.rpc("evm_revert", self.snapshot)

    @initialize()
    def found_venues(self) -> None:
        self.venues = [self.world.chain.rich(f"story venue {index}") for index in range(3)]
        for name, holder in self.holders.items():
            for venue in self.venues:
                assert self.model.authorise(name, venue.lower(), 0, ADDRESSES[0]) is None
                self.registry.act(self.world.stranger, "authorise", *holder.authorise(venue, 0))
        self.now = self.world.chain.now()

    def tick(self, wait: int | str) -> int:
        self.steps += 1
        if isinstance(wait, int):
            self.now += wait
        else:
            edge = next((edge for edge in self.model.edges() if edge > self.now), self.now + 1)
            self.now = max(self.now + 1, edge + {"before": -1, "on": 0, "after": 1}[wait])
        return self.now

    def sends(self, sender: str, expected: str | None, function: str, *arguments: Any) -> None:
        outcome = self.registry.attempt(sender, function, *arguments, at=self.now)
        assert outcome.reason == expected

    def signer(self, name: int, key: int | None) -> tuple[Holder, bytes]:
        """The account with the key that signs: its present one, or another."""
        present = ADDRESSES.index(self.model.accounts[name].keys[-1])
        place = present if key is None else key
        return self.holders[name].with_key(KEYS[place]), ADDRESSES[place]

    def choose(self, choice: int, wanted: Callable[[int, str], bool]) -> tuple[int, str]:
        """An account and a venue: seven times in eight one for which the call can go through, if there is one."""
        every = [(name, venue) for name in NAMES for venue in self.venues]
        fitting = [(name, venue) for name, venue in every if wanted(name, venue.lower())]
        pool = fitting if fitting and choice % 8 < 7 else every
        return pool[choice // 8 % len(pool)]

    def revoked(self, name: int, venue: str) -> bool:
        return self.model.accounts[name].authorisation(venue).revoked_at != 0

    def any_pledge(self) -> bool:
        return any(account.pledges for account in self.model.accounts.values())

    def number(self, name: int, venue: str, offset: int) -> int:
        return max(self.model.accounts[name].authorisation(venue.lower()).number + offset, 0)

    @rule(choice=choices, offset=numbers, key=keys, wait=waits)
    def authorise(self, choice: int, offset: int, key: int | None, wait: int | str) -> None:
        self.tick(wait)
        accounts = self.model.accounts
        name, address = self.choose(choice, lambda name, venue: not accounts[name].authorisation(venue).authorised)
        holder, signer = self.signer(name, key)
        number = self.number(name, address, offset)
        expected = self.model.authorise(name, address.lower(), number, signer)
        self.sends(self.world.stranger, expected, "authorise", *holder.authorise(address, number))

    @rule(choice=choices, offset=numbers, key=keys, wait=waits)
    def revoke(self, choice: int, offset: int, key: int | None, wait: int | str) -> None:
        now = self.tick(wait)
        name, address = self.choose(choice, lambda name, venue: venue in self.model.accounts[name].pledges)
        holder, signer = self.signer(name, key)
        number = self.number(name, address, offset)
        expected = self.model.revoke(name, address.lower(), number, signer, now)
        self.sends(self.world.stranger, expected, "revoke", *holder.revoke(address, number))

    @rule(choice=choices, old=stale, pledge=commitments, version=versions, key=keys, wait=waits)
    def swap(self, choice: int, old: bool, pledge: bytes, version: int, key: int | None, wait: int | str) -> None:
        self.tick(wait)
        accounts = self.model.accounts
        name, address = self.choose(choice, lambda name, venue: accounts[name].authorisation(venue).authorised)
        holder, signer = self.signer(name, key)
        digest = NO_DIGEST if old else self.model.accounts[name].digest
        expected = self.model.swap(name, address.lower(), digest, pledge, version, signer)
        self.sends(address, expected, "swap", *holder.swap(address, digest, pledge, version))

    @precondition(lambda self: self.any_pledge())
    @rule(choice=choices, wait=waits)
    def release(self, choice: int, wait: int | str) -> None:
        self.tick(wait)
        name, address = self.choose(choice, lambda name, venue: venue in self.model.accounts[name].pledges)
        expected = self.model.release(name, address.lower())
        self.sends(address, expected, "release", self.holders[name].account)

    @precondition(lambda self: self.any_pledge())
    @rule(choice=choices, wait=waits)
    def lapse(self, choice: int, wait: int | str) -> None:
        now = self.tick(wait)
        name, address = self.choose(choice, self.revoked)
        expected = self.model.lapse(name, address.lower(), now)
        self.sends(self.world.stranger, expected, "lapse", self.holders[name].account, address)

    @precondition(lambda self: self.steps % 4 == 0)  # now and then
    @rule(name=names, new=st.integers(0, 3), key=keys, offset=numbers, wait=waits)
    def rotate(self, name: int, new: int, key: int | None, offset: int, wait: int | str) -> None:
        self.tick(wait)
        holder, signer = self.signer(name, key)
        number = max(len(self.model.accounts[name].keys) - 1 + offset, 0)
        expected = self.model.rotate(name, ADDRESSES[new], number, signer)
        self.sends(self.world.stranger, expected, "rotate_key", *holder.rotate(KEYS[new].address, number))

    @rule(venue=venues, other=venues, ending=st.booleans(), wait=waits)
    def agree(self, venue: int, other: int, ending: bool, wait: int | str) -> None:
        now = self.tick(wait)
        one, two = self.venues[venue], self.venues[other]
        if ending:
            expected = self.model.end_agreement(one.lower(), two.lower(), now)
            self.sends(one, expected, "end_agreement", two)
        else:
            self.sends(one, self.model.agree(one.lower(), two.lower()), "agree", two)

    @invariant()
    def storage_is_the_models(self) -> None:
        accounts = {name: holder.account for name, holder in self.holders.items()}
        slots = [slot for account in accounts.values() for slot in (*account_slots(account), *pledge_slots(account, 4))]
        pairs = [(name, venue) for name in NAMES for venue in self.venues]
        entries = {pair: authorisation_slot(accounts[pair[0]], parse_address(pair[1])) for pair in pairs}
        sides = {
            side: agreement_slot(parse_address(side[0]), parse_address(side[1])) for side in self.model.agreed_until
        }
        words = self.words([*slots, *entries.values(), *sides.values()])
        for name, account in accounts.items():
            self.check_account(self.model.accounts[name], account, words)
        for (name, venue), slot in entries.items():
            entry = self.model.accounts[name].authorisation(venue.lower())
            found = decode_authorisation(words[slot], self.now)
            assert (found.number, found.authorised, found.revoked_at) == (
                entry.number,
                entry.authorised,
                entry.revoked_at,
            )
        assert {side: words[slot] for side, slot in sides.items()} == self.model.agreed_until

    def words(self, slots: list[bytes]) -> dict[bytes, int]:
        keys = ["0x" + slot.hex() for slot in slots]
        reply = self.world.chain.devnet.rpc("eth_getProof", self.registry.address, keys, "latest")
        return {slot: int(entry["value"], 16) for slot, entry in zip(slots, reply["storageProof"], strict=True)}

    def check_account(self, expected: ModelAccount, account: bytes, words: dict[bytes, int]) -> None:
        """The record as whoever reads it by proof puts it together, and nothing beyond its last pledge."""
        head = decode_head(*(words[slot] for slot in account_slots(account)))
        pledges = [words[slot] for slot in pledge_slots(account, 4)]
        assert registry_record(account, head, pledges, self.now) == expected.record(account)
        assert not any(pledges[3 * head.count :])


def test_random_stories_agree_with_the_model(world: World) -> None:
    run_state_machine_as_test(
        lambda: RegistryStory(world),  # type: ignore[arg-type]  # any factory works, the annotation is narrower
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
