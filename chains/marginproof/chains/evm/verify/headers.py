"""Block headers: RLP whose hash is known, to the few facts that are used of it."""

import dataclasses
from typing import Final

from eth_hash.auto import keccak

from marginproof.chains.evm.verify.canonical_rlp import Item, RlpError, RlpList, decode, fixed, unsigned
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

MAX_HEADER_BYTES: Final = 4096
"""Headers have about 600 bytes; proof-of-authority chains put signer lists into the extra data."""
FORK_FIELD_COUNTS: Final = frozenset({15, 16, 17, 20, 21})
"""Frontier to Berlin, London and Paris, Shanghai, Cancun, Prague and Osaka. A longer header is of a fork whose
meaning is not known here and is refused, so that a fork stops this reader instead of misleading it."""

_PARENT_HASH, _STATE_ROOT, _BLOOM, _NUMBER, _TIMESTAMP, _EXTRA_DATA = 0, 3, 6, 8, 11, 12
_FIXED_LENGTHS: Final = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, _BLOOM: 256, 13: 32, 14: 8, 16: 32, 19: 32, 20: 32}
_INTEGER_BYTES: Final = {7: 32, _NUMBER: 8, 9: 8, 10: 8, _TIMESTAMP: 8, 15: 32, 17: 8, 18: 8}


@dataclasses.dataclass(frozen=True, slots=True)
class BlockHeader:
    """What is used of a header.

    Args:
        number: Height.
        hash: Block hash, 32 bytes.
        parent_hash: Hash of the block before, 32 bytes.
        timestamp: UTC seconds.
        state_root: Root of the state after this block, 32 bytes.
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    state_root: bytes


def parse_header(rlp: bytes, expected_hash: bytes) -> BlockHeader:
    """Reads a header whose hash the caller has agreed on; total: any bytes give a header or an error.

    Args:
        rlp: The header's RLP.
        expected_hash: Block hash, 32 bytes.

    Raises:
        MalformedError: HEADER_HASH_MISMATCH, TOO_LARGE, or HEADER_MALFORMED (not canonical, fields of wrong
            lengths, an unknown fork, or a state root of zeros).
    """
    if len(rlp) > MAX_HEADER_BYTES:
        raise _malformed(f"a header has more than {MAX_HEADER_BYTES} bytes", ReasonCode.TOO_LARGE)
    if keccak(rlp) != expected_hash:
        raise _malformed("the header does not hash to the hash given", ReasonCode.HEADER_HASH_MISMATCH)
    try:
        item = decode(rlp, max_depth=1)  # so that no field is a list
        if not isinstance(item, RlpList):
            raise RlpError("not a list")
        return _facts(item.items, expected_hash)
    except RlpError as error:
        raise _malformed(f"the header is malformed: {error}", ReasonCode.HEADER_MALFORMED) from error


def _facts(items: tuple[Item, ...], block_hash: bytes) -> BlockHeader:
    if len(items) not in FORK_FIELD_COUNTS:
        raise RlpError(f"{len(items)} fields belong to no fork known to this version")
    for index, item in enumerate(items):
        if index in _INTEGER_BYTES:
            unsigned(item, _INTEGER_BYTES[index])
        elif index in _FIXED_LENGTHS:
            fixed(item, _FIXED_LENGTHS[index])
    state_root = fixed(items[_STATE_ROOT], 32)
    if not any(state_root):
        raise RlpError("the state root is zero")
    return BlockHeader(
        number=unsigned(items[_NUMBER], 8),
        hash=block_hash,
        parent_hash=fixed(items[_PARENT_HASH], 32),
        timestamp=unsigned(items[_TIMESTAMP], 8),
        state_root=state_root,
    )


def _malformed(message: str, code: ReasonCode) -> MalformedError:
    return MalformedError(message, code=code, fix="ask another endpoint; after a fork of the chain, update marginproof")
