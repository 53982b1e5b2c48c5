"""Sets the scene: keys, network file, configurations, and every process but the chains."""

import asyncio
import contextlib
import dataclasses
import secrets
import time
from pathlib import Path
from typing import Any, Final

import yaml

from marginproof import core
from marginproof.chains.evm.devnet import free_port
from marginproof.cli.actions.venue_node import announce
from marginproof.cli.demo.deployment import Chains, Deployment, deploy, start_chains
from marginproof.cli.demo.network import (
    CLAIM_SECONDS,
    NOTICE_SECONDS,
    POLICY_DELAY_SECONDS,
    demo_network,
    now_seconds,
)
from marginproof.cli.demo.price_tape import PriceTape
from marginproof.cli.demo.processes import Child
from marginproof.cli.demo.scenario import Scenario
from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.client.venue_book import VenueBookClient
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError, UnavailableError
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, VenueEndpoint, dump_network_file
from marginproof.node.tls import ServerIdentity
from marginproof.relayers.keys import create_keystore as create_relayer_keystore
from marginproof.risk.packaged import packaged_policy
from marginproof.verifier.keys import create_keystore as create_venue_keystore

RELAYER_COUNT: Final = 3
_START_SECONDS: Final = 40.0
_POLL_SECONDS: Final = 0.3
_LOOPBACK: Final = "127.0.0.1"
_VENUE_COINS: Final = 10**18
"""What the venue pays its announcement from, in wei."""


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """Everything the story plays on. Leaving the stack it was made with ends all of it."""

    directory: Path
    network: NetworkFile
    network_path: Path
    chains: Chains
    deployment: Deployment
    tape: PriceTape
    children: tuple[Child, ...]
    relayers: tuple[RelayerClient, ...]
    venue: VenueClient
    book: VenueBookClient
    venue_address: bytes
    book_target: str
    password_path: Path

    def process_ids(self) -> list[int]:
        """All processes but this one."""
        chains = [devnet.process_id for devnet in self.chains.by_id().values()]
        return [*(child.process_id for child in self.children), *(pid for pid in chains if pid is not None)]

    def check_running(self) -> None:
        """Raises UnavailableError when a process has ended."""
        for child in self.children:
            child.check_running()


@dataclasses.dataclass(frozen=True, slots=True)
class _Seat:
    """A server's folder, address and TLS identity, made before the network file names them."""

    name: str
    directory: Path
    target: str
    identity: ServerIdentity


async def build(stack: contextlib.AsyncExitStack, directory: Path, scenario: Scenario) -> World:
    """Starts chains, relayers and venue and waits until each answers.

    Args:
        stack: Ends every process when it is closed, the last started first.
        directory: Where keys, databases and logs go; empty.
        scenario: Whose opening hour the feeds show.

    Raises:
        MarginproofError: A tool is missing, or a process did not start.
    """
    chains = start_chains(stack.enter_context(contextlib.ExitStack()))
    deployment = await deploy(
        chains, stack, notice_seconds=NOTICE_SECONDS, payout_seconds=CLAIM_SECONDS, policy_delay=POLICY_DELAY_SECONDS
    )
    tape = PriceTape(deployment.feeds, scenario.opening)
    await tape.start()
    stack.push_async_callback(tape.aclose)
    cast = _cast(directory)
    network = demo_network(deployment, cast.relayer_endpoints, [cast.venue_endpoint], now_seconds())
    network_path = directory / "network.yaml"
    network_path.write_bytes(dump_network_file(network))
    _write_configurations(cast, chains)
    await _announce_policy(chains, cast)
    world = World(
        directory=directory,
        network=network,
        network_path=network_path,
        chains=chains,
        deployment=deployment,
        tape=tape,
        children=_start(stack, cast, directory),
        relayers=await _relayer_clients(stack, network),
        venue=await stack.enter_async_context(VenueClient(cast.venue.target, cast.venue.identity.certificate_pem)),
        book=await stack.enter_async_context(
            VenueBookClient(cast.book_target, cast.venue.identity.certificate_pem, cast.book_token)
        ),
        venue_address=cast.venue_endpoint.address,
        book_target=cast.book_target,
        password_path=cast.password_path,
    )
    await _until_ready(world)
    return world


@dataclasses.dataclass(frozen=True, slots=True)
class _Cast:
    """Who plays: seats, endpoints and the demo's one password."""

    relayers: tuple[_Seat, ...]
    relayer_endpoints: tuple[RelayerEndpoint, ...]
    venue: _Seat
    venue_endpoint: VenueEndpoint
    book_target: str
    metrics_target: str
    book_token: str = dataclasses.field(repr=False)
    password_path: Path
    password: str = dataclasses.field(repr=False)


def _cast(directory: Path) -> _Cast:
    password_path = directory / "password"
    password = _write_secret(password_path)
    seats = tuple(_seat(directory, f"relayer-{number}") for number in range(RELAYER_COUNT))
    venue = _seat(directory, "venue")
    address = create_venue_keystore(venue.directory / "keystore.json", password, insecure_fast=True)
    return _Cast(
        relayers=seats,
        relayer_endpoints=tuple(_relayer_endpoint(seat, index, password) for index, seat in enumerate(seats)),
        venue=venue,
        venue_endpoint=VenueEndpoint(address, venue.target, venue.identity.certificate_pem),
        book_target=_free_target(),
        metrics_target=_free_target(),
        book_token=_write_secret(venue.directory / "book-token"),
        password_path=password_path,
        password=password,
    )


def _seat(directory: Path, name: str) -> _Seat:
    own = directory / name
    own.mkdir(mode=0o700)
    return _Seat(name, own, _free_target(), ServerIdentity.load_or_create(own / "tls"))


def _free_target() -> str:
    return f"{_LOOPBACK}:{free_port((_LOOPBACK,))}"


def _relayer_endpoint(seat: _Seat, index: int, password: str) -> RelayerEndpoint:
    key = core.SigningKey.generate()
    create_relayer_keystore(seat.directory / "keystore.json", key, password, insecure_fast=True)
    return RelayerEndpoint(index, key.public_key, key.prove_possession(), seat.target, seat.identity.certificate_pem)


def _write_secret(path: Path) -> str:
    secret = secrets.token_urlsafe(24)
    path.touch(mode=0o600)
    path.write_text(secret + "\n")
    return secret


async def _announce_policy(chains: Chains, cast: _Cast) -> None:
    policy_path = cast.venue.directory / "policy.yaml"
    policy_path.write_bytes(packaged_policy())
    chains.home.fund(format_address(cast.venue_endpoint.address), _VENUE_COINS)
    await asyncio.to_thread(announce, cast.venue.directory / "venue.yaml", policy_path)


def _write_configurations(cast: _Cast, chains: Chains) -> None:
    endpoints = {chain: {"urls": list(devnet.urls)} for chain, devnet in chains.by_id().items()}
    common = {"network": "../network.yaml", "keystore": "keystore.json", "password_file": "../password"}
    stores = {"database": "store.sqlite", "tls_directory": "tls"}
    for seat in cast.relayers:
        document = {
            "apiVersion": "marginproof/relayer/v1",
            **common,
            **stores,
            "evidence_directory": "evidence",
            "listen": seat.target,
            "endpoints": endpoints,
        }
        _write_yaml(seat.directory / "relayer.yaml", document)
    document = {
        "apiVersion": "marginproof/venue/v1",
        **common,
        **stores,
        "policies": ["policy.yaml"],
        "listen": cast.venue.target,
        "book_listen": cast.book_target,
        "book_token_file": "book-token",
        "home_endpoints": list(chains.home.urls),
        "metrics_listen": cast.metrics_target,
    }
    _write_yaml(cast.venue.directory / "venue.yaml", document)


def _write_yaml(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def _start(stack: contextlib.AsyncExitStack, cast: _Cast, directory: Path) -> tuple[Child, ...]:
    children = []
    for seat, noun in (*((seat, "relayer") for seat in cast.relayers), (cast.venue, "venue")):
        child = Child(seat.name, [noun, "start", "--config", str(seat.directory / f"{noun}.yaml")], directory, {})
        stack.callback(child.stop)
        children.append(child)
    return tuple(children)


async def _relayer_clients(stack: contextlib.AsyncExitStack, network: NetworkFile) -> tuple[RelayerClient, ...]:
    clients = []
    for relayer in network.relayers:
        client = RelayerClient(relayer.target, relayer.certificate_pem, peer=f"relayer {relayer.index}")
        clients.append(await stack.enter_async_context(client))
    return tuple(clients)


async def _until_ready(world: World) -> None:
    """Waits until every relayer answers and the venue has a snapshot, which needs prices of t relayers."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        world.check_running()
        try:
            await asyncio.gather(*(relayer.get_status() for relayer in world.relayers), world.venue.get_snapshot())
            return
        except MarginproofError as error:
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"the network did not come up in {_START_SECONDS:.0f} s ({error.code})",
                    fix=f"look at the logs in {world.directory}",
                ) from error
        await asyncio.sleep(_POLL_SECONDS)
