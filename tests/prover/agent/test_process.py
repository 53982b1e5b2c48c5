"""``marginproof account watch`` as a process: event lines, signals, exit codes, one process per account."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from marginproof.model.network_file import dump_network_file
from marginproof.node.tls import ServerIdentity
from tests.prover.world import PASSWORD, VENUE, make_account, network_file

COMMAND = [sys.executable, "-m", "marginproof.cli.main"]
OF = "0x" + VENUE.hex()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An agent of an account whose venue and relayers nobody serves."""
    certificate = ServerIdentity.load_or_create(tmp_path / "tls").certificate_pem
    nobody = ("127.0.0.1:1", certificate)
    network = network_file(relayers=[nobody] * 3, venue=nobody)
    (tmp_path / "network.yaml").write_bytes(dump_network_file(network))
    make_account(tmp_path / "account", network).close()
    (tmp_path / "password").write_text(PASSWORD)
    document = {
        "apiVersion": "marginproof/agent/v1",
        "network": "network.yaml",
        "account": "account",
        "password_file": "password",
        "venues": [{"address": OF}],
        "metrics_listen": "127.0.0.1:0",
        "timeout_seconds": 0.5,
    }
    path = tmp_path / "agent.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def watching(config: Path) -> "Iterator[subprocess.Popen[str]]":
    arguments = [*COMMAND, "--json", "account", "watch", "--config", str(config)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_runs_until_sigterm_and_says_what_happens(watching: "subprocess.Popen[str]", config: Path) -> None:
    assert watching.stdout is not None
    assert watching.stderr is not None
    events = []
    for line in watching.stdout:
        events.append(json.loads(line))
        if events[-1]["event"] == "trouble" and "venue" in events[-1]:
            break
    assert events[0]["event"] == "started"
    assert (events[-1]["code"], events[-1]["venue"]) == ("UNAVAILABLE", OF)
    assert {event["schema"] for event in events} == {"marginproof/agent-event/v1"}

    other = run(
        "account",
        "status",
        "--offline",
        "--account",
        str(config.parent / "account"),
        "--network",
        str(config.parent / "network.yaml"),
        "--password-file",
        str(config.parent / "password"),
    )
    assert other.returncode == 3
    assert "STORE_LOCKED" in other.stderr
    assert "marginproof account watch" in other.stderr

    watching.send_signal(signal.SIGTERM)
    rest, log = watching.communicate(timeout=30)
    assert watching.returncode == 0
    assert json.loads(rest.splitlines()[-1])["event"] == "stopped"
    assert {"started", "trouble", "stopped"} <= {json.loads(line)["event"] for line in log.splitlines()}


def test_one_round_has_an_honest_exit_code(config: Path) -> None:
    ended = run("--json", "account", "watch", "--config", str(config), "--once")
    assert ended.returncode == 20
    document = json.loads(ended.stdout)
    assert document["schema"] == "marginproof/account-watch/v1"
    assert document["venues"] == [{"venue": OF, "level": None, "state": None, "trouble": "UNAVAILABLE"}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"venues": [{"address": "0x" + "77" * 20}]}, "NOT_FOUND"),
        ({"webhook": {"url_file": "absent", "secret_file": "absent"}}, "FILE_UNREADABLE"),
        ({"poll_seconds": -1}, "CONFIG_INVALID"),
    ],
)
def test_what_cannot_work_is_told_at_the_start(config: Path, change: dict[str, object], code: str) -> None:
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | change))
    ended = run("account", "watch", "--config", str(config), "--once")
    assert ended.returncode in (2, 3)
    assert code in ended.stderr
