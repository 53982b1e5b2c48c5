"""When several endpoints together are believed: pure counting over a denominator that never shrinks.

What it gives: with n endpoints and the default of ⌈2n/3⌉, fewer than ⌈2n/3⌉ liars never win, and one honest
answer that differs stops everything. What it does not give: if ⌈2n/3⌉ endpoints tell the same lie while all others are
silent (2 of 3, the third knocked out), the lie wins here. ``required`` can be raised for that, at the price of
stopping whenever an endpoint is down; the threshold of relayers, each with endpoints of its own, is the next line.
Endpoints of one operator are one opinion: which ones are listed is what the quorum is worth.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from marginproof.model.errors import ConfigurationError, FieldValue, MarginproofError, UnavailableError
from marginproof.model.reasons import ReasonCode

MIN_ENDPOINTS: Final = 3


class Outcome(StrEnum):
    """What came of asking one endpoint."""

    ANSWERED = "answered"
    BEHIND = "behind"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    HTTP_STATUS = "http-status"
    TOO_LARGE = "too-large"
    NOT_JSON_RPC = "not-json-rpc"
    REFUSED = "refused"
    MALFORMED = "malformed"
    WRONG_CHAIN = "wrong-chain"
    BAD_PROOF = "bad-proof"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """One endpoint's part in a question.

    Args:
        endpoint: Its place in the configured list; addresses of endpoints hold keys and are never shown.
        outcome: Whether it answered, or why not.
        value: What it said, as hexadecimal text (a block hash, a call's result), or the reason code of what was
            wrong with it; empty where it said nothing.
    """

    endpoint: int
    outcome: Outcome
    value: str = ""

    def summary(self) -> str:
        """The answer in one short word for an error's fields."""
        if self.outcome is Outcome.ANSWERED:
            return self.value
        return f"{self.outcome}:{self.value}" if self.value else str(self.outcome)


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """Answers worth keeping: they contradict one another, or an endpoint gave a proof that does not hold.

    Args:
        chain: CAIP-2 id.
        subject: What was asked.
        answers: Each endpoint's answer.
    """

    chain: str
    subject: str
    answers: tuple[Answer, ...]


class EndpointDisagreementError(MarginproofError):
    """Endpoints contradict one another; nothing they said was used. ``answers`` has each one's answer."""

    def __init__(self, chain: str, subject: str, answers: Sequence[Answer]) -> None:
        super().__init__(
            ReasonCode.ENDPOINT_DISAGREEMENT,
            f"endpoints of {chain} contradict one another on {subject}",
            fix="find out which endpoint is wrong before using any; nothing was signed or decided",
            fields=_fields(chain, answers),
        )
        self.answers = tuple(answers)


class QuorumMissingError(UnavailableError):
    """Too few endpoints gave the same answer, and none contradicted it. ``answers`` has each one's answer."""

    def __init__(self, chain: str, subject: str, answers: Sequence[Answer], required: int) -> None:
        super().__init__(
            f"{required} equal answers of {len(answers)} endpoints of {chain} are needed on {subject}",
            code=ReasonCode.ENDPOINT_QUORUM,
            fix="check the endpoints that are silent or behind; the next attempt asks all of them again",
            fields={**_fields(chain, answers), "required": required},
        )
        self.answers = tuple(answers)


class NotYetFinalError(UnavailableError):
    """No finalized block is later than the cut-off, so the last block before it is not fixed yet."""

    def __init__(self, chain: str, cutoff: int, finalized_time: int) -> None:
        super().__init__(
            f"the newest finalized block of {chain} is not later than the cut-off",
            code=ReasonCode.NOT_YET_FINAL,
            fix="try again after the chain's next finalized block",
            fields={"chain": chain, "cutoff": cutoff, "finalized_time": finalized_time},
        )


class FinalityViolationError(MarginproofError):
    """A finalized block was replaced. The pool that saw it answers nothing any more."""

    def __init__(self, chain: str, number: int, before: str, after: str) -> None:
        super().__init__(
            ReasonCode.FINALITY_VIOLATION,
            f"{chain} replaced the finalized block {number}",
            fix="stop relying on this chain until its operators explain it; restart only after that",
            fields={"chain": chain, "number": number, "before": before, "after": after},
        )


def required_answers(endpoints: int, required: int | None, *, allow_development: bool) -> int:
    """How many equal answers a value needs.

    Args:
        endpoints: How many endpoints are configured.
        required: A higher number from the configuration, or None for ⌈2n/3⌉.
        allow_development: Accept fewer than three endpoints.

    Raises:
        ConfigurationError: ENDPOINT_TOO_FEW, or CONFIG_INVALID for a number below ⌈2n/3⌉ or above n.
    """
    if endpoints < 1 or (endpoints < MIN_ENDPOINTS and not allow_development):
        raise ConfigurationError(
            f"{endpoints} endpoints protect against nothing, at least {MIN_ENDPOINTS} are needed",
            code=ReasonCode.ENDPOINT_TOO_FEW,
            fix="list endpoints of independent operators; only a development network may have fewer",
        )
    least = -(-2 * endpoints // 3)
    if required is None:
        return least
    if not least <= required <= endpoints:
        raise ConfigurationError(
            f"{required} equal answers of {endpoints} endpoints cannot be asked for",
            fix=f"set it from {least} to {endpoints}",
        )
    return required


def agreed_value(chain: str, subject: str, answers: Sequence[Answer], required: int) -> str:
    """The value that enough endpoints gave and none contradicted.

    A malformed answer never counts for a value, but one that names another value contradicts it.

    Raises:
        EndpointDisagreementError: Two different values were named.
        QuorumMissingError: Too few gave it.
    """
    votes = [answer.value for answer in answers if answer.outcome is Outcome.ANSWERED]
    named = {answer.value for answer in answers if answer.outcome is Outcome.MALFORMED and answer.value}
    if len(named.union(votes)) > 1:
        raise EndpointDisagreementError(chain, subject, answers)
    if len(votes) < required:
        raise QuorumMissingError(chain, subject, answers, required)
    return votes[0]


def pinned_height(
    chain: str, subject: str, heights: Mapping[int, int], answers: Sequence[Answer], required: int
) -> int:
    """The height that every endpoint which answers has reached: the lowest of at least ``required`` answers.

    Whoever answers can then contradict every block that is asked for. Were it higher, forked endpoints a few blocks
    ahead would agree among themselves on blocks that the honest one does not have yet, and it would pass for a
    laggard. The price: an endpoint that is stuck, and says so, delays this reader until it is replaced.

    Args:
        chain: CAIP-2 id.
        subject: What was asked.
        heights: Height by endpoint, of those that answered.
        answers: Each endpoint's answer, for the error.
        required: See :func:`required_answers`.

    Raises:
        QuorumMissingError: Too few answered.
    """
    if len(heights) < required:
        raise QuorumMissingError(chain, subject, answers, required)
    return min(heights.values())


def _fields(chain: str, answers: Sequence[Answer]) -> dict[str, FieldValue]:
    return {"chain": chain, **{f"endpoint_{answer.endpoint}": answer.summary()[:80] for answer in answers}}
