"""What ``marginproof network universe …`` and ``relayer announce-universe`` do."""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from marginproof.attestation.announcements import (
    announcement_of,
    check_succession,
    sign_announcement,
    verify_announcement,
)
from marginproof.cli.output import Result
from marginproof.cli.passwords import read_password
from marginproof.model.documents import parse_document
from marginproof.model.errors import ConfigurationError, RefusedError
from marginproof.model.network_file import NetworkFile, dump_network_file, load_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.model.succession import SignedAnnouncement, changes, check_successor
from marginproof.model.universe import Entry, EntryKind, Universe
from marginproof.model.universe_file import EntryDocument, dump_universe_file, load_universe_file
from marginproof.prover.files import read_limited, write_atomic
from marginproof.relayers.keys import load_keystore

_MAX_ANNOUNCEMENT_BYTES: Final = 64 * 1024
_LEAD_SHARE: Final = 48
"""By default a notice begins a 48th of itself from now: relayers need that time to sign (an hour of two days)."""


def show(network: Path, file: Path | None) -> Result:
    """A universe: the network's, or that of a universe file."""
    of = load_network_file(network)
    universe = of.universe if file is None else load_universe_file(file, of.network.n)
    document: dict[str, Any] = {
        **_identity(universe),
        "points": [point.id for point in universe.points],
        "entries": [_entry(entry) for entry in universe.entries],
    }
    fields = [(name, str(value)) for name, value in _identity(universe).items()]
    columns = ("index", "kind", "id", "lot_exponent", "max_lots", "price_point")
    rows = [[str(entry[column]) for column in columns] for entry in document["entries"]]
    return Result("network-universe-show", document, fields, columns, rows)


def add(network: Path, file: Path, values: Mapping[str, object]) -> Result:
    """Adds an entry to the next version, at the lowest free index unless one is given."""
    of, draft = _draft(network, file)
    taken = {entry.index for entry in draft.entries}
    free = next(index for index in range(len(taken) + 1) if index not in taken)
    given = {"index": free} | {name: value for name, value in values.items() if value is not None}
    entry = _parsed_entry(given)
    if entry.index in taken:
        raise RefusedError(
            ReasonCode.UNIVERSE_INCOMPATIBLE,
            f"index {entry.index} is in use",
            fix=f"take another; the lowest free one is {free}",
            fields={"index": entry.index},
        )
    entries = tuple(sorted((*draft.entries, entry), key=lambda one: one.index))
    return _write(of, file, dataclasses.replace(draft, entries=entries), "add")


def retire(network: Path, file: Path, entry_id: str) -> Result:
    """Takes an entry out of the next version, which older pledges then cannot count in."""
    of, draft = _draft(network, file)
    gone = draft.entry(entry_id)
    entries = tuple(entry for entry in draft.entries if entry is not gone)
    was_in_force = any(entry.index == gone.index for entry in of.universe.entries)
    since = draft.version if was_in_force else draft.compatible_since
    return _write(of, file, dataclasses.replace(draft, entries=entries, compatible_since=since), "retire")


def diff(network: Path, file: Path) -> Result:
    """What the next version changes."""
    of = load_network_file(network)
    new = load_universe_file(file, of.network.n)
    found = changes(of.universe, new)
    documents = [
        {
            "index": change.index,
            "before": None if change.before is None else change.before.id,
            "after": None if change.after is None else change.after.id,
            "fields": list(change.fields),
            "breaking": change.breaking,
        }
        for change in found
    ]
    points = {point.id: point for point in of.universe.points}
    changed = sorted({point.id for point in new.points if points.pop(point.id, None) != point} | points.keys())
    document = {**_identity(new), "changes": documents, "points": changed}
    rows = [
        [
            str(one.index),
            "-" if one.before is None else one.before.id,
            "-" if one.after is None else one.after.id,
            ", ".join(one.fields) or "-",
            "breaking" if one.breaking else "",
        ]
        for one in found
    ]
    fields = [("price points that differ", ", ".join(changed) or "none")]
    return Result("network-universe-diff", document, fields, ("index", "before", "after", "fields", ""), rows)


def check(network: Path, file: Path, announcement: Path | None) -> Result:
    """Checks the next version by the rules of succession, and an announcement of it whatever its age."""
    of = load_network_file(network)
    new = load_universe_file(file, of.network.n)
    needs = check_successor(of.universe, new)
    document: dict[str, Any] = {
        **_identity(new),
        "old_digest": "0x" + of.universe.root().hex(),
        "needs_announcement": needs,
        "signers": [],
        "effective_at": None,
    }
    if announcement is not None:
        signed = _read_announcement(announcement)
        verify_announcement(signed, network_id=of.network_id, old=of.universe, new=new, signer_set=of.signer_set)
        document["signers"] = [one.signer for one in signed.signatures]
        document["effective_at"] = signed.announcement.announced_at + of.configuration.notice_seconds
    return Result("network-universe-check", document, [(name, str(value)) for name, value in document.items()])


def apply(network: Path, file: Path, announcement: Path | None, now: int) -> Result:
    """Puts the next version into the network file, once it may come into force; gives the file's new digest."""
    of = load_network_file(network)
    new = load_universe_file(file, of.network.n)
    check_succession(
        of.universe,
        new,
        None if announcement is None else _read_announcement(announcement),
        network_id=of.network_id,
        signer_set=of.signer_set,
        notice_seconds=of.configuration.notice_seconds,
        now=now,
    )
    data = dump_network_file(dataclasses.replace(of, universe=new))
    mode = network.stat().st_mode
    write_atomic(network, data)
    network.chmod(mode)
    document = {
        **_identity(new),
        "network_id": "0x" + of.network_id.hex(),
        "file_digest": "0x" + hashlib.sha256(data).hexdigest(),
    }
    return Result("network-universe-apply", document, [(name, str(value)) for name, value in document.items()])


def announce(
    network: Path, file: Path, announcement: Path, keystore: Path, password_file: Path | None, at: int | None, now: int
) -> Result:
    """Signs the announcement of the next version with a relayer's key, offline; begins it where there is none yet."""
    of = load_network_file(network)
    new = load_universe_file(file, of.network.n)
    if not check_successor(of.universe, new):
        raise RefusedError(
            ReasonCode.UNIVERSE_INCOMPATIBLE,
            "compatible_since does not rise: this version needs no announcement",
            fix="put it in force with: marginproof network universe apply",
        )
    key = load_keystore(keystore, read_password(password_file))
    signed = _announcement(of, new, announcement, at, now)
    updated = sign_announcement(
        key,
        _signer(of, key.public_key),
        signed,
        network_id=of.network_id,
        old=of.universe,
        new=new,
        now=now,
        clock_skew_seconds=of.configuration.clock_skew_seconds,
        notice_seconds=of.configuration.notice_seconds,
    )
    write_atomic(announcement, updated.encode())
    document = {
        "announcement": str(announcement),
        "announced_at": updated.announcement.announced_at,
        "effective_at": updated.announcement.announced_at + of.configuration.notice_seconds,
        "signers": [one.signer for one in updated.signatures],
        "threshold": of.signer_set.threshold,
    }
    return Result("relayer-announce-universe", document, [(name, str(value)) for name, value in document.items()])


def _announcement(of: NetworkFile, new: Universe, path: Path, at: int | None, now: int) -> SignedAnnouncement:
    if path.exists():
        signed = _read_announcement(path)
        if at not in (None, signed.announcement.announced_at):
            raise RefusedError(
                ReasonCode.ANNOUNCEMENT_INVALID,
                "the announcement was begun with another time",
                fix="leave --at out, or name a file that does not exist yet",
            )
        return signed
    notice = of.configuration.notice_seconds
    begins = now + notice // _LEAD_SHARE if at is None else at
    return SignedAnnouncement(announcement_of(of.network_id, of.universe, new, begins), ())


def _signer(of: NetworkFile, public_key: bytes) -> int:
    for relayer in of.relayers:
        if relayer.public_key == public_key:
            return relayer.index
    raise ConfigurationError(
        "the keystore's key is not in the network's signer set",
        code=ReasonCode.SIGNER_SET_UNKNOWN,
        fix="name the keystore of a relayer of this network",
    )


def _draft(network: Path, file: Path) -> tuple[NetworkFile, Universe]:
    """The network and the version being edited, which begins as the one in force with the next number."""
    of = load_network_file(network)
    if file.exists():
        return of, load_universe_file(file, of.network.n)
    return of, dataclasses.replace(of.universe, version=of.universe.version + 1)


def _parsed_entry(values: dict[str, object]) -> Entry:
    return parse_document(EntryDocument, yaml.safe_dump(values).encode(), "the new entry").entry()


def _write(of: NetworkFile, file: Path, draft: Universe, verb: str) -> Result:
    needs = check_successor(of.universe, draft.checked())
    write_atomic(file, dump_universe_file(draft))
    document = {"file": str(file), **_identity(draft), "needs_announcement": needs}
    return Result(f"network-universe-{verb}", document, [(name, str(value)) for name, value in document.items()])


def _read_announcement(path: Path) -> SignedAnnouncement:
    return SignedAnnouncement.decode(read_limited(path, _MAX_ANNOUNCEMENT_BYTES, "the announcement"))


def _identity(universe: Universe) -> dict[str, Any]:
    return {
        "version": universe.version,
        "compatible_since": universe.compatible_since,
        "universe_digest": "0x" + universe.root().hex(),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    document = dataclasses.asdict(entry)
    return document | {"kind": EntryKind(entry.kind).name.lower(), "token": "0x" + entry.token.hex()}
