"""What every part of the daemon shares: the network, the venue's key, the clock."""

import dataclasses
import time
from collections.abc import Callable

from eth_account.signers.local import LocalAccount

from marginproof.model.network import Configuration
from marginproof.model.network_file import NetworkFile
from marginproof.model.universe import Universe

Clock = Callable[[], int]
"""Gives UTC seconds."""

_LONGEST_DEFAULT_GRACE = 60


def system_clock() -> int:
    """The machine's time, in whole UTC seconds."""
    return int(time.time())


@dataclasses.dataclass(frozen=True, slots=True)
class VenueSetting:
    """One venue on one network.

    Args:
        file: The network file.
        key: The venue's home-chain key; signs snapshots and decisions.
        certificate_grace_seconds: How long the leaf before the newest still serves.
        clock: Gives UTC seconds.
    """

    file: NetworkFile
    key: LocalAccount = dataclasses.field(repr=False)
    certificate_grace_seconds: int
    network_id: bytes
    universe_digest: bytes
    clock: Clock = system_clock

    @classmethod
    def of(
        cls,
        file: NetworkFile,
        key: LocalAccount,
        *,
        certificate_grace_seconds: int | None = None,
        clock: Clock = system_clock,
    ) -> "VenueSetting":
        """The setting for a network file; the grace is min(60 s, one epoch) where none is given."""
        default_grace = min(_LONGEST_DEFAULT_GRACE, file.configuration.epoch_seconds)
        return cls(
            file=file,
            key=key,
            certificate_grace_seconds=(
                default_grace if certificate_grace_seconds is None else certificate_grace_seconds
            ),
            network_id=file.network_id,
            universe_digest=file.universe.root(),
            clock=clock,
        )

    @property
    def venue(self) -> bytes:
        """The venue's address, 20 bytes."""
        return bytes.fromhex(self.key.address[2:])

    @property
    def universe(self) -> Universe:
        """The network's universe."""
        return self.file.universe

    @property
    def configuration(self) -> Configuration:
        """The network's delays and thresholds."""
        return self.file.configuration
