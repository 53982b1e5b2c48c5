"""The one world that the venue's tests share, and a home chain with the venue's policy announced."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.transactions.registry import Registry
from marginproof.chains.evm.transactions.sender import Sender
from tests.verifier.rig import Rig
from tests.verifier.world import DEPLOYER, NOW, REGISTRY, VENUE_KEY, World

ANNOUNCED = NOW - 100_000
"""The chain's time when the venue announced its policy."""
POLICY_DELAY = 86_400


@pytest.fixture(scope="session")
def world() -> World:
    """Never changed by a test."""
    return World.make()


@pytest.fixture(scope="session")
def home_chain(world: World) -> Iterator[Devnet]:
    """A real chain with the registry at its place and the policy announced in it."""
    with Devnet(DevnetOptions(genesis_time=ANNOUNCED)) as devnet:
        for key in (DEPLOYER, VENUE_KEY):
            devnet.fund(key.address, 10**20)
        asyncio.run(_announce(devnet, world.policy.digest))
        for _ in range(4):
            devnet.mine()
        yield devnet


@pytest.fixture
async def rig(tmp_path: Path, home_chain: Devnet, world: World) -> AsyncIterator[Rig]:
    """A running venue that knows the announcement and has a snapshot."""
    async with Rig.start(tmp_path, home_chain, world) as running:
        await running.ready()
        yield running


async def _announce(devnet: Devnet, digest: bytes) -> None:
    async with Sender(devnet.url, DEPLOYER) as sender:
        registry = await Registry.deploy(sender, POLICY_DELAY)
        assert bytes.fromhex(registry.address[2:]) == REGISTRY
    async with Sender(devnet.url, VENUE_KEY) as sender:
        await Registry(sender, registry.address).announce_policy(digest)
