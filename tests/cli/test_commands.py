"""Every command: shape of its result, and what it says to bad input."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from marginproof.cli.actions import opened
from marginproof.cli.amounts import format_units, parse_units
from marginproof.cli.main import main
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode, exit_code
from marginproof.risk.packaged import packaged_policy
from tests.support.command import Command

NOUNS = ("account", "relayer", "venue", "verify", "policy", "network", "demo", "doctor", "completion")


def test_help_names_every_noun(run: Command) -> None:
    spoken = run("--help")
    assert spoken.code == 0
    assert [noun for noun in NOUNS if noun not in spoken.out] == []


def test_help_loads_no_chain_library() -> None:
    script = (
        "import sys\nfrom marginproof.cli.main import main\n"
        "try:\n    main(['account', 'prove', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'web3', 'eth_account', 'grpc', 'cryptography', 'yaml', 'py_ecc'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_version_and_installed_script() -> None:
    program = Path(sys.executable).with_name("marginproof")
    ended = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert ended.stdout.startswith("marginproof 0.")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run: Command, shell: str) -> None:
    spoken = run("completion", shell)
    assert spoken.code == 0
    assert "_MARGINPROOF_COMPLETE" in spoken.out


def test_completion_completes() -> None:
    environment = os.environ | {
        "_MARGINPROOF_COMPLETE": "complete_bash",
        "COMP_WORDS": "marginproof account to",
        "COMP_CWORD": "2",
    }
    program = Path(sys.executable).with_name("marginproof")
    ended = subprocess.run([program], check=False, capture_output=True, text=True, env=environment)
    assert ended.stdout.split() == ["top-up"]


def test_a_closed_pipe_is_no_fault() -> None:
    program = Path(sys.executable).with_name("marginproof")
    ended = subprocess.run(f"{program} policy show --json | head -c 1", shell=True, check=False, capture_output=True)  # noqa: S602 - our own words
    assert b"Traceback" not in ended.stderr
    assert ended.stdout == b"{"


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    script = (
        "import os, signal\nimport marginproof.cli.actions.policy as policy\nfrom marginproof.cli.main import main\n"
        "policy.show = lambda *_: os.kill(os.getpid(), signal.SIGINT)\nmain(['policy', 'show'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.returncode == 130
    assert "Traceback" not in ended.stderr


KEYS = {
    ("policy", "show"): {
        "name",
        "digest",
        "scenario_count",
        "initial_loss_factor",
        "maintenance_loss_factor",
        "source",
        "packaged",
        "scenarios",
    },
    ("network", "show"): {
        "network_id",
        "development",
        "home_chain",
        "registry",
        "n",
        "file_digest",
        "universe_version",
        "universe_digest",
        "configuration",
        "vaults",
        "relayers",
        "venues",
        "entries",
    },
    ("doctor",): {"healthy", "checks"},
    ("relayer", "status"): {"healthy_count", "threshold", "relayers"},
    ("account", "new"): {"account", "network_id", "directory", "venues"},
    ("account", "endpoints"): {"endpoint_counts"},
    ("account", "status"): {"account", "venues", "key_number", "registration", "locks"},
    ("relayer", "keys", "new"): {"keystore", "public_key", "possession"},
    ("venue", "keys", "new"): {"keystore", "address"},
}


def arguments_for(command: tuple[str, ...], network: Path, folder: Path) -> list[str]:
    options = {
        "policy": [],
        "account": ["--network", str(network), "--account", str(folder / "account")],
        "network": ["--network", str(network)],
        "doctor": ["--network", str(network)],
        "relayer": ["--network", str(network)],
    }
    arguments = [*command, *options.get(command[0], [])]
    if "keys" in command:
        arguments = [*command, "--keystore", str(folder / f"{command[0]}.json"), "--insecure-fast"]
    if command == ("account", "new"):
        arguments.append("--insecure-fast")
    if command == ("account", "status"):
        arguments.append("--offline")
    return arguments


def test_documents_have_their_schema_and_exactly_their_keys(run: Command, network_path: Path, tmp_path: Path) -> None:
    """Golden: keys are only ever added, and then on purpose."""
    for command, keys in KEYS.items():
        spoken = run(*arguments_for(command, network_path, tmp_path), "--json")
        assert spoken.document.pop("schema") == f"marginproof/{'-'.join(command)}/v1", command
        assert set(spoken.document) - {"schema"} == keys, command


def test_the_same_results_read_well(run: Command, network_path: Path, tmp_path: Path) -> None:
    for command in KEYS:
        spoken = run(*arguments_for(command, network_path, tmp_path))
        assert spoken.out.strip(), command
        assert "Traceback" not in spoken.err


def test_json_may_stand_anywhere(run: Command) -> None:
    for arguments in (("--json", "policy", "show"), ("policy", "--json", "show"), ("policy", "show", "--json")):
        assert run(*arguments).document["schema"] == "marginproof/policy-show/v1"


def bad_inputs(network: Path, folder: Path) -> list[tuple[list[str], str]]:
    account = ["--network", str(network), "--account", str(folder / "a")]
    missing = str(folder / "missing")
    binary = folder / "binary"
    binary.write_bytes(b"\x00\xff" * 100)
    large = folder / "large"
    large.write_bytes(b"a" * 5_000_000)
    return [
        (["network", "show", "--network", missing], "FILE_UNREADABLE"),
        (["network", "show", "--network", str(folder)], "FILE_UNREADABLE"),
        (["network", "show", "--network", str(binary)], "CONFIG_INVALID"),
        (["network", "show", "--network", str(large)], "TOO_LARGE"),
        (["policy", "check", missing], "FILE_UNREADABLE"),
        (["policy", "check", str(binary)], "POLICY_INVALID"),
        (["policy", "check", str(large)], "TOO_LARGE"),
        (["policy", "show", "none"], "NOT_FOUND"),
        (["verify", "presentation", missing, "--network", str(network)], "FILE_UNREADABLE"),
        (["verify", "presentation", str(binary), "--network", str(network)], "MALFORMED"),
        (["relayer", "start", "--config", missing], "FILE_UNREADABLE"),
        (["relayer", "start", "--config", str(binary)], "CONFIG_INVALID"),
        (["venue", "start", "--config", missing], "FILE_UNREADABLE"),
        (["venue", "start", "--config", str(binary)], "CONFIG_INVALID"),
        (["relayer", "keys", "new", "--keystore", str(binary)], "FILE_UNREADABLE"),
        (["venue", "keys", "new", "--keystore", str(binary)], "FILE_UNREADABLE"),
        (["account", "status", *account], "FILE_UNREADABLE"),
        (["account", "new", *account, "--venue", "0x12"], "MALFORMED"),
        (["account", "new", *account, "--venue", "0x" + "00" * 20], "OUT_OF_RANGE"),
        (["account", "new", *account, "--rpc", "nonsense"], "MALFORMED"),
        (["account", "new", *account, "--rpc", "eip155:1=ftp://host"], "MALFORMED"),
        (["account", "new", *account, "--rpc", "=http://host"], "MALFORMED"),
        (["account", "new", *account, "--password-file", missing], "FILE_UNREADABLE"),
        (["account", "new", *account, "--password-file", str(large)], "FILE_UNREADABLE"),
        (["account", "withdraw", *account, "--lock", "0", "--to", "0x" + "00" * 20], "MALFORMED"),
    ]


def test_each_bad_input_has_its_code_and_leaves_nothing(run: Command, network_path: Path, tmp_path: Path) -> None:
    cases = bad_inputs(network_path, tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    for arguments, code in cases:
        spoken = run(*arguments, "--json")
        assert spoken.error["code"] == code, (arguments, spoken)
        assert spoken.code == exit_code(ReasonCode(code)), arguments
        assert set(spoken.error) == {"schema", "code", "message", "fix", "fields"}
        assert spoken.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def account_inputs(folder: Path) -> list[tuple[list[str], str]]:
    key = folder / "key"
    key.write_text("11" * 31)
    return [
        (["lock", "--asset", "none", "--amount", "1"], "NOT_FOUND"),
        (["lock", "--asset", "USD", "--amount", "1"], "OUT_OF_RANGE"),
        (["lock", "--asset", "usdc"], "MALFORMED"),
        (["lock", "--asset", "usdc", "--amount", "1", "--resume"], "MALFORMED"),
        (["lock", "--asset", "usdc", "--amount", "-1"], "OUT_OF_RANGE"),
        (["lock", "--asset", "usdc", "--amount", "0"], "OUT_OF_RANGE"),
        (["lock", "--asset", "usdc", "--amount", "1e3"], "OUT_OF_RANGE"),
        (["lock", "--asset", "usdc", "--amount", "0.0000001"], "OUT_OF_RANGE"),
        (["lock", "--asset", "usdc", "--amount", "1", "--gas-reserve", "lots"], "OUT_OF_RANGE"),
        (["lock", "--asset", "usdc", "--amount", "1", "--funding-key-file", str(folder / "none")], "FILE_UNREADABLE"),
        (["lock", "--asset", "usdc", "--amount", "1", "--funding-key-file", str(key)], "KEY_INVALID"),
        (["lock", "--asset", "usdc", "--amount", "1"], "NOT_FOUND"),
        (["top-up", "--lock", "0", "--amount", "1"], "NOT_FOUND"),
        (["notice", "start", "--lock", "0"], "NOT_FOUND"),
        (["notice", "cancel", "--lock", "9"], "NOT_FOUND"),
        (["register"], "LOCK_ABSENT"),
        (["prove", "--venue", "0x" + "77" * 20], "NOT_FOUND"),
        (["prove"], "UNAVAILABLE"),
    ]


def test_each_bad_account_input_has_its_code_and_changes_nothing(
    run: Command, network_path: Path, tmp_path: Path
) -> None:
    options = ["--network", str(network_path), "--account", str(tmp_path / "account")]
    assert run("account", "new", *options, "--insecure-fast").code == 0
    before = (tmp_path / "account" / "state").read_bytes()
    for arguments, code in account_inputs(tmp_path):
        verbs = 2 if arguments[0] == "notice" else 1
        spoken = run("account", *arguments[:verbs], *options, *arguments[verbs:], "--json")
        assert spoken.error["code"] == code, (arguments, spoken)
        assert (tmp_path / "account" / "state").read_bytes() == before, arguments


def test_a_wrong_password_and_none(
    run: Command, network_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--network", str(network_path), "--account", str(tmp_path / "account"))
    run("account", "new", *options, "--insecure-fast")
    monkeypatch.setenv("MARGINPROOF_PASSWORD", "planted-wrong-password")
    wrong = run("account", "status", *options, "--offline")
    assert (wrong.code, "KEYSTORE_PASSWORD" in wrong.err) == (3, True)
    monkeypatch.delenv("MARGINPROOF_PASSWORD")
    none = run("account", "status", *options, "--offline")
    assert (none.code, "KEYSTORE_PASSWORD" in none.err) == (3, True)
    path = tmp_path / "password"
    path.write_text("correct horse battery\r\nsecond line")
    assert run("account", "status", *options, "--offline", "--password-file", str(path)).code == 0
    assert "planted-wrong-password" not in run.heard


def test_weak_encryption_only_where_nothing_is_at_stake(run: Command, network_path: Path, tmp_path: Path) -> None:
    network_path.write_text(network_path.read_text().replace("development: true", "development: false"))
    options = ("--network", str(network_path), "--account", str(tmp_path / "account"))
    spoken = run("account", "new", *options, "--insecure-fast", "--json")
    assert (spoken.code, spoken.error["code"]) == (3, "CONFIG_INVALID")
    assert not (tmp_path / "account").exists()


def test_usage_errors_exit_with_2(run: Command) -> None:
    for arguments in (("account",), ("nothing",), ("account", "lock"), ("policy", "show", "--nothing")):
        assert run(*arguments).code == 2
        assert "Traceback" not in run.heard


def test_the_unexpected_is_named_by_class_only(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("planted-secret")

    monkeypatch.setattr(opened, "Access", fails)
    spoken = run("account", "status", "--network", "n", "--account", "a", "--json")
    assert (spoken.code, spoken.error["code"], spoken.error["message"]) == (1, "INTERNAL", "unexpected RuntimeError")
    assert "planted-secret" not in run.heard
    monkeypatch.setenv("MARGINPROOF_DEBUG", "1")
    assert "planted-secret" in run("account", "status", "--network", "n", "--account", "a").err


def test_relayers_that_cannot_be_reached(run: Command, network_path: Path) -> None:
    spoken = run("relayer", "status", "--network", str(network_path), "--json")
    assert (spoken.code, spoken.document["healthy_count"]) == (13, 0)
    assert {relayer["failure"] for relayer in spoken.document["relayers"]} == {"UNAVAILABLE"}
    doctor = run("doctor", "--network", str(network_path), "--json")
    assert (doctor.code, doctor.document["healthy"]) == (3, False)


def test_doctor_finds_files_that_others_may_read(run: Command, network_path: Path, tmp_path: Path) -> None:
    options = ("--network", str(network_path), "--account", str(tmp_path / "account"))
    run("account", "new", *options, "--insecure-fast")
    outcomes = []
    for mode in (0o600, 0o644):
        (tmp_path / "account" / "state").chmod(mode)
        checks = run("doctor", "--account", str(tmp_path / "account"), "--json").document["checks"]
        outcomes.append({check["check"]: check["outcome"] for check in checks}["account files"])
    assert outcomes == ["pass", "fail"]


def test_a_policy_that_leaves_entries_unweighed(run: Command, network_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(packaged_policy())
    good = run("policy", "check", str(path), "--network", str(network_path), "--json")
    assert (good.code, good.document["entry_count"]) == (0, 4)
    network_path.write_text(network_path.read_text().replace("price:USDC", "price:XYZ"))
    bad = run("policy", "check", str(path), "--network", str(network_path), "--json")
    assert (bad.code, bad.error["code"]) == (3, "POLICY_INCOMPLETE")


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [("1", 0, 1), ("1", 18, 10**18), ("0.5", 1, 5), ("2.50", 1, 25), ("0", 6, 0), ("007", 2, 700)],
)
def test_amounts_are_exact(text: str, decimals: int, units: int) -> None:
    assert parse_units(text, decimals) == units
    assert parse_units(format_units(units, decimals), decimals) == units


@pytest.mark.parametrize(
    "text", ["", ".", "1.", ".5", "-1", "+1", "1e5", "1,000", "٣", "0x10", "1" * 31, "1.55", "nan"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(MarginproofError) as caught:
        parse_units(text, 1)
    assert caught.value.code is ReasonCode.OUT_OF_RANGE


def test_main_without_arguments_reads_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["marginproof", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
