"""Gives every target of core/fuzz to libFuzzer for some seconds; exit code 1, with the input's place, on a finding.

What a run learns stays in .build/fuzz/corpus; --merge puts a minimised selection of it into the repository's corpus,
which the ordinary tests replay.
"""

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "core" / "fuzz"
BUILD = ROOT / ".build" / "fuzz"
TARGETS = sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))
LONGEST_INPUT = 2048
HANG_SECONDS = 10
MEMORY_MIB = 1024
CORPUS_BYTES = 30_000
"""Of each target in the repository."""

FINDING = re.compile(r"Test unit written to (\S+)")
RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
COVERAGE = re.compile(r"cov: (\d+)")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How the run of one target ended."""

    target: str
    log: Path
    code: int

    @property
    def line(self) -> str:
        """What a reader wants to know of it."""
        text = self.log.read_text(errors="replace")
        runs, coverage = RUNS.search(text), COVERAGE.findall(text)
        if not self.code and runs:
            return f"ok       {self.target:14} {int(runs[1]):9,} inputs, {coverage[-1] if coverage else 0} edges"
        if found := FINDING.search(text):
            again = f"make fuzz TARGET={self.target} INPUT={Path(found[1]).relative_to(ROOT)}"
            return f"FINDING  {self.target:14} {found[1]}\n         see {self.log}; run it again: {again}"
        return f"FAILED   {self.target:14} no input is to blame; see {self.log}"


def cargo_fuzz(command: str, target: str, arguments: Sequence[str], log: Path) -> int:
    """The exit code of ``cargo fuzz`` with this command; all it says goes to the log."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILD / "target"), "RUSTUP_TOOLCHAIN": "nightly"}
    words = ["cargo", "fuzz", command, "--fuzz-dir", str(FUZZ), target, *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        return subprocess.run(words, cwd=ROOT, env=environment, stdout=file, stderr=file, check=False).returncode  # noqa: S603


def folders(target: str) -> tuple[Path, Path]:
    """The target's growing corpus and the repository's."""
    growing, kept = BUILD / "corpus" / target, FUZZ / "corpus" / target
    for folder in (growing, kept):
        folder.mkdir(parents=True, exist_ok=True)
    return growing, kept


def fuzz(target: str, seconds: int) -> Outcome:
    """Runs one target; new inputs go into its growing corpus."""
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", "-print_final_stats=1"]
    limits = [f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}"]
    log = BUILD / f"{target}.log"
    arguments = ["--", *map(str, folders(target)), *options, *limits]
    return Outcome(target, log, cargo_fuzz("run", target, arguments, log))


def replay(target: str, file: Path) -> Outcome:
    """Runs one target on one input."""
    log = BUILD / f"{target}.log"
    code = cargo_fuzz("run", target, [str(file.resolve()), "--", f"-timeout={HANG_SECONDS}"], log)
    sys.stdout.write(log.read_text(errors="replace"))
    return Outcome(target, log, code)


def merge(target: str) -> None:
    """Makes the repository's corpus anew: the fewest inputs that reach what all known ones reach, short ones first."""
    growing, kept = folders(target)
    log = BUILD / f"{target}.merge.log"
    with tempfile.TemporaryDirectory() as fresh:
        arguments = ["--", "-set_cover_merge=1", f"-max_len={LONGEST_INPUT}", fresh, str(kept), str(growing)]
        if cargo_fuzz("run", target, arguments, log):
            raise SystemExit(f"{target}: merging failed; see {log}")
        shutil.rmtree(kept)
        kept.mkdir()
        size = 0
        for file in sorted(Path(fresh).iterdir(), key=lambda file: (file.stat().st_size, file.name)):
            size += file.stat().st_size
            if size > CORPUS_BYTES:
                break
            shutil.copy(file, kept / file.name)


def run_all(targets: Sequence[str], seconds: int) -> bool:
    """Runs the targets one after another; true if one has a finding."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("building", total=len(targets))
        found = False
        for target in targets:
            progress.update(task, description=target)
            outcome = fuzz(target, seconds)
            progress.console.print(outcome.line, highlight=False, soft_wrap=True)
            found |= outcome.code != 0
            progress.advance(task)
    return found


def main() -> int:
    """Fuzzes, replays one input, or merges what was learnt into the repository's corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--target", choices=TARGETS, help="this one only")
    parser.add_argument("--input", type=Path, help="run the target on this one input")
    parser.add_argument("--merge", action="store_true", help="no fuzzing: minimise the repository's corpus")
    options = parser.parse_args()
    targets = [options.target] if options.target else TARGETS
    if options.input:
        if not options.target:
            parser.error("--input needs --target: name what runs it")
        return 1 if replay(options.target, options.input).code else 0
    if options.merge:
        for target in targets:
            merge(target)
        return 0
    return 1 if run_all(targets, options.seconds) else 0


if __name__ == "__main__":
    sys.exit(main())
