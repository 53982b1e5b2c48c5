"""How one version of a universe may follow another: what stands in pledges must keep its meaning.

A pledge made under version v counts while v ≥ ``compatible_since``. So an entry that is in a universe is *in use*, and
only two things may happen to it without notice: nothing, or a higher ``max_lots`` (a lower one would make the rounding
that policies take off too small for entries that are already committed to). Whatever else happens to it, its end
included, is *breaking*: ``compatible_since`` becomes the new version, which t relayers must have announced at least N
earlier, so that every venue and account could renew its pledges; those of older versions then lapse. An entry that is
taken out therefore leaves a slot that no pledge that counts can have anything in, and the slot is free for another.
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Final

from marginproof.model.errors import FieldValue, RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.model.ssz import Bytes32, Bytes96, Many, SszContainer, Uint8, Uint64
from marginproof.model.universe import Entry, Universe

ANNOUNCEMENT_ROLE: Final = "universe-announcement"


@dataclasses.dataclass(frozen=True, slots=True)
class UniverseAnnouncement(SszContainer):
    """That ``new_digest`` may follow ``old_digest``, said at ``announced_at`` (UTC seconds)."""

    network: Bytes32
    old_digest: Bytes32
    new_digest: Bytes32
    version: Uint64
    compatible_since: Uint64
    announced_at: Uint64


@dataclasses.dataclass(frozen=True, slots=True)
class AnnouncementSignature(SszContainer):
    """One relayer's signature: its place in the signer set, and BLS over the announcement's signing root."""

    signer: Uint8
    signature: Bytes96


@dataclasses.dataclass(frozen=True, slots=True)
class SignedAnnouncement(SszContainer):
    """An announcement with what was signed so far, rising by signer."""

    announcement: UniverseAnnouncement
    signatures: Annotated[tuple[AnnouncementSignature, ...], Many(256)]


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What happens to one index: ``before`` or ``after`` is None where the version has no entry there.

    Attributes:
        index: Place in the vector.
        before: Entry of the old version.
        after: Entry of the new version.
        fields: Names of the fields that differ where both are there.
        breaking: Whether pledges of older versions lose their meaning.
    """

    index: int
    before: Entry | None
    after: Entry | None
    fields: tuple[str, ...]
    breaking: bool


def changes(old: Universe, new: Universe) -> tuple[Change, ...]:
    """Every index at which two versions differ, rising."""
    return tuple(_changes(old, new))


def check_successor(old: Universe, new: Universe) -> bool:
    """Checks that a universe may follow another.

    Args:
        old: The version in force.
        new: The next one; both were checked on their own.

    Returns:
        Whether it needs an announcement of t relayers that is at least N old: ``compatible_since`` rises.

    Raises:
        RefusedError: UNIVERSE_INCOMPATIBLE, naming the first rule that is broken; the fields name the entry.
    """
    if new.n != old.n:
        raise _incompatible("the vector length never changes", "begin another network for another n")
    if new.version != old.version + 1:
        raise _incompatible(f"the version must be {old.version + 1}", "versions rise by one")
    if not old.compatible_since <= new.compatible_since <= new.version:
        raise _incompatible(
            "compatible_since never falls and never passes the version",
            f"set it from {old.compatible_since} to {new.version}",
        )
    before = {point.id: point.kind for point in old.points}
    for point in new.points:
        if before.get(point.id, point.kind) != point.kind:
            raise _incompatible(f"price point {point.id!r} never changes its kind", "give the new point another id")
    breaking = [change for change in changes(old, new) if change.breaking]
    if breaking and new.compatible_since != new.version:
        raise _incompatible(
            f"entry {breaking[0].index} is in use: it cannot {_verb(breaking[0])}",
            f"leave it as it is, or set compatible_since to {new.version} and announce that with the relayers",
            breaking[0],
        )
    return new.compatible_since > old.compatible_since


def _changes(old: Universe, new: Universe) -> Iterator[Change]:
    before = {entry.index: entry for entry in old.entries}
    after = {entry.index: entry for entry in new.entries}
    for index in sorted(before.keys() | after.keys()):
        was, now = before.get(index), after.get(index)
        if was is None or now is None:
            yield Change(index, was, now, (), breaking=was is not None)
        elif was != now:
            names = tuple(f.name for f in dataclasses.fields(Entry) if getattr(was, f.name) != getattr(now, f.name))
            only_more = names == ("max_lots",) and now.max_lots > was.max_lots
            yield Change(index, was, now, names, breaking=not only_more)


def _verb(change: Change) -> str:
    if change.after is None:
        return "be retired"
    if change.fields == ("max_lots",):
        return "lower its max_lots"
    return "change its " + ", ".join(change.fields)


def _incompatible(message: str, fix: str, change: Change | None = None) -> RefusedError:
    fields: dict[str, FieldValue] = {} if change is None else {"index": change.index, "fields": ",".join(change.fields)}
    return RefusedError(ReasonCode.UNIVERSE_INCOMPATIBLE, message, fix=fix, fields=fields)
