"""A saved presentation with everything an auditor needs to check it offline: one JSON file of hexadecimal fields."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, Final, Self

from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.json_text import parse_json
from marginproof.model.margin import MAX_CHAINS
from marginproof.model.reasons import ReasonCode

SCHEMA: Final = "marginproof/presentation-bundle/v1"
MAX_BUNDLE_BYTES: Final = 16 << 20
MAX_CERTIFICATES: Final = MAX_CHAINS
_MAX_FIELD_BYTES: Final = {
    "network_id": 32,
    "policy": 1 << 20,
    "signed_snapshot": 1 << 20,
    "price_report": 1 << 20,
    "registry_record": 1 << 12,
    "presentation": 256 << 10,
    "certificates": 1 << 14,
    "signed_decision": 1 << 14,
}
_PLAIN_FIELDS: Final = (
    "network_id",
    "policy",
    "signed_snapshot",
    "price_report",
    "registry_record",
    "presentation",
)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")


@dataclasses.dataclass(frozen=True, slots=True)
class PresentationBundle:
    """What was shown to a venue and what it rests on; no secret is in it.

    Every field but ``network_id`` and ``policy`` is the SSZ encoding of the container of that name. They stay bytes
    here: whoever checks the bundle decodes each of them at its own numbered step.
    """

    network_id: bytes
    policy: bytes
    signed_snapshot: bytes
    price_report: bytes
    registry_record: bytes
    presentation: bytes
    certificates: tuple[bytes, ...]
    signed_decision: bytes | None = None

    def encode(self) -> bytes:
        """The JSON document, UTF-8."""
        document: dict[str, Any] = {"schema": SCHEMA}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                document[field.name] = [item.hex() for item in value]
            elif value is not None:
                document[field.name] = value.hex()
        return json.dumps(document, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a bundle; total: any bytes give a value or an error.

        Raises:
            MalformedError: TOO_LARGE, or MALFORMED with the field that is wrong.
        """
        if len(data) > MAX_BUNDLE_BYTES:
            raise MalformedError("the bundle is larger than 16 MiB", code=ReasonCode.TOO_LARGE)
        try:
            document = parse_json(data)
        except MalformedError as error:
            raise _malformed("the document") from error
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            raise _malformed("schema")
        unknown = set(document) - set(_MAX_FIELD_BYTES)
        if unknown:
            raise _malformed(min(unknown)[:64])
        return cls(
            **{name: _bytes(document, name) for name in _PLAIN_FIELDS},
            certificates=_list(document, "certificates"),
            signed_decision=_bytes(document, "signed_decision") if "signed_decision" in document else None,
        )


def load_bundle(path: Path) -> PresentationBundle:
    """Reads a bundle file.

    Raises:
        ConfigurationError: FILE_UNREADABLE.
        MalformedError: See :meth:`PresentationBundle.decode`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the bundle {path.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="check the path"
        ) from error
    return PresentationBundle.decode(data)


def _bytes(document: dict[str, Any], name: str) -> bytes:
    return _from_hex(document.get(name), name)


def _list(document: dict[str, Any], name: str) -> tuple[bytes, ...]:
    items = document.get(name)
    if not isinstance(items, list) or len(items) > MAX_CERTIFICATES:
        raise _malformed(name)
    return tuple(_from_hex(item, name) for item in items)


def _from_hex(value: object, name: str) -> bytes:
    limit = _MAX_FIELD_BYTES[name]
    if not isinstance(value, str) or len(value) > 2 * limit or not _HEX.fullmatch(value):
        raise _malformed(name)
    data = bytes.fromhex(value)
    if name == "network_id" and len(data) != limit:
        raise _malformed(name)
    return data


def _malformed(place: str) -> MalformedError:
    return MalformedError(
        f"this is no presentation bundle: {place} is missing or wrong",
        fix="save one with: marginproof account prove --save FILE",
        fields={"path": place},
    )
