"""What an account has to spare at a venue: for its own eyes, its agent and its encrypted state."""

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Self

from marginproof.model.errors import RefusedError
from marginproof.model.margin import Purpose, Snapshot
from marginproof.model.reasons import ReasonCode
from marginproof.prover.state import AccountState, HeadroomRecord
from marginproof.risk.policy import Policy
from marginproof.risk.rows import CompiledPolicy

KEPT_HEADROOMS: Final = 1024
"""Over all venues."""


@dataclasses.dataclass(frozen=True, slots=True)
class Headroom:
    """The least surplus of any scenario under one snapshot; its representation shows no amount.

    Attributes:
        venue: Whose policy, 20 bytes.
        purpose: Which level.
        price_slot: Of the snapshot.
        created_at: Of the snapshot, UTC seconds.
        surplus_usd: By how much the worst scenario's row is above zero, USD, exact; negative where margin is too small.
        scenario: The worst scenario's label.
    """

    venue: bytes
    purpose: Purpose
    price_slot: int
    created_at: int
    surplus_usd: Fraction = dataclasses.field(repr=False)
    scenario: str

    @classmethod
    def of_units(cls, snapshot: Snapshot, purpose: Purpose, units: int, policy: Policy, scenario: str) -> Self:
        """From row units of a policy at a snapshot."""
        surplus = Fraction(units, 10**policy.row_unit_exponent)
        return cls(snapshot.venue, purpose, snapshot.price_slot, snapshot.created_at, surplus, scenario)

    def record(self) -> HeadroomRecord:
        """What is remembered of it: cents, rounded down."""
        return HeadroomRecord(self.venue, int(self.purpose), self.created_at, math.floor(self.surplus_usd * 100))


class MarginInsufficientError(RefusedError):
    """The account does not have the margin, so there is nothing true to prove. For the account's eyes only.

    Attributes:
        headroom: Below zero; secret.
        scenario: Label of the scenario that fails worst.
        shortfall_usd: How much is missing in it, in USD, rounded up to a cent; secret, in no text of this error.
    """

    def __init__(self, headroom: Headroom) -> None:
        super().__init__(
            ReasonCode.MARGIN_INSUFFICIENT,
            f"margin is too small in the scenario {headroom.scenario!r}; nothing was sent",
            fix="add collateral with `marginproof account top-up`, or reduce positions at the venue",
        )
        self.headroom = headroom
        self.scenario = headroom.scenario
        self.shortfall_usd = Fraction(math.ceil(-headroom.surplus_usd * 100), 100)


def least_surplus(compiled: CompiledPolicy, values: Sequence[int]) -> tuple[int, str]:
    """The least value of any scenario's main row in row units, and the scenario's label.

    Args:
        compiled: Scenario by scenario, the main row last.
        values: Of every row of its statement.
    """
    rows_each = len(values) // len(compiled.labels)
    mains = values[rows_each - 1 :: rows_each]
    worst = min(range(len(mains)), key=mains.__getitem__)
    return mains[worst], compiled.labels[worst]


def with_headroom(state: AccountState, headroom: Headroom) -> AccountState:
    """The state that remembers one more evaluation; the oldest are dropped."""
    kept = (*state.headrooms, headroom.record())[-KEPT_HEADROOMS:]
    return dataclasses.replace(state, headrooms=kept)
