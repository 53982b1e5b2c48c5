"""``marginproof account``: the account holder's side."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marginproof.cli.commands.watch import watch
from marginproof.cli.lazy import lazy_module
from marginproof.cli.options import (
    AccountOption,
    FastOption,
    FundingOption,
    LockOption,
    NetworkOption,
    PasswordFileOption,
    RpcFileOption,
    VenueOption,
    output_of,
)

if TYPE_CHECKING:
    from marginproof.cli.actions import account, account_keys, account_pledge, account_proof, account_status, opened
    from marginproof.model import margin
else:
    account = lazy_module("marginproof.cli.actions.account")
    account_keys = lazy_module("marginproof.cli.actions.account_keys")
    account_pledge = lazy_module("marginproof.cli.actions.account_pledge")
    account_proof = lazy_module("marginproof.cli.actions.account_proof")
    account_status = lazy_module("marginproof.cli.actions.account_status")
    opened = lazy_module("marginproof.cli.actions.opened")
    margin = lazy_module("marginproof.model.margin")

app = typer.Typer(
    name="account",
    help="Make an account, lock collateral, register it, pledge, prove margin.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
notice_app = typer.Typer(name="notice", help="Start or cancel a lock's notice.", no_args_is_help=True)
app.add_typer(notice_app)
app.command("watch")(watch)

_CHAIN_TALK = "asking the chain; a transaction takes until a block contains it"

RpcOption = Annotated[
    list[str] | None,
    typer.Option("--rpc", metavar="CHAIN=URL", help="JSON-RPC endpoint of a chain; repeat for several."),
]
ReserveOption = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", help="Native coins that the lock's key keeps for gas. Default 0.01."),
]
WaitOption = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="How long to wait for a transaction.")]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait for each answer.")
]
PayerOption = Annotated[
    Path | None,
    typer.Option(
        "--payer-key-file",
        metavar="FILE",
        help="File with the private key (hexadecimal) that pays for gas; everybody sees that it acts for the account, "
        "so never one that funds locks. Without it the change is only signed, for anybody to send.",
    ),
]
FinalityOption = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=1, help="How long to wait until it is final.")
]
SaveOption = Annotated[
    Path | None, typer.Option("--save", metavar="FILE", help="Save proof and evidence for `verify presentation`.")
]


@app.command("new")
def new(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="A venue that the locks may ever pay; repeat for several, it cannot be changed later. "
            "Default: every venue of the network file.",
        ),
    ] = None,
    rpc: RpcOption = None,
    rpc_file: RpcFileOption = None,
    index: Annotated[int, typer.Option(metavar="N", min=0, help="Which of the owner's accounts this is.")] = 0,
    password_file: PasswordFileOption = None,
    insecure_fast: FastOption = False,
) -> None:
    """Make an account: a directory with an encrypted keystore and state."""
    access = opened.Access(directory, network, password_file)
    endpoints = opened.parse_endpoints(rpc or [], rpc_file)
    result = account.new(access, venue or [], endpoints, index, insecure_fast=insecure_fast)
    output_of(context).show(result)


@app.command("endpoints")
def endpoints(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    rpc: RpcOption = None,
    rpc_file: RpcFileOption = None,
    password_file: PasswordFileOption = None,
) -> None:
    """Set the JSON-RPC endpoints of chains; they replace the old ones of the same chain and are stored encrypted."""
    access = opened.Access(directory, network, password_file)
    output_of(context).show(account.endpoints(access, opened.parse_endpoints(rpc or [], rpc_file)))


@app.command("lock")
def lock(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    asset: Annotated[str | None, typer.Option(metavar="ID", help="Collateral entry of the universe.")] = None,
    amount: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Whole units, such as 2.5.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Finish locks and top-ups that were interrupted.")] = False,
    funding_key_file: FundingOption = None,
    gas_reserve: ReserveOption = None,
    wait: WaitOption = 60.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Lock collateral in a vault, under a key of its own. Register afterwards."""
    paying = account.Paying(funding_key_file, gas_reserve, wait)
    access = opened.Access(directory, network, password_file)
    output = output_of(context)
    output.talk(_CHAIN_TALK)
    output.show(account.lock(access, asset, amount, paying, resume=resume))


@app.command("top-up")
def top_up(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    lock: LockOption,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="Whole units to add, such as 2.5.")],
    funding_key_file: FundingOption = None,
    gas_reserve: ReserveOption = None,
    wait: WaitOption = 60.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Add to a lock. It counts from the next certificate on; no new registration is needed."""
    paying = account.Paying(funding_key_file, gas_reserve, wait)
    output = output_of(context)
    output.talk(_CHAIN_TALK)
    output.show(account.top_up(opened.Access(directory, network, password_file), lock, amount, paying))


@app.command("register")
def register(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    timeout: TimeoutOption = 10.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Tell every relayer which locks form the account."""
    output = output_of(context)
    output.talk("sending the registration to every relayer")
    output.show(account.register(opened.Access(directory, network, password_file), timeout))


@app.command("prove")
def prove(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: VenueOption = None,
    initial: Annotated[bool, typer.Option("--initial", help="Prove the initial level, not maintenance.")] = False,
    save: SaveOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make and check the proof, do not submit it.")] = False,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Prove margin to a venue on its standing pledge. Exit code 0: accepted; 10 to 14: rejected, and why."""
    purpose = margin.Purpose.INITIAL if initial else margin.Purpose.MAINTENANCE
    output = output_of(context)
    access = opened.Access(directory, network, password_file)
    output.show(account_proof.prove(access, venue, purpose, save, timeout, output, dry_run=dry_run))


@app.command("authorise")
def authorise(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: VenueOption = None,
    payer_key_file: PayerOption = None,
    wait: FinalityOption = 1800.0,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Let a venue pledge the account's headroom, on the registry. Each pledge still needs the account's consent."""
    output, posting = output_of(context), account_pledge.Posting(payer_key_file, wait, timeout)
    access = opened.Access(directory, network, password_file)
    output.show(account_pledge.authorise(access, venue, posting, output, revoke=False))


@app.command("revoke")
def revoke(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: VenueOption = None,
    payer_key_file: PayerOption = None,
    wait: FinalityOption = 1800.0,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Take a venue's authorisation back: no new pledge; a standing one lapses after the network's notice."""
    output, posting = output_of(context), account_pledge.Posting(payer_key_file, wait, timeout)
    access = opened.Access(directory, network, password_file)
    output.show(account_pledge.authorise(access, venue, posting, output, revoke=True))


@app.command("lapse")
def lapse(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: VenueOption = None,
    payer_key_file: PayerOption = None,
    wait: FinalityOption = 1800.0,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """End a revoked venue's pledge once the network's notice is over. Anybody may; somebody must."""
    output, posting = output_of(context), account_pledge.Posting(payer_key_file, wait, timeout)
    output.show(account_pledge.lapse(opened.Access(directory, network, password_file), venue, posting, output))


@app.command("venue-limit")
def venue_limit(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    line: Annotated[str, typer.Option(metavar="USD", help="Largest trading line; 0 for none.")],
    venue: VenueOption = None,
    password_file: PasswordFileOption = None,
) -> None:
    """Set the largest trading line that a venue may be given unasked. Until it is set, there is none."""
    access = opened.Access(directory, network, password_file)
    output_of(context).show(account_pledge.venue_limit(access, venue, line))


@app.command("pledge")
def pledge(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: VenueOption = None,
    max_line: Annotated[
        str | None,
        typer.Option(metavar="USD", help="Largest line to accept this time. Default: what `venue-limit` allows."),
    ] = None,
    save: SaveOption = None,
    wait: FinalityOption = 1800.0,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Check, prove and consent to the pledge that a venue proposes, and wait until it stands.

    Exit code 0: it stands; 10 to 14: the venue rejected the proof, and why.
    """
    output, posting = output_of(context), account_pledge.Posting(None, wait, timeout)
    access = opened.Access(directory, network, password_file)
    output.show(account_pledge.pledge(access, venue, max_line, save, posting, output))


@app.command("rotate-key")
def rotate_key(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    payer_key_file: PayerOption = None,
    wait: FinalityOption = 1800.0,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Hand the account over to its next key, on the registry. The account id stays."""
    output, posting = output_of(context), account_pledge.Posting(payer_key_file, wait, timeout)
    access = opened.Access(directory, network, password_file)
    output.show(account_keys.rotate_key(access, posting, output))


@app.command("backup")
def backup(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it; must not exist.")],
    password_file: PasswordFileOption = None,
) -> None:
    """Write keys and state into one encrypted file, opened by the account's password."""
    output_of(context).show(account_keys.backup(opened.Access(directory, network, password_file), out))


@app.command("restore")
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The account's new directory.", show_default=False)],
    network: NetworkOption,
    password_file: PasswordFileOption = None,
) -> None:
    """Make an account's directory from a backup. Never use the machine that it came from again."""
    output_of(context).show(account_keys.restore(file, directory, network, password_file))


@app.command("status")
def status(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    venue: VenueOption = None,
    amounts: Annotated[bool, typer.Option("--amounts", help="Show what locks hold, lines and headroom.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody.")] = False,
    timeout: TimeoutOption = 5.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Show locks, registration, newest certificates, pledges and margin status, at one venue or at all of them."""
    access = opened.Access(directory, network, password_file)
    output_of(context).show(account_status.status(access, venue, timeout, amounts=amounts, offline=offline))


@app.command("withdraw")
def withdraw(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    lock: LockOption,
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Who receives everything in the lock.")],
    funding_key_file: FundingOption = None,
    wait: WaitOption = 60.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Start a lock's notice; once it is over, the same command takes everything out."""
    paying = account.Paying(funding_key_file, None, wait)
    access = opened.Access(directory, network, password_file)
    output = output_of(context)
    output.talk(_CHAIN_TALK)
    output.show(account.withdraw(access, lock, to, paying, int(time.time())))


@notice_app.command("start")
def notice_start(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    lock: LockOption,
    funding_key_file: FundingOption = None,
    wait: WaitOption = 60.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Start a lock's notice: from that block on it does not count as collateral."""
    paying = account.Paying(funding_key_file, None, wait)
    access = opened.Access(directory, network, password_file)
    output = output_of(context)
    output.talk(_CHAIN_TALK)
    output.show(account.notice(access, lock, paying, start=True))


@notice_app.command("cancel")
def notice_cancel(
    context: typer.Context,
    directory: AccountOption,
    network: NetworkOption,
    lock: LockOption,
    funding_key_file: FundingOption = None,
    wait: WaitOption = 60.0,
    password_file: PasswordFileOption = None,
) -> None:
    """Let a lock count again; its next notice runs in full."""
    paying = account.Paying(funding_key_file, None, wait)
    access = opened.Access(directory, network, password_file)
    output = output_of(context)
    output.talk(_CHAIN_TALK)
    output.show(account.notice(access, lock, paying, start=False))
