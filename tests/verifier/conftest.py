"""The one world that the venue's tests share; it is never changed."""

import pytest

from tests.verifier.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return World.make()
