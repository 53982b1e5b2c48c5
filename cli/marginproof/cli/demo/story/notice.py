"""The short story's last chapter: a lock under notice does not count, and certificates from before it do not help."""

from marginproof.cli.demo.deployment import HOME_CHAIN
from marginproof.cli.demo.story import handmade
from marginproof.cli.demo.story.collateral import ETH_LOCK
from marginproof.cli.demo.story.stage import Stage, outcome_of
from marginproof.client.venue import DecisionAnswer
from marginproof.model.margin import Purpose
from marginproof.prover.account import Account
from marginproof.prover.evidence import OpenedLeaf
from marginproof.prover.session import AccountSession


async def play(stage: Stage, number: str) -> None:
    """Starts the ETH lock's notice, then tries to prove without it, and with it."""
    venue = stage.world.venue
    stage.screen.heading(f"{number}. Notice on the ETH lock")
    kept = await stage.with_session(lambda _, session: session.evidence())
    await stage.command(number, "starts the notice of the ETH lock", "STARTED", stage.maker.start_notice(ETH_LOCK))
    await stage.certificate(HOME_CHAIN, stage.epoch())
    await stage.next_snapshot(venue)
    with stage.step(number, "wants to prove without that lock", "REFUSED MARGIN_INSUFFICIENT") as step:
        step.outcome, step.reasons = outcome_of(await stage.maker.prove(venue.address), "ACCEPT")

    async def old_certificates(account: Account, session: AccountSession) -> DecisionAnswer:
        return await _old_certificates(stage, account, session, kept.leaves)

    attempt = stage.with_session(old_certificates)
    await stage.attempt(
        number, "proves with certificates from before the notice", "REJECT CERTIFICATE_NOT_NEWEST", attempt
    )


async def _old_certificates(
    stage: Stage, account: Account, session: AccountSession, leaves: tuple[OpenedLeaf, ...]
) -> DecisionAnswer:
    claim = handmade.Claim(leaves, await session.record(), Purpose.MAINTENANCE)
    return await handmade.submit(stage, account, stage.world.venue, claim)
