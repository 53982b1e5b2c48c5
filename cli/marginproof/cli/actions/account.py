"""What ``marginproof account …`` does with keys, locks and registrations."""

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from marginproof.cli.actions.opened import Access, funding_key, opened
from marginproof.cli.amounts import parse_units
from marginproof.cli.output import Result
from marginproof.cli.passwords import read_password
from marginproof.model.chains import format_address, parse_address
from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry
from marginproof.prover.account import Account
from marginproof.prover.chain_actions import ChainActions, NoticeView, parse_receiver
from marginproof.prover.funding import DEFAULT_GAS_RESERVE, Funding
from marginproof.prover.registering import RegistrationReport
from marginproof.prover.session import AccountSession
from marginproof.prover.state import LockRecord

_NATIVE_DECIMALS = 18


def new(
    access: Access, venues: Sequence[str], endpoints: dict[str, tuple[str, ...]], index: int, *, insecure_fast: bool
) -> Result:
    """Makes an account directory; ``endpoints`` as :func:`parse_endpoints` gives them."""
    network = load_network_file(access.network)
    if insecure_fast and not network.development:
        raise RefusedError(
            ReasonCode.CONFIG_INVALID,
            "weak keystore encryption is only for development networks",
            fix="leave --insecure-fast out",
        )
    payees = [parse_address(venue) for venue in venues] or [venue.address for venue in network.venues]
    account = Account.create(
        access.account,
        network,
        read_password(access.password_file, confirm=True),
        venues=payees,
        endpoints=endpoints,
        index=index,
        insecure_fast=insecure_fast,
    )
    document = {
        "account": "0x" + account.hex(),
        "network_id": "0x" + network.network_id.hex(),
        "directory": str(access.account),
        "venues": [format_address(venue) for venue in payees],
    }
    fields = [
        ("account", document["account"]),
        ("directory", document["directory"]),
        ("venues", ", ".join(document["venues"])),
        ("next", "marginproof account lock; then keep a copy with: marginproof account backup"),
    ]
    return Result("account-new", document, [(label, str(value)) for label, value in fields])


def endpoints(access: Access, changed: dict[str, tuple[str, ...]]) -> Result:
    """Sets JSON-RPC addresses; shows how many there are per chain, never the addresses."""
    with opened(access) as (account, _):
        if changed:
            merged = {**account.state.endpoints, **changed}
            account.remember(dataclasses.replace(account.state, endpoints=merged))
        counts = {chain: len(urls) for chain, urls in sorted(account.state.endpoints.items())}
    rows = [(chain, str(count)) for chain, count in counts.items()]
    return Result("account-endpoints", {"endpoint_counts": counts}, columns=("chain", "endpoints"), rows=rows)


@dataclasses.dataclass(frozen=True, slots=True)
class Paying:
    """Options on who pays: file of the funding key, gas reserve in whole coins, time to wait in seconds."""

    key_file: Path | None = None
    gas_reserve: str | None = None
    wait_seconds: float = 60.0

    def funding(self) -> Funding:
        """The same, read and checked."""
        reserve = DEFAULT_GAS_RESERVE
        if self.gas_reserve is not None:
            reserve = parse_units(self.gas_reserve, _NATIVE_DECIMALS, "the gas reserve")
        return Funding(funding_key(self.key_file), reserve, self.wait_seconds)


def lock(access: Access, asset: str | None, amount: str | None, paying: Paying, *, resume: bool) -> Result:
    """Locks collateral, or finishes what an earlier run left unfinished."""
    if resume == (asset is not None and amount is not None):
        raise MalformedError("give --asset and --amount, or --resume alone")
    with opened(access) as (account, network):
        actions = ChainActions(account, network, paying.funding())
        if resume:
            waiting = actions.unfinished()
            asyncio.run(actions.resume())
            records = [account.lock(record.number) for record in waiting]
        else:
            entry = network.universe.entry(asset or "")
            records = [asyncio.run(actions.lock(entry, parse_units(amount or "", entry.decimals)))]
        return _locks_result("account-lock", records, network)


def top_up(access: Access, number: int, amount: str, paying: Paying) -> Result:
    """Adds to a lock."""
    with opened(access) as (account, network):
        entry = _entry_of(account.lock(number), network)
        units = parse_units(amount, entry.decimals if entry else 0)
        record = asyncio.run(ChainActions(account, network, paying.funding()).top_up(number, units))
        return _locks_result("account-top-up", [record], network)


def notice(access: Access, number: int, paying: Paying, *, start: bool) -> Result:
    """Starts or cancels a lock's notice."""
    with opened(access) as (account, network):
        actions = ChainActions(account, network, paying.funding())
        view = asyncio.run(actions.start_notice(number) if start else actions.cancel_notice(number))
    return _notice_result("account-notice-start" if start else "account-notice-cancel", view)


def withdraw(access: Access, number: int, to: str, paying: Paying, now: int) -> Result:
    """Starts the notice of a lock, or, once it is over, takes everything out."""
    receiver = parse_receiver(to)
    with opened(access) as (account, network):
        actions = ChainActions(account, network, paying.funding())
        return asyncio.run(_withdraw(actions, number, receiver, now))


async def _withdraw(actions: ChainActions, number: int, receiver: bytes, now: int) -> Result:
    view = await actions.notice_view(number)
    if view.withdrawable_at is None:
        return _notice_result("account-withdraw", await actions.start_notice(number))
    if now < view.withdrawable_at:
        raise RefusedError(
            ReasonCode.LOCK_UNDER_NOTICE,
            f"the notice of lock {number} runs until {view.withdrawable_at} (UTC seconds)",
            fix="run the same command again after that time",
            fields={"lock": number, "withdrawable_at": view.withdrawable_at},
        )
    await actions.withdraw(number, receiver)
    document = {"lock": number, "state": "withdrawn", "withdrawable_at": None}
    return Result("account-withdraw", document, [("lock", str(number)), ("state", "withdrawn")])


def register(access: Access, timeout_seconds: float) -> Result:
    """Registers the account's locks with every relayer."""
    with opened(access) as (account, network):
        report = asyncio.run(_register(account, network, timeout_seconds))
    answers = [{"relayer": a.relayer, "outcome": str(a.code or "TAKEN")} for a in report.answers]
    document = {
        "number": report.number,
        "registration_digest": "0x" + report.digest.hex(),
        "first_epoch": report.first_epoch,
        "lock_count": report.lock_count,
        "relayers": answers,
    }
    fields = [
        ("registration", str(report.number)),
        ("counts from epoch", str(report.first_epoch)),
        ("locks", str(report.lock_count)),
    ]
    rows = [(str(answer["relayer"]), str(answer["outcome"])) for answer in answers]
    return Result("account-register", document, fields, ("relayer", "outcome"), rows)


async def _register(account: Account, network: NetworkFile, timeout_seconds: float) -> RegistrationReport:
    async with AccountSession(account, network, timeout_seconds=timeout_seconds) as session:
        return await session.register()


def lock_state(record: LockRecord) -> str:
    """One word on where a lock stands by the account's own record."""
    if not record.events:
        return "unfinished"
    if not record.live:
        return "withdrawn"
    if record.unfinished:
        return "top-up unfinished"
    return "under notice" if record.under_notice else "locked"


def _locks_result(name: str, records: Sequence[LockRecord], network: NetworkFile) -> Result:
    locks = [lock_document(record, network) for record in records]
    rows = [(str(item["lock"]), str(item["asset"]), str(item["state"])) for item in locks]
    return Result(name, {"locks": locks}, columns=("lock", "asset", "state"), rows=rows)


def lock_document(record: LockRecord, network: NetworkFile) -> dict[str, object]:
    """A lock without its amount and id, which tie it to the account."""
    entry = _entry_of(record, network)
    return {
        "lock": record.number,
        "chain": record.chain,
        "asset": entry.id if entry else format_address(record.token),
        "state": lock_state(record),
    }


def _notice_result(name: str, view: NoticeView) -> Result:
    state = "locked" if view.notice_at is None else "under notice"
    document = {"lock": view.record.number, "state": state, "withdrawable_at": view.withdrawable_at}
    fields = [("lock", str(view.record.number)), ("state", state)]
    if view.withdrawable_at is not None:
        fields.append(("withdrawable at", f"{view.withdrawable_at} (UTC seconds)"))
    return Result(name, document, fields)


def _entry_of(record: LockRecord, network: NetworkFile) -> Entry | None:
    return network.universe.collateral_entry(record.chain, record.token)
