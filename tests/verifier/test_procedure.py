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
from marginproof.verifier.procedure import STEP_REASONS, STEPS, judge
from tests.verifier.world import ACCOUNT, EPOCH, HOME, NOW, OTHER, OTHER_VENUE, World, certify

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
    columns = world.statement(Purpose.MAINTENANCE).columns
    return proof_changed(world, 48 * (2 * columns + 4), b"\xff" * 32)


def outside_subgroup(world: World) -> Case:
    """A point of the whole curve: of its cofactor many, one in about 2^125 lies in the subgroup."""
    modulus = int(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
    )
    x = next(x for x in range(1, 100) if pow(x**3 + 4, (modulus - 1) // 2, modulus) == 1)
    return proof_changed(world, 0, (x | 0x80 << 376).to_bytes(48, "big"))


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
    ("a pledge", 5, ReasonCode.PLEDGE_UNEXPECTED, lambda w: recontexted(w, new_pledge=w.book.commitment)),
    ("account not open", 5, ReasonCode.BOOK_UNKNOWN, lambda w: under(w, books={})),
    (
        "book changed",
        5,
        ReasonCode.BOOK_STALE,
        lambda w: under(w, books={ACCOUNT: w.leaves[0].included.leaf.commitment}),
    ),
    ("snapshot unknown", 6, ReasonCode.SNAPSHOT_UNKNOWN, lambda w: under(w, snapshots={})),
    ("snapshot expired this second", 6, ReasonCode.SNAPSHOT_STALE, stale_snapshot),
    ("a byte too many", 7, ReasonCode.PROOF_LENGTH, lambda w: (w.present().encode() + b"\0", w.view())),
    ("proof too short", 7, ReasonCode.PROOF_LENGTH, lambda w: edited(w, proof=w.present().proof[:-1])),
    ("no point", 7, ReasonCode.POINT_ENCODING, lambda w: proof_changed(w, 0, b"\x00")),
    ("point at infinity", 7, ReasonCode.POINT_AT_INFINITY, lambda w: proof_changed(w, 0, b"\xc0" + bytes(47))),
    ("a point outside the subgroup", 7, ReasonCode.POINT_NOT_IN_SUBGROUP, outside_subgroup),
    ("a scalar too large", 7, ReasonCode.SCALAR_RANGE, scalar_too_large),
    ("another point", 7, ReasonCode.PROOF_INVALID, lambda w: proof_changed(w, 0, w.book.commitment)),
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
    verdict = judge(*under(world, decided_before=True, certificates={}, policies={}, snapshots={}, books={}))
    assert (verdict.step, verdict.reasons) == (8, (ReasonCode.REPLAYED,))


def test_the_first_failed_step_is_the_one_reported(world: World) -> None:
    verdict = judge(*under(world, policies={}, certificates={}, books={}))
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
