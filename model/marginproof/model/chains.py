"""CAIP-2 chain ids, CAIP-19 asset ids and EVM addresses as text."""

import re
from typing import Final

from marginproof.model.errors import MalformedError

_CAIP2: Final = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")
_CAIP19: Final = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}")
NATIVE_ASSET: Final = bytes(20)
"""How contracts and locks name a chain's native coin: the zero address."""


def parse_chain(text: str) -> str:
    """Checks a CAIP-2 chain id such as ``eip155:1`` and gives it back.

    Raises:
        MalformedError: It is not one.
    """
    if not _CAIP2.fullmatch(text):
        raise MalformedError(f"{text[:64]!r} is no CAIP-2 chain id", fix="write it like eip155:1")
    return text


def parse_asset(text: str) -> str:
    """Checks a CAIP-19 asset id such as ``eip155:1/slip44:60`` and gives it back.

    Raises:
        MalformedError: It is not one.
    """
    if not _CAIP19.fullmatch(text):
        raise MalformedError(f"{text[:64]!r} is no CAIP-19 asset id", fix="write it like eip155:1/slip44:60")
    return text


def evm_chain_number(chain: str) -> int:
    """The EIP-155 number of a CAIP-2 id in the namespace ``eip155``.

    Raises:
        MalformedError: Another namespace, or no number.
    """
    namespace, _, reference = parse_chain(chain).partition(":")
    if namespace != "eip155" or not reference.isascii() or not reference.isdigit():
        raise MalformedError(f"{chain!r} is no EVM chain", fix="use an eip155 chain id")
    return int(reference)


def parse_address(text: str) -> bytes:
    """The 20 bytes of a 0x-prefixed EVM address, in any letter case.

    Raises:
        MalformedError: It is not one.
    """
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise MalformedError(f"{text[:64]!r} is no address", fix="write 0x and 40 hexadecimal digits")
    return bytes.fromhex(text[2:])


def format_address(address: bytes) -> str:
    """0x and 40 lower-case hexadecimal digits."""
    return "0x" + address.hex()
