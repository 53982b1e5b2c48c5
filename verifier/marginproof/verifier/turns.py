"""One change of the accounts at a time, carried to its end whatever becomes of the caller."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_turn(lock: asyncio.Lock, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Runs ``work`` in a thread while the lock is held.

    A caller that goes away (a cancelled call) ends neither: the thread could not be stopped, and the next change must
    not start before it is done.
    """

    async def run() -> T:
        async with lock:
            return await asyncio.to_thread(work, *arguments, **named)

    turn = asyncio.ensure_future(run())
    try:
        return await asyncio.shield(turn)
    except asyncio.CancelledError:
        turn.add_done_callback(_look_at)
        raise


def _look_at(turn: "asyncio.Future[T]") -> None:
    """Nobody waits for this any more: its error is taken note of and let go."""
    if not turn.cancelled():
        turn.exception()
