"""From registrations and proven locks to this node's leaf list: pure, the same on every honest relayer."""

import dataclasses
from collections.abc import Iterable, Mapping

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.collateral import collateral_vector
from marginproof.attestation.digests import digest_of
from marginproof.chains.evm.verify import LockFacts
from marginproof.model.accounts import LockReference, Registration, lock_binding
from marginproof.model.certificates import Leaf, Reference
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.relayers.registrations import KnownRegistration

VaultLocks = Mapping[bytes, Mapping[int, LockFacts]]
"""Vault address → lock id → what was proven of the lock."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One chain as this node read it for one epoch."""

    network_id: bytes
    chain: str
    epoch: int
    reference: Reference
    locks: VaultLocks = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Derived:
    """The leaves, sorted by account, and why what was left out was left out.

    ``uncounted`` has, for each lock that counts nothing, its account and the reason; ``refused`` the accounts that get
    no leaf. Neither says which lock or how much.
    """

    leaves: tuple[Leaf, ...]
    uncounted: tuple[tuple[bytes, ReasonCode], ...]
    refused: tuple[tuple[bytes, ReasonCode], ...]


def wanted_locks(registrations: Iterable[Registration], chain: str) -> dict[bytes, list[int]]:
    """Which locks must be read on a chain: vault → lock ids, rising, each once."""
    wanted: dict[bytes, set[int]] = {}
    for registration in registrations:
        for lock in registration.locks:
            if lock.chain == chain:
                wanted.setdefault(lock.vault, set()).add(lock.lock_id)
    return {vault: sorted(lock_ids) for vault, lock_ids in sorted(wanted.items())}


def derive_leaves(registrations: Iterable[KnownRegistration], reading: Reading, universe: Universe) -> Derived:
    """One leaf for every account with at least one registered lock on the chain.

    A lock that does not count (absent, under notice, frozen, of an asset outside the universe) adds nothing; the leaf
    is made all the same, so that the newest leaf shows the loss. A lock whose binding does not name the account and its
    payees makes the whole registration bad: no leaf. Since a lock has one binding, it never counts in two accounts.

    Args:
        registrations: At most one per account.
        reading: Has every lock of :func:`wanted_locks`.
        universe: The universe in force.
    """
    leaves: list[Leaf] = []
    uncounted: list[tuple[bytes, ReasonCode]] = []
    refused: list[tuple[bytes, ReasonCode]] = []
    for known in registrations:
        registration, account = known.registration, known.account
        locks = [lock for lock in registration.locks if lock.chain == reading.chain]
        if not locks:
            continue
        holdings: list[tuple[bytes, int]] = []
        reasons = []
        for lock in locks:
            facts = reading.locks[lock.vault][lock.lock_id]
            reason = _reason(registration, account, lock, facts, universe)
            reasons.append(reason)
            if reason is None:
                holdings.append((facts.asset, facts.amount))
        if ReasonCode.LOCK_BINDING in reasons:
            refused.append((account, ReasonCode.LOCK_BINDING))
            continue
        uncounted += [(account, reason) for reason in reasons if reason is not None]
        leaves.append(_leaf(known, reading, universe, holdings))
    return Derived(tuple(sorted(leaves, key=_by_account)), tuple(uncounted), tuple(refused))


def _reason(
    registration: Registration, account: bytes, lock: LockReference, facts: LockFacts, universe: Universe
) -> ReasonCode | None:
    if not facts.exists:
        return ReasonCode.LOCK_ABSENT
    if facts.binding != lock_binding(account, registration.payees_root, lock.salt):
        return ReasonCode.LOCK_BINDING
    if facts.notice_at:
        return ReasonCode.LOCK_UNDER_NOTICE
    if facts.frozen_at:
        return ReasonCode.LOCK_FROZEN
    if universe.collateral_entry(lock.chain, facts.asset) is None:
        return ReasonCode.LOCK_ASSET_UNKNOWN
    return None


def _leaf(known: KnownRegistration, reading: Reading, universe: Universe, holdings: list[tuple[bytes, int]]) -> Leaf:
    blinding = leaf_blinding(
        known.registration.blinding_seed,
        network=reading.network_id,
        chain=reading.chain,
        account=known.account,
        registration_digest=known.digest,
        epoch=reading.epoch,
        reference_hash=reading.reference.hash,
        universe_digest=digest_of(universe),
    )
    vector = collateral_vector(universe, reading.chain, holdings)
    commitment = core.commit(universe.n, vector, blinding)
    return Leaf(known.account, reading.chain, known.digest, known.registration.payees_root, commitment)


def _by_account(leaf: Leaf) -> bytes:
    return leaf.account
