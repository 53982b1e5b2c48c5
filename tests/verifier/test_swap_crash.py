"""A crash between any two steps: the poster starts again with its database only, and nothing is lost or done twice."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from marginproof.model.pledges import next_digest
from marginproof.verifier.swap_store import SwapStore
from marginproof.verifier.swaps import SwapOutcome, SwapState
from tests.verifier.swap_world import SwapWorld, VenueAtWork, swap_world, venue_at_work


class CrashError(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def world() -> Iterator[SwapWorld]:
    with swap_world() as made:
        yield made


@pytest.fixture
async def venue(world: SwapWorld, tmp_path: Path) -> AsyncIterator[VenueAtWork]:
    async with venue_at_work(world, tmp_path) as running:
        yield running


def crash_before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """The next call of a method is not reached any more."""

    def stop(*_: Any, **__: Any) -> Any:
        monkeypatch.undo()
        raise CrashError

    monkeypatch.setattr(owner, name, stop)


def crash_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """The next call of a coroutine takes place, and nothing after it."""
    real = getattr(owner, name)

    async def stop(*arguments: Any) -> Any:
        monkeypatch.undo()
        await real(*arguments)
        raise CrashError

    monkeypatch.setattr(owner, name, stop)


STEPS = {
    "before it is signed": lambda patch, venue: crash_before(patch, venue.sending, "sign"),
    "signed, not written": lambda patch, venue: crash_before(patch, SwapStore, "add_attempt"),
    "written, not sent": lambda patch, venue: crash_before(patch, venue.sending, "broadcast"),
    "sent, not noted": lambda patch, venue: crash_after(patch, venue.sending, "broadcast"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_while_a_swap_is_sent(
    world: SwapWorld, venue: VenueAtWork, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.poster.enqueue(order)
    STEPS[step](monkeypatch, venue)
    with pytest.raises(CrashError):
        await venue.tick()
    await venue.start()
    await venue.tick()
    assert venue.nonce("pending") == 1
    assert len(venue.store.attempts()) == 1
    await venue.settle()
    assert [outcome.state for outcome in venue.outcomes] == [SwapState.STANDING]
    assert venue.nonce() == 1
    assert (await venue.record(holder)).digest == next_digest(order.digest, venue.venue, order.commitment, 1)


async def test_nothing_is_sent_that_is_not_on_disk(
    world: SwapWorld, venue: VenueAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = venue.sending.broadcast
    written: list[bool] = []

    async def looking(raw: bytes) -> Any:
        written.append(any(attempt.raw == raw for attempt in venue.store.attempts()))
        return await real(raw)

    monkeypatch.setattr(venue.sending, "broadcast", looking)
    await venue.order(*[(await world.holder(venue.venue)).swap(venue.venue) for _ in range(2)])
    assert written == [True, True]


@pytest.mark.parametrize("blocks", [0, 1, 2, 3])
async def test_a_restart_while_a_swap_is_on_its_way(world: SwapWorld, venue: VenueAtWork, blocks: int) -> None:
    holder = await world.holder(venue.venue)
    await venue.order(holder.swap(venue.venue))
    world.mine(blocks)
    await venue.start()
    await venue.settle()
    assert [outcome.state for outcome in venue.outcomes] == [SwapState.STANDING]
    assert venue.nonce() == 1


async def test_a_restart_that_finds_its_transaction_lost(world: SwapWorld, venue: VenueAtWork) -> None:
    holder = await world.holder(venue.venue)
    await venue.order(holder.swap(venue.venue))
    venue.drop(venue.store.attempts()[0].hash)
    await venue.start()
    await venue.tick()
    assert venue.nonce("pending") == 1
    await venue.settle()
    assert [outcome.state for outcome in venue.outcomes] == [SwapState.STANDING]


@pytest.mark.parametrize("step", ["settle", "untold", "mark_told"])
async def test_a_crash_while_an_outcome_is_settled_and_told(
    world: SwapWorld, venue: VenueAtWork, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await world.holder(venue.venue)
    order = holder.swap(venue.venue)
    await venue.order(order)
    await venue.order()
    world.mine(3)
    crash_before(monkeypatch, SwapStore, step)
    with pytest.raises(CrashError):
        await venue.tick()
    await venue.start()
    await venue.tick()
    await venue.tick()
    expected = SwapOutcome(order.account, order.commitment, order.kind, SwapState.STANDING)
    # Told again only where the note of it was lost.
    assert venue.outcomes == [expected] * (2 if step == "mark_told" else 1)


async def test_an_outcome_that_could_not_be_taken_is_told_again(world: SwapWorld, venue: VenueAtWork) -> None:
    holder, other = await world.holder(venue.venue), await world.holder(venue.venue)
    await venue.order(holder.swap(venue.venue), other.swap(venue.venue))
    taken = venue.told
    failures = {holder.account: RuntimeError()}

    async def failing(outcome: SwapOutcome) -> None:
        if outcome.account in failures:
            raise failures.pop(outcome.account)
        taken(outcome)

    venue.told = failing
    await venue.start()
    world.mine(3)
    with capture_logs() as logs:
        await venue.tick()
        await venue.tick()
    assert [entry["error"] for entry in logs if "not taken" in entry["event"]] == ["RuntimeError"]
    # Nobody else has waited for it.
    assert [outcome.account for outcome in venue.outcomes] == [other.account, holder.account]
