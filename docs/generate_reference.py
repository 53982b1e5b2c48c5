"""Makes docs/reason-codes.md from the enum, the exit codes, the venue's steps and docs/reason_codes.yaml.

``python docs/generate_reference.py`` writes the page, ``--check`` only compares and exits 1 when it is out of date.
"""

import argparse
import sys
from pathlib import Path

import yaml

from marginproof.model.reasons import ReasonCode, exit_code
from marginproof.verifier.procedure import STEP_REASONS

FOLDER = Path(__file__).resolve().parent
SOURCE = FOLDER / "reason_codes.yaml"
PAGE = FOLDER / "reason-codes.md"
HEAD = """\
<!-- Made by docs/generate_reference.py; edit docs/reason_codes.yaml instead. -->
# Reason codes

Every refusal has one of these codes: in the `code` of Python errors (`MarginproofError`), in the `reason` of gRPC
`ErrorInfo` (domain `marginproof`), in a venue's decision, in metrics and in `--json` output. A code never changes its
meaning; new ones are only added. *Step* is the number in the venue's procedure ([venues.md](venues.md)) for codes that
appear in a REJECT; *exit* is the exit code of the `marginproof` command.
"""


def page() -> str:
    """The page's text.

    Raises:
        SystemExit: A code has no row, or a row no code.
    """
    groups = yaml.safe_load(SOURCE.read_text())
    described = [code for rows in groups.values() for code in rows]
    if sorted(described) != sorted(ReasonCode):
        difference = sorted(set(described) ^ set(ReasonCode)) or "one is there twice"
        sys.exit(f"{SOURCE.name} and ReasonCode differ: {difference}")
    steps = {code: step for step, codes in STEP_REASONS.items() for code in codes}
    lines = [HEAD]
    for group, rows in groups.items():
        lines += [f"## {group}", "", "| code | step | meaning | what to do | exit |", "|---|---|---|---|---|"]
        for code, (meaning, remedy) in rows.items():
            reason = ReasonCode(code)
            lines.append(f"| `{code}` | {steps.get(reason, '')} | {meaning} | {remedy} | {exit_code(reason)} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Writes or compares the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    text = page()
    if parser.parse_args().check:
        return 0 if PAGE.exists() and PAGE.read_text() == text else 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
