"""Long calls of the core: threads, progress, forked processes."""

import multiprocessing
from collections.abc import Callable

import pytest

from marginproof import core

ROWS = 200


def example(n: int) -> tuple[core.Statement, core.Opening]:
    rows = [core.Row(16, 0, [{index: 1}]) for index in range(ROWS)]
    return core.Statement(n, 1, 1, rows), core.Opening(n, {index: index for index in range(ROWS)}, bytes([1] * 32))


def make(n: int, threads: int | None, progress: Callable[[int, int], object] | None = None) -> bytes:
    statement, opening = example(n)
    return core.prove(statement, [opening], b"", threads=threads, progress=progress)


def accepts(n: int, proof: bytes) -> bool:
    statement, opening = example(n)
    core.verify(statement, [opening.commitment()], b"", proof)
    return True


@pytest.mark.parametrize("threads", [None, 1, 2])
@pytest.mark.parametrize("n", [256, 1024])
def test_proofs_made_on_any_number_of_threads_hold(n: int, threads: int | None) -> None:
    heard: list[tuple[int, int]] = []
    assert accepts(n, make(n, threads, lambda done, total: heard.append((done, total))))
    totals = {total for _, total in heard}
    assert [done for done, _ in heard] == list(range(1, totals.pop() + 1))
    assert not totals


@pytest.mark.parametrize("threads", [1, 2])
def test_batches_on_any_number_of_threads_name_the_same(threads: int) -> None:
    statement, opening = example(256)
    good = core.prove(statement, [opening], b"")
    commitments = [opening.commitment()]
    claims = [core.Claim(statement, commitments, b"" if number % 7 else b"other", good) for number in range(40)]
    heard: list[int] = []
    answer = core.verify_batch(claims, threads=threads, progress=lambda done, _: heard.append(done))
    assert sorted(answer) == list(range(0, 40, 7))
    assert heard == [1, 2, 3, 4]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_listener_raises_ends_the_call(threads: int) -> None:
    def refuse(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt(f"{done} of {total}")

    with pytest.raises(KeyboardInterrupt, match="3 of"):
        make(1024, threads, refuse)


def test_no_threads_are_none_that_work() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        make(256, 0)


def _prove_in_child(threads: int) -> bool:
    return accepts(1024, make(1024, threads))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_proves_too(threads: int) -> None:
    """It has none of its parent's threads, whose pool of two is built before."""
    make(1024, 2)
    with multiprocessing.get_context("fork").Pool(1) as children:
        assert children.apply_async(_prove_in_child, (threads,)).get(timeout=60)
