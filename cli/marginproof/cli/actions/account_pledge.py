"""What ``marginproof account authorise``, ``revoke``, ``venue-limit`` and ``pledge`` do."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from marginproof.cli.actions.account_proof import decision_document, decision_exit_code, document_fields
from marginproof.cli.actions.opened import Access, one_venue, opened, payer_key
from marginproof.cli.amounts import parse_units
from marginproof.cli.output import Output, Result
from marginproof.client.pledge_status import PledgeStatus
from marginproof.model.chains import format_address
from marginproof.model.errors import NotFoundError
from marginproof.model.margin import Outcome
from marginproof.model.network_file import NetworkFile
from marginproof.prover.account import Account
from marginproof.prover.authorising import RegistryChange
from marginproof.prover.files import write_atomic
from marginproof.prover.session import AccountSession
from marginproof.prover.waiting import Patience
from marginproof.risk.line import cash_entry


@dataclasses.dataclass(frozen=True, slots=True)
class Posting:
    """Options of a change of the registry: who pays (nobody: it is only signed), how long to wait, in seconds."""

    payer_file: Path | None = None
    wait_seconds: float = 1800.0
    timeout_seconds: float = 5.0

    def session(self, account: Account, network: NetworkFile, output: Output) -> AccountSession:
        """A session that posts with the payer's key."""
        payer: LocalAccount | None = payer_key(self.payer_file)
        return AccountSession(
            account,
            network,
            timeout_seconds=self.timeout_seconds,
            talk=output.talk,
            payer=payer,
            patience=Patience(self.wait_seconds),
        )


def authorise(access: Access, venue: str | None, posting: Posting, output: Output, *, revoke: bool) -> Result:
    """Lets a venue pledge the account's headroom, or no longer."""
    with opened(access) as (account, network):
        address = one_venue(network, venue)
        change = asyncio.run(_authorise(account, network, address, posting, output, revoke=revoke))
    document = {"venue": format_address(address)} | change_document(change, network)
    return Result("account-revoke" if revoke else "account-authorise", document, document_fields(document))


async def _authorise(
    account: Account, network: NetworkFile, venue: bytes, posting: Posting, output: Output, *, revoke: bool
) -> RegistryChange:
    async with posting.session(account, network, output) as session:
        return await (session.revoke(venue) if revoke else session.authorise(venue))


def lapse(access: Access, venue: str | None, posting: Posting, output: Output) -> Result:
    """Ends a revoked venue's pledge once its notice is over."""
    with opened(access) as (account, network):
        address = one_venue(network, venue)
        change = asyncio.run(_lapse(account, network, address, posting, output))
    document = {"venue": format_address(address), "final": change.final, "block_number": change.block_number}
    return Result("account-lapse", document, document_fields(document))


async def _lapse(
    account: Account, network: NetworkFile, venue: bytes, posting: Posting, output: Output
) -> RegistryChange:
    async with posting.session(account, network, output) as session:
        return await session.lapse(venue)


def change_document(change: RegistryChange, network: NetworkFile) -> dict[str, Any]:
    """What became of a change; for one that was only signed, the transaction that anybody may send."""
    document: dict[str, Any] = {"final": change.final, "block_number": change.block_number, "transaction": None}
    if change.signed is not None and not change.final:
        to, data = change.signed.call(network.network.registry)
        document["transaction"] = {"chain": network.network.home_chain, "to": to, "data": "0x" + data.hex()}
    return document


def venue_limit(access: Access, venue: str | None, line: str) -> Result:
    """Sets the largest line that a venue may be given unasked."""
    with opened(access) as (account, network):
        address = one_venue(network, venue)
        account.set_line_limit(address, line_lots(network, line))
    document = {"venue": format_address(address), "limited": True}
    return Result("account-venue-limit", document, document_fields(document))


def line_lots(network: NetworkFile, text: str) -> int:
    """A line in USD as lots of the network's cash entry."""
    return parse_units(text, cash_entry(network.universe).lot_exponent, "the line")


def pledge(
    access: Access, venue: str | None, max_line: str | None, save: Path | None, posting: Posting, output: Output
) -> Result:
    """Takes the venue's proposal through check, proof and consent until it stands."""
    with opened(access) as (account, network):
        address = one_venue(network, venue)
        limit = None if max_line is None else line_lots(network, max_line)
        return asyncio.run(_pledge(account, network, address, limit, save, posting, output))


async def _pledge(
    account: Account,
    network: NetworkFile,
    venue: bytes,
    max_line: int | None,
    save: Path | None,
    posting: Posting,
    output: Output,
) -> Result:
    status: PledgeStatus | None = None
    async with posting.session(account, network, output) as session:
        proposal = await session.proposal(venue, max_line=max_line)
        if proposal is None:
            raise NotFoundError(
                f"the venue {format_address(venue)} proposes no pledge",
                fix="ask the venue for a trading line; with one that stands: marginproof account prove",
            )
        prepared = await session.prepare(venue, proposal.purpose, proposal)
        answer, bundle = await session.submit(prepared)
        if save is not None:
            write_atomic(save, bundle.encode())
        if answer.outcome is Outcome.ACCEPT:
            status = await session.wait_standing(venue, proposal.commitment)
    document = decision_document(prepared, answer, save)
    document["commitment"] = "0x" + proposal.commitment.hex()
    document["standing"] = status is not None
    document["line_open"] = status is not None and status.line_open
    return Result("account-pledge", document, document_fields(document), exit_code=decision_exit_code(answer))
