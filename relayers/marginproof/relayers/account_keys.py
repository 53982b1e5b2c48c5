"""Which key signs for an account now: read by proof from the registry, bounded like all that strangers ask for."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from marginproof.chains.evm.client import EndpointPool, read_registry_record
from marginproof.chains.evm.verify import BlockHeader
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import UnavailableError
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import RegistryRecord
from marginproof.node.limits import RateLimit

_AT_ONCE: Final = 4
_ATTEMPTS: Final = 3
_HEADER_SECONDS: Final = 1.0
_EVERYBODY: Final = "everybody"


class AccountKeys(Protocol):
    """Where a node learns an account's current key."""

    async def current(self, identity: AccountIdentity) -> bytes:
        """The address, 20 bytes, of the key that signs for the account now."""
        ...


class RegistryKeys:
    """Reads the registry at the home chain's newest finalized block.

    Args:
        pool: The home chain.
        file: The network.
        reads_per_second: Limit for all callers together: whoever calls from many addresses cannot make this node
            flood its endpoints.
        clock: UTC seconds.
    """

    def __init__(
        self, pool: EndpointPool, file: NetworkFile, reads_per_second: int, clock: Callable[[], float]
    ) -> None:
        self._pool = pool
        self._file = file
        self._clock = clock
        self._limit = RateLimit(reads_per_second)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._header: tuple[float, BlockHeader] | None = None

    async def current(self, identity: AccountIdentity) -> bytes:
        """The owner's address unless the registry shows a rotation.

        Raises:
            UnavailableError: RATE_LIMITED, or the home chain cannot be read.
            MarginproofError: What lies at the registry's address is not this network's registry.
        """
        self._limit.take(_EVERYBODY, self._clock())
        account = identity.root()
        async with self._slots:
            for _ in range(_ATTEMPTS - 1):
                try:
                    return (await self._record(account)).signer(identity)
                except UnavailableError:  # a node that serves proofs can lag behind the one that names the block
                    self._header = None
                    await asyncio.sleep(_HEADER_SECONDS)
            return (await self._record(account)).signer(identity)

    async def _record(self, account: bytes) -> RegistryRecord:
        header = await self._newest()
        return await read_registry_record(self._pool, header, self._file.network, self._file.configuration, account)

    async def _newest(self) -> BlockHeader:
        """The finalized header, asked for at most once a second."""
        now = self._clock()
        if self._header is None or not 0 <= now - self._header[0] < _HEADER_SECONDS:
            self._header = now, await self._pool.header_at(await self._pool.finalized_number())
        return self._header[1]
