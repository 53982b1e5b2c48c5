"""Writes docs/cli.md from the commands themselves; a test compares, so that page and command cannot drift apart."""

import sys
from collections.abc import Iterator
from typing import Any, Final

import typer

from marginproof.cli.main import DEBUG_VARIABLE, app
from marginproof.cli.options import ACCOUNT_VARIABLE, NETWORK_VARIABLE, VENUE_VARIABLE
from marginproof.cli.passwords import PASSWORD_VARIABLE
from marginproof.model.reasons import ExitCode, ReasonCode, exit_code

_OMITTED: Final = {"--help"}
_MEANINGS: Final = {
    "ACCEPTED": "done; for `account prove`: accepted",
    "INTERNAL": "a fault of ours",
    "USAGE": "an option, argument or input that cannot be",
    "CONFIG": "a file, keystore, password or tool is wrong or missing",
    "REJECTED": "refused by a rule of the protocol or of a policy",
    "PROOF_INVALID": "a proof or a point in it does not hold",
    "STALE": "something is too old: snapshot, certificate, price, book",
    "QUORUM": "too few relayers or endpoints, or they contradict one another",
    "WRONG_CHAIN": "another network, chain or contract than expected",
    "NETWORK": "a server or chain cannot be reached in time",
    "INTERRUPTED": "ended by Ctrl-C",
}
_VARIABLES: Final = {
    NETWORK_VARIABLE: "the network file, in place of `--network`",
    ACCOUNT_VARIABLE: "the account's directory, in place of `--account`",
    VENUE_VARIABLE: "the venue's address, in place of `--venue`",
    PASSWORD_VARIABLE: "the keystore's password, where `--password-file` is not given",
    DEBUG_VARIABLE: "set to anything: show where an error came from, on stderr; may show secrets",
    "MARGINPROOF_ANVIL": "the `anvil` program for the demo",
}
_HEAD: Final = """# The command

Made from the command itself by `python -m marginproof.cli.reference_page`; do not edit.

Results go to stdout, everything else to stderr. `--json` prints one JSON document whose `schema` is
`marginproof/<noun>-<verb>/v1`; it may stand anywhere. An error is one line `CODE: message` with what to do next, or a
JSON document `marginproof/error/v1`, on stderr. No secret is ever printed; `account status --amounts` and the shortfall
that `account prove` may name are for the account holder alone.
"""


def reference_page() -> str:
    """The whole page, Markdown."""
    root: Any = typer.main.get_command(app)
    parts = [_HEAD, *_commands(root, ["marginproof"]), _exit_codes(), _environment()]
    return "\n".join(parts)


def _commands(command: Any, path: list[str]) -> Iterator[str]:
    """A section for every command below ``command``, in the order of the help screen."""
    yield _section(command, path)
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, [*path, name])


def _section(command: Any, path: list[str]) -> str:
    arguments = "".join(f" {_argument(param)}" for param in command.params if param.param_type_name == "argument")
    kind = " COMMAND" if getattr(command, "commands", None) else ""
    lines = [f"## {' '.join(path)}", "", f"`{' '.join(path)} [OPTIONS]{arguments}{kind}`", "", command.help.strip(), ""]
    options = [param for param in command.params if not _OMITTED & set(param.opts)]
    if options:
        lines += ["| option | | meaning |", "|---|---|---|", *(_row(param) for param in options), ""]
    return "\n".join(lines)


def _argument(param: Any) -> str:
    return str(param.metavar or param.name.upper())


def _row(param: Any) -> str:
    is_argument = param.param_type_name == "argument"
    name = _argument(param) if is_argument else ", ".join(param.opts)
    value = "" if is_argument or param.is_flag else f" {param.metavar or param.name.upper()}"
    return f"| `{name}{value}` | {'required' if param.required else _default(param)} | {param.help or ''} |"


def _default(param: Any) -> str:
    value = param.default
    if value in (None, False, [], ()) or callable(value):
        return ""
    return f"default {value}"


def _exit_codes() -> str:
    codes = {name: code for name, code in vars(ExitCode).items() if name.isupper()}
    reasons: dict[int, list[str]] = {}
    for reason in ReasonCode:
        reasons.setdefault(exit_code(reason), []).append(f"`{reason}`")
    rows = [f"| {code} | {_MEANINGS[name]} | {_named(reasons.get(code, []), code)} |" for name, code in codes.items()]
    return "\n".join(["## Exit codes", "", "| code | meaning | reason codes |", "|---|---|---|", *rows, ""])


def _named(reasons: list[str], code: int) -> str:
    return "every other reason" if code == ExitCode.REJECTED else ", ".join(reasons)


def _environment() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in _VARIABLES.items()]
    return "\n".join(["## Environment", "", "| variable | meaning |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(reference_page())
