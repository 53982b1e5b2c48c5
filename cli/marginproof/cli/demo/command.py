"""``marginproof demo``: builds the world, plays the story, shows the last screen, ends everything it started."""

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from marginproof.cli.demo.network import Pace
from marginproof.cli.demo.processes import resident_bytes
from marginproof.cli.demo.record import Record
from marginproof.cli.demo.scenario import load_scenario
from marginproof.cli.demo.screen import Screen, final_tables
from marginproof.cli.demo.story import Stage, play_full, play_main
from marginproof.cli.demo.world import Plan, World, build
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.reasons import ExitCode, ReasonCode

FULL: Final = "full"
MAIN: Final = "main"
_STORIES: Final = {
    MAIN: (Plan(("venue",), Pace(proof_interval_seconds=15, grace_seconds=12)), play_main),
    FULL: (Plan(("venue", "venue-b"), Pace(proof_interval_seconds=30, grace_seconds=15)), play_full),
}
_MEBIBYTE: Final = 1 << 20
_SAMPLE_SECONDS: Final = 0.5
_PIPED_WIDTH: Final = 120


def run_demo(*, as_json: bool, keep: bool, directory: Path | None, only_main: bool) -> int:
    """Runs the demo; gives the exit code: 0 only if every step had its expected outcome.

    Args:
        only_main: Play the short story with one venue.
        as_json: Write the record as JSON to stdout.
        keep: Leave everything running until Ctrl-C.
        directory: Where keys, databases and logs go and stay; a folder that is removed at the end when None.
    """
    talk = Console(stderr=True, highlight=False)
    with contextlib.ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marginproof-demo-")))
        else:
            directory = _new_folder(directory)
        record = Record(source=load_scenario().source, story=MAIN if only_main else FULL)
        try:
            asyncio.run(_run(record, Screen(talk), directory, keep=keep))
        except (KeyboardInterrupt, asyncio.CancelledError):
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


def _new_folder(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, mode=0o700)
    except FileExistsError as error:
        raise RefusedError(
            ReasonCode.CONFLICT, f"{directory.name!r} is there already", fix="name a folder that does not exist yet"
        ) from error
    return directory.resolve()


async def _run(record: Record, screen: Screen, directory: Path, *, keep: bool) -> None:
    task = asyncio.current_task()
    if task is not None:
        # Ended by a supervisor: the same orderly end as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with contextlib.AsyncExitStack() as stack:
        try:
            scenario = load_scenario()
            plan, play = _STORIES[record.story]
            screen.heading(f"Two chains, three relayers, {plan.venues}")
            world = await build(stack, directory, scenario, plan)
            sampler = asyncio.create_task(_sample_memory(world, record))
            stack.push_async_callback(_cancel, sampler)
            await play(Stage(world, scenario, record, screen))
        except MarginproofError as error:
            record.error = str(error)
            screen.heading(str(error))
        record.seconds = record.elapsed
        (directory / "record.json").write_text(json.dumps(record.document(), indent=2) + "\n")
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
    """Prints commands that work as they stand, and writes the variables they use into ``environment``."""
    variables = {
        "DEMO": str(world.directory),
        "MARGINPROOF_NETWORK": str(world.network_path),
        "MARGINPROOF_ACCOUNT": str(world.directory / "market-maker"),
        "MARGINPROOF_PASSWORD": world.password_path.read_text().strip(),
        "MARGINPROOF_VENUE": format_address(world.venue.address),
        "VENUE_BOOK": world.venue.book_target,
    }
    environment = world.directory / "environment"
    environment.touch(mode=0o600)  # it holds the demo's password
    environment.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
    screen.heading("Still running; Ctrl-C ends it. In another terminal, in the project's folder:")
    for line in (
        ". .venv/bin/activate",
        f". {environment}",
        "marginproof account status --amounts",
        "marginproof account prove",
        "marginproof verify presentation $DEMO/presentation-*.json",
        "marginproof relayer status",
    ):
        screen.say(line)
