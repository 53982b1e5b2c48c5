"""One development chain with the contracts for all tests of the room."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.model.network_file import NetworkFile
from marginproof.prover.account import Account
from tests.prover.chain import Chain, deploy
from tests.prover.stage import Stage, staged
from tests.prover.world import HOME, make_account


@pytest.fixture(scope="session")
def deployed() -> Iterator[Chain]:
    with Devnet(DevnetOptions(hosts=("127.0.0.1", "127.0.0.2", "127.0.0.3"))) as devnet:
        yield asyncio.run(deploy(devnet))


@pytest.fixture
def chain(deployed: Chain) -> Iterator[Chain]:
    deployed.devnet.account(1)
    with deployed.devnet.snapshot():
        yield deployed


@pytest.fixture
def network(chain: Chain) -> NetworkFile:
    return chain.network()


@pytest.fixture
def account(chain: Chain, network: NetworkFile, tmp_path: Path) -> Iterator[Account]:
    with make_account(tmp_path / "account", network, endpoints={HOME: chain.devnet.urls}) as opened:
        yield opened


@pytest.fixture
async def stage(chain: Chain, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(chain, tmp_path) as made:
        yield made
