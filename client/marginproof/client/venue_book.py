"""Client that a venue's own matching engine uses: lines, orders, fills."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from marginproof.v1 import venue_book_service_pb2 as messages
from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceStub

from marginproof.client.calls import GrpcClient
from marginproof.client.pledge_status import PledgeStatus
from marginproof.model.errors import MalformedError

if TYPE_CHECKING:  # the asyncio stubs exist for type checkers alone
    from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceAsyncStub

MAX_FILLS: Final = 1000
"""Fills that one call may record."""


@dataclasses.dataclass(frozen=True, slots=True)
class OrderFill:
    """One fill of the matching engine.

    Args:
        fill_id: The matching engine's own id, 1 to 64 characters; a repeat changes nothing.
        account: Account id, 32 bytes.
        instrument: Universe entry id.
        lots: Signed; positive when the account buys.
        price_e8: Price of one unit in 10^-8 USD.
    """

    fill_id: str
    account: bytes
    instrument: str
    lots: int
    price_e8: int

    def message(self) -> messages.RecordFillRequest:
        """The wire form."""
        return messages.RecordFillRequest(
            fill_id=self.fill_id,
            account=self.account,
            instrument=self.instrument,
            lots=self.lots,
            price_e8=self.price_e8,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class OrderCheck:
    """Whether an order would be recorded if it were filled now; ``reason`` is empty when it would."""

    fits: bool
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class FillResult:
    """What became of a fill: ``sequence`` is the book's after it, 0 when it was refused for ``reason``."""

    recorded: bool
    reason: str
    sequence: int
    repeated: bool


class VenueBookClient(GrpcClient):
    """Tells the verifier of orders and fills. All methods raise MarginproofError.

    Args:
        target: host:port of the verifier's book service.
        certificate_pem: Its pinned TLS certificate.
        token: The venue's bearer token; secret.
    """

    def __init__(self, target: str, certificate_pem: str, token: str, **options: Any) -> None:
        super().__init__(target, certificate_pem, **{"peer": "the venue's book", **options})
        self._stub: VenueBookServiceAsyncStub = VenueBookServiceStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def open_account(self, account: bytes) -> int:
        """Opens an account; gives its book's sequence number (0 when empty)."""
        request = messages.OpenAccountRequest(account=account)
        answer = await self._unary(self._stub.OpenAccount, request, metadata=self._metadata)
        return answer.sequence

    async def reserve_pledge(self, account: bytes, line_lots: int) -> PledgeStatus:
        """Proposes a pledge that lies ``line_lots`` lots of cash below the book; the account must prove it."""
        request = messages.ReservePledgeRequest(account=account, line_lots=line_lots)
        answer = await self._unary(self._stub.ReservePledge, request, metadata=self._metadata)
        return PledgeStatus.of(answer.status)

    async def release_pledge(self, account: bytes) -> PledgeStatus:
        """Gives up the pledge of an account without positions or debts; the line closes at once."""
        request = messages.ReleasePledgeRequest(account=account)
        answer = await self._unary(self._stub.ReleasePledge, request, metadata=self._metadata)
        return PledgeStatus.of(answer.status)

    async def get_pledge(self, account: bytes) -> PledgeStatus:
        """How far the account's pledge is."""
        request = messages.GetPledgeRequest(account=account)
        answer = await self._unary(self._stub.GetPledge, request, metadata=self._metadata)
        return PledgeStatus.of(answer.status)

    async def check_order(self, account: bytes, instrument: str, lots: int, price_e8: int) -> OrderCheck:
        """Whether an order fits the pledged line if filled in full at its price; changes nothing."""
        request = messages.CheckOrderRequest(account=account, instrument=instrument, lots=lots, price_e8=price_e8)
        answer = await self._unary(self._stub.CheckOrder, request, metadata=self._metadata)
        return OrderCheck(answer.fits, answer.reason)

    async def record_fill(self, fill: OrderFill) -> int:
        """Books a fill once; gives the book's sequence number after it. A refusal is an error with its reason."""
        answer = await self._unary(self._stub.RecordFill, fill.message(), metadata=self._metadata)
        return answer.sequence

    async def record_fills(self, fills: Sequence[OrderFill]) -> tuple[FillResult, ...]:
        """Books up to :data:`MAX_FILLS` fills in order; one result for each."""
        request = messages.RecordFillsRequest(fills=[fill.message() for fill in fills])
        answer = await self._unary(self._stub.RecordFills, request, metadata=self._metadata)
        results = tuple(
            FillResult(result.recorded, result.reason, result.sequence, result.repeated_answer)
            for result in answer.results
        )
        if len(results) != len(fills):
            raise MalformedError("the venue answered another number of fills than it was sent")
        return results
