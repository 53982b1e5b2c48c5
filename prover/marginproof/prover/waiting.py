"""Asking again until something has come about, for a bounded time."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from marginproof.model.errors import UnavailableError
from marginproof.model.reasons import ReasonCode

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for finality, and how often to look, in seconds."""

    timeout_seconds: float = 1800.0
    poll_seconds: float = 1.0


DEFAULT_PATIENCE: Final = Patience()


async def until(check: Callable[[], Awaitable[_T | None]], patience: Patience, what: str) -> _T:
    """The first result of ``check`` that is not None. Failures of endpoints and venues are waited out.

    Args:
        check: Asks once.
        patience: For how long.
        what: What is waited for, for the error.

    Raises:
        UnavailableError: DEADLINE, or the last failure, once time is up.
        MarginproofError: Whatever else ``check`` refuses, at once.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience.timeout_seconds
    while True:
        failure: UnavailableError | None = None
        try:
            found = await check()
            if found is not None:
                return found
        except UnavailableError as error:
            failure = error
        if clock() + patience.poll_seconds > deadline:
            raise failure or UnavailableError(
                f"{what} has not come about in {patience.timeout_seconds:.0f} s",
                code=ReasonCode.DEADLINE,
                fix="nothing is lost: look again later, or wait longer",
            )
        await asyncio.sleep(patience.poll_seconds)
