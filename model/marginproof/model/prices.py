"""Price observations and reports: each relayer signs what it saw, everybody takes the median himself."""

import dataclasses
from typing import Annotated, Final

from marginproof.model.ssz import Bytes32, Bytes96, Many, SszContainer, Text64, Uint8, Uint64, Uint128

OBSERVATION_ROLE: Final = "observation"
MAX_POINTS: Final = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class PointValue(SszContainer):
    """One value: 10^-8 USD per unit, or 10^-8 per year for a volatility."""

    point: Text64
    value: Uint128


@dataclasses.dataclass(frozen=True, slots=True)
class Observations(SszContainer):
    """What one relayer saw in one price slot; points it could not price are absent. Points rise strictly by id."""

    network: Bytes32
    universe_digest: Bytes32
    slot: Uint64
    observed_at: Uint64
    signer_set: Bytes32
    signer: Uint8
    values: Annotated[tuple[PointValue, ...], Many(MAX_POINTS)]


@dataclasses.dataclass(frozen=True, slots=True)
class SignedObservations(SszContainer):
    """Observations with the relayer's BLS signature over their signing root."""

    observations: Observations
    signature: Bytes96


@dataclasses.dataclass(frozen=True, slots=True)
class PriceReport(SszContainer):
    """Observations of at least t relayers for one slot, rising by signer."""

    observations: Annotated[tuple[SignedObservations, ...], Many(256)]
