"""When an order is settled, by what the finalized registry says and by nothing else."""

import dataclasses
from typing import Any

import pytest

from marginproof.model.pledges import NO_KEY, RegistryRecord, StandingPledge, next_digest
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.swaps import Finding, SwapKind, SwapOrder, SwapState, judge

VENUE, RIVAL = b"\x61" * 20, b"\x62" * 20
ACCOUNT, OWNER = b"\x01" * 32, b"\x02" * 20
FIRST = b"\x0d" * 32
PLEDGE, OLD = b"\xc1" * 48, b"\xc0" * 48
SWAP = SwapOrder(ACCOUNT, OWNER, 0, FIRST, PLEDGE, 3, b"\x09" * 65)
RELEASE = dataclasses.replace(SWAP, commitment=OLD, signature=b"", kind=SwapKind.RELEASE)
AFTER = next_digest(FIRST, VENUE, PLEDGE, 3)


def finding(digest: bytes, *pledges: StandingPledge, authorised: bool = True, signer: bytes = OWNER) -> Finding:
    return Finding(RegistryRecord(ACCOUNT, digest, NO_KEY, 0, pledges), authorised, signer)


def pledge(commitment: bytes = PLEDGE, version: int = 3, venue: bytes = VENUE, revoked_at: int = 0) -> StandingPledge:
    return StandingPledge(venue, commitment, version, revoked_at)


def verdict(order: SwapOrder, found: Finding, *, live: bool = True, consented: bytes | None = OWNER) -> Any:
    return judge(order, VENUE, found, live=live, consented=consented)


STANDING = (SwapState.STANDING, None)
RELEASED = (SwapState.RELEASED, None)


def failed(reason: ReasonCode) -> tuple[SwapState, ReasonCode]:
    return SwapState.FAILED, reason


@pytest.mark.parametrize("live", [True, False])
def test_a_swap_stands_once_the_record_has_its_pledge(live: bool) -> None:
    assert verdict(SWAP, finding(AFTER, pledge()), live=live) == STANDING


def test_a_swap_still_stands_after_another_venue_moved_the_digest_on() -> None:
    later = next_digest(AFTER, RIVAL, OLD, 3)
    assert verdict(SWAP, finding(later, pledge(), pledge(OLD, venue=RIVAL))) == STANDING


def test_a_swap_that_was_revoked_at_once_stands_until_it_lapses() -> None:
    revoked = next_digest(AFTER, VENUE)
    assert verdict(SWAP, finding(revoked, pledge(revoked_at=9), authorised=False)) == STANDING


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("standing", [(), (pledge(OLD),), (pledge(version=2),), (pledge(venue=RIVAL),)])
def test_a_swap_fails_once_the_digest_is_final_without_its_pledge(live: bool, standing: tuple[Any, ...]) -> None:
    found = finding(b"\x77" * 32, *standing)
    assert verdict(SWAP, found, live=live) == failed(ReasonCode.REGISTRY_DIGEST_STALE)


def test_the_pledge_alone_is_not_enough_while_the_digest_stays() -> None:
    # The same commitment stood before: the swap has not happened yet.
    assert verdict(SWAP, finding(FIRST, pledge())) is None


def test_a_revoked_venue_is_told_so() -> None:
    found = finding(b"\x77" * 32, authorised=False)
    assert verdict(SWAP, found) == failed(ReasonCode.VENUE_NOT_AUTHORISED)


def test_a_swap_whose_transaction_may_still_be_mined_never_fails_for_another_reason_than_the_digest() -> None:
    found = finding(FIRST, authorised=False, signer=RIVAL)
    assert verdict(SWAP, found, live=True) is None


def test_without_a_transaction_it_fails_for_what_the_registry_would_refuse() -> None:
    assert verdict(SWAP, finding(FIRST), live=False) is None
    unauthorised = finding(FIRST, authorised=False)
    assert verdict(SWAP, unauthorised, live=False) == failed(ReasonCode.VENUE_NOT_AUTHORISED)
    rotated = finding(FIRST, signer=RIVAL)
    assert verdict(SWAP, rotated, live=False) == failed(ReasonCode.PLEDGE_SIGNATURE)
    assert verdict(SWAP, finding(FIRST), live=False, consented=None) == failed(ReasonCode.PLEDGE_SIGNATURE)


def test_a_release_is_over_only_when_the_pledge_is_gone_and_no_transaction_of_it_is_left() -> None:
    assert verdict(RELEASE, finding(FIRST, pledge(OLD)), live=True) is None
    assert verdict(RELEASE, finding(FIRST, pledge(OLD)), live=False) is None
    # It lapsed by somebody else's transaction; ours could still end a pledge that comes later.
    assert verdict(RELEASE, finding(AFTER), live=True) is None
    assert verdict(RELEASE, finding(AFTER), live=False) == RELEASED
    assert verdict(RELEASE, finding(AFTER, pledge(OLD, venue=RIVAL)), live=False) == RELEASED


def test_an_order_shows_no_signature() -> None:
    assert "signature" not in repr(SWAP)
