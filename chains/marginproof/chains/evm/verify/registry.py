"""The pledge registry, read by proof: announced policies and published signer sets.

Layout (pinned by a test against the contract's own): ``policy_effective_at`` at slot 0,
``signer_set_recorded_at`` at slot 1. See docs/contracts.md.
"""

from typing import Final

from marginproof.chains.evm.verify.accounts import SlotFact
from marginproof.chains.evm.verify.layout import address_word, map_slot, word

POLICY_EFFECTIVE_SLOT: Final = word(0)
SIGNER_SET_SLOT: Final = word(1)


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
