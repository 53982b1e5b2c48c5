"""Turning views into certificates: collect lists, propose what is common, gather signatures, publish."""

import asyncio
import hashlib

import structlog

from marginproof.attestation.certificates import assemble, verify_certificate, verify_partial
from marginproof.attestation.digests import digest_of
from marginproof.model.certificates import Certificate, CertificateBody, Leaf, LeafList
from marginproof.model.errors import MarginproofError
from marginproof.relayers.acceptance import own_body
from marginproof.relayers.context import NodeContext
from marginproof.relayers.peers import Peers
from marginproof.relayers.proposal import Proposal, next_proposal
from marginproof.relayers.protection import FixedList
from marginproof.relayers.timing import Timing, turn_of

_log = structlog.get_logger("marginproof.relayers.certify")
_MAX_OPEN_EPOCHS = 4


class Certifier:
    """Leads one chain's certification when it is this node's turn, or when those before it did not.

    Any relayer may lead at any time: what is signed depends on each signer's own view only, so two leaders cost
    work, not safety. Turns just keep them from doing the same.

    Args:
        context: The node.
        peers: The other relayers.
        chain: CAIP-2 chain id.
    """

    def __init__(self, context: NodeContext, peers: Peers, chain: str) -> None:
        self._context = context
        self._peers = peers
        self._chain = chain
        self._chain_hash = int.from_bytes(hashlib.sha256(chain.encode()).digest()[:8], "big")
        self._timing = Timing.of(context.file.configuration)
        self._open: dict[int, float] = {}
        self._next_try: dict[int, float] = {}

    def add(self, view: FixedList) -> None:
        """Puts a fixed view on the list of what must be certified; without leaves there is nothing to do."""
        if view.leaves:
            self._open[view.epoch] = self._context.clock()
            for epoch in sorted(self._open)[:-_MAX_OPEN_EPOCHS]:
                self._close(epoch)

    async def run(self) -> None:
        """Certifies until cancelled, newest epoch first."""
        self._resume()
        while True:
            for epoch in sorted(self._open, reverse=True):
                if epoch in self._open:  # newer views may have pushed it out meanwhile
                    await self._step(epoch)
            await asyncio.sleep(self._timing.poll)

    def _resume(self) -> None:
        """After a restart the newest view may not be certified yet."""
        last = self._context.protection.last_fixed(self._chain)
        if last is not None and last not in self._open:
            view = self._context.protection.fixed(self._chain, last)
            if view is not None:
                self.add(view)

    def _close(self, epoch: int) -> None:
        self._open.pop(epoch, None)
        self._next_try.pop(epoch, None)

    async def _step(self, epoch: int) -> None:
        now = self._context.clock()
        since = now - self._open[epoch]
        if now < self._next_try.get(epoch, 0.0):
            return
        if since >= self._timing.patience:
            # Nobody else is being waited for any more: what fails now is tried again, but not at once.
            self._next_try[epoch] = now + self._timing.patience
        try:
            view = self._context.view(self._chain, epoch)
            if set(view.leaves) <= self._context.archive.certified_leaves(self._chain, epoch):
                self._close(epoch)
            elif since >= self._timing.turn * self._turn(epoch):
                complete = since >= self._timing.patience
                if await self.lead(view, wait_for_all=not complete) and complete:
                    # What is still open has fewer than t holders; a late holder leads it himself.
                    self._close(epoch)
        except MarginproofError as error:
            self._context.status.failed(self._chain, error.code)
            _log.warning("epoch not certified", chain=self._chain, epoch=epoch, code=str(error.code))

    async def lead(self, view: FixedList, *, wait_for_all: bool) -> bool:
        """Certifies every leaf that enough relayers share.

        Args:
            view: This node's own view of the epoch.
            wait_for_all: Do nothing while a list is missing.

        Returns:
            True when all relayers were heard and no leaf that t share is open.
        """
        lists = await self._lists(view)
        heard = len(lists) == len(self._context.file.signer_set.relayers)
        if wait_for_all and not heard:
            return False
        certified = set(self._context.archive.certified_leaves(view.chain, view.epoch))
        while proposal := next_proposal(lists, certified, self._context.file.signer_set.threshold):
            signers = await self._certify(view, proposal)
            if len(signers) >= self._context.file.signer_set.threshold:
                certified.update(proposal.leaves)
            else:
                heard = False
                for silent in proposal.signers - signers:
                    del lists[silent]
        return heard

    async def _lists(self, view: FixedList) -> dict[int, tuple[Leaf, ...]]:
        """Everybody's leaves at this node's reference block; who read another block cannot sign with us."""
        answers, _ = await self._peers.leaf_lists(view.chain, view.epoch)
        lists = {self._context.signer: view.leaves}
        for signer, (reference, leaf_list) in answers.items():
            if reference == view.reference:
                lists[signer] = leaf_list.leaves
            else:
                _log.error(
                    "relayers read different blocks",
                    chain=view.chain,
                    epoch=view.epoch,
                    signer=signer,
                    own=view.reference.hash.hex(),
                    theirs=reference.hash.hex(),
                )
        return lists

    async def _certify(self, view: FixedList, proposal: Proposal) -> frozenset[int]:
        """Gathers signatures for one proposal; gives those who signed, and a certificate if they are enough."""
        body = own_body(self._context.file, view, proposal.leaves)
        leaf_list = LeafList(proposal.leaves)
        partials, refusals = await self._peers.signatures(proposal.signers, body, leaf_list)
        valid = {signer: partial for signer, partial in partials.items() if self._holds(signer, body, partial)}
        if self._context.signer in proposal.signers:
            valid[self._context.signer] = self._context.sign(body, proposal.leaves)
        for signer, code in refusals.items():
            _log.warning("relayer did not sign", chain=view.chain, epoch=view.epoch, signer=signer, code=str(code))
        if len(valid) >= self._context.file.signer_set.threshold:
            await self._finish(assemble(body, self._context.file.signer_set, valid), leaf_list)
        return frozenset(valid)

    async def _finish(self, certificate: Certificate, leaf_list: LeafList) -> None:
        verify_certificate(certificate, digest_of(self._context.file.network), self._context.file.signer_set)
        if self._context.keep_certificate(certificate, leaf_list.leaves):
            body = certificate.body
            _log.info(
                "certificate formed",
                chain=body.chain,
                epoch=body.epoch,
                digest=certificate.digest.hex(),
                leaves=len(leaf_list.leaves),
                signers=sum(certificate.signers),
            )
        await self._peers.publish(certificate, leaf_list)

    def _holds(self, signer: int, body: CertificateBody, partial: bytes) -> bool:
        public_key = self._context.file.signer_set.relayers[signer].public_key
        try:
            verify_partial(public_key, body, partial)
        except MarginproofError as error:
            _log.error("bad partial signature", chain=body.chain, epoch=body.epoch, signer=signer, code=str(error.code))
            return False
        return True

    def _turn(self, epoch: int) -> int:
        count = len(self._context.file.signer_set.relayers)
        return turn_of(self._context.signer, self._chain_hash, epoch, count)
