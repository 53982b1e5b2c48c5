"""The other relayers, as this node asks them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from marginproof import core
from marginproof.attestation.peer_requests import sign_peer_request
from marginproof.client.relayer_peer import PeerCredential, RelayerPeerClient
from marginproof.model.certificates import Certificate, CertificateBody, LeafList, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import NetworkFile
from marginproof.model.peers import NO_SUBJECT, PeerRequest
from marginproof.model.prices import SignedObservations
from marginproof.model.reasons import ReasonCode

GET_LEAF_LIST: Final = "GetLeafList"
SIGN_LEAF_LIST: Final = "SignLeafList"
PUBLISH_CERTIFICATE: Final = "PublishCertificate"
GET_OBSERVATIONS: Final = "GetObservations"

T = TypeVar("T")
Answers = tuple[dict[int, T], dict[int, ReasonCode]]
"""What came back by relayer, and why nothing came from the others."""


class Peers:
    """Asks all other relayers at the same time; every call has a deadline, a silent peer costs nothing but its vote.

    Args:
        file: The network.
        key: This node's key.
        signer: This node's position in the signer set.
        clock: UTC seconds.
        timeout_seconds: Deadline of one call.
    """

    def __init__(
        self, file: NetworkFile, key: core.SigningKey, signer: int, clock: Callable[[], float], timeout_seconds: float
    ) -> None:
        self._network_id = file.network_id
        self._key = key
        self._signer = signer
        self._clock = clock
        self._clients = {
            relayer.index: RelayerPeerClient(
                relayer.target,
                relayer.certificate_pem,
                timeout_seconds=timeout_seconds,
                peer=f"relayer {relayer.index}",
            )
            for relayer in file.relayers
            if relayer.index != signer
        }

    @property
    def signers(self) -> frozenset[int]:
        """Positions of the other relayers."""
        return frozenset(self._clients)

    async def aclose(self) -> None:
        """Closes all channels."""
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))

    async def leaf_lists(self, chain: str, epoch: int) -> Answers[tuple[Reference, LeafList]]:
        """Everybody's own full leaf list."""

        def ask(signer: int) -> Awaitable[tuple[Reference, LeafList]]:
            credential = self._credential(GET_LEAF_LIST, signer, chain=chain, number=epoch)
            return self._clients[signer].get_leaf_list(credential, chain, epoch)

        return await _gather(self._clients, ask)

    async def signatures(self, signers: Iterable[int], body: CertificateBody, leaf_list: LeafList) -> Answers[bytes]:
        """Partial signatures of some relayers; not verified."""
        root = body.root()

        def ask(signer: int) -> Awaitable[bytes]:
            credential = self._credential(SIGN_LEAF_LIST, signer, chain=body.chain, number=body.epoch, subject=root)
            return self._clients[signer].sign_leaf_list(credential, body, leaf_list)

        return await _gather([signer for signer in signers if signer in self._clients], ask)

    async def publish(self, certificate: Certificate, leaf_list: LeafList) -> Answers[None]:
        """Hands a certificate to everybody."""
        body, digest = certificate.body, certificate.digest

        def ask(signer: int) -> Awaitable[None]:
            credential = self._credential(
                PUBLISH_CERTIFICATE, signer, chain=body.chain, number=body.epoch, subject=digest
            )
            return self._clients[signer].publish_certificate(credential, certificate, leaf_list)

        return await _gather(self._clients, ask)

    async def observations(self, signers: Iterable[int], slot: int) -> Answers[SignedObservations]:
        """Observations of some relayers for a slot; not verified."""

        def ask(signer: int) -> Awaitable[SignedObservations]:
            credential = self._credential(GET_OBSERVATIONS, signer, number=slot)
            return self._clients[signer].get_observations(credential, slot)

        return await _gather(signers, ask)

    def _credential(
        self, method: str, callee: int, *, chain: str = "", number: int, subject: bytes = NO_SUBJECT
    ) -> PeerCredential:
        now = int(self._clock())
        request = PeerRequest(method, self._signer, callee, chain, number, subject, now)
        return PeerCredential(self._signer, now, sign_peer_request(self._key, request, self._network_id))


async def _gather(signers: Iterable[int], ask: Callable[[int], Awaitable[T]]) -> Answers[T]:
    async def one(signer: int) -> tuple[int, T | ReasonCode]:
        try:
            return signer, await ask(signer)
        except MarginproofError as error:
            return signer, error.code

    values: dict[int, T] = {}
    failures: dict[int, ReasonCode] = {}
    for signer, outcome in await asyncio.gather(*(one(signer) for signer in signers)):
        if isinstance(outcome, ReasonCode):
            failures[signer] = outcome
        else:
            values[signer] = outcome
    return values, failures
