"""Makes docs/performance.md and its pictures from docs/performance.json.

``--collect`` first gathers that file from what `make bench` left in build/bench. A test makes page and pictures again
and compares: nothing in them is written by hand.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from benches.charts import Chart, Curve

ROOT: Final = Path(__file__).resolve().parent.parent
FIGURES: Final = ROOT / "build" / "bench"
DOCUMENT: Final = ROOT / "docs" / "performance.json"
PAGE: Final = ROOT / "docs" / "performance.md"
PICTURES: Final = ROOT / "docs" / "images"
SOURCES: Final = {
    "core": "core.json",
    "sweep": "core-sweep.json",
    "memory": "memory.json",
    "threads": "threads.json",
    "typescript": "typescript.json",
}
ENGINES: Final = ("scalar", "vector")

Figures = dict[str, Any]
"""What docs/performance.json holds: one document for each bench."""


def collect() -> Figures:
    """What the benches left; a missing file is named with the command that makes it."""
    figures = {}
    for name, file in SOURCES.items():
        if not (FIGURES / file).exists():
            raise SystemExit(f"build/bench/{file} is missing; run `make bench` first")
        figures[name] = json.loads((FIGURES / file).read_text(encoding="utf-8"))
    return figures


# -- pictures ---------------------------------------------------------------------------------------------------------


def pictures(figures: Figures) -> dict[str, str]:
    """SVG by file name."""
    sweep = figures["sweep"]
    charts = {
        "cost-n.svg": _cost(sweep["n"], "Cost against the length of vectors", "entries of a vector, n"),
        "cost-rows.svg": _cost(sweep["rows"], "Cost against rows, n = 256", "rows, each weighing all entries"),
        "cost-columns.svg": _cost(
            sweep["columns"], "Cost against digit columns, n = 256", "digit columns, 32 values of 64 bits each", False
        ),
        "cost-batch.svg": _batch(sweep["batch"]),
    }
    return {name: chart.svg() for name, chart in charts.items()}


def _cost(swept: Figures, title: str, along: str, doubling: bool = True) -> Chart:
    curves = [
        Curve(f"{task}, {engine}", swept[task][engine], colour, dashed=engine == "scalar")
        for colour, task in enumerate(("prove", "verify"))
        for engine in ENGINES
        if engine in swept[task]
    ]
    return Chart(title, along, "milliseconds, one core", swept["axis"], curves, doubling)


def _batch(swept: Figures) -> Chart:
    ours = [
        Curve(f"{engine} engine", swept["each"][engine], 0, dashed=engine == "scalar")
        for engine in ENGINES
        if engine in swept["each"]
    ]
    curves = [*ours, Curve("Bulletproofs+ (Tari)", swept["tari"], 2)]
    return Chart("Verifying together", "proofs in a batch", "milliseconds for each proof", swept["axis"], curves)


# -- tables -----------------------------------------------------------------------------------------------------------

NAMES: Final = {
    "prove": "prove, the check of the own proof included",
    "prove_without_check": "prove, without that check",
    "verify": "verify, all decoding and subgroup checks included",
    "verify_batch64_each": "verify, each in a batch of 64",
    "prove_2048x64": "prove 2048 values of 64 bits, all cores",
    "verify_2048x64": "verify that",
    "proof_bytes": "proof, bytes",
    "table_mib": "prepared bases for n = 256, MiB",
    "ratio_prove": "prove: times as fast as Bulletproofs",
    "ratio_verify": "verify: times as fast as Bulletproofs",
    "ratio_batch_vs_dalek": "each in a batch of 64: times as fast as Bulletproofs",
    "ratio_batch_vs_tari": "each in a batch of 64: times as fast as Bulletproofs+ in such a batch",
}
PEERS: Final = (
    ("Bulletproofs (dalek), prove", "core", "dalek_prove"),
    ("Bulletproofs (dalek), verify", "core", "dalek_verify"),
    ("Bulletproofs+ (Tari), prove", "peers", "tari_prove"),
    ("Bulletproofs+ (Tari), verify alone", "peers", "tari_verify"),
    ("Bulletproofs+ (Tari), verify, each in a batch of 64", "core", "tari_batch64_each"),
    ("Bulletproofs (dalek), proof, bytes", "peers", "dalek_bytes"),
    ("Bulletproofs+ (Tari), proof, bytes", "peers", "tari_bytes"),
)
CORES: Final = (
    ("prove", "prove_all_cores", "prove"),
    ("verify, each in a batch of 64", "verify_batch64_each_all_cores", "verify_batch64_each"),
    ("prove 2048 values of 64 bits", "prove_2048x64", "prove_2048x64_one_core"),
)
"""What, its key on all cores, its key on one core."""
PARTS: Final = {
    "decoding": "decompression and subgroup checks",
    "hashing": "hashing of the transcript",
    "sums": "multi-scalar multiplication",
    "pairing": "pairing check",
    "input commitments": "committing to the inputs again",
    "commitments": "commitments to the proof's polynomials",
    "blinding": "their blindings, in constant time",
    "transforms": "transforms for the quotient",
    "own check": "the check of the own proof",
    "rest": "rest: field arithmetic (Lagrange values, inner products, inversions), randomness, encoding",
    "whole": "**together**",
}


def figure_table(core: Figures) -> str:
    """Each figure of both engines, with the target that bounds it."""
    lines = ["| figure | scalar engine | must | vector engine | aim |", "| --- | ---: | --- | ---: | --- |"]
    for key, name in NAMES.items():
        target = core["targets"].get(key, {})
        cells = []
        for engine, kind in zip(ENGINES, ("must", "aim"), strict=True):
            judged = target.get(kind)
            cells.append(_number(core[engine][key]) if core[engine] else "–")
            cells.append(f"{judged['bound']}: {judged['verdict']}" if judged else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def peer_table(core: Figures) -> str:
    """What the peers took in the same run."""
    lines = ["| peer, 16 values of 64 bits | |", "| --- | ---: |"]
    for name, where, key in PEERS:
        lines.append(f"| {name} | {_number(core[key] if where == 'core' else core['peers'][key])} |")
    return "\n".join(lines)


def part_table(core: Figures, wholes: tuple[str, ...], heads: tuple[str, ...]) -> str:
    """Pieces of one or more wholes, a column for each whole and engine."""
    engines = [engine for engine in ENGINES if engine in core["parts"]]
    columns = [dict(core["parts"][engine][whole]) for whole in wholes for engine in engines]
    titles = [f"{head}, {engine}" for head in heads for engine in engines]
    lines = [f"| ms | {' | '.join(titles)} |", "| --- |" + " ---: |" * len(columns)]
    lines += [f"| {PARTS[part]} | {' | '.join(_number(c[part]) for c in columns)} |" for part in columns[0]]
    return "\n".join(lines)


def core_table(core: Figures) -> str:
    """What more cores gain."""
    engines = [engine for engine in ENGINES if core[engine]]
    columns = [(engine, core[engine] | core["other_cores"][engine]) for engine in engines]
    titles = [f"{engine}, {where}" for engine in engines for where in ("one core", "all cores")]
    lines = [f"| ms | {' | '.join(titles)} |", "| --- |" + " ---: |" * len(titles)]
    for name, everywhere, alone in CORES:
        cells = [_number(figures[key]) for _, figures in columns for key in (alone, everywhere)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def memory_table(memory: Figures) -> str:
    """Peaks of processes."""
    lines = ["| process | MiB at the peak |", "| --- | ---: |"]
    lines += [f"| {memory['what'][kind]} | {peak:.0f} |" for kind, peak in memory["peak_mebibytes"].items()]
    return "\n".join(lines)


def typescript_table(typescript: Figures) -> str:
    """Milliseconds of the parts, a column for each statement."""
    cases = typescript["figures"]
    lines = [f"| ms | {' | '.join(cases)} |", "| --- |" + " ---: |" * len(cases)]
    parts = next(iter(cases.values()))
    lines += [f"| {part} | {' | '.join(str(case[part]) for case in cases.values())} |" for part in parts]
    return "\n".join(lines)


def _speed_up(threads: Figures) -> str:
    return (
        f"{threads['threads']} threads on {threads['cores']} cores together are {threads['speedup']:.2f} times as fast "
        f"as one of them (asked for: {threads['target']})."
    )


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


# -- the page ---------------------------------------------------------------------------------------------------------


TEXT: Final = """# Performance

Made by `make plots` ([benches/plot_core.py](../benches/plot_core.py)) from [performance.json](performance.json); do
not edit it by hand.

Measured on {cpu} ({family_model}), {cores} cores, {system}.

## Beside range proofs of other hands

Sixteen rows of 96 bits, each weighing every one of 256 entries, against sixteen values of 64 bits in one proof of
`bulletproofs` (dalek) or `tari_bulletproofs_plus`; medians of {rounds}, milliseconds unless named. All tasks run in
turns in one process, each after a call of its own that is not counted. What runs on one core is measured in processor
time, so that waiting for other programs does not count; the 2048 values of 64 bits run on all cores ({threads}) and
are measured by the clock. Versions are pinned and all sides are compiled with default flags; the peers choose their
own vector code at run time.

The examples flatter nobody: digits are uniform, so none is zero by design; proofs of a batch are about different
commitments; a verification starts from bytes and ends with a verdict. Statements are prepared: a policy snapshot's
rows are analysed and hashed once ({preparing} ms for these sixteen) and serve thousands of verifications.

{figures}

"Must" is what the project asks of any processor; "aim", of one with AVX-512 IFMA, where the vector engine runs.
`MARGINPROOF_VECTOR_FIELD=off` switches that engine off.

{peers}

## Where the time goes

Pieces alone, of the sizes that the argument fixes; what a whole takes beyond them is its rest.

{parts_of_verifying}

Every point that arrives costs a square root and a subgroup check, and none can be left out (a point of order 3 would
give a second encoding of the same proof). A proof verified alone pays for a whole pairing check; a batch shares it,
and what is left is decoding and one long sum.

{parts_of_proving}

## What cost depends on

Verification hardly depends on n: only the Lagrange values at one point and the inner products with the rows do.

![Cost against the length of vectors](images/cost-n.svg)

Rows cost inner products for the verifier, and for the prover what their digits cost.

![Cost against rows](images/cost-rows.svg)

Each digit column adds two points and a number to the proof: two more commitments to make, two more points to decode.

![Cost against digit columns](images/cost-columns.svg)

A batch of any mix of statements is one pairing check and one sum; a batch of one takes what a proof alone takes.

![Verifying together](images/cost-batch.svg)

## Cores

Large work (n ≥ 1024, batches of 32 and more) takes all cores unless a limit of threads is given; here the same work on
one core, in processor time, and on all of this machine's, by the clock.

{cores_table}

Python threads verify in parallel, because the core gives the interpreter's lock back while it computes:
{speed_up}

## Memory

A process that only verifies makes none of the prover's bases and stays below {memory_limit} MiB.

{memory}

## In browsers and Node

The TypeScript verifier in Node {node}, processor time; {typescript_limit} ms is what it may take.

{typescript}

## Run it yourself

```sh
make bench    # everything below, and gas; figures go to build/bench
make plots    # this page and its pictures from them
```

`make bench-core`, `bench-sweep`, `bench-threads`, `bench-memory` and `bench-typescript` do their part alone. Figures
are no tests: a missed target is named and nothing fails. Close what else the machine does, and compare ratios of one
run rather than milliseconds of two.
"""


def page(figures: Figures) -> str:
    """docs/performance.md."""
    core, memory, typescript = figures["core"], figures["memory"], figures["typescript"]
    return TEXT.format(
        **core["machine"],
        rounds=core["rounds"],
        threads=core["threads"],
        preparing=_number(core["prepare_statement"]),
        figures=figure_table(core),
        peers=peer_table(core),
        parts_of_verifying=part_table(core, ("verify", "batch"), ("alone", "each of 64")),
        parts_of_proving=part_table(core, ("prove",), ("prove",)),
        cores_table=core_table(core),
        speed_up=_speed_up(figures["threads"]),
        memory=memory_table(memory),
        memory_limit=memory["limit_mebibytes"],
        node=typescript["node"],
        typescript_limit=typescript["limit"],
        typescript=typescript_table(typescript),
    )


def write(figures: Figures) -> None:
    """Page and pictures."""
    PAGE.write_text(page(figures), encoding="utf-8")
    for name, svg in pictures(figures).items():
        (PICTURES / name).write_text(svg, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collect", action="store_true", help="take the figures of the last runs from build/bench")
    if parser.parse_args().collect:
        DOCUMENT.write_text(json.dumps(collect(), indent=1) + "\n", encoding="utf-8")
    write(json.loads(DOCUMENT.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
