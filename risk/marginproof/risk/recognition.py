"""How a policy counts what an account has pledged at other venues.

Rows name the other venues' pledges by their place among a statement's inputs, so everything here is about an ordered
list: the standing pledges that count, rising by venue address, without the venue whose policy it is.
"""

from enum import StrEnum

from marginproof.model.margin import Snapshot


class Recognition(StrEnum):
    """Losses only: in no scenario does the pledge raise what counts. Full: it counts like the venue's own."""

    LOSSES_ONLY = "losses-only"
    FULL = "full"


def recognition_of(snapshot: Snapshot, venue: bytes) -> Recognition:
    """How a snapshot counts the pledge of another venue, given by its 20-byte address."""
    return Recognition.FULL if venue in snapshot.full_recognition else Recognition.LOSSES_ONLY
