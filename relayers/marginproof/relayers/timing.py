"""How often tasks look, and how long they wait for others: fractions of the epoch and of the price slot."""

import dataclasses
from typing import Self

from marginproof.model.network import Configuration


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds.

    Args:
        poll: Between two looks at a chain that is not final yet.
        turn: How long a relayer leads alone before the next may.
        patience: How long a leader waits for lists that are still missing.
        observation_patience: How long a price slot waits for observations that are still missing.
    """

    poll: float
    turn: float
    patience: float
    observation_patience: float

    @classmethod
    def of(cls, configuration: Configuration) -> Self:
        """The waits that fit a network's epochs and slots."""
        return cls(
            poll=_within(configuration.epoch_seconds / 20, 0.1, 2.0),
            turn=_within(configuration.epoch_seconds / 4, 0.3, 15.0),
            patience=_within(configuration.epoch_seconds / 8, 0.2, 10.0),
            observation_patience=_within(configuration.price_seconds / 4, 0.2, 5.0),
        )


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def turn_of(signer: int, chain_hash: int, epoch: int, count: int) -> int:
    """After how many turns a relayer may lead: 0 for the one in turn, then everybody in order.

    Args:
        signer: Position in the signer set.
        chain_hash: Any fixed number that differs between chains, so that not one relayer leads all.
        epoch: The epoch.
        count: Number of relayers.
    """
    return (signer - epoch - chain_hash) % count
