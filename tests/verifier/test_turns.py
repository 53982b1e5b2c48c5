"""A change of the accounts goes to its end, and the next one waits for it."""

import asyncio
import threading

import pytest

from marginproof.verifier.turns import in_turn


async def test_a_cancelled_caller_does_not_let_the_next_one_in() -> None:
    lock, started, go_on, order = asyncio.Lock(), asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def first() -> None:
        loop.call_soon_threadsafe(started.set)
        go_on.wait(10)
        order.append("first")

    caller = asyncio.ensure_future(in_turn(lock, first))
    await started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    following = asyncio.ensure_future(in_turn(lock, order.append, "second"))
    await asyncio.sleep(0.05)
    assert order == []
    go_on.set()
    await following
    assert order == ["first", "second"]


async def test_an_error_reaches_its_caller_and_frees_the_turn() -> None:
    lock = asyncio.Lock()
    with pytest.raises(ZeroDivisionError):
        await in_turn(lock, divmod, 1, 0)
    assert await in_turn(lock, divmod, 7, 2) == (3, 1)
