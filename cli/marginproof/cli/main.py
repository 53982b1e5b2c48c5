"""The ``marginproof`` command: its root, and the one place where errors become messages and exit codes."""

import importlib.metadata
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from marginproof.cli.commands import account, audit, demo, network, relayer, vectors, venue
from marginproof.cli.output import Output, print_error
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ExitCode, ReasonCode, exit_code

DEBUG_VARIABLE: Final = "MARGINPROOF_DEBUG"

app = typer.Typer(
    name="marginproof",
    help="Prove margin on several venues against collateral on several chains, revealing no amount, address or "
    "position.",
    epilog="Results go to stdout, everything else to stderr. Exit codes and every option: docs/cli.md.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for noun in (account.app, relayer.app, venue.app, audit.verify_app, audit.policy_app, network.app, vectors.app):
    app.add_typer(noun)
app.command("demo")(demo.demo)
app.command("doctor")(audit.doctor)
app.command("completion")(audit.completion)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"marginproof {importlib.metadata.version('marginproof')}\n")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document; may stand anywhere.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Sets how this run speaks."""
    del version  # answered by its callback
    context.obj = Output(as_json=json, quiet=quiet)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    ordered = ["--json"] * as_json + [argument for argument in given if argument != "--json"]
    try:
        app(ordered, prog_name="marginproof")
    except MarginproofError as error:
        _debug()
        print_error(error, as_json=as_json, details=_details(error))
        sys.exit(exit_code(error.code))
    except Exception as error:  # the last line of defence: no traceback, because it could hold a secret
        _debug()
        print_error(_unexpected(error), as_json=as_json)
        sys.exit(ExitCode.INTERNAL)


def _details(error: MarginproofError) -> list[str]:
    """What only the account holder at this terminal may read."""
    shortfall = getattr(error, "shortfall_usd", None)
    return [f"missing: {float(shortfall):.2f} USD (known to you alone)"] if shortfall is not None else []


def _unexpected(error: Exception) -> MarginproofError:
    return MarginproofError(
        ReasonCode.INTERNAL,
        f"unexpected {type(error).__name__}",
        fix=f"this is a fault of ours; run again with {DEBUG_VARIABLE}=1 to see where, and report it",
    )


def _debug() -> None:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exc()


if __name__ == "__main__":
    main()
