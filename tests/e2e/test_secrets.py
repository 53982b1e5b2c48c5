"""No secret of a demo run stands in any of its outputs.

The secrets are read from the run itself (its keystores are opened with its password) and looked for in every file that
it left: logs, databases with their journals, records, bundles, evidence, metrics and the command's own output.
"""

import base64
import json
import urllib.request
from collections.abc import Iterator

import pytest
import yaml

from marginproof.cli.demo.record import count_amounts
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.pledges import PledgeOpening
from marginproof.prover.account import Account
from marginproof.relayers.keys import load_keystore as load_relayer_key
from marginproof.verifier.keys import load_keystore as load_venue_key
from tests.e2e.conftest import DemoRun

INPUTS = {"password", "funding-key", "registry-key", "book-token", "key.pem", "environment"}
VENUES = ("venue", "venue-b")
"""Files whose whole purpose is to hold a secret in plain text for the demo's user."""


def _secrets(demo: DemoRun, network: NetworkFile) -> Iterator[tuple[str, bytes]]:
    password = (demo.directory / "password").read_text().strip()
    yield "password", password.encode()
    for key_file in ("funding-key", "registry-key"):
        yield key_file, bytes.fromhex((demo.directory / key_file).read_text().strip().removeprefix("0x"))
    for number in range(3):
        key = load_relayer_key(demo.directory / f"relayer-{number}" / "keystore.json", password)
        yield f"key of relayer {number}", key.expose_secret()
    for name in VENUES:
        yield f"book token of {name}", (demo.directory / name / "book-token").read_text().strip().encode()
        yield f"key of {name}", bytes(load_venue_key(demo.directory / name / "keystore.json", password).key)
    with Account.open(demo.directory / "market-maker", network, password) as account:
        yield "owner key", bytes(account.signer.key)
        yield "state key", account.secret.state_key()
        for venue in network.venues:
            yield "payee salt", account.payees.opening(venue.address).salt
        for position, pledge in enumerate(account.state.pledges):
            yield f"blinding of pledge {position}", PledgeOpening.decode(pledge.opening).blinding
        for index in range(2):
            yield f"key of lock {index}", bytes(account.secret.lock_key(index).key)
            yield f"salt of lock {index}", account.secret.lock_salt(index)
        for number in (1, 2):
            yield f"blinding seed {number}", account.secret.blinding_seed(number)


DOLLARS = (1000, 2500, 3500, 6000, 8500)
AMOUNTS = [40 * 10**18, 40 * 10**8, *(usd * 10**6 for usd in DOLLARS), *(usd * 10**4 for usd in DOLLARS)]
"""What was locked and what the agent may have added to it, in base units and in lots."""


def _forms(secret: bytes) -> set[bytes]:
    return {
        secret,
        secret[::-1],
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        str(int.from_bytes(secret, "big")).encode(),
        str(list(secret)).encode(),
    }


@pytest.fixture(scope="module")
def outputs(demo: DemoRun) -> dict[str, bytes]:
    files = {
        str(path.relative_to(demo.directory)): path.read_bytes()
        for path in demo.directory.rglob("*")
        if path.is_file() and path.name not in INPUTS
    }
    for name in VENUES:
        config = yaml.safe_load((demo.directory / name / "venue.yaml").read_text())
        with urllib.request.urlopen(f"http://{config['metrics_listen']}/metrics", timeout=5) as answer:
            files[f"metrics of {name}"] = answer.read()
    files["stdout"], files["stderr"] = demo.stdout.read_bytes(), demo.stderr.read_bytes()
    return files


def test_the_outputs_are_those_of_a_whole_run(outputs: dict[str, bytes]) -> None:
    names = set(outputs)
    logs = {"relayer-0.log", "venue.log", "venue-b.log", "market-maker.log", "agent.log", "stderr"}
    assert logs | {"metrics of venue", "metrics of venue-b", "agent-metrics", "record.json"} <= names
    assert any(name.startswith("relayer-0/evidence/") for name in names)
    assert sum(name.endswith(".sqlite") for name in names) == 5
    assert all(outputs[name] for name in names if name.endswith(".log"))


def test_no_secret_stands_in_any_output(demo: DemoRun, outputs: dict[str, bytes]) -> None:
    network = load_network_file(demo.directory / "network.yaml")
    found = [
        f"{name} in {file}"
        for name, secret in _secrets(demo, network)
        for form in _forms(secret)
        for file, data in outputs.items()
        if form in data
    ]
    # The payee's salt is shown to the venue on purpose: it opens the venue's own place among the payees, nothing else.
    shown = [line for line in found if line.startswith("payee salt in ")]
    assert [line for line in found if line not in shown] == []
    assert all("presentation-" in line or any(f"{name}/" in line for name in VENUES) for line in shown)


def test_no_collateral_amount_stands_where_it_must_not(outputs: dict[str, bytes]) -> None:
    """The record's titles tell the story with amounts, as does the demo's own screen; nothing else has them."""
    quiet = {name: data for name, data in outputs.items() if name not in ("record.json", "stderr", "stdout")}
    assert [name for name, data in quiet.items() if count_amounts(data, AMOUNTS)] == []


def test_the_search_finds_a_planted_secret(demo: DemoRun) -> None:
    secret = bytes(range(100, 132))
    for planted in (json.dumps({"seed": secret.hex()}).encode(), b"\0" + secret + b"\0", base64.b64encode(secret)):
        assert any(form in planted for form in _forms(secret))


def test_files_with_secrets_are_their_owners_alone(demo: DemoRun) -> None:
    for path in demo.directory.rglob("*"):
        if path.is_file() and (
            path.name in INPUTS or "keystore" in path.name or path.name in ("account.json", "state")
        ):
            assert path.stat().st_mode & 0o077 == 0, path
