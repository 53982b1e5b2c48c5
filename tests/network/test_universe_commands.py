"""Editing a universe by command: from a draft to the network file, and every refusal on the way."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from marginproof.model.succession import SignedAnnouncement
from tests.network.conftest import Planned
from tests.support.command import Command, Spoken

BTC = ("--id", "BTC-PERP", "--kind", "perpetual", "--lot-exponent", "4", "--max-lots", "1000000")
NOTICE = 120


@pytest.fixture
def universe(run: Command, network: Planned) -> Callable[..., Spoken]:
    def command(verb: str, *more: str) -> Spoken:
        options = ["--network", str(network.network)]
        if verb != "show":
            options += ["--file", str(network.folder / "next.yaml")]
        return run("network", "universe", verb, *options, *more, "--json")

    return command


Universe = Callable[..., Spoken]


def announce(run: Command, network: Planned, cards: Path, signer: int, *more: str) -> Spoken:
    return run(
        *("relayer", "announce-universe", "--network", str(network.network)),
        *("--file", str(network.folder / "next.yaml"), "--announcement", str(network.folder / "announcement")),
        *("--keystore", str(cards / f"bls-{signer}.json"), *more, "--json"),
    )


def test_an_entry_is_added_without_notice(universe: Universe, network: Planned) -> None:
    before = network.file
    added = universe("add", *BTC, "--price-point", "price:ETH").document
    assert (added["version"], added["compatible_since"], added["needs_announcement"]) == (2, 1, False)
    assert universe("add", "--id", "EUR", "--kind", "cash", "--lot-exponent", "6", "--max-lots", "5").code == 0
    rows = universe("diff").document["changes"]
    assert [(row["index"], row["before"], row["after"], row["breaking"]) for row in rows] == [
        (4, None, "BTC-PERP", False),
        (5, None, "EUR", False),
    ]
    assert universe("check").document["needs_announcement"] is False
    applied = universe("apply").document
    after = network.file
    assert after.network_id == before.network_id
    assert after.universe.entry("BTC-PERP").index == 4
    assert applied["universe_digest"] == "0x" + after.universe.root().hex()
    shown = universe("show").document
    assert (shown["version"], shown["universe_digest"]) == (2, applied["universe_digest"])


def test_retiring_needs_the_relayers_and_the_notice(
    run: Command, universe: Universe, network: Planned, cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retired = universe("retire", "ETH-PERP").document
    assert (retired["compatible_since"], retired["needs_announcement"]) == (2, True)
    assert universe("apply").error["code"] == "ANNOUNCEMENT_INVALID"
    now = int(time.time())
    first = announce(run, network, cards, 0, "--at", str(now + 60)).document
    assert (first["signers"], first["effective_at"]) == ([0], now + 60 + NOTICE)
    path = ("--announcement", str(network.folder / "announcement"))
    assert universe("check", *path).error["code"] == "SIGNERS_TOO_FEW"
    assert announce(run, network, cards, 2).document["signers"] == [0, 2]
    assert universe("check", *path).document["signers"] == [0, 2]
    early = universe("apply", *path)
    assert (early.code, early.error["code"]) == (3, "ANNOUNCEMENT_INVALID")
    assert early.error["fields"]["effective_at"] == now + 60 + NOTICE
    monkeypatch.setattr("time.time", lambda: now + 60 + NOTICE)
    assert universe("apply", *path).code == 0
    assert [entry.id for entry in network.file.universe.entries][-1] == "USD"
    assert universe("apply", *path).error["code"] == "UNIVERSE_INCOMPATIBLE", "it cannot be put in force twice"
    # The slot is free: nothing that counts can have anything in it.
    (network.folder / "next.yaml").unlink()
    reused = universe("add", *BTC, "--price-point", "price:ETH").document
    assert (reused["version"], reused["needs_announcement"]) == (3, False)


def test_adding_and_retiring_in_one_draft_needs_no_notice(universe: Universe) -> None:
    universe("add", *BTC, "--price-point", "price:ETH")
    retired = universe("retire", "BTC-PERP").document
    assert (retired["compatible_since"], retired["needs_announcement"]) == (1, False)


def test_what_cannot_be_added(universe: Universe, network: Planned) -> None:
    cases = [
        (("--price-point", "price:NONE"), "CONFIG_INVALID"),
        (("--price-point", "price:ETH", "--index", "3"), "UNIVERSE_INCOMPATIBLE"),
        (("--price-point", "price:ETH", "--index", "256"), "CONFIG_INVALID"),
        (("--price-point", "price:ETH", "--kind", "lottery"), "CONFIG_INVALID"),
        (("--price-point", "price:ETH", "--id", "USD"), "CONFIG_INVALID"),
        (("--price-point", "price:ETH", "--max-lots", "0"), "CONFIG_INVALID"),
        (("--price-point", "price:ETH", "--token", "0x12"), "CONFIG_INVALID"),
    ]
    for more, code in cases:
        assert universe("add", *BTC, *more).error["code"] == code, more
    assert universe("retire", "NONE").error["code"] == "NOT_FOUND"
    assert not (network.folder / "next.yaml").exists()


def test_a_draft_that_breaks_a_rule_is_neither_signed_nor_applied(
    run: Command, universe: Universe, network: Planned, cards: Path
) -> None:
    universe("add", *BTC, "--price-point", "price:ETH")
    path = network.folder / "next.yaml"
    draft = yaml.safe_load(path.read_text())
    draft["entries"][0]["lot_exponent"] = 7
    path.write_text(yaml.safe_dump(draft))
    assert universe("check").error["code"] == "UNIVERSE_INCOMPATIBLE"
    assert universe("apply").error["code"] == "UNIVERSE_INCOMPATIBLE"
    assert announce(run, network, cards, 0).error["code"] == "UNIVERSE_INCOMPATIBLE"
    assert universe("diff").document["changes"][0]["fields"] == ["lot_exponent"]
    assert not (network.folder / "announcement").exists()


def test_price_points_show_in_a_difference(universe: Universe, network: Planned) -> None:
    universe("add", *BTC, "--price-point", "price:ETH")
    path = network.folder / "next.yaml"
    draft = yaml.safe_load(path.read_text())
    draft["points"][1]["max_age_seconds"] = 7
    path.write_text(yaml.safe_dump(draft))
    assert universe("diff").document["points"] == ["price:USDC"]


def test_what_relayers_do_not_sign(run: Command, universe: Universe, network: Planned, cards: Path) -> None:
    universe("add", *BTC, "--price-point", "price:ETH")
    needless = announce(run, network, cards, 0)
    assert needless.error["code"] == "UNIVERSE_INCOMPATIBLE"
    universe("retire", "ETH-PERP")
    now = int(time.time())
    for at in (now - 60, now + NOTICE + 60):
        assert announce(run, network, cards, 0, "--at", str(at)).error["code"] == "ANNOUNCEMENT_INVALID"
    begun = announce(run, network, cards, 0)
    assert now <= begun.document["announced_at"] <= now + 60
    other = announce(run, network, cards, 1, "--at", str(now + 50))
    assert other.error["code"] == "ANNOUNCEMENT_INVALID"
    universe("retire", "USD")
    assert announce(run, network, cards, 1).error["code"] == "ANNOUNCEMENT_INVALID", "the draft changed since"


def test_a_stranger_and_a_forged_file(run: Command, universe: Universe, network: Planned, cards: Path) -> None:
    universe("retire", "ETH-PERP")
    stranger = network.folder / "stranger.json"
    run("relayer", "keys", "new", "--keystore", str(stranger), "--insecure-fast")
    spoken = run(
        *("relayer", "announce-universe", "--network", str(network.network), "--keystore", str(stranger)),
        *(
            "--file",
            str(network.folder / "next.yaml"),
            "--announcement",
            str(network.folder / "announcement"),
            "--json",
        ),
    )
    assert spoken.error["code"] == "SIGNER_SET_UNKNOWN"
    announce(run, network, cards, 0)
    announce(run, network, cards, 1)
    path = network.folder / "announcement"
    signed = SignedAnnouncement.decode(path.read_bytes())
    forged = SignedAnnouncement(signed.announcement, (signed.signatures[0], signed.signatures[0]))
    for data, code in ((forged.encode(), "ANNOUNCEMENT_INVALID"), (b"\xff" * 99, "MALFORMED"), (b"", "MALFORMED")):
        path.write_bytes(data)
        assert universe("apply", "--announcement", str(path)).error["code"] == code
    path.write_bytes(b"\x00" * 100_000)
    assert universe("apply", "--announcement", str(path)).error["code"] == "TOO_LARGE"
    assert network.file.universe.version == 1
