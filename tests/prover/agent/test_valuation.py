"""What locks are worth, and how much makes up for what is missing."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from marginproof.model.prices import PointValue
from marginproof.prover.agent.valuation import base_units_for, collateral_cents, prices_by_point
from marginproof.prover.state import LockEventKind, LockRecord
from tests.prover.world import ETH, HOME, PRICES, TOKEN, universe

UNIVERSE = universe()
LOCK = LockRecord(0, 0, HOME, b"\x33" * 20, bytes(20), 0, 0, 1).after(LockEventKind.LOCKED, 3 * 10**17, 5)


def test_live_locks_at_the_snapshots_prices() -> None:
    usdc = dataclasses.replace(LOCK, number=1, token=TOKEN).after(LockEventKind.ADDED, 1_234_567, 6)
    assert collateral_cents(UNIVERSE, [LOCK, usdc], PRICES) == 60_000 + 123
    assert collateral_cents(UNIVERSE, [LOCK, usdc], {"price:ETH": PRICES["price:ETH"]}) == 60_000


def test_locks_that_do_not_count() -> None:
    gone = [
        LOCK.after(LockEventKind.NOTICE_STARTED, 3 * 10**17, 6),
        LOCK.after(LockEventKind.WITHDRAWN, 0, 7),
        dataclasses.replace(LOCK, token=b"\x77" * 20),
        dataclasses.replace(LOCK, events=()),
    ]
    assert collateral_cents(UNIVERSE, gone, PRICES) == 0


def test_prices_by_point() -> None:
    assert prices_by_point([PointValue("price:ETH", 7)]) == {"price:ETH": 7}


@given(st.integers(0, 10**14), st.integers(1, 10**14))
def test_base_units_are_enough_and_not_one_too_many(cents: int, price: int) -> None:
    units = base_units_for(cents, UNIVERSE.entries[ETH], price)
    worth = units * price  # 10^-26 USD
    assert worth >= cents * 10**24
    assert worth - price < cents * 10**24
