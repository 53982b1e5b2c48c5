"""Presentations that no honest command would make: from leaves or pledges of one's own choice."""

import dataclasses

from marginproof.cli.demo.story.stage import Stage
from marginproof.cli.demo.world import VenueSite
from marginproof.client.venue import DecisionAnswer
from marginproof.model.errors import NotFoundError
from marginproof.model.margin import Purpose
from marginproof.model.pledges import PledgeOpening, RegistryRecord, StandingPledge
from marginproof.prover.account import Account
from marginproof.prover.evidence import OpenedLeaf
from marginproof.prover.proving import ProofInputs, evaluate, make_presentation
from marginproof.risk.policy import load_policy


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What such a presentation rests on.

    Args:
        leaves: Opened leaves, of whatever epoch.
        record: What the registry had of the account, at whatever time.
        purpose: Which level is proven.
        proposal: A pledge to consent to; None for the one that stands.
    """

    leaves: tuple[OpenedLeaf, ...]
    record: RegistryRecord
    purpose: Purpose
    proposal: PledgeOpening | None = None


async def submit(stage: Stage, account: Account, venue: VenueSite, claim: Claim) -> DecisionAnswer:
    """Proves a claim on the venue's newest snapshot and submits it."""
    snapshot, _ = await venue.client.get_snapshot()
    network = stage.world.network
    others = claim.record.others(venue.address, network.universe.compatible_since)
    inputs = ProofInputs(
        network=network,
        identity=account.identity,
        purpose=claim.purpose,
        snapshot=snapshot,
        policy=load_policy((venue.directory / "policy.yaml").read_bytes()),
        leaves=claim.leaves,
        pledge=claim.proposal or _opening(account, claim.record.pledge_of(venue.address)),
        proposed=claim.proposal is not None,
        others=tuple(_opening(account, other) for other in others),
        registry_digest=claim.record.digest,
        payee=account.payees.opening(venue.address),
    )
    presentation = make_presentation(inputs, evaluate(inputs), account.signer)
    return await venue.client.submit_presentation(presentation)


def _opening(account: Account, standing: StandingPledge | None) -> PledgeOpening:
    for record in account.state.pledges:
        if standing is not None and record.commitment == standing.commitment:
            return PledgeOpening.decode(record.opening)
    raise NotFoundError("the account has no opening of a pledge that stands")
