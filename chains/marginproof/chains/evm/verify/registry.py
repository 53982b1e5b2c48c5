"""The pledge registry, read by proof: policies, signer sets, accounts with their pledges, authorisations, agreements.

Layout (pinned by a test against the contract's own): ``policy_effective_at`` at slot 0, ``signer_set_recorded_at`` at
slot 1, ``accounts`` at slot 2, ``authorisations`` at slot 3, ``agreed_until`` at slot 4. An account has one word for
its digest, one for key, key number and count of pledges, then three for each pledge. See docs/contracts.md.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

from marginproof.chains.evm.verify.accounts import SlotFact
from marginproof.chains.evm.verify.layout import address_word, map_slot, next_slot, word
from marginproof.model.errors import MarginproofError
from marginproof.model.pledges import MAX_PLEDGES, NO_COMMITMENT, NO_DIGEST, NO_KEY, RegistryRecord, StandingPledge
from marginproof.model.reasons import ReasonCode

POLICY_EFFECTIVE_SLOT: Final = word(0)
SIGNER_SET_SLOT: Final = word(1)
ACCOUNTS_SLOT: Final = word(2)
AUTHORISATIONS_SLOT: Final = word(3)
AGREED_UNTIL_SLOT: Final = word(4)
NO_END: Final = (1 << 64) - 1
"""``agreed_until`` of an agreement that nobody has ended."""

_WORDS_BEFORE_PLEDGES: Final = 2
_WORDS_PER_PLEDGE: Final = 3
_ADDRESS_BITS: Final = 160
_ADDRESS_MASK: Final = (1 << _ADDRESS_BITS) - 1
_NUMBER_MASK: Final = (1 << 64) - 1


@dataclasses.dataclass(frozen=True, slots=True)
class AccountHead:
    """An account's first two words.

    Args:
        digest: d, 32 bytes; zeros for an account that never pledged.
        key: Who signs for it, 20 bytes; zeros while the owner's own key does.
        key_number: How often the key was rotated.
        count: How many pledges stand, at most 16.
    """

    digest: bytes
    key: bytes
    key_number: int
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Authorisation:
    """What the registry says of one account and one venue.

    Args:
        number: How often it was authorised or revoked: what the next such message must name.
        authorised: Whether the venue may swap.
        revoked_at: UTC seconds of the revocation while the revoked venue's pledge still stands, else 0.
    """

    number: int
    authorised: bool
    revoked_at: int


def policy_slot(venue: bytes, digest: bytes) -> bytes:
    """The storage slot of ``policy_effective_at[venue][digest]``.

    Args:
        venue: Address, 20 bytes.
        digest: Policy digest, 32 bytes.
    """
    return map_slot(map_slot(POLICY_EFFECTIVE_SLOT, address_word(venue)), digest)


def signer_set_slot(index: int, record: bytes) -> bytes:
    """The storage slot of ``signer_set_recorded_at[index][record]``.

    Args:
        index: Number of the set, ≥ 1.
        record: Key of the record's contents, 32 bytes.
    """
    return map_slot(map_slot(SIGNER_SET_SLOT, word(index)), record)


def recorded_time(fact: SlotFact) -> int | None:
    """UTC seconds that the registry has for an entry; None for one that was never made."""
    return fact.value if fact.present else None


def account_slots(account: bytes) -> tuple[bytes, bytes]:
    """The storage slots of an account's digest and of its key, key number and count of pledges.

    Args:
        account: Account id, 32 bytes.
    """
    first = map_slot(ACCOUNTS_SLOT, account)
    return first, next_slot(first, 1)


def pledge_slots(account: bytes, count: int) -> list[bytes]:
    """The storage slots of an account's first ``count`` pledges, three for each.

    Args:
        account: Account id, 32 bytes.
        count: At most 16.
    """
    first = map_slot(ACCOUNTS_SLOT, account)
    return [next_slot(first, _WORDS_BEFORE_PLEDGES + offset) for offset in range(_WORDS_PER_PLEDGE * count)]


def authorisation_slot(account: bytes, venue: bytes) -> bytes:
    """The storage slot of ``authorisations[account][venue]``.

    Args:
        account: Account id, 32 bytes.
        venue: Address, 20 bytes.
    """
    return map_slot(map_slot(AUTHORISATIONS_SLOT, account), address_word(venue))


def agreement_slot(venue: bytes, other: bytes) -> bytes:
    """The storage slot of ``agreed_until[venue][other]``: the first one's side of an agreement.

    Args:
        venue: Address, 20 bytes.
        other: Address, 20 bytes.
    """
    return map_slot(map_slot(AGREED_UNTIL_SLOT, address_word(venue)), address_word(other))


def decode_head(digest: int, control: int) -> AccountHead:
    """Reads an account's first two words, each 0 ≤ word < 2^256.

    Raises:
        MarginproofError: REGISTRY_INVARIANT, words that the registry's code never writes.
    """
    head = AccountHead(
        digest=word(digest),
        key=(control & _ADDRESS_MASK).to_bytes(20, "big"),
        key_number=control >> _ADDRESS_BITS & _NUMBER_MASK,
        count=control >> 224,
    )
    if head.count > MAX_PLEDGES:
        raise _broken(f"an account has more than {MAX_PLEDGES} pledges")
    if (head.key == NO_KEY) != (head.key_number == 0):
        raise _broken("an account's key and its number contradict each other")
    if head.count and head.digest == NO_DIGEST:
        raise _broken("an account has pledges but no digest")
    return head


def decode_pledge(words: Sequence[int], timestamp: int) -> StandingPledge:
    """Reads a pledge from its three words, each 0 ≤ word < 2^256.

    Args:
        words: Head, tail, venue.
        timestamp: The block's time, UTC seconds.

    Raises:
        MarginproofError: REGISTRY_INVARIANT.
    """
    head, tail, venue = words
    if not 0 < venue <= _ADDRESS_MASK:
        raise _broken("a pledge's venue is no address")
    pledge = StandingPledge(
        venue=venue.to_bytes(20, "big"),
        commitment=word(head) + (tail >> 128).to_bytes(16, "big"),
        universe_version=tail >> 64 & _NUMBER_MASK,
        revoked_at=tail & _NUMBER_MASK,
    )
    if pledge.commitment == NO_COMMITMENT:
        raise _broken("a pledge has no commitment")
    if pledge.revoked_at > timestamp:
        raise _broken("a pledge was revoked in the future")
    return pledge


def registry_record(account: bytes, head: AccountHead, words: Sequence[int], timestamp: int) -> RegistryRecord:
    """What the registry has of an account.

    Args:
        account: Account id, 32 bytes.
        head: Its first two words, decoded.
        words: The values of :func:`pledge_slots` for ``head.count`` pledges.
        timestamp: The block's time, UTC seconds.

    Raises:
        MarginproofError: REGISTRY_INVARIANT.
    """
    pledges = [
        decode_pledge(words[first : first + _WORDS_PER_PLEDGE], timestamp)
        for first in range(0, _WORDS_PER_PLEDGE * head.count, _WORDS_PER_PLEDGE)
    ]
    if len({pledge.venue for pledge in pledges}) != len(pledges):
        raise _broken("a venue has two pledges of one account")
    return RegistryRecord(
        account=account,
        digest=head.digest,
        key=head.key,
        key_number=head.key_number,
        pledges=tuple(sorted(pledges, key=lambda pledge: pledge.venue)),
    )


def decode_authorisation(value: int, timestamp: int) -> Authorisation:
    """Reads an authorisation from its word, 0 ≤ word < 2^256.

    Args:
        value: Number, time of the revocation, position of the pledge.
        timestamp: The block's time, UTC seconds.

    Raises:
        MarginproofError: REGISTRY_INVARIANT.
    """
    number, revoked_at, position = value & _NUMBER_MASK, value >> 64 & _NUMBER_MASK, value >> 128
    # The number counts authorisations and revocations in turn.
    authorised = number % 2 == 1
    if position > MAX_PLEDGES:
        raise _broken(f"a pledge's position lies beyond {MAX_PLEDGES}")
    if revoked_at > timestamp:
        raise _broken("a venue was revoked in the future")
    if authorised and revoked_at:
        raise _broken("a venue is authorised and revoked")
    if not authorised and bool(position) != bool(revoked_at):
        raise _broken("a revocation runs without a pledge, or a pledge stands without either")
    if number == 0 and value:
        raise _broken("an authorisation that was never given has contents")
    return Authorisation(number, authorised, revoked_at)


def agreement_holds(until: int, until_of_other: int, timestamp: int) -> bool:
    """Whether both sides of an agreement hold at a time.

    Args:
        until: ``agreed_until`` of one side, 0 ≤ word < 2^256.
        until_of_other: That of the other side.
        timestamp: UTC seconds.

    Raises:
        MarginproofError: REGISTRY_INVARIANT.
    """
    if max(until, until_of_other) > NO_END:
        raise _broken("an agreement's end is no time")
    return timestamp < min(until, until_of_other)


def _broken(message: str) -> MarginproofError:
    return MarginproofError(
        ReasonCode.REGISTRY_INVARIANT,
        message,
        fix="do not rely on this registry; report it, because proven state contradicts the registry's code",
    )
