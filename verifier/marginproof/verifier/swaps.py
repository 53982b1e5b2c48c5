"""How a venue's pledges get onto the registry: a pure machine over orders, nonces, transactions and what is final.

An *order* is one swap or release that the venue wants. It is carried by transactions of the venue's key: each lies at
a nonce, and a nonce may have seen several of them (a fee raised, another order in its place), of which at most one is
ever mined. An order is *live* while some nonce that is not finally used has a transaction of it.

What makes this safe whatever endpoints say:

* Only the registry's finalized record, read by proof, settles an order; receipts and mempools only decide what is sent.
* A swap names the digest d that it follows. Once d has moved on, none of its transactions can do anything any more,
  wherever they still are: sent twice, mined again after a reorganisation, or late.
* A release names no digest. So it is over only when it is not live: then no transaction of it can end a later pledge.
* An order that is not final fails for other reasons than d only when it is not live, so that it cannot stand later.
"""

import dataclasses
from enum import StrEnum

from marginproof.model.pledges import RegistryRecord, StandingPledge
from marginproof.model.reasons import ReasonCode


class SwapKind(StrEnum):
    """What an order does on the registry."""

    SWAP = "SWAP"
    RELEASE = "RELEASE"


class SwapState(StrEnum):
    """How an order ended, on the finalized registry."""

    STANDING = "STANDING"
    RELEASED = "RELEASED"
    FAILED = "FAILED"


@dataclasses.dataclass(frozen=True, slots=True)
class SwapOrder:
    """One change of the registry that the venue wants.

    Attributes:
        account: Account id, 32 bytes.
        owner: The owner's address, 20 bytes.
        index: Number of the owner's account.
        digest: The registry digest d that a swap follows; for a release, the digest when it was ordered.
        commitment: The new pledge, 48 bytes; of a release, the pledge that ends.
        universe_version: Version of the universe that the commitment counts in.
        signature: The account's consent to a swap, 65 bytes; of a release, empty.
        kind: Swap or release.
        height: Finalized height of the home chain at which ``digest`` was read, 0 if unknown: the order is judged by
            no earlier block.
    """

    account: bytes
    owner: bytes
    index: int
    digest: bytes
    commitment: bytes
    universe_version: int
    signature: bytes = dataclasses.field(repr=False)
    kind: SwapKind = SwapKind.SWAP
    height: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class SwapOutcome:
    """What became of an order; ``reason`` says why it failed."""

    account: bytes
    commitment: bytes
    kind: SwapKind
    state: SwapState
    reason: ReasonCode | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PendingOrder:
    """An order that is not settled, under its number in the store; numbers rise in the order of arrival."""

    number: int
    order: SwapOrder


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What the finalized registry says of an order's account.

    Attributes:
        record: Digest, key and standing pledges.
        authorised: Whether the account lets this venue swap.
        signer: The address whose consent counts, 20 bytes.
    """

    record: RegistryRecord
    authorised: bool
    signer: bytes


def judge(
    order: SwapOrder, venue: bytes, finding: Finding, *, live: bool, consented: bytes | None
) -> tuple[SwapState, ReasonCode | None] | None:
    """How an order ended, or None while it can still go either way.

    Args:
        order: Swap or release of this venue.
        venue: The venue's address, 20 bytes.
        finding: From a finalized block not earlier than the order.
        live: Whether a transaction of it could still be mined after that block.
        consented: Whose signature the order has, 20 bytes; None for none that recovers.
    """
    pledge = finding.record.pledge_of(venue)
    if order.kind is SwapKind.RELEASE:
        return (SwapState.RELEASED, None) if pledge is None and not live else None
    if finding.record.digest != order.digest:
        wanted = StandingPledge(venue, order.commitment, order.universe_version, 0)
        if pledge is not None and dataclasses.replace(pledge, revoked_at=0) == wanted:
            return SwapState.STANDING, None
        gone = ReasonCode.REGISTRY_DIGEST_STALE if finding.authorised else ReasonCode.VENUE_NOT_AUTHORISED
        return SwapState.FAILED, gone
    if live:
        return None
    if not finding.authorised:
        return SwapState.FAILED, ReasonCode.VENUE_NOT_AUTHORISED
    if consented != finding.signer:
        return SwapState.FAILED, ReasonCode.PLEDGE_SIGNATURE
    return None
