"""The one world that the venue's tests share, and a home chain with the venue authorised and its policy announced."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.transactions.registry import Registry
from marginproof.chains.evm.transactions.sender import Sender
from marginproof.model.typed_data import authorise_message
from marginproof.verifier import registry_watch, service
from tests.verifier.rig import Rig
from tests.verifier.world import (
    ACCOUNT,
    DEPLOYER,
    FILE,
    IDENTITY,
    NETWORK_ID,
    NOW,
    OWNER_KEY,
    REGISTRY,
    VENUE,
    VENUE_KEY,
    World,
)

ANNOUNCED = NOW - 100_000
"""The chain's time when the venue announced its policy."""


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


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the daemon's clockwork."""
    monkeypatch.setattr(service, "SWAP_SECONDS", 0.05)
    monkeypatch.setattr(service, "REGISTRY_POLL_SECONDS", 0.05)
    monkeypatch.setattr(service, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(registry_watch, "HEADER_SECONDS", 0.02)


@pytest.fixture
async def rig(tmp_path: Path, home_chain: Devnet, world: World) -> AsyncIterator[Rig]:
    """A running venue that knows the announcement and has a snapshot; the chain is put back at its end."""
    with home_chain.snapshot():
        async with Rig.start(tmp_path, home_chain, world) as running:
            await running.ready()
            yield running


async def _announce(devnet: Devnet, digest: bytes) -> None:
    configuration = FILE.configuration
    async with Sender(devnet.url, DEPLOYER) as sender:
        registry = await Registry.deploy(
            sender,
            n=256,
            configuration_digest=configuration.root(),
            policy_delay=configuration.policy_delay_seconds,
            notice_seconds=configuration.notice_seconds,
        )
        assert bytes.fromhex(registry.address[2:]) == REGISTRY
        assert await registry.network_id() == NETWORK_ID
        consent = sign_typed(OWNER_KEY, authorise_message(NETWORK_ID, ACCOUNT, VENUE, 0))
        await registry.authorise(IDENTITY.owner, IDENTITY.index, VENUE, 0, consent)
    async with Sender(devnet.url, VENUE_KEY) as sender:
        await Registry(sender, registry.address).announce_policy(digest)
