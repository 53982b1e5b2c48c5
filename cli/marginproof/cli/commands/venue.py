"""``marginproof venue``: run a venue's verifier, make its key, ask it, tell it of lines, orders and fills."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import FastOption, NetworkOption, PasswordFileOption, VenueOption, output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import venue_book, venue_calls, venue_node
else:
    venue_book = lazy_module("marginproof.cli.actions.venue_book")
    venue_calls = lazy_module("marginproof.cli.actions.venue_calls")
    venue_node = lazy_module("marginproof.cli.actions.venue_node")

ConfigOption = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="Configuration: marginproof/venue/v1, YAML.")
]
TargetOption = Annotated[str, typer.Option("--target", metavar="HOST:PORT", help="The venue's book service.")]
CertificateOption = Annotated[
    Path, typer.Option("--certificate", metavar="FILE", help="Its pinned TLS certificate (PEM).")
]
TokenOption = Annotated[Path, typer.Option("--token-file", metavar="FILE", help="File with its bearer token.")]
AccountIdOption = Annotated[str, typer.Option("--account", metavar="ID", help="Account id, hexadecimal.")]
InstrumentOption = Annotated[str, typer.Option("--instrument", metavar="ID", help="Universe entry to trade.")]
LotsOption = Annotated[
    int, typer.Option("--lots", metavar="N", help="Signed number of lots; positive when the account buys.")
]
PriceOption = Annotated[int, typer.Option("--price-e8", metavar="N", min=1, help="Price of one unit in 10^-8 USD.")]

app = typer.Typer(name="venue", help="Run a venue's verifier, or talk to one.", no_args_is_help=True)
keys_app = typer.Typer(name="keys", help="The venue's signing key.", no_args_is_help=True)
app.add_typer(keys_app)


@app.command("start")
def start(
    config: ConfigOption,
) -> None:
    """Run a venue's verifier until SIGTERM or Ctrl-C. Logs go to stderr as JSON."""
    venue_node.start(config)


@app.command("announce")
def announce(
    context: typer.Context,
    config: ConfigOption,
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


@app.command("agree")
def agree(
    context: typer.Context,
    config: ConfigOption,
    other: Annotated[str, typer.Option("--with", metavar="ADDRESS", help="The other venue.")],
    end: Annotated[bool, typer.Option("--end", help="End the agreement, after the network's policy delay.")] = False,
) -> None:
    """Agree on the registry to count another venue's pledges in full; it holds once both have agreed."""
    output_of(context).show(venue_node.agree(config, other, end=end))


@app.command("reserve")
def reserve(
    context: typer.Context,
    target: TargetOption,
    certificate: CertificateOption,
    token_file: TokenOption,
    account: AccountIdOption,
    line_lots: Annotated[int, typer.Option(metavar="N", min=0, help="The trading line, in lots of the cash entry.")],
) -> None:
    """Propose a pledge with a trading line; the account proves it and consents, then the line opens."""
    access = venue_book.BookAccess(target, certificate, token_file, account)
    output_of(context).show(venue_book.reserve(access, line_lots))


@app.command("release")
def release(
    context: typer.Context,
    target: TargetOption,
    certificate: CertificateOption,
    token_file: TokenOption,
    account: AccountIdOption,
) -> None:
    """Give up the pledge of an account without positions or debts; its line closes at once."""
    output_of(context).show(venue_book.release(venue_book.BookAccess(target, certificate, token_file, account)))


@app.command("pledge")
def pledge(
    context: typer.Context,
    target: TargetOption,
    certificate: CertificateOption,
    token_file: TokenOption,
    account: AccountIdOption,
) -> None:
    """Show how far an account's pledge is."""
    output_of(context).show(venue_book.pledge(venue_book.BookAccess(target, certificate, token_file, account)))


@app.command("check")
def check(
    context: typer.Context,
    target: TargetOption,
    certificate: CertificateOption,
    token_file: TokenOption,
    account: AccountIdOption,
    instrument: InstrumentOption,
    lots: LotsOption,
    price_e8: PriceOption,
) -> None:
    """Tell whether an order would be booked if it were filled now. Exit code 10: it would not."""
    access = venue_book.BookAccess(target, certificate, token_file, account)
    output_of(context).show(venue_book.check(access, venue_book.Order(instrument, lots, price_e8)))


@app.command("fill")
def fill(
    context: typer.Context,
    target: TargetOption,
    certificate: CertificateOption,
    token_file: TokenOption,
    account: AccountIdOption,
    instrument: InstrumentOption,
    lots: LotsOption,
    price_e8: PriceOption,
    fill_id: Annotated[str, typer.Option(metavar="ID", help="The matching engine's id; a repeat changes nothing.")],
) -> None:
    """Book one fill, as the venue's matching engine does; outside the pledged line only what reduces risk."""
    access = venue_book.BookAccess(target, certificate, token_file, account)
    output_of(context).show(venue_book.fill(access, venue_book.Order(instrument, lots, price_e8), fill_id))


@keys_app.command("new")
def new_key(
    context: typer.Context,
    keystore: Annotated[Path, typer.Option(metavar="FILE", help="Where the keystore goes; must be new.")],
    password_file: PasswordFileOption = None,
    insecure_fast: FastOption = False,
) -> None:
    """Make the key that signs snapshots and decisions; shows the venue's address."""
    output_of(context).show(venue_node.new_key(keystore, password_file, insecure_fast=insecure_fast))
