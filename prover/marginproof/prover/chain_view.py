"""The account's own view of its locks at a reference block: proven by its own endpoints, else as it recorded them."""

from collections.abc import Iterable, Mapping, Sequence

from marginproof.chains.evm.client import EndpointPool, read_vault
from marginproof.chains.evm.verify import LockFacts
from marginproof.model.accounts import LockReference, Registration, lock_binding
from marginproof.model.certificates import Reference
from marginproof.model.errors import RefusedError
from marginproof.model.network import Configuration, vaults_on
from marginproof.model.reasons import ReasonCode
from marginproof.prover.state import LockRecord

Holdings = list[tuple[bytes, int]]
"""(token, base units) of every lock that counts; secret."""


def recorded_holdings(locks: Iterable[LockRecord], registration: Registration, chain: str, block: int) -> Holdings:
    """What the registered locks of a chain hold at a block by the account's own records."""
    registered = {(lock.vault, lock.lock_id) for lock in registration.locks if lock.chain == chain}
    return [
        (lock.token, lock.amount_at(block))
        for lock in locks
        if lock.chain == chain and (lock.vault, lock.lock_id) in registered and lock.amount_at(block)
    ]


async def proven_holdings(
    pool: EndpointPool, configuration: Configuration, registration: Registration, reference: Reference
) -> Holdings:
    """What the registered locks of the pool's chain hold at a reference block, proven under its header.

    Raises:
        RefusedError: CERTIFICATE_MISMATCH: the account's own endpoints have another block at this height.
        MarginproofError: The endpoints failed or disagree, or a vault is not what the network pins.
    """
    header = await pool.header_at(reference.number)
    if header.hash != reference.hash or header.timestamp != reference.timestamp:
        raise RefusedError(
            ReasonCode.CERTIFICATE_MISMATCH,
            f"the certificate names a block of {pool.chain} that the account's own endpoints do not have",
            fix="check the endpoints; if they are right, do not rely on these relayers and tell the venue",
            fields={"chain": pool.chain, "block": reference.number},
        )
    holdings: Holdings = []
    locks = [lock for lock in registration.locks if lock.chain == pool.chain]
    for pin in vaults_on(configuration, pool.chain):
        own = [lock for lock in locks if lock.vault == pin.address]
        if own:
            facts = await read_vault(pool, header, pin, [lock.lock_id for lock in own], ())
            holdings += counting(own, facts.locks, registration)
    return holdings


def counting(locks: Sequence[LockReference], facts: Mapping[int, LockFacts], registration: Registration) -> Holdings:
    """The holdings of those locks that count: made, bound to this account, neither under notice nor frozen."""
    account = registration.account
    holdings = []
    for lock in locks:
        fact = facts[lock.lock_id]
        bound = fact.binding == lock_binding(account, registration.payees_root, lock.salt)
        if fact.counts and bound:
            holdings.append((fact.asset, fact.amount))
    return holdings
