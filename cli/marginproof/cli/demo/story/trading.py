"""2. A pledge with a trading line, a burst of orders inside it, and the first one outside."""

import time
from decimal import Decimal

from marginproof.cli.demo.scenario import Order, VenuePlan
from marginproof.cli.demo.story.stage import Stage
from marginproof.cli.demo.world import VenueSite
from marginproof.client.venue_book import OrderFill
from marginproof.risk.line import cash_entry


async def play(stage: Stage) -> None:
    """Everything at the first venue."""
    stage.screen.heading("2. A trading line at venue A, and orders inside it")
    await open_line(stage, "2", stage.world.venue, stage.scenario.venues[0], "opening")
    await trade(stage, "2", stage.world.venue, stage.scenario.venues[0])


async def open_line(stage: Stage, number: str, venue: VenueSite, plan: VenuePlan, name: str) -> None:
    """The venue proposes a pledge, the account proves it, the swap becomes final."""
    await venue.book.open_account(stage.account)
    with stage.step(number, f"venue {venue.letter} proposes a line of {plan.line_usd} USD", "PROPOSED") as step:
        status = await venue.book.reserve_pledge(stage.account, line_lots(stage, plan.line_usd))
        step.outcome = status.proposal_state.name
    run = stage.maker.pledge(venue.address, plan.line_usd, save=stage.path(name))
    await stage.proof(number, "proves initial margin with the pledge in it", venue, name, run)
    await stage.line_opens(number, venue)


async def trade(stage: Stage, number: str, venue: VenueSite, plan: VenuePlan) -> None:
    """All orders of the plan in one call, then one more."""
    orders = [fill for order in plan.orders for fill in fills_of(stage, venue, order)]
    title = ", ".join(f"{_verb(order)} {abs(order.size)} {order.instrument}" for order in plan.orders)
    with stage.step(number, f"{title} at venue {venue.letter}", "FILLED") as step:
        started = time.perf_counter()
        results = await venue.book.record_fills(orders)
        seconds = time.perf_counter() - started
        refused = [result.reason for result in results if not result.recorded]
        step.outcome, step.reasons = ("REFUSED", tuple(dict.fromkeys(refused))) if refused else ("FILLED", ())
        step.orders, step.orders_per_second = len(results), round(len(results) / seconds)
        step.detail = f"{len(results)} orders, {step.orders_per_second:,} per second"
    outside = f"{_verb(plan.outside)} {abs(plan.outside.size)} {plan.outside.instrument} more"
    with stage.step(number, outside, "REFUSED LINE_EXCEEDED") as step:
        (result,) = await venue.book.record_fills(fills_of(stage, venue, plan.outside))
        step.outcome = "FILLED" if result.recorded else "REFUSED"
        step.reasons = (result.reason,) if result.reason else ()


def fills_of(stage: Stage, venue: VenueSite, order: Order) -> list[OrderFill]:
    """An order's equal parts, as the venue's matching engine reports them."""
    exponent = stage.world.network.universe.entry(order.instrument).lot_exponent
    lots = int(order.size * Decimal(10) ** exponent) // order.count
    price = int(order.price * 10**8)
    name = f"{venue.letter}-{order.instrument}-{order.size}"
    return [OrderFill(f"{name}-{part}", stage.account, order.instrument, lots, price) for part in range(order.count)]


def line_lots(stage: Stage, usd: Decimal) -> int:
    """A line in lots of the universe's cash entry."""
    return int(usd * Decimal(10) ** cash_entry(stage.world.network.universe).lot_exponent)


def _verb(order: Order) -> str:
    return "sells" if order.size < 0 else "buys"
