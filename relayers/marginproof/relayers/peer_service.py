"""What this node answers to other relayers."""

import asyncio
from typing import Any

from marginproof.v1 import relayer_peer_service_pb2 as messages
from marginproof.v1.relayer_peer_service_pb2_grpc import RelayerPeerServiceServicer

from marginproof.attestation.digests import digest_of
from marginproof.attestation.peer_requests import verify_peer_request
from marginproof.model.certificates import Certificate, CertificateBody, LeafList
from marginproof.model.errors import NotFoundError, UnauthorisedError
from marginproof.model.peers import NO_SUBJECT, PeerRequest
from marginproof.node.limits import RateLimit, caller_of
from marginproof.relayers.acceptance import check_certificate
from marginproof.relayers.context import NodeContext
from marginproof.relayers.numbers import checked_number
from marginproof.relayers.peers import GET_LEAF_LIST, GET_OBSERVATIONS, PUBLISH_CERTIFICATE, SIGN_LEAF_LIST

_MAX_TEXT = 64


class PeerService(RelayerPeerServiceServicer):
    """Serves ``marginproof.v1.RelayerPeerService``; every request shows which relayer asks, for exactly this.

    Args:
        context: The node.
        requests_per_second: Limit for one caller, counted before anything is verified.
    """

    def __init__(self, context: NodeContext, *, requests_per_second: int) -> None:
        self._context = context
        self._requests = RateLimit(requests_per_second)

    async def GetLeafList(  # noqa: N802 - named by the service
        self, request: messages.GetLeafListRequest, call: Any
    ) -> messages.GetLeafListResponse:
        """This node's own leaves, once fixed."""
        self._limit(call)
        epoch = checked_number(request.epoch)
        self._authorise(request.credential, GET_LEAF_LIST, chain=request.chain, number=epoch)
        view = self._context.view(request.chain, epoch)
        leaf_list = LeafList(view.leaves)
        return messages.GetLeafListResponse(reference=view.reference.encode(), leaf_list=leaf_list.encode())

    async def SignLeafList(  # noqa: N802 - named by the service
        self, request: messages.SignLeafListRequest, call: Any
    ) -> messages.SignLeafListResponse:
        """This node's signature, if every leaf is its own."""
        self._limit(call)
        body = CertificateBody.decode(request.body)
        epoch = checked_number(body.epoch)
        self._authorise(request.credential, SIGN_LEAF_LIST, chain=body.chain, number=epoch, subject=body.root())
        leaf_list = await asyncio.to_thread(LeafList.decode, request.leaf_list)
        return messages.SignLeafListResponse(signature=self._context.sign(body, leaf_list.leaves))

    async def PublishCertificate(  # noqa: N802 - named by the service
        self, request: messages.PublishCertificateRequest, call: Any
    ) -> messages.PublishCertificateResponse:
        """Checks and keeps a certificate."""
        self._limit(call)
        certificate = Certificate.decode(request.certificate)
        body = certificate.body
        epoch = checked_number(body.epoch)
        self._authorise(
            request.credential, PUBLISH_CERTIFICATE, chain=body.chain, number=epoch, subject=certificate.digest
        )
        leaf_list = await asyncio.to_thread(LeafList.decode, request.leaf_list)
        check_certificate(self._context.file, certificate, leaf_list.leaves, self._context.now)
        self._context.keep_certificate(certificate, leaf_list.leaves)
        return messages.PublishCertificateResponse()

    async def GetObservations(  # noqa: N802 - named by the service
        self, request: messages.GetObservationsRequest, call: Any
    ) -> messages.GetObservationsResponse:
        """What this node signed for a price slot."""
        self._limit(call)
        slot = checked_number(request.slot)
        self._authorise(request.credential, GET_OBSERVATIONS, number=slot)
        signed = self._context.protection.observations(slot)
        if signed is None:
            raise NotFoundError("this relayer has not signed this price slot", fields={"slot": slot})
        return messages.GetObservationsResponse(signed_observations=signed.encode())

    def _limit(self, call: Any) -> None:
        self._requests.take(caller_of(call.peer()), self._context.clock())

    def _authorise(
        self,
        credential: messages.PeerCredential,
        method: str,
        *,
        chain: str = "",
        number: int,
        subject: bytes = NO_SUBJECT,
    ) -> None:
        file = self._context.file
        if credential.signer >= len(file.signer_set.relayers) or len(chain.encode()) > _MAX_TEXT:
            raise UnauthorisedError("the caller is no relayer of this network")
        asked = PeerRequest(
            method=method,
            caller=credential.signer,
            callee=self._context.signer,
            chain=chain,
            number=number,
            subject=subject,
            requested_at=credential.requested_at,
        )
        verify_peer_request(
            asked,
            credential.signature,
            network_id=digest_of(file.network),
            signer_set=file.signer_set,
            now=self._context.now,
            clock_skew_seconds=file.configuration.clock_skew_seconds,
        )
