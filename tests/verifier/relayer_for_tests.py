"""A relayer service for tests: it answers with real certificates and reports that the test made, or misbehaves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from marginproof.v1 import relayer_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceServicer, add_RelayerServiceServicer_to_server

from marginproof.model.errors import NotFoundError, UnavailableError
from marginproof.model.prices import PriceReport
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from tests.verifier.world import CertifiedLeaf


class RelayerForTests(RelayerServiceServicer):
    """Holds leaves and reports; ``silent`` answers nothing, ``lying`` breaks every certificate's signature."""

    def __init__(self) -> None:
        self.leaves: list[CertifiedLeaf] = []
        self.reports: list[PriceReport] = []
        self.silent = False
        self.lying = False
        self.calls: list[str] = []

    async def GetCertificate(self, request: Any, context: Any) -> Any:
        self._called("GetCertificate")
        for leaf in self.leaves:
            if leaf.certificate.digest == request.digest:
                return messages.GetCertificateResponse(certificate=self._encoded(leaf))
        raise NotFoundError("no such certificate")

    async def GetAccountLeaf(self, request: Any, context: Any) -> Any:
        self._called("GetAccountLeaf")
        found = [
            leaf
            for leaf in self.leaves
            if (leaf.included.leaf.account, leaf.included.leaf.chain) == (request.account, request.chain)
        ]
        if not found:
            raise NotFoundError("no leaf")
        newest = max(found, key=lambda leaf: leaf.certificate.body.epoch)
        return messages.GetAccountLeafResponse(
            included_leaf=newest.included.encode(), certificate=self._encoded(newest)
        )

    async def ListCertificates(self, request: Any, context: Any) -> Any:
        self._called("ListCertificates")
        found = [leaf for leaf in self.leaves if leaf.certificate.body.chain == request.chain]
        newest = max((leaf.certificate.body.epoch for leaf in found), default=0)
        return messages.ListCertificatesResponse(
            certificates=[self._encoded(leaf) for leaf in found if leaf.certificate.body.epoch == newest]
        )

    async def GetPriceReport(self, request: Any, context: Any) -> Any:
        self._called("GetPriceReport")
        if not self.reports:
            raise NotFoundError("no report yet")
        return messages.GetPriceReportResponse(price_report=self.reports[-1].encode())

    def _encoded(self, leaf: CertifiedLeaf) -> bytes:
        data = leaf.certificate.encode()
        if not self.lying:
            return data
        broken = leaf.certificate
        wrong = broken.signature[:48] + broken.signature[:48]
        return data.replace(broken.signature, wrong)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.silent:
            raise UnavailableError("out of order")


def relayer_for_tests() -> RelayerForTests:
    """One that holds nothing yet."""
    return RelayerForTests()  # type: ignore[abstract] # what a venue never asks for stays unimplemented


@asynccontextmanager
async def serve(relayer: RelayerForTests, identity: ServerIdentity) -> AsyncIterator[str]:
    """Serves one of them on loopback; gives its target."""
    service = Service(add_RelayerServiceServicer_to_server, relayer, "marginproof.v1.RelayerService")
    server = GrpcServer("127.0.0.1:0", identity, [service])
    port = await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
