"""What ``marginproof venue status`` and ``venue fill`` do: calls to a running venue."""

import asyncio
import dataclasses
from pathlib import Path

from marginproof.cli.actions.opened import one_venue
from marginproof.cli.output import Result
from marginproof.cli.passwords import read_secret_text
from marginproof.client.venue import AnnouncedPolicy, VenueClient
from marginproof.client.venue_book import VenueBookClient
from marginproof.model.chains import format_address
from marginproof.model.errors import MalformedError
from marginproof.model.margin import SignedSnapshot
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ExitCode, ReasonCode


def status(network_path: Path, venue: str | None, now: int, timeout_seconds: float) -> Result:
    """Shows a venue's policy in force and whether its snapshot is current."""
    network = load_network_file(network_path)
    address = one_venue(network, venue)
    policy, signed = asyncio.run(_ask(network, address, timeout_seconds))
    snapshot = signed.snapshot
    current = snapshot.created_at <= now + network.configuration.clock_skew_seconds and now < snapshot.expires_at
    document = {
        "venue": format_address(address),
        "policy_digest": "0x" + policy.digest.hex(),
        "policy_effective_at": policy.effective_at,
        "snapshot_digest": "0x" + signed.digest.hex(),
        "snapshot_created_at": snapshot.created_at,
        "snapshot_expires_at": snapshot.expires_at,
        "price_slot": snapshot.price_slot,
        "current": current,
    }
    fields = [(label.replace("_", " "), str(value)) for label, value in document.items()]
    return Result("venue-status", document, fields, exit_code=ExitCode.ACCEPTED if current else ExitCode.STALE)


async def _ask(network: NetworkFile, address: bytes, timeout_seconds: float) -> tuple[AnnouncedPolicy, SignedSnapshot]:
    endpoint = network.venue(address)
    async with VenueClient(endpoint.target, endpoint.certificate_pem, timeout_seconds=timeout_seconds) as client:
        policy = await client.get_policy()
        signed, _ = await client.get_snapshot()
    return policy, signed


@dataclasses.dataclass(frozen=True, slots=True)
class BookAccess:
    """How the venue's own matching engine reaches the book service: host:port, pinned certificate, bearer token."""

    target: str
    certificate: Path
    token_file: Path


@dataclasses.dataclass(frozen=True, slots=True)
class FillOptions:
    """One fill as typed: account id in hexadecimal, instrument, signed lots, price in 10^-8 USD, the fill's id."""

    account: str
    instrument: str
    lots: int
    price_e8: int
    fill_id: str


def fill(access: BookAccess, options: FillOptions) -> Result:
    """Books one fill at the venue; the account is opened if it is new. Shows the new book's number and commitment."""
    account = _account_id(options.account)
    certificate = read_secret_text(access.certificate, "the certificate")
    token = read_secret_text(access.token_file, "the token file").strip()
    sequence, commitment = asyncio.run(_fill(access.target, certificate, token, account, options))
    document = {"fill_id": options.fill_id, "sequence": sequence, "book_commitment": "0x" + commitment.hex()}
    return Result("venue-fill", document, [(label.replace("_", " "), str(value)) for label, value in document.items()])


async def _fill(target: str, certificate: str, token: str, account: bytes, options: FillOptions) -> tuple[int, bytes]:
    async with VenueBookClient(target, certificate, token) as client:
        await client.open_account(account)
        return await client.record_fill(options.fill_id, account, options.instrument, options.lots, options.price_e8)


def _account_id(text: str) -> bytes:
    try:
        account = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        account = b""
    if len(account) != 32:
        raise MalformedError(
            "this is no account id",
            code=ReasonCode.INPUT_LENGTH,
            fix="write the 64 hexadecimal digits that `marginproof account status` shows",
        )
    return account
