"""Options that several commands share, and how the context of a run is found."""

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.home import joined_network, joined_network_if_any
from marginproof.cli.output import Output

NETWORK_VARIABLE = "MARGINPROOF_NETWORK"
ACCOUNT_VARIABLE = "MARGINPROOF_ACCOUNT"
VENUE_VARIABLE = "MARGINPROOF_VENUE"

RPC_FILE_VARIABLE = "MARGINPROOF_RPC_FILE"

NetworkOption = Annotated[
    Path,
    typer.Option(
        "--network",
        envvar=NETWORK_VARIABLE,
        metavar="FILE",
        help="The network file. Default: that of the network that was joined.",
        default_factory=joined_network,
        show_default=False,
    ),
]
OptionalNetworkOption = Annotated[
    Path | None,
    typer.Option(
        "--network",
        envvar=NETWORK_VARIABLE,
        metavar="FILE",
        help="The network file. Default: that of the network that was joined, if any.",
        default_factory=joined_network_if_any,
        show_default=False,
    ),
]
RpcFileOption = Annotated[
    Path | None,
    typer.Option(
        "--rpc-file",
        envvar=RPC_FILE_VARIABLE,
        metavar="FILE",
        help="File of JSON-RPC endpoints: lines CHAIN=URL, or YAML; mode 0600, for addresses may hold access keys.",
    ),
]
AccountOption = Annotated[
    Path, typer.Option("--account", envvar=ACCOUNT_VARIABLE, metavar="DIR", help="The account's directory.")
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="File whose first line is the keystore's password. Else MARGINPROOF_PASSWORD, else you are asked.",
    ),
]
FundingOption = Annotated[
    Path | None,
    typer.Option(
        "--funding-key-file",
        metavar="FILE",
        help="File with the private key (hexadecimal) that pays for the lock; never the account's own key.",
    ),
]
LockOption = Annotated[int, typer.Option("--lock", metavar="N", help="The lock's number in `account status`.")]
VenueOption = Annotated[
    str | None,
    typer.Option(
        "--venue",
        envvar=VENUE_VARIABLE,
        metavar="ADDRESS",
        help="The venue's address; not needed where the network file has only one venue.",
    ),
]
FastOption = Annotated[
    bool,
    typer.Option(
        "--insecure-fast",
        help="Weak keystore encryption that opens quickly. For development networks only.",
    ),
]


def output_of(context: typer.Context) -> Output:
    """How this run speaks; set by the root command."""
    output = context.find_root().obj
    return output if isinstance(output, Output) else Output()
