"""Fixtures every room's tests may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of market data and known answers beside the repository; required where CI is set."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs the shared folder beside the repository: {folder}")
        pytest.skip("needs the shared data folder beside the repository (../shared)")
    return folder
