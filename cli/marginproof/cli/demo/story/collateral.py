"""1. Collateral on two chains, certified; the venues are authorised on the registry meanwhile."""

import asyncio
from typing import Final

from marginproof.cli.demo.deployment import HOME_CHAIN, SECOND_CHAIN
from marginproof.cli.demo.story.stage import Stage, expect_success
from marginproof.prover.account import Account
from marginproof.prover.session import AccountSession

ETH_LOCK: Final = 0
USDC_LOCK: Final = 1


async def play(stage: Stage) -> None:
    """Locks, registers, authorises, and waits for the first certificates."""
    stage.screen.heading("1. Collateral on two chains")
    made, _ = await asyncio.gather(stage.maker.new(), stage.maker.fund())
    account = expect_success(made)["account"]
    await stage.account_made(bytes.fromhex(account.removeprefix("0x")))
    for chain, amount, unit in (
        (HOME_CHAIN, stage.scenario.eth, "ETH"),
        (SECOND_CHAIN, stage.scenario.usdc, "USDC"),
    ):
        locked = stage.maker.lock(stage.maker.asset(chain), str(amount))
        await stage.command("1", f"locks {amount} {unit} on {chain}", "LOCKED", locked)
    stage.lock_ids = await stage.with_session(_lock_ids)
    await stage.world.until_ready()
    registered = stage.maker.run("register")
    await stage.command("1", f"registers with {len(stage.world.relayers)} relayers", "REGISTERED", registered)
    for venue in stage.world.venues:
        await stage.command("1", f"authorises venue {venue.letter}", "AUTHORISED", stage.maker.authorise(venue.address))
    for chain in (HOME_CHAIN, SECOND_CHAIN):
        await _certificate(stage, chain)


async def _lock_ids(account: Account, _: AccountSession) -> dict[int, int]:
    return {lock.number: lock.lock_id for lock in account.state.locks if lock.lock_id is not None}


async def _certificate(stage: Stage, chain: str) -> None:
    with stage.step("1", f"certificate of {chain}", "CERTIFIED") as step:
        certificate = await stage.certificate(chain, 0)
        signers = sum(certificate.signers)
        step.outcome = "CERTIFIED" if signers >= stage.world.network.configuration.threshold else "TOO FEW"
        step.detail = f"signed by {signers} of {len(stage.world.network.relayers)}"
        stage.record.certificates.append(
            {
                "chain": chain,
                "epoch": certificate.body.epoch,
                "signers": signers,
                "digest": certificate.digest.hex(),
            }
        )
