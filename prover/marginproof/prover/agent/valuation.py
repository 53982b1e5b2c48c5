"""What locks are worth at a snapshot's prices: what headroom is compared with, and how much a top-up needs to be."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from marginproof.model.prices import PointValue
from marginproof.model.universe import PRICE_SCALE, Entry, Universe
from marginproof.prover.state import LockRecord

_CENTS: Final = 100


def prices_by_point(values: Iterable[PointValue]) -> dict[str, int]:
    """10^-8 USD by price point."""
    return {value.point: value.value for value in values}


def collateral_cents(universe: Universe, locks: Iterable[LockRecord], prices: Mapping[str, int]) -> int:
    """Value of the live locks that no notice runs for, before haircuts, USD cents rounded down; secret.

    Args:
        universe: Names each lock's entry; a lock of no entry counts for nothing.
        locks: The account's.
        prices: 10^-8 USD by price point; an entry without one counts for nothing.
    """
    total = Fraction(0)
    for lock in locks:
        entry = universe.collateral_entry(lock.chain, lock.token)
        if entry is not None and lock.live and not lock.under_notice:
            total += Fraction(lock.amount * prices.get(entry.price_point, 0), PRICE_SCALE * 10**entry.decimals)
    return math.floor(total * _CENTS)


def base_units_for(cents: int, entry: Entry, price_e8: int) -> int:
    """Base units of an entry's token that are worth at least so much before any haircut; secret.

    Args:
        cents: USD cents.
        entry: A collateral entry.
        price_e8: Of one whole token, 10^-8 USD, above zero.
    """
    return math.ceil(Fraction(cents * PRICE_SCALE * 10**entry.decimals, _CENTS * price_e8))
