"""How much faster Python threads verify together than one of them alone; figures in build/bench/threads.json.

The core gives the interpreter's lock back while it computes, so threads of one process verify in parallel. What a call
does under the lock is converting its arguments: at most what a call takes whose commitments are too short to be points.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from marginproof import core

ROUNDS: Final = 15
VERIFICATIONS: Final = 200
"""In each round, by one thread alone and by all threads together."""
SHORT_CALLS: Final = 2000
N: Final = 256
ROWS: Final = 16
ROW_BITS: Final = 96
TARGET: Final = 1.6
"""The least speed-up of two threads on two cores."""


class Example:
    """A policy's statement over one vector, and a proof of it."""

    def __init__(self) -> None:
        self.rows = [
            core.Row(ROW_BITS, 2**62, [{index: (row * N + index) * 7919 % 2**20 + 1 for index in range(N)}])
            for row in range(ROWS)
        ]
        self.statement = self.build()
        opening = core.Opening(N, {index: index * 104729 % 2**40 for index in range(N)}, (7).to_bytes(32, "big"))
        self.commitments = [opening.commitment()]
        self.proof = core.prove(self.statement, [opening], b"")

    def build(self) -> core.Statement:
        return core.Statement(N, 1, 1, self.rows)

    def verify(self, count: int) -> None:
        for _ in range(count):
            core.verify(self.statement, self.commitments, b"", self.proof)

    def be_refused(self, count: int) -> None:
        """Calls that end before any computing: the conversion of arguments, and an exception."""
        short = [commitment[:-1] for commitment in self.commitments]
        for _ in range(count):
            try:
                core.verify(self.statement, short, b"", self.proof)
            except core.CoreError as error:
                if error.code != "POINT_ENCODING":
                    raise


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    started = clock()
    work()
    return clock() - started


def measure(threads: int) -> dict[str, Any]:
    """Medians of rounds in which one thread and several take turns. Milliseconds of the processor's time, unless a key
    says otherwise; the speed-up is one by the clock.
    """
    example = Example()
    example.verify(VERIFICATIONS)
    alone, together, verifying, refused, building = [], [], [], [], []
    with ThreadPoolExecutor(threads) as pool:
        shares = [VERIFICATIONS // threads] * threads
        list(pool.map(example.verify, [1] * threads))
        for _ in range(ROUNDS):
            alone.append(_seconds(lambda: example.verify(sum(shares)), time.perf_counter))
            together.append(_seconds(lambda: list(pool.map(example.verify, shares)), time.perf_counter))
            verifying.append(_seconds(lambda: example.verify(SHORT_CALLS // 10)))
            refused.append(_seconds(lambda: example.be_refused(SHORT_CALLS)))
            building.append(_seconds(example.build))
    verify = statistics.median(verifying) / (SHORT_CALLS // 10)
    held = statistics.median(refused) / SHORT_CALLS
    return {
        "threads": threads,
        "cores": os.cpu_count(),
        "speedup": round(statistics.median(alone) / statistics.median(together), 3),
        "target": TARGET,
        "verify": round(verify * 1e3, 4),
        "lock_held_at_most": round(held * 1e3, 5),
        "lock_held_share_at_most": round(held / verify, 5),
        "building_a_statement": round(statistics.median(building) * 1e3, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="where to write the figures as JSON")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="how many verify together")
    options = parser.parse_args()
    figures = measure(options.threads)
    for key, value in figures.items():
        print(f"{key:28}{value!s:>10}")
    if options.file:
        options.file.parent.mkdir(parents=True, exist_ok=True)
        options.file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
