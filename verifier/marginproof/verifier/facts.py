"""What a venue knows when it judges one presentation: plain values, gathered by the daemon, never from the request."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from marginproof import core
from marginproof.model.certificates import Certificate
from marginproof.model.margin import NO_PLEDGE_DIGEST, Purpose, Snapshot

NO_NEW_PLEDGE: Final = bytes(48)
"""The context's ``new_pledge`` where none is proposed."""


@dataclasses.dataclass(frozen=True, slots=True)
class NewestLeaf:
    """The newest epoch in which an account has a certified leaf on a chain, and since when that is known (UTC)."""

    epoch: int
    seen_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A snapshot that this venue signed, and its rows by purpose; stale ones need no rows."""

    snapshot: Snapshot
    statements: Mapping[Purpose, core.Statement]

    def current(self, now: int) -> bool:
        """Whether a presentation may still use it at ``now`` (UTC seconds)."""
        return now < self.snapshot.expires_at


@dataclasses.dataclass(frozen=True, slots=True)
class VenueView:
    """Everything that the procedure may look at beside the presentation's bytes.

    Args:
        network_id: Root of the network, 32 bytes.
        venue: This venue's address, 20 bytes.
        universe_digest: Root of the universe, 32 bytes.
        now: UTC seconds.
        policies: Policy digest → UTC second from which the registry lets it hold; absent when never announced.
        snapshots: Snapshot digest → what this venue signed.
        certificates: Certificate digest → certificate whose signatures this venue has verified.
        newest_leaves: CAIP-2 chain → the account's newest certified leaf there, as far as any relayer shows one.
        certificate_grace_seconds: How long after a newer leaf is known the one before it still serves.
        books: Account → commitment to the venue's current book with it, 48 bytes.
        decided_before: These bytes were decided before, and their stored answer may not be given again.
        registry_digest: The account's standing digest d; zeros while no pledge stands.
    """

    network_id: bytes
    venue: bytes
    universe_digest: bytes
    now: int
    policies: Mapping[bytes, int]
    snapshots: Mapping[bytes, SnapshotFacts]
    certificates: Mapping[bytes, Certificate]
    newest_leaves: Mapping[str, NewestLeaf]
    certificate_grace_seconds: int
    books: Mapping[bytes, bytes]
    decided_before: bool
    registry_digest: bytes = NO_PLEDGE_DIGEST
