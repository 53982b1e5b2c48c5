"""Amounts never leave the encrypted store: planted ones are looked for in everything that the agent says."""

import contextlib
import dataclasses
import io
import json
from fractions import Fraction
from typing import Any

import pytest
import structlog
from aiohttp import web
from prometheus_client import generate_latest

from marginproof.model.margin import MarginState, Purpose
from marginproof.prover.agent.config import VenueConfig
from marginproof.prover.agent.events import EventKind
from marginproof.prover.agent.journal import log_event
from marginproof.prover.agent.levels import LevelRules
from marginproof.prover.agent.metrics import AgentMetrics
from tests.prover.agent.harness import cents, live, running, topping_up
from tests.prover.agent.test_collateral import quote
from tests.prover.agent.test_webhook import delivering
from tests.prover.stage import ETHER, Stage
from tests.prover.world import CASH, LOT, VENUE

BOOK_USD, LINE_USD = 12_347, 531
ADDED = 3 * ETHER


def numbers(stage: Stage) -> set[str]:
    """Every amount that the agent knew, in every unit it had it in."""
    state = stage.account.state
    known = {BOOK_USD, BOOK_USD * LOT, LINE_USD, LINE_USD * LOT, (BOOK_USD + LINE_USD) * LOT, 10 * ETHER, ADDED}
    for record in state.headrooms:
        known |= {abs(record.surplus_cents), abs(record.surplus_cents) // 100}
    for top_up in state.agent.ledger.recent:
        known |= {top_up.amount, top_up.held_before, top_up.target}
    known |= {lock.amount for lock in state.locks}
    return {str(number) for number in known if number >= 100}


async def test_logs_metrics_webhooks_and_representations_hold_no_amount(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, bodies = io.StringIO(), list[bytes]()
    monkeypatch.setattr("marginproof.prover.agent.journal._log", _logger(log))
    async with _receiver(bodies) as url, delivering(url) as (webhook, counted):
        metrics = AgentMetrics(lambda: stage.now)
        await _a_day(stage, metrics, [log_event, webhook])
        await webhook.finish()
    state = stage.account.state
    said = {
        "log": log.getvalue(),
        "metrics": generate_latest(metrics.registry).decode(),
        "webhooks": b"\n".join(bodies).decode(),
        "representations": repr(state) + repr(state.agent) + repr(state.headrooms),
    }
    assert counted.count("delivered") == len(bodies) > 3
    assert {json.loads(body)["severity"] for body in bodies} == {"warning", "critical"}
    for where, text in said.items():
        assert text
        assert [number for number in numbers(stage) if _holds(text, number)] == [], where
    assert {EventKind.TOP_UP_SENT, EventKind.PROOF_IMPOSSIBLE} <= {
        json.loads(line)["event"] for line in said["log"].splitlines()
    }


async def _a_day(stage: Stage, metrics: AgentMetrics, sinks: list[Any]) -> None:
    """A line is pledged, prices fall, the venue calls, collateral is added, margin is proven."""
    await stage.collateral()
    await stage.authorise(VENUE)
    stage.propose({CASH: -BOOK_USD * LOT}, LINE_USD * LOT)
    options: dict[str, Any] = {
        "venues": (VenueConfig(VENUE, Fraction(LINE_USD)),),
        "levels": LevelRules(cents(1_234), cents(123), Fraction(1, 10)),
        "top_up": dataclasses.replace(topping_up(), step="3"),
        "sinks": sinks,
        "metrics": metrics,
        "step": ADDED,
    }
    async with running(stage, **options) as heard:
        await heard.has(EventKind.PLEDGE_SUBMITTED)
        await stage.swap()
        await heard.has(EventKind.PLEDGE_STANDING)
        live(stage).state = MarginState.MARGIN_CALL
        quote(stage, 1_700)
        await heard.has(EventKind.PROOF_IMPOSSIBLE)
        await heard.has(EventKind.TOP_UP_SENT)
        stage.certify(stage.account.lock(0).amount, epoch=31)
        await heard.has(EventKind.PROOF_ACCEPTED)
        stage.propose({CASH: -BOOK_USD * LOT}, LINE_USD * LOT + 1, number=2)
        await heard.has(EventKind.PROPOSAL_DECLINED)
    assert stage.venue.presentations[0].context.purpose == Purpose.INITIAL


def _holds(text: str, number: str) -> bool:
    """Whether the number stands in the text as a number of its own, not inside a hash or a time."""
    before, found, after = text.partition(number)
    while found:
        if not (before[-1:].isalnum() or after[:1].isalnum()):
            return True
        before, found, after = after.partition(number)
    return False


def _logger(file: io.StringIO) -> Any:
    return structlog.wrap_logger(structlog.WriteLogger(file), processors=[structlog.processors.JSONRenderer()])


@contextlib.asynccontextmanager
async def _receiver(bodies: list[bytes]) -> Any:
    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def test_the_search_finds_what_it_looks_for() -> None:
    assert _holds('{"amount": 12347}', "12347")
    assert _holds("a 12347.5", "12347")
    assert not _holds("0xab12347cd 912347", "12347")
