"""Agreements between venues: mutual while both have agreed, ended with delay."""

from tests.contracts.conftest import POLICY_DELAY, World
from tests.contracts.harness import ZERO

NO_END = 2**64 - 1


def sides(world: World) -> tuple[int, int]:
    call = world.registry.call
    return (
        call("agreed_until", world.owner, world.stranger),
        call("agreed_until", world.stranger, world.owner),
    )


def test_each_side_agrees_for_itself(world: World) -> None:
    assert sides(world) == (0, 0)
    outcome = world.registry.act(world.owner, "agree", world.stranger)
    assert world.registry.events(outcome, "Agreed") == [{"venue": world.owner.lower(), "other": world.stranger.lower()}]
    assert sides(world) == (NO_END, 0)
    world.registry.act(world.stranger, "agree", world.owner)
    assert sides(world) == (NO_END, NO_END)


def test_an_end_takes_effect_after_the_delay(world: World) -> None:
    world.registry.act(world.owner, "agree", world.stranger)
    world.registry.act(world.stranger, "agree", world.owner)
    outcome = world.registry.act(world.stranger, "end_agreement", world.owner)
    until = outcome.time + POLICY_DELAY
    assert world.registry.events(outcome, "AgreementEnded") == [
        {"venue": world.stranger.lower(), "other": world.owner.lower(), "until": until}
    ]
    assert sides(world) == (NO_END, until)


def test_an_end_is_never_brought_forward(world: World) -> None:
    world.registry.act(world.owner, "agree", world.stranger)
    first = world.registry.act(world.owner, "end_agreement", world.stranger).time
    for at in (first + 1, first + POLICY_DELAY + 1):
        assert world.registry.refused(world.owner, "end_agreement", world.stranger, at=at) == "NOT_AGREED"
    assert sides(world)[0] == first + POLICY_DELAY


def test_what_is_ended_may_be_agreed_again(world: World) -> None:
    for wait in (1, POLICY_DELAY + 5):
        world.registry.act(world.owner, "agree", world.stranger)
        ended = world.registry.act(world.owner, "end_agreement", world.stranger).time
        world.registry.act(world.owner, "agree", world.stranger, at=ended + wait)
        assert sides(world)[0] == NO_END
        world.registry.act(world.owner, "end_agreement", world.stranger)


def test_impossible_agreements_are_refused(world: World) -> None:
    assert world.registry.refused(world.owner, "agree", ZERO) == "VENUE_INVALID"
    assert world.registry.refused(world.owner, "agree", world.owner) == "VENUE_INVALID"
    assert world.registry.refused(world.owner, "end_agreement", world.stranger) == "NOT_AGREED"
    world.registry.act(world.owner, "agree", world.stranger)
    assert world.registry.refused(world.owner, "agree", world.stranger) == "ALREADY_AGREED"
    assert world.registry.refused(world.stranger, "end_agreement", world.owner) == "NOT_AGREED"
