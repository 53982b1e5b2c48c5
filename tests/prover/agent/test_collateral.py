"""Levels, and top-ups on a real chain: within limits through crashes and restarts, counted by certificates."""

import dataclasses
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from marginproof.chains.evm.devnet import development_account
from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.margin import MarginState, Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.agent.agent import Agent, Wallet
from marginproof.prover.agent.config import VenueConfig
from marginproof.prover.agent.events import EventKind
from marginproof.prover.agent.levels import Level, LevelRules
from marginproof.prover.agent.top_ups import Ledger, TopUp, counted, reserved, sent
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.funding import Funding
from tests.prover.agent.harness import LIMITS, Heard, agent_of, cents, configuration, live, running, topping_up
from tests.prover.stage import ETHER, Stage
from tests.prover.world import CASH, LOT, PASSWORD, PRICES, VENUE, price_report, snapshot

ONE_VENUE = (VenueConfig(VENUE, None),)


async def surplus(stage: Stage) -> int:
    """USD that are free now, rounded down."""
    return math.floor((await stage.session.headroom(VENUE, Purpose.MAINTENANCE)).surplus_usd)


def quote(stage: Stage, ether_usd: int) -> None:
    """The next snapshot, at another price of ether."""
    stage.now += 30
    prices = PRICES | {"price:ETH": ether_usd * 10**8}
    stage.venue.snapshot = snapshot(stage.network, stage.now, prices)
    stage.venue.report = price_report(stage.network, stage.now, prices)
    live(stage).publish()


async def called(stage: Stage, ether_usd: int = 1_000) -> None:
    """A pledge stands, prices have fallen, and the venue calls for margin that is not there.

    At 1,700 one ether more makes up for it; at 1,500 two are a little too few; at 1,000 the limits do not reach.
    """
    await stage.ready({CASH: -13_000 * LOT})
    live(stage).state = MarginState.MARGIN_CALL
    quote(stage, ether_usd)


def wanting(stage: Stage, when: Level = Level.CRITICAL, warn: int = 100, **options: Any) -> dict[str, Any]:
    rules = LevelRules(cents(warn), cents(min(warn, 100)), Fraction(1, 10))
    return {"venues": ONE_VENUE, "levels": rules, "top_up": topping_up(when), **options}


def held(stage: Stage) -> int:
    return stage.account.lock(0).amount


async def test_levels_follow_prices_with_hysteresis_and_outlive_a_restart(stage: Stage) -> None:
    await stage.ready()
    free = await surplus(stage)
    rules = LevelRules(cents(free - 50), cents(free - 1_000), Fraction(1, 100))
    options: dict[str, Any] = {"venues": ONE_VENUE, "levels": rules, "measure_seconds": 1}
    async with running(stage, **options) as heard:
        quote(stage, 1_980)
        assert (await heard.has(EventKind.LEVEL_CHANGED)).level is Level.TIGHT
        quote(stage, 1_500)
        assert (await heard.next(EventKind.LEVEL_CHANGED)).level is Level.CRITICAL
    assert stage.account.state.agent.level(VENUE) is Level.CRITICAL
    async with running(stage, **options) as heard:
        quote(stage, 2_000)  # above the threshold, but not beyond the hysteresis
        assert (await heard.has(EventKind.LEVEL_CHANGED)).level is Level.TIGHT
        quote(stage, 2_400)
        assert (await heard.next(EventKind.LEVEL_CHANGED)).level is Level.OK


async def test_a_margin_call_is_answered_with_collateral_and_a_proof(stage: Stage) -> None:
    await called(stage, 1_700)
    async with running(stage, **wanting(stage)) as heard:
        impossible = await heard.has(EventKind.PROOF_IMPOSSIBLE)
        assert impossible.code is ReasonCode.MARGIN_INSUFFICIENT
        await heard.has(EventKind.TOP_UP_SENT)
        assert held(stage) == 11 * ETHER
        assert not heard.of(EventKind.TOP_UP_COUNTED)
        assert not stage.venue.presentations
        stage.certify(11 * ETHER, epoch=31)
        await heard.has(EventKind.PROOF_ACCEPTED)
        await heard.until(lambda: [event.level for event in heard.of(EventKind.LEVEL_CHANGED)][-1] is Level.OK)
    kinds = [event.kind for event in heard.events]
    assert kinds.index(EventKind.TOP_UP_COUNTED) < kinds.index(EventKind.PROOF_ACCEPTED)
    assert live(stage).state is MarginState.GOOD
    assert held(stage) == 11 * ETHER


async def test_a_top_up_that_is_too_small_is_followed_by_another(stage: Stage) -> None:
    await called(stage, 1_500)
    async with running(stage, **wanting(stage)) as heard:
        await heard.has(EventKind.TOP_UP_SENT)
        stage.certify(12 * ETHER, epoch=31)
        await heard.next(EventKind.TOP_UP_SENT)
        stage.certify(13 * ETHER, epoch=32)
        await heard.has(EventKind.PROOF_ACCEPTED)
    assert len(heard.of(EventKind.TOP_UP_COUNTED)) == 2
    assert stage.account.state.agent.ledger.spent_in_all == 3 * ETHER


async def test_there_is_no_second_top_up_before_the_first_one_counts(stage: Stage) -> None:
    await called(stage)
    async with running(stage, **wanting(stage, measure_seconds=1)) as heard:
        await heard.has(EventKind.TOP_UP_SENT)
        after_one = held(stage)
        for _ in range(3):
            before = len(stage.account.state.headrooms)
            quote(stage, 1_000)
            await heard.until(lambda before=before: len(stage.account.state.headrooms) > before)  # type: ignore[misc] # bound now
        assert held(stage) == after_one
    assert len(heard.of(EventKind.TOP_UP_RESERVED)) == 1


async def test_limits_outlive_a_restart(stage: Stage, tmp_path: Path) -> None:
    await called(stage)
    ledger = counted(sent(reserved(Ledger(), TopUp(0, LIMITS.per_day, 0, stage.now), stage.now), 1), stage.now)
    state = stage.account.state
    stage.account.remember(dataclasses.replace(state, agent=state.agent.with_ledger(ledger)))
    stage.account.close()
    with Account.open(tmp_path / "account", stage.network, PASSWORD) as reopened:
        async with running(stage, reopened, **wanting(stage)) as heard:
            refused = await heard.has(EventKind.TOP_UP_REFUSED)
            quote(stage, 1_000)
            await heard.until(lambda: len(reopened.state.headrooms) > len(state.headrooms) + 1)
        assert refused.code is ReasonCode.TOP_UP_LIMIT
        assert len(heard.of(EventKind.TOP_UP_REFUSED)) == 1
        assert reopened.state.agent.ledger == ledger
        assert reopened.lock(0).amount == 10 * ETHER


@pytest.mark.parametrize("crashed", ["before anything was sent", "before it was mined", "before it was noted"])
async def test_a_crash_is_finished_and_never_spends_twice(stage: Stage, crashed: str) -> None:
    await stage.ready()
    ledger = reserved(Ledger(), TopUp(0, 2 * ETHER, 10 * ETHER, stage.now), stage.now)
    state = stage.account.state
    stage.account.remember(dataclasses.replace(state, agent=state.agent.with_ledger(ledger)))
    if crashed == "before it was mined":
        stage.account.replace_lock(dataclasses.replace(stage.account.lock(0), wanted=12 * ETHER))
    if crashed == "before it was noted":
        actions = ChainActions(stage.account, stage.network, Funding(development_account(1)))
        await actions.top_up(0, 2 * ETHER)
    async with running(stage, **wanting(stage, warn=0)) as heard:
        await heard.has(EventKind.TOP_UP_SENT)
        stage.certify(12 * ETHER, epoch=31)
        await heard.has(EventKind.TOP_UP_COUNTED)
    assert held(stage) == 12 * ETHER
    assert stage.account.state.agent.ledger.spent_in_all == 2 * ETHER
    assert (await actions_of(stage).notice_view(0)).record.amount == 12 * ETHER


def actions_of(stage: Stage) -> ChainActions:
    return ChainActions(stage.account, stage.network, Funding(development_account(1)))


async def test_what_somebody_else_left_unfinished_is_not_paid_for(stage: Stage) -> None:
    await stage.ready()
    ledger = reserved(Ledger(), TopUp(0, 2 * ETHER, 10 * ETHER, stage.now), stage.now)
    state = stage.account.state
    stage.account.remember(dataclasses.replace(state, agent=state.agent.with_ledger(ledger)))
    stage.account.replace_lock(dataclasses.replace(stage.account.lock(0), wanted=50 * ETHER))
    async with running(stage, **wanting(stage, warn=0)) as heard:
        trouble = await heard.has(EventKind.TROUBLE)
        assert (trouble.code, trouble.subject) == (ReasonCode.CONFLICT, "top-up")
    assert held(stage) == 10 * ETHER


async def test_an_empty_wallet_is_trouble_of_the_top_up_alone(stage: Stage) -> None:
    await called(stage)
    huge = 10**24
    limits = dataclasses.replace(LIMITS, step=huge, per_top_up=huge, per_day=huge, in_all=huge)
    async with running(stage, limits=limits, **wanting(stage)) as heard:
        await heard.until(lambda: any(event.subject == "top-up" for event in heard.of(EventKind.TROUBLE)))
        quote(stage, 3_000)
        await heard.has(EventKind.PROOF_ACCEPTED)
    assert held(stage) == 10 * ETHER
    assert stage.account.state.agent.ledger.open is not None


async def test_once_begins_a_top_up_and_a_later_round_finishes_it(stage: Stage) -> None:
    await called(stage)
    heard = Heard()
    (report,) = await agent_of(stage, heard, **wanting(stage)).once()
    assert (report.well, report.level) == (False, Level.CRITICAL)
    assert held(stage) > 10 * ETHER
    stage.certify(held(stage), epoch=31)
    quote(stage, 2_000)
    (report,) = await agent_of(stage, heard, **wanting(stage)).once()
    assert report.well
    assert stage.account.state.agent.ledger.open is None
    assert [event.kind for event in heard.events if event.subject == "top-up"] == [
        EventKind.TOP_UP_RESERVED,
        EventKind.TOP_UP_SENT,
        EventKind.TOP_UP_COUNTED,
    ]


async def test_a_lock_of_another_asset_and_a_wallet_of_the_accounts_own_are_refused(stage: Stage) -> None:
    await stage.ready()
    with pytest.raises(ConfigurationError, match="does not hold the asset"):
        agent_of(stage, Heard(), top_up=dataclasses.replace(topping_up(), asset="usdc"))
    own = Wallet(Funding(stage.account.secret.lock_key(0)), LIMITS)
    with pytest.raises(RefusedError, match=r"^LOCK_OWNER_REUSED"):
        Agent(configuration(top_up=topping_up()), stage.account, stage.network, wallet=own)
