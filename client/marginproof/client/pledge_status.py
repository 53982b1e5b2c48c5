"""How far a venue's pledge of an account is, as both of the venue's services tell it."""

import dataclasses
from enum import IntEnum
from typing import Self

from marginproof.v1 import verifier_service_pb2 as messages

from marginproof.model.errors import MalformedError


class ProposalState(IntEnum):
    """How far the newest proposal is."""

    NONE = 1
    PROPOSED = 2
    ACCEPTED = 3
    STANDING = 4
    FAILED = 5


@dataclasses.dataclass(frozen=True, slots=True)
class PledgeStatus:
    """The registry's finalised state of one pledge, and what is under way.

    Args:
        standing_commitment: 48 bytes; None when no pledge of this venue stands.
        line_open: Whether orders inside the pledged line are taken.
        registry_digest: The account's digest d, 32 bytes.
        proposal_state: How far the newest proposal is.
        proposed_commitment: 48 bytes; None when there was none.
        reason: Reason code of a proposal that failed; empty otherwise.
    """

    standing_commitment: bytes | None
    line_open: bool
    registry_digest: bytes
    proposal_state: ProposalState
    proposed_commitment: bytes | None
    reason: str

    @classmethod
    def of(cls, message: messages.PledgeStatus) -> Self:
        """Reads the wire form.

        Raises:
            MalformedError: A state that is not known, or a field of the wrong length.
        """
        try:
            state = ProposalState(int(message.proposal_state))
        except ValueError:
            raise MalformedError("the venue named an unknown state of a pledge") from None
        if len(message.registry_digest) != 32:
            raise MalformedError("a registry digest has 32 bytes")
        return cls(
            _commitment(message.standing_commitment),
            message.line_open,
            message.registry_digest,
            state,
            _commitment(message.proposed_commitment),
            message.reason,
        )


def _commitment(value: bytes) -> bytes | None:
    if len(value) not in (0, 48):
        raise MalformedError("a commitment has 48 bytes")
    return value or None
