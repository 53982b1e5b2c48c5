"""What relayers say, checked: certificates, and the newest leaf of an account on a chain.

A relayer is not trusted: an answer counts only with its signatures and branch. What no relayer can be asked to prove is
that there is nothing newer, so all of them are asked, and at least n − t + 1 must answer: every certificate has t
signers, of whom one is then among those who answered.
"""

import asyncio
import dataclasses
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from marginproof.attestation.certificates import verify_certificate
from marginproof.attestation.leaves import verify_included
from marginproof.client.relayer import RelayerClient
from marginproof.model.certificates import Certificate
from marginproof.model.errors import MarginproofError, NotFoundError, UnavailableError
from marginproof.model.network_file import NetworkFile
from marginproof.verifier.facts import NewestLeaf
from marginproof.verifier.setting import Clock

_MAX_CERTIFICATES: Final = 4096
_MAX_FANOUTS: Final = 16

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class ChainEvidence:
    """The newest certificate that is known of a chain: its reference block's time and its end (UTC seconds)."""

    last_reference: int
    expires_at: int


class RelayerEvidence:
    """Asks all relayers and keeps what holds.

    Args:
        clients: One for each relayer of the network, with a short time-out.
        file: The network file; its signer set's possessions were checked.
        clock: Gives UTC seconds.
    """

    def __init__(self, clients: Sequence[RelayerClient], file: NetworkFile, clock: Clock) -> None:
        self._clients = clients
        self._file = file
        self._network_id = file.network_id
        self._clock = clock
        self._required = len(clients) - file.configuration.threshold + 1
        self._chains = {vault.chain for vault in file.configuration.vaults}
        self._certificates: OrderedDict[bytes, Certificate] = OrderedDict()
        self._seen_at: dict[tuple[str, int], int] = {}
        self._latest: dict[str, ChainEvidence] = {}
        self._slots = asyncio.Semaphore(_MAX_FANOUTS)

    @property
    def chains(self) -> frozenset[str]:
        """The chains of the network."""
        return frozenset(self._chains)

    def chain(self, chain: str) -> ChainEvidence | None:
        """The newest known of a chain."""
        return self._latest.get(chain)

    async def certificate(self, digest: bytes) -> Certificate | None:
        """The certificate with this digest, if any relayer has it; verified once, then remembered.

        Raises:
            UnavailableError: Too few relayers answer to say that there is none.
        """
        known = self._certificates.get(digest)
        if known is not None:
            return known
        answers = await self._ask_all(lambda client: client.get_certificate(digest))
        for certificate in answers:
            if certificate is not None and certificate.digest == digest and self._accept(certificate):
                return certificate
        return None

    async def newest_leaf(self, account: bytes, chain: str) -> NewestLeaf | None:
        """The newest epoch in which an account has a leaf on a chain, as far as any relayer shows one.

        Raises:
            UnavailableError: Too few relayers answer.
        """
        answers = await self._ask_all(lambda client: client.get_account_leaf(account, chain))
        epochs = []
        for answer in answers:
            if answer is None:
                continue
            included, certificate = answer
            try:
                verify_included(included, certificate)
            except MarginproofError:
                continue
            if included.leaf.account == account and certificate.body.chain == chain and self._accept(certificate):
                epochs.append(certificate.body.epoch)
        if not epochs:
            return None
        newest = max(epochs)
        return NewestLeaf(newest, self._seen_at[chain, newest])

    async def refresh(self) -> None:
        """Takes in the newest certificates of every chain; silence changes nothing."""
        for chain in sorted(self._chains):
            for certificates in await self._listed(chain):
                for certificate in certificates if isinstance(certificates, tuple) else ():
                    self._accept(certificate)
        self._forget_old_epochs()

    async def _listed(self, chain: str) -> list[tuple[Certificate, ...] | MarginproofError]:
        return await self._answers(lambda client: client.list_certificates(chain))

    async def _ask_all(self, ask: Callable[[RelayerClient], Awaitable[T]]) -> list[T | None]:
        """Every relayer's answer; None where it says that it has none."""
        async with self._slots:
            answers = await self._answers(ask)
        given: list[T | None] = []
        for answer in answers:
            if isinstance(answer, NotFoundError):
                given.append(None)
            elif not isinstance(answer, MarginproofError):
                given.append(answer)
        if len(given) < self._required:
            raise UnavailableError(
                f"{len(given)} of {len(self._clients)} relayers answer this venue, {self._required} are needed",
                fix="submit the same presentation again in a moment; nothing was decided",
                fields={"answered": len(given), "required": self._required},
            )
        return given

    async def _answers(self, ask: Callable[[RelayerClient], Awaitable[T]]) -> list[T | MarginproofError]:
        async def one(client: RelayerClient) -> T | MarginproofError:
            try:
                return await ask(client)
            except MarginproofError as error:
                return error

        return list(await asyncio.gather(*(one(client) for client in self._clients)))

    def _accept(self, certificate: Certificate) -> bool:
        """Verifies a certificate, unless its like is known, and remembers it."""
        body, digest = certificate.body, certificate.digest
        if digest in self._certificates:
            return True
        try:
            verify_certificate(certificate, self._network_id, self._file.signer_set)
        except MarginproofError:
            return False
        if body.chain not in self._chains:
            return False
        self._certificates[digest] = certificate
        while len(self._certificates) > _MAX_CERTIFICATES:
            self._certificates.popitem(last=False)
        self._seen_at.setdefault((body.chain, body.epoch), self._clock())
        latest = self._latest.get(body.chain)
        if latest is None or body.reference.timestamp > latest.last_reference:
            self._latest[body.chain] = ChainEvidence(body.reference.timestamp, body.expires_at)
        return True

    def _forget_old_epochs(self) -> None:
        """Epochs of forgotten certificates; whoever asks for one again sees it anew."""
        kept = {(certificate.body.chain, certificate.body.epoch) for certificate in self._certificates.values()}
        self._seen_at = {key: time for key, time in self._seen_at.items() if key in kept}
