"""Each reason of each step: one valid presentation, made wrong in exactly that one way."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.model.margin import Outcome, Presentation, Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.facts import NewestLeaf, VenueView
from marginproof.verifier.procedure import STEP_REASONS, STEPS, confirm, judge
from tests.verifier.world import (
    ACCOUNT,
    BOOK,
    CASH,
    EPOCH,
    HOME,
    LINE,
    NOW,
    OTHER,
    OTHER_VENUE,
    STRANGER_KEY,
    VENUE,
    Elsewhere,
    World,
    certify,
    pledge_of,
    record_of,
)

Case = tuple[bytes, VenueView]
Change = Callable[[World], Case]


def edited(world: World, **changes: Any) -> Case:
    """The valid presentation with fields outside its context replaced."""
    return dataclasses.replace(world.present(), **changes).encode(), world.view()


def recontexted(world: World, **changes: Any) -> Case:
    """A presentation proven anew for a context with these fields replaced."""
    return world.present(**changes).encode(), world.view()


def under(world: World, **facts: Any) -> Case:
    """The valid presentation before a venue that knows something else."""
    return world.present().encode(), world.view(**facts)


def with_leaf(world: World, chain: str, **changes: Any) -> Case:
    """The leaf of one chain certified differently, proven over all the same."""
    leaf = certify(chain, **changes)
    leaves = [leaf if known.included.leaf.chain == chain else known for known in world.leaves]
    return world.present(leaves).encode(), world.view(leaves)


def doubled_chain(world: World) -> Case:
    leaves = [certify(HOME), certify(HOME, epoch=EPOCH - 1)]
    return world.present(leaves).encode(), world.view(leaves)


def foreign_leaf(world: World) -> Case:
    return with_leaf(world, OTHER, account=b"\x0a" * 32)


def branch_of_another(world: World) -> Case:
    first, second = world.present().leaves
    branch = (bytes(32), *second.branch[1:])
    return edited(world, leaves=(first, dataclasses.replace(second, branch=branch)))


def leaf_of_another_chain(world: World) -> Case:
    first, second = world.present().leaves
    leaf = dataclasses.replace(second.leaf, chain="eip155:31339")
    return edited(world, leaves=(first, dataclasses.replace(second, leaf=leaf)))


def without_certificate(world: World) -> Case:
    kept = world.leaves[0].certificate
    return under(world, certificates={kept.digest: kept})


def newer(world: World, epochs: int, seen_at: int) -> Case:
    newest = {OTHER: NewestLeaf(EPOCH + epochs, seen_at)}
    return under(world, newest_leaves=newest)


def proof_changed(world: World, position: int, value: bytes) -> Case:
    proof = world.present().proof
    return edited(world, proof=proof[:position] + value + proof[position + len(value) :])


def scalar_too_large(world: World) -> Case:
    statement = world.statement(Purpose.MAINTENANCE)
    points = statement.vectors - statement.inputs + 2 * statement.columns + 4
    return proof_changed(world, 48 * points, b"\xff" * 32)


def outside_subgroup(world: World) -> Case:
    """A point of the whole curve: of its cofactor many, one in about 2^125 lies in the subgroup."""
    modulus = int(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
    )
    x = next(x for x in range(1, 100) if pow(x**3 + 4, (modulus - 1) // 2, modulus) == 1)
    return proof_changed(world, 0, (x | 0x80 << 376).to_bytes(48, "big"))


def with_account(world: World, presentation: Presentation | None = None, **facts: Any) -> Case:
    """A presentation, the valid one unless given, before a venue that knows something else of the account."""
    shown = world.present() if presentation is None else presentation
    return shown.encode(), world.view(accounts={ACCOUNT: world.account(**facts)})


def proposed(world: World, **changes: Any) -> Case:
    """A valid presentation of the proposed pledge at the level that it needs, with fields replaced."""
    presentation = world.present(pledge=world.proposal, purpose=Purpose.INITIAL)
    return dataclasses.replace(presentation, **changes).encode(), world.view()


def consented(world: World, **changes: Any) -> Case:
    """The proposed pledge with a consent that is wrong in one way."""
    assert world.proposal is not None
    return proposed(world, consent=(world.consent(world.proposal.commitment, **changes),))


def consent_of(world: World, **changes: Any) -> Case:
    """The proposed pledge with fields of its consent replaced."""
    assert world.proposal is not None
    return proposed(world, consent=(dataclasses.replace(world.consent(world.proposal.commitment), **changes),))


def another_pledge(world: World) -> Case:
    return world.present(pledge=pledge_of("not proposed"), purpose=Purpose.INITIAL).encode(), world.view()


def nothing_proposed(world: World) -> Case:
    presentation = world.present(pledge=world.proposal, purpose=Purpose.INITIAL)
    return with_account(world, presentation, proposal=None)


def at_the_lower_level(world: World) -> Case:
    return world.present(pledge=world.proposal, purpose=Purpose.MAINTENANCE).encode(), world.view()


def not_authorised(world: World) -> Case:
    presentation = world.present(pledge=world.proposal, purpose=Purpose.INITIAL)
    return with_account(world, presentation, authorised=False)


def signed_by_a_key_of_before(world: World) -> Case:
    """The owner's own key signs, and the account has rotated to another."""
    record = dataclasses.replace(world.record, key=b"\x0c" * 20, key_number=1)
    presentation = world.present(pledge=world.proposal, purpose=Purpose.INITIAL)
    return with_account(world, presentation, record=record)


def standing(world: World, **changes: Any) -> Case:
    """The registry shows this venue's own pledge differently."""
    return with_account(world, record=record_of(world.pledge, world.elsewhere, **changes))


def older_universe(world: World) -> Case:
    return world.present().encode(), world.view(compatible_since=2)


def one_lot_worse(world: World, lots: int = LINE + 1) -> Case:
    """The venue's book is this much worse than when the pledge with its line was made."""
    return with_account(world, book={**BOOK, CASH: BOOK[CASH] - lots})


def one_lot_worse_than_proposed(world: World) -> Case:
    presentation = world.present(pledge=world.proposal, purpose=Purpose.INITIAL)
    return with_account(world, presentation, book={**BOOK, CASH: BOOK[CASH] - 2 * LINE - 1})


def less_elsewhere(world: World) -> Case:
    """The account leaves its pledge at another venue out of the proof."""
    alone = dataclasses.replace(world, elsewhere=())
    return alone.present().encode(), world.view()


def another_pledge_elsewhere(world: World) -> Case:
    """The account proves with a pledge of the other venue that does not stand, but the digest is that of the real."""
    alone = dataclasses.replace(world, elsewhere=(Elsewhere.make(values={CASH: 0}),))
    return alone.present().encode(), world.view()


def unsorted_certificates(world: World) -> Case:
    certificates = world.context().certificates
    return recontexted(world, certificates=tuple(reversed(certificates)))


def leaf_left_out(world: World) -> Case:
    return edited(world, leaves=world.present().leaves[:1])


def leaf_twice(world: World) -> Case:
    first, second = world.present().leaves
    return edited(world, leaves=(first, first, second))


def leaves_reversed(world: World) -> Case:
    return edited(world, leaves=tuple(reversed(world.present().leaves)))


def consent_alone(world: World) -> Case:
    assert world.pledge is not None
    return edited(world, consent=(world.consent(world.pledge.commitment),))


def no_leaves(world: World) -> Case:
    context = world.context(certificates=())
    return edited(world, leaves=(), context=context)


def wrong_offset(world: World) -> Case:
    data = world.present().encode()
    return data[:8] + b"\xff" + data[9:], world.view()


def stale_snapshot(world: World) -> Case:
    return under(world, now=world.snapshot.snapshot.expires_at)


CASES: list[tuple[str, int, ReasonCode, Change]] = [
    ("nothing after the version", 1, ReasonCode.PRESENTATION_MALFORMED, lambda w: (w.present().encode()[:8], w.view())),
    ("a wrong offset", 1, ReasonCode.PRESENTATION_MALFORMED, wrong_offset),
    ("the first half", 1, ReasonCode.PRESENTATION_MALFORMED, lambda w: (w.present().encode()[:300], w.view())),
    ("nothing", 1, ReasonCode.PRESENTATION_MALFORMED, lambda w: (b"", w.view())),
    ("too large", 1, ReasonCode.PRESENTATION_MALFORMED, lambda w: (bytes(256 * 1024 + 1), w.view())),
    ("certificates unsorted", 1, ReasonCode.PRESENTATION_MALFORMED, unsorted_certificates),
    ("a leaf left out", 1, ReasonCode.PRESENTATION_MALFORMED, leaf_left_out),
    ("a leaf twice", 1, ReasonCode.PRESENTATION_MALFORMED, leaf_twice),
    ("leaves not by chain", 1, ReasonCode.PRESENTATION_MALFORMED, leaves_reversed),
    ("no leaves", 1, ReasonCode.PRESENTATION_MALFORMED, no_leaves),
    ("a consent without a pledge", 1, ReasonCode.PRESENTATION_MALFORMED, consent_alone),
    ("a pledge without consent", 1, ReasonCode.PRESENTATION_MALFORMED, lambda w: proposed(w, consent=())),
    ("another version", 1, ReasonCode.PRESENTATION_VERSION, lambda w: edited(w, version=2)),
    ("another network", 1, ReasonCode.WRONG_NETWORK, lambda w: recontexted(w, network=b"\x01" * 32)),
    ("another venue", 1, ReasonCode.WRONG_VENUE, lambda w: recontexted(w, venue=OTHER_VENUE)),
    ("no purpose", 1, ReasonCode.PURPOSE_UNKNOWN, lambda w: recontexted(w, purpose=0)),
    ("an unknown purpose", 1, ReasonCode.PURPOSE_UNKNOWN, lambda w: recontexted(w, purpose=3)),
    ("policy not announced", 2, ReasonCode.POLICY_NOT_ANNOUNCED, lambda w: under(w, policies={})),
    (
        "policy a second early",
        2,
        ReasonCode.POLICY_NOT_YET_EFFECTIVE,
        lambda w: under(w, policies={w.policy.digest: NOW + 1}),
    ),
    ("certificate unknown", 3, ReasonCode.CERTIFICATE_UNKNOWN, without_certificate),
    ("one chain twice", 3, ReasonCode.CERTIFICATE_DUPLICATE_CHAIN, doubled_chain),
    (
        "another universe",
        3,
        ReasonCode.UNIVERSE_MISMATCH,
        lambda w: with_leaf(w, OTHER, universe_digest=b"\x01" * 32),
    ),
    (
        "certificate expired this second",
        3,
        ReasonCode.CERTIFICATE_EXPIRED,
        lambda w: with_leaf(w, HOME, certificate_seconds=200),
    ),
    ("two epochs newer", 3, ReasonCode.CERTIFICATE_NOT_NEWEST, lambda w: newer(w, 2, NOW)),
    ("one epoch newer, grace over", 3, ReasonCode.CERTIFICATE_NOT_NEWEST, lambda w: newer(w, 1, NOW - 61)),
    ("another account's leaf", 4, ReasonCode.LEAF_ACCOUNT_MISMATCH, foreign_leaf),
    ("a leaf of another chain", 4, ReasonCode.CERTIFICATE_MISMATCH, leaf_of_another_chain),
    ("a wrong branch", 4, ReasonCode.LEAF_NOT_INCLUDED, branch_of_another),
    ("a wrong payee salt", 4, ReasonCode.VENUE_NOT_PAYEE, lambda w: edited(w, payee_salt=b"\x03" * 32)),
    ("other payees on one chain", 4, ReasonCode.VENUE_NOT_PAYEE, lambda w: with_leaf(w, OTHER, payees=b"\x04" * 32)),
    (
        "another digest d",
        5,
        ReasonCode.REGISTRY_DIGEST_STALE,
        lambda w: recontexted(w, registry_digest=b"\x01" * 32),
    ),
    ("account not open", 5, ReasonCode.BOOK_UNKNOWN, lambda w: under(w, accounts={})),
    ("a swap under way", 5, ReasonCode.PLEDGE_PENDING, lambda w: with_account(w, pending=True)),
    (
        "its own swap under way",
        5,
        ReasonCode.PLEDGE_PENDING,
        lambda w: with_account(w, w.present(pledge=w.proposal, purpose=Purpose.INITIAL), pending=True),
    ),
    (
        "no standing pledge",
        5,
        ReasonCode.PLEDGE_MISSING,
        lambda w: with_account(w, record=record_of(None, w.elsewhere), standing=None),
    ),
    ("a revoked pledge", 5, ReasonCode.PLEDGE_MISSING, lambda w: standing(w, revoked_at=NOW - 1)),
    ("a pledge of an older universe", 5, ReasonCode.PLEDGE_MISSING, older_universe),
    ("a pledge that the venue cannot open", 5, ReasonCode.PLEDGE_MISSING, lambda w: with_account(w, standing=None)),
    ("a pledge that was not proposed", 5, ReasonCode.PLEDGE_UNEXPECTED, another_pledge),
    ("a pledge where none is proposed", 5, ReasonCode.PLEDGE_UNEXPECTED, nothing_proposed),
    ("a pledge proven at the lower level", 5, ReasonCode.PURPOSE_INSUFFICIENT, at_the_lower_level),
    ("a venue that may not pledge", 5, ReasonCode.VENUE_NOT_AUTHORISED, not_authorised),
    ("a stranger's consent", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consented(w, key=STRANGER_KEY)),
    ("the consent of a key of before", 5, ReasonCode.PLEDGE_SIGNATURE, signed_by_a_key_of_before),
    ("a consent to another pledge", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consented(w, commitment=b"\x01" * 48)),
    ("a consent for another venue", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consented(w, venue=OTHER_VENUE)),
    ("a consent after another digest", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consented(w, previous=bytes(32))),
    ("a consent in another universe", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consented(w, universe_version=2)),
    ("no signature", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consent_of(w, signature=bytes(65))),
    ("another owner", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consent_of(w, owner=VENUE)),
    ("another account of the owner", 5, ReasonCode.PLEDGE_SIGNATURE, lambda w: consent_of(w, index=1)),
    ("snapshot unknown", 6, ReasonCode.SNAPSHOT_UNKNOWN, lambda w: under(w, snapshots={})),
    ("snapshot expired this second", 6, ReasonCode.SNAPSHOT_STALE, stale_snapshot),
    ("a book one lot worse than its pledge", 7, ReasonCode.BOOK_NOT_COVERED, one_lot_worse),
    ("a book one lot worse than proposed", 7, ReasonCode.BOOK_NOT_COVERED, one_lot_worse_than_proposed),
    ("a pledge elsewhere left out", 7, ReasonCode.PROOF_LENGTH, less_elsewhere),
    ("another pledge elsewhere", 7, ReasonCode.PROOF_INVALID, another_pledge_elsewhere),
    ("a byte too many", 7, ReasonCode.PROOF_LENGTH, lambda w: (w.present().encode() + b"\0", w.view())),
    ("proof too short", 7, ReasonCode.PROOF_LENGTH, lambda w: edited(w, proof=w.present().proof[:-1])),
    ("no point", 7, ReasonCode.POINT_ENCODING, lambda w: proof_changed(w, 0, b"\x00")),
    ("point at infinity", 7, ReasonCode.POINT_AT_INFINITY, lambda w: proof_changed(w, 0, b"\xc0" + bytes(47))),
    ("a point outside the subgroup", 7, ReasonCode.POINT_NOT_IN_SUBGROUP, outside_subgroup),
    ("a scalar too large", 7, ReasonCode.SCALAR_RANGE, scalar_too_large),
    ("another point", 7, ReasonCode.PROOF_INVALID, lambda w: proof_changed(w, 0, w.leaves[0].included.leaf.commitment)),
    (
        "the proof of the lower level for the higher",
        7,
        ReasonCode.PROOF_INVALID,
        lambda w: edited(w, context=w.context(purpose=Purpose.INITIAL)),
    ),
    ("decided before", 8, ReasonCode.REPLAYED, lambda w: under(w, decided_before=True)),
]


@pytest.mark.parametrize(("step", "reason", "change"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_wrong_in_one_way_is_rejected_for_it(world: World, step: int, reason: ReasonCode, change: Change) -> None:
    data, view = change(world)
    verdict = judge(data, view)
    assert (verdict.outcome, verdict.step, verdict.reasons) == (Outcome.REJECT, step, (reason,))


def test_the_valid_one_is_accepted(world: World) -> None:
    for purpose in Purpose:
        verdict = judge(world.present(purpose=purpose).encode(), world.view())
        assert (verdict.outcome, verdict.step, verdict.reasons) == (Outcome.ACCEPT, 0, ())


def test_the_proposed_pledge_is_accepted_at_the_level_it_needs(world: World) -> None:
    assert judge(*proposed(world)).outcome is Outcome.ACCEPT
    cover = pledge_of("cover", line=0, purpose=Purpose.MAINTENANCE)
    covered = dataclasses.replace(world, proposal=cover)
    for purpose in Purpose:
        presentation = covered.present(pledge=cover, purpose=purpose)
        assert judge(presentation.encode(), covered.view()).outcome is Outcome.ACCEPT


def test_a_book_may_be_worse_by_the_whole_line(world: World) -> None:
    assert judge(*one_lot_worse(world, LINE)).outcome is Outcome.ACCEPT


def test_a_first_pledge_needs_no_standing_one(world: World) -> None:
    fresh = dataclasses.replace(world, record=record_of(None, world.elsewhere), pledge=None)
    presentation = fresh.present(pledge=fresh.proposal, purpose=Purpose.INITIAL)
    assert judge(presentation.encode(), fresh.view()).outcome is Outcome.ACCEPT


def test_the_rotated_key_consents(world: World) -> None:
    rotated = dataclasses.replace(world.record, key=bytes.fromhex(STRANGER_KEY.address[2:]), key_number=1)
    data, _ = consented(world, key=STRANGER_KEY)
    assert judge(data, world.view(accounts={ACCOUNT: world.account(record=rotated)})).outcome is Outcome.ACCEPT


def test_an_accept_is_confirmed_on_what_has_moved_since(world: World) -> None:
    for data, reason, facts in (
        (world.present(), ReasonCode.BOOK_NOT_COVERED, {"book": {**BOOK, CASH: BOOK[CASH] - LINE - 1}}),
        (world.present(), ReasonCode.PLEDGE_PENDING, {"pending": True}),
    ):
        verdict = judge(data.encode(), world.view())
        assert confirm(verdict, world.view()) == verdict
        again = confirm(verdict, world.view(accounts={ACCOUNT: world.account(**facts)}))
        assert (again.outcome, again.reasons) == (Outcome.REJECT, (reason,))
        rejected = judge(data.encode(), world.view(accounts={}))
        assert confirm(rejected, world.view()) == rejected


def test_every_reason_of_every_step_has_a_case() -> None:
    tested = {(step, reason) for _, step, reason, _ in CASES}
    listed = {(step, reason) for step, reasons in STEP_REASONS.items() for reason in reasons}
    assert tested - listed == set()
    assert listed - tested == {(7, ReasonCode.CHALLENGE_IN_DOMAIN)}  # takes about 2^247 attempts to meet


def test_steps_are_numbered_in_order() -> None:
    assert [step.number for step in STEPS] == [2, 3, 4, 5, 6, 7, 8]


def test_the_leaf_before_the_newest_serves_within_the_grace(world: World) -> None:
    for case in (newer(world, 1, NOW - 60), newer(world, 1, NOW), newer(world, 0, NOW - 999), newer(world, -1, NOW)):
        assert judge(*case).outcome is Outcome.ACCEPT


def test_a_chain_may_be_left_out(world: World) -> None:
    only = world.leaves[:1]
    assert judge(world.present(only).encode(), world.view(only)).outcome is Outcome.ACCEPT


def test_a_replay_is_told_before_anything_else_is_looked_at(world: World) -> None:
    verdict = judge(*under(world, decided_before=True, certificates={}, policies={}, snapshots={}, accounts={}))
    assert (verdict.step, verdict.reasons) == (8, (ReasonCode.REPLAYED,))


def test_the_first_failed_step_is_the_one_reported(world: World) -> None:
    verdict = judge(*under(world, policies={}, certificates={}, accounts={}))
    assert (verdict.step, verdict.reasons) == (2, (ReasonCode.POLICY_NOT_ANNOUNCED,))


@functools.cache
def valid_bytes(world: World) -> bytes:
    return world.present().encode()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.binary(max_size=2_000))
def test_any_bytes_give_a_verdict(world: World, data: bytes) -> None:
    verdict = judge(data, world.view())
    assert verdict.outcome is Outcome.REJECT


@settings(max_examples=60, deadline=None, derandomize=True)
@given(position=st.integers(min_value=0, max_value=10_000), flip=st.integers(min_value=1, max_value=255))
def test_no_changed_byte_is_accepted(world: World, position: int, flip: int) -> None:
    data = bytearray(valid_bytes(world))
    data[position % len(data)] ^= flip
    verdict = judge(bytes(data), world.view())
    assert verdict.outcome is Outcome.REJECT


def test_presentation_holds_no_amount(world: World) -> None:
    data = world.present().encode()
    for lots in (10 * 10**6, 30_000 * 10**6):
        assert lots.to_bytes(8, "little") not in data
    assert Presentation.decode(data).proof
