"""Topping up within limits: pure. What is spent is reserved in the account's state before anything is sent."""

import dataclasses
from typing import ClassVar, Final

from pydantic import ConfigDict

from marginproof.model.errors import RefusedError
from marginproof.model.reasons import ReasonCode

DAY_SECONDS: Final = 86_400
_STRICT: Final = ConfigDict(extra="forbid")


@dataclasses.dataclass(frozen=True, slots=True)
class TopUpLimits:
    """What the agent may spend; amounts in base units of the lock's asset, all secret.

    Args:
        step: Amounts are multiples of it.
        per_top_up: Most at once.
        per_day: Most in any 86,400 seconds.
        in_all: Most for ever, by this account's record.
        least_seconds_between: From one top-up's reservation to the next.
    """

    step: int = dataclasses.field(repr=False)
    per_top_up: int = dataclasses.field(repr=False)
    per_day: int = dataclasses.field(repr=False)
    in_all: int = dataclasses.field(repr=False)
    least_seconds_between: int


@dataclasses.dataclass(frozen=True, slots=True)
class TopUp:
    """One top-up, written down before it is sent.

    Attributes:
        lock: The account's number of the lock.
        amount: Base units; secret.
        held_before: What the lock held, base units; secret.
        reserved_at: UTC seconds.
        sent_block: Block by which it was mined; None while that is not known.
        counted_at: When a certificate at or after that block was seen, UTC seconds; None before.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    lock: int
    amount: int = dataclasses.field(repr=False)
    held_before: int = dataclasses.field(repr=False)
    reserved_at: int
    sent_block: int | None = None
    counted_at: int | None = None

    @property
    def target(self) -> int:
        """What the lock holds once it is done, base units."""
        return self.held_before + self.amount


@dataclasses.dataclass(frozen=True, slots=True)
class Ledger:
    """Everything spent: the sum of all, and the top-ups that limits or certificates still ask for, oldest first."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    spent_in_all: int = dataclasses.field(default=0, repr=False)
    recent: tuple[TopUp, ...] = ()

    @property
    def open(self) -> TopUp | None:
        """The one that no certificate has counted yet; there is never a second one."""
        return next((top_up for top_up in self.recent if top_up.counted_at is None), None)

    @property
    def counted_at(self) -> int:
        """When the newest one was counted, UTC seconds; 0 before the first."""
        return max((top_up.counted_at or 0 for top_up in self.recent), default=0)

    def spent_within_day(self, now: int) -> int:
        """Base units reserved within the last 86,400 seconds; a clock that was set back forgives nothing."""
        return sum(top_up.amount for top_up in self.recent if top_up.reserved_at > now - DAY_SECONDS)


def plan(limits: TopUpLimits, ledger: Ledger, wanted: int, now: int) -> int:
    """How much to add now, base units: enough whole steps for ``wanted``, or as many as the limits leave.

    Args:
        limits: See :class:`TopUpLimits`.
        ledger: What was spent.
        wanted: Base units that would bring headroom back; at least one step is added.
        now: UTC seconds.

    Raises:
        RefusedError: TOP_UP_LIMIT: not even one step is left, or the last top-up is too recent or not counted yet.
    """
    if ledger.open is not None:
        raise _limit("the last top-up has not been counted yet", "wait for the next certificate")
    last = ledger.recent[-1].reserved_at if ledger.recent else None
    if last is not None and now < last + limits.least_seconds_between:
        raise _limit("the last top-up is too recent", "wait, or lower least_seconds_between")
    left = min(limits.per_top_up, limits.per_day - ledger.spent_within_day(now), limits.in_all - ledger.spent_in_all)
    steps = min(max(-(-wanted // limits.step), 1), left // limits.step)
    if steps < 1:
        raise _limit("the limits leave nothing for another top-up", "raise them, or top up by hand")
    return steps * limits.step


def reserved(ledger: Ledger, top_up: TopUp, now: int) -> Ledger:
    """The ledger with one more top-up; those that no limit asks for any more are dropped."""
    kept = (old for old in ledger.recent if old.reserved_at > now - DAY_SECONDS)
    return Ledger(ledger.spent_in_all + top_up.amount, (*kept, top_up))


def sent(ledger: Ledger, block: int) -> Ledger:
    """The ledger once the open top-up is mined."""
    return _changed(ledger, sent_block=block)


def counted(ledger: Ledger, now: int) -> Ledger:
    """The ledger once a certificate counts the open top-up."""
    return _changed(ledger, counted_at=now)


def _changed(ledger: Ledger, **changes: int) -> Ledger:
    recent = (
        dataclasses.replace(top_up, **changes) if top_up.counted_at is None else top_up for top_up in ledger.recent
    )
    return dataclasses.replace(ledger, recent=tuple(recent))


def _limit(message: str, fix: str) -> RefusedError:
    return RefusedError(ReasonCode.TOP_UP_LIMIT, message, fix=fix)
