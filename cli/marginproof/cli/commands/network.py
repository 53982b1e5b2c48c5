"""``marginproof network``: make a network, pin it, check it, change its universe."""

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import NetworkOption, PasswordFileOption, RpcFileOption, output_of

if TYPE_CHECKING:
    from marginproof.cli.actions import (
        network,
        network_cards,
        network_deploy,
        network_doctor,
        network_plan,
        network_universe,
    )
else:
    network = lazy_module("marginproof.cli.actions.network")
    network_cards = lazy_module("marginproof.cli.actions.network_cards")
    network_deploy = lazy_module("marginproof.cli.actions.network_deploy")
    network_doctor = lazy_module("marginproof.cli.actions.network_doctor")
    network_plan = lazy_module("marginproof.cli.actions.network_plan")
    network_universe = lazy_module("marginproof.cli.actions.network_universe")

app = typer.Typer(name="network", help="Make, join, check and change a network.", no_args_is_help=True)
card_app = typer.Typer(name="card", help="What a relayer or venue hands to the network.", no_args_is_help=True)
universe_app = typer.Typer(name="universe", help="Read and change the universe.", no_args_is_help=True)
app.add_typer(card_app)
app.add_typer(universe_app)


class Profile(StrEnum):
    """Kinds of network."""

    PRODUCTION = "production"
    DEVNET = "devnet"


TimeoutOption = Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for one answer.")]
FileOption = Annotated[Path, typer.Option("--file", metavar="FILE", help="The universe file of the next version.")]
AnnouncementOption = Annotated[
    Path | None,
    typer.Option("--announcement", metavar="FILE", help="What `relayer announce-universe` wrote."),
]
TlsOption = Annotated[
    Path, typer.Option("--tls-directory", metavar="DIR", help="The node's TLS identity; made where there is none.")
]
TargetOption = Annotated[str, typer.Option("--target", metavar="HOST:PORT", help="Where others reach the node.")]
KeystoreOption = Annotated[Path, typer.Option("--keystore", metavar="FILE", help="The node's keystore.")]
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="The card; must be new.")]


@app.command("init")
def init(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where plan.yaml and universe.yaml go.")],
    profile: Annotated[Profile, typer.Option(help="production, or devnet: seconds instead of hours.")] = (
        Profile.PRODUCTION
    ),
) -> None:
    """Write a commented plan and a universe to edit."""
    output_of(context).show(network_plan.init(directory, profile.value, int(time.time())))


@app.command("deploy")
def deploy(
    context: typer.Context,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan.")],
    key_file: Annotated[
        Path, typer.Option("--key-file", metavar="FILE", help="File with the private key (hexadecimal) that pays.")
    ],
    rpc_file: RpcFileOption = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="How long to wait until a deployment is final.")
    ] = 1800.0,
) -> None:
    """Deploy what is missing of a plan and write its network file. Run it again after an interruption."""
    output = output_of(context)
    output.show(network_deploy.deploy(plan, key_file, rpc_file, wait, int(time.time()), output.talk))


@app.command("join")
def join(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The network file.")],
    digest: Annotated[
        str, typer.Option(metavar="HEX", help="The file's SHA-256, from its operators over another channel.")
    ],
    rpc_file: RpcFileOption = None,
    timeout: TimeoutOption = 10.0,
) -> None:
    """Check a network file against its digest and its chains, and use it from now on. Exit code 3: a check failed."""
    output_of(context).show(network.join(file, digest, rpc_file, timeout))


@app.command("doctor")
def doctor(
    context: typer.Context, network_file: NetworkOption, rpc_file: RpcFileOption = None, timeout: TimeoutOption = 10.0
) -> None:
    """Check that chains, contracts, relayers, venues and feeds agree with the file. Exit code 3: one does not."""
    output_of(context).show(network_doctor.run(network_file, rpc_file, timeout, time.time))


@app.command("show")
def show(context: typer.Context, network_file: NetworkOption) -> None:
    """Show what a network file says, its digest, and the network id that it adds up to."""
    output_of(context).show(network.show(network_file))


@card_app.command("relayer")
def card_relayer(
    context: typer.Context,
    keystore: KeystoreOption,
    tls_directory: TlsOption,
    target: TargetOption,
    out: OutOption,
    password_file: PasswordFileOption = None,
) -> None:
    """Write a relayer's card: public key, proof of possession, target, TLS certificate. Nothing in it is secret."""
    output_of(context).show(network_cards.relayer(keystore, password_file, tls_directory, target, out))


@card_app.command("venue")
def card_venue(
    context: typer.Context,
    keystore: KeystoreOption,
    tls_directory: TlsOption,
    target: TargetOption,
    out: OutOption,
    password_file: PasswordFileOption = None,
) -> None:
    """Write a venue's card: address, target, TLS certificate. Nothing in it is secret."""
    output_of(context).show(network_cards.venue(keystore, password_file, tls_directory, target, out))


@universe_app.command("show")
def universe_show(
    context: typer.Context,
    network_file: NetworkOption,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="A universe file instead.")] = None,
) -> None:
    """Show the network's universe, or that of a universe file."""
    output_of(context).show(network_universe.show(network_file, file))


@universe_app.command("add")
def universe_add(
    context: typer.Context,
    network_file: NetworkOption,
    file: FileOption,
    entry_id: Annotated[str, typer.Option("--id", metavar="ID", help="CAIP-19 id, or a name for an instrument.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="collateral, cash, perpetual, call or put.")],
    lot_exponent: Annotated[int, typer.Option(metavar="E", help="A lot is 10^-E units.")],
    max_lots: Annotated[int, typer.Option(metavar="LOTS", help="Most lots that an account may have.")],
    index: Annotated[int | None, typer.Option(metavar="N", help="Default: the lowest free one.")] = None,
    price_point: Annotated[str | None, typer.Option(metavar="ID", help="What prices it; none for cash.")] = None,
    chain: Annotated[str | None, typer.Option(metavar="CHAIN", help="Of collateral.")] = None,
    token: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of collateral; none for native coins.")] = None,
    decimals: Annotated[int | None, typer.Option(metavar="N", help="Of collateral.")] = None,
    strike_e8: Annotated[int | None, typer.Option(metavar="N", help="Of an option, in 10^-8 USD.")] = None,
    expiry: Annotated[int | None, typer.Option(metavar="TIME", help="Of an option, UTC seconds.")] = None,
    volatility_point: Annotated[str | None, typer.Option(metavar="ID", help="Of an option.")] = None,
) -> None:
    """Add an entry to the next version; the universe file is begun where there is none."""
    values = {
        "index": index,
        "id": entry_id,
        "kind": kind,
        "lot_exponent": lot_exponent,
        "max_lots": max_lots,
        "price_point": price_point,
        "chain": chain,
        "token": token,
        "decimals": decimals,
        "strike_e8": strike_e8,
        "expiry": expiry,
        "volatility_point": volatility_point,
    }
    output_of(context).show(network_universe.add(network_file, file, values))


@universe_app.command("retire")
def universe_retire(
    context: typer.Context,
    network_file: NetworkOption,
    file: FileOption,
    entry_id: Annotated[str, typer.Argument(metavar="ID", help="The entry's id.")],
) -> None:
    """Take an entry out of the next version. Relayers must announce that a notice ahead."""
    output_of(context).show(network_universe.retire(network_file, file, entry_id))


@universe_app.command("diff")
def universe_diff(context: typer.Context, network_file: NetworkOption, file: FileOption) -> None:
    """Show what the next version changes, and which changes end the meaning of older pledges."""
    output_of(context).show(network_universe.diff(network_file, file))


@universe_app.command("check")
def universe_check(
    context: typer.Context, network_file: NetworkOption, file: FileOption, announcement: AnnouncementOption = None
) -> None:
    """Check the next version by the rules of succession, and who signed its announcement."""
    output_of(context).show(network_universe.check(network_file, file, announcement))


@universe_app.command("apply")
def universe_apply(
    context: typer.Context, network_file: NetworkOption, file: FileOption, announcement: AnnouncementOption = None
) -> None:
    """Put the next version into the network file, when its announcement is old enough; gives the file's new digest."""
    output_of(context).show(network_universe.apply(network_file, file, announcement, int(time.time())))
