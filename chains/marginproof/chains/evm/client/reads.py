"""What the other rooms read from a chain: vaults and the registry, proven under an agreed header."""

from collections.abc import Collection, Sequence

from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.contracts.registry_code import expected_registry_code
from marginproof.chains.evm.verify import (
    Authorisation,
    BlockHeader,
    SlotFact,
    VaultFacts,
    account_slots,
    agreement_holds,
    agreement_slot,
    authorisation_slot,
    check_code,
    decode_authorisation,
    decode_head,
    pledge_slots,
    policy_slot,
    recorded_time,
    registry_record,
    total_locked_slot,
    vault_facts,
    vault_slots,
)
from marginproof.model.errors import MarginproofError
from marginproof.model.network import Configuration, Network, VaultPin
from marginproof.model.pledges import RegistryRecord
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


async def read_registry_record(
    pool: EndpointPool, header: BlockHeader, network: Network, configuration: Configuration, account: bytes
) -> RegistryRecord:
    """An account's digest, key and standing pledges at a block.

    Args:
        pool: The home chain.
        header: A header from the pool, usually the finalized one.
        network: The network, which names the registry.
        configuration: Its configuration, which the registry's code hash follows from.
        account: Account id, 32 bytes.

    Returns:
        An empty record (digest and key zero, no pledges) for an account that the registry has never seen.

    Raises:
        UnavailableError: No endpoint gave a proof that holds.
        MarginproofError: CHAIN_ID_MISMATCH for a pool of another chain; ACCOUNT_ABSENT, CODE_HASH_MISMATCH: there is
            no registry of this network at its address; REGISTRY_INVARIANT.
    """
    digest, control = account_slots(account)
    values = await _registry_words(pool, header, network, configuration, [digest, control])
    head = decode_head(values[digest].value, values[control].value)
    slots = pledge_slots(account, head.count)
    if slots:
        values = await _registry_words(pool, header, network, configuration, slots)
    return registry_record(account, head, [values[slot].value for slot in slots], header.timestamp)


async def read_authorisation(
    pool: EndpointPool,
    header: BlockHeader,
    network: Network,
    configuration: Configuration,
    account: bytes,
    venue: bytes,
) -> Authorisation:
    """Whether an account lets a venue pledge at a block.

    Args:
        pool: The home chain.
        header: A header from the pool, usually the finalized one.
        network: The network, which names the registry.
        configuration: Its configuration.
        account: Account id, 32 bytes.
        venue: Address, 20 bytes.

    Raises:
        UnavailableError, MarginproofError: See :func:`read_registry_record`.
    """
    slot = authorisation_slot(account, venue)
    values = await _registry_words(pool, header, network, configuration, [slot])
    return decode_authorisation(values[slot].value, header.timestamp)


async def read_agreements(
    pool: EndpointPool,
    header: BlockHeader,
    network: Network,
    configuration: Configuration,
    venue: bytes,
    others: Collection[bytes],
) -> frozenset[bytes]:
    """With which of these venues a mutual agreement holds at the block's time.

    Args:
        pool: The home chain.
        header: A header from the pool, usually the finalized one.
        network: The network, which names the registry.
        configuration: Its configuration.
        venue: Address, 20 bytes.
        others: Addresses, 20 bytes each.

    Raises:
        UnavailableError, MarginproofError: See :func:`read_registry_record`.
    """
    sides = {other: (agreement_slot(venue, other), agreement_slot(other, venue)) for other in others}
    slots = [slot for pair in sides.values() for slot in pair]
    values = await _registry_words(pool, header, network, configuration, slots)
    return frozenset(
        other
        for other, (own, foreign) in sides.items()
        if agreement_holds(values[own].value, values[foreign].value, header.timestamp)
    )


async def _registry_words(
    pool: EndpointPool,
    header: BlockHeader,
    network: Network,
    configuration: Configuration,
    slots: Sequence[bytes],
) -> dict[bytes, SlotFact]:
    if network.home_chain != pool.chain:
        raise MarginproofError(
            ReasonCode.CHAIN_ID_MISMATCH,
            f"a registry on {network.home_chain} cannot be read on {pool.chain}",
            fix="use the pool of the home chain",
        )
    account, values = await pool.read_account(header, network.registry, slots)
    check_code(account, expected_registry_code(network, configuration))
    return values
