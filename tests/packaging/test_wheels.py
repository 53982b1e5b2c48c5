"""Both wheels, as a user gets them: they share one namespace and hold every module, stub and data file."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/marginproof") if path.parent.name != "proto")
IMPORT_ALL = """
import importlib, pkgutil, sys
target = sys.argv[1]
sys.path[:0] = [target]
sys.path.append(sys.argv[2])
import marginproof
marginproof.__path__ = [path for path in marginproof.__path__ if path.startswith(target)]
names = [module.name for module in pkgutil.walk_packages(marginproof.__path__, "marginproof.")]
for name in names:
    module = importlib.import_module(name)
    assert (module.__file__ or target).startswith(target), (name, module.__file__)
print(len(names), "modules")
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT / "core", ROOT):
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        # pip finds the build tools of this environment on the path.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = [*build, "--wheel-dir", str(folder), str(project)]
        subprocess.run(command, check=True, timeout=600, env={**os.environ, "PATH": path})
    return sorted(folder.glob("*.whl"))


def test_the_wheels_import_side_by_side_without_the_tree(wheels: list[Path], tmp_path: Path) -> None:
    assert [wheel.name.split("-")[0] for wheel in wheels] == ["marginproof", "marginproof_core"]
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*install, *map(str, wheels)], check=True, timeout=300)
    # -S leaves out the editable tree; the third-party packages are put on the path by name.
    command = [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(target), sysconfig.get_path("purelib")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[0]) > 100


def features_of_the_argument(package: str, edges: str) -> str:
    """Who asks for the crate and with which features, in cargo's own words."""
    command = ["cargo", "tree", "--locked", "--invert", "argument", "--package", package, "--edges", edges]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT / "core")
    return run.stdout


def test_the_wheel_holds_no_seeded_prover() -> None:
    """Only the argument's own tests have the feature on."""
    assert 'feature "default"' in features_of_the_argument("python", "normal,features")
    assert "seeded" not in features_of_the_argument("python", "normal,features")
    assert "seeded" in features_of_the_argument("argument", "normal,dev,features")


def test_every_portion_is_typed_and_complete(wheels: list[Path]) -> None:
    pure = set(zipfile.ZipFile(wheels[0]).namelist())
    core = set(zipfile.ZipFile(wheels[1]).namelist())
    for room in ROOMS:
        assert f"marginproof/{room}/py.typed" in pure
    assert {"marginproof/core/py.typed", "marginproof/core/_native.pyi"} <= core
    assert "marginproof/__init__.py" not in pure | core
    tracked = subprocess.run(
        ["git", "ls-files", *(f"{room}/marginproof" for room in ROOMS)], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip
    missing = {name.split("/", 1)[1] for name in tracked} - pure
    assert missing == set()
    assert any(name.endswith("licenses/LICENSE-MIT") for name in pure)


def test_the_core_wheel_serves_every_python_from_3_11_on(wheels: list[Path]) -> None:
    assert "-cp311-abi3-" in wheels[1].name
    assert "-py3-none-any" in wheels[0].name
