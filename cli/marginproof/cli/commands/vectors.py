"""``marginproof vectors``: known answers of the proof system."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import vectors
else:
    vectors = lazy_module("marginproof.cli.actions.vectors")

app = typer.Typer(name="vectors", help="Check and make known answers of the proof system.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Cases as core/vectors/FORMAT.md describes them.")]


@app.command("check")
def check(context: typer.Context, file: FileArgument) -> None:
    """Compare every case with this build: digest, commitments, challenges, verdict. Exit code 1: one differs."""
    output = output_of(context)
    output.show(vectors.check(file, output.talk))


@app.command("prove")
def prove(
    context: typer.Context,
    file: FileArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the cases with fresh proofs go.")],
) -> None:
    """Make a fresh proof for every case that has openings, in the same format."""
    output = output_of(context)
    output.show(vectors.prove(file, vectors.check_target(out), output.talk))
