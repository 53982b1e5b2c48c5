"""``marginproof venue``: run a venue's verifier, make its key, ask it, tell it of fills."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import FastOption, NetworkOption, PasswordFileOption, VenueOption, output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import venue_calls, venue_node
else:
    venue_calls = lazy_module("marginproof.cli.actions.venue_calls")
    venue_node = lazy_module("marginproof.cli.actions.venue_node")

app = typer.Typer(name="venue", help="Run a venue's verifier, or talk to one.", no_args_is_help=True)
keys_app = typer.Typer(name="keys", help="The venue's signing key.", no_args_is_help=True)
app.add_typer(keys_app)


@app.command("start")
def start(
    config: Annotated[Path, typer.Option(metavar="FILE", help="Configuration: marginproof/venue/v1, YAML.")],
) -> None:
    """Run a venue's verifier until SIGTERM or Ctrl-C. Logs go to stderr as JSON."""
    venue_node.start(config)


@app.command("announce")
def announce(
    context: typer.Context,
    config: Annotated[Path, typer.Option(metavar="FILE", help="Configuration: marginproof/venue/v1, YAML.")],
    policy: Annotated[Path, typer.Option(metavar="FILE", help="The policy file, byte for byte as it will be served.")],
) -> None:
    """Announce a policy on the home chain's registry, paid by the venue's key; shows from when it holds."""
    output_of(context).show(venue_node.announce(config, policy))


@app.command("status")
def status(
    context: typer.Context,
    network: NetworkOption,
    venue: VenueOption = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait.")] = 5.0,
) -> None:
    """Show a venue's policy in force and newest snapshot. Exit code 12 when the snapshot is not current."""
    output_of(context).show(venue_calls.status(network, venue, int(time.time()), timeout))


@app.command("fill")
def fill(
    context: typer.Context,
    target: Annotated[str, typer.Option(metavar="HOST:PORT", help="The venue's book service.")],
    certificate: Annotated[Path, typer.Option(metavar="FILE", help="Its pinned TLS certificate (PEM).")],
    token_file: Annotated[Path, typer.Option(metavar="FILE", help="File with its bearer token.")],
    account: Annotated[str, typer.Option(metavar="ID", help="Account id, hexadecimal.")],
    instrument: Annotated[str, typer.Option(metavar="ID", help="Universe entry that was traded.")],
    lots: Annotated[int, typer.Option(metavar="N", help="Signed number of lots; positive when the account buys.")],
    price_e8: Annotated[int, typer.Option(metavar="N", min=1, help="Price of one unit in 10^-8 USD.")],
    fill_id: Annotated[str, typer.Option(metavar="ID", help="The matching engine's id; a repeat changes nothing.")],
) -> None:
    """Book one fill, as the venue's matching engine does."""
    access = venue_calls.BookAccess(target, certificate, token_file)
    options = venue_calls.FillOptions(account, instrument, lots, price_e8, fill_id)
    output_of(context).show(venue_calls.fill(access, options))


@keys_app.command("new")
def new_key(
    context: typer.Context,
    keystore: Annotated[Path, typer.Option(metavar="FILE", help="Where the keystore goes; must be new.")],
    password_file: PasswordFileOption = None,
    insecure_fast: FastOption = False,
) -> None:
    """Make the key that signs snapshots and decisions; shows the venue's address."""
    output_of(context).show(venue_node.new_key(keystore, password_file, insecure_fast=insecure_fast))
