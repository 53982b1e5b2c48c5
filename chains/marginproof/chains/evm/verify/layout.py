"""Where Vyper keeps what is read by proof: slots of hash maps and of a struct's members."""

from eth_hash.auto import keccak

_WORDS = 1 << 256


def word(value: int) -> bytes:
    """The 32 bytes of an unsigned 256-bit integer.

    Raises:
        OverflowError: Negative or 2^256 and above.
    """
    return value.to_bytes(32, "big")


def address_word(address: bytes) -> bytes:
    """The word in which an address of 20 bytes is the low end."""
    return address.rjust(32, b"\x00")


def map_slot(slot: bytes, key: bytes) -> bytes:
    """The slot of ``map[key]`` for a map at ``slot``, both words of 32 bytes.

    Vyper hashes the map's slot before the key; Solidity does it the other way round.
    """
    return keccak(slot + key)


def next_slot(slot: bytes, offset: int) -> bytes:
    """The slot ``offset`` words further on."""
    return word((int.from_bytes(slot, "big") + offset) % _WORDS)
