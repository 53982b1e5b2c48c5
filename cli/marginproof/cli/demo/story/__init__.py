"""The story: one bad day of a market maker, chapter by chapter, each step with the outcome it must have."""

from marginproof.cli.demo.parties import party_views
from marginproof.cli.demo.story import collateral, crash, dishonest, faults, notice, second_venue, trading, unattended
from marginproof.cli.demo.story.stage import Stage

__all__ = ["Stage", "play_full", "play_main"]


async def play_main(stage: Stage) -> None:
    """The main job with one venue.

    Raises:
        MarginproofError: Something that no step expects: a process ended, an answer stayed away.
    """
    await collateral.play(stage)
    await trading.play(stage)
    await crash.play(stage)
    await notice.play(stage, "5")
    _close(stage)


async def play_full(stage: Stage) -> None:
    """Two venues, an account that looks after itself, and endpoints that change hands; raises as :func:`play_main`."""
    await collateral.play(stage)
    await trading.play(stage)
    await dishonest.play(stage, "2")
    await second_venue.play(stage, "3")
    async with unattended.watching(stage) as agent, faults.forked(stage) as fork:
        await unattended.play(stage, "4", agent)
        await faults.play(stage, "5", fork)
    _close(stage)


def _close(stage: Stage) -> None:
    venues = {venue.letter: venue.address for venue in stage.world.venues}
    stage.record.parties = party_views(stage.bundle_paths(), venues, stage.scenario.collateral_amounts())
