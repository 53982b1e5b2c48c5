"""A missing tool is named with what to install; the Makefile's help lists what can be made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL = shutil.which("sh") or "/bin/sh"


def _require(path: str, *tools: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SHELL, str(ROOT / "scripts" / "require-tools"), *tools],
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(("tool", "named"), [("python", "Python 3.11"), ("rust", "Rust"), ("node", "Node.js")])
def test_a_missing_tool_is_named_with_what_to_do(tmp_path: Path, tool: str, named: str) -> None:
    run = _require(str(tmp_path), tool)
    assert run.returncode == 1
    assert named in run.stderr
    assert "install" in run.stderr


def test_all_missing_tools_are_named_at_once(tmp_path: Path) -> None:
    lines = _require(str(tmp_path), "python", "rust", "node").stderr.splitlines()
    assert len(lines) == 3


def test_an_older_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    run = _require(f"{tmp_path}:/bin:/usr/bin", "python", PYTHON=str(old))
    assert run.returncode == 1
    assert "older" in run.stderr


def test_what_is_there_is_found() -> None:
    assert _require(os.environ["PATH"], "python", "rust", "node").returncode == 0


def test_make_help_lists_the_commands() -> None:
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    for target in ("demo", "test", "check", "bench", "help"):
        assert f"\n{target} " in "\n" + run.stdout
