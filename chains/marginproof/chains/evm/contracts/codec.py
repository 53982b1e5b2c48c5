"""Calls, results, events and revert reasons of our contracts as bytes, by their ABI."""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError, ParseError
from eth_utils.abi import (
    event_abi_to_log_topic,
    function_abi_to_4byte_selector,
    get_abi_input_types,
    get_abi_output_types,
)
from eth_utils.address import to_checksum_address

from marginproof.chains.evm.contracts.artifact import Artifact
from marginproof.model.errors import MalformedError

_ERROR_STRING = bytes.fromhex("08c379a0")  # selector of Error(string)
_MAX_REASON = 256


def encode_deployment(artifact: Artifact, *arguments: Any) -> bytes:
    """What a contract-creating transaction carries.

    Raises:
        MalformedError: The arguments do not fit the constructor.
    """
    types: Sequence[str] = ()
    for entry in artifact.abi:
        if entry["type"] == "constructor":
            types = [_type(part) for part in entry["inputs"]]
    return artifact.bytecode + _encode(artifact.name, types, arguments)


def encode_call(artifact: Artifact, function: str, *arguments: Any) -> bytes:
    """Selector and encoded arguments.

    Args:
        artifact: The contract.
        function: Its name in the ABI; ours are never overloaded.
        arguments: Integers, booleans, bytes, 0x-addresses, in the order of the ABI.

    Raises:
        MalformedError: No such function, or the arguments do not fit it.
    """
    entry = _entry(artifact, "function", function)
    types = get_abi_input_types(entry)
    return bytes(function_abi_to_4byte_selector(entry)) + _encode(function, types, arguments)


def decode_result(artifact: Artifact, function: str, data: bytes) -> tuple[Any, ...]:
    """What a call returned, one element per output; structs are tuples.

    Raises:
        MalformedError: These bytes are no such result (an address without the contract answers nothing).
    """
    types = get_abi_output_types(_entry(artifact, "function", function))
    try:
        return tuple(decode(types, data))
    except (DecodingError, OverflowError, ValueError) as error:
        raise MalformedError(
            f"no result of {artifact.name}.{function}", fix="check the contract's address and chain"
        ) from error


def decode_event(artifact: Artifact, event: str, topics: Sequence[bytes], data: bytes) -> dict[str, Any] | None:
    """The arguments of one log entry by name; None if it is another event.

    Raises:
        MalformedError: It has the event's topic and does not fit it.
    """
    entry = _entry(artifact, "event", event)
    if not topics or bytes(topics[0]) != event_abi_to_log_topic(entry):
        return None
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    try:
        values = decode([part["type"] for part in plain], data)
        keys = [decode([part["type"]], topic)[0] for part, topic in zip(indexed, topics[1:], strict=True)]
    except (DecodingError, OverflowError, ValueError) as error:
        raise MalformedError(f"a log entry of {artifact.name}.{event} is malformed") from error
    names = [part["name"] for part in (*indexed, *plain)]
    return dict(zip(names, (*keys, *values), strict=True))


def revert_reason(data: bytes) -> str:
    """The reason that a reverting contract gave; empty if it gave none that is text.

    Total: any bytes give a text of at most 256 printable characters.
    """
    if data[:4] != _ERROR_STRING:
        return ""
    try:
        (reason,) = decode(["string"], data[4:])
    except (DecodingError, OverflowError, ValueError):
        return ""
    return "".join(sign for sign in reason[:_MAX_REASON] if sign.isprintable())


def checksum_address(address: str | bytes) -> str:
    """An address in its mixed-case form.

    Raises:
        MalformedError: It is none.
    """
    try:
        return str(to_checksum_address(address))
    except (ValueError, TypeError) as error:
        raise MalformedError("not an address", fix="give 20 bytes as 0x and 40 hex digits") from error


def _encode(what: str, types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    if len(types) != len(arguments):
        raise MalformedError(f"{what} takes {len(types)} arguments, not {len(arguments)}")
    try:
        return bytes(encode(types, arguments))
    except (EncodingError, ParseError, TypeError, ValueError) as error:
        # The library's message shows the value, which may be a secret.
        raise MalformedError(f"the arguments do not fit {what}({', '.join(types)})") from error


def _entry(artifact: Artifact, kind: str, name: str) -> Any:
    for entry in artifact.abi:
        if entry["type"] == kind and entry["name"] == name:
            return entry
    raise MalformedError(f"{artifact.name} has no {kind} {name}")


def _type(part: Mapping[str, Any]) -> str:
    return str(part["type"])
