"""From checked evidence to a presentation: pure but for the proof's own randomness."""

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction

from marginproof import core
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.margin import (
    NO_PLEDGE_DIGEST,
    PRESENTATION_VERSION,
    BookOpening,
    Presentation,
    ProofContext,
    Purpose,
    SignedSnapshot,
)
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.prover.evidence import OpenedLeaf
from marginproof.prover.payees import PayeeOpening
from marginproof.risk.policy import Policy
from marginproof.risk.rows import CompiledPolicy
from marginproof.risk.snapshot import compile_snapshot

NO_NEW_PLEDGE = bytes(48)


@dataclasses.dataclass(frozen=True, slots=True)
class ProofInputs:
    """Everything a presentation is made from, each part checked before.

    Attributes:
        network: The network.
        account: Account id, 32 bytes.
        purpose: Which level of the policy.
        snapshot: The venue's.
        policy: The announced one that the snapshot names.
        leaves: One per chain, with openings; at least one.
        book: The venue's, with its opening.
        payee: What shows the venue under the account's payees root.
    """

    network: NetworkFile
    account: bytes
    purpose: Purpose
    snapshot: SignedSnapshot
    policy: Policy = dataclasses.field(repr=False)
    leaves: tuple[OpenedLeaf, ...]
    book: BookOpening
    payee: PayeeOpening


class MarginInsufficientError(RefusedError):
    """The account does not have the margin, so there is nothing true to prove. For the account's eyes only.

    Attributes:
        scenario: Label of the policy's row that fails worst.
        shortfall_usd: How much is missing in it, in USD, rounded up to a cent; secret, in no text of this error.
    """

    def __init__(self, scenario: str, shortfall_usd: Fraction) -> None:
        super().__init__(
            ReasonCode.MARGIN_INSUFFICIENT,
            f"margin is too small in the scenario {scenario!r}; nothing was sent",
            fix="add collateral with `marginproof account top-up`, or reduce positions at the venue",
        )
        self.scenario = scenario
        self.shortfall_usd = shortfall_usd


def proof_context(inputs: ProofInputs) -> ProofContext:
    """Everything the proof is tied to. No pledge stands yet: the registry digest is that of an empty record."""
    return ProofContext(
        network=inputs.network.network_id,
        venue=inputs.snapshot.snapshot.venue,
        account=inputs.account,
        purpose=inputs.purpose,
        registry_digest=NO_PLEDGE_DIGEST,
        new_pledge=NO_NEW_PLEDGE,
        book_commitment=inputs.book.commitment,
        snapshot_digest=inputs.snapshot.digest,
        certificates=tuple(sorted(leaf.certified.certificate.digest for leaf in inputs.leaves)),
    )


def occasion(context: ProofContext, price_slot: int) -> bytes:
    """What the account evaluates only once: (venue, price slot, purpose, registry digest, new pledge, certificates).

    Neither the book nor the snapshot is part of it: a venue that could vary its book on one snapshot, or its snapshot
    on one price report (policies, values within the band), could search for the account's equity.
    """
    parts = (
        context.venue,
        price_slot.to_bytes(8, "big"),
        bytes([context.purpose]),
        context.registry_digest,
        context.new_pledge,
        *context.certificates,
    )
    return hashlib.sha256(b"".join(parts)).digest()


def make_presentation(inputs: ProofInputs) -> Presentation:
    """Builds the statement, checks every row in plain arithmetic, proves, and packs what the venue needs.

    Raises:
        MarginInsufficientError: A row does not hold; its label is for the account only.
        MarginproofError: All of :func:`compile_snapshot`; what the core refuses.
    """
    compiled = compile_snapshot(inputs.policy, inputs.network.universe, inputs.snapshot.snapshot, inputs.purpose)
    context = proof_context(inputs)
    openings = _openings(inputs)
    check_rows(compiled, openings, inputs.policy.row_unit_exponent)
    try:
        proof = core.prove(compiled.statement, openings, context.root())
    except core.CoreError as error:
        raise MarginproofError(ReasonCode(error.code), error.message) from None
    return Presentation(
        version=PRESENTATION_VERSION,
        context=context,
        leaves=tuple(leaf.certified.included for leaf in inputs.leaves),
        payee_salt=inputs.payee.salt,
        payee_index=inputs.payee.index,
        payee_branch=inputs.payee.branch,
        proof=proof,
    )


def check_rows(compiled: CompiledPolicy, openings: Sequence[core.Opening], row_unit_exponent: int) -> None:
    """Refuses a statement that is false, naming the row that fails worst.

    Raises:
        MarginInsufficientError: A row is negative.
    """
    values = compiled.statement.row_values(openings)
    worst = min(range(len(values)), key=values.__getitem__)
    if values[worst] < 0:
        shortfall = Fraction(-values[worst], 10**row_unit_exponent)
        raise MarginInsufficientError(compiled.labels[worst], Fraction(math.ceil(shortfall * 100), 100)) from None


def _openings(inputs: ProofInputs) -> tuple[core.Opening, core.Opening]:
    """Input 0: collateral, the sum over the chains. Input 1: the venue's book."""
    n = inputs.network.network.n
    total: dict[int, int] = {}
    for leaf in inputs.leaves:
        for index, lots in leaf.vector.items():
            total[index] = total.get(index, 0) + lots
    blinding = core.add_blindings([leaf.blinding for leaf in inputs.leaves])
    return core.Opening(n, total, blinding), core.Opening(n, inputs.book.vector(), inputs.book.blinding)
