"""Deletes each check of the specification in turn and shows that a test goes red.

Usage: python reference/scripts/mutants.py [WORD]   (only mutants whose text contains WORD)

Works on a copy of the package in a temporary folder; the tree itself is never changed. Exit code 1 names survivors.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("marginproof") / "reference"


@dataclass(frozen=True)
class Mutant:
    """One deletion.

    Args:
        module: The module's name.
        search: Text that occurs exactly once in it.
        replace: What stands there instead.
        tests: The test module that must go red.
    """

    module: str
    search: str
    replace: str
    tests: str


def _never(module: str, tests: str, *conditions: str) -> list[Mutant]:
    """Mutants in which a refusing condition never holds."""
    return [Mutant(module, f"if {condition}:", "if False:", tests) for condition in conditions]


def _rules(kind: str, *conditions: str) -> list[Mutant]:
    """Mutants in which a rule of the statement always holds."""
    return [Mutant("statement", f"{kind}({rule},", f"{kind}(True,", "test_statement") for rule in conditions]


def _dropped(module: str, tests: str, *calls: str) -> list[Mutant]:
    """Mutants in which a call is left out."""
    return [Mutant(module, f"{call}\n", "pass\n", tests) for call in calls]


_ON_CURVE_ONLY = "__import__('marginproof.reference.curve', fromlist=['curve']).decode_curve_point"
"""Decoding without the subgroup check."""

MUTANTS: list[Mutant] = [
    *_never(
        "curve",
        "test_encoding",
        "len(data) != POINT_BYTES",
        "not number & _COMPRESSED",
        "number == _COMPRESSED | _INFINITY",
        "number & _INFINITY",
        "x >= field_modulus",
        "y * y % field_modulus != square",
        "not is_inf(multiply(point, MODULUS))",
    ),
    *_never("setting", "test_encoding", "len(data) != SETUP_BYTES or hashlib.sha256(data).digest() != SETUP_DIGEST"),
    *_rules(
        "_require_shape",
        "statement.n in DOMAIN_SIZES",
        "1 <= statement.inputs <= statement.vectors",
        "statement.n * statement.vectors <= MAX_CELLS",
        "bool(statement.rows)",
        "row.bits in ROW_BITS",
        "len(row.weights) == statement.vectors",
        "statement.columns <= MAX_COLUMNS",
        "all(0 <= index < statement.n for index in indices)",
    ),
    *_rules(
        "_require_canonical",
        "all(a < b for a, b in pairwise(indices))",
        "all(weight != 0 for _, weight in sparse)",
    ),
    *_never(
        "intervals",
        "test_statement",
        "any(abs(weight) >= WEIGHT_LIMIT for _, _, weight in _terms(row))",
        "abs(row.constant) >= CONSTANT_LIMIT",
        "vector >= statement.inputs and (vector, index) not in bounds",
        "abs(weight) != 1",
        "bound >= WRAP_LIMIT",
    ),
    Mutant("intervals", "if len(unbound) != 1:", "if not unbound:", "test_statement"),
    *_dropped(
        "intervals",
        "test_statement",
        "_check_sizes(number, row)",
        "_check_bound(number, row_bound(row, statement.inputs, bounds))",
        "_check_bound(number, bound)",
    ),
    *_never("proof", "test_verifier", "len(data) != expected", "any(scalar >= MODULUS for scalar in scalars)"),
    *_never(
        "verifier",
        "test_verifier",
        "len(commitments) != statement.inputs",
        "pow(z, n, MODULUS) == 1",
        "not pairings_agree(left_side, setup.tau_g2, right_side, G2_GENERATOR)",
    ),
    *_dropped(
        "verifier",
        "test_statement",
        "check_shape(statement)",
        "check_canonical(statement)",
        "check_intervals(statement)",
    ),
    *_dropped(
        "verifier",
        "test_verifier",
        "check_scalars(proof.scalars)",
        "check_outside_domain(statement.n, drawn.z)",
        "check_pairing(setup, points, drawn.u, right_side)",
    ),
    Mutant("verifier", "[decode_point(encoded) for", f"[{_ON_CURVE_ONLY}(encoded) for", "test_verifier"),
    Mutant("verifier", "[decode_point(commitment) for", f"[{_ON_CURVE_ONLY}(commitment) for", "test_verifier"),
    *_dropped(
        "transcript",
        "test_known_answers",
        'self._transcript.absorb(b"setup", setup_digest)',
        'self._transcript.absorb(b"statement", statement_digest)',
        'self._transcript.absorb(b"context", context)',
    ),
    *_dropped(
        "transcript",
        "test_transcript",
        'self._absorb_all(b"commitment", commitments)',
        'self._absorb_all(b"d", digits)',
        'self._transcript.absorb(b"m", multiplicities)',
        'self._absorb_all(b"phi", inverses)',
        'self._transcript.absorb(b"phi_t", table_inverse)',
        'self._transcript.absorb(b"acc", accumulator)',
        'self._transcript.absorb(b"q", quotient)',
        'self._absorb_all(b"d(z)", [value.to_bytes(SCALAR_BYTES, "big") for value in digit_evaluations])',
        'self._transcript.absorb(b"acc(wz)", accumulator_evaluation.to_bytes(SCALAR_BYTES, "big"))',
        'self._transcript.absorb(b"W_z", opening_at_z)',
        'self._transcript.absorb(b"W_wz", opening_at_next)',
    ),
    *_never(
        "witness",
        "test_prover",
        "len(openings) != statement.vectors",
        "outside or too_large",
        "not 0 <= value < 1 << row.bits",
    ),
    Mutant("witness", "if outside or too_large:", "if outside:", "test_prover"),
    Mutant("witness", "if outside or too_large:", "if too_large:", "test_prover"),
    Mutant("witness", "if not 0 <= value < 1 << row.bits:", "if value >= 1 << row.bits:", "test_prover"),
    Mutant("witness", "if not 0 <= value < 1 << row.bits:", "if value < 0:", "test_prover"),
    *_never("prover", "test_prover", "self.beta < TABLE_SIZE", "pow(z, self.n, MODULUS) == 1"),
    *_dropped(
        "prover",
        "test_prover",
        "verify(setup, statement, commitments[: statement.inputs], context, encoded)",
        "check_statement(statement)",
        "check_rows(statement, values)",
    ),
    *_never("polynomial", "test_polynomial", "any(remainder[:n])", "value"),
]


def mutated(mutant: Mutant) -> str:
    """The module's text with the check deleted; raises ValueError unless the text searched for is there once."""
    source = (ROOT / "reference" / PACKAGE / f"{mutant.module}.py").read_text(encoding="utf-8")
    if source.count(mutant.search) != 1:
        raise ValueError(f"{mutant.module}: {mutant.search!r} occurs {source.count(mutant.search)} times")
    return source.replace(mutant.search, mutant.replace)


def survives(mutant: Mutant) -> bool:
    """Whether the tests stay green without the check."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "reference" / PACKAGE, Path(folder) / PACKAGE)
        (Path(folder) / PACKAGE / f"{mutant.module}.py").write_text(mutated(mutant), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        result = subprocess.run(  # noqa: S603 - our own interpreter and tests
            [*command, f"tests/reference/{mutant.tests}.py"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode not in (0, 1):
        raise RuntimeError(f"pytest did not run: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.returncode == 0


def main() -> int:
    """Runs the drill and reports on standard output."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutant for mutant in MUTANTS if word in f"{mutant.module} {mutant.search}"]
    alive = 0
    for mutant in chosen:
        lives = survives(mutant)
        alive += lives
        sys.stdout.write(f"{'SURVIVES' if lives else 'killed'}  {mutant.module}: {mutant.search.strip()}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - alive} of {len(chosen)} killed\n")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
