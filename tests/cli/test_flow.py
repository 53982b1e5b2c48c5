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
from tests.cli.conftest import ACCESS_KEY, Live
from tests.prover.chain import NOTICE_SECONDS
from tests.prover.world import CASH, HOME, LOT, PASSWORD, PERP, VENUE, book, certify, pledge, price_report, snapshot
from tests.support.command import Command, Spoken

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


def quote(live: Live, account: bytes, values: dict[int, int], line: int = 0, number: int = 1) -> None:
    """A venue's new snapshot, not before the policy's time, its book and the pledge that it proposes."""
    # The policy was announced moments ago and holds from the next second on: within the skew that clocks may have.
    now = max(int(time.time()), live.chain.devnet.now()) + 2
    live.venue.snapshot = snapshot(live.network, now)
    live.venue.report = price_report(live.network, now)
    live.venue.book = book(live.network, account, values)
    live.venue.proposal = pledge(live.network, live.venue.book, line, number)


def new_account(run: Command, live: Live, amount: str = AMOUNT) -> bytes:
    """Collateral is locked, registered and certified, and the venue authorised."""
    made = run("account", "new", *live.options, *live.rpc, "--insecure-fast", "--json")
    run("account", "lock", *live.options, *live.funding, "--asset", ETH_ID, "--amount", amount)
    run("account", "register", *live.options)
    certify_now(live, UNITS, epoch=30)
    with live.mining():
        authorised = run("account", "authorise", *live.options, *live.payer, "--json")
    assert (authorised.code, authorised.document["final"]) == (0, True), authorised.err
    return bytes.fromhex(made.document["account"][2:])


def pledge_now(run: Command, live: Live, *options: str) -> Spoken:
    with live.mining():
        return run("account", "pledge", *live.options, *options, "--json")


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
    with live.mining():
        authorised = run("account", "authorise", *live.options, *live.payer, "--json")
    assert authorised.document["final"]
    quote(live, account, {CASH: 100 * LOT, PERP: -LOT}, line=321_987)
    greedy = run("account", "pledge", *live.options, "--json")
    assert (greedy.code, greedy.error["code"]) == (10, "LINE_LIMIT")
    assert run("account", "venue-limit", *live.options, "--line", "0.321987").code == 0
    pledged = pledge_now(run, live, "--save", str(tmp_path / "pledge.json"))
    assert (pledged.code, pledged.document["outcome"], pledged.document["standing"]) == (0, "ACCEPT", True), pledged.err
    assert pledged.document["purpose"] == "INITIAL"
    saved = tmp_path / "proof.json"
    proved = run("account", "prove", *live.options, "--save", str(saved), "--json")
    assert (proved.code, proved.document["outcome"], proved.document["chains"]) == (0, "ACCEPT", [HOME])
    assert (proved.document["proof_bytes"], proved.document["saved"]) == (448, str(saved))

    assert proved.document["registry_digest"] != pledged.document["registry_digest"]

    checked = run("verify", "presentation", str(saved), *live.options[2:], "--json")
    assert (checked.code, checked.document["verified"]) == (0, True), checked.out
    status = run("account", "status", *live.options, "--json")
    (margin,) = status.document["margins"]
    assert (margin["state"], margin["line_open"], margin["proposal_state"]) == ("GOOD", True, "STANDING")
    (standing,) = status.document["pledges"]["standing"]
    assert (standing["commitment"], standing["opening_known"]) == (pledged.document["commitment"], True)
    assert status.document["certificates"] == [
        {"chain": HOME, "epoch": 30, "expires_at": status.document["certificates"][0]["expires_at"], "failure": None}
    ]
    assert "0.321987" not in run.heard
    told = run("account", "status", *live.options, "--amounts", "--json")
    run.heard = run.heard.replace(told.out, "")
    assert told.document["locks"][0]["amount"] == "8.654321"
    assert told.document["pledges"]["standing"][0]["line_usd"] == "0.321987"
    assert list(told.document["line_limits"].values()) == ["0.321987"]
    assert {headroom["purpose"] for headroom in told.document["headrooms"]} == {"INITIAL", "MAINTENANCE"}

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
    account = new_account(run, live)
    quote(live, account, {CASH: -50_000 * LOT})
    short = run("account", "pledge", *live.options)
    assert short.code == 10
    assert "MARGIN_INSUFFICIENT: margin is too small in the scenario" in short.err
    assert "missing: " in short.err
    assert live.venue.presentations == []
    quote(live, account, {CASH: LOT}, line=1)  # another level: of each there is one answer per price report
    assert pledge_now(run, live, "--max-line", "1").code == 0
    live.venue.presentations.clear()
    dry = run("account", "prove", *live.options, "--dry-run", "--json")
    assert (dry.code, dry.document["outcome"], live.venue.presentations) == (0, "NOT_SUBMITTED", [])
    reasons = (("BOOK_NOT_COVERED", 12), ("PROOF_INVALID", 11), ("VENUE_NOT_PAYEE", 10), ("NOT_KNOWN_HERE", 10))
    for reason, code in reasons:
        live.venue.outcome, live.venue.reasons = Outcome.REJECT, (reason,)
        rejected = run("account", "prove", *live.options, "--json")
        assert (rejected.code, rejected.document["outcome"], rejected.document["reasons"]) == (code, "REJECT", [reason])
    quote(live, account, {CASH: 2 * LOT}, number=2)
    refused = run("account", "pledge", *live.options, "--json")
    assert (refused.code, refused.document["outcome"], refused.document["standing"]) == (10, "REJECT", False)
    live.venue.proposal = None
    nothing = run("account", "pledge", *live.options, "--json")
    assert (nothing.code, nothing.error["code"]) == (2, "NOT_FOUND")


def test_a_second_machine_and_a_second_key(run: Command, live: Live, tmp_path: Path) -> None:
    account = new_account(run, live)
    with live.mining():
        rotated = run("account", "rotate-key", *live.options, *live.payer, "--json")
    assert (rotated.code, rotated.document["key_number"], rotated.document["final"]) == (0, 1, True), rotated.err
    file, second = tmp_path / "backup", tmp_path / "second"
    made = run("account", "backup", *live.options, "--out", str(file), "--json")
    assert (made.code, made.document["bytes"]) == (0, len(file.read_bytes()))
    again = run("account", "backup", *live.options, "--out", str(file), "--json")
    assert again.error["code"] == "CONFLICT"
    network = live.options[2:]
    restored = run("account", "restore", str(file), str(second), *network, "--json")
    assert restored.document["account"] == "0x" + account.hex()
    options = ("--account", str(second), *network)
    status = run("account", "status", *options, "--offline", "--json")
    assert (status.document["key_number"], len(status.document["locks"])) == (1, 1)
    file.write_bytes(file.read_bytes()[:-1])
    torn = run("account", "restore", str(file), str(tmp_path / "third"), *network, "--json")
    assert (torn.code, torn.error["code"]) == (3, "BACKUP_CORRUPT")
    signed = run("account", "revoke", *options, "--json")
    assert (signed.document["final"], signed.document["block_number"]) == (False, None)
    transaction = signed.document["transaction"]
    assert (transaction["chain"], transaction["to"].lower()) == (HOME, "0x" + live.network.network.registry.hex())
    assert transaction["data"].startswith("0x")
    with Account.open(second, live.network, PASSWORD) as opened:
        keys = [bytes(opened.secret.owner_key(0, number).key).hex() for number in (0, 1)]
    assert [key for key in keys if key in run.heard] == []


def test_endpoints_come_from_a_file(run: Command, live: Live, tmp_path: Path) -> None:
    file = tmp_path / "rpc"
    file.write_text("\n".join(f"{HOME}={url}/?key={ACCESS_KEY}" for url in live.chain.devnet.urls))
    made = run("account", "new", *live.options, "--rpc-file", str(file), "--insecure-fast", "--json")
    assert made.code == 0
    counted = run("account", "endpoints", *live.options, "--rpc-file", str(file), "--rpc", f"{HOME}=http://a", "--json")
    assert counted.document["endpoint_counts"] == {HOME: 4}
    assert ACCESS_KEY not in run.heard
    bad = run("account", "endpoints", *live.options, "--rpc-file", str(tmp_path / "none"), "--json")
    assert bad.error["code"] == "FILE_UNREADABLE"


def test_a_changed_bundle_is_found_and_many_are_checked_at_once(run: Command, live: Live, tmp_path: Path) -> None:
    account = new_account(run, live)
    quote(live, account, {CASH: LOT})
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    assert pledge_now(run, live, "--save", str(good)).code == 0
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
