"""Plans: what `init` writes is one, and everything that can be wrong is told before anything is paid for."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from marginproof.cli.actions import network_plan
from marginproof.cli.actions.network_plan import load_plan
from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from tests.network.conftest import HOME, SECOND, Planned
from tests.support.command import Command


def test_both_profiles_are_plans(cards: Path, tmp_path: Path) -> None:
    for profile, epoch, notice in (("production", 300, 172_800), ("devnet", 5, 120)):
        folder = tmp_path / profile
        network_plan.init(folder, profile, 1_700_000_123)
        for card in cards.glob("*.yaml"):
            shutil.copy(card, folder)
        document = load_plan(folder / "plan.yaml").document
        delays = document.delays
        assert (delays.epoch_seconds, delays.notice_seconds, document.development) == (epoch, notice, epoch == 5)
        assert delays.genesis_time == 1_700_000_100


def test_nothing_is_overwritten(run: Command, plan: Planned) -> None:
    before = plan.plan.read_bytes()
    spoken = run("network", "init", str(plan.folder), "--profile", "production", "--json")
    assert (spoken.code, spoken.error["code"]) == (3, "FILE_UNREADABLE")
    assert plan.plan.read_bytes() == before


def relayer_twice(plan: Planned) -> None:
    plan.edit(relayers=["relayer-0.yaml", "relayer-0.yaml", "relayer-1.yaml"])


def foreign_possession(plan: Planned) -> None:
    path = plan.folder / "relayer-0.yaml"
    card = yaml.safe_load(path.read_text())
    card["possession"] = yaml.safe_load((plan.folder / "relayer-1.yaml").read_text())["possession"]
    path.write_text(yaml.safe_dump(card))


def unknown_card_key(plan: Planned) -> None:
    with (plan.folder / "relayer-0.yaml").open("a") as file:
        file.write("surplus: 1\n")


def test_feed_elsewhere(plan: Planned) -> None:
    document = yaml.safe_load(plan.plan.read_text())
    document["test"]["feeds"][0]["chain"] = "eip155:5"
    plan.plan.write_text(yaml.safe_dump(document))
    assert "not listed" in refusal(plan).message


def production_without_sources(plan: Planned) -> None:
    plan.edit(development=False, test={})
    text = (plan.folder / "universe.yaml").read_text()
    for name in ("eth", "usdc", "usdc-price", "eth-volatility"):
        text = text.replace(f"${{{name}}}", "0x" + "0a" * 20)
    (plan.folder / "universe.yaml").write_text(text)


def refusal(plan: Planned) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_plan(plan.plan)
    return caught.value


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda plan: plan.edit(apiVersion="marginproof/network-plan/v2"), "apiVersion"),
        (lambda plan: plan.edit(surplus=1), "surplus"),
        (lambda plan: plan.edit(n=300), "n must be one of"),
        (lambda plan: plan.edit(home_chain="eip155:7"), "not among the chains"),
        (lambda plan: plan.edit(home_chain="solana:mainnet"), "not among the chains"),
        (lambda plan: plan.edit(chains=[{"chain": HOME}, {"chain": HOME}]), "listed twice"),
        (lambda plan: plan.edit(chains=[{"chain": HOME}, {"chain": "solana:abc"}]), "is no EVM chain"),
        (lambda plan: plan.edit(chains=[{"chain": HOME, "vault": False}]), "no chain has a vault"),
        (lambda plan: plan.edit(chains=[{"chain": HOME}, {"chain": SECOND, "vault": False}]), "has no vault"),
        (lambda plan: plan.edit(development=False), "development"),
        (lambda plan: plan.edit(threshold=1), "threshold"),
        (lambda plan: plan.edit(threshold=4), "threshold"),
        (lambda plan: plan.edit(relayers=[]), "relayers"),
        (lambda plan: plan.edit(relayers=["missing.yaml"]), "missing.yaml"),
        (lambda plan: plan.edit(delays__notice_seconds=104), "notice_seconds must be at least"),
        (lambda plan: plan.edit(delays__policy_delay_seconds=0), "policy_delay_seconds"),
        (lambda plan: plan.edit(delays__notice_seconds=31_536_001), "notice_seconds"),
        (lambda plan: plan.edit(delays__epoch_seconds=0), "epoch_seconds"),
        (lambda plan: plan.edit(universe="missing.yaml"), "universe file"),
        (lambda plan: plan.edit_universe("${eth}", "${nothing}"), "${nothing}"),
        (lambda plan: plan.edit_universe("index: 3", "index: 2"), "indices must rise"),
        (lambda plan: plan.edit_universe("kind: perpetual", "kind: lottery"), "kind"),
        (
            lambda plan: plan.edit_universe('{chain: "eip155:31337", address', '{chain: "eip155:9", address'),
            "no endpoint",
        ),
        (relayer_twice, "one public key"),
        (foreign_possession, "has not proven"),
        (unknown_card_key, "surplus"),
        (production_without_sources, "fewer than three feeds"),
    ],
)
def test_each_wrong_plan_is_refused_by_name(plan: Planned, spoil: Callable[[Planned], None], says: str) -> None:
    load_plan(plan.plan)
    spoil(plan)
    assert says in str(refusal(plan))


def test_names_of_test_contracts_differ(plan: Planned) -> None:
    document = yaml.safe_load(plan.plan.read_text())
    document["test"]["tokens"][0]["name"] = "eth"
    plan.plan.write_text(yaml.safe_dump(document))
    assert "one name" in refusal(plan).message


def test_endpoints_are_named_and_complete(plan: Planned, tmp_path: Path) -> None:
    loaded = load_plan(plan.plan)
    assert set(loaded.endpoints(None)) == {HOME, SECOND}
    other = tmp_path / "other"
    other.write_text(f"{HOME}=http://127.0.0.1:1\n")
    with pytest.raises(ConfigurationError) as caught:
        loaded.endpoints(other)
    assert caught.value.fields == {"chain": SECOND}
    plan.edit(rpc_file=None)
    with pytest.raises(ConfigurationError) as none:
        load_plan(plan.plan).endpoints(None)
    assert "--rpc-file" in none.value.fix


def test_a_bad_plan_reaches_no_chain(run: Command, plan: Planned) -> None:
    plan.edit(threshold=1)
    spoken = run("network", "deploy", str(plan.plan), "--key-file", str(plan.key), "--json")
    assert (spoken.code, spoken.error["code"]) == (3, ReasonCode.CONFIG_INVALID)
    assert not (plan.folder / "deployed.yaml").exists()


def test_keys_never_lie_in_a_plan_or_a_card(cards: Path, plan: Planned) -> None:
    text = "".join(path.read_text() for path in [*cards.glob("*.yaml"), plan.plan])
    assert "http" not in text
    assert "PRIVATE KEY" not in text


def test_cards_are_never_overwritten(run: Command, cards: Path, tmp_path: Path) -> None:
    arguments = ["network", "card", "relayer", "--keystore", str(cards / "bls-0.json")]
    arguments += ["--tls-directory", str(cards / "tls-0"), "--target", "127.0.0.1:1", "--json"]
    good = run(*arguments, "--out", str(tmp_path / "card.yaml"))
    assert good.document["public_key"] in (tmp_path / "card.yaml").read_text()
    assert (tmp_path / "card.yaml").read_bytes() == (cards / "relayer-0.yaml").read_bytes()
    again = run(*arguments, "--out", str(tmp_path / "card.yaml"))
    assert again.error["code"] == "FILE_UNREADABLE"


@pytest.mark.parametrize("target", ["nowhere", "host:", "a b:1", "host:123456"])
def test_a_card_needs_a_target(run: Command, cards: Path, tmp_path: Path, target: str) -> None:
    spoken = run(
        *("network", "card", "venue", "--keystore", str(cards / "venue.json"), "--tls-directory", str(tmp_path / "t")),
        *("--target", target, "--out", str(tmp_path / "card.yaml"), "--json"),
    )
    assert (spoken.code, spoken.error["code"]) == (3, "CONFIG_INVALID")
    assert not (tmp_path / "card.yaml").exists()
