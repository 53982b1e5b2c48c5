"""What one relayer signs to ask another."""

import dataclasses
from typing import Final

from marginproof.model.ssz import Bytes32, SszContainer, Text64, Uint8, Uint64

PEER_ROLE: Final = "peer"
NO_SUBJECT: Final = bytes(32)


@dataclasses.dataclass(frozen=True, slots=True)
class PeerRequest(SszContainer):
    """One call, bound to who calls whom: it cannot be carried on to a third relayer or to another method.

    ``number`` is the epoch or price slot, ``chain`` is empty where there is none, ``subject`` the root of the body or
    certificate that is sent along, zeros where nothing is.
    """

    method: Text64
    caller: Uint8
    callee: Uint8
    chain: Text64
    number: Uint64
    subject: Bytes32
    requested_at: Uint64
