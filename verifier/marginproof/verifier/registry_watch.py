"""What the registry says at the home chain's finalized block, read by proof and remembered for that block."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.client.reads import read_agreements, read_authorisation, read_registry_record
from marginproof.chains.evm.verify.headers import BlockHeader
from marginproof.model.pledges import RegistryRecord
from marginproof.verifier.setting import VenueSetting

HEADER_SECONDS: Final = 1.0
"""For so long the last finalized block is taken as the newest; a caller that needs to know asks for a fresh one."""
_MAX_ACCOUNTS: Final = 4_096
T = TypeVar("T")


class RegistryWatch:
    """The registry as one venue sees it. Nothing but finalized blocks counts, and never an earlier one than before.

    Args:
        pool: The home chain.
        setting: The venue.
        monotonic: Gives seconds of a clock that never goes back.
    """

    def __init__(
        self,
        pool: EndpointPool,
        setting: VenueSetting,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._setting = setting
        self._monotonic = monotonic
        self._header: BlockHeader | None = None
        self._asked_at = 0.0
        self._asking = asyncio.Lock()
        self._records: OrderedDict[bytes, tuple[bytes, RegistryRecord]] = OrderedDict()
        self._authorised: OrderedDict[bytes, tuple[bytes, bool]] = OrderedDict()
        self._agreements: tuple[bytes, frozenset[bytes], frozenset[bytes]] | None = None
        self._nonce: tuple[bytes, int] | None = None

    async def header(self, *, fresh: bool = False) -> BlockHeader:
        """The newest finalized block's header.

        Args:
            fresh: Ask the endpoints even if they were asked within the last second.

        Raises:
            MarginproofError: The endpoints disagree, are silent, or took a finalized block back.
        """
        asked = self._monotonic()
        async with self._asking:
            # Whoever waited here while another asked takes that answer: it is not older than the own question.
            if self._header is None or self._asked_at < (asked if fresh else asked - HEADER_SECONDS):
                started = self._monotonic()
                header = await self._pool.header_at(await self._pool.finalized_number())
                if self._header is None or header.number > self._header.number:
                    self._header = header
                self._asked_at = started
            return self._header

    def seen_within(self, seconds: float) -> bool:
        """Whether the endpoints agreed on the newest finalized block within the last so many seconds."""
        return self._header is not None and self._monotonic() - self._asked_at <= seconds

    async def record(self, account: bytes, *, fresh: bool = False) -> RegistryRecord:
        """Digest, key and standing pledges of an account.

        Args:
            account: Account id, 32 bytes.
            fresh: See :meth:`header`.

        Raises:
            MarginproofError: As for :meth:`header`, or the registry is not the network's.
        """
        return await self.record_at(await self.header(fresh=fresh), account)

    async def record_at(self, header: BlockHeader, account: bytes) -> RegistryRecord:
        """The same at a given finalized block."""
        known = self._records.get(account)
        if known is not None and known[0] == header.hash:
            return known[1]
        file = self._setting.file
        record = await read_registry_record(self._pool, header, file.network, file.configuration, account)
        _remember(self._records, account, (header.hash, record))
        return record

    async def authorised(self, account: bytes, *, fresh: bool = False) -> bool:
        """Whether the account lets this venue swap: authorised, and not revoked since."""
        return await self.authorised_at(await self.header(fresh=fresh), account)

    async def authorised_at(self, header: BlockHeader, account: bytes) -> bool:
        """The same at a given finalized block."""
        known = self._authorised.get(account)
        if known is not None and known[0] == header.hash:
            return known[1]
        file, venue = self._setting.file, self._setting.venue
        found = await read_authorisation(self._pool, header, file.network, file.configuration, account, venue)
        _remember(self._authorised, account, (header.hash, found.authorised))
        return found.authorised

    async def agreements(self, candidates: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the candidates (addresses, 20 bytes each) that have a mutual agreement with this venue."""
        asked = frozenset(candidates)
        if not asked:
            return frozenset()
        header = await self.header()
        known = self._agreements
        if known is not None and known[:2] == (header.hash, asked):
            return known[2]
        file, venue = self._setting.file, self._setting.venue
        found = await read_agreements(self._pool, header, file.network, file.configuration, venue, sorted(asked))
        self._agreements = (header.hash, asked, found)
        return found

    async def nonce_at(self, header: BlockHeader) -> int:
        """How many transactions of the venue's key a block and all before it contain, by proof."""
        if self._nonce is None or self._nonce[0] != header.hash:
            account, _ = await self._pool.read_account(header, self._setting.venue)
            self._nonce = (header.hash, account.nonce)
        return self._nonce[1]


def _remember(cache: OrderedDict[bytes, tuple[bytes, T]], key: bytes, value: tuple[bytes, T]) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > _MAX_ACCOUNTS:
        cache.popitem(last=False)
