"""Checks with an outcome, what was found and what to do: what both doctors say."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from marginproof.cli.output import Result
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ExitCode

Outcome = Literal["pass", "warn", "fail", "skip"]
_COLUMNS: Final = ("check", "outcome", "found", "fix")


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One finding; ``fix`` says what to do where the outcome is not "pass"."""

    check: str
    outcome: Outcome
    found: str
    fix: str = ""


def failure(check: str, error: MarginproofError) -> Check:
    """A check that ended with a typed error."""
    return Check(check, "fail", f"{error.code}: {error.message}", error.fix)


async def found(check: str, look: Callable[[], Awaitable[str]]) -> Check:
    """Passes with what ``look`` gives, or fails with the error that it raises."""
    try:
        return Check(check, "pass", await look())
    except MarginproofError as error:
        return failure(check, error)


def has_failed(checks: Sequence[Check]) -> bool:
    """Whether a check failed; what was skipped or warned of did not."""
    return any(check.outcome == "fail" for check in checks)


def result_of(name: str, checks: Sequence[Check], fields: Sequence[tuple[str, str]] = ()) -> Result:
    """What a doctor gives; the exit code is 3 when a check failed."""
    failed = has_failed(checks)
    document = {
        **dict(fields),
        "healthy": not failed,
        "checks": [dataclasses.asdict(check) for check in checks],
    }
    rows = [(check.check, check.outcome, check.found, check.fix) for check in checks]
    return Result(name, document, fields, _COLUMNS, rows, ExitCode.CONFIG if failed else ExitCode.ACCEPTED)
