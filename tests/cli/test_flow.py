"""The account's whole life through the command, with nothing said that must not be said."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.collateral import collateral_vector
from marginproof.chains.evm.devnet import development_account
from marginproof.model.certificates import Leaf, Reference
from marginproof.model.margin import Outcome
from marginproof.prover.account import Account
from tests.cli.conftest import ACCESS_KEY, Command, Live
from tests.prover.chain import NOTICE_SECONDS
from tests.prover.world import CASH, HOME, LOT, PASSWORD, PERP, VENUE, book, certify, price_report, snapshot

ETH_ID = f"{HOME}/slip44:60"
AMOUNT, UNITS = "7.654321", 7_654_321 * 10**12
RECEIVER = "0x" + "0a" * 20


def certify_now(live: Live, amount: int, epoch: int) -> None:
    """What the relayers would certify of the newest block."""
    block = live.chain.devnet.rpc("eth_getBlockByNumber", "latest", False)
    reference = Reference(int(block["number"], 16), bytes.fromhex(block["hash"][2:]), int(block["timestamp"], 16))
    registration = live.relayers[0].registrations[-1].registration
    blinding = leaf_blinding(
        registration.blinding_seed,
        network=live.network.network_id,
        chain=HOME,
        account=registration.account,
        registration_digest=registration.root(),
        epoch=epoch,
        reference_hash=reference.hash,
        universe_digest=live.network.universe.root(),
    )
    vector = collateral_vector(live.network.universe, HOME, [(bytes(20), amount)])
    commitment = core.commit(256, vector, blinding)
    leaf = Leaf(registration.account, HOME, registration.root(), registration.payees_root, commitment)
    for relayer in live.relayers:
        relayer.leaves[HOME] = certify(live.network, leaf, epoch=epoch, reference=reference)


def quote(live: Live, account: bytes, values: dict[int, int]) -> None:
    """A venue's new snapshot, not before the policy's time, and its book."""
    # The policy was announced moments ago and holds from the next second on: within the skew that clocks may have.
    now = max(int(time.time()), live.chain.devnet.now()) + 2
    live.venue.snapshot = snapshot(live.network, now)
    live.venue.report = price_report(live.network, now)
    live.venue.book = book(live.network, account, values)


def test_the_whole_life_of_an_account(
    run: Command, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("account", "new", *live.options, *live.rpc, "--insecure-fast", "--json")
    assert (made.code, made.document["schema"]) == (0, "marginproof/account-new/v1")
    account = bytes.fromhex(made.document["account"][2:])

    locked = run("account", "lock", *live.options, *live.funding, "--asset", ETH_ID, "--amount", AMOUNT, "--json")
    assert locked.document["locks"] == [{"lock": 0, "chain": HOME, "asset": ETH_ID, "state": "locked"}]
    topped = run("account", "top-up", *live.options, *live.funding, "--lock", "0", "--amount", "1", "--json")
    assert topped.code == 0
    registered = run("account", "register", *live.options, "--json")
    assert [item["outcome"] for item in registered.document["relayers"]] == ["TAKEN"] * 3

    certify_now(live, UNITS + 10**18, epoch=30)
    quote(live, account, {CASH: 100 * LOT, PERP: -LOT})
    saved = tmp_path / "proof.json"
    proved = run("account", "prove", *live.options, "--save", str(saved), "--json")
    assert (proved.code, proved.document["outcome"], proved.document["chains"]) == (0, "ACCEPT", [HOME])
    assert (proved.document["proof_bytes"], proved.document["saved"]) == (448, str(saved))

    checked = run("verify", "presentation", str(saved), *live.options[2:], "--json")
    assert (checked.code, checked.document["verified"]) == (0, True), checked.out
    status = run("account", "status", *live.options, "--json")
    assert status.document["margin"]["state"] == "GOOD"
    assert status.document["certificates"] == [
        {"chain": HOME, "epoch": 30, "expires_at": status.document["certificates"][0]["expires_at"], "failure": None}
    ]
    assert (
        run("account", "status", *live.options, "--offline", "--amounts", "--json").document["locks"][0]["amount"]
        == "8.654321"
    )

    refusal = run("account", "withdraw", *live.options, "--lock", "0", "--to", RECEIVER, "--json")
    assert refusal.document["state"] == "under notice"
    early = run("account", "withdraw", *live.options, "--lock", "0", "--to", RECEIVER, "--json")
    assert (early.code, early.error["code"]) == (10, "LOCK_UNDER_NOTICE")
    cancelled = run("account", "notice", "cancel", *live.options, "--lock", "0", "--json")
    assert cancelled.document == {
        "schema": "marginproof/account-notice-cancel/v1",
        "lock": 0,
        "state": "locked",
        "withdrawable_at": None,
    }
    started = run("account", "notice", "start", *live.options, "--lock", "0", "--json")
    assert started.document["state"] == "under notice"
    later = live.chain.devnet.now() + NOTICE_SECONDS
    live.chain.devnet.mine(later)
    monkeypatch.setattr("marginproof.cli.commands.account.time", SimpleNamespace(time=lambda: later))
    gone = run("account", "withdraw", *live.options, "--lock", "0", "--to", RECEIVER, "--json")
    assert gone.document["state"] == "withdrawn"

    with Account.open(live.directory, live.network, PASSWORD) as opened:
        secret = opened.secret
        planted = [
            PASSWORD,
            ACCESS_KEY,
            bytes(development_account(1).key).hex(),
            bytes(opened.signer.key).hex(),
            bytes(secret.lock_key(0).key).hex(),
            secret.lock_salt(0).hex(),
            secret.blinding_seed(1).hex(),
            str(UNITS),
            "7654321",
        ]
    assert [text for text in planted if text in run.heard] == []


def test_reject_sets_the_exit_code_and_insufficient_margin_names_the_row(run: Command, live: Live) -> None:
    made = run("account", "new", *live.options, *live.rpc, "--insecure-fast", "--json")
    account = bytes.fromhex(made.document["account"][2:])
    run("account", "lock", *live.options, *live.funding, "--asset", ETH_ID, "--amount", AMOUNT)
    run("account", "register", *live.options)
    certify_now(live, UNITS, epoch=30)
    quote(live, account, {CASH: -50_000 * LOT})
    short = run("account", "prove", *live.options, "--initial")  # of each level there is one answer per price report
    assert short.code == 10
    assert "MARGIN_INSUFFICIENT: margin is too small in the scenario" in short.err
    assert "missing: " in short.err
    assert live.venue.presentations == []
    quote(live, account, {CASH: LOT})
    dry = run("account", "prove", *live.options, "--dry-run", "--json")
    assert (dry.code, dry.document["outcome"], live.venue.presentations) == (0, "NOT_SUBMITTED", [])
    for reason, code in (("BOOK_STALE", 12), ("PROOF_INVALID", 11), ("VENUE_NOT_PAYEE", 10), ("NOT_KNOWN_HERE", 10)):
        live.venue.outcome, live.venue.reasons = Outcome.REJECT, (reason,)
        rejected = run("account", "prove", *live.options, "--json")
        assert (rejected.code, rejected.document["outcome"], rejected.document["reasons"]) == (code, "REJECT", [reason])


def test_a_changed_bundle_is_found_and_many_are_checked_at_once(run: Command, live: Live, tmp_path: Path) -> None:
    made = run("account", "new", *live.options, *live.rpc, "--insecure-fast", "--json")
    account = bytes.fromhex(made.document["account"][2:])
    run("account", "lock", *live.options, *live.funding, "--asset", ETH_ID, "--amount", AMOUNT)
    run("account", "register", *live.options)
    certify_now(live, UNITS, epoch=30)
    quote(live, account, {CASH: LOT})
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    assert run("account", "prove", *live.options, "--save", str(good)).code == 0
    document = json.loads(good.read_bytes())
    document["presentation"] = document["presentation"][:-2] + ("00" if document["presentation"][-2:] != "00" else "01")
    bad.write_text(json.dumps(document))
    network = live.options[2:]
    one = run("verify", "presentation", str(bad), *network, "--json")
    assert one.code != 0
    assert not one.document["verified"]
    both = run("verify", "presentation", str(good), str(bad), *network)
    assert both.code == one.code
    assert "fail" in both.out
    assert "good.json" in both.out
    venue = run("venue", "status", *network, "--json")
    assert (venue.code, venue.document["venue"], venue.document["current"]) == (0, "0x" + VENUE.hex(), True)


def test_relayer_status_counts_the_healthy(run: Command, live: Live) -> None:
    good = run("relayer", "status", *live.options[2:], "--json")
    assert (good.code, good.document["healthy_count"], good.document["threshold"]) == (0, 3, 2)
    doctor = run("doctor", *live.options[2:], "--json")
    found = {check["check"]: check["outcome"] for check in doctor.document["checks"]}
    assert found["relayers"] == found["network file"] == "pass"
