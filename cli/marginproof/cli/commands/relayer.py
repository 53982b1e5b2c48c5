"""``marginproof relayer``: run a node, make its key, ask a network's relayers how they are."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import FastOption, NetworkOption, PasswordFileOption, output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import network_universe, relayer_node, relayer_status
else:
    network_universe = lazy_module("marginproof.cli.actions.network_universe")
    relayer_node = lazy_module("marginproof.cli.actions.relayer_node")
    relayer_status = lazy_module("marginproof.cli.actions.relayer_status")

app = typer.Typer(name="relayer", help="Run a relayer, or ask the network's relayers.", no_args_is_help=True)
keys_app = typer.Typer(name="keys", help="The relayer's BLS key.", no_args_is_help=True)
app.add_typer(keys_app)


@app.command("start")
def start(
    config: Annotated[Path, typer.Option(metavar="FILE", help="Configuration: marginproof/relayer/v1, YAML.")],
) -> None:
    """Run a relayer node until SIGTERM or Ctrl-C. Logs go to stderr as JSON."""
    relayer_node.start(config)


@app.command("status")
def status(
    context: typer.Context,
    network: NetworkOption,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for each.")] = 3.0,
) -> None:
    """Ask every relayer of the network how it is. Exit code 13 when fewer than the threshold are healthy."""
    output_of(context).show(relayer_status.status(network, timeout))


@app.command("announce-universe")
def announce_universe(
    context: typer.Context,
    network: NetworkOption,
    file: Annotated[Path, typer.Option(metavar="FILE", help="The universe file of the next version.")],
    announcement: Annotated[
        Path, typer.Option(metavar="FILE", help="The announcement; begun where there is none, else signed too.")
    ],
    keystore: Annotated[Path, typer.Option(metavar="FILE", help="The relayer's keystore (EIP-2335).")],
    at: Annotated[
        int | None,
        typer.Option(metavar="TIME", min=0, help="UTC second from which the notice runs. Default: shortly from now."),
    ] = None,
    password_file: PasswordFileOption = None,
) -> None:
    """Sign, offline, that the universe will change so that older pledges lapse. Refuses what breaks a rule."""
    result = network_universe.announce(network, file, announcement, keystore, password_file, at, int(time.time()))
    output_of(context).show(result)


@keys_app.command("new")
def new_key(
    context: typer.Context,
    keystore: Annotated[Path, typer.Option(metavar="FILE", help="Where the keystore (EIP-2335) goes; must be new.")],
    password_file: PasswordFileOption = None,
    insecure_fast: FastOption = False,
) -> None:
    """Make a BLS key; shows the public key and proof of possession that the network file needs."""
    output_of(context).show(relayer_node.new_key(keystore, password_file, insecure_fast=insecure_fast))
