"""The account's own view of the registry: finalised, proven under headers that its own endpoints agree on."""

import dataclasses

from marginproof.chains.evm.client import (
    EndpointPool,
    read_agreements,
    read_authorisation,
    read_policy_time,
    read_registry_record,
)
from marginproof.chains.evm.verify import Authorisation, BlockHeader
from marginproof.model.chains import parse_address
from marginproof.model.errors import RefusedError
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.connections import Connections
from marginproof.prover.pledges import kept_pledges
from marginproof.prover.state import PolicyRecord


@dataclasses.dataclass(frozen=True, slots=True)
class RegistryView:
    """What the registry has of the account at one finalized block."""

    record: RegistryRecord
    header: BlockHeader


class RegistryReader:
    """Reads the registry with the account's own endpoints of the home chain, and lets the account learn from it.

    All methods raise NotFoundError without such endpoints, UnavailableError where they fail or disagree, and
    CODE_HASH_MISMATCH where another contract lies at the registry's address.
    """

    def __init__(self, account: Account, network: NetworkFile, connections: Connections) -> None:
        self._account = account
        self._network = network
        self._connections = connections

    async def view(self) -> RegistryView:
        """The account's record now; afterwards the account signs with the key that this record names.

        Raises:
            RefusedError: KEY_INVALID: the registry names a key that is not derived from the account's master secret.
        """
        pool, header = await self._finalized()
        record = await read_registry_record(
            pool, header, self._network.network, self._network.configuration, self._account.account_id
        )
        self._learn(record, header.number)
        return RegistryView(record, header)

    async def authorisation(self, venue: bytes, header: BlockHeader | None = None) -> Authorisation:
        """Whether the account lets a venue pledge, at a header from :meth:`view` or at the newest finalized one."""
        pool = self._connections.home()
        if header is None:
            pool, header = await self._finalized()
        return await read_authorisation(
            pool, header, self._network.network, self._network.configuration, self._account.account_id, venue
        )

    async def agreements(self, venue: bytes, others: tuple[bytes, ...], header: BlockHeader) -> frozenset[bytes]:
        """Those of ``others`` with whom the venue has a mutual agreement at a header from :meth:`view`."""
        if not others:
            return frozenset()
        pool = self._connections.home()
        return await read_agreements(pool, header, self._network.network, self._network.configuration, venue, others)

    async def policy_time(self, venue: bytes, digest: bytes) -> int | None:
        """From when a venue's policy holds, UTC seconds; None where it was not announced. It never changes."""
        for known in self._account.state.policies:
            if (known.venue, known.digest) == (venue, digest):
                return known.effective_at
        pool, header = await self._finalized()
        effective_at = await read_policy_time(pool, header, self._network.network.registry, venue, digest)
        if effective_at is not None:
            record = PolicyRecord(venue, digest, effective_at)
            state = self._account.state
            self._account.remember(dataclasses.replace(state, policies=(*state.policies, record)))
        return effective_at

    async def _finalized(self) -> tuple[EndpointPool, BlockHeader]:
        pool = self._connections.home()
        return pool, await pool.header_at(await pool.finalized_number())

    def _learn(self, record: RegistryRecord, block_number: int) -> None:
        account = self._account
        key = account.secret.owner_key(account.state.index, record.key_number)
        if record.signer(account.identity) != parse_address(key.address):
            raise RefusedError(
                ReasonCode.KEY_INVALID,
                "the registry says that another key speaks for this account",
                fix="only somebody with the account's key can have done this: withdraw collateral, warn your venues",
            )
        pledges = kept_pledges(account.state.pledges, record, block_number)
        changed = dataclasses.replace(account.state, key_number=record.key_number, pledges=pledges)
        if changed != account.state:
            account.remember(changed)
