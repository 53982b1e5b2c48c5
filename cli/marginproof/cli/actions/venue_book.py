"""What ``marginproof venue reserve``, ``release``, ``pledge``, ``check`` and ``fill`` do: a matching engine by hand."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from marginproof.cli.output import Result
from marginproof.cli.passwords import read_secret_text
from marginproof.client.pledge_status import PledgeStatus
from marginproof.client.venue_book import OrderFill, VenueBookClient
from marginproof.model.errors import MalformedError
from marginproof.model.reasons import ExitCode, ReasonCode, exit_code

_Answer = TypeVar("_Answer")


@dataclasses.dataclass(frozen=True, slots=True)
class BookAccess:
    """How the venue's own matching engine reaches the book service, and for which account (hexadecimal id)."""

    target: str
    certificate: Path
    token_file: Path
    account: str


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """An order as typed: universe entry, signed lots, price of one unit in 10^-8 USD."""

    instrument: str
    lots: int
    price_e8: int


def reserve(access: BookAccess, line_lots: int) -> Result:
    """Proposes a pledge with a line; the account is opened if it is new."""

    async def ask(client: VenueBookClient, account: bytes) -> PledgeStatus:
        await client.open_account(account)
        return await client.reserve_pledge(account, line_lots)

    return _pledge("venue-reserve", _ask(access, ask))


def release(access: BookAccess) -> Result:
    """Gives up the pledge of an account without positions or debts."""
    return _pledge("venue-release", _ask(access, lambda client, account: client.release_pledge(account)))


def pledge(access: BookAccess) -> Result:
    """Shows how far the pledge is."""
    return _pledge("venue-pledge", _ask(access, lambda client, account: client.get_pledge(account)))


def check(access: BookAccess, order: Order) -> Result:
    """Tells whether an order would be booked if it were filled now; the exit code is that of the reason."""

    async def ask(client: VenueBookClient, account: bytes) -> tuple[bool, str]:
        answer = await client.check_order(account, order.instrument, order.lots, order.price_e8)
        return answer.fits, answer.reason

    fits, reason = _ask(access, ask)
    document = {"fits": fits, "reason": reason}
    code = ExitCode.ACCEPTED if fits else _exit_code(reason)
    return Result("venue-check", document, _fields(document), exit_code=code)


def fill(access: BookAccess, order: Order, fill_id: str) -> Result:
    """Books one fill and shows the book's number after it."""

    async def ask(client: VenueBookClient, account: bytes) -> int:
        return await client.record_fill(OrderFill(fill_id, account, order.instrument, order.lots, order.price_e8))

    document = {"fill_id": fill_id, "sequence": _ask(access, ask)}
    return Result("venue-fill", document, _fields(document))


def _ask(access: BookAccess, ask: Callable[[VenueBookClient, bytes], Awaitable[_Answer]]) -> _Answer:
    account = _account_id(access.account)
    certificate = read_secret_text(access.certificate, "the certificate")
    token = read_secret_text(access.token_file, "the token file").strip()

    async def call() -> _Answer:
        async with VenueBookClient(access.target, certificate, token) as client:
            return await ask(client, account)

    return asyncio.run(call())


def _pledge(name: str, status: PledgeStatus) -> Result:
    document = {
        "line_open": status.line_open,
        "standing_commitment": _hex(status.standing_commitment),
        "proposal_state": status.proposal_state.name,
        "proposed_commitment": _hex(status.proposed_commitment),
        "reason": status.reason,
        "registry_digest": _hex(status.registry_digest),
    }
    return Result(name, document, _fields(document))


def _fields(document: Mapping[str, object]) -> list[tuple[str, str]]:
    shown = ((name.replace("_", " "), value) for name, value in document.items())
    return [(name, str(value)) for name, value in shown if value not in (None, "")]


def _hex(value: bytes | None) -> str | None:
    return None if value is None else "0x" + value.hex()


def _exit_code(reason: str) -> int:
    return exit_code(ReasonCode(reason)) if reason in set(ReasonCode) else ExitCode.REJECTED


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
