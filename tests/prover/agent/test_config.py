"""The configuration file: strict, whole, and wrong in one named place."""

from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from marginproof.model.errors import ConfigurationError
from marginproof.prover.agent.config import AgentConfig, load_config, parse_config
from marginproof.prover.agent.levels import Level, Threshold

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "agent.yaml"
MINIMAL = {
    "apiVersion": "marginproof/agent/v1",
    "network": "network.yaml",
    "account": "account",
    "venues": [{"address": "0x" + "11" * 20}],
}
TOP_UP = {
    "lock": 0,
    "asset": "eip155:1/slip44:60",
    "funding_key_file": "wallet.key",
    "step": "0.5",
    "per_top_up": "2",
    "per_day": "4",
    "in_all": "10",
}


def parsed(**changes: object) -> AgentConfig:
    return parse_config(yaml.safe_dump(MINIMAL | changes).encode(), Path("/base"))


def test_the_example() -> None:
    config = load_config(EXAMPLE)
    assert config.network == EXAMPLE.parent / "network.yaml"
    assert len(config.venues) == 2
    assert config.top_up is not None
    assert config.webhook is not None
    assert config.metrics_listen == "127.0.0.1:9500"


def test_what_is_left_out_has_a_default() -> None:
    config = parsed()
    assert (config.network, config.account) == (Path("/base/network.yaml"), Path("/base/account"))
    assert (config.password_file, config.top_up, config.webhook, config.metrics_listen) == (None, None, None, None)
    assert config.venues[0].line_limit_usd is None
    assert config.at_share == Fraction(1, 2)
    assert config.levels.warn == Threshold(percent=Fraction(20))
    assert config.levels.critical == Threshold(percent=Fraction(10))
    assert config.levels.hysteresis == Fraction(1, 10)


def test_amounts_are_exact() -> None:
    config = parsed(
        venues=[{"address": "0x" + "11" * 20, "line_limit_usd": "0.1"}],
        headroom={"warn": {"usd": "10.019", "percent": "2.5"}, "critical": {"usd": "1"}, "hysteresis_percent": 0},
        top_up=TOP_UP | {"when": "tight"},
    )
    assert config.venues[0].line_limit_usd == Fraction(1, 10)
    assert config.levels.warn == Threshold(Fraction(5, 2), 1_001)
    assert config.top_up is not None
    assert (config.top_up.when, config.top_up.funding_key_file) == (Level.TIGHT, Path("/base/wallet.key"))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"apiVersion": "marginproof/agent/v2"}, "apiVersion"),
        ({"surprise": 1}, "surprise"),
        ({"venues": []}, "venues"),
        ({"venues": [{"address": "0x12"}]}, "venues"),
        ({"venues": [{"address": "0x" + "11" * 20}, {"address": "0x" + "11" * 20}]}, "twice"),
        ({"venues": [{"address": "0x" + "11" * 20, "line_limit_usd": 5.0}]}, "line_limit_usd"),
        ({"venues": [{"address": "0x" + "11" * 20, "line_limit_usd": "-5"}]}, "line_limit_usd"),
        ({"prove": {"at_share": 1}}, "at_share"),
        ({"prove": {"measure_seconds": 0}}, "measure_seconds"),
        ({"headroom": {"warn": {}}}, "headroom.warn"),
        ({"headroom": {"warn": {"percent": "5"}, "critical": {"percent": "6"}}}, "headroom"),
        ({"headroom": {"warn": {"usd": "5"}, "critical": {"usd": "6"}}}, "headroom"),
        ({"top_up": {"lock": 0}}, "top_up"),
        ({"top_up": TOP_UP | {"step": 0.5}}, "top_up.step"),
        ({"top_up": TOP_UP | {"when": "ok"}}, "top_up.when"),
        ({"webhook": {"url_file": "url"}}, "webhook.secret_file"),
        ({"metrics_listen": "nowhere"}, "metrics_listen"),
        ({"poll_seconds": 0}, "poll_seconds"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], place: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^CONFIG_INVALID") as caught:
        parsed(**changes)
    assert place in caught.value.message


def test_representations_show_no_amount() -> None:
    config = parsed(
        venues=[{"address": "0x" + "11" * 20, "line_limit_usd": "4711"}],
        top_up=TOP_UP | {"per_top_up": "4711", "per_day": "4711", "in_all": "4711"},
        headroom={"warn": {"usd": "4711"}, "critical": {"usd": "4711"}},
    )
    assert "4711" not in repr(config)
