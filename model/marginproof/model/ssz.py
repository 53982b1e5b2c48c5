"""Frozen dataclasses that are SSZ containers: everything that is signed or hashed is one of these.

A field's annotation names its SSZ type; encoding, decoding and ``hash_tree_root`` are the ``remerkleable`` library's.
Source: Ethereum consensus specs, ssz/simple-serialize.md and ssz/merkle-proofs.md.
"""

import dataclasses
import functools
import hashlib
import threading
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from remerkleable.basic import uint8, uint64, uint128, uint256
from remerkleable.bitfields import Bitlist
from remerkleable.byte_arrays import ByteList, ByteVector
from remerkleable.complex import Container, List

from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ReasonCode

_UNSIGNED: dict[int, Any] = {8: uint8, 64: uint64, 128: uint128, 256: uint256}


@dataclasses.dataclass(frozen=True)
class Unsigned:
    """An unsigned integer of 8, 64, 128 or 256 bits."""

    bits: int


@dataclasses.dataclass(frozen=True)
class Signed:
    """A signed integer |x| < 2^63, carried as the two's complement in a uint64."""


@dataclasses.dataclass(frozen=True)
class Fixed:
    """Exactly ``length`` bytes."""

    length: int


@dataclasses.dataclass(frozen=True)
class Blob:
    """At most ``limit`` bytes."""

    limit: int


@dataclasses.dataclass(frozen=True)
class Text:
    """UTF-8 text of at most ``limit`` bytes."""

    limit: int


@dataclasses.dataclass(frozen=True)
class Many:
    """A list of at most ``limit`` elements."""

    limit: int


@dataclasses.dataclass(frozen=True)
class Bits:
    """A list of at most ``limit`` bits."""

    limit: int


Uint8 = Annotated[int, Unsigned(8)]
Uint64 = Annotated[int, Unsigned(64)]
Uint128 = Annotated[int, Unsigned(128)]
Int64 = Annotated[int, Signed()]
Bytes20 = Annotated[bytes, Fixed(20)]
Bytes32 = Annotated[bytes, Fixed(32)]
Bytes48 = Annotated[bytes, Fixed(48)]
Bytes65 = Annotated[bytes, Fixed(65)]
Bytes96 = Annotated[bytes, Fixed(96)]
Text64 = Annotated[str, Text(64)]

_WRAP = 1 << 64
_SIGN = 1 << 63


@dataclasses.dataclass(frozen=True, slots=True)
class SszContainer:
    """Base of all containers. Subclasses are frozen dataclasses whose fields carry SSZ annotations."""

    MAX_BYTES: ClassVar[int] = 1 << 20
    """Longest encoding that :meth:`decode` looks at."""

    def encode(self) -> bytes:
        """The SSZ serialisation."""
        return bytes(_view(self).encode_bytes())

    def root(self) -> bytes:
        """``hash_tree_root``, 32 bytes."""
        return bytes(_view(self).hash_tree_root())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads one container; total: any bytes give a value or an error.

        Args:
            data: The serialisation, at most ``MAX_BYTES`` bytes, nothing after its end.

        Raises:
            MalformedError: MALFORMED or TOO_LARGE; nothing of the data was used.
        """
        name = cls.__name__
        if len(data) > cls.MAX_BYTES:
            raise MalformedError(
                f"{name} has {len(data)} bytes, at most {cls.MAX_BYTES} are read", code=ReasonCode.TOO_LARGE
            )
        try:
            view = ssz_type(cls).decode_bytes(data)
            value: Self = _from_view(cls, view)
        except Exception as error:
            raise MalformedError(f"these bytes are no {name}", fields={"container": name}) from error
        if value.encode() != data:  # one value, one encoding: what is signed cannot be re-spelled
            raise MalformedError(f"the encoding of {name} is not canonical", fields={"container": name})
        return value


_TYPES: dict[Any, Any] = {}
_TYPES_LOCK = threading.RLock()
_HINTS: dict[Any, dict[str, Any]] = {}


def ssz_type(cls: Any) -> Any:
    """The ``remerkleable`` container type of a dataclass."""
    if cls not in _TYPES:
        with _TYPES_LOCK:  # decoding happens in threads too, and a second type of one name would not fit the first
            if cls not in _TYPES:
                hints = _hints(cls)
                fields = {field.name: _field_type(hints[field.name]) for field in dataclasses.fields(cls)}
                _TYPES[cls] = type(cls.__name__, (Container,), {"__annotations__": fields})
    return _TYPES[cls]


def _hints(cls: Any) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = get_type_hints(cls, include_extras=True)
    return _HINTS[cls]


@functools.cache  # the library makes a new class for every length, each time it is asked
def _field_type(hint: Any) -> Any:
    kind = _kind(hint)
    if isinstance(kind, Unsigned):
        return _UNSIGNED[kind.bits]
    if isinstance(kind, Signed):
        return uint64
    if isinstance(kind, Fixed):
        return ByteVector[kind.length]
    if isinstance(kind, Blob | Text):
        return ByteList[kind.limit]
    if isinstance(kind, Bits):
        return Bitlist[kind.limit]
    if isinstance(kind, Many):
        return List[_field_type(_element(hint)), kind.limit]
    return ssz_type(hint)


def _kind(hint: Any) -> Any:
    return get_args(hint)[1] if get_origin(hint) is Annotated else hint


def _element(hint: Any) -> Any:
    return get_args(get_args(hint)[0])[0]


def _view(value: SszContainer) -> Any:
    name = type(value).__name__
    kind, hints = ssz_type(type(value)), _hints(type(value))
    try:
        fields = {
            field.name: _to_ssz(hints[field.name], getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return kind(**fields)
    except MalformedError:
        raise
    except Exception as error:  # the library raises bare Exceptions; the value itself may be secret and is not shown
        raise MalformedError(
            f"a field of {name} is out of range", code=ReasonCode.OUT_OF_RANGE, fields={"container": name}
        ) from error


def _to_ssz(hint: Any, value: Any) -> Any:
    kind = _kind(hint)
    if isinstance(kind, Signed):
        if not -_SIGN < value < _SIGN:
            raise ValueError("entry outside (-2^63, 2^63)")
        return value % _WRAP
    if isinstance(kind, Text):
        return value.encode()
    if isinstance(kind, Many):
        element = _element(hint)
        return _field_type(hint)(*(_to_ssz(element, item) for item in value))
    if isinstance(kind, Bits):
        return Bitlist[kind.limit](*value)
    if isinstance(value, SszContainer):
        return _view(value)
    return _field_type(hint)(value)


def _from_view(cls: type, view: Any) -> Any:
    hints = _hints(cls)
    return cls(
        **{field.name: _from_ssz(hints[field.name], getattr(view, field.name)) for field in dataclasses.fields(cls)}
    )


def _from_ssz(hint: Any, value: Any) -> Any:
    kind = _kind(hint)
    if isinstance(kind, Unsigned):
        return int(value)
    if isinstance(kind, Signed):
        raw = int(value)
        return raw - _WRAP if raw >= _SIGN else raw  # -2^63 itself is refused when the value is encoded again
    if isinstance(kind, Fixed | Blob):
        return bytes(value)
    if isinstance(kind, Text):
        return bytes(value).decode()
    if isinstance(kind, Many):
        return tuple(_from_ssz(_element(hint), item) for item in value)
    if isinstance(kind, Bits):
        return tuple(bool(bit) for bit in value)
    return _from_view(kind, value)


def merkle_branch(items: Sequence[SszContainer], index: int, limit: int) -> tuple[bytes, ...]:
    """The sibling hashes that show ``items[index]`` in ``hash_tree_root(List[…, limit])``, leaf upwards.

    Args:
        items: The list, at least one element.
        index: 0 ≤ index < len(items).
        limit: The list type's limit, a power of two.

    Returns:
        log2(limit) siblings followed by the length chunk: log2(limit) + 1 hashes of 32 bytes.
    """
    listing = List[ssz_type(type(items[0])), limit](*(_view(item) for item in items))
    gindex = int(listing.key_to_static_gindex(index))
    backing = listing.get_backing()
    branch = []
    while gindex > 1:
        branch.append(bytes(backing.getter(gindex ^ 1).merkle_root()))
        gindex >>= 1
    return tuple(branch)


def list_root(items: Sequence[SszContainer], element: type[SszContainer], limit: int) -> bytes:
    """``hash_tree_root(List[element, limit])`` of the items."""
    return bytes(List[ssz_type(element), limit](*(_view(item) for item in items)).hash_tree_root())


def branch_holds(leaf_root: bytes, index: int, branch: Sequence[bytes], root: bytes, limit: int) -> bool:
    """Whether the branch puts ``leaf_root`` at ``index`` of the list with ``root``.

    The index must lie below the length that the branch itself proves: an unused leaf is never shown.
    """
    depth = limit.bit_length() - 1
    if len(branch) != depth + 1 or any(len(node) != 32 for node in branch) or not 0 <= index < limit:
        return False
    length_chunk = branch[depth]
    if index >= int.from_bytes(length_chunk, "little"):
        return False
    node = leaf_root
    for level in range(depth):
        pair = branch[level] + node if index >> level & 1 else node + branch[level]
        node = hashlib.sha256(pair).digest()
    return hashlib.sha256(node + length_chunk).digest() == root


@dataclasses.dataclass(frozen=True, slots=True)
class Domain(SszContainer):
    """What a signature is for: role, network and format version; two roles never share a signing root."""

    role: Text64
    network: Bytes32
    version: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class SigningData(SszContainer):
    """The pair whose root is signed, as in the Ethereum consensus specs."""

    object_root: Bytes32
    domain: Bytes32


def signing_root(value: SszContainer, role: str, network: bytes, version: int = 1) -> bytes:
    """The 32 bytes that a key signs for ``value`` in ``role`` on ``network``."""
    return SigningData(value.root(), Domain(role, network, version).root()).root()
