"""The whole story, end to end: what the demo shows is so."""

import csv
import gzip
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from marginproof.attestation.certificates import verify_certificate
from marginproof.cli.demo.record import count_amounts
from marginproof.model.bundle import PresentationBundle
from marginproof.model.certificates import Certificate
from marginproof.model.margin import Outcome, Presentation, SignedDecision
from marginproof.model.network_file import load_network_file
from tests.e2e.conftest import DemoRun, end_demo, start_demo

ACCEPTED = ("opening", "second-venue")
ATTACKED = "eip155:31338"


def test_every_step_has_its_expected_outcome(record: dict[str, Any]) -> None:
    assert [step["title"] for step in record["steps"] if not step["as_expected"]] == []
    assert record["as_expected"]
    assert record["story"] == "full"
    outcomes = [(step["outcome"], tuple(step["reasons"])) for step in record["steps"]]
    for expected in (
        ("REFUSED", ("LINE_EXCEEDED",)),
        ("REJECT", ("PROOF_INVALID",)),
        ("REJECT", ("WRONG_VENUE",)),
        ("ONE_OPENS", ("REGISTRY_DIGEST_STALE",)),
        ("REJECT", ("REGISTRY_DIGEST_STALE",)),
        ("MARGIN_CALL", ()),
        ("TOPPED_UP", ()),
        ("REJECT", ("REPLAYED",)),
        ("PROVEN", ()),
        ("REFUSED", ("ENDPOINT_DISAGREEMENT",)),
        ("NONE", ()),
        ("NO_DEFAULT", ()),
        ("HONEST", ()),
    ):
        assert expected in outcomes
    # By command at either venue, by the agent at both after the crash, and at both again after the attacks.
    assert outcomes.count(("ACCEPT", ())) == 6
    assert outcomes.count(("REFUSED", ("ENDPOINT_DISAGREEMENT",))) == 4


def test_orders_are_filled_inside_the_lines(record: dict[str, Any]) -> None:
    filled = [step for step in record["steps"] if step["outcome"] == "FILLED"]
    assert [step["orders"] for step in filled] == [400, 100]
    assert all(step["orders_per_second"] > 0 for step in filled)


def test_attacked_relayers_keep_evidence_of_the_forked_chain(demo: DemoRun) -> None:
    kept = {index: _evidence(demo, index) for index in range(3)}
    assert len(kept[0]) >= 3
    assert len(kept[1]) >= 1
    assert kept[2] == []
    for document in (*kept[0], *kept[1]):
        assert len({answer["value"] for answer in document["answers"] if answer["value"]}) == 2


def test_the_agent_acted_by_itself(demo: DemoRun) -> None:
    events = [
        json.loads(line)["event"]
        for line in (demo.directory / "agent.log").read_text().splitlines()
        if line.startswith("{")
    ]
    assert {"started", "top-up-sent", "top-up-counted", "pledge-submitted", "pledge-standing", "stopped"} <= set(events)


def test_certificates_are_signed_by_the_threshold(demo: DemoRun, record: dict[str, Any]) -> None:
    network = load_network_file(demo.directory / "network.yaml")
    assert [certificate["chain"] for certificate in record["certificates"]] == ["eip155:31337", ATTACKED]
    for name in ACCEPTED:
        bundle = _bundle(demo, name)
        for data in bundle.certificates:
            certificate = Certificate.decode(data)
            verify_certificate(certificate, network.network_id, network.signer_set)
            assert sum(certificate.signers) >= 2


def test_accepted_proofs_have_their_length_and_are_signed(demo: DemoRun, record: dict[str, Any]) -> None:
    proven = {step["proof_bytes"] for step in record["steps"] if step["proof_bytes"]}
    assert proven == {448}
    for name in ACCEPTED:
        bundle = _bundle(demo, name)
        assert bundle.signed_decision is not None
        decision = SignedDecision.decode(bundle.signed_decision).decision
        assert decision.outcome == Outcome.ACCEPT
        assert decision.presentation_digest == Presentation.decode(bundle.presentation).digest


def test_the_venues_input_has_no_amount(record: dict[str, Any]) -> None:
    venues = [party for party in record["parties"] if party["party"].startswith("venue")]
    assert len(venues) == 2
    assert all(venue["byte_count"] > 0 and venue["amounts_found"] == 0 for venue in venues)


def test_the_search_for_amounts_finds_them() -> None:
    wei = 40 * 10**18
    for form in (
        b"%d" % wei,
        wei.to_bytes(32, "big"),
        wei.to_bytes(16, "little"),
        wei.to_bytes(32, "little").hex().encode(),
    ):
        assert count_amounts(b"..." + form + b"...", [wei]) == 1
    assert count_amounts(b"nothing here", [wei]) == 0
    assert count_amounts(b"9%d" % wei, [wei]) == 0


def test_the_demo_stays_within_its_memory(record: dict[str, Any]) -> None:
    assert 0 < record["peak_memory_mebibytes"] <= 2048


def test_the_scenario_quotes_at_most_twelve_hours_with_their_source(record: dict[str, Any]) -> None:
    text = (Path(__file__).parents[2] / "cli/marginproof/cli/demo/scenario.yaml").read_text()
    assert len(re.findall(r"eth_usd:", text)) <= 12
    assert "2020-03-12" in record["source"]


def test_quoted_prices_are_those_of_the_shared_data(shared_dir: Path) -> None:
    text = (Path(__file__).parents[2] / "cli/marginproof/cli/demo/scenario.yaml").read_text()
    with gzip.open(shared_dir / "data" / "prices" / "ETH-USDT-1h-2020-01_2022-10.csv.gz", "rt") as file:
        closes = {row["Date"][:16]: float(row["Close"]) for row in csv.DictReader(file)}
    for hour in yaml.safe_load(text)["hours"]:
        assert closes[hour["time"]] == float(hour["eth_usd"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_everything_it_started(tmp_path: Path, number: signal.Signals) -> None:
    process, stdout, _ = start_demo(tmp_path / "run")
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "venue.pid").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert end_demo(process, number) == 130
    assert stdout.read_text() == ""


def test_a_folder_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    process, _, stderr = start_demo(folder)
    assert process.wait(60) == 10
    assert json.loads(stderr.read_text())["code"] == "CONFLICT"
    assert list(folder.iterdir()) == []


def _evidence(demo: DemoRun, index: int) -> list[dict[str, Any]]:
    """What a relayer kept of endpoints that name different blocks of the attacked chain.

    Calls are left out: a development chain that is just mining answers one at its newest block now from before, now
    from after it.
    """
    folder = demo.directory / f"relayer-{index}" / "evidence"
    kept = [json.loads(path.read_text()) for path in sorted(folder.glob("endpoints-*.json"))]
    return [found for found in kept if found["chain"] == ATTACKED and found["subject"].startswith("block ")]


def _bundle(demo: DemoRun, name: str) -> PresentationBundle:
    return PresentationBundle.decode((demo.directory / f"presentation-{name}.json").read_bytes())
