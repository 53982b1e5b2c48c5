"""What a dishonest account would try: presentations made below the account's own checks."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final

from marginproof.cli.demo.story.stage import Stage
from marginproof.cli.demo.world import VenueSite
from marginproof.client.venue import DecisionAnswer
from marginproof.model.bundle import PresentationBundle
from marginproof.model.margin import Presentation, Purpose
from marginproof.prover.account import Account
from marginproof.prover.session import AccountSession, Prepared

_POINTS_BEFORE_SCALARS: Final = 6 * 48
_LAST_BYTE_OF_A_SCALAR: Final = _POINTS_BEFORE_SCALARS + 31


async def play(stage: Stage, number: str) -> None:
    """A good proof that is never submitted as it is: once with a changed byte, once with another venue's name."""
    # Prepared here and used at once: certificates of the epoch before serve for a few seconds only.
    prepared = await stage.with_session(_good_proof(stage.world.venue))
    stage.path("unsubmitted").write_bytes(prepared.bundle.encode())
    changed = changed_byte(stage, prepared.presentation)
    await stage.attempt(number, "a good proof with one byte changed", "REJECT PROOF_INVALID", changed)
    misdirected = other_venue(stage, prepared.presentation)
    await stage.attempt(number, "the same proof for another venue", "REJECT WRONG_VENUE", misdirected)


def _good_proof(venue: VenueSite) -> Callable[[Account, AccountSession], Awaitable[Prepared]]:
    return lambda _, session: session.prepare(venue.address, Purpose.MAINTENANCE)


async def changed_byte(stage: Stage, presentation: Presentation) -> DecisionAnswer:
    """Submits a good presentation with one byte of its proof changed: the last of the first evaluation."""
    proof = bytearray(presentation.proof)
    proof[_LAST_BYTE_OF_A_SCALAR] ^= 1
    return await stage.world.venue.client.submit_presentation(dataclasses.replace(presentation, proof=bytes(proof)))


async def other_venue(stage: Stage, presentation: Presentation) -> DecisionAnswer:
    """Submits a good presentation that names another venue."""
    context = dataclasses.replace(presentation.context, venue=bytes(19) + b"\x01")
    return await stage.world.venue.client.submit_presentation(dataclasses.replace(presentation, context=context))


async def replayed(stage: Stage, bundle: PresentationBundle) -> DecisionAnswer:
    """Submits an accepted presentation again, byte for byte."""
    return await stage.world.venue.client.submit_presentation(bundle.presentation)
