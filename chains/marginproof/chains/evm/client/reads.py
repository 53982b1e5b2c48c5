"""What the other rooms read from a chain: vaults and the registry, proven under an agreed header."""

from collections.abc import Sequence

from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.verify import (
    BlockHeader,
    VaultFacts,
    policy_slot,
    recorded_time,
    total_locked_slot,
    vault_facts,
    vault_slots,
)
from marginproof.model.errors import MarginproofError
from marginproof.model.network import VaultPin
from marginproof.model.reasons import ReasonCode


async def read_vault(
    pool: EndpointPool, header: BlockHeader, pin: VaultPin, lock_ids: Sequence[int], assets: Sequence[bytes]
) -> VaultFacts:
    """Locks and totals of a pinned vault at a block.

    The endpoint that serves the proof sees which locks are read: use endpoints that may know, or read more locks
    than those of one account at a time.

    Args:
        pool: The vault's chain.
        header: A header from the pool, usually a reference block.
        pin: The vault's address and code hash from the network configuration.
        lock_ids: Locks to read.
        assets: Assets (20 bytes each) whose totals to read besides those of the native coin and of the locks read.

    Raises:
        UnavailableError: No endpoint gave a proof that holds.
        MarginproofError: ACCOUNT_ABSENT, CODE_HASH_MISMATCH, VAULT_INVARIANT; CHAIN_ID_MISMATCH for a pool of
            another chain.
    """
    if pin.chain != pool.chain:
        raise MarginproofError(
            ReasonCode.CHAIN_ID_MISMATCH,
            f"a vault on {pin.chain} cannot be read on {pool.chain}",
            fix="use the pool of the vault's chain",
        )
    account, values = await pool.read_account(header, pin.address, vault_slots(lock_ids, assets))

    def facts(totals_of: Sequence[bytes]) -> VaultFacts:
        return vault_facts(
            header,
            address=pin.address,
            code_hash=pin.code_hash,
            account=account,
            values=values,
            lock_ids=lock_ids,
            assets=totals_of,
        )

    found = facts(assets)
    unread = sorted({lock.asset for lock in found.locks.values() if lock.exists} - found.total_locked.keys())
    if not unread:
        return found
    _, totals = await pool.read_account(header, pin.address, [total_locked_slot(asset) for asset in unread])
    values.update(totals)
    return facts([*assets, *unread])


async def read_policy_time(
    pool: EndpointPool, header: BlockHeader, registry: bytes, venue: bytes, digest: bytes
) -> int | None:
    """From when on a venue's policy holds, as announced on the registry.

    Args:
        pool: The home chain.
        header: A header from the pool, usually the finalized one.
        registry: The registry's address, 20 bytes.
        venue: The venue's address, 20 bytes.
        digest: The policy's digest, 32 bytes.

    Returns:
        UTC seconds, or None if the policy was not announced at this block.

    Raises:
        UnavailableError: No endpoint gave a proof that holds.
        MarginproofError: ACCOUNT_ABSENT, there is no contract at the registry's address.
    """
    slot = policy_slot(venue, digest)
    account, values = await pool.read_account(header, registry, [slot])
    if not account.has_code:
        raise MarginproofError(
            ReasonCode.ACCOUNT_ABSENT,
            "the home chain has no contract at the registry's address",
            fix="check the registry's address and the home chain in the network configuration",
        )
    return recorded_time(values[slot])
