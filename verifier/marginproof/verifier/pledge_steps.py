"""Steps 5 and 7 of the venue's procedure: whose pledges a proof is about, and whether it holds for them. Pure."""

from marginproof import core
from marginproof.attestation.typed_signing import recover_typed
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.margin import Presentation, Purpose
from marginproof.model.network import Network
from marginproof.model.pledges import NO_COMMITMENT, PledgeStep, RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import pledge_message
from marginproof.risk.line import covers
from marginproof.risk.recognition import recognition_of
from marginproof.risk.snapshot import SnapshotRows
from marginproof.verifier.facts import AccountFacts, PledgeFacts, SnapshotFacts, VenueView, live_pledge

# 5. Pledges: the account's digest d, and the pledge that the proof is about: the proposed one, else the standing one.


def check_pledges(presentation: Presentation, view: VenueView) -> None:
    """Refuses a foreign state of pledges, and a pledge that is not this venue's and the account's will.

    Raises:
        RefusedError: BOOK_UNKNOWN, REGISTRY_DIGEST_STALE, PLEDGE_PENDING, PLEDGE_MISSING, PLEDGE_UNEXPECTED,
            PURPOSE_INSUFFICIENT, VENUE_NOT_AUTHORISED, PLEDGE_SIGNATURE.
    """
    account = _account(presentation, view)
    if presentation.context.registry_digest != account.record.digest:
        raise RefusedError(ReasonCode.REGISTRY_DIGEST_STALE, "the account's pledges have changed")
    if account.pending:
        raise RefusedError(ReasonCode.PLEDGE_PENDING, "a swap of this venue's pledge is under way")
    pledge = _own_pledge(presentation, view)
    if presentation.context.new_pledge == NO_COMMITMENT:
        return
    if pledge.purpose is Purpose.INITIAL and presentation.context.purpose != Purpose.INITIAL:
        raise RefusedError(ReasonCode.PURPOSE_INSUFFICIENT, "this pledge must be proven at the initial level")
    if not account.authorised:
        raise RefusedError(ReasonCode.VENUE_NOT_AUTHORISED, "the registry lets this venue not pledge for the account")
    step = PledgeStep(account.record.digest, view.venue, pledge.commitment, pledge.universe_version)
    check_consent(presentation, step, account.record, view.network)


def _own_pledge(presentation: Presentation, view: VenueView) -> PledgeFacts:
    """The pledge that stands for this venue in the proof.

    Raises:
        RefusedError: PLEDGE_MISSING, PLEDGE_UNEXPECTED.
    """
    account, new_pledge = _account(presentation, view), presentation.context.new_pledge
    if new_pledge == NO_COMMITMENT:
        standing = account.standing
        if standing is None or live_pledge(account.record, view.venue, view.compatible_since) is None:
            raise RefusedError(ReasonCode.PLEDGE_MISSING, "no pledge of this venue stands, and none is proposed")
        return standing
    proposal = account.proposal
    if proposal is None or new_pledge != proposal.commitment:
        raise RefusedError(ReasonCode.PLEDGE_UNEXPECTED, "this venue has not proposed this pledge")
    return proposal


def check_consent(presentation: Presentation, step: PledgeStep, record: RegistryRecord, network: Network) -> None:
    """Refuses a consent that is not the account's to this very change of its pledges.

    Args:
        presentation: Has one consent.
        step: What the swap would do on the registry.
        record: The account's, with its present key.
        network: Names home chain and registry.

    Raises:
        RefusedError: PLEDGE_SIGNATURE.
    """
    (consent,), account = presentation.consent, presentation.context.account
    identity = AccountIdentity(network.home_chain, network.registry, consent.owner, consent.index)
    if identity.root() != account:
        raise RefusedError(ReasonCode.PLEDGE_SIGNATURE, "the consent is of another account")
    try:
        signer = recover_typed(pledge_message(network.root(), account, step), consent.signature)
    except MarginproofError as error:
        raise RefusedError(ReasonCode.PLEDGE_SIGNATURE, "the consent's signature is malformed") from error
    if signer != record.signer(identity):
        raise RefusedError(ReasonCode.PLEDGE_SIGNATURE, "the consent is not signed by the account's present key")


def _account(presentation: Presentation, view: VenueView) -> AccountFacts:
    account = view.accounts.get(presentation.context.account)
    if account is None:
        raise RefusedError(ReasonCode.BOOK_UNKNOWN, "the account is not open at this venue")
    return account


# 7. Proof: the pledge covers the venue's book, and every row of the policy holds for (sum of the chains' commitments,
# this venue's pledge, the standing pledges of all other venues).


def check_proof(presentation: Presentation, view: VenueView) -> None:
    """Checks the book against the pledge, and the argument over the rows that the venue rebuilt itself.

    Raises:
        RefusedError: BOOK_NOT_COVERED, or as :func:`verify_proof`.
    """
    check_coverage(presentation, view)
    record = _account(presentation, view).record
    verify_proof(presentation, snapshot_of(presentation, view), record, view.compatible_since)


def check_coverage(presentation: Presentation, view: VenueView) -> None:
    """Refuses a pledge that is worth more than the venue's actual book in some row of either level.

    Raises:
        RefusedError: BOOK_NOT_COVERED.
    """
    rows = _rows(snapshot_of(presentation, view))
    if not covers(rows.line_rows(), _own_pledge(presentation, view).vector, _account(presentation, view).book):
        raise RefusedError(ReasonCode.BOOK_NOT_COVERED, "the venue's book is worse than the pledge at these prices")


def verify_proof(
    presentation: Presentation, facts: SnapshotFacts, record: RegistryRecord, compatible_since: int
) -> int:
    """Verifies the linear-range argument for the pledges that a registry record shows; gives the number of its rows.

    Args:
        presentation: Names purpose, leaves and the new pledge, if any.
        facts: The snapshot that it names.
        record: The account's.
        compatible_since: Of the universe.

    Raises:
        RefusedError: PLEDGE_MISSING; the core's own code: PROOF_LENGTH, POINT_ENCODING, SCALAR_RANGE, PROOF_INVALID …
    """
    context = presentation.context
    pledge = context.new_pledge
    if pledge == NO_COMMITMENT:
        standing = live_pledge(record, context.venue, compatible_since)
        if standing is None:
            raise RefusedError(ReasonCode.PLEDGE_MISSING, "the registry shows no pledge of this venue")
        pledge = standing.commitment
    others = record.others(context.venue, compatible_since)
    recognised = tuple(recognition_of(facts.snapshot, other.venue) for other in others)
    statement = _rows(facts).compile(Purpose(context.purpose), recognised).statement
    try:
        collateral = core.add_commitments([included.leaf.commitment for included in presentation.leaves])
        inputs = [collateral, pledge, *(other.commitment for other in others)]
        core.verify(statement, inputs, context.root(), presentation.proof)
    except core.CoreError as error:
        raise RefusedError(ReasonCode(error.code), error.message) from error
    return int(statement.row_count)


def _rows(facts: SnapshotFacts) -> SnapshotRows:
    if facts.rows is None:
        raise RefusedError(ReasonCode.SNAPSHOT_STALE, "the snapshot is no longer current")
    return facts.rows


def snapshot_of(presentation: Presentation, view: VenueView) -> SnapshotFacts:
    """The snapshot that a presentation names.

    Raises:
        RefusedError: SNAPSHOT_UNKNOWN.
    """
    facts = view.snapshots.get(presentation.context.snapshot_digest)
    if facts is None:
        raise RefusedError(ReasonCode.SNAPSHOT_UNKNOWN, "this venue has signed no such snapshot")
    return facts
