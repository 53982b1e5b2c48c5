"""The specification in Python and the core say the same of every known answer and of random statements.

Prints one line for each difference and exits with 1 if there is one. The same seed draws the same statements.
"""

import argparse
import multiprocessing
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from marginproof import core
from marginproof.reference import Setup, prove
from marginproof.reference.field import MODULUS
from tests.reference.agreement import (
    core_statement,
    differences,
    differing,
    outcome,
    prover_differences,
    statement_verdicts,
)
from tests.reference.known_answers import FROZEN, PLAIN, SETUP, VECTORS, Case, load_cases
from tests.reference.random_cases import Maker

FAULTS = 8
"""Ill-formed neighbours tried for each random statement; they cost next to nothing."""


@dataclass(frozen=True)
class Known:
    """A known answer and, where it is accepted, forgeries of it."""

    file: str
    name: str
    seed: int


@dataclass(frozen=True)
class Drawn:
    """A random statement, its proof by the core, its neighbours and forgeries."""

    seed: int


@dataclass(frozen=True)
class Proven:
    """A known statement proven by the specification, for the core to verify."""

    seed: int


Task = Known | Drawn | Proven


class Workbench:
    """What a worker process keeps between tasks."""

    setup: Setup
    files: dict[str, dict[str, Case]]


def prepare() -> None:
    """Runs once in each worker process."""
    Workbench.setup = Setup.load(SETUP)
    Workbench.files = {file.name: load_cases(file) for file in (VECTORS, FROZEN)}


def work(task: Task) -> list[str]:
    """The differences that a task finds, each with the task's name."""
    match task:
        case Known(file, name, seed):
            found = known(Workbench.files[file][name], Maker(seed))
            return [f"{file}: {name}: {line}" for line in found]
        case Drawn(seed):
            return [f"random statement of seed {seed}: {line}" for line in drawn(Maker(seed))]
        case Proven(seed):
            return [f"proof by the specification, seed {seed}: {line}" for line in proven(seed)]


def known(case: Case, maker: Maker) -> Iterator[str]:
    """A known answer and its forgeries."""
    yield from differences(Workbench.setup, case)
    if case.valid:
        yield from forged(case, maker)


def drawn(maker: Maker) -> Iterator[str]:
    """A random statement with everything around it."""
    case = maker.true_case()
    yield from differences(Workbench.setup, case)
    yield from forged(case, maker)
    false = maker.false_openings(case.statement, case.openings)
    yield from prover_differences(case.statement, false, case.context)
    for _ in range(FAULTS):
        specified, found = statement_verdicts(maker.faulty_statement(case.statement))
        yield from differing("changed statement", specified, found)


def forged(case: Case, maker: Maker) -> Iterator[str]:
    """Forgeries of an accepted case."""
    for forgery in maker.forgeries(case):
        for line in differences(Workbench.setup, forgery):
            yield f"{forgery.name}: {line}"


def proven(seed: int) -> Iterator[str]:
    """A proof made by the specification."""
    case, source = Workbench.files[VECTORS.name][PLAIN], random.Random(seed)  # noqa: S311 - a test's blinders
    proof = prove(Workbench.setup, case.statement, case.openings, case.context, lambda: source.randrange(MODULUS))
    verdict = outcome(lambda: core.verify(core_statement(case.statement), case.inputs, case.context, proof))
    yield from differing("verdict", None, verdict)


def tasks(count: int, seed: int) -> list[Task]:
    """Every known answer and ``count`` random statements; the slow ones begin early."""
    files = [(file.name, name) for file in (VECTORS, FROZEN) for name in load_cases(file)]
    answers: list[Task] = [Known(file, name, seed + number) for number, (file, name) in enumerate(files)]
    return [Proven(seed), *answers, *(Drawn(seed * 1_000_000 + number) for number in range(count))]


def run(todo: list[Task], jobs: int) -> int:
    """Runs all tasks on several processes; the number of differences."""
    columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Forked workers would inherit the locks of the core's threads.
    pool = multiprocessing.get_context("spawn").Pool(jobs, prepare)
    found = 0
    with pool, Progress(*columns, disable=not sys.stderr.isatty(), transient=True) as progress:
        bar = progress.add_task("", total=len(todo))
        for lines in pool.imap_unordered(work, todo):
            found += len(lines)
            for line in lines:
                progress.console.print(line, highlight=False, markup=False, soft_wrap=True)
            progress.advance(bar)
    return found


def main() -> int:
    """Compares; exit code 1 on any difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="random statements")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes at work at a time")
    options = parser.parse_args()
    todo = tasks(options.count, options.seed)
    found = run(todo, options.jobs)
    sys.stdout.write(f"{len(todo)} cases, {options.count} of them random: {found or 'no'} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
