"""Runs the command in this process, or against servers on a loop of their own; collects everything it says."""

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.model.network_file import NetworkFile, dump_network_file
from tests.prover.chain import Chain, deploy
from tests.prover.servers import RelayerForTests, VenueForTests, serving
from tests.prover.world import HOME, PASSWORD, network_file
from tests.support.command import VARIABLES, Command

_T = TypeVar("_T")
ACCESS_KEY = "planted-endpoint-access-key"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    for name in VARIABLES:
        monkeypatch.delenv(f"MARGINPROOF_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MARGINPROOF_PASSWORD", PASSWORD)
    return Command(capsys)


@pytest.fixture
def network_path(tmp_path: Path) -> Path:
    path = tmp_path / "network.yaml"
    path.write_bytes(dump_network_file(network_file(relayers=(("127.0.0.1:1", "none"),) * 3)))
    return path


@dataclasses.dataclass
class Background:
    """An event loop in a thread, for servers while the command runs a loop of its own."""

    loop: asyncio.AbstractEventLoop

    def do(self, work: Awaitable[_T]) -> _T:
        async def awaited() -> _T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(30)


@pytest.fixture
def background() -> Iterator[Background]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Background(loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def deployed() -> Iterator[Chain]:
    with Devnet(DevnetOptions(hosts=("127.0.0.1", "127.0.0.2", "127.0.0.3"))) as devnet:
        yield asyncio.run(deploy(devnet, policy_delay=1))


@dataclasses.dataclass(frozen=True)
class Live:
    """A network that answers: chain, three relayers, a venue; and the options every account command needs."""

    chain: Chain
    network: NetworkFile
    relayers: list[RelayerForTests]
    venue: VenueForTests
    options: tuple[str, ...]
    funding: tuple[str, ...]
    payer: tuple[str, ...]
    directory: Path
    background: Background

    @contextlib.contextmanager
    def mining(self) -> Iterator[None]:
        """Blocks come by themselves while a command waits for finality."""
        ended = threading.Event()

        def mine() -> None:
            while not ended.wait(0.2):
                self.chain.devnet.mine()

        thread = threading.Thread(target=mine)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @property
    def rpc(self) -> tuple[str, ...]:
        return tuple(part for url in self.chain.devnet.urls for part in ("--rpc", f"{HOME}={url}/?key={ACCESS_KEY}"))


@pytest.fixture
def live(deployed: Chain, background: Background, tmp_path: Path) -> Iterator[Live]:
    relayers = [RelayerForTests() for _ in range(3)]
    venue = VenueForTests(b"")
    stack = contextlib.AsyncExitStack()

    async def start() -> list[tuple[str, str]]:
        servers: list[RelayerForTests | VenueForTests] = [*relayers, venue]
        return [
            await stack.enter_async_context(serving(server, tmp_path / f"tls-{index}"))
            for index, server in enumerate(servers)
        ]

    *relayer_targets, venue_target = background.do(start())
    network = deployed.network(relayers=relayer_targets, venue=venue_target)
    venue.network_id = network.network_id
    network_path = tmp_path / "network.yaml"
    network_path.write_bytes(dump_network_file(network))
    venue.swaps_on = (deployed.devnet.url, network.network.registry)
    payer_path = tmp_path / "payer-key"
    deployed.devnet.account(2)
    payer_path.write_text(bytes(development_account(2).key).hex())
    key_path = tmp_path / "funding-key"
    deployed.devnet.account(1)
    key_path.write_text(bytes(development_account(1).key).hex())
    account = tmp_path / "account"
    options = ("--account", str(account), "--network", str(network_path))
    with deployed.devnet.snapshot():
        for _ in range(4):  # funding a key changes the newest block's state behind its root: finality must be past it
            deployed.devnet.mine()
        funding, payer = (("--funding-key-file", str(key_path)), ("--payer-key-file", str(payer_path)))
        yield Live(deployed, network, relayers, venue, options, funding, payer, account, background)
    background.do(stack.aclose())
