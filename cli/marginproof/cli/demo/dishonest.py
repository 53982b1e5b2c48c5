"""What a dishonest account would try: presentations made below the account's own checks."""

import dataclasses
from typing import Final

from marginproof.cli.demo.world import World
from marginproof.client.venue import DecisionAnswer
from marginproof.model.bundle import PresentationBundle
from marginproof.model.margin import Presentation, Purpose
from marginproof.prover.account import Account
from marginproof.prover.proving import ProofInputs, make_presentation
from marginproof.prover.session import AccountSession, Evidence
from marginproof.risk.policy import load_policy

_POINTS_BEFORE_SCALARS: Final = 6 * 48
_LAST_BYTE_OF_A_SCALAR: Final = _POINTS_BEFORE_SCALARS + 31


async def changed_byte(world: World, bundle: PresentationBundle) -> DecisionAnswer:
    """Submits a good presentation with one byte of its proof changed: the last of the first evaluation."""
    presentation = Presentation.decode(bundle.presentation)
    proof = bytearray(presentation.proof)
    proof[_LAST_BYTE_OF_A_SCALAR] ^= 1
    return await world.venue.submit_presentation(dataclasses.replace(presentation, proof=bytes(proof)))


async def other_venue(world: World, bundle: PresentationBundle) -> DecisionAnswer:
    """Submits a good presentation that names another venue."""
    presentation = Presentation.decode(bundle.presentation)
    context = dataclasses.replace(presentation.context, venue=bytes(19) + b"\x01")
    return await world.venue.submit_presentation(dataclasses.replace(presentation, context=context))


async def replayed(world: World, bundle: PresentationBundle) -> DecisionAnswer:
    """Submits an accepted presentation again, byte for byte."""
    return await world.venue.submit_presentation(bundle.presentation)


async def old_certificates(
    world: World, account: Account, session: AccountSession, kept: Evidence, policy: bytes
) -> DecisionAnswer:
    """Proves on the newest snapshot, but with certificates from before a lock went under notice."""
    snapshot, _ = await world.venue.get_snapshot()
    inputs = ProofInputs(
        network=world.network,
        account=account.account_id,
        purpose=Purpose.MAINTENANCE,
        snapshot=snapshot,
        policy=load_policy(policy),
        leaves=kept.leaves,
        book=await session.book(world.venue_address),
        payee=account.payees.opening(world.venue_address),
    )
    return await world.venue.submit_presentation(make_presentation(inputs))
