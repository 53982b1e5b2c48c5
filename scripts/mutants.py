"""Deletes one check at a time and sees a test go red: a check whose deletion nobody notices is not tested.

The tables in tests/mutants/*.yaml name, for each check, the file, the text that is replaced, the text that takes its
place, and the tests that must fail. Everything runs on a copy; the tree itself is never touched.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "tests" / "mutants"
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "target", ".build", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"
)
TIMEOUT_SECONDS = 600
TESTS_FAILED = {"pytest": (1,), "cargo": (101,)}
"""Exit codes that mean "a test went red", as opposed to "nothing could be run"."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One deleted check."""

    table: str
    name: str
    file: str
    search: str
    replace: str
    runner: str
    tests: tuple[str, ...]


def load() -> list[Mutant]:
    """All tables; a text that does not stand exactly once in its file is a fault of the table."""
    mutants = [
        mutant
        for path in sorted(TABLES.glob("*.yaml"))
        for mutant in read_table(path.stem, yaml.safe_load(path.read_text()))
    ]
    for mutant in mutants:
        path = ROOT / mutant.file
        count = path.read_text().count(mutant.search) if path.exists() else 0
        if count != 1:
            raise ValueError(f"{mutant.table}: {mutant.name}: its text stands {count} times in {mutant.file}, not once")
    return mutants


def read_table(table: str, document: dict[str, Any]) -> list[Mutant]:
    """The mutants of one table; a row may name tests of its own."""
    return [
        Mutant(
            table=table,
            name=row["name"],
            file=row["file"],
            search=row["search"].rstrip("\n"),
            replace=row.get("replace", "").rstrip("\n"),
            runner=document["runner"],
            tests=tuple(row.get("tests", document["tests"])),
        )
        for row in document["mutants"]
    ]


def killed(mutant: Mutant, copy: Path) -> bool | None:
    """Whether a test goes red on the copy with the check deleted; None when nothing could be run."""
    file = copy / mutant.file
    original = file.read_text()
    file.write_text(original.replace(mutant.search, mutant.replace))
    try:
        if mutant.runner == "cargo" and run(build(mutant), mutant, copy):
            return None  # cargo's exit code does not tell a red test from a deletion that does not compile
        code = run(command(mutant), mutant, copy)
    except subprocess.TimeoutExpired:
        return True
    finally:
        file.write_text(original)
    if code == 0:
        return False
    return True if code in TESTS_FAILED[mutant.runner] else None


def run(arguments: list[str], mutant: Mutant, copy: Path) -> int:
    """The exit code of a runner on the copy."""
    return subprocess.run(  # noqa: S603 - commands of our own tables
        arguments,
        cwd=folder(mutant, copy),
        env=environment(copy),
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    ).returncode


def build(mutant: Mutant) -> list[str]:
    """What compiles the mutant and its tests."""
    return [*command(mutant), "--no-run"]


def command(mutant: Mutant) -> list[str]:
    """What runs the mutant's tests."""
    if mutant.runner == "cargo":
        return ["cargo", "test", "--release", "--quiet", *mutant.tests]
    return [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]


def folder(mutant: Mutant, copy: Path) -> Path:
    """Where the runner starts."""
    return copy / "core" if mutant.runner == "cargo" else copy


def environment(copy: Path) -> dict[str, str]:
    """The copy's rooms come before the installed ones; Rust keeps its builds between mutants.

    They never go into the tree's own build folder: cargo would take a mutant's library for the tree's.
    """
    rooms = sorted(str(path.parent) for path in copy.glob("*/marginproof") if path.is_dir())
    target = ROOT / "core" / "target" / "mutants"
    return {**os.environ, "PYTHONPATH": os.pathsep.join(rooms), "CARGO_TARGET_DIR": str(target)}


def drill(chosen: list[Mutant], jobs: int) -> int:
    """Runs the mutants on ``jobs`` copies at a time; gives how many were not noticed.

    Rust mutants share one build folder and stay with the first copy; all others go to whoever is free.
    """
    rust = [mutant for mutant in chosen if mutant.runner == "cargo"]
    others = collections.deque(mutant for mutant in chosen if mutant.runner != "cargo")
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        copies = [make_copy(Path(temporary) / str(number)) for number in range(jobs)]
        workers = [pool.submit(work, copy, others, rust if copy is copies[0] else []) for copy in copies]
        return sum(worker.result() for worker in workers)


def work(copy: Path, shared: collections.deque[Mutant], own: list[Mutant]) -> int:
    """Runs a worker's own mutants, then shared ones until none is left; gives how many were not noticed."""
    survivors = 0
    queue = collections.deque(own)
    while queue or shared:
        try:
            mutant = queue.popleft() if queue else shared.popleft()
        except IndexError:  # another worker took the last one
            break
        verdict = killed(mutant, copy)
        word = {True: "killed", False: "SURVIVED", None: "could not be run"}[verdict]
        sys.stdout.write(f"{word:9} {mutant.table}: {mutant.name}\n")
        sys.stdout.flush()
        survivors += verdict is not True
    return survivors


def make_copy(folder: Path) -> Path:
    """A copy of the tree in the folder, with what lies beside and in the tree linked to it."""
    copy = folder / "project"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    for link, target in ((folder / "shared", ROOT.parent / "shared"), (copy / "node_modules", ROOT / "node_modules")):
        if target.exists():
            link.symlink_to(target)
    return copy


def main() -> int:
    """Runs all mutants, or a seeded sample; exit code 1 when one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=100, metavar="PERCENT", help="run this share of each table")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--table", help="run one table only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="copies at work at a time")
    options = parser.parse_args()
    chosen: list[Mutant] = []
    tables: dict[str, list[Mutant]] = {}
    for mutant in load():
        tables.setdefault(mutant.table, []).append(mutant)
    for name, mutants in tables.items():
        if options.table in (None, name):
            count = max(1, len(mutants) * options.sample // 100)
            chosen += random.Random(options.seed).sample(mutants, count)  # noqa: S311 - a sample, no secret
    survivors = drill(chosen, options.jobs)
    sys.stdout.write(f"{len(chosen) - survivors} of {len(chosen)} deleted checks were noticed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
