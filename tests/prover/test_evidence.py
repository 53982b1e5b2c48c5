"""What the account checks of leaves and certificates: one thing wrong at a time."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.model.accounts import LockReference, Registration
from marginproof.model.certificates import Certificate, IncludedLeaf, Leaf, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.chain_view import recorded_holdings
from marginproof.prover.evidence import CertifiedLeaf, check_leaf, newest, open_leaf
from marginproof.prover.registering import build_registration, first_epoch_for
from marginproof.prover.state import LockEventKind, LockRecord
from tests.prover.world import ETH, GENESIS, HOME, LOT, SECOND, certify, make_account, network_file

NETWORK = network_file()
NOW = GENESIS + 10_000
REFERENCE = Reference(100, b"\x06" * 32, NOW - 200)
HOLDINGS = [(bytes(20), 3 * 10**18), (bytes(20), 5 * 10**17)]
LOCK = LockRecord(0, 0, HOME, b"\x33" * 20, bytes(20), 10**18, 0, 4).after(LockEventKind.LOCKED, 35 * 10**17, 90)


@pytest.fixture
def account(tmp_path: Path) -> Account:
    with make_account(tmp_path / "account", NETWORK) as account:
        account.replace_lock(LOCK)
        return account


@pytest.fixture
def registration(account: Account) -> Registration:
    return build_registration(account, NETWORK, 1, 5).registration


def leaf_of(registration: Registration, vector: dict[int, int], epoch: int = 30, chain: str = HOME) -> Leaf:
    blinding = leaf_blinding(
        registration.blinding_seed,
        network=NETWORK.network_id,
        chain=chain,
        account=registration.account,
        registration_digest=registration.root(),
        epoch=epoch,
        reference_hash=REFERENCE.hash,
        universe_digest=NETWORK.universe.root(),
    )
    commitment = core.commit(256, vector, blinding)
    return Leaf(registration.account, chain, registration.root(), registration.payees_root, commitment)


def certified(registration: Registration, vector: dict[int, int] | None = None, **options: Any) -> CertifiedLeaf:
    epoch = options.pop("epoch", 30)
    leaf = leaf_of(registration, {ETH: 35 * LOT // 10} if vector is None else vector, epoch)
    return CertifiedLeaf(*certify(NETWORK, leaf, epoch=epoch, reference=REFERENCE, **options))


def checked(
    included: IncludedLeaf, certificate: Certificate, registration: Registration, **changes: Any
) -> CertifiedLeaf:
    options: dict[str, Any] = {"network": NETWORK, "account": registration.account, "chain": HOME, "now": NOW} | changes
    return check_leaf(included, certificate, **options)


def code_of(*arguments: Any, **changes: Any) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        checked(*arguments, **changes)
    return caught.value.code


def test_an_honest_leaf_passes_and_opens(registration: Registration) -> None:
    leaf = certified(registration)
    assert checked(leaf.included, leaf.certificate, registration) == leaf
    opened = open_leaf(leaf, {registration.root(): registration}, NETWORK, HOLDINGS)
    assert opened.vector == {ETH: 35 * LOT // 10}
    assert core.commit(256, dict(opened.vector), opened.blinding) == leaf.included.leaf.commitment


def test_amounts_and_blindings_are_hidden(registration: Registration) -> None:
    opened = open_leaf(certified(registration), {registration.root(): registration}, NETWORK, HOLDINGS)
    assert str(35 * LOT // 10) not in repr(opened)
    assert opened.blinding.hex() not in repr(opened)


def test_each_wrong_certificate_is_refused(registration: Registration) -> None:
    leaf = certified(registration)
    included, certificate = leaf.included, leaf.certificate
    body = certificate.body
    other = dataclasses.replace(certificate, body=dataclasses.replace(body, expires_at=body.expires_at + 1))
    assert code_of(included, other, registration) is ReasonCode.CERTIFICATE_SIGNATURE
    alone = dataclasses.replace(certificate, signers=(True, False, False))
    assert code_of(included, alone, registration) is ReasonCode.SIGNERS_TOO_FEW
    foreign = dataclasses.replace(certificate, body=dataclasses.replace(body, network=b"\x01" * 32))
    assert code_of(included, foreign, registration) is ReasonCode.WRONG_NETWORK
    strange = dataclasses.replace(certificate, body=dataclasses.replace(body, signer_set=b"\x01" * 32))
    assert code_of(included, strange, registration) is ReasonCode.SIGNER_SET_UNKNOWN


def test_each_wrong_inclusion_is_refused(registration: Registration) -> None:
    leaf = certified(registration)
    included, certificate = leaf.included, leaf.certificate
    moved = dataclasses.replace(included, index=1 - included.index)
    assert code_of(moved, certificate, registration) is ReasonCode.LEAF_NOT_INCLUDED
    other = dataclasses.replace(included, certificate_digest=b"\x01" * 32)
    assert code_of(other, certificate, registration) is ReasonCode.CERTIFICATE_MISMATCH


def test_a_leaf_of_another_account_or_chain_is_refused(registration: Registration) -> None:
    leaf = certified(registration)
    arguments = (leaf.included, leaf.certificate, registration)
    assert code_of(*arguments, account=b"\x01" * 32) is ReasonCode.LEAF_ACCOUNT_MISMATCH
    assert code_of(*arguments, chain=SECOND) is ReasonCode.LEAF_ACCOUNT_MISMATCH


def test_another_universe_is_refused(registration: Registration) -> None:
    leaf = certified(registration)
    other = dataclasses.replace(NETWORK, universe=dataclasses.replace(NETWORK.universe, version=2))
    assert code_of(leaf.included, leaf.certificate, registration, network=other) is ReasonCode.UNIVERSE_MISMATCH


def test_an_expired_certificate_is_refused_to_the_second(registration: Registration) -> None:
    leaf = certified(registration)
    expiry = leaf.certificate.body.expires_at
    assert checked(leaf.included, leaf.certificate, registration, now=expiry - 1)
    assert code_of(leaf.included, leaf.certificate, registration, now=expiry) is ReasonCode.CERTIFICATE_EXPIRED


@pytest.mark.parametrize(
    "holdings",
    [
        [],
        HOLDINGS[:1],
        [*HOLDINGS, (bytes(20), 10**12)],
        [(b"\x11" * 20, 35 * 10**5)],
    ],
)
def test_a_leaf_over_anything_but_the_accounts_own_view_is_refused(
    registration: Registration, holdings: list[tuple[bytes, int]]
) -> None:
    with pytest.raises(MarginproofError) as caught:
        open_leaf(certified(registration), {registration.root(): registration}, NETWORK, holdings)
    assert caught.value.code is ReasonCode.CERTIFICATE_MISMATCH
    assert "endpoints" in caught.value.fix


def test_a_leaf_under_a_foreign_registration_is_refused(account: Account, registration: Registration) -> None:
    later = build_registration(account, NETWORK, 2, 6).registration
    with pytest.raises(MarginproofError) as caught:
        open_leaf(certified(registration), {later.root(): later}, NETWORK, HOLDINGS)
    assert caught.value.code is ReasonCode.CERTIFICATE_MISMATCH


def test_a_leaf_with_other_payees_is_refused(registration: Registration) -> None:
    leaf = dataclasses.replace(leaf_of(registration, {ETH: 35 * LOT // 10}), payees_root=b"\x01" * 32)
    pair = certify(NETWORK, leaf, epoch=30, reference=REFERENCE)
    with pytest.raises(MarginproofError) as caught:
        open_leaf(CertifiedLeaf(*pair), {registration.root(): registration}, NETWORK, HOLDINGS)
    assert caught.value.code is ReasonCode.CERTIFICATE_MISMATCH


def test_the_newest_epoch_wins(registration: Registration) -> None:
    old, new = certified(registration, epoch=29), certified(registration, epoch=30)
    assert newest([new, old]) is new
    assert newest([old, new]) is new


def test_records_give_what_counted_at_the_block(registration: Registration) -> None:
    assert recorded_holdings([LOCK], registration, HOME, 89) == []
    assert recorded_holdings([LOCK], registration, HOME, 90) == [(bytes(20), 35 * 10**17)]
    assert recorded_holdings([LOCK], registration, SECOND, 90) == []
    noticed = LOCK.after(LockEventKind.NOTICE_STARTED, LOCK.amount, 95)
    assert recorded_holdings([noticed], registration, HOME, 100) == []
    stranger = dataclasses.replace(LOCK, lock_id=5)
    assert recorded_holdings([stranger], registration, HOME, 100) == []


def test_registration_lists_live_locks_in_order(account: Account) -> None:
    records = [
        dataclasses.replace(LOCK, number=1, chain=SECOND, key_index=1),
        dataclasses.replace(LOCK, number=2, lock_id=2, key_index=2),
        dataclasses.replace(LOCK, number=3, lock_id=9, key_index=3).after(LockEventKind.WITHDRAWN, 0, 99),
        LockRecord(4, 4, HOME, b"\x33" * 20, bytes(20), 1, 0),
    ]
    for record in records:
        account.replace_lock(record)
    registration = build_registration(account, NETWORK, 1, 5).registration
    assert [(lock.chain, lock.lock_id) for lock in registration.locks] == [(HOME, 2), (HOME, 4), (SECOND, 4)]
    assert [lock.salt for lock in registration.locks] == [account.secret.lock_salt(index) for index in (2, 0, 1)]
    assert isinstance(registration.locks[0], LockReference)


def test_nothing_to_register_is_refused(tmp_path: Path) -> None:
    with make_account(tmp_path / "empty", NETWORK) as empty, pytest.raises(MarginproofError) as caught:
        build_registration(empty, NETWORK, 1, 5)
    assert caught.value.code is ReasonCode.LOCK_ABSENT


def test_a_registration_counts_from_an_epoch_that_relayers_can_still_take() -> None:
    genesis = NETWORK.configuration.genesis_time
    assert [first_epoch_for(NETWORK, genesis + second) for second in (0, 269, 270, 299, 300)] == [1, 1, 2, 2, 2]
    assert first_epoch_for(NETWORK, genesis - 10_000) == 0
