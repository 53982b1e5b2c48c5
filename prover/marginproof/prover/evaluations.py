"""What an account has evaluated: once for each occasion, written down before anything of it leaves the process."""

import dataclasses
import hashlib
from collections.abc import Callable

from marginproof.model.errors import RefusedError
from marginproof.model.margin import Presentation, ProofContext
from marginproof.model.network import Configuration, price_slot_of
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import NO_COMMITMENT
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.headroom import Headroom, with_headroom
from marginproof.prover.pledges import with_pledge
from marginproof.prover.state import AccountState, PledgeRecord, ProofRecord


def occasion(context: ProofContext, price_slot: int) -> bytes:
    """What is evaluated only once: (venue, price slot, purpose, d, whether a pledge is proposed, certificates).

    Neither the snapshot nor the proposed pledge is part of it: a venue that could vary its line on one snapshot, or its
    snapshot on one price report (policies, values within the band), could search for the account's equity.
    """
    parts = (
        context.venue,
        price_slot.to_bytes(8, "big"),
        bytes([context.purpose, context.new_pledge != NO_COMMITMENT]),
        context.registry_digest,
        *context.certificates,
    )
    return hashlib.sha256(b"".join(parts)).digest()


class Evaluations:
    """The account's own record of what it answered; ``clock`` gives UTC seconds."""

    def __init__(self, account: Account, network: NetworkFile, clock: Callable[[], int]) -> None:
        self._account = account
        self._network = network
        self._clock = clock

    def made_before(self, context: ProofContext, price_slot: int) -> Presentation | None:
        """The presentation that was made of exactly this context, if one was.

        Raises:
            RefusedError: PROOF_ALREADY_MADE: another question was answered on this occasion, or may have been before
                this copy of the account was restored.
        """
        key, root = occasion(context, price_slot), context.root()
        self._check_after_restore(price_slot)
        for record in self._account.state.proofs:
            if record.occasion == key and record.context != root:
                raise RefusedError(
                    ReasonCode.PROOF_ALREADY_MADE,
                    "the venue's proposal or snapshot changed, but the account proves only once on one price report",
                    fix="prove again when the venue has its next snapshot",
                )
            if record.occasion == key and record.presentation:
                return Presentation.decode(record.presentation)
        return None

    def remember(
        self,
        context: ProofContext,
        headroom: Headroom,
        presentation: Presentation | None = None,
        pledge: PledgeRecord | None = None,
    ) -> Presentation | None:
        """Writes one evaluation down, in one step with the opening of the pledge that it consents to.

        Whoever evaluated the same occasion meanwhile was first: nothing is written, and nothing else may be sent.

        Args:
            context: Of the proof.
            headroom: What came of it.
            presentation: None where margin was too small: no proof is an answer too, and there is one answer only.
            pledge: What the presentation consents to.

        Returns:
            The presentation to use: the first one that was made of this context.

        Raises:
            RefusedError: PLEDGE_PENDING, see :func:`with_pledge`, or PROOF_ALREADY_MADE; nothing was written and
                nothing may be sent.
        """
        known = self.made_before(context, headroom.price_slot)
        if known is not None:
            return known
        state = with_headroom(self._account.state, headroom)
        if pledge is not None:
            state = with_pledge(state, pledge)
        encoded = presentation.encode() if presentation is not None else b""
        self._account.remember(self._with_proof(state, context, headroom.price_slot, encoded))
        return presentation

    def _with_proof(
        self, state: AccountState, context: ProofContext, price_slot: int, presentation: bytes
    ) -> AccountState:
        """An occasion is remembered for as long as any snapshot can rest on its price report."""
        key, now = occasion(context, price_slot), self._clock()
        record = ProofRecord(key, presentation, _last_use(self._network.configuration, price_slot), context.root())
        kept = (old for old in state.proofs if old.expires_at > now and old.occasion != key)
        return dataclasses.replace(state, proofs=(*kept, record))

    def _check_after_restore(self, price_slot: int) -> None:
        """What the lost state had answered by then is not known: nothing of that time is answered again."""
        restored_at, configuration = self._account.state.restored_at, self._network.configuration
        if restored_at and price_slot <= price_slot_of(configuration, restored_at + configuration.clock_skew_seconds):
            raise RefusedError(
                ReasonCode.PROOF_ALREADY_MADE,
                "this account was restored from a backup and may have proven on this price report before",
                fix="prove on one of the next price reports, in a minute or two",
            )


def _last_use(configuration: Configuration, price_slot: int) -> int:
    begin = configuration.genesis_time + price_slot * configuration.price_seconds
    return begin + 2 * (configuration.snapshot_seconds + configuration.price_seconds) + configuration.clock_skew_seconds
