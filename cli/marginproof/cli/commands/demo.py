"""``marginproof demo``: the main job, played from beginning to end on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import output_of

if TYPE_CHECKING:
    from marginproof.cli.demo import command
else:
    command = lazy_module("marginproof.cli.demo.command")


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep keys, databases and logs here (a new folder). Default: removed."),
    ] = None,
) -> None:
    """Play the main job: two chains, three relayers, a venue, a market maker, one bad day (80 seconds)."""
    raise typer.Exit(command.run_demo(as_json=output_of(context).as_json, keep=keep, directory=directory))
