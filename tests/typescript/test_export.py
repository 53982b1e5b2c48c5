"""A saved presentation's argument, handed to the TypeScript verifier."""

import dataclasses
import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from marginproof.model.bundle import PresentationBundle
from marginproof.model.margin import Presentation
from tests.typescript.conftest import PACKAGE
from tests.verifier.world import FILE, NETWORK_ID, World


@pytest.fixture(scope="module")
def export() -> ModuleType:
    """The script of the package's folder."""
    spec = importlib.util.spec_from_file_location("export_claim", PACKAGE / "export_claim.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bundle() -> PresentationBundle:
    world = World.make()
    return PresentationBundle(
        network_id=NETWORK_ID,
        policy=world.policy.source,
        signed_snapshot=world.snapshot.encode(),
        price_report=world.report.encode(),
        registry_record=world.record.encode(),
        presentation=world.present().encode(),
        certificates=tuple(leaf.certificate.encode() for leaf in world.leaves),
    )


def answer(node: str, built: Path, claim: dict[str, Any]) -> dict[str, Any]:
    command = [node, str(built / "answers.js")]
    run = subprocess.run(command, input=json.dumps(claim), capture_output=True, text=True, timeout=120, check=True)
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def test_a_saved_presentation_is_accepted(
    export: ModuleType, bundle: PresentationBundle, node: str, built: Path
) -> None:
    claim = export.claim(FILE, bundle)
    found = answer(node, built, claim)
    assert (found["code"], found["digest"]) == (None, claim["statement_digest"])


def test_one_whose_pledge_is_another_is_refused(
    export: ModuleType, bundle: PresentationBundle, node: str, built: Path
) -> None:
    world = World.make()
    collateral = Presentation.decode(bundle.presentation).leaves[0].leaf.commitment
    pledges = tuple(dataclasses.replace(pledge, commitment=collateral) for pledge in world.record.pledges)
    changed = dataclasses.replace(bundle, registry_record=dataclasses.replace(world.record, pledges=pledges).encode())
    found = answer(node, built, export.claim(FILE, changed))
    assert (found["code"], found["step"]) == ("PROOF_INVALID", 8)
