"""YAML documents at the edge: bounded, strict, and wrong in one named place."""

from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from marginproof.model.chains import format_address, parse_address
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.reasons import ReasonCode

_Document = TypeVar("_Document", bound=BaseModel)
_MEBIBYTE: Final = 1 << 20
_MAX_DEPTH: Final = 32


def _hex_bytes(value: Any) -> Any:
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def _address(value: Any) -> Any:
    return parse_address(value) if isinstance(value, str) else value


HexText = Annotated[bytes, BeforeValidator(_hex_bytes), PlainSerializer(lambda value: "0x" + value.hex())]
"""Bytes that a document spells in hexadecimal."""
AddressText = Annotated[bytes, BeforeValidator(_address), PlainSerializer(format_address)]
"""An address of 20 bytes that a document spells 0x and 40 digits."""


class StrictDocument(BaseModel):
    """A document in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StrictLoader(yaml.SafeLoader):
    """Refuses aliases (a small text could grow without end) and deep nesting (its cost is the square of its depth)."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One value with all that it holds."""
        if self.check_event(yaml.AliasEvent):
            raise self._refusal("aliases are not allowed")
        if self._depth >= _MAX_DEPTH:
            raise self._refusal("values are nested too deeply")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _refusal(self, problem: str) -> yaml.MarkedYAMLError:
        # The library's type stubs leave this one call untyped.
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def read_file(path: Path, what: str, fix: str) -> bytes:
    """The bytes of a file.

    Args:
        path: Where it lies; messages show its last part alone.
        what: How messages name it, such as "the network file".
        fix: How its user names it.

    Raises:
        ConfigurationError: FILE_UNREADABLE.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {what} {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix=fix
        ) from error


def parse_document(kind: type[_Document], data: bytes, what: str, max_bytes: int = _MEBIBYTE) -> _Document:
    """A validated document; total.

    Args:
        kind: Its pydantic model, with ``extra="forbid"``.
        data: UTF-8 YAML.
        what: How messages name it, such as "the network file".
        max_bytes: Longest text that is looked at.

    Raises:
        ConfigurationError: TOO_LARGE, or CONFIG_INVALID with the place of the fault in the field ``path``. Nothing of
            the text is quoted, for it may hold an access key.
    """
    if len(data) > max_bytes:
        raise ConfigurationError(f"{what} is larger than {max_bytes // _MEBIBYTE} MiB", code=ReasonCode.TOO_LARGE)
    try:
        return kind.model_validate(_plain_values(data))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ConfigurationError(f"{what}, {place}: {first['msg']}", fields={"path": place}) from None
    except MarginproofError as error:  # from a validator of ours
        raise ConfigurationError(f"{what}: {error.message}", fix=error.fix) from None
    except Exception:  # a validator's, or the library's on tags and escapes that it cannot construct: any class at all
        raise ConfigurationError(f"{what} is no YAML document of this form") from None


def _plain_values(data: bytes) -> object:
    loader = StrictLoader(data)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
