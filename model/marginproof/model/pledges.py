"""Pledges: what a venue's book with an account is worth to everybody else, and the registry's record of them.

A pledge is a commitment to the venue's book with its cash entry lowered by a trading line. The home chain's registry
keeps every account's standing pledges and one digest d that each change of them advances. Source: architecture, step 9.
"""

import dataclasses
from typing import Annotated, Final

from marginproof.model.accounts import AccountIdentity
from marginproof.model.ssz import Bytes20, Bytes32, Bytes48, Bytes65, Int64, Many, SszContainer, Uint8, Uint64

MAX_PLEDGES: Final = 16
"""Standing pledges that one account may have."""
NO_DIGEST: Final = bytes(32)
"""The registry digest d of an account that never pledged."""
NO_COMMITMENT: Final = bytes(48)
"""Stands for "no pledge": no group element is encoded so."""
NO_KEY: Final = bytes(20)
"""The registry's key of an account that was never rotated."""


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeStep(SszContainer):
    """One change of an account's pledges; its root is the next digest.

    A swap names the new commitment and its universe's version. Release, revocation and lapse name
    :data:`NO_COMMITMENT` and version 0.
    """

    previous: Bytes32
    venue: Bytes20
    commitment: Bytes48
    universe_version: Uint64


def next_digest(previous: bytes, venue: bytes, commitment: bytes = NO_COMMITMENT, universe_version: int = 0) -> bytes:
    """The account's digest after a change, 32 bytes.

    Args:
        previous: The digest before it, 32 bytes.
        venue: Whose pledge changes, 20 bytes.
        commitment: The new pledge, 48 bytes; without it, the end of one.
        universe_version: Version of the universe that the commitment counts in.
    """
    return PledgeStep(previous, venue, commitment, universe_version).root()


@dataclasses.dataclass(frozen=True, slots=True)
class StandingPledge(SszContainer):
    """One pledge on the registry; ``revoked_at`` is 0, or the UTC second in which the account revoked the venue."""

    venue: Bytes20
    commitment: Bytes48
    universe_version: Uint64
    revoked_at: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class RegistryRecord(SszContainer):
    """What the registry has of one account at one block.

    ``key`` signs for the account; zeros while the owner's own key does. ``pledges`` rise strictly by venue.
    """

    account: Bytes32
    digest: Bytes32
    key: Bytes20
    key_number: Uint64
    pledges: Annotated[tuple[StandingPledge, ...], Many(MAX_PLEDGES)]

    def pledge_of(self, venue: bytes) -> StandingPledge | None:
        """The venue's standing pledge; a revoked one stands until it has lapsed."""
        return next((pledge for pledge in self.pledges if pledge.venue == venue), None)

    def others(self, venue: bytes, compatible_since: int) -> tuple[StandingPledge, ...]:
        """The pledges that a proof to ``venue`` must count besides its own, rising by venue.

        Args:
            venue: To whom the proof goes, 20 bytes.
            compatible_since: Of the universe; pledges of older versions have lapsed.
        """
        return tuple(
            pledge for pledge in self.pledges if pledge.venue != venue and pledge.universe_version >= compatible_since
        )

    def signer(self, identity: AccountIdentity) -> bytes:
        """The address whose signature counts for the account, 20 bytes."""
        return identity.owner if self.key == NO_KEY else self.key


@dataclasses.dataclass(frozen=True, slots=True)
class VectorValue(SszContainer):
    """One non-zero entry of a vector."""

    index: Uint64
    lots: Int64


def vector_of(values: tuple[VectorValue, ...]) -> dict[int, int]:
    """Index → signed lots."""
    return {value.index: value.lots for value in values}


@dataclasses.dataclass(frozen=True, slots=True)
class Book(SszContainer):
    """The venue's book with one account; secret between the two. ``sequence`` rises by one with every fill."""

    venue: Bytes20
    account: Bytes32
    universe_digest: Bytes32
    sequence: Uint64
    values: Annotated[tuple[VectorValue, ...], Many(2048)]

    def __repr__(self) -> str:
        return f"Book(account={self.account.hex()}, sequence={self.sequence})"

    def vector(self) -> dict[int, int]:
        """Index → signed lots, non-zero entries only."""
        return vector_of(self.values)


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeOpening(SszContainer):
    """A proposed or standing pledge, opened; secret between venue and account.

    ``values`` are the book of ``book_sequence`` with its cash entry lowered by ``line`` lots. ``purpose`` is the level
    at which the venue wants it proven.
    """

    venue: Bytes20
    account: Bytes32
    universe_digest: Bytes32
    universe_version: Uint64
    book_sequence: Uint64
    line: Uint64
    purpose: Uint8
    proposed_at: Uint64
    values: Annotated[tuple[VectorValue, ...], Many(2048)]
    blinding: Bytes32
    commitment: Bytes48

    def __repr__(self) -> str:
        return f"PledgeOpening(account={self.account.hex()}, commitment={self.commitment.hex()})"

    def vector(self) -> dict[int, int]:
        """Index → signed lots, non-zero entries only."""
        return vector_of(self.values)


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeConsent(SszContainer):
    """The account's EIP-712 signature over a pledge, and the parts of its identity that the registry asks for."""

    owner: Bytes20
    index: Uint64
    signature: Bytes65
