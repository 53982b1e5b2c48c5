"""What ``marginproof account prove`` does, and how a decision is shown."""

import asyncio
from pathlib import Path
from typing import Any

from marginproof.cli.actions.opened import Access, one_venue, opened
from marginproof.cli.output import Output, Result
from marginproof.client.venue import DecisionAnswer
from marginproof.model.chains import format_address
from marginproof.model.margin import Outcome, Purpose
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
    document = decision_document(prepared, answer, save)
    return Result("account-prove", document, document_fields(document), exit_code=decision_exit_code(answer))


def decision_document(prepared: Prepared, answer: DecisionAnswer | None, save: Path | None) -> dict[str, Any]:
    """What was proven and what the venue said; no amount is in it."""
    context = prepared.presentation.context
    return {
        "outcome": answer.outcome.name if answer else "NOT_SUBMITTED",
        "step": answer.step if answer else None,
        "reasons": list(answer.reasons) if answer else [],
        "repeated_answer": answer.repeated if answer else None,
        "purpose": Purpose(context.purpose).name,
        "venue": format_address(context.venue),
        "snapshot_digest": "0x" + context.snapshot_digest.hex(),
        "registry_digest": "0x" + context.registry_digest.hex(),
        "presentation_digest": "0x" + prepared.presentation.digest.hex(),
        "proof_bytes": len(prepared.presentation.proof),
        "presentation_bytes": len(prepared.presentation.encode()),
        "prove_milliseconds": round(prepared.prove_seconds * 1000, 1),
        "chains": [leaf.leaf.chain for leaf in prepared.presentation.leaves],
        "chains_left_out": [{"chain": item.chain, "reason": str(item.code)} for item in prepared.left_out],
        "saved": str(save) if save else None,
    }


def document_fields(document: dict[str, Any]) -> list[tuple[str, str]]:
    """A document as lines for humans; what is empty is left out."""
    return [(label.replace("_", " "), _text(value)) for label, value in document.items() if value not in (None, [])]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return " ".join(str(item) for item in value.values())
    return str(value)


def decision_exit_code(answer: DecisionAnswer | None) -> int:
    """0 for ACCEPT, else that of the first reason."""
    if answer is None or answer.outcome is Outcome.ACCEPT:
        return ExitCode.ACCEPTED
    known = [reason for reason in answer.reasons if reason in set(ReasonCode)]
    return exit_code(ReasonCode(known[0])) if known else ExitCode.REJECTED
