"""Runs ``marginproof`` in this process and keeps everything it says."""

import dataclasses
import json
from typing import Any

import pytest

from marginproof.cli.main import main

VARIABLES = ("NETWORK", "ACCOUNT", "VENUE", "DEBUG", "RPC_FILE")
"""What this machine's user may have set, after ``MARGINPROOF_``; no test may depend on it."""


@dataclasses.dataclass(frozen=True)
class Spoken:
    """What one run said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        assert self.out, self.err
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def error(self) -> dict[str, Any]:
        """The JSON document that is the last line on stderr."""
        document: dict[str, Any] = json.loads(self.err.strip().splitlines()[-1])
        return document


@dataclasses.dataclass
class Command:
    """Runs ``marginproof`` and keeps everything that any run said."""

    capsys: pytest.CaptureFixture[str]
    heard: str = ""

    def __call__(self, *arguments: str) -> Spoken:
        self.capsys.readouterr()
        try:
            main(arguments)
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        out, err = self.capsys.readouterr()
        self.heard += out + err
        return Spoken(int(code or 0), out, err)
