"""The demo's day, as its file says it, is one that can be played."""

from decimal import Decimal

import pytest

from marginproof.cli.demo.record import Record, Step
from marginproof.cli.demo.scenario import load_scenario


def test_orders_divide_into_whole_lots() -> None:
    scenario = load_scenario()
    orders = [order for venue in scenario.venues for order in (*venue.orders, venue.outside)]
    assert all(order.size * 10**4 % order.count == 0 for order in orders)
    assert {order.price for order in orders if order.instrument == "ETH-PERP"} == {
        Decimal(scenario.opening.eth_price) / 10**8
    }


def test_the_second_venue_takes_the_opposite_leg() -> None:
    first, second = load_scenario().venues
    sold = sum(order.size for order in first.orders if order.instrument == "ETH-PERP")
    bought = sum(order.size for order in second.orders if order.instrument == "ETH-PERP")
    assert bought == -sold > 0


@pytest.mark.parametrize(
    ("expected", "outcome", "reasons", "good"),
    [
        ("ACCEPT", "ACCEPT", (), True),
        ("ACCEPT", "REJECT", (), False),
        ("REJECT REPLAYED", "REJECT", ("REPLAYED",), True),
        ("REJECT REPLAYED", "REJECT", ("PROOF_INVALID",), False),
    ],
)
def test_a_step_is_as_expected_by_outcome_and_reason(
    expected: str, outcome: str, reasons: tuple[str, ...], good: bool
) -> None:
    step = Step("1", "a step", expected, outcome=outcome, reasons=reasons)
    assert step.as_expected is good


def test_a_run_is_as_expected_only_if_every_step_is_and_nothing_failed() -> None:
    good = Step("1", "a step", "DONE", outcome="DONE")
    assert Record("s", "full", steps=[good]).as_expected
    assert not Record("s", "full", steps=[]).as_expected
    assert not Record("s", "full", steps=[good, Step("2", "another", "DONE")]).as_expected
    assert not Record("s", "full", steps=[good], error="UNAVAILABLE").as_expected
