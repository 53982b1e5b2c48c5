"""One demo run, kept alive, that all end-to-end tests look at."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
_STORY_SECONDS = 280
_END_SECONDS = 30


@dataclasses.dataclass
class DemoRun:
    """A demo that has played its story and keeps its network running."""

    directory: Path
    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    def environment(self) -> dict[str, str]:
        """The variables that the demo tells its user to set, and its command on the path."""
        variables = dict(os.environ)
        for line in (self.directory / "environment").read_text().splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            variables[name] = value.strip("'")
        variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
        return variables

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Runs a shell command as the demo's user would in the project's folder."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def start_demo(directory: Path, *options: str) -> tuple[subprocess.Popen[bytes], Path, Path]:
    """Starts the demo command with its output in files beside the directory."""
    stdout, stderr = directory.with_suffix(".out"), directory.with_suffix(".err")
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "marginproof.cli.main", "--json", "demo", "--directory", str(directory), *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    return process, stdout, stderr


def end_demo(process: subprocess.Popen[bytes], number: int = signal.SIGINT) -> int:
    """Ends it as Ctrl-C would; gives the exit code. Every process it started must be gone."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if process.poll() is None:
        process.send_signal(number)
    try:
        code = process.wait(_END_SECONDS)
    finally:
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=5)
    for child in alive:
        child.kill()
    assert alive == [], f"left running: {alive}"
    return code


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    directory = tmp_path_factory.mktemp("demo") / "run"
    process, stdout, stderr = start_demo(directory, "--keep")
    try:
        deadline = time.monotonic() + _STORY_SECONDS
        while not (directory / "environment").exists():
            assert process.poll() is None, f"the demo ended early:\n{stderr.read_text()[-4000:]}"
            assert time.monotonic() < deadline, f"the demo takes too long:\n{stderr.read_text()[-4000:]}"
            time.sleep(0.5)
        yield DemoRun(directory, process, stdout, stderr)
    finally:
        end_demo(process)


@pytest.fixture(scope="session")
def record(demo: DemoRun) -> dict[str, Any]:
    """The demo's record, as `--json` gives it."""
    document = json.loads((demo.directory / "record.json").read_text())
    assert isinstance(document, dict)
    return document
