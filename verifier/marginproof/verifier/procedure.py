"""How a venue judges a presentation: eight numbered steps, pure.

The numbers are the ``step`` of a decision, of the offline report and of the docs. A step refuses by raising an error
whose code is one of the step's reasons; nothing after the first refusal is looked at.

Source: docs/venues.md, "The procedure"; architecture, steps 8 and 9.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from marginproof.attestation.leaves import verify_included
from marginproof.model.accounts import Payee, payee_holds
from marginproof.model.certificates import Certificate, IncludedLeaf
from marginproof.model.errors import MalformedError, MarginproofError, RefusedError
from marginproof.model.margin import PRESENTATION_VERSION, Outcome, Presentation, Purpose
from marginproof.model.pledges import NO_COMMITMENT
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.facts import VenueView
from marginproof.verifier.pledge_steps import check_coverage, check_pledges, check_proof, snapshot_of

DECODE_STEP: Final = 1
PLEDGES_STEP: Final = 5
PROOF_STEP: Final = 7
LEDGER_STEP: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One step after decoding: its number, its name in reports, and what it checks."""

    number: int
    name: str
    check: Callable[[Presentation, VenueView], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What the procedure found. ``step`` is 0 for ACCEPT; ``presentation`` is None when it could not be decoded."""

    outcome: Outcome
    step: int
    reasons: tuple[ReasonCode, ...]
    presentation: Presentation | None


def judge(data: bytes, view: VenueView) -> Verdict:
    """Accepts or rejects; any bytes give a verdict.

    Args:
        data: SSZ of a Presentation, from anybody.
        view: What the venue knows.
    """
    return judge_read(read_presentation(data), view)


def judge_read(read: Presentation | MarginproofError, view: VenueView) -> Verdict:
    """The same for what :func:`read_presentation` gave, for callers that need the presentation to gather the view."""
    if isinstance(read, MarginproofError):
        return Verdict(Outcome.REJECT, DECODE_STEP, (read.code,), None)
    number, presentation = DECODE_STEP, read
    try:
        check_addressed(presentation, view.network_id, view.venue)
        if not view.decided_before:  # the last step's question comes first: its answer spares all the others
            for step in STEPS[:-1]:
                number = step.number
                step.check(presentation, view)
        number = LEDGER_STEP
        check_ledger(presentation, view)
    except MarginproofError as refusal:
        return Verdict(Outcome.REJECT, number, (refusal.code,), presentation)
    return Verdict(Outcome.ACCEPT, 0, (), presentation)


def confirm(verdict: Verdict, view: VenueView) -> Verdict:
    """Looks again at what may have changed since a verdict was found: the account's book and pledges.

    A proof is verified without holding up orders; before its ACCEPT is recorded, nothing that it rests on may have
    moved.
    """
    presentation = verdict.presentation
    if verdict.outcome is not Outcome.ACCEPT or presentation is None:
        return verdict
    for number, check in ((PLEDGES_STEP, check_pledges), (PROOF_STEP, check_coverage)):
        try:
            check(presentation, view)
        except MarginproofError as refusal:
            return Verdict(Outcome.REJECT, number, (refusal.code,), presentation)
    return verdict


def read_presentation(data: bytes) -> Presentation | MarginproofError:
    """The presentation, or why the bytes are none."""
    try:
        return decode_presentation(data)
    except MarginproofError as refusal:
        return refusal


# 1. Decode: the bytes are a presentation, in its one canonical form, to this venue on this network.


def decode_presentation(data: bytes) -> Presentation:
    """Reads the bytes; total.

    Raises:
        MalformedError: PRESENTATION_MALFORMED.
        RefusedError: PRESENTATION_VERSION.
    """
    try:
        presentation = Presentation.decode(data)
    except MalformedError as error:
        raise MalformedError(error.message, code=ReasonCode.PRESENTATION_MALFORMED) from error
    if presentation.version != PRESENTATION_VERSION:
        raise RefusedError(
            ReasonCode.PRESENTATION_VERSION,
            f"version {presentation.version} of presentations is not known here",
            fix=f"make one of version {PRESENTATION_VERSION}",
        )
    _check_shape(presentation)
    return presentation


def check_addressed(presentation: Presentation, network_id: bytes, venue: bytes) -> None:
    """Refuses what is meant for another network or venue, or for no known purpose.

    Raises:
        RefusedError: WRONG_NETWORK, WRONG_VENUE, PURPOSE_UNKNOWN.
    """
    context = presentation.context
    if context.network != network_id:
        raise RefusedError(ReasonCode.WRONG_NETWORK, "the proof is for another network")
    if context.venue != venue:
        raise RefusedError(ReasonCode.WRONG_VENUE, "the proof is for another venue")
    if context.purpose not in set(Purpose):
        raise RefusedError(ReasonCode.PURPOSE_UNKNOWN, f"purpose {context.purpose} is not known")


def _check_shape(presentation: Presentation) -> None:
    """One spelling only: certificates rise by digest, leaves by chain, and each leaf brings one certificate.

    A consent is there exactly where a new pledge is.
    """
    leaves = presentation.leaves
    if not leaves:
        raise _malformed("a presentation has at least one leaf")
    if sorted(leaf.certificate_digest for leaf in leaves) != list(presentation.context.certificates):
        raise _malformed("the certificates rise by digest, and each of them has exactly one leaf")
    if any(first.leaf.chain > second.leaf.chain for first, second in itertools.pairwise(leaves)):
        raise _malformed("the leaves rise by chain")
    if (presentation.context.new_pledge != NO_COMMITMENT) != bool(presentation.consent):
        raise _malformed("a consent comes with a new pledge, and with nothing else")


# 2. Policy: announced on the registry, and in force.


def check_policy(presentation: Presentation, view: VenueView) -> None:
    """Refuses a policy that the registry does not let hold yet. A snapshot that is unknown is left to step 6.

    Raises:
        RefusedError: POLICY_NOT_ANNOUNCED, POLICY_NOT_YET_EFFECTIVE.
    """
    facts = view.snapshots.get(presentation.context.snapshot_digest)
    if facts is None:
        return
    effective_at = view.policies.get(facts.snapshot.policy_digest)
    if effective_at is None:
        raise RefusedError(ReasonCode.POLICY_NOT_ANNOUNCED, "the registry has no announcement of the policy")
    if view.now < effective_at:
        raise RefusedError(ReasonCode.POLICY_NOT_YET_EFFECTIVE, "the policy was announced but does not hold yet")


# 3. Certificates: verified, one for each chain, of the venue's universe, neither expired nor overtaken.


def check_certificates(presentation: Presentation, view: VenueView) -> None:
    """Refuses certificates that do not count here and now.

    Raises:
        RefusedError: CERTIFICATE_UNKNOWN, CERTIFICATE_DUPLICATE_CHAIN, UNIVERSE_MISMATCH, CERTIFICATE_EXPIRED,
            CERTIFICATE_NOT_NEWEST.
    """
    certificates = [certificate for _, certificate in _certified(presentation, view)]
    if len({certificate.body.chain for certificate in certificates}) != len(certificates):
        raise RefusedError(ReasonCode.CERTIFICATE_DUPLICATE_CHAIN, "one chain's collateral would count twice")
    for certificate in certificates:
        body = certificate.body
        if body.universe_digest != view.universe_digest:
            raise RefusedError(ReasonCode.UNIVERSE_MISMATCH, "a certificate is of another universe")
        if view.now >= body.expires_at:
            raise RefusedError(ReasonCode.CERTIFICATE_EXPIRED, f"the certificate on {body.chain} has expired")
        if _overtaken(certificate, view):
            raise RefusedError(
                ReasonCode.CERTIFICATE_NOT_NEWEST, f"the account has a newer certified leaf on {body.chain}"
            )


def _overtaken(certificate: Certificate, view: VenueView) -> bool:
    body = certificate.body
    newest = view.newest_leaves.get(body.chain)
    if newest is None or body.epoch >= newest.epoch:
        return False
    in_grace = view.now <= newest.seen_at + view.certificate_grace_seconds
    return not (body.epoch == newest.epoch - 1 and in_grace)


def _certified(presentation: Presentation, view: VenueView) -> Iterator[tuple[IncludedLeaf, Certificate]]:
    for included in presentation.leaves:
        certificate = view.certificates.get(included.certificate_digest)
        if certificate is None:
            raise RefusedError(ReasonCode.CERTIFICATE_UNKNOWN, "no relayer has a valid certificate of this digest")
        yield included, certificate


# 4. Inclusion: every leaf is the account's own, under its certificate, and may pay this venue.


def check_inclusion(presentation: Presentation, view: VenueView) -> None:
    """Refuses leaves of others, leaves that are not certified, and accounts that do not name this venue as payee.

    Raises:
        MarginproofError: LEAF_ACCOUNT_MISMATCH, CERTIFICATE_MISMATCH, LEAF_NOT_INCLUDED, VENUE_NOT_PAYEE.
    """
    for included, certificate in _certified(presentation, view):
        if included.leaf.account != presentation.context.account:
            raise RefusedError(ReasonCode.LEAF_ACCOUNT_MISMATCH, "a leaf is another account's")
        verify_included(included, certificate)
        payee = Payee(view.venue, presentation.payee_salt)
        root = included.leaf.payees_root  # one branch for all leaves: they agree on who may be paid
        if not payee_holds(payee, presentation.payee_index, presentation.payee_branch, root):
            raise RefusedError(
                ReasonCode.VENUE_NOT_PAYEE, f"the lock's payees on {included.leaf.chain} do not show this venue"
            )


# 5. Pledges: see :mod:`.pledge_steps`.


# 6. Freshness: a snapshot that this venue signed and that is still current.


def check_freshness(presentation: Presentation, view: VenueView) -> None:
    """Refuses a snapshot that is not this venue's, or too old.

    Raises:
        RefusedError: SNAPSHOT_UNKNOWN, SNAPSHOT_STALE.
    """
    if not snapshot_of(presentation, view).current(view.now):
        raise RefusedError(ReasonCode.SNAPSHOT_STALE, "the snapshot is no longer current")


# 7. Proof: see :mod:`.pledge_steps`.


# 8. Ledger: no presentation counts again once its stored answer has run out.


def check_ledger(_presentation: Presentation, view: VenueView) -> None:
    """Refuses bytes that were decided before.

    Raises:
        RefusedError: REPLAYED.
    """
    if view.decided_before:
        raise RefusedError(ReasonCode.REPLAYED, "these bytes were decided before, under an older snapshot")


def _malformed(message: str) -> MalformedError:
    return MalformedError(message, code=ReasonCode.PRESENTATION_MALFORMED)


STEPS: Final = (
    Step(2, "policy", check_policy),
    Step(3, "certificates", check_certificates),
    Step(4, "inclusion", check_inclusion),
    Step(PLEDGES_STEP, "pledges", check_pledges),
    Step(6, "freshness", check_freshness),
    Step(PROOF_STEP, "proof", check_proof),
    Step(LEDGER_STEP, "ledger", check_ledger),
)
"""Every step after the first, in order."""

_R = ReasonCode
STEP_REASONS: Final[Mapping[int, tuple[ReasonCode, ...]]] = {
    DECODE_STEP: (
        _R.PRESENTATION_MALFORMED,
        _R.PRESENTATION_VERSION,
        _R.WRONG_NETWORK,
        _R.WRONG_VENUE,
        _R.PURPOSE_UNKNOWN,
    ),
    2: (_R.POLICY_NOT_ANNOUNCED, _R.POLICY_NOT_YET_EFFECTIVE),
    3: (
        _R.CERTIFICATE_UNKNOWN,
        _R.CERTIFICATE_DUPLICATE_CHAIN,
        _R.UNIVERSE_MISMATCH,
        _R.CERTIFICATE_EXPIRED,
        _R.CERTIFICATE_NOT_NEWEST,
    ),
    4: (_R.LEAF_ACCOUNT_MISMATCH, _R.CERTIFICATE_MISMATCH, _R.LEAF_NOT_INCLUDED, _R.VENUE_NOT_PAYEE),
    PLEDGES_STEP: (
        _R.BOOK_UNKNOWN,
        _R.REGISTRY_DIGEST_STALE,
        _R.PLEDGE_PENDING,
        _R.PLEDGE_MISSING,
        _R.PLEDGE_UNEXPECTED,
        _R.PURPOSE_INSUFFICIENT,
        _R.VENUE_NOT_AUTHORISED,
        _R.PLEDGE_SIGNATURE,
    ),
    6: (_R.SNAPSHOT_UNKNOWN, _R.SNAPSHOT_STALE),
    PROOF_STEP: (
        _R.BOOK_NOT_COVERED,
        _R.PROOF_LENGTH,
        _R.POINT_ENCODING,
        _R.POINT_NOT_IN_SUBGROUP,
        _R.POINT_AT_INFINITY,
        _R.SCALAR_RANGE,
        _R.CHALLENGE_IN_DOMAIN,
        _R.PROOF_INVALID,
    ),
    LEDGER_STEP: (_R.REPLAYED,),
}
"""The reasons that each step can give."""
