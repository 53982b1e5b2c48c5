"""Results on stdout, talk on stderr; JSON documents with a schema when asked for."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from marginproof.model.errors import MarginproofError

ERROR_SCHEMA: Final = "marginproof/error/v1"
_STYLES: Final = {"ACCEPT": "bold green", "REJECT": "bold red", "pass": "green", "fail": "bold red", "warn": "yellow"}


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What a command gives.

    Attributes:
        name: ``<noun>-<verb>``; the schema of the JSON document is ``marginproof/<name>/v1``.
        document: The JSON document without its schema; no secret is in it.
        fields: What a human sees: label and value.
        columns: Head of a table below the fields; none when empty.
        rows: The table's rows.
        exit_code: Of the process.
        closing: The last line for a human, below the table.
    """

    name: str
    document: dict[str, Any]
    fields: Sequence[tuple[str, str]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    exit_code: int = 0
    closing: str = ""

    @property
    def schema(self) -> str:
        """The JSON document's schema."""
        return f"marginproof/{self.name}/v1"


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """How this run of the command speaks."""

    as_json: bool = False
    quiet: bool = False

    def show(self, result: Result) -> None:
        """Prints a result, and ends the process when its exit code is not 0."""
        if self.as_json:
            sys.stdout.write(json.dumps({"schema": result.schema, **result.document}, indent=2) + "\n")
        else:
            _print_for_humans(result)
        if result.exit_code:
            raise typer.Exit(result.exit_code)

    def talk(self, message: str) -> None:
        """Says on stderr what is going on; silent with ``--quiet``."""
        if not self.quiet:
            Console(stderr=True, highlight=False).print(Text(message, style="dim"))


def print_error(error: MarginproofError, *, as_json: bool, details: Sequence[str] = ()) -> None:
    """Prints an error on stderr: code, message and what to do next."""
    if as_json:
        document = {
            "schema": ERROR_SCHEMA,
            "code": str(error.code),
            "message": error.message,
            "fix": error.fix,
            "fields": error.fields,
        }
        sys.stderr.write(json.dumps(document) + "\n")
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble((str(error.code), "bold red"), f": {error.message}"))
    for detail in details:
        console.print(Text(f"  {detail}"))
    if error.fix:
        console.print(Text.assemble(("  → ", "bold"), error.fix))


def _print_for_humans(result: Result) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if result.fields:
        width = max(len(label) for label, _ in result.fields)
        for label, value in result.fields:
            console.print(Text.assemble((label.ljust(width + 2), "dim"), (value, _STYLES.get(value, ""))))
    if result.columns:
        table = Table(*result.columns, box=None, pad_edge=False, header_style="dim")
        for row in result.rows:
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        # A table must not be cut where there is no terminal whose width it could fit.
        wide = console if console.is_terminal else Console(highlight=False, width=240)
        wide.print(table)
    if result.closing:
        console.print(Text(result.closing))
