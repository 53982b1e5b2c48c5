"""From checked evidence to a presentation: pure but for the proof's own randomness.

Statement inputs: 0 the collateral, 1 the pledge of the venue that the proof is for, 2… the pledges of the other venues
rising by address; where any of these counts with its losses only, one auxiliary vector comes last.
"""

import dataclasses
from collections.abc import Sequence

from eth_account.signers.local import LocalAccount

from marginproof import core
from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import PRESENTATION_VERSION, Presentation, ProofContext, Purpose, SignedSnapshot
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import NO_COMMITMENT, PledgeConsent, PledgeOpening, PledgeStep
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import pledge_message
from marginproof.prover.evidence import OpenedLeaf
from marginproof.prover.headroom import Headroom, MarginInsufficientError, least_surplus
from marginproof.prover.payees import PayeeOpening
from marginproof.risk.policy import Policy
from marginproof.risk.recognition import recognition_of
from marginproof.risk.rows import CompiledPolicy
from marginproof.risk.snapshot import compile_snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class ProofInputs:
    """Everything a presentation is made from, each part checked before.

    Attributes:
        network: The network.
        identity: The account's.
        purpose: Which level of the policy.
        snapshot: The venue's.
        policy: The announced one that the snapshot names.
        leaves: One per chain, with openings; at least one.
        pledge: The venue's own: the one it proposes, else the standing one.
        proposed: Whether ``pledge`` is a proposal, which the presentation then consents to.
        others: The other venues' standing pledges that count, rising by venue address.
        registry_digest: The account's digest d, 32 bytes.
        payee: What shows the venue under the account's payees root.
    """

    network: NetworkFile
    identity: AccountIdentity
    purpose: Purpose
    snapshot: SignedSnapshot
    policy: Policy = dataclasses.field(repr=False)
    leaves: tuple[OpenedLeaf, ...]
    pledge: PledgeOpening
    proposed: bool
    others: tuple[PledgeOpening, ...]
    registry_digest: bytes
    payee: PayeeOpening

    @property
    def venue(self) -> bytes:
        """To whom the proof goes, 20 bytes."""
        return self.snapshot.snapshot.venue


@dataclasses.dataclass(frozen=True, slots=True)
class Evaluation:
    """A statement with openings that satisfy it, and what is to spare; secret."""

    compiled: CompiledPolicy = dataclasses.field(repr=False)
    openings: tuple[core.Opening, ...] = dataclasses.field(repr=False)
    headroom: Headroom


def proof_context(inputs: ProofInputs) -> ProofContext:
    """Everything the proof is tied to."""
    return ProofContext(
        network=inputs.network.network_id,
        venue=inputs.venue,
        account=inputs.identity.root(),
        purpose=inputs.purpose,
        registry_digest=inputs.registry_digest,
        new_pledge=inputs.pledge.commitment if inputs.proposed else NO_COMMITMENT,
        snapshot_digest=inputs.snapshot.digest,
        certificates=tuple(sorted(leaf.certified.certificate.digest for leaf in inputs.leaves)),
    )


def evaluate(inputs: ProofInputs) -> Evaluation:
    """Builds the statement and its openings and works every row out in plain arithmetic.

    Raises:
        MarginproofError: All of :func:`compile_snapshot`; what the core refuses.
    """
    recognitions = [recognition_of(inputs.snapshot.snapshot, other.venue) for other in inputs.others]
    compiled = compile_snapshot(
        inputs.policy, inputs.network.universe, inputs.snapshot.snapshot, inputs.purpose, others=recognitions
    )
    try:
        openings = _openings(inputs, compiled)
        values = compiled.statement.row_values(openings)
    except core.CoreError as error:
        raise MarginproofError(ReasonCode(error.code), error.message) from None
    surplus_units, scenario = least_surplus(compiled, values)
    headroom = Headroom.of_units(inputs.snapshot.snapshot, inputs.purpose, surplus_units, inputs.policy, scenario)
    return Evaluation(compiled, openings, headroom)


def make_presentation(inputs: ProofInputs, evaluation: Evaluation, signer: LocalAccount) -> Presentation:
    """Proves, consents to the pledge if one is proposed, and packs what the venue needs.

    Args:
        inputs: What ``evaluation`` was made from.
        evaluation: From :func:`evaluate`.
        signer: The account's present key.

    Raises:
        MarginInsufficientError: A row does not hold: nothing is proven, nothing is signed.
        MarginproofError: What the core refuses.
    """
    if evaluation.headroom.surplus_usd < 0:
        raise MarginInsufficientError(evaluation.headroom)
    context = proof_context(inputs)
    try:
        proof = core.prove(evaluation.compiled.statement, evaluation.openings, context.root())
    except core.CoreError as error:
        raise MarginproofError(ReasonCode(error.code), error.message) from None
    return Presentation(
        version=PRESENTATION_VERSION,
        context=context,
        consent=(_consent(inputs, signer),) if inputs.proposed else (),
        leaves=tuple(leaf.certified.included for leaf in inputs.leaves),
        payee_salt=inputs.payee.salt,
        payee_index=inputs.payee.index,
        payee_branch=inputs.payee.branch,
        proof=proof,
    )


def _consent(inputs: ProofInputs, signer: LocalAccount) -> PledgeConsent:
    pledge = inputs.pledge
    step = PledgeStep(inputs.registry_digest, pledge.venue, pledge.commitment, pledge.universe_version)
    message = pledge_message(inputs.network.network_id, inputs.identity.root(), step)
    return PledgeConsent(inputs.identity.owner, inputs.identity.index, sign_typed(signer, message))


def _openings(inputs: ProofInputs, compiled: CompiledPolicy) -> tuple[core.Opening, ...]:
    """Collateral (the sum over the chains), own pledge, other pledges, then what lets most of those count."""
    n = inputs.network.network.n
    total: dict[int, int] = {}
    for leaf in inputs.leaves:
        for index, lots in leaf.vector.items():
            total[index] = total.get(index, 0) + lots
    collateral = core.Opening(n, total, core.add_blindings([leaf.blinding for leaf in inputs.leaves]))
    pledges = _pledge_openings(n, (inputs.pledge, *inputs.others))
    auxiliary = compiled.auxiliary([other.vector() for other in inputs.others])
    if auxiliary is None:
        return (collateral, *pledges)
    return (collateral, *pledges, core.Opening(n, auxiliary, core.random_blinding(auxiliary)))


def _pledge_openings(n: int, pledges: Sequence[PledgeOpening]) -> list[core.Opening]:
    return [core.Opening(n, pledge.vector(), pledge.blinding) for pledge in pledges]
