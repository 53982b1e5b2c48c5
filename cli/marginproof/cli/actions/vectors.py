"""What ``marginproof vectors …`` does: known answers of the argument, checked and made.

The format is described in core/vectors/FORMAT.md.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from marginproof import core
from marginproof.cli.output import Result
from marginproof.model.documents import read_file
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.json_text import parse_json
from marginproof.model.reasons import ExitCode, ReasonCode

MAX_FILE_BYTES: Final = 256 << 20
Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Case:
    """One case of a file: ``raw`` as it stands there; everything else read from it."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """The case's name."""
        return str(self.raw["name"])

    @property
    def valid(self) -> bool:
        """Whether its proof must be accepted."""
        return self.raw["valid"] is True

    @property
    def has_openings(self) -> bool:
        """Whether it can be proven anew."""
        return bool(self.raw.get("openings"))

    @property
    def context(self) -> bytes:
        """What the proof is tied to."""
        return bytes.fromhex(self.raw["context"])

    @property
    def proof(self) -> bytes:
        """The proof."""
        return bytes.fromhex(self.raw["proof"])

    @property
    def commitments(self) -> list[bytes]:
        """What the verifier is given: one for each input."""
        return [bytes.fromhex(text) for text in self.raw["commitments"]]

    def statement(self) -> core.Statement:
        """The statement; CoreError where it is not well-formed."""
        rows = [
            core.Row(row["bits"], _integer(row["constant"]), [_weights(weights) for weights in row["weights"]])
            for row in self.raw["rows"]
        ]
        return core.Statement(self.raw["n"], self.raw["vectors"], self.raw["inputs"], rows)

    def openings(self) -> list[core.Opening]:
        """What the commitments hide."""
        return [
            core.Opening(self.raw["n"], _weights(opening["values"]), _integer(opening["rho"]).to_bytes(32, "big"))
            for opening in self.raw["openings"]
        ]


def check(path: Path, progress: Progress) -> Result:
    """Compares every case with what this implementation finds; one line each, exit code 1 on any difference."""
    setup_digest, cases = load(path)
    lines = []
    if setup_digest != core.SETUP_DIGEST.hex():
        lines.append(("setup", ["setup digest"]))
    for number, case in enumerate(cases, start=1):
        progress(f"{number} of {len(cases)}: {case.name}")
        lines.append((case.name, _guarded(case, differences)))
    differing = sum(bool(found) for _, found in lines)
    document = {
        "cases": len(cases),
        "differing": differing,
        "results": [{"case": name, "ok": not found, "differs": found} for name, found in lines],
    }
    rows = [[name, "ok" if not found else "; ".join(found)] for name, found in lines]
    return Result("vectors-check", document, (), ("case", "result"), rows, ExitCode.INTERNAL if differing else 0)


def prove(path: Path, target: Path, progress: Progress) -> Result:
    """Makes a fresh proof for every case that has openings and writes them in the same format."""
    _, cases = load(path)
    openable = [case for case in cases if case.has_openings and case.valid]
    made = []
    for number, case in enumerate(openable, start=1):
        progress(f"{number} of {len(openable)}: {case.name}")
        made.append(_proven(case))
    text = json.dumps({"setup_digest": core.SETUP_DIGEST.hex(), "cases": made}, indent=1)
    target.write_text(text + "\n", encoding="utf-8")
    document = {"cases": len(cases), "proven": len(made), "file": str(target)}
    return Result("vectors-prove", document, [("proven", f"{len(made)} of {len(cases)} cases")])


def load(path: Path) -> tuple[str, list[Case]]:
    """The setup digest that a file names, and its cases.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE.
        MalformedError: It is no file of vectors.
    """
    data = read_file(path, "the vectors", "check the path")
    if len(data) > MAX_FILE_BYTES:
        raise MalformedError("the file of vectors is too large", code=ReasonCode.TOO_LARGE)
    document = parse_json(data)
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list) or not all(isinstance(raw, dict) and "name" in raw for raw in cases):
        raise MalformedError("this is no file of vectors: it has no list of named cases", fix="see FORMAT.md")
    return str(document.get("setup_digest", "")), [Case(raw) for raw in cases]


def differences(case: Case) -> list[str]:
    """What this implementation finds otherwise than the case says."""
    try:
        statement = case.statement()
    except core.CoreError as error:
        return _verdict(case, error)
    found = []
    if "statement_digest" in case.raw and statement.digest.hex() != case.raw["statement_digest"]:
        found.append("statement digest")
    if case.has_openings:
        found += _differing_commitments(case)
    if "challenges" in case.raw:
        found += _differing_challenges(case, statement)
    try:
        core.verify(statement, case.commitments, case.context, case.proof)
    except core.CoreError as error:
        return found + _verdict(case, error)
    return found + _verdict(case, None)


def _differing_commitments(case: Case) -> list[str]:
    pairs = zip(case.openings()[: case.raw["inputs"]], case.commitments, strict=True)
    return [
        f"commitment {number}"
        for number, (opening, commitment) in enumerate(pairs)
        if opening.commitment() != commitment
    ]


def _differing_challenges(case: Case, statement: core.Statement) -> list[str]:
    drawn = core.challenges(statement, case.commitments, case.context, case.proof)
    stated = {name: _integer(value) for name, value in case.raw["challenges"].items()}
    return [f"challenge {name}" for name in stated if drawn.get(name) != stated[name]]


def _verdict(case: Case, error: core.CoreError | None) -> list[str]:
    if error is None:
        return [] if case.valid else ["verdict: accepted"]
    if case.valid:
        return [f"verdict: refused, {error.code}"]
    stated = (case.raw.get("code", error.code), case.raw.get("step", error.step))
    return [] if stated == (error.code, error.step) else [f"verdict: {error.code} at step {error.step}"]


def _proven(case: Case) -> dict[str, Any]:
    statement, openings = case.statement(), case.openings()
    proof = core.prove(statement, openings, case.context)
    commitments = [opening.commitment() for opening in openings[: case.raw["inputs"]]]
    challenges = core.challenges(statement, commitments, case.context, proof)
    return case.raw | {
        "statement_digest": statement.digest.hex(),
        "commitments": [commitment.hex() for commitment in commitments],
        "challenges": {name: hex(value) for name, value in challenges.items()},
        "proof": proof.hex(),
    }


def _guarded(case: Case, judge: Callable[[Case], list[str]]) -> list[str]:
    """A case whose fields are missing or of another kind differs by that."""
    try:
        return judge(case)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return ["malformed case"]
    except core.CoreError as error:
        return [f"malformed case: {error.code}"]


def _weights(raw: Any) -> dict[int, int]:
    items: Iterable[tuple[str, str]] = raw.items()
    return {int(index): _integer(value) for index, value in items}


def _integer(text: Any) -> int:
    if not isinstance(text, str):
        raise TypeError
    return int(text, 16)


def check_target(path: Path) -> Path:
    """Refuses a target that cannot be written before any work is done.

    Raises:
        ConfigurationError: FILE_UNREADABLE.
    """
    if not path.parent.is_dir():
        raise ConfigurationError(f"there is no folder {path.parent.name!r}", fix="make it, or name another file")
    return path
