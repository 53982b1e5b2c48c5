"""What ``marginproof account status`` does."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from marginproof.cli.actions.account import lock_document
from marginproof.cli.actions.opened import Access, opened
from marginproof.cli.amounts import format_units
from marginproof.cli.output import Result
from marginproof.model.chains import format_address, parse_address
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import MarginState, Purpose
from marginproof.model.network_file import NetworkFile
from marginproof.prover.account import Account
from marginproof.prover.pledges import opening_of
from marginproof.prover.session import AccountSession
from marginproof.risk.line import cash_entry


def status(access: Access, venue: str | None, timeout_seconds: float, *, amounts: bool, offline: bool) -> Result:
    """Locks, registration, certificates, pledges and margin status of an account.

    Args:
        access: How to open it.
        venue: The one to ask; None for every venue of the account that the network file names.
        timeout_seconds: Deadline of every call.
        amounts: Show what locks hold, lines and headroom.
        offline: Ask nobody.
    """
    with opened(access) as (account, network):
        locks = [_lock(account, network, number, amounts) for number in range(len(account.state.locks))]
        last = account.state.registrations[-1] if account.state.registrations else None
        document: dict[str, Any] = {
            "account": "0x" + account.account_id.hex(),
            "venues": [format_address(address) for address in account.state.venues],
            "key_number": account.state.key_number,
            "registration": {"number": last.number, "accepted": last.accepted} if last else None,
            "locks": locks,
        }
        if amounts:
            document |= _secrets(account, network)
        if not offline:
            asked = [network.venue(parse_address(venue)).address] if venue else _venues(account, network)
            document |= asyncio.run(_online(account, network, asked, timeout_seconds, amounts=amounts))
    columns = ("lock", "asset", "state", "amount") if amounts else ("lock", "asset", "state")
    rows = [[str(lock[column]) for column in columns] for lock in locks]
    return Result("account-status", document, _status_fields(document), columns, rows)


def _venues(account: Account, network: NetworkFile) -> list[bytes]:
    return [venue.address for venue in network.venues if venue.address in account.state.venues]


def _lock(account: Account, network: NetworkFile, number: int, amounts: bool) -> dict[str, Any]:
    record = account.lock(number)
    document: dict[str, Any] = lock_document(record, network)
    if amounts:
        entry = network.universe.collateral_entry(record.chain, record.token)
        document["amount"] = format_units(record.amount, entry.decimals if entry else 0)
    return document


def _secrets(account: Account, network: NetworkFile) -> dict[str, Any]:
    """Limits of lines, and the last headroom of each venue and level, both in USD."""
    exponent = cash_entry(network.universe).lot_exponent
    limits = {venue: format_units(lots, exponent) for venue, lots in sorted(account.state.line_limits.items())}
    latest = {(record.venue, record.purpose): record for record in account.state.headrooms}
    headrooms = [
        {
            "venue": format_address(record.venue),
            "purpose": Purpose(record.purpose).name,
            "evaluated_at": record.evaluated_at,
            "surplus_usd": f"{record.surplus_cents / 100:.2f}",
        }
        for record in latest.values()
    ]
    return {"line_limits": limits, "headrooms": headrooms}


async def _online(
    account: Account, network: NetworkFile, venues: Sequence[bytes], timeout_seconds: float, *, amounts: bool
) -> dict[str, Any]:
    chains = sorted({lock.chain for lock in account.state.locks})
    async with AccountSession(account, network, timeout_seconds=timeout_seconds) as session:
        certificates = [await _certificate(session, chain) for chain in chains]
        pledges = await _pledges(account, network, session, amounts=amounts)
        margins = [await _margin(session, venue) for venue in venues]
    return {"certificates": certificates, "pledges": pledges, "margins": margins}


async def _certificate(session: AccountSession, chain: str) -> dict[str, Any]:
    try:
        body = (await session.certified(chain)).certificate.body
    except MarginproofError as error:
        return {"chain": chain, "epoch": None, "expires_at": None, "failure": str(error.code)}
    return {"chain": chain, "epoch": body.epoch, "expires_at": body.expires_at, "failure": None}


async def _pledges(account: Account, network: NetworkFile, session: AccountSession, *, amounts: bool) -> dict[str, Any]:
    """What stands on the registry by its finalised state."""
    try:
        record = await session.record()
    except MarginproofError as error:
        return {"digest": None, "standing": [], "failure": str(error.code)}
    standing = []
    for pledge in record.pledges:
        opening = opening_of(account.state, pledge.venue, pledge.commitment)
        item: dict[str, Any] = {
            "venue": format_address(pledge.venue),
            "commitment": "0x" + pledge.commitment.hex(),
            "revoked_at": pledge.revoked_at or None,
            "opening_known": opening is not None,
        }
        if amounts and opening is not None:
            item["line_usd"] = format_units(opening.line, cash_entry(network.universe).lot_exponent)
        standing.append(item)
    return {"digest": "0x" + record.digest.hex(), "standing": standing, "failure": None}


async def _margin(session: AccountSession, venue: bytes) -> dict[str, Any]:
    document: dict[str, Any] = dict.fromkeys(
        (
            "state",
            "proof_due_at",
            "accepted_at",
            "missed_deadline_count",
            "next_action",
            "proposal_state",
            "line_open",
            "failure",
        )
    )
    document["venue"] = format_address(venue)
    try:
        status, pledge = await session.margin_status(venue), await session.pledge_status(venue)
    except MarginproofError as error:
        return {**document, "failure": str(error.code)}
    return {
        **document,
        "state": MarginState(status.state).name,
        "proof_due_at": status.proof_due_at,
        "accepted_at": status.accepted_at,
        "missed_deadline_count": status.missed_deadline_count,
        "next_action": status.next_action,
        "proposal_state": pledge.proposal_state.name,
        "line_open": pledge.line_open,
    }


def _status_fields(document: dict[str, Any]) -> list[tuple[str, str]]:
    registration = document["registration"]
    fields = [("account", document["account"]), ("venues", ", ".join(document["venues"]))]
    taken = "none" if registration is None else f"number {registration['number']}"
    if registration is not None and not registration["accepted"]:
        taken += ", not yet taken by enough relayers"
    fields.append(("registration", taken))
    lines: list[tuple[str, Callable[[dict[str, Any]], tuple[str, str]]]] = [
        ("certificates", _certificate_field),
        ("margins", _margin_field),
        ("headrooms", _headroom_field),
    ]
    fields += [_pledge_field(item) for item in document.get("pledges", {}).get("standing", [])]
    for name, line in lines:
        fields += [line(item) for item in document.get(name, [])]
    fields += [(f"line limit {venue}", f"{line} USD") for venue, line in document.get("line_limits", {}).items()]
    return fields


def _certificate_field(item: dict[str, Any]) -> tuple[str, str]:
    return f"certificate {item['chain']}", item["failure"] or f"epoch {item['epoch']}, until {item['expires_at']}"


def _pledge_field(item: dict[str, Any]) -> tuple[str, str]:
    parts = ["stands"]
    if item["revoked_at"]:
        parts.append(f"venue revoked at {item['revoked_at']}")
    if not item["opening_known"]:
        parts.append("its opening is not known here")
    if "line_usd" in item:
        parts.append(f"line {item['line_usd']} USD")
    return f"pledge {item['venue']}", ", ".join(parts)


def _margin_field(item: dict[str, Any]) -> tuple[str, str]:
    text = item["failure"] or f"{item['state']}, proof due at {item['proof_due_at']}. {item['next_action']}"
    return f"margin at {item['venue']}", text


def _headroom_field(item: dict[str, Any]) -> tuple[str, str]:
    return f"headroom at {item['venue']}", f"{item['purpose']} {item['surplus_usd']} USD at {item['evaluated_at']}"
