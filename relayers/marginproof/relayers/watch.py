"""Reading one chain, epoch after epoch, and fixing this node's view of it. Every chain has a task of its own."""

import asyncio
from collections.abc import Callable

import structlog

from marginproof.attestation.digests import digest_of
from marginproof.chains.evm.client import EndpointPool, FinalityViolationError, NotYetFinalError, read_vault
from marginproof.chains.evm.verify import BlockHeader, LockFacts
from marginproof.model.certificates import Reference
from marginproof.model.errors import MarginproofError, NotFoundError
from marginproof.model.network import epoch_cutoff, epoch_of, vaults_on
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.context import NodeContext
from marginproof.relayers.leaves import Derived, Reading, derive_leaves, wanted_locks
from marginproof.relayers.protection import FixedList
from marginproof.relayers.registrations import KnownRegistration
from marginproof.relayers.timing import Timing

_log = structlog.get_logger("marginproof.relayers.watch")
_MAX_BACKLOG_EPOCHS = 12


class ChainWatcher:
    """Fixes a view for every ended epoch of one chain, in order.

    An epoch that cannot be read for as long as an epoch lasts is given up, so that the next ones are not late too.

    Args:
        context: The node.
        pool: The chain's endpoints.
        on_fixed: Told of every new view.
    """

    def __init__(self, context: NodeContext, pool: EndpointPool, on_fixed: Callable[[FixedList], None]) -> None:
        self._context = context
        self._pool = pool
        self._chain = pool.chain
        self._on_fixed = on_fixed
        self._timing = Timing.of(context.file.configuration)
        self._failing_since: float | None = None

    async def run(self) -> None:
        """Watches until cancelled."""
        epoch = self._first_epoch()
        while True:
            if epoch_cutoff(self._context.file.configuration, epoch) > self._context.clock():
                await asyncio.sleep(self._timing.poll)
                continue
            if await self._step(epoch):
                self._failing_since = None
                epoch += 1
            else:
                await asyncio.sleep(self._timing.poll)

    async def observe(self, epoch: int) -> FixedList:
        """Reads the chain at the epoch's reference block and fixes what was seen.

        Raises:
            NotYetFinalError: The reference block is not fixed yet.
            MarginproofError: The chain cannot be read, or says what cannot be.
        """
        configuration = self._context.file.configuration
        if self._context.store.is_halted(self._chain):
            raise MarginproofError(ReasonCode.FINALITY_VIOLATION, "the chain is halted on this relayer")
        header = await self._pool.reference_block(epoch_cutoff(configuration, epoch))
        registrations = self._context.book.effective(epoch)
        reading = Reading(
            network_id=digest_of(self._context.file.network),
            chain=self._chain,
            epoch=epoch,
            reference=Reference(header.number, header.hash, header.timestamp),
            locks=await self._read_locks(header, registrations),
        )
        derived = await asyncio.to_thread(derive_leaves, registrations, reading, self._context.file.universe)
        view = self._context.protection.fix(FixedList(self._chain, epoch, reading.reference, derived.leaves))
        self._report(view, derived)
        return view

    async def _read_locks(
        self, header: BlockHeader, registrations: tuple[KnownRegistration, ...]
    ) -> dict[bytes, dict[int, LockFacts]]:
        wanted = wanted_locks((known.registration for known in registrations), self._chain)
        locks: dict[bytes, dict[int, LockFacts]] = {}
        for pin in vaults_on(self._context.file.configuration, self._chain):
            # Read even without locks: a vault whose code is not the pinned one is found out before it matters.
            facts = await read_vault(self._pool, header, pin, wanted.get(pin.address, []), ())
            locks[pin.address] = dict(facts.locks)
        return locks

    async def _step(self, epoch: int) -> bool:
        """Tries one epoch; True when the next one is due."""
        try:
            view = await self.observe(epoch)
        except NotYetFinalError:
            return False
        except FinalityViolationError as error:
            fields = error.fields
            self._context.store.halt(self._chain, int(fields["number"]), str(fields["before"]), str(fields["after"]))
            self._failed(epoch, error)
            return False
        except NotFoundError as error:  # the chain began after this epoch
            self._failed(epoch, error)
            return True
        except MarginproofError as error:
            self._failed(epoch, error)
            return self._give_up()
        self._on_fixed(view)
        return True

    def _first_epoch(self) -> int:
        """The one after the last fixed, but not further back than a certificate is worth anything."""
        configuration = self._context.file.configuration
        worth = configuration.certificate_seconds // configuration.epoch_seconds
        current = epoch_of(configuration, self._context.now)
        oldest = max(0, current - min(_MAX_BACKLOG_EPOCHS, worth), self._context.store.first_epoch)
        last = self._context.protection.last_fixed(self._chain)
        return oldest if last is None else max(oldest, last + 1)

    def _give_up(self) -> bool:
        now = self._context.clock()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since > self._context.file.configuration.epoch_seconds

    def _failed(self, epoch: int, error: MarginproofError) -> None:
        self._context.status.failed(self._chain, error.code)
        _log.warning("epoch not read", chain=self._chain, epoch=epoch, code=str(error.code), **_public(error))

    def _report(self, view: FixedList, derived: Derived) -> None:
        if not view.leaves:
            self._context.status.empty(self._chain, view.epoch)
        _log.info(
            "leaves fixed",
            chain=view.chain,
            epoch=view.epoch,
            block=view.reference.number,
            hash=view.reference.hash.hex(),
            leaves=len(view.leaves),
            uncounted_locks=len(derived.uncounted),
        )
        for account, code in derived.refused:
            _log.warning("account has no leaf", chain=view.chain, epoch=view.epoch, account=account.hex(), code=code)


def _public(error: MarginproofError) -> dict[str, object]:
    """An error's public fields, under names that no log key has."""
    return {f"detail_{name}": value for name, value in error.fields.items()}
