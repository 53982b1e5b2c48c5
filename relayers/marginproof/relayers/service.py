"""What this node answers to accounts, venues and auditors."""

from collections.abc import AsyncIterator
from typing import Any, Final

from marginproof.v1 import relayer_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import RelayerServiceServicer

from marginproof.attestation.registrations import MAX_REGISTRATION_BYTES, check_registration, verify_registration
from marginproof.model.accounts import Registration, SignedRegistration
from marginproof.model.errors import MalformedError, RefusedError
from marginproof.model.network import epoch_of
from marginproof.model.reasons import ReasonCode
from marginproof.node.limits import RateLimit, caller_of
from marginproof.relayers.account_keys import AccountKeys
from marginproof.relayers.context import NodeContext
from marginproof.relayers.numbers import checked_number

_DIGEST_BYTES: Final = 32
_MAX_CHAINS: Final = 64


class RelayerService(RelayerServiceServicer):
    """Serves ``marginproof.v1.RelayerService``.

    Args:
        context: The node.
        keys: Which key signs for an account now.
        requests_per_second: Limit for one caller.
        registrations_per_second: Limit for one caller; a registration costs a signature check and a disk write.
    """

    def __init__(
        self, context: NodeContext, keys: AccountKeys, *, requests_per_second: int, registrations_per_second: int
    ) -> None:
        self._context = context
        self._keys = keys
        self._requests = RateLimit(requests_per_second)
        self._registrations = RateLimit(registrations_per_second)

    async def RegisterAccount(  # noqa: N802 - named by the service
        self, request: messages.RegisterAccountRequest, call: Any
    ) -> messages.RegisterAccountResponse:
        """Checks and stores a registration."""
        self._registrations.take(caller_of(call.peer()), self._context.clock())
        if len(request.signed_registration) > MAX_REGISTRATION_BYTES:
            raise MalformedError("a registration has at most 64 KiB", code=ReasonCode.TOO_LARGE)
        signed = SignedRegistration.decode(request.signed_registration)
        network = self._context.file.network
        check_registration(signed, self._context.file.network_id, network.home_chain, network.registry)
        self._check_vaults(signed.registration)
        # Last, because it asks the home chain: what can be refused without is refused before.
        verify_registration(signed, await self._keys.current(signed.registration.identity))
        current = epoch_of(self._context.file.configuration, self._context.now)
        digest, first_epoch = self._context.book.add(signed, current)
        return messages.RegisterAccountResponse(registration_digest=digest, first_epoch=first_epoch)

    async def GetAccountLeaf(  # noqa: N802 - named by the service
        self, request: messages.GetAccountLeafRequest, call: Any
    ) -> messages.GetAccountLeafResponse:
        """An account's leaf with branch and certificate."""
        self._limit(call)
        epoch = checked_number(request.epoch) if request.HasField("epoch") else None
        account = _digest(request.account, "an account id")
        included, certificate = self._context.archive.account_leaf(account, request.chain, epoch)
        return messages.GetAccountLeafResponse(included_leaf=included.encode(), certificate=certificate.encode())

    async def GetCertificate(  # noqa: N802 - named by the service
        self, request: messages.GetCertificateRequest, call: Any
    ) -> messages.GetCertificateResponse:
        """One certificate."""
        self._limit(call)
        certificate = self._context.archive.certificate(_digest(request.digest, "a certificate digest"))
        return messages.GetCertificateResponse(certificate=certificate.encode())

    async def ListCertificates(  # noqa: N802 - named by the service
        self, request: messages.ListCertificatesRequest, call: Any
    ) -> messages.ListCertificatesResponse:
        """All certificates of one chain and epoch; empty where there is none."""
        self._limit(call)
        if request.HasField("epoch"):
            epoch: int | None = checked_number(request.epoch)
        else:
            epoch = self._context.archive.last_certified(request.chain)
        found = () if epoch is None else self._context.archive.certificates(request.chain, epoch)
        return messages.ListCertificatesResponse(certificates=[certificate.encode() for certificate in found])

    async def StreamCertificates(  # noqa: N802 - named by the service
        self, request: messages.StreamCertificatesRequest, call: Any
    ) -> AsyncIterator[messages.StreamCertificatesResponse]:
        """Certificates from now on."""
        self._limit(call)
        if len(request.chains) > _MAX_CHAINS:
            raise MalformedError("at most 64 chains can be named", code=ReasonCode.TOO_LARGE)
        wanted = set(request.chains) or set(self._context.chains)
        async for certificate in self._context.certificates.listen():
            if certificate.body.chain in wanted:
                yield messages.StreamCertificatesResponse(certificate=certificate.encode())

    async def GetPriceReport(  # noqa: N802 - named by the service
        self, request: messages.GetPriceReportRequest, call: Any
    ) -> messages.GetPriceReportResponse:
        """A price report."""
        self._limit(call)
        slot = checked_number(request.slot) if request.HasField("slot") else None
        return messages.GetPriceReportResponse(price_report=self._context.archive.report(slot).encode())

    async def StreamPriceReports(  # noqa: N802 - named by the service
        self, _: messages.StreamPriceReportsRequest, call: Any
    ) -> AsyncIterator[messages.StreamPriceReportsResponse]:
        """Price reports from now on."""
        self._limit(call)
        async for report in self._context.reports.listen():
            yield messages.StreamPriceReportsResponse(price_report=report.encode())

    async def GetStatus(  # noqa: N802 - named by the service
        self, _: messages.GetStatusRequest, call: Any
    ) -> messages.GetStatusResponse:
        """How far the node is."""
        self._limit(call)
        status = self._context.status
        return messages.GetStatusResponse(
            signer=self._context.signer,
            healthy=status.healthy(self._context.file.configuration, self._context.now),
            chains=[
                messages.ChainStatus(
                    chain=chain,
                    certified_epoch=progress.certified_epoch,
                    last_failure="" if progress.last_failure is None else str(progress.last_failure),
                )
                for chain, progress in sorted(status.chains.items())
            ],
            last_price_slot=status.last_price_slot,
            account_count=self._context.book.account_count(),
        )

    def _check_vaults(self, registration: Registration) -> None:
        pinned = {(vault.chain, vault.address) for vault in self._context.file.configuration.vaults}
        if any((lock.chain, lock.vault) not in pinned for lock in registration.locks):
            raise RefusedError(
                ReasonCode.REGISTRATION_LOCKS,
                "a lock lies in a vault that the network does not pin",
                fix="lock the collateral in a vault that the network file names",
            )

    def _limit(self, call: Any) -> None:
        self._requests.take(caller_of(call.peer()), self._context.clock())


def _digest(value: bytes, what: str) -> bytes:
    if len(value) != _DIGEST_BYTES:
        raise MalformedError(f"{what} has 32 bytes", code=ReasonCode.INPUT_LENGTH)
    return value
