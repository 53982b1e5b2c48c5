"""``marginproof demo``: a day of the network, played from beginning to end on this machine."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import output_of

if TYPE_CHECKING:
    from marginproof.cli.demo import command
else:
    command = lazy_module("marginproof.cli.demo.command")


class Story(StrEnum):
    """Which one is played."""

    FULL = "full"
    MAIN = "main"


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    only: Annotated[
        Story,
        typer.Option(metavar="STORY", help="full, or main: the short one with one venue."),
    ] = Story.FULL,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep keys, databases and logs here (a new folder). Default: removed."),
    ] = None,
) -> None:
    """Play one bad day: two chains, three relayers, two venues, a market maker and its agent (150 seconds at most)."""
    only_main, as_json = only is Story.MAIN, output_of(context).as_json
    raise typer.Exit(command.run_demo(as_json=as_json, keep=keep, directory=directory, only_main=only_main))
