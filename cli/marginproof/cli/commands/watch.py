"""``marginproof account watch``: the unattended agent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import watch as action
else:
    action = lazy_module("marginproof.cli.actions.watch")


def watch(
    context: typer.Context,
    config: Annotated[Path, typer.Option(metavar="FILE", help="Configuration: marginproof/agent/v1, YAML.")],
    once: Annotated[
        bool,
        typer.Option("--once", help="One round, for a timer. Exit code 0: every venue is well; else the first reason."),
    ] = False,
) -> None:
    """Look after the account until SIGTERM or Ctrl-C: prove when due, accept pledges within limits, warn, top up.

    Logs go to stderr as JSON. With --json every event is one JSON line on stdout.
    """
    output = output_of(context)
    result = action.watch(config, output, once=once)
    if result is not None:
        output.show(result)
