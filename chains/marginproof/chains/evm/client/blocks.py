"""JSON-RPC blocks and numbers, to bytes that can be checked. Whatever is wrong here fails the hash check later."""

import re
from collections.abc import Mapping
from typing import Final

import rlp

from marginproof.chains.evm.verify.headers import BlockHeader, parse_header
from marginproof.model.errors import MalformedError

_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2}){0,4096}")
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_QUANTITIES: Final = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
_FRONTIER: Final = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce",
)  # fmt: skip
_LATER_FORKS: Final = (
    "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
)  # fmt: skip


def encode_header(block: Mapping[str, object]) -> bytes:
    """The header's RLP, built from a block as ``eth_getBlockByNumber`` gives it.

    Args:
        block: The reply; nothing in it is trusted.

    Raises:
        MalformedError: A field is missing or is no hexadecimal text.
    """
    names = [*_FRONTIER, *(name for name in _LATER_FORKS if block.get(name) is not None)]
    return bytes(rlp.encode([_field(name, block.get(name)) for name in names]))


def claimed_hash(block: object) -> str:
    """The block hash that a reply names, as 0x and 64 lower-case digits; empty if it names none."""
    value = block.get("hash") if isinstance(block, Mapping) else None
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{64}", value):
        return value.lower()
    return ""


def read_header(block: object) -> BlockHeader:
    """The header of a block reply, which hashes to the hash that the reply names.

    Raises:
        MalformedError: See :func:`encode_header` and :func:`parse_header`.
    """
    claimed = claimed_hash(block)
    if not isinstance(block, Mapping) or not claimed:
        raise MalformedError("the reply is no block", fix="ask another endpoint")
    return parse_header(encode_header(block), bytes.fromhex(claimed[2:]))


def read_quantity(value: object) -> int:
    """A non-negative integer below 2^63 that JSON-RPC spells in hexadecimal, such as a block number.

    Raises:
        MalformedError: It is not one.
    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value) or int(value, 16) >> 63:
        raise MalformedError("the reply is no block number", fix="ask another endpoint")
    return int(value, 16)


def _field(name: str, value: object) -> bytes:
    pattern = _QUANTITY if name in _QUANTITIES else _DATA
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise MalformedError(f"the block's {name} is missing or no hexadecimal text", fix="ask another endpoint")
    if name in _QUANTITIES:
        number = int(value, 16)
        return number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes.fromhex(value[2:])
