"""The shipped known answers as typed cases."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marginproof.reference import Opening, Row, Statement

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "core" / "crates" / "argument" / "data" / "setup.bin"
VECTORS = ROOT / "core" / "vectors" / "linear-range.json"
FROZEN = ROOT / "core" / "vectors" / "frozen.json"

PLAIN = "one vector, one column"
WITH_AUXILIARY = "auxiliary slack for an absolute value"
ATTACK = "auxiliary entry that no row binds: 2x - 1 = 0"


@dataclass(frozen=True)
class Case:
    """One case of a file; openings, digest and challenges only where it is valid, code and step where it is not."""

    name: str
    statement: Statement
    context: bytes
    inputs: list[bytes]
    proof: bytes
    valid: bool
    openings: list[Opening] = field(default_factory=list)
    statement_digest: str = ""
    challenges: dict[str, int] = field(default_factory=dict)
    code: str = ""
    step: int | None = None


def load_cases(file: Path = VECTORS) -> dict[str, Case]:
    """Every case by name."""
    return {raw["name"]: _case(raw) for raw in json.loads(file.read_text())["cases"]}


def _case(raw: dict[str, Any]) -> Case:
    statement = Statement(raw["n"], raw["vectors"], raw["inputs"], tuple(_row(row) for row in raw["rows"]))
    return Case(
        name=raw["name"],
        statement=statement,
        context=bytes.fromhex(raw["context"]),
        inputs=[bytes.fromhex(text) for text in raw["commitments"]],
        proof=bytes.fromhex(raw["proof"]),
        valid=raw["valid"],
        openings=[_opening(opening) for opening in raw.get("openings", [])],
        statement_digest=raw.get("statement_digest", ""),
        challenges={name: int(value, 16) for name, value in raw.get("challenges", {}).items()},
        code=raw.get("code", ""),
        step=raw.get("step"),
    )


def _row(raw: dict[str, Any]) -> Row:
    weights = tuple(
        tuple(sorted((int(index), int(weight, 16)) for index, weight in sparse.items())) for sparse in raw["weights"]
    )
    return Row(raw["bits"], int(raw["constant"], 16), weights)


def _opening(raw: dict[str, Any]) -> Opening:
    return Opening({int(i): int(value, 16) for i, value in raw["values"].items()}, int(raw["rho"], 16))
