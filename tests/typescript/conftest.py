"""Node, the TypeScript compiler, and the verifier compiled with its tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "client" / "typescript"
COMPILER = ROOT / "node_modules" / "typescript" / "bin" / "tsc"


def _required(tool: str | None, name: str) -> str:
    if tool is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {name}: make install")
        pytest.skip(f"needs {name}: make install")
    return tool


@pytest.fixture(scope="session")
def node() -> str:
    """The program; CI cannot do without it."""
    return _required(shutil.which("node"), "Node.js")


@pytest.fixture(scope="session")
def npm() -> str:
    """The program; CI cannot do without it."""
    return _required(shutil.which("npm"), "npm")


@pytest.fixture(scope="session")
def compiler(node: str) -> list[str]:
    """The TypeScript compiler as a command; CI cannot do without it."""
    return [node, _required(str(COMPILER) if COMPILER.exists() else None, "the npm packages of package-lock.json")]


@pytest.fixture(scope="session")
def built(compiler: list[str]) -> Path:
    """The folder of the compiled tests, made afresh."""
    folder = PACKAGE / "build"
    shutil.rmtree(folder, ignore_errors=True)
    command = [*compiler, "-p", str(PACKAGE / "tsconfig.test.json")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout
    return folder / "test"
