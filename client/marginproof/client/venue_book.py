"""Client that a venue's own matching engine uses to open accounts and record fills."""

from typing import TYPE_CHECKING, Any

from marginproof.v1 import venue_book_service_pb2 as messages
from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceStub

from marginproof.client.calls import GrpcClient

if TYPE_CHECKING:  # the asyncio stubs exist for type checkers alone
    from marginproof.v1.venue_book_service_pb2_grpc import VenueBookServiceAsyncStub


class VenueBookClient(GrpcClient):
    """Tells the verifier of fills.

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

    async def record_fill(
        self, fill_id: str, account: bytes, instrument: str, lots: int, price_e8: int
    ) -> tuple[int, bytes]:
        """Books a fill once; gives the book's sequence number and commitment after it.

        Args:
            fill_id: The matching engine's own id, 1 to 64 characters; a repeat changes nothing.
            account: Account id, 32 bytes.
            instrument: Universe entry id.
            lots: Signed; positive when the account buys.
            price_e8: Price of one unit in 10^-8 USD.
        """
        request = messages.RecordFillRequest(
            fill_id=fill_id, account=account, instrument=instrument, lots=lots, price_e8=price_e8
        )
        answer = await self._unary(self._stub.RecordFill, request, metadata=self._metadata)
        return answer.sequence, answer.book_commitment
