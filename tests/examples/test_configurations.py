"""The annotated examples are configurations that the daemons take, and they name every setting."""

import dataclasses
from pathlib import Path

from marginproof.prover.agent.config import AgentConfig
from marginproof.prover.agent.config import load_config as load_agent_config
from marginproof.relayers.config import RelayerConfig
from marginproof.relayers.config import load_config as load_relayer_config
from marginproof.verifier.config import VenueConfig
from marginproof.verifier.config import load_config as load_venue_config

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ADVANCED = {"max_accounts", "max_locks_per_account", "requests_per_second", "registrations_per_second"}
"""Limits that operators leave alone; docs/relayers.md has them."""


def test_the_relayers_example() -> None:
    config = load_relayer_config(EXAMPLES / "relayer.yaml")
    assert list(config.endpoints) == ["eip155:1"]
    assert len(config.endpoints["eip155:1"].urls) == 3


def test_the_venues_example() -> None:
    config = load_venue_config(EXAMPLES / "venue.yaml")
    assert config.policies == (EXAMPLES / "policy.yaml",)


def test_the_agents_example() -> None:
    config = load_agent_config(EXAMPLES / "agent.yaml")
    assert [venue.line_limit_usd for venue in config.venues] == [50_000, 0]


def test_the_examples_name_every_setting() -> None:
    agent = (AgentConfig, {"levels"})  # headroom, in the file
    kinds = {"relayer.yaml": (RelayerConfig, ADVANCED), "venue.yaml": (VenueConfig, ADVANCED), "agent.yaml": agent}
    for name, (kind, left_out) in kinds.items():
        text = (EXAMPLES / name).read_text()
        fields = {field.name for field in dataclasses.fields(kind)} - left_out
        assert {field for field in fields if f"{field}:" not in text} == set()
