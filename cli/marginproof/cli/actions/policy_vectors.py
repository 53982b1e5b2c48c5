"""What ``marginproof policy check-vectors`` does: published margins against ours, file by file."""

import dataclasses
import re
from pathlib import Path
from typing import Final

from marginproof.cli.output import Result
from marginproof.core import CoreError
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.reasons import ExitCode, ReasonCode
from marginproof.prover.files import read_limited
from marginproof.risk.pmrm2.margin import pmrm2_margin
from marginproof.risk.pmrm2.vector_file import MAX_VECTOR_BYTES, read_vector

TOLERANCE: Final = 1e-6
_COLUMNS: Final = ("vector", "initial", "given", "rel. error", "maintenance", "given", "rel. error", "result")


@dataclasses.dataclass(frozen=True, slots=True)
class Level:
    """One margin of one vector in USD: what this build finds, and what the file says."""

    ours: float
    given: float

    @property
    def error(self) -> float:
        """Relative to what is given; in USD where that is 0."""
        difference = abs(self.ours - self.given)
        return difference / abs(self.given) if self.given else difference

    @property
    def cells(self) -> tuple[str, str, str]:
        """For a person."""
        return f"{self.ours:.6f}", f"{self.given:.6f}", f"{self.error:.1e}"

    @property
    def document(self) -> dict[str, float]:
        """For a machine."""
        return {"ours_usd": self.ours, "given_usd": self.given, "relative_error": self.error}


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One vector: both levels, or why it could not be compared."""

    name: str
    initial: Level | None = None
    maintenance: Level | None = None
    failure: str = ""

    @property
    def within(self) -> bool:
        """Whether both margins are met."""
        levels = (self.initial, self.maintenance)
        return all(level is not None and level.error <= TOLERANCE for level in levels)

    @property
    def result(self) -> str:
        """In words."""
        return self.failure or ("pass" if self.within else "fail")

    @property
    def row(self) -> tuple[str, ...]:
        """Of the table."""
        cells = [cell for level in (self.initial, self.maintenance) for cell in (level.cells if level else ("–",) * 3)]
        return (self.name, *cells, self.result)

    @property
    def document(self) -> dict[str, object]:
        """Of the JSON document; levels are null where nothing could be compared."""
        return {
            "vector": self.name,
            "initial": self.initial.document if self.initial else None,
            "maintenance": self.maintenance.document if self.maintenance else None,
            "within": self.within,
            "failure": self.failure,
        }


def check_vectors(directory: Path) -> Result:
    """Compares every ``*.json`` of a directory; exit code 0 only where all margins are met.

    Raises:
        ConfigurationError: FILE_UNREADABLE: no such directory, or no vector in it.
    """
    try:
        paths = sorted((path for path in directory.iterdir() if path.suffix == ".json"), key=_natural)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the directory {directory.name!r}", code=ReasonCode.FILE_UNREADABLE, fix="check the path"
        ) from error
    if not paths:
        raise ConfigurationError(
            f"there is no .json file in {directory.name!r}",
            code=ReasonCode.FILE_UNREADABLE,
            fix="name the directory that holds the vectors",
        )
    lines = [compare(path) for path in paths]
    within = sum(line.within for line in lines)
    document = {
        "tolerance": TOLERANCE,
        "within": within,
        "total": len(lines),
        "vectors": [line.document for line in lines],
    }
    return Result(
        "policy-check-vectors",
        document,
        columns=_COLUMNS,
        rows=[line.row for line in lines],
        closing=f"{within} of {len(lines)} within 1e-6",
        exit_code=0 if within == len(lines) else ExitCode.INTERNAL,
    )


def compare(path: Path) -> Line:
    """One file; whatever is wrong with it is named in its line."""
    if not path.is_file():
        return Line(path.stem, failure=f"{ReasonCode.FILE_UNREADABLE}: this is no file")
    try:
        vector = read_vector(read_limited(path, MAX_VECTOR_BYTES, "the vector"))
        margin = pmrm2_margin(vector.parameters, vector.portfolio)
    except MarginproofError as error:
        return Line(path.stem, failure=str(error))
    except CoreError as error:
        return Line(path.stem, failure=f"{error.code}: the options cannot be priced — check prices and strikes")
    return Line(path.stem, Level(margin.initial, vector.initial), Level(margin.maintenance, vector.maintenance))


def _natural(path: Path) -> list[tuple[int, str]]:
    """Numbers in a name by their size, so that 9 is before 10; digits beyond any file's number are text."""
    return [(int(part) if part.isdecimal() and len(part) < 19 else -1, part) for part in re.split(r"(\d+)", path.name)]
