"""Sets the scene: chains, contracts, network file, and every process of the network."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from marginproof.chains.evm.transactions import Registry, Sender
from marginproof.cli.demo.cast import Cast, VenueSeat, make_cast
from marginproof.cli.demo.configurations import write_relayer, write_venue
from marginproof.cli.demo.deployment import HOSTS, Chains, Deployer, Deployment, start_chains
from marginproof.cli.demo.network import (
    CLAIM_SECONDS,
    NOTICE_SECONDS,
    POLICY_DELAY_SECONDS,
    VECTOR_LENGTH,
    Pace,
    demo_configuration,
    demo_network,
    now_seconds,
)
from marginproof.cli.demo.price_tape import PriceTape
from marginproof.cli.demo.processes import Child
from marginproof.cli.demo.scenario import Scenario
from marginproof.cli.demo.switchboard import Switchboard, start_switchboard
from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.client.venue_book import VenueBookClient
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, UnavailableError
from marginproof.model.network_file import NetworkFile, dump_network_file
from marginproof.risk.policy import load_policy

_START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.3
_VENUE_COINS: Final = 10**18
"""What a venue pays its transactions from, in wei."""


@dataclasses.dataclass(frozen=True, slots=True)
class VenueSite:
    """A running venue, from outside and from its matching engine's side. ``letter`` is how the screen calls it."""

    letter: str
    directory: Path
    address: bytes
    client: VenueClient
    book: VenueBookClient
    book_target: str


@dataclasses.dataclass(slots=True)
class World:
    """Everything the story plays on. Leaving the stack it was made with ends all of it.

    ``switchboards`` are the relayers' endpoints, in the relayers' order; ``extra_processes`` are process ids that the
    story adds to what is measured.
    """

    directory: Path
    network: NetworkFile
    network_path: Path
    chains: Chains
    deployment: Deployment
    tape: PriceTape
    switchboards: tuple[Switchboard, ...]
    children: list[Child]
    relayers: tuple[RelayerClient, ...]
    venues: tuple[VenueSite, ...]
    password_path: Path
    agent_metrics_target: str
    extra_processes: list[int] = dataclasses.field(default_factory=list)

    @property
    def venue(self) -> VenueSite:
        """The first venue."""
        return self.venues[0]

    def process_ids(self) -> list[int]:
        """All processes but this one."""
        chains = [devnet.process_id for devnet in self.chains.by_id().values()]
        own = [child.process_id for child in self.children]
        return [*own, *self.extra_processes, *(pid for pid in chains if pid is not None)]

    def check_running(self) -> None:
        """Raises UnavailableError when a process has ended."""
        for child in self.children:
            child.check_running()

    async def until_ready(self) -> None:
        """Waits until every relayer answers and every venue has a snapshot, which needs prices of t relayers."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self.check_running()
            try:
                await asyncio.gather(
                    *(relayer.get_status() for relayer in self.relayers),
                    *(venue.client.get_snapshot() for venue in self.venues),
                )
                return
            except MarginproofError as error:
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"the network did not come up in {_START_SECONDS:.0f} s ({error.code})",
                        fix=f"look at the logs in {self.directory}",
                    ) from error
            await asyncio.sleep(_POLL_SECONDS)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a story needs: folder names of its venues, the first one's first, and how long an account has to prove.

    Every venue but the first counts the pledges of all those before it in full, which all sides sign on the registry.
    """

    venue_names: tuple[str, ...]
    pace: Pace

    @property
    def venues(self) -> str:
        """Their number in words."""
        return {1: "one venue", 2: "two venues"}[len(self.venue_names)]


async def build(stack: contextlib.AsyncExitStack, directory: Path, scenario: Scenario, plan: Plan) -> World:
    """Deploys everything and starts every process; :meth:`World.until_ready` waits for them.

    Args:
        stack: Ends every process when it is closed, the last started first.
        directory: Where keys, databases and logs go; empty.
        scenario: Whose opening hour the feeds show.
        plan: Who plays.

    Raises:
        MarginproofError: A tool is missing, or a process did not start.
    """
    chains, cast = await asyncio.gather(start_chains(stack), asyncio.to_thread(make_cast, directory, plan.venue_names))
    deployer = Deployer(chains, stack)
    deployment = await deployer.deploy(notice_seconds=NOTICE_SECONDS, payout_seconds=CLAIM_SECONDS)
    tape = PriceTape(deployment.feeds, scenario.opening)
    network, _ = await asyncio.gather(_network(deployer, deployment, cast, plan.pace), tape.start())
    stack.push_async_callback(tape.aclose)
    network_path = directory / "network.yaml"
    network_path.write_bytes(dump_network_file(network))
    boards, relayers = await _start_relayers(stack, cast, chains, directory)
    venues = await _start_venues(stack, cast, chains, network, directory)
    return World(
        directory=directory,
        network=network,
        network_path=network_path,
        chains=chains,
        deployment=deployment,
        tape=tape,
        switchboards=boards,
        children=[*relayers, *venues],
        relayers=await _relayer_clients(stack, network),
        venues=await _venue_sites(stack, cast),
        password_path=cast.password_path,
        agent_metrics_target=cast.agent_metrics_target,
    )


async def _network(deployer: Deployer, deployment: Deployment, cast: Cast, pace: Pace) -> NetworkFile:
    configuration = demo_configuration(deployment, cast.relayer_endpoints, pace, now_seconds())
    registry = await deployer.registry(
        VECTOR_LENGTH,
        configuration.root(),
        policy_delay=POLICY_DELAY_SECONDS,
        notice_seconds=NOTICE_SECONDS,
    )
    venues = [venue.endpoint for venue in cast.venues]
    return demo_network(deployment, registry, configuration, cast.relayer_endpoints, venues)


async def _start_relayers(
    stack: contextlib.AsyncExitStack, cast: Cast, chains: Chains, directory: Path
) -> tuple[tuple[Switchboard, ...], tuple[Child, ...]]:
    honest = {chain: devnet.urls for chain, devnet in chains.by_id().items()}
    boards, children = [], []
    for seat in cast.relayers:
        board = await start_switchboard(stack, HOSTS, honest)
        path = write_relayer(seat, board.urls)
        boards.append(board)
        children.append(_child(stack, seat.name, ["relayer", "start", "--config", str(path)], directory))
    return tuple(boards), tuple(children)


async def _start_venues(
    stack: contextlib.AsyncExitStack, cast: Cast, chains: Chains, network: NetworkFile, directory: Path
) -> tuple[Child, ...]:
    recognised: Mapping[bytes, list[bytes]] = {
        venue.endpoint.address: [other.endpoint.address for other in cast.venues[:position]]
        for position, venue in enumerate(cast.venues)
    }
    children = []
    for venue in cast.venues:
        path = write_venue(venue, chains.home.urls, recognised[venue.endpoint.address])
        children.append(_child(stack, venue.seat.name, ["venue", "start", "--config", str(path)], directory))
    everyone = [venue.endpoint.address for venue in cast.venues]
    await asyncio.gather(*(_announce(chains, network, venue, everyone) for venue in cast.venues))
    return tuple(children)


async def _announce(chains: Chains, network: NetworkFile, venue: VenueSeat, everyone: list[bytes]) -> None:
    """A venue's two statements on the registry: its policy's digest, and its agreement with the other venues."""
    policy = load_policy((venue.seat.directory / "policy.yaml").read_bytes())
    await asyncio.to_thread(chains.home.fund, venue.key.address, _VENUE_COINS)
    async with Sender(chains.home.url, venue.key) as sender:
        registry = Registry(sender, format_address(network.network.registry))
        await registry.announce_policy(policy.digest)
        for other in everyone:
            if other != venue.endpoint.address:
                await registry.agree(format_address(other))


def _child(stack: contextlib.AsyncExitStack, name: str, arguments: list[str], directory: Path) -> Child:
    child = Child(name, arguments, directory, {})
    stack.callback(child.stop)
    return child


async def _relayer_clients(stack: contextlib.AsyncExitStack, network: NetworkFile) -> tuple[RelayerClient, ...]:
    clients = []
    for relayer in network.relayers:
        client = RelayerClient(relayer.target, relayer.certificate_pem, peer=f"relayer {relayer.index}")
        clients.append(await stack.enter_async_context(client))
    return tuple(clients)


async def _venue_sites(stack: contextlib.AsyncExitStack, cast: Cast) -> tuple[VenueSite, ...]:
    sites = []
    for letter, venue in zip("AB", cast.venues, strict=False):
        target, pem = venue.seat.target, venue.seat.identity.certificate_pem
        client = await stack.enter_async_context(VenueClient(target, pem))
        book = await stack.enter_async_context(VenueBookClient(venue.book_target, pem, venue.book_token))
        sites.append(VenueSite(letter, venue.seat.directory, venue.endpoint.address, client, book, venue.book_target))
    return tuple(sites)
