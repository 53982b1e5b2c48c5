"""What a venue knows when it judges one presentation: plain values, gathered by the daemon, never from the request."""

import dataclasses
from collections.abc import Mapping

from marginproof.model.certificates import Certificate
from marginproof.model.margin import Purpose, Snapshot
from marginproof.model.network import Network
from marginproof.model.pledges import PledgeOpening, RegistryRecord, StandingPledge
from marginproof.risk.snapshot import SnapshotRows


@dataclasses.dataclass(frozen=True, slots=True)
class NewestLeaf:
    """The newest epoch in which an account has a certified leaf on a chain, and since when that is known (UTC)."""

    epoch: int
    seen_at: int


@dataclasses.dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A snapshot that this venue signed, and its rows; None where it is stale and needs none."""

    snapshot: Snapshot
    rows: SnapshotRows | None

    def current(self, now: int) -> bool:
        """Whether a presentation may still use it at ``now`` (UTC seconds)."""
        return now < self.snapshot.expires_at


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeFacts:
    """A pledge of this venue with what it opens to. Secret but for commitment and version.

    ``purpose`` is the level at which it must be proven; ``vector`` maps index to signed lots.
    """

    commitment: bytes
    universe_version: int
    purpose: Purpose
    vector: Mapping[int, int] = dataclasses.field(repr=False)

    @classmethod
    def of(cls, opening: PledgeOpening) -> "PledgeFacts":
        """What an opening says."""
        return cls(opening.commitment, opening.universe_version, Purpose(opening.purpose), opening.vector())


@dataclasses.dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account that is open here.

    Args:
        record: What the registry's finalized state has of it.
        authorised: Whether the registry lets this venue swap its pledge.
        book: The venue's actual book with it, index → signed lots; secret.
        proposal: The pledge that this venue proposes, not yet accepted.
        pending: Whether a swap or release of this venue is under way.
        standing: The pledge of this venue that ``record`` shows; None where there is none or its opening is not here.
    """

    record: RegistryRecord
    authorised: bool
    book: Mapping[int, int] = dataclasses.field(repr=False)
    proposal: PledgeFacts | None = None
    pending: bool = False
    standing: PledgeFacts | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class VenueView:
    """Everything that the procedure may look at beside the presentation's bytes.

    Args:
        network: The network.
        venue: This venue's address, 20 bytes.
        universe_digest: Root of the universe, 32 bytes.
        compatible_since: Of the universe; pledges of older versions have lapsed.
        now: UTC seconds.
        policies: Policy digest → UTC second from which the registry lets it hold; absent when never announced.
        snapshots: Snapshot digest → what this venue signed.
        certificates: Certificate digest → certificate whose signatures this venue has verified.
        newest_leaves: CAIP-2 chain → the account's newest certified leaf there, as far as any relayer shows one.
        certificate_grace_seconds: How long after a newer leaf is known the one before it still serves.
        accounts: Account → what is known of it; absent when it is not open here.
        decided_before: These bytes were decided before, and their stored answer may not be given again.
    """

    network: Network
    venue: bytes
    universe_digest: bytes
    compatible_since: int
    now: int
    policies: Mapping[bytes, int]
    snapshots: Mapping[bytes, SnapshotFacts]
    certificates: Mapping[bytes, Certificate]
    newest_leaves: Mapping[str, NewestLeaf]
    certificate_grace_seconds: int
    accounts: Mapping[bytes, AccountFacts]
    decided_before: bool

    @property
    def network_id(self) -> bytes:
        """Root of the network, 32 bytes."""
        return self.network.root()


def live_pledge(record: RegistryRecord, venue: bytes, compatible_since: int) -> StandingPledge | None:
    """The venue's pledge on the registry, if it carries proofs and orders: neither revoked nor of a lapsed version."""
    pledge = record.pledge_of(venue)
    if pledge is None or pledge.revoked_at or pledge.universe_version < compatible_since:
        return None
    return pledge
