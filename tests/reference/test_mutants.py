"""The drill's table stays in step with the code, so that every deletion it lists still deletes something."""

import importlib.util
from types import ModuleType

import pytest

from tests.reference.known_answers import ROOT


@pytest.fixture(scope="module")
def drill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "reference" / "scripts" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_mutant_still_applies(drill: ModuleType) -> None:
    assert len(drill.MUTANTS) > 60
    for mutant in drill.MUTANTS:
        assert mutant.replace in drill.mutated(mutant)
        assert (ROOT / "tests" / "reference" / f"{mutant.tests}.py").is_file()
