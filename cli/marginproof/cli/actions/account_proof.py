"""What ``marginproof account prove`` and ``account status`` do."""

import asyncio
from pathlib import Path
from typing import Any

from marginproof.cli.actions.account import lock_document
from marginproof.cli.actions.opened import Access, one_venue, opened
from marginproof.cli.amounts import format_units
from marginproof.cli.output import Output, Result
from marginproof.client.venue import DecisionAnswer
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import MarginState, Outcome, Purpose
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ExitCode, ReasonCode, exit_code
from marginproof.prover.account import Account
from marginproof.prover.files import write_atomic
from marginproof.prover.session import AccountSession, Prepared


def prove(
    access: Access,
    venue: str | None,
    purpose: Purpose,
    save: Path | None,
    timeout_seconds: float,
    output: Output,
    *,
    dry_run: bool,
) -> Result:
    """Proves margin to a venue and shows its decision."""
    with opened(access) as (account, network):
        address = one_venue(network, venue)
        return asyncio.run(_prove(account, network, address, purpose, save, timeout_seconds, output, dry_run=dry_run))


async def _prove(
    account: Account,
    network: NetworkFile,
    venue: bytes,
    purpose: Purpose,
    save: Path | None,
    timeout_seconds: float,
    output: Output,
    *,
    dry_run: bool,
) -> Result:
    async with AccountSession(account, network, timeout_seconds=timeout_seconds, talk=output.talk) as session:
        prepared = await session.prepare(venue, purpose)
        bundle, answer = prepared.bundle, None
        if not dry_run:
            answer, bundle = await session.submit(prepared)
    if save is not None:
        write_atomic(save, bundle.encode())
    document = _proof_document(prepared, answer, save)
    fields = [(label.replace("_", " "), _text(value)) for label, value in document.items() if value not in (None, [])]
    return Result("account-prove", document, fields, exit_code=_exit_code(answer))


def _proof_document(prepared: Prepared, answer: DecisionAnswer | None, save: Path | None) -> dict[str, Any]:
    context = prepared.presentation.context
    return {
        "outcome": answer.outcome.name if answer else "NOT_SUBMITTED",
        "step": answer.step if answer else None,
        "reasons": list(answer.reasons) if answer else [],
        "repeated_answer": answer.repeated if answer else None,
        "purpose": Purpose(context.purpose).name,
        "venue": format_address(context.venue),
        "snapshot_digest": "0x" + context.snapshot_digest.hex(),
        "presentation_digest": "0x" + prepared.presentation.digest.hex(),
        "proof_bytes": len(prepared.presentation.proof),
        "presentation_bytes": len(prepared.presentation.encode()),
        "prove_milliseconds": round(prepared.prove_seconds * 1000, 1),
        "chains": [leaf.leaf.chain for leaf in prepared.presentation.leaves],
        "chains_left_out": [{"chain": item.chain, "reason": str(item.code)} for item in prepared.left_out],
        "saved": str(save) if save else None,
    }


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return " ".join(str(item) for item in value.values())
    return str(value)


def _exit_code(answer: DecisionAnswer | None) -> int:
    if answer is None or answer.outcome is Outcome.ACCEPT:
        return ExitCode.ACCEPTED
    known = [reason for reason in answer.reasons if reason in set(ReasonCode)]
    return exit_code(ReasonCode(known[0])) if known else ExitCode.REJECTED


def status(access: Access, venue: str | None, timeout_seconds: float, *, amounts: bool, offline: bool) -> Result:
    """Locks, registration, certificates and margin status of an account."""
    with opened(access) as (account, network):
        locks = [_lock(account, network, number, amounts) for number in range(len(account.state.locks))]
        last = account.state.registrations[-1] if account.state.registrations else None
        document: dict[str, Any] = {
            "account": "0x" + account.account_id.hex(),
            "venues": [format_address(address) for address in account.state.venues],
            "registration": {"number": last.number, "accepted": last.accepted} if last else None,
            "locks": locks,
        }
        if not offline:
            document |= asyncio.run(_online(account, network, venue, timeout_seconds))
    columns = ("lock", "asset", "state", "amount") if amounts else ("lock", "asset", "state")
    rows = [[str(lock[column]) for column in columns] for lock in locks]
    return Result("account-status", document, _status_fields(document), columns, rows)


def _lock(account: Account, network: NetworkFile, number: int, amounts: bool) -> dict[str, Any]:
    record = account.lock(number)
    document: dict[str, Any] = lock_document(record, network)
    if amounts:
        entry = network.universe.collateral_entry(record.chain, record.token)
        document["amount"] = format_units(record.amount, entry.decimals if entry else 0)
    return document


async def _online(account: Account, network: NetworkFile, venue: str | None, timeout_seconds: float) -> dict[str, Any]:
    chains = sorted({lock.chain for lock in account.state.locks})
    address = one_venue(network, venue)
    async with AccountSession(account, network, timeout_seconds=timeout_seconds) as session:
        certificates = [await _certificate(session, chain) for chain in chains]
        margin = await _margin(session, address)
    return {"certificates": certificates, "margin": margin}


async def _certificate(session: AccountSession, chain: str) -> dict[str, Any]:
    try:
        body = (await session.certified(chain)).certificate.body
    except MarginproofError as error:
        return {"chain": chain, "epoch": None, "expires_at": None, "failure": str(error.code)}
    return {"chain": chain, "epoch": body.epoch, "expires_at": body.expires_at, "failure": None}


async def _margin(session: AccountSession, venue: bytes) -> dict[str, Any]:
    document: dict[str, Any] = dict.fromkeys(
        ("state", "proof_due_at", "accepted_at", "missed_deadline_count", "next_action", "failure")
    )
    document["venue"] = format_address(venue)
    try:
        status = await session.margin_status(venue)
    except MarginproofError as error:
        return {**document, "failure": str(error.code)}
    return {
        **document,
        "state": MarginState(status.state).name,
        "proof_due_at": status.proof_due_at,
        "accepted_at": status.accepted_at,
        "missed_deadline_count": status.missed_deadline_count,
        "next_action": status.next_action,
    }


def _status_fields(document: dict[str, Any]) -> list[tuple[str, str]]:
    registration = document["registration"]
    fields = [("account", document["account"]), ("venues", ", ".join(document["venues"]))]
    taken = "none" if registration is None else f"number {registration['number']}"
    if registration is not None and not registration["accepted"]:
        taken += ", not yet taken by enough relayers"
    fields.append(("registration", taken))
    fields += [
        (f"certificate {item['chain']}", item["failure"] or f"epoch {item['epoch']}, until {item['expires_at']}")
        for item in document.get("certificates", [])
    ]
    margin = document.get("margin")
    if margin is not None:
        text = margin["failure"] or f"{margin['state']}, proof due at {margin['proof_due_at']}. {margin['next_action']}"
        fields.append((f"margin at {margin['venue']}", text))
    return fields
