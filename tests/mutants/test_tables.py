"""The drill's tables stay in step with the code: every deletion they list still deletes something."""

from pathlib import Path

import pytest

from scripts import mutants

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = mutants.load()


def test_every_room_with_checks_has_its_mutants() -> None:
    rooms = {mutant.file.split("/")[0] for mutant in MUTANTS}
    without_checks = {"cli", "proto"}
    assert rooms | without_checks >= {path.parent.name for path in ROOT.glob("*/marginproof")} | {"core"}
    assert len(MUTANTS) > 500


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.table}: {mutant.name}")
def test_a_mutant_changes_its_file_and_names_tests_that_exist(mutant: mutants.Mutant) -> None:
    assert mutant.search != mutant.replace
    if mutant.runner == "pytest":
        assert all((ROOT / name.split("::")[0]).exists() for name in mutant.tests)
