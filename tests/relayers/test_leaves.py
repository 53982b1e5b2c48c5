"""What a relayer commits to, from what it read: pure."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.chains.evm.verify import LockFacts
from marginproof.model.accounts import LockReference, Registration, lock_binding
from marginproof.model.certificates import Reference
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from marginproof.relayers.leaves import Derived, Reading, derive_leaves, wanted_locks
from marginproof.relayers.registrations import KnownRegistration
from tests.attestation.builders import CHAIN, NETWORK, OTHER_CHAIN, registration

VAULT, TOKEN, UNKNOWN = b"\x77" * 20, b"\x0a" * 20, b"\x0b" * 20
REFERENCE = Reference(9, b"\x04" * 32, 1_700_000_000)
UNIVERSE = Universe(
    1,
    1,
    256,
    (PricePoint("p", PointKind.PRICE, (Feed(CHAIN, TOKEN),), 1, 60, 100),),
    (
        Entry(2, "eth", EntryKind.COLLATERAL, 6, 10**12, "p", CHAIN, bytes(20), 18, 0, 0, ""),
        Entry(7, "usd", EntryKind.COLLATERAL, 2, 10**12, "p", CHAIN, TOKEN, 6, 0, 0, ""),
    ),
).checked()


def known(of: Registration) -> KnownRegistration:
    return KnownRegistration(of, of.account, of.root())


def lock(of: Registration, index: int, **changes: object) -> LockFacts:
    salt = of.locks[index].salt
    facts = LockFacts(
        exists=True,
        owner=b"\x01" * 20,
        asset=bytes(20),
        amount=2 * 10**18,
        notice_at=0,
        frozen_at=0,
        binding=lock_binding(of.account, of.payees_root, salt),
    )
    return dataclasses.replace(facts, **changes)  # type: ignore[arg-type] # one helper for all fields


ABSENT = LockFacts(
    exists=False, owner=bytes(20), asset=bytes(20), amount=0, notice_at=0, frozen_at=0, binding=bytes(32)
)


def derive(of: list[Registration], locks: dict[int, LockFacts], chain: str = CHAIN) -> Derived:
    reading = Reading(NETWORK, chain, 6, REFERENCE, {VAULT: locks})
    return derive_leaves([known(item) for item in of], reading, UNIVERSE)


def commitment(of: Registration, vector: dict[int, int]) -> bytes:
    blinding = leaf_blinding(
        of.blinding_seed,
        network=NETWORK,
        chain=CHAIN,
        account=of.account,
        registration_digest=of.root(),
        epoch=6,
        reference_hash=REFERENCE.hash,
        universe_digest=UNIVERSE.root(),
    )
    return core.commit(256, vector, blinding)


def test_locks_of_one_chain_are_added() -> None:
    of = registration()
    derived = derive([of], {1: lock(of, 0), 2: lock(of, 1, asset=TOKEN, amount=5_000_000)})
    (leaf,) = derived.leaves
    assert leaf.commitment == commitment(of, {2: 2_000_000, 7: 500})
    assert (leaf.account, leaf.chain, leaf.registration_digest) == (of.account, CHAIN, of.root())
    assert leaf.payees_root == of.payees_root
    assert derived.uncounted == derived.refused == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"notice_at": 5}, ReasonCode.LOCK_UNDER_NOTICE),
        ({"frozen_at": 5}, ReasonCode.LOCK_FROZEN),
        ({"asset": UNKNOWN}, ReasonCode.LOCK_ASSET_UNKNOWN),
    ],
)
def test_a_lock_that_does_not_count_adds_nothing(change: dict[str, object], reason: ReasonCode) -> None:
    of = registration()
    derived = derive([of], {1: lock(of, 0), 2: lock(of, 1, **change)})
    assert derived.leaves[0].commitment == commitment(of, {2: 2_000_000})
    assert derived.uncounted == ((of.account, reason),)


def test_withdrawn_locks_leave_a_leaf_of_nothing() -> None:
    of = registration()
    derived = derive([of], {1: ABSENT, 2: ABSENT})
    assert derived.leaves[0].commitment == commitment(of, {})
    assert derived.uncounted == ((of.account, ReasonCode.LOCK_ABSENT),) * 2


@pytest.mark.parametrize("change", [{}, {"notice_at": 5}, {"frozen_at": 5}, {"asset": UNKNOWN}])
def test_a_foreign_binding_costs_the_account_its_leaf(change: dict[str, object]) -> None:
    of = registration()
    derived = derive([of], {1: lock(of, 0), 2: lock(of, 1, binding=b"\x09" * 32, **change)})
    assert derived.leaves == ()
    assert derived.refused == ((of.account, ReasonCode.LOCK_BINDING),)


@pytest.mark.parametrize("field", ["payees_root", "locks"])
def test_binding_names_payees_and_salt(field: str) -> None:
    of = registration()
    locks = {1: lock(of, 0), 2: lock(of, 1)}
    other_salt = (dataclasses.replace(of.locks[0], salt=b"\x0c" * 32), *of.locks[1:])
    changed = registration(payees_root=b"\x0d" * 32) if field == "payees_root" else registration(locks=other_salt)
    assert derive([changed], locks).refused == ((of.account, ReasonCode.LOCK_BINDING),)


def test_one_lock_never_counts_in_two_accounts() -> None:
    first = registration()
    second = dataclasses.replace(first, identity=dataclasses.replace(first.identity, index=1))
    derived = derive([first, second], {1: lock(first, 0), 2: lock(first, 1)})
    assert [leaf.account for leaf in derived.leaves] == [first.account]
    assert derived.refused == ((second.account, ReasonCode.LOCK_BINDING),)


def test_accounts_without_locks_on_the_chain_have_no_leaf() -> None:
    of = registration(locks=(LockReference(OTHER_CHAIN, VAULT, 1, b"\x01" * 32),))
    assert derive([of], {}) == Derived((), (), ())


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(5)))
def test_leaves_rise_by_account(order: list[int]) -> None:
    one = registration()
    accounts = [dataclasses.replace(one, identity=dataclasses.replace(one.identity, index=index)) for index in order]
    derived = derive(accounts, {1: ABSENT, 2: ABSENT})
    found = [leaf.account for leaf in derived.leaves]
    assert found == sorted(found)
    assert len(found) == 5


def test_wanted_locks_are_read_once() -> None:
    of = registration()
    assert wanted_locks([of, of], CHAIN) == {VAULT: [1, 2]}
    assert wanted_locks([of], "eip155:5") == {}


def test_amounts_do_not_show() -> None:
    of = registration()
    reading = Reading(NETWORK, CHAIN, 6, REFERENCE, {VAULT: {1: lock(of, 0)}})
    assert str(2 * 10**18) not in repr(reading) + repr(lock(of, 0))
