"""What the node's tasks and services share."""

import dataclasses
from collections.abc import Callable

from marginproof import core
from marginproof.attestation.certificates import partial_signature
from marginproof.model.certificates import Certificate, CertificateBody, Leaf
from marginproof.model.errors import NotFoundError, RefusedError
from marginproof.model.network_file import NetworkFile
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.acceptance import check_proposal
from marginproof.relayers.archive import Archive
from marginproof.relayers.broadcast import Broadcast
from marginproof.relayers.evidence import EvidenceFolder
from marginproof.relayers.protection import FixedList, SigningProtection
from marginproof.relayers.registrations import RegistrationBook
from marginproof.relayers.status import NodeStatus
from marginproof.relayers.store import Store


@dataclasses.dataclass(frozen=True, slots=True)
class NodeContext:
    """One node: who it is, what it remembers, how far it is. ``clock`` gives UTC seconds."""

    file: NetworkFile
    signer: int
    key: core.SigningKey = dataclasses.field(repr=False)
    clock: Callable[[], float]
    store: Store
    book: RegistrationBook
    protection: SigningProtection
    archive: Archive
    status: NodeStatus
    evidence: EvidenceFolder
    certificates: Broadcast[Certificate] = dataclasses.field(default_factory=Broadcast)
    reports: Broadcast[PriceReport] = dataclasses.field(default_factory=Broadcast)

    @property
    def now(self) -> int:
        """UTC seconds, whole."""
        return int(self.clock())

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains that have a vault, in rising order."""
        return tuple(sorted({vault.chain for vault in self.file.configuration.vaults}))

    def view(self, chain: str, epoch: int) -> FixedList:
        """This node's own view.

        Raises:
            NotFoundError: It has not fixed one.
            RefusedError: FINALITY_VIOLATION; the chain is halted here.
        """
        if self.store.is_halted(chain):
            raise RefusedError(
                ReasonCode.FINALITY_VIOLATION,
                "this relayer saw the chain replace a finalized block and signs nothing for it",
                fix="its operator clears the halt after the chain's operators explained it",
                fields={"chain": chain},
            )
        view = self.protection.fixed(chain, epoch)
        if view is None:
            raise NotFoundError(
                "this relayer has not fixed its leaves for this chain and epoch",
                fix="ask again later",
                fields={"chain": chain[:64], "epoch": epoch},
            )
        return view

    def sign(self, body: CertificateBody, leaves: tuple[Leaf, ...]) -> bytes:
        """Signs a body for leaves that are all this node's own; the only place where leaf lists are signed.

        Raises:
            MarginproofError: See :meth:`view` and :func:`marginproof.relayers.acceptance.check_proposal`.
        """
        check_proposal(self.file, self.view(body.chain, body.epoch), body, leaves)
        return partial_signature(self.key, body)

    def keep_certificate(self, certificate: Certificate, leaves: tuple[Leaf, ...]) -> bool:
        """Stores a verified certificate and tells everybody who listens; False if it was known."""
        body = certificate.body
        if not self.archive.add_certificate(certificate, leaves):
            return False
        self.status.certified(body.chain, body.epoch)
        own = self.protection.fixed(body.chain, body.epoch)
        if own is not None and own.reference != body.reference:
            self.evidence.keep_conflict(certificate, own.reference)
        self.certificates.publish(certificate)
        return True
