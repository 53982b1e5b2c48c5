"""Which transactions of the venue's key go out: nonces in a row, fees raised, gaps filled. Pure; see :mod:`.swaps`."""

import dataclasses
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from marginproof.chains.evm.transactions.posting import Fees
from marginproof.verifier.swaps import PendingOrder

REPLACEMENT_PERCENT: Final = 13
"""A replacement offers so much more than what it replaces; clients ask for 10 to 12.5 %."""
STUCK_BLOCKS: Final = 2
"""A transaction is never stuck before so many blocks went by without it: a halted chain is not outbid."""


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction of the venue's key.

    Attributes:
        nonce: Its place.
        order: Number of the order that it carries; None for one that only uses up its nonce.
        fees: What it offers.
        gas: Its gas limit.
        hash: Transaction hash, 32 bytes.
        raw: The signed bytes.
        made_at: UTC seconds.
        height: Height of the chain's head when it was made.
    """

    nonce: int
    order: int | None
    fees: Fees
    gas: int
    hash: bytes
    raw: bytes = dataclasses.field(repr=False)
    made_at: int
    height: int


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Where the chain's newest block stands; what it says decides only what is sent.

    Attributes:
        height: The block's number.
        mined: How many of the key's transactions it contains.
        pending: The lowest nonce that some endpoint has no transaction for.
        base_fee: Wei per gas that the next block burns.
        suggested: What a new transaction should offer.
    """

    height: int
    mined: int
    pending: int
    base_fee: int
    suggested: Fees


@dataclasses.dataclass(frozen=True, slots=True)
class SwapRules:
    """How transactions are sent.

    Attributes:
        window: Unmined transactions at a time.
        stuck_seconds: After how long a transaction that no block took is replaced by a better offer.
        fee_cap: The most that is ever offered, in wei per gas.
    """

    window: int = 8
    stuck_seconds: int = 45
    fee_cap: int = 500 * 10**9


@dataclasses.dataclass(frozen=True, slots=True)
class Post:
    """Make and send a new transaction at a nonce; ``order`` None only uses the nonce up."""

    nonce: int
    order: int | None
    fees: Fees


@dataclasses.dataclass(frozen=True, slots=True)
class Resend:
    """Send a transaction again, byte for byte."""

    attempt: Attempt


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to send now, in this order; ``capped`` are nonces that the fee cap keeps waiting."""

    steps: tuple[Post | Resend, ...]
    capped: tuple[int, ...]


def live_orders(attempts: Iterable[Attempt], final_nonce: int) -> frozenset[int]:
    """Numbers of the orders that a transaction could still carry out; ``final_nonce`` is the first unused one."""
    return frozenset(
        attempt.order for attempt in attempts if attempt.order is not None and attempt.nonce >= final_nonce
    )


def first_fees(suggested: Fees, cap: int) -> Fees:
    """What the first transaction at a nonce offers."""
    return Fees(min(suggested.most, cap), min(suggested.tip, suggested.most, cap))


def raised_fees(previous: Fees, suggested: Fees, cap: int) -> Fees | None:
    """What a replacement offers: 13 % above ``previous``, or what is suggested; None where the cap forbids it."""
    least = previous.bumped(REPLACEMENT_PERCENT)
    if least.most > cap:
        return None
    wanted = least.at_least(suggested)
    most = min(wanted.most, cap)
    return Fees(most, min(wanted.tip, most))


def plan(
    orders: Sequence[PendingOrder],
    attempts: Sequence[Attempt],
    *,
    ready: Collection[int],
    displaced: Collection[int] = (),
    outbid: Collection[bytes] = (),
    head: Head,
    now: int,
    rules: SwapRules,
) -> Plan:
    """What to send, nonce by nonce.

    Args:
        orders: All that are not settled, by number.
        attempts: All transactions at nonces that are not finally used, in the order in which they were made.
        ready: Numbers of the orders without a place whose transaction would succeed now.
        displaced: Numbers of the orders whose nonce somebody else's transaction seems to have used.
        outbid: Hashes of transactions that an endpoint refused as offering too little.
        head: The newest block.
        now: UTC seconds.
        rules: How to send.
    """
    return _Planner(orders, attempts, displaced, outbid, head, now, rules).run(ready)


def placed_orders(orders: Sequence[PendingOrder], attempts: Sequence[Attempt]) -> dict[int, int]:
    """Order number → nonce of its newest transaction, where no other has taken the place since."""
    newest = {attempt.nonce: attempt for attempt in attempts}
    last_nonce = {attempt.order: attempt.nonce for attempt in attempts if attempt.order is not None}
    return {
        pending.number: nonce
        for pending in orders
        if (nonce := last_nonce.get(pending.number)) is not None and newest[nonce].order == pending.number
    }


def foreign_nonces(attempts: Iterable[Attempt], before: int | None, after: int) -> tuple[int, ...]:
    """Nonces that were finally used between two proofs, though this venue had no transaction there.

    Args:
        attempts: All transactions kept.
        before: The first unused nonce at the earlier proof; None if there was none.
        after: The same at the later one.
    """
    if before is None:
        return ()
    own = {attempt.nonce for attempt in attempts}
    return tuple(nonce for nonce in range(before, after) if nonce not in own)


class _Planner:
    """One run over the nonces that no block has used yet."""

    def __init__(
        self,
        orders: Sequence[PendingOrder],
        attempts: Sequence[Attempt],
        displaced: Collection[int],
        outbid: Collection[bytes],
        head: Head,
        now: int,
        rules: SwapRules,
    ) -> None:
        self._outbid, self._head, self._now, self._rules = outbid, head, now, rules
        self._placed = {
            nonce: number for number, nonce in placed_orders(orders, attempts).items() if number not in displaced
        }
        self._orders = orders
        self._newest: Mapping[int, Attempt] = {a.nonce: a for a in attempts if a.nonce >= head.mined}
        self._best: dict[int, Fees] = {}
        for attempt in attempts:
            best = self._best.get(attempt.nonce, attempt.fees)
            self._best[attempt.nonce] = best.at_least(attempt.fees)
        self._steps: list[Post | Resend] = []
        self._capped: list[int] = []

    def run(self, ready: Collection[int]) -> Plan:
        seated = set(self._placed.values())
        waiting = deque(p.number for p in self._orders if p.number in ready and p.number not in seated)
        mined = self._head.mined
        places = set(range(mined, mined + self._rules.window)) | self._newest.keys()
        for nonce in sorted(places):
            attempt = self._newest.get(nonce)
            if attempt is None:
                self._fill(nonce, waiting)
            elif attempt.order is None or nonce in self._placed:
                self._push(attempt)
            else:
                self._reuse(attempt, waiting)
        return Plan(tuple(self._steps), tuple(self._capped))

    def _needed(self, nonce: int) -> bool:
        """Whether a transaction that matters waits for this nonce to be used."""
        return any(later > nonce for later in self._placed)

    def _fill(self, nonce: int, waiting: deque[int]) -> None:
        if waiting or self._needed(nonce):
            self._post(
                nonce, waiting.popleft() if waiting else None, first_fees(self._head.suggested, self._rules.fee_cap)
            )

    def _reuse(self, attempt: Attempt, waiting: deque[int]) -> None:
        """The transaction here carries an order that no longer matters, but it may still lie in a mempool."""
        if not waiting and not self._needed(attempt.nonce):
            return
        fees = raised_fees(self._best[attempt.nonce], self._head.suggested, self._rules.fee_cap)
        if fees is not None:
            self._post(attempt.nonce, waiting.popleft() if waiting else None, fees)
        else:
            self._capped.append(attempt.nonce)
            self._resend_if_lost(attempt)

    def _push(self, attempt: Attempt) -> None:
        if self._stuck(attempt):
            fees = raised_fees(self._best[attempt.nonce], self._head.suggested, self._rules.fee_cap)
            if fees is not None:
                self._post(attempt.nonce, attempt.order, fees)
                return
            self._capped.append(attempt.nonce)
        self._resend_if_lost(attempt)

    def _stuck(self, attempt: Attempt) -> bool:
        if attempt.hash in self._outbid:
            return True
        if self._now < attempt.made_at + self._rules.stuck_seconds:
            return False
        if self._head.height < attempt.height + STUCK_BLOCKS:
            return False
        # What waits behind another nonce is not stuck itself, unless no block could take it.
        return attempt.nonce == self._head.mined or attempt.fees.most < self._head.base_fee

    def _resend_if_lost(self, attempt: Attempt) -> None:
        if self._head.pending <= attempt.nonce:
            self._steps.append(Resend(attempt))

    def _post(self, nonce: int, order: int | None, fees: Fees) -> None:
        self._steps.append(Post(nonce, order, fees))
        if order is not None:
            self._placed[nonce] = order
        if fees.most < self._head.base_fee:
            self._capped.append(nonce)
