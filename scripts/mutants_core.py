"""Changes the core one expression at a time and sees a test go red: cargo-mutants, with core/.cargo/mutants.toml.

Exit code 1 where a change survives, where a change of an equation or of a statement's checks is left out, or where more
than two in a hundred of the others are.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "core"
CONFIGURATION = CORE / ".cargo" / "mutants.toml"
REPORT = ROOT / ".build" / "mutants.out"

WITHOUT_EXCEPTION = (
    *("verifier", "batch", "claim", "public_vectors", "evaluation_point", "digit_runs", "sparse_rows"),
    *("transcript", "statement", "intervals"),
)
"""Equations and checks of statements: no change of these files is left out."""

LEFT_OUT_AT_MOST = 0.02

SURVIVED, TIMED_OUT = 2, 3
"""Exit codes of cargo-mutants; a change that makes the tests run for ever was noticed."""


def cargo_mutants(arguments: Sequence[str]) -> list[str]:
    """The command."""
    return ["cargo", "mutants", "--colors", "never", *arguments]


def listed(arguments: Sequence[str]) -> list[str]:
    """The changes that cargo-mutants would make, each as "file:line:column: what"."""
    done = subprocess.run(  # noqa: S603 - our own command
        cargo_mutants(["--list", *arguments]), cwd=CORE, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


def faults_of_exclusions(every: Sequence[str], kept: Sequence[str]) -> list[str]:
    """What is wrong with the list of changes that are left out."""
    left_out = sorted(set(every) - set(kept))
    faults = [
        f"left out, though nothing of its file may be: {change}"
        for change in left_out
        if Path(change.split(":", 1)[0]).stem in WITHOUT_EXCEPTION
    ]
    others = [change for change in every if Path(change.split(":", 1)[0]).stem not in WITHOUT_EXCEPTION]
    if len(left_out) - len(faults) > LEFT_OUT_AT_MOST * len(others):
        faults.append(f"{len(left_out)} of {len(others)} changes are left out; at most two in a hundred may be")
    return faults


def exclusions() -> list[str]:
    """The faults of the configuration's exclusions."""
    globs = tomllib.loads(CONFIGURATION.read_text())["examine_globs"]
    every = listed(["--no-config", *(word for glob in globs for word in ("--file", glob))])
    return faults_of_exclusions(every, listed([]))


def run(tenth: int | None, jobs: int) -> int:
    """The exit code of cargo-mutants; its report goes to .build/mutants.out."""
    share = [] if tenth is None else ["--shard", f"{tenth % 10}/10", "--sharding", "round-robin"]
    options = ["--jobs", str(jobs), "--output", str(REPORT.parent), *share]
    return subprocess.run(cargo_mutants(options), cwd=CORE, check=False).returncode  # noqa: S603 - our own command


def main() -> int:
    """Runs all changes, or a seeded tenth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenth", type=int, metavar="SEED", help="only the tenth that this seed stands for")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="copies at work at a time")
    options = parser.parse_args()
    if faults := exclusions():
        sys.stdout.write("\n".join([*faults, f"mend {CONFIGURATION.relative_to(ROOT)}"]) + "\n")
        return 1
    code = run(options.tenth, options.jobs)
    if code == SURVIVED:
        sys.stdout.write(f"a test is missing for each change in {REPORT / 'missed.txt'}\n")
    return 0 if code in (0, TIMED_OUT) else 1


if __name__ == "__main__":
    sys.exit(main())
