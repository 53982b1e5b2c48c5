"""A stage whose venues and relayers live."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.prover.agent.harness import LiveRelayer, LiveVenue
from tests.prover.chain import Chain
from tests.prover.stage import Stage, staged


@pytest.fixture
async def stage(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("tests.prover.stage.VenueForTests", LiveVenue)
    monkeypatch.setattr("tests.prover.stage.RelayerForTests", LiveRelayer)
    async with staged(chain, tmp_path) as made:
        yield made
