"""The known answers through the Python face."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marginproof import core

VECTORS = Path(__file__).resolve().parents[2] / "core" / "vectors" / "linear-range.json"


@dataclass(frozen=True)
class Case:
    """One case of the file; openings, digest and challenges only where it is valid."""

    name: str
    n: int
    vectors: int
    input_count: int
    rows: list[core.Row]
    context: bytes
    commitments: list[bytes]
    proof: bytes
    valid: bool
    statement_digest: bytes
    openings: list[core.Opening] = field(default_factory=list)
    challenges: dict[str, int] = field(default_factory=dict)

    def statement(self) -> core.Statement:
        """The statement; CoreError where it is not well-formed."""
        return core.Statement(self.n, self.vectors, self.input_count, self.rows)

    @property
    def inputs(self) -> list[bytes]:
        """What the verifier is given."""
        return self.commitments[: self.input_count]


def load_cases() -> dict[str, Case]:
    """Every case by name."""
    return {raw["name"]: _case(raw) for raw in json.loads(VECTORS.read_text())["cases"]}


def _case(raw: dict[str, Any]) -> Case:
    return Case(
        name=raw["name"],
        n=raw["n"],
        vectors=raw["vectors"],
        input_count=raw["inputs"],
        rows=[
            core.Row(row["bits"], int(row["constant"], 16), [_integers(w) for w in row["weights"]])
            for row in raw["rows"]
        ],
        context=bytes.fromhex(raw["context"]),
        commitments=[bytes.fromhex(text) for text in raw["commitments"]],
        proof=bytes.fromhex(raw["proof"]),
        valid=raw["valid"],
        statement_digest=bytes.fromhex(raw.get("statement_digest", "")),
        openings=[
            core.Opening(raw["n"], _integers(opening["values"]), int(opening["rho"], 16).to_bytes(32, "big"))
            for opening in raw.get("openings", [])
        ],
        challenges={name: int(value, 16) for name, value in raw.get("challenges", {}).items()},
    )


def _integers(raw: dict[str, str]) -> dict[int, int]:
    return {int(index): int(value, 16) for index, value in raw.items()}
