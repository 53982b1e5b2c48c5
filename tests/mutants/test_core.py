"""What cargo-mutants leaves out of the core has a written reason, and little of it there is."""

import tomllib

import pytest

from scripts import mutants_core

TEXT = mutants_core.CONFIGURATION.read_text()
CONFIGURATION = tomllib.loads(TEXT)


def test_the_verifier_the_transcript_the_statement_checks_and_the_decoders_are_changed() -> None:
    globs = " ".join(CONFIGURATION["examine_globs"])
    decoders = ("proof", "integer", "g1", "g2", "scalar", "signatures")
    assert all(name in globs for name in (*mutants_core.WITHOUT_EXCEPTION, *decoders))


def test_every_exclusion_has_its_reason_above_it() -> None:
    lines = [line.strip() for line in TEXT.splitlines()]
    for pattern in CONFIGURATION.get("exclude_re", []):
        at = next(number for number, line in enumerate(lines) if pattern in line.replace("\\\\", "\\"))
        assert lines[at - 1].startswith("# ")


@pytest.mark.parametrize(
    ("left_out", "faults"),
    [
        (["crates/argument/src/verifier.rs:1:1: replace + with -"], 1),
        (["crates/argument/src/statement.rs:1:1: delete !"], 1),
        (["crates/curve/src/scalar.rs:0:1: other"], 0),
        ([f"crates/curve/src/scalar.rs:{line}:1: other" for line in range(3)], 1),
    ],
)
def test_equations_are_never_left_out_and_others_seldom(left_out: list[str], faults: int) -> None:
    others = [f"crates/curve/src/scalar.rs:{line}:1: other" for line in range(100)]
    kept = [change for change in others if change not in left_out]
    assert len(mutants_core.faults_of_exclusions([*kept, *left_out], kept)) == faults
