"""The drill's tables stay in step with the code: every deletion they list still deletes something."""

from pathlib import Path

import pytest

from scripts import mutants

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = mutants.load()


def test_every_room_with_checks_has_a_table() -> None:
    tables = {mutant.table for mutant in MUTANTS}
    assert {"model", "core", "reference", "contracts", "chains", "attestation", "relayers", "prover", "venue"} <= tables
    assert len(MUTANTS) > 250


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.table}: {mutant.name}")
def test_a_mutant_changes_its_file_and_names_tests_that_exist(mutant: mutants.Mutant) -> None:
    assert mutant.search != mutant.replace
    if mutant.runner == "pytest":
        assert all((ROOT / name.split("::")[0]).exists() for name in mutant.tests)
