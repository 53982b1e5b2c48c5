"""JSON-RPC endpoints from a file: access keys stay out of command lines and shell histories."""

import re
import stat
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, RootModel

from marginproof.cli.passwords import read_secret_text
from marginproof.model.chains import parse_chain
from marginproof.model.documents import parse_document
from marginproof.model.errors import ConfigurationError, MalformedError

Endpoints = dict[str, tuple[str, ...]]
"""CAIP-2 chain id → HTTP addresses, which may hold access keys and are never shown."""
_WHAT: Final = "the file of endpoints"
_MAX_BYTES: Final = 64 * 1024
_MAX_PER_CHAIN: Final = 16
_PAIR: Final = re.compile(r"([^\s=]+)=(https?://\S{1,2040})")
_Url = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2048)]


class _Document(RootModel[dict[str, Annotated[list[_Url], Field(min_length=1, max_length=_MAX_PER_CHAIN)]]]):
    """YAML: a list of addresses under each chain."""


def read_rpc_file(path: Path) -> Endpoints:
    """The endpoints in a file: YAML (``chain: [URL, …]``) or lines ``CHAIN=URL``; ``#`` begins a comment line.

    Raises:
        ConfigurationError: FILE_UNREADABLE, or CONFIG_INVALID, which never quotes the file.
    """
    text = read_secret_text(path, _WHAT, _MAX_BYTES)
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    pairs = [match for line in lines if (match := _PAIR.fullmatch(line))]
    if pairs and len(pairs) != len(lines):
        raise _invalid("some lines are CHAIN=URL and some are not")
    try:
        endpoints = _of_pairs(pairs) if pairs else _of_yaml(text)
        for chain in endpoints:
            parse_chain(chain)
    except MalformedError as error:
        raise _invalid(error.message) from None
    return endpoints


def is_private(path: Path) -> bool:
    """Whether only its owner may read the file."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def _of_pairs(pairs: list[re.Match[str]]) -> Endpoints:
    endpoints: Endpoints = {}
    for pair in pairs:
        chain, url = pair.groups()
        endpoints[chain] = (*endpoints.get(chain, ()), url)
    if any(len(urls) > _MAX_PER_CHAIN for urls in endpoints.values()):
        raise _invalid(f"a chain has at most {_MAX_PER_CHAIN} endpoints")
    return endpoints


def _of_yaml(text: str) -> Endpoints:
    document = parse_document(_Document, text.encode(), _WHAT)
    if not document.root:
        raise _invalid("it names no endpoint")
    return {chain: tuple(urls) for chain, urls in document.root.items()}


def _invalid(message: str) -> ConfigurationError:
    return ConfigurationError(
        f"{_WHAT}: {message}", fix="write lines like eip155:1=https://…, and let only yourself read the file"
    )
