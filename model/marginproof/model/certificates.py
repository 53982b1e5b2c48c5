"""Leaves and certificates: what relayers commit to and co-sign for one chain and epoch."""

import dataclasses
from enum import IntEnum
from typing import Annotated, Final

from marginproof.model.ssz import Bits, Bytes32, Bytes48, Bytes96, Many, SszContainer, Text64, Uint8, Uint64

MAX_LEAVES: Final = 1 << 20
MAX_SIGNERS: Final = 256
LEAF_LIST_ROLE: Final = "certificate"


class AssuranceLevel(IntEnum):
    """How the reference block's header was trusted; venues set haircuts by it."""

    QUORUM_VALUE = 1
    QUORUM_HEADER_AND_PROOF = 2
    LIGHT_CLIENT_AND_PROOF = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Reference(SszContainer):
    """The block at which balances were read."""

    number: Uint64
    hash: Bytes32
    timestamp: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf(SszContainer):
    """One account's collateral on one chain: a hiding commitment to its vector."""

    account: Bytes32
    chain: Text64
    registration_digest: Bytes32
    payees_root: Bytes32
    commitment: Bytes48


@dataclasses.dataclass(frozen=True, slots=True)
class CertificateBody(SszContainer):
    """What relayers sign. Its root is the certificate's digest: the same whoever signed."""

    network: Bytes32
    chain: Text64
    epoch: Uint64
    reference: Reference
    assurance: Uint8
    universe_digest: Bytes32
    leaves_root: Bytes32
    signer_set: Bytes32
    expires_at: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate(SszContainer):
    """A body with the bits of its signers and their aggregate BLS signature over the body's signing root."""

    body: CertificateBody
    signers: Annotated[tuple[bool, ...], Bits(MAX_SIGNERS)]
    signature: Bytes96

    @property
    def digest(self) -> bytes:
        """Root of the body, 32 bytes."""
        return self.body.root()


@dataclasses.dataclass(frozen=True, slots=True)
class LeafList(SszContainer):
    """All leaves under one certificate, sorted by account."""

    leaves: Annotated[tuple[Leaf, ...], Many(MAX_LEAVES)]


@dataclasses.dataclass(frozen=True, slots=True)
class IncludedLeaf(SszContainer):
    """A leaf, the certificate it is under, and the branch that shows it there."""

    leaf: Leaf
    certificate_digest: Bytes32
    index: Uint64
    branch: Annotated[tuple[Bytes32, ...], Many(32)]
