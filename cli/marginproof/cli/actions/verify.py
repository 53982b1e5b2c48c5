"""What ``marginproof verify …`` does: an auditor's work, with files only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marginproof.cli.output import Result
from marginproof.model.bundle import load_bundle
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ExitCode, exit_code
from marginproof.verifier.offline import CheckOutcome, StepResult, check_presentation


def presentation(network_path: Path, files: Sequence[Path], at: int | None) -> Result:
    """Checks saved presentations step by step; the exit code is that of the first failed step."""
    network = load_network_file(network_path)
    reports = [(path, _check(network, path, at)) for path in files]
    failed = [step for _, steps in reports for step in steps if step.outcome is CheckOutcome.FAIL]
    rows = [_row(path, step, many=len(files) > 1) for path, steps in reports for step in steps]
    document = {
        "verified": not failed,
        "presentations": [
            {"file": str(path), "verified": _passed(steps), "steps": [_document(step) for step in steps]}
            for path, steps in reports
        ],
    }
    columns = ("file", "step", "check", "result", "detail") if len(files) > 1 else ("step", "check", "result", "detail")
    return Result("verify-presentation", document, (), columns, rows, _exit_code(failed))


def _check(network: NetworkFile, path: Path, at: int | None) -> list[StepResult]:
    return check_presentation(network, load_bundle(path), at=at)


def _passed(steps: Sequence[StepResult]) -> bool:
    return all(step.outcome is not CheckOutcome.FAIL for step in steps)


def _row(path: Path, step: StepResult, *, many: bool) -> list[str]:
    detail = f"{step.reason}: {step.detail}" if step.reason else step.detail
    row = [str(step.number), step.name, str(step.outcome), detail]
    return [path.name, *row] if many else row


def _document(step: StepResult) -> dict[str, Any]:
    return {
        "step": step.number,
        "check": step.name,
        "result": str(step.outcome),
        "reason": str(step.reason) if step.reason else None,
        "detail": step.detail,
    }


def _exit_code(failed: Sequence[StepResult]) -> int:
    if not failed:
        return ExitCode.ACCEPTED
    return exit_code(failed[0].reason) if failed[0].reason else ExitCode.REJECTED
