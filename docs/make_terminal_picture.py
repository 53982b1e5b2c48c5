"""Draws the demo's last screen from a saved record: docs/images/terminal.svg.

usage: marginproof demo --json > record.json && python docs/make_terminal_picture.py record.json
"""

import dataclasses
import io
import json
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from marginproof.cli.demo.record import PartyView, Record, Step
from marginproof.cli.demo.screen import final_tables

PICTURE: Final = Path(__file__).parent / "images" / "terminal.svg"
_WIDTH: Final = 118
# The library's own frame loads fonts from a web address; this one uses the reader's.
_FRAME: Final = """<svg xmlns="http://www.w3.org/2000/svg" class="rich-terminal" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>\
</clipPath>{lines}</defs>
<rect fill="#292929" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def read_record(document: dict[str, Any]) -> Record:
    """The record of a run that was saved with ``--json``."""
    steps = [Step(**{field.name: step[field.name] for field in dataclasses.fields(Step)}) for step in document["steps"]]
    for step in steps:
        step.reasons = tuple(step.reasons)
    return Record(
        source=document["source"],
        story=document["story"],
        steps=steps,
        parties=[PartyView(**party) for party in document["parties"]],
        certificates=document["certificates"],
        seconds=document["seconds"],
        peak_memory_mebibytes=document["peak_memory_mebibytes"],
        error=document["error"],
    )


def main(path: str) -> None:
    """Writes the picture."""
    record = read_record(json.loads(Path(path).read_text()))
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), highlight=False, force_terminal=True)
    for table in final_tables(record):
        console.print(table)
    console.save_svg(str(PICTURE), theme=SVG_EXPORT_THEME, code_format=_FRAME, unique_id="demo")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
