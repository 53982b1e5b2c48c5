"""Options that several commands share, and how the context of a run is found."""

from pathlib import Path
from typing import Annotated

import typer

from marginproof.cli.output import Output

NETWORK_VARIABLE = "MARGINPROOF_NETWORK"
ACCOUNT_VARIABLE = "MARGINPROOF_ACCOUNT"
VENUE_VARIABLE = "MARGINPROOF_VENUE"

NetworkOption = Annotated[
    Path, typer.Option("--network", envvar=NETWORK_VARIABLE, metavar="FILE", help="The network file.")
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
