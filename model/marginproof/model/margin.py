"""What account and venue exchange: snapshot, context, presentation, decision, margin status."""

import dataclasses
from enum import IntEnum
from typing import Annotated, ClassVar, Final

from marginproof.model.certificates import IncludedLeaf
from marginproof.model.pledges import MAX_PLEDGES, PledgeConsent
from marginproof.model.prices import PointValue
from marginproof.model.ssz import (
    Blob,
    Bytes20,
    Bytes32,
    Bytes48,
    Bytes65,
    Many,
    SszContainer,
    Text64,
    Uint8,
    Uint64,
)

PRESENTATION_VERSION: Final = 1
MAX_CHAINS: Final = 64
MAX_FULL_RECOGNITION: Final = MAX_PLEDGES


class Purpose(IntEnum):
    """Which level of the policy a proof is for."""

    INITIAL = 1
    MAINTENANCE = 2


class Outcome(IntEnum):
    """A venue's answer to a presentation."""

    ACCEPT = 1
    REJECT = 2


class MarginState(IntEnum):
    """Where an account stands by the rules of proving again; see the venue's margin-status module."""

    NEVER_PROVEN = 1
    GOOD = 2
    PROOF_DUE = 3
    MARGIN_CALL = 4
    DEFAULT = 5
    REDUCE_ONLY = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot(SszContainer):
    """A policy at prices, as the venue published it; rows are rebuilt from it, never sent.

    ``values`` rise strictly by point id. ``full_recognition`` names the venues whose pledges count in full, rising:
    those that the policy lists and that have a mutual agreement on the registry. Statement digests are those of the
    rows for either purpose where no other venue has a pledge.
    """

    network: Bytes32
    venue: Bytes20
    policy_digest: Bytes32
    universe_digest: Bytes32
    price_slot: Uint64
    created_at: Uint64
    expires_at: Uint64
    values: Annotated[tuple[PointValue, ...], Many(1024)]
    full_recognition: Annotated[tuple[Bytes20, ...], Many(MAX_FULL_RECOGNITION)]
    initial_statement: Bytes32
    maintenance_statement: Bytes32


@dataclasses.dataclass(frozen=True, slots=True)
class SignedSnapshot(SszContainer):
    """A snapshot with the venue's EIP-712 signature; its digest is the root of the snapshot alone."""

    snapshot: Snapshot
    signature: Bytes65

    @property
    def digest(self) -> bytes:
        """Root of the snapshot, 32 bytes."""
        return self.snapshot.root()


@dataclasses.dataclass(frozen=True, slots=True)
class ProofContext(SszContainer):
    """Everything a proof is tied to; its root is the argument's ``context``.

    ``registry_digest`` is the account's digest d, which stands for every standing pledge. ``new_pledge`` is 48 zero
    bytes where none is proposed: the proof is then about the venue's standing one. ``certificates`` rise strictly by
    digest.
    """

    network: Bytes32
    venue: Bytes20
    account: Bytes32
    purpose: Uint8
    registry_digest: Bytes32
    new_pledge: Bytes48
    snapshot_digest: Bytes32
    certificates: Annotated[tuple[Bytes32, ...], Many(MAX_CHAINS)]


@dataclasses.dataclass(frozen=True, slots=True)
class Presentation(SszContainer):
    """The venue's whole input from the account: no amount, no lock, no position is in it.

    ``consent`` is there exactly where the context names a new pledge.
    """

    MAX_BYTES: ClassVar[int] = 256 * 1024

    version: Uint64
    context: ProofContext
    consent: Annotated[tuple[PledgeConsent, ...], Many(1)]
    leaves: Annotated[tuple[IncludedLeaf, ...], Many(MAX_CHAINS)]
    payee_salt: Bytes32
    payee_index: Uint64
    payee_branch: Annotated[tuple[Bytes32, ...], Many(8)]
    proof: Annotated[bytes, Blob(16384)]

    @property
    def digest(self) -> bytes:
        """Root of the whole presentation; the same bytes always have the same digest."""
        return self.root()


@dataclasses.dataclass(frozen=True, slots=True)
class Decision(SszContainer):
    """The venue's recorded answer. ``step`` is 0 for ACCEPT, else the number of the first failed step."""

    network: Bytes32
    venue: Bytes20
    account: Bytes32
    presentation_digest: Bytes32
    snapshot_digest: Bytes32
    purpose: Uint8
    outcome: Uint8
    step: Uint8
    reasons: Annotated[tuple[Text64, ...], Many(16)]
    decided_at: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class SignedDecision(SszContainer):
    """A decision with the venue's EIP-712 signature."""

    decision: Decision
    signature: Bytes65
