"""Resident memory of processes that verify and do nothing else; figures in build/bench/memory.json.

Each kind of process is a child of its own that does its work on the known answers and then says how much memory it held
at the peak. The first only verifies: the limit is its own. The second makes the commitments of all openings again, for
which it takes the prover's bases of all sizes; the third is what a venue runs, before its first request.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from marginproof import core

ROOT: Final = Path(__file__).resolve().parent.parent
VECTORS: Final = ROOT / "core" / "vectors"
LIMIT_MEBIBYTES: Final = 120

_PEAK: Final = """
import re
from pathlib import Path
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024)
"""

_VERIFY: Final = f"""
from benches.memory import verify_known_answers
verify_known_answers()
{_PEAK}"""

_COMMAND: Final = f"""
import contextlib, io
from marginproof.cli.main import main
for name in ("frozen", "linear-range"):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main(["vectors", "check", "{VECTORS}/" + name + ".json"])
    except SystemExit as ended:
        assert not ended.code, f"{{name}} did not pass"
{_PEAK}"""

_SERVICE: Final = f"""
import marginproof.verifier.service
{_PEAK}"""

PROCESSES: Final = {
    "core": ("import marginproof.core; verify all known answers", _VERIFY),
    "command": ("marginproof vectors check, which commits to all openings", _COMMAND),
    "service": ("a venue's service, loaded", _SERVICE),
}
ONLY_VERIFIES: Final = "core"


def verify_known_answers() -> int:
    """Verifies every accepted case; the number of them."""
    accepted = 0
    for path in sorted(VECTORS.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            if case["valid"]:
                commitments = [bytes.fromhex(text) for text in case["commitments"]]
                context, proof = bytes.fromhex(case["context"]), bytes.fromhex(case["proof"])
                core.verify(_statement(case), commitments, context, proof)
                accepted += 1
    return accepted


def _statement(case: dict[str, Any]) -> core.Statement:
    def row(raw: dict[str, Any]) -> core.Row:
        weights = [{int(index): int(weight, 16) for index, weight in terms.items()} for terms in raw["weights"]]
        return core.Row(raw["bits"], int(raw["constant"], 16), weights)

    return core.Statement(case["n"], case["vectors"], case["inputs"], [row(raw) for raw in case["rows"]])


def peak_mebibytes(kind: str) -> float:
    """What a process of this kind held at its peak, in MiB."""
    _, program = PROCESSES[kind]
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"the process that is measured ended with {run.returncode}:\n{run.stderr}")
    return float(run.stdout)


def measure() -> dict[str, Any]:
    """{kind: MiB} with the limit."""
    peaks = {kind: round(peak_mebibytes(kind), 1) for kind in PROCESSES}
    return {
        "peak_mebibytes": peaks,
        "limit_mebibytes": LIMIT_MEBIBYTES,
        "what": {k: v[0] for k, v in PROCESSES.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="where to write the figures as JSON")
    options = parser.parse_args()
    figures = measure()
    for kind, peak in figures["peak_mebibytes"].items():
        bound = f"limit {LIMIT_MEBIBYTES}" if kind == ONLY_VERIFIES else ""
        print(f"{figures['what'][kind]:60}{peak:8.1f} MiB  {bound}".rstrip())
    if options.file:
        options.file.parent.mkdir(parents=True, exist_ok=True)
        options.file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
