"""The page of reason codes and the venue's guide say what the code says."""

import subprocess
import sys
from pathlib import Path

import yaml

from marginproof.model.reasons import ReasonCode
from marginproof.verifier.config import parse_config
from marginproof.verifier.procedure import STEP_REASONS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_of_reason_codes_is_current() -> None:
    """Red after a new ReasonCode: add its row to docs/reason_codes.yaml and run docs/generate_reference.py."""
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate_reference.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr or "run: python docs/generate_reference.py"


def test_every_code_is_described_once() -> None:
    groups = yaml.safe_load((DOCS / "reason_codes.yaml").read_text())
    codes = [code for rows in groups.values() for code in rows]
    assert sorted(codes) == sorted(ReasonCode)


def test_the_guides_configuration_works() -> None:
    text = (DOCS / "venues.md").read_text()
    block = text.split("```yaml", 1)[1].split("```", 1)[0]
    config = parse_config(block.encode(), DOCS)
    assert config.certificate_grace_seconds == 60


def test_the_guide_names_every_reason_of_the_procedure() -> None:
    text = (DOCS / "venues.md").read_text()
    missing = [reason for reasons in STEP_REASONS.values() for reason in reasons if f"`{reason}`" not in text]
    assert missing == []
