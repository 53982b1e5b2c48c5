"""From locked amounts to the vector that a leaf commits to."""

from collections.abc import Iterable

from marginproof.model.chains import NATIVE_ASSET
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe, lots_of_base_units_floor


def collateral_vector(universe: Universe, chain: str, holdings: Iterable[tuple[bytes, int]]) -> dict[int, int]:
    """Lots per universe entry of what an account holds on one chain.

    Amounts of one token are added first and rounded down to lots once, then capped at the entry's ``max_lots``:
    rounding always goes against the prover. Tokens that the universe does not know count nothing.

    Args:
        universe: The entries.
        chain: CAIP-2 chain id of all holdings.
        holdings: (token address of 20 bytes, zeros for the native coin; base units ≥ 0) for each lock that counts.

    Returns:
        Index → lots, entries above zero only.

    Raises:
        MalformedError: An amount is negative or a token is no address.
    """
    totals: dict[bytes, int] = {}
    for token, amount in holdings:
        if amount < 0 or len(token) != len(NATIVE_ASSET):
            raise MalformedError("a holding is a token address and an amount ≥ 0", code=ReasonCode.OUT_OF_RANGE)
        totals[token] = totals.get(token, 0) + amount
    vector: dict[int, int] = {}
    for token, total in totals.items():
        entry = universe.collateral_entry(chain, token)
        lots = lots_of_base_units_floor(entry, total) if entry else 0
        if entry and lots:
            vector[entry.index] = lots
    return vector
