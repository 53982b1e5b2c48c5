"""The pinned setup and the known answers."""

import pytest

from marginproof.reference import Setup
from tests.reference.known_answers import PLAIN, SETUP, WITH_AUXILIARY, Case, load_cases


@pytest.fixture(scope="session")
def setup() -> Setup:
    """The Ethereum ceremony's powers, from the core crate's file."""
    return Setup.load(SETUP)


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    """The known answers by name."""
    return load_cases()


@pytest.fixture(scope="session")
def plain(cases: dict[str, Case]) -> Case:
    """A valid case with one input and one digit column."""
    return cases[PLAIN]


@pytest.fixture(scope="session")
def with_auxiliary(cases: dict[str, Case]) -> Case:
    """A valid case with one input and one auxiliary vector."""
    return cases[WITH_AUXILIARY]
