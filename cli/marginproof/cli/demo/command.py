"""``marginproof demo``: builds the world, plays the story, shows the last screen, ends everything it started."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from marginproof.cli.demo.processes import resident_bytes
from marginproof.cli.demo.record import Record
from marginproof.cli.demo.scenario import load_scenario
from marginproof.cli.demo.screen import Screen, final_tables
from marginproof.cli.demo.story import Story
from marginproof.cli.demo.world import World, build
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ExitCode

_MEBIBYTE: Final = 1 << 20
_SAMPLE_SECONDS: Final = 0.5
_PIPED_WIDTH: Final = 120


def run_demo(*, as_json: bool, keep: bool, directory: Path | None) -> int:
    """Runs the demo; gives the exit code: 0 only if every step had its expected outcome.

    Args:
        as_json: Write the record as JSON to stdout.
        keep: Leave everything running until Ctrl-C.
        directory: Where keys, databases and logs go and stay; a folder that is removed at the end when None.
    """
    talk = Console(stderr=True, highlight=False)
    with contextlib.ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marginproof-demo-")))
        else:
            directory.mkdir(parents=True, mode=0o700)
        record = Record(source=load_scenario().source)
        try:
            asyncio.run(_run(record, Screen(talk), directory, keep=keep))
        except KeyboardInterrupt:
            talk.print("interrupted; everything that was started has been ended")
            return ExitCode.INTERRUPTED
    if as_json:
        sys.stdout.write(json.dumps(record.document(), indent=2) + "\n")
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=_PIPED_WIDTH)
        for table in final_tables(record):
            console.print(table)
    return ExitCode.ACCEPTED if record.as_expected else ExitCode.INTERNAL


async def _run(record: Record, screen: Screen, directory: Path, *, keep: bool) -> None:
    task = asyncio.current_task()
    if task is not None:
        # Ended by a supervisor: the same orderly end as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with contextlib.AsyncExitStack() as stack:
        try:
            scenario = load_scenario()
            screen.heading("Two chains, three relayers, a venue")
            world = await build(stack, directory, scenario)
            sampler = asyncio.create_task(_sample_memory(world, record))
            stack.push_async_callback(_cancel, sampler)
            await Story(world, scenario, record, screen).play()
        except MarginproofError as error:
            record.error = str(error)
            screen.heading(str(error))
        record.seconds = record.elapsed
        if keep and not record.error:
            _show_commands(world, screen)
            await asyncio.Event().wait()


async def _sample_memory(world: World, record: Record) -> None:
    while True:
        used = await asyncio.to_thread(resident_bytes, [os.getpid(), *world.process_ids()])
        record.peak_memory_mebibytes = max(record.peak_memory_mebibytes, used / _MEBIBYTE)
        await asyncio.sleep(_SAMPLE_SECONDS)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _show_commands(world: World, screen: Screen) -> None:
    screen.heading("Still running; Ctrl-C ends it. In another terminal:")
    for line in (
        f"export MARGINPROOF_NETWORK={world.network_path}",
        f"export MARGINPROOF_ACCOUNT={world.directory / 'market-maker'}",
        f"export MARGINPROOF_PASSWORD=$(cat {world.password_path})",
        "marginproof account status --amounts",
        f"marginproof account prove --venue {format_address(world.venue_address)}",
        f"marginproof verify presentation {world.directory / 'presentation-opening.json'}",
        "marginproof relayer status",
    ):
        screen.say(line)


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep keys, databases and logs here (a new folder). Default: removed."),
    ] = None,
) -> None:
    """Play the main job: two chains, three relayers, a venue, a market maker, one bad day (about a minute)."""
    as_json = bool(getattr(context.find_root().obj, "as_json", False))
    raise typer.Exit(run_demo(as_json=as_json, keep=keep, directory=directory))
