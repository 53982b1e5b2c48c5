"""What the node knows of its own progress."""

import dataclasses
from collections.abc import Iterable
from typing import Final

from marginproof.model.network import Configuration, epoch_of, price_slot_of
from marginproof.model.reasons import ReasonCode

_TOLERATED_EPOCHS: Final = 3
_TOLERATED_SLOTS: Final = 3


@dataclasses.dataclass(slots=True)
class ChainProgress:
    """One chain: newest epoch with a certificate, newest epoch that needed none, last failure since."""

    certified_epoch: int | None = None
    empty_epoch: int | None = None
    last_failure: ReasonCode | None = None


class NodeStatus:
    """Progress on each chain and on prices; only tasks of one event loop write it."""

    def __init__(self, chains: Iterable[str]) -> None:
        self.chains = {chain: ChainProgress() for chain in chains}
        self.last_price_slot: int | None = None
        self.last_report_slot: int | None = None

    def certified(self, chain: str, epoch: int) -> None:
        """Notes a certificate."""
        progress = self.chains[chain]
        if progress.certified_epoch is None or epoch >= progress.certified_epoch:
            progress.certified_epoch = epoch
            progress.last_failure = None

    def empty(self, chain: str, epoch: int) -> None:
        """Notes that the node read the chain and no account has locks there."""
        progress = self.chains[chain]
        progress.empty_epoch = epoch
        progress.last_failure = None

    def failed(self, chain: str, code: ReasonCode) -> None:
        """Notes why the chain's task could not go on."""
        self.chains[chain].last_failure = code

    def healthy(self, configuration: Configuration, now: int) -> bool:
        """Whether every chain was certified (or needed no certificate) lately, and prices were reported lately."""
        oldest_epoch = epoch_of(configuration, now) - _TOLERATED_EPOCHS
        for progress in self.chains.values():
            newest = max((e for e in (progress.certified_epoch, progress.empty_epoch) if e is not None), default=None)
            if newest is None or newest < oldest_epoch:
                return False
        oldest_slot = price_slot_of(configuration, now) - _TOLERATED_SLOTS
        return self.last_report_slot is not None and self.last_report_slot >= oldest_slot
