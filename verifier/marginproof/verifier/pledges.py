"""The venue's pledges: proposing, handing over openings, releasing, and taking in what became final on the registry.

Only what the registry's finalized record shows opens a line. A proposal is cheap and may be replaced; from the moment
its proof is accepted until the registry has settled it, nothing else is proposed or released.
"""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Final

import structlog

from marginproof.client.pledge_status import PledgeStatus, ProposalState
from marginproof.model.errors import MarginproofError, NotFoundError, RefusedError
from marginproof.model.margin import Purpose
from marginproof.model.pledges import PledgeOpening, RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.risk.line import covers, owes_nothing
from marginproof.verifier.books import book_of
from marginproof.verifier.live import LiveAccount, LiveAccounts
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.pledge_store import PledgeRow, PledgeState
from marginproof.verifier.proposals import propose
from marginproof.verifier.registry_watch import RegistryWatch
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.status import AccountStatus, StatusRules, after_failed, after_standing
from marginproof.verifier.store import VenueStore
from marginproof.verifier.swaps import SwapKind, SwapOrder, SwapOutcome, SwapState
from marginproof.verifier.trading import TradingDesk
from marginproof.verifier.turns import in_turn

_PROPOSAL_STATES: Final = {
    PledgeState.PROPOSED: ProposalState.PROPOSED,
    PledgeState.ACCEPTED: ProposalState.ACCEPTED,
    PledgeState.FAILED: ProposalState.FAILED,
}
_log = structlog.get_logger("marginproof.venue")


class PledgeDesk:
    """Everything about this venue's pledges but the proofs and the transactions.

    Args:
        setting: The venue.
        store: Where pledges are kept.
        live: The accounts.
        watch: The registry.
        trading: Tells whether a line is open.
        metrics: Counters.
        lock: Held while accounts change.
    """

    def __init__(
        self,
        setting: VenueSetting,
        *,
        store: VenueStore,
        live: LiveAccounts,
        watch: RegistryWatch,
        trading: TradingDesk,
        metrics: VenueMetrics,
        lock: asyncio.Lock,
    ) -> None:
        self._setting = setting
        self._store = store
        self._live = live
        self._watch = watch
        self._trading = trading
        self._metrics = metrics
        self._lock = lock
        self._rules = StatusRules.of(setting.configuration)

    async def reserve(self, account: bytes, line: int) -> PledgeStatus:
        """Proposes a pledge that lies ``line`` lots of cash below the book, in place of an older proposal.

        Raises:
            NotFoundError: BOOK_UNKNOWN.
            RefusedError: PLEDGE_PENDING.
            MalformedError: OUT_OF_RANGE; the line is wider than ``max_lots`` of cash allow.
        """
        await in_turn(self._lock, self._propose, account, line, Purpose.INITIAL)
        return await self.status(account)

    async def release(self, account: bytes) -> PledgeStatus:
        """Gives the pledge of an empty book up: no order is taken from now on, and the registry is told.

        Raises:
            NotFoundError: BOOK_UNKNOWN.
            RefusedError: PLEDGE_PENDING, BOOK_NOT_COVERED (the book is not empty), PLEDGE_MISSING.
            MarginproofError: The registry cannot be read.
        """
        header = await self._watch.header()
        record = await self._watch.record_at(header, account)
        await in_turn(self._lock, self._release, account, record, header.number)
        return await self.status(account)

    async def status(self, account: bytes) -> PledgeStatus:
        """How far the pledge of an account is.

        Raises:
            NotFoundError: BOOK_UNKNOWN.
            MarginproofError: The registry cannot be read.
        """
        self._live.of(account)
        record = await self._watch.record(account)
        async with self._lock:
            self._live.note_record(record)
            live = self._live.of(account)
            view = self._trading.view(account, live, self._setting.clock())
        pledge = record.pledge_of(self._setting.venue)
        commitment = None if pledge is None else pledge.commitment
        state, newest = _newest(live, commitment)
        return PledgeStatus(
            standing_commitment=commitment,
            line_open=view.open,
            registry_digest=record.digest,
            proposal_state=state,
            proposed_commitment=None if newest is None else newest.commitment,
            reason="" if newest is None else newest.reason,
        )

    async def proposal(self, account: bytes) -> PledgeOpening:
        """The opening of what is proposed; made anew where the book has moved since, so that it is of the book now.

        Raises:
            NotFoundError: BOOK_UNKNOWN; NOT_FOUND: nothing is proposed.
        """
        return await in_turn(self._lock, self._current_proposal, account)

    async def standing(self, account: bytes) -> PledgeOpening:
        """The opening of the pledge that stands, for an account that has lost it.

        Raises:
            NotFoundError: BOOK_UNKNOWN; NOT_FOUND: none stands, or its opening is not kept here.
            MarginproofError: The registry cannot be read.
        """
        live = self._live.of(account)
        pledge = (await self._watch.record(account)).pledge_of(self._setting.venue)
        for row in live.pledges:
            if pledge is not None and row.commitment == pledge.commitment:
                return row.opening
        raise NotFoundError("no pledge of this venue stands for the account", fix="ask the venue to reserve a line")

    def propose_cover(self, account: bytes, rows: tuple[Mapping[int, int], ...]) -> None:
        """Proposes the book itself as pledge, unless such a proposal is open and covers it. Called under the lock.

        A line that was reserved is no cover: the account may have maintenance margin for its book, but not initial
        margin for the line.

        Args:
            account: 32 bytes.
            rows: Of the snapshot under which the standing pledge does not cover the book.
        """
        live = self._live.of(account)
        opened = live.in_state(PledgeState.PROPOSED)
        is_cover = (
            opened is not None
            and opened.opening.purpose == Purpose.MAINTENANCE
            and covers(rows, opened.opening.vector(), live.row.book)
        )
        if live.pending is not None or is_cover:
            return
        try:
            self._propose(account, 0, Purpose.MAINTENANCE)
        except MarginproofError as error:  # a book at its bounds; every other account still gets its cover
            _log.warning("no cover can be proposed", account=account.hex(), reason=error.code)

    async def on_outcome(self, outcome: SwapOutcome) -> None:
        """Takes in how a swap or release ended; the same outcome again changes nothing."""
        record = await self._watch.record(outcome.account)
        await in_turn(self._lock, self._settle, outcome, record)

    async def refresh(self) -> None:
        """Reads the registry's record of every account with a pledge that stands or is about to; lines follow it.

        Without such accounts the registry is looked at all the same: deadlines wait while it cannot be.
        """
        await self._watch.header()
        states = (PledgeState.STANDING, PledgeState.ACCEPTED, PledgeState.RELEASING)
        for account in await asyncio.to_thread(self._store.pledges.accounts, *states):
            record = await self._watch.record(account)
            async with self._lock:
                self._live.note_record(record)

    def _propose(self, account: bytes, line: int, purpose: Purpose) -> PledgeOpening:
        live = self._live.of(account)
        _refuse_pending(live)
        opening = propose(
            self._setting.universe,
            book_of(self._setting, account, live),
            line=line,
            purpose=purpose,
            now=self._setting.clock(),
        )
        old = [row for row in live.pledges if row.state in (PledgeState.PROPOSED, PledgeState.FAILED)]
        self._store.change_pledges(account, [PledgeRow(opening, PledgeState.PROPOSED)], dropped=old)
        self._metrics.pledge_moved(PledgeState.PROPOSED)
        return opening

    def _current_proposal(self, account: bytes) -> PledgeOpening:
        live = self._live.of(account)
        row = live.in_state(PledgeState.PROPOSED)
        if row is None:
            raise NotFoundError("this venue proposes no pledge for the account", fix="ask the venue to reserve a line")
        opening = row.opening
        current = (live.row.sequence, self._setting.universe_digest)
        if (opening.book_sequence, opening.universe_digest) == current:
            return opening
        return self._propose(account, opening.line, Purpose(opening.purpose))

    def _release(self, account: bytes, record: RegistryRecord, height: int) -> None:
        self._live.note_record(record)
        live = self._live.of(account)
        _refuse_pending(live)
        if not owes_nothing(self._setting.universe, live.row.book):
            raise RefusedError(
                ReasonCode.BOOK_NOT_COVERED,
                "the account has positions at this venue, or owes it cash",
                fix="close every position and settle what is owed",
            )
        pledge = record.pledge_of(self._setting.venue)
        row = next((row for row in live.pledges if pledge is not None and row.commitment == pledge.commitment), None)
        if row is None or row.acceptance is None:
            raise RefusedError(ReasonCode.PLEDGE_MISSING, "no pledge of this venue stands for the account")
        order = SwapOrder(
            account=account,
            owner=row.acceptance.owner,
            index=row.acceptance.index,
            digest=record.digest,
            commitment=row.commitment,
            universe_version=row.opening.universe_version,
            signature=b"",
            kind=SwapKind.RELEASE,
            height=height,
        )
        old = [row for row in live.pledges if row.state in (PledgeState.PROPOSED, PledgeState.FAILED)]
        changed = dataclasses.replace(row, state=PledgeState.RELEASING)
        self._store.change_pledges(account, [changed], dropped=old, order=order)
        self._metrics.pledge_moved(PledgeState.RELEASING)

    def _settle(self, outcome: SwapOutcome, record: RegistryRecord) -> None:
        self._live.note_record(record)
        live = self._live.of(outcome.account)
        swapped = PledgeState.ACCEPTED if outcome.kind is SwapKind.SWAP else PledgeState.RELEASING
        row = live.in_state(swapped)
        if row is None or row.commitment != outcome.commitment or row.acceptance is None:
            return
        now, status = self._setting.clock(), live.row.status
        others = [other for other in live.pledges if other != row]
        if outcome.state is SwapState.STANDING:
            after, status = (
                dataclasses.replace(row, state=PledgeState.STANDING),
                after_standing(status, now, self._rules),
            )
            self._store.change_pledges(outcome.account, [after], dropped=others, status=status)
        elif outcome.state is SwapState.RELEASED:
            self._store.change_pledges(outcome.account, [], dropped=[row], status=AccountStatus())  # nothing is due
        elif outcome.kind is SwapKind.SWAP:
            failed = dataclasses.replace(row, state=PledgeState.FAILED, reason=str(outcome.reason or ""))
            status = after_failed(status, row.acceptance.status_before, now, self._rules)
            self._store.change_pledges(outcome.account, [failed], status=status)
        self._metrics.pledge_moved(outcome.state)


def _refuse_pending(live: LiveAccount) -> None:
    if live.pending is not None:
        raise RefusedError(
            ReasonCode.PLEDGE_PENDING, "a swap of this pledge is under way", fix="wait until it is final or has failed"
        )


def _newest(live: LiveAccount, standing: bytes | None) -> tuple[ProposalState, PledgeRow | None]:
    """What an account's newest proposal has come to, by the registry's finalized state."""
    if live.in_state(PledgeState.RELEASING):
        return ProposalState.ACCEPTED, None
    row = live.in_state(*_PROPOSAL_STATES)
    if row is not None:
        return _PROPOSAL_STATES[row.state], row
    row = live.in_state(PledgeState.STANDING)
    if row is not None and row.commitment == standing:
        return ProposalState.STANDING, row
    return ProposalState.NONE, None
