"""docs/networks.md: its shell blocks give a running network, as they stand."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from marginproof.chains.evm.devnet import find_anvil, free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
NODES = 5
_END = "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def free_range(count: int) -> int:
    """The first of as many ports in a row that are free at this moment."""
    for _ in range(64):
        first = free_port(("127.0.0.1",))
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    # As servers do: a port whose last connection has just ended is free.
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first
    raise AssertionError("no ports are free")


def test_the_page_gives_a_running_network(tmp_path: Path) -> None:
    *made, doctor = blocks()
    assert "network doctor" in doctor
    wait = "until marginproof network doctor --rpc-file rpc.txt --json > doctor.json; do sleep 1; done\n"
    script = "set -euo pipefail\n" + _END + "\n".join(made) + f"\ntimeout 150 bash -c '{wait}'\n"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MARGINPROOF_")} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANVIL": str(find_anvil()),
        "HOME_PORT": str(free_port(("127.0.0.1",))),
        "SECOND_PORT": str(free_port(("127.0.0.1",))),
        "NODE_PORT": str(free_range(NODES)),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, err = process.communicate(timeout=280)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    report = tmp_path / "devnet" / "doctor.json"
    checks = json.loads(report.read_text())["checks"] if report.exists() and report.stat().st_size else []
    assert process.returncode == 0, (err[-2000:], [check for check in checks if check["outcome"] != "pass"])
    assert {check["outcome"] for check in checks} == {"pass"}
    assert len(checks) >= 20
    assert "sent before" in err
    assert (tmp_path / "config" / "marginproof" / "network.yaml").exists()


@pytest.mark.parametrize("word", ["certificate_seconds", "announced N ahead", "network join"])
def test_the_page_says_what_it_must(word: str) -> None:
    assert word in PAGE.read_text()
