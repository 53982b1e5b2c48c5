"""Child processes of the demo: started in their own session, logged to files, ended by their own process ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from marginproof.model.errors import UnavailableError

_STOP_SECONDS: Final = 8.0
_LOG_TAIL_BYTES: Final = 2000


class Child:
    """One `marginproof …` process that runs until it is stopped.

    Args:
        name: How messages and its log file name it.
        arguments: What follows the command's name.
        directory: Where its log goes.
        environment: Variables it gets beside ours.
    """

    def __init__(self, name: str, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log_path = directory / f"{name}.log"
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments, no shell
                [*command_line(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                # Ctrl-C in a terminal must reach the demo alone, which then ends its children in order.
                start_new_session=True,
            )
        (directory / f"{name}.pid").write_text(f"{self._process.pid}\n")

    @property
    def process_id(self) -> int:
        """The child's process id."""
        return self._process.pid

    def check_running(self) -> None:
        """Raises UnavailableError when the process has ended, with the end of its log."""
        code = self._process.poll()
        if code is not None:
            tail = self.log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
            raise UnavailableError(f"{self.name} ended with exit code {code}:\n{tail}")

    def stop(self) -> None:
        """Asks the process to end, waits, and kills it if it does not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def command_line() -> list[str]:
    """How to start this same command in another process."""
    return [sys.executable, "-m", "marginproof.cli.main"]


def resident_bytes(process_ids: Sequence[int]) -> int:
    """Resident memory of the processes together; ended ones count nothing."""
    total = 0
    for process_id in process_ids:
        try:
            total += psutil.Process(process_id).memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
