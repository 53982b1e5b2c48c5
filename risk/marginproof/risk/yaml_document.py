"""YAML read strictly: plain values only, decimals kept exact, every value with its line.

The usual loaders keep the last of two equal keys, resolve aliases (a small file can grow without end) and turn decimals
into binary floats. A policy's digest is taken over its bytes, so two readers must never see different things in them.
"""

import dataclasses
import re
from decimal import Decimal
from typing import Any, Final, TypeAlias

import yaml

from marginproof.model.documents import StrictLoader
from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

Path: TypeAlias = tuple[str | int, ...]
_TAG: Final = "tag:yaml.org,2002:"
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,19})")
"""Without leading zeros, which some YAML readers take for octal numbers."""
_DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,20}\.[0-9]{1,20}")


@dataclasses.dataclass(frozen=True, slots=True)
class YamlDocument:
    """Plain values (dict, list, str, int, Decimal, bool, None) and the line, from 1, at which each path begins."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Line of the value at ``path`` or, where that is missing, of the nearest value around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_yaml(data: bytes, max_bytes: int) -> YamlDocument:
    """Reads one document of at most ``max_bytes`` bytes of UTF-8.

    Raises:
        ConfigurationError: TOO_LARGE, or POLICY_INVALID with the line of the fault.
    """
    if len(data) > max_bytes:
        raise ConfigurationError(
            f"the file has {len(data)} bytes, at most {max_bytes} are read", code=ReasonCode.TOO_LARGE
        )
    try:
        node = yaml.compose(data.decode(), Loader=StrictLoader)
        if node is None:
            raise _refusal("the document is empty", 1)
        lines: dict[Path, int] = {}
        return YamlDocument(_plain(node, (), lines), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refusal(error.problem or "this is no YAML", line) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:  # the library's, and of numbers in it
        raise _refusal("this is no YAML text in UTF-8", 1) from error


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, position), lines) for position, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
            raise _refusal("every key must be text; put quotation marks around it", line)
        key: str = key_node.value
        if key in found:
            raise _refusal(f"the key {key[:64]!r} is there twice", line)
        found[key] = _plain(value_node, (*path, key), lines)
        lines[(*path, key)] = line
    return found


def _scalar(node: yaml.Node) -> str | int | Decimal | bool | None:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind == "str":
        return text
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and _DECIMAL.fullmatch(text):
        return Decimal(text)
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind == "null":
        return None
    raise _refusal(f"{text[:64]!r} is no plain number or text", node.start_mark.line + 1)


def _refusal(message: str, line: int) -> ConfigurationError:
    return ConfigurationError(f"line {line}: {message}", code=ReasonCode.POLICY_INVALID, fields={"line": line})
