"""Client of a relayer's public service."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from marginproof.v1 import relayer_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceStub

from marginproof.client.calls import GrpcClient
from marginproof.model.accounts import SignedRegistration
from marginproof.model.certificates import Certificate, IncludedLeaf
from marginproof.model.prices import PriceReport

if TYPE_CHECKING:  # the asyncio stubs exist for type checkers alone
    from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceAsyncStub


@dataclasses.dataclass(frozen=True, slots=True)
class ChainStatus:
    """How far a relayer is on one chain; ``certified_epoch`` is None before the first certificate."""

    chain: str
    certified_epoch: int | None
    last_failure: str


@dataclasses.dataclass(frozen=True, slots=True)
class NodeStatus:
    """A relayer's own word on its health."""

    signer: int
    healthy: bool
    chains: tuple[ChainStatus, ...]
    last_price_slot: int | None
    account_count: int


class RelayerClient(GrpcClient):
    """Asks one relayer; every answer is decoded, none is verified.

    All methods raise MarginproofError: the relayer's own reason, or UNAVAILABLE, DEADLINE, MALFORMED.
    """

    def __init__(self, target: str, certificate_pem: str, **options: Any) -> None:
        super().__init__(target, certificate_pem, **{"peer": "the relayer", **options})
        self._stub: RelayerServiceAsyncStub = RelayerServiceStub(self._channel)

    async def register_account(self, signed: SignedRegistration) -> tuple[bytes, int]:
        """Registers an account; gives the registration's digest and the first epoch in which it counts."""
        request = messages.RegisterAccountRequest(signed_registration=signed.encode())
        answer = await self._unary(self._stub.RegisterAccount, request)
        return answer.registration_digest, answer.first_epoch

    async def get_account_leaf(
        self, account: bytes, chain: str, epoch: int | None = None
    ) -> tuple[IncludedLeaf, Certificate]:
        """The account's newest certified leaf on a chain (or that of one epoch) and its certificate."""
        request = messages.GetAccountLeafRequest(account=account, chain=chain, epoch=epoch)
        answer = await self._unary(self._stub.GetAccountLeaf, request)
        return IncludedLeaf.decode(answer.included_leaf), Certificate.decode(answer.certificate)

    async def get_certificate(self, digest: bytes) -> Certificate:
        """One certificate by its digest."""
        answer = await self._unary(self._stub.GetCertificate, messages.GetCertificateRequest(digest=digest))
        return Certificate.decode(answer.certificate)

    async def list_certificates(self, chain: str, epoch: int | None = None) -> tuple[Certificate, ...]:
        """All certificates of one chain and epoch, the newest certified epoch by default."""
        request = messages.ListCertificatesRequest(chain=chain, epoch=epoch)
        answer = await self._unary(self._stub.ListCertificates, request)
        return tuple(Certificate.decode(item) for item in answer.certificates)

    async def stream_certificates(self, chains: Sequence[str] = ()) -> AsyncIterator[Certificate]:
        """Every certificate from now on; all chains when none is named."""
        request = messages.StreamCertificatesRequest(chains=chains)
        async for answer in self._stream(self._stub.StreamCertificates, request):
            yield Certificate.decode(answer.certificate)

    async def get_price_report(self, slot: int | None = None) -> PriceReport:
        """The newest price report, or that of one slot."""
        answer = await self._unary(self._stub.GetPriceReport, messages.GetPriceReportRequest(slot=slot))
        return await asyncio.to_thread(PriceReport.decode, answer.price_report)  # seconds, for the longest

    async def stream_price_reports(self) -> AsyncIterator[PriceReport]:
        """Every price report from now on."""
        async for answer in self._stream(self._stub.StreamPriceReports, messages.StreamPriceReportsRequest()):
            yield PriceReport.decode(answer.price_report)

    async def get_status(self) -> NodeStatus:
        """The node's own word on its health."""
        answer = await self._unary(self._stub.GetStatus, messages.GetStatusRequest())
        return NodeStatus(
            signer=answer.signer,
            healthy=answer.healthy,
            chains=tuple(_chain_status(chain) for chain in answer.chains),
            last_price_slot=answer.last_price_slot if answer.HasField("last_price_slot") else None,
            account_count=answer.account_count,
        )


def _chain_status(message: messages.ChainStatus) -> ChainStatus:
    epoch = message.certified_epoch if message.HasField("certified_epoch") else None
    return ChainStatus(message.chain, epoch, message.last_failure)
