"""Client that relayers use among themselves."""

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

from marginproof.v1 import relayer_peer_service_pb2 as messages
from marginproof.v1.relayer_peer_service_pb2_grpc import RelayerPeerServiceStub

from marginproof.client.calls import GrpcClient
from marginproof.model.certificates import Certificate, CertificateBody, LeafList, Reference
from marginproof.model.prices import SignedObservations

if TYPE_CHECKING:  # the asyncio stubs exist for type checkers alone
    from marginproof.v1.relayer_peer_service_pb2_grpc import RelayerPeerServiceAsyncStub


@dataclasses.dataclass(frozen=True, slots=True)
class PeerCredential:
    """Who asks: position in the signer set, UTC seconds, BLS signature over the request's signing root."""

    signer: int
    requested_at: int
    signature: bytes

    def message(self) -> messages.PeerCredential:
        """The wire form."""
        return messages.PeerCredential(**dataclasses.asdict(self))


class RelayerPeerClient(GrpcClient):
    """Asks one peer; every answer is decoded, none is verified. All methods raise MarginproofError."""

    def __init__(self, target: str, certificate_pem: str, **options: Any) -> None:
        super().__init__(target, certificate_pem, **{"peer": "the peer relayer", **options})
        self._stub: RelayerPeerServiceAsyncStub = RelayerPeerServiceStub(self._channel)

    async def get_leaf_list(self, credential: PeerCredential, chain: str, epoch: int) -> tuple[Reference, LeafList]:
        """The peer's own full leaf list and the reference block it was read at."""
        request = messages.GetLeafListRequest(credential=credential.message(), chain=chain, epoch=epoch)
        answer = await self._unary(self._stub.GetLeafList, request)
        leaf_list = await asyncio.to_thread(LeafList.decode, answer.leaf_list)  # seconds, for the longest
        return Reference.decode(answer.reference), leaf_list

    async def sign_leaf_list(self, credential: PeerCredential, body: CertificateBody, leaf_list: LeafList) -> bytes:
        """The peer's partial signature over the body, 96 bytes."""
        request = messages.SignLeafListRequest(
            credential=credential.message(), body=body.encode(), leaf_list=leaf_list.encode()
        )
        answer = await self._unary(self._stub.SignLeafList, request)
        return answer.signature

    async def publish_certificate(
        self, credential: PeerCredential, certificate: Certificate, leaf_list: LeafList
    ) -> None:
        """Hands a finished certificate and its leaves to the peer."""
        request = messages.PublishCertificateRequest(
            credential=credential.message(), certificate=certificate.encode(), leaf_list=leaf_list.encode()
        )
        await self._unary(self._stub.PublishCertificate, request)

    async def get_observations(self, credential: PeerCredential, slot: int) -> SignedObservations:
        """The peer's signed observations for a price slot."""
        request = messages.GetObservationsRequest(credential=credential.message(), slot=slot)
        answer = await self._unary(self._stub.GetObservations, request)
        return SignedObservations.decode(answer.signed_observations)
