"""Two chains per session; a network of three relayers per module that asks for one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from tests.relayers.world import Chains, Relayers, funded_owner


@pytest.fixture(scope="session")
def chains() -> Iterator[Chains]:
    options = {"block_seconds": 1, "history": 200}
    with (
        Devnet(DevnetOptions(chain_id=31337, **options)) as home,  # type: ignore[arg-type] # one table for both
        Devnet(DevnetOptions(chain_id=31338, **options)) as second,  # type: ignore[arg-type] # one table for both
    ):
        world = Chains(home, second, funded_owner(home, second))
        asyncio.run(world.deploy())
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relayers(chains: Chains, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relayers]:
    folder: Path = tmp_path_factory.mktemp("relayers")
    made = Relayers.prepare(chains, folder)
    await made.give_registry(chains)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
