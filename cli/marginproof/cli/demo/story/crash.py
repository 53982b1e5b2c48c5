"""3 and 4 of the short story: prices fall, the margin call, and a top-up by hand."""

from decimal import Decimal

from marginproof.cli.demo.deployment import SECOND_CHAIN
from marginproof.cli.demo.story import dishonest
from marginproof.cli.demo.story.collateral import USDC_LOCK
from marginproof.cli.demo.story.stage import Stage, outcome_of, usd
from marginproof.model.margin import MarginState


async def play(stage: Stage) -> None:
    """The fall in two hours, then more collateral."""
    worse, crash = stage.scenario.worse, stage.scenario.crash
    stage.screen.heading(f"3. ETH falls: {usd(worse)} at {worse.time}, {usd(crash)} at {crash.time} UTC")
    await _cover(stage)
    await dishonest.play(stage, "3")
    await _call(stage)
    await _top_up(stage)


async def _cover(stage: Stage) -> None:
    """The book is worse than the pledge under the new prices: the venue proposes one that covers it."""
    venue = stage.world.venue
    await stage.play_hour(stage.scenario.worse)

    async def proposed() -> bool | None:
        status = await venue.book.get_pledge(stage.account)
        return True if status.proposal_state.name == "PROPOSED" else None

    with stage.step("3", f"at {usd(stage.scenario.worse)} the pledge covers the book no more", "PROPOSED") as step:
        await stage.until(proposed, "a pledge that covers the book")
        step.outcome = "PROPOSED"
    run = stage.maker.pledge(venue.address, Decimal(0), save=stage.path("worse"))
    await stage.proof("3", "proves margin with a pledge that does", venue, "worse", run)
    await stage.line_opens("3", venue)


async def _call(stage: Stage) -> None:
    venue = stage.world.venue
    await stage.play_hour(stage.scenario.crash)
    with stage.step("3", "half of the time to the next proof is over", "PROOF_DUE") as step:
        step.outcome = await stage.margin_state(venue, MarginState.PROOF_DUE)
    with stage.step("3", f"wants to prove at {usd(stage.scenario.crash)}", "REFUSED MARGIN_INSUFFICIENT") as step:
        step.outcome, step.reasons = outcome_of(await stage.maker.prove(venue.address), "ACCEPT")
    with stage.step("3", "the deadline passes", "MARGIN_CALL") as step:
        step.outcome = await stage.margin_state(venue, MarginState.MARGIN_CALL)
    replay = dishonest.replayed(stage, stage.bundles["worse"])
    await stage.attempt("3", "an accepted proof once more", "REJECT REPLAYED", replay)


async def _top_up(stage: Stage) -> None:
    amount, venue = stage.scenario.top_up_usdc, stage.world.venue
    stage.screen.heading("4. More collateral on the second chain")
    await stage.command("4", f"adds {amount} USDC", "ADDED", stage.maker.top_up(USDC_LOCK, str(amount)))
    await stage.certificate(SECOND_CHAIN, stage.epoch())
    await stage.next_snapshot(venue)
    run = stage.maker.prove(venue.address, save=stage.path("topped-up"))
    await stage.proof("4", "proves maintenance margin", venue, "topped-up", run)
