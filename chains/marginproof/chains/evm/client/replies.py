"""What an endpoint's reply says, and whether it can be said at all: JSON to checked values."""

from typing import Any, Final

from marginproof.chains.evm.client.blocks import claimed_hash, read_header, read_quantity
from marginproof.chains.evm.client.endpoint import EndpointFailureError
from marginproof.chains.evm.client.quorum import Outcome
from marginproof.chains.evm.verify import BlockHeader
from marginproof.model.errors import MarginproofError

MAX_RESULT_BYTES: Final = 1 << 16
"""Longest result of a contract call that is read."""


def read_block(reply: Any, number: int) -> tuple[str, BlockHeader]:
    """The hash and header of a block reply; a hash named in vain stays with the failure, as a contradiction."""
    if reply is None:
        raise EndpointFailureError(Outcome.BEHIND)
    claimed = claimed_hash(reply)
    try:
        header = read_header(reply)
    except MarginproofError as error:
        raise EndpointFailureError(Outcome.MALFORMED, claimed) from error
    if header.number != number:
        raise EndpointFailureError(Outcome.MALFORMED, claimed)
    return claimed, header


def read_height(reply: Any) -> tuple[str, int]:
    """The height of a block reply, or of a plain number."""
    if reply is None:
        raise EndpointFailureError(Outcome.BEHIND)
    try:
        height = read_quantity(reply) if isinstance(reply, str) else read_header(reply).number
    except MarginproofError as error:
        raise EndpointFailureError(Outcome.MALFORMED) from error
    return str(height), height


def read_result(reply: Any) -> tuple[str, bytes]:
    """The bytes that a call returned."""
    if not isinstance(reply, str) or reply[:2] != "0x" or len(reply) > 2 + 2 * MAX_RESULT_BYTES:
        raise EndpointFailureError(Outcome.MALFORMED)
    try:
        data = bytes.fromhex(reply[2:])
    except ValueError as error:
        raise EndpointFailureError(Outcome.MALFORMED) from error
    return f"0x{data.hex()}", data
