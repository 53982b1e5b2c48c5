"""The commands that need no key: ``verify``, ``policy``, ``doctor``, ``completion``."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer._completion_shared import get_completion_script  # what --show-completion prints; typer has no public name

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import ACCOUNT_VARIABLE, NetworkOption, OptionalNetworkOption, output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import doctor as doctor_actions
    from marginproof.cli.actions import policy as policy_actions
    from marginproof.cli.actions import policy_vectors as policy_vectors_actions
    from marginproof.cli.actions import verify as verify_actions
else:
    doctor_actions = lazy_module("marginproof.cli.actions.doctor")
    policy_actions = lazy_module("marginproof.cli.actions.policy")
    policy_vectors_actions = lazy_module("marginproof.cli.actions.policy_vectors")
    verify_actions = lazy_module("marginproof.cli.actions.verify")

verify_app = typer.Typer(name="verify", help="Check saved evidence offline, as an auditor would.", no_args_is_help=True)
policy_app = typer.Typer(name="policy", help="Read and check margin policies.", no_args_is_help=True)

PolicyFile = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="A policy file.")]


class Shell(StrEnum):
    """Shells that completion can be made for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@verify_app.callback()
def _verify() -> None:
    """Check saved evidence offline, as an auditor would."""


@verify_app.command("presentation")
def verify_presentation(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files saved by `account prove --save`.")],
    network: NetworkOption,
    at: Annotated[
        int | None,
        typer.Option(metavar="TIME", min=0, help="UTC second to judge at. Default: that of the signed decision."),
    ] = None,
) -> None:
    """Check presentations and the certificates they rest on, step by step, asking nobody."""
    output_of(context).show(verify_actions.presentation(network, files, at))


@policy_app.command("show")
def policy_show(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A policy that ships; default: standard.")] = None,
    file: PolicyFile = None,
) -> None:
    """Show a policy's digest, levels and scenarios; with --json also its source."""
    output_of(context).show(policy_actions.show(name, file))


@policy_app.command("check")
def policy_check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy file.")],
    network: OptionalNetworkOption,
) -> None:
    """Check a policy file and, with a network file, that it weighs every entry of the universe."""
    output_of(context).show(policy_actions.check(file, network))


@policy_app.command("check-vectors")
def policy_check_vectors(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Files of published PMRM_2 vectors, *.json.")],
) -> None:
    """Compare the clear PMRM_2 margin with published vectors. Exit code 1: one is missed or cannot be read."""
    output_of(context).show(policy_vectors_actions.check_vectors(directory))


def doctor(
    context: typer.Context,
    network: OptionalNetworkOption,
    account: Annotated[
        Path | None, typer.Option(envvar=ACCOUNT_VARIABLE, metavar="DIR", help="The account's directory.")
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for relayers.")] = 3.0,
) -> None:
    """Check versions, tools, file modes and whether the network's relayers can be reached."""
    output_of(context).show(doctor_actions.run(network, account, timeout))


def completion(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print a completion script; add it to the shell's start-up file."""
    script = get_completion_script(prog_name="marginproof", complete_var="_MARGINPROOF_COMPLETE", shell=shell.value)
    sys.stdout.write(script + "\n")
