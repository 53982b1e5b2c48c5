"""The relayer node: one process, one key, one database, a task for every chain and one for prices."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

import structlog
from marginproof.v1 import relayer_peer_service_pb2, relayer_service_pb2
from marginproof.v1.relayer_peer_service_pb2_grpc import add_RelayerPeerServiceServicer_to_server
from marginproof.v1.relayer_service_pb2_grpc import add_RelayerServiceServicer_to_server

from marginproof import core
from marginproof.attestation.signer_sets import check_signer_set
from marginproof.chains.evm.client import EndpointPool
from marginproof.model.errors import ConfigurationError, MarginproofError
from marginproof.model.network import epoch_of, price_slot_of
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.node.journal import configure_logging
from marginproof.node.sealing import Sealer
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from marginproof.oracles.feeds import FeedReader
from marginproof.relayers.account_keys import RegistryKeys
from marginproof.relayers.archive import Archive
from marginproof.relayers.certify import Certifier
from marginproof.relayers.config import RelayerConfig
from marginproof.relayers.context import NodeContext
from marginproof.relayers.evidence import EvidenceFolder
from marginproof.relayers.keys import load_keystore, read_password, store_key
from marginproof.relayers.maintenance import forget_old
from marginproof.relayers.peer_service import PeerService
from marginproof.relayers.peers import Peers
from marginproof.relayers.prices import PriceTask
from marginproof.relayers.protection import SigningProtection
from marginproof.relayers.registrations import RegistrationBook
from marginproof.relayers.service import RelayerService
from marginproof.relayers.status import NodeStatus
from marginproof.relayers.store import Store
from marginproof.relayers.watch import ChainWatcher

_log = structlog.get_logger("marginproof.relayers.node")
_PEER_TIMEOUT_SHARE: Final = 0.5
_RESTART_SECONDS: Final = 1.0
_DAY_SECONDS: Final = 86_400


class Node:
    """A relayer node inside a running event loop.

    Args:
        config: What it was told.
        key: Its BLS key; must be one of the network file's relayers.
        clock: UTC seconds.
    """

    def __init__(self, config: RelayerConfig, key: core.SigningKey, *, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._key = key
        self._clock = clock
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Checks everything that can be checked before signing anything, then serves and watches.

        Raises:
            ConfigurationError: A file, the key, an endpoint list or the network is wrong.
            RefusedError: STORE_LOCKED.
        """
        file = _network(self._config)
        signer = _signer(file, self._key)
        self._context = self._open_context(file, signer)
        pools = self._pools(file)
        await _start_all(pools.values())
        timeout = min(self._config.request_timeout_seconds, max(1.0, _PEER_TIMEOUT_SHARE * _shortest(file)))
        peers = Peers(file, self._key, signer, self._clock, timeout)
        self._stack.push_async_callback(peers.aclose)
        keys = RegistryKeys(pools[file.network.home_chain], file, self._config.registry_reads_per_second, self._clock)
        await self._serve(file, signer, keys)
        self._spawn(pools, peers)
        _log.info("relayer started", signer=signer, chains=list(self._context.chains), port=self.port)

    async def stop(self) -> None:
        """Ends all tasks, closes the server, the endpoints and the database, in this order."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._stack.aclose()

    def _open_context(self, file: NetworkFile, signer: int) -> NodeContext:
        now = int(self._clock())
        store = Store.open(
            self._config.database,
            network_id=file.network_id,
            public_key=self._key.public_key,
            epoch=epoch_of(file.configuration, now),
            slot=price_slot_of(file.configuration, now),
        )
        self._stack.callback(store.close)
        sealer = Sealer(store_key(self._key, file.network_id))
        context = NodeContext(
            file=file,
            signer=signer,
            key=self._key,
            clock=self._clock,
            store=store,
            book=RegistrationBook(store, sealer, self._config.max_accounts, self._config.max_locks_per_account),
            protection=SigningProtection(store),
            archive=Archive(store),
            status=NodeStatus({vault.chain for vault in file.configuration.vaults}),
            evidence=EvidenceFolder(self._config.evidence_directory),
        )
        _restore_status(context)
        return context

    def _pools(self, file: NetworkFile) -> dict[str, EndpointPool]:
        chains = {file.network.home_chain, *(vault.chain for vault in file.configuration.vaults)}
        chains |= {feed.chain for point in file.universe.points for feed in point.feeds}
        pools = {}
        for chain in sorted(chains):
            endpoints = self._config.endpoints.get(chain)
            if endpoints is None:
                raise ConfigurationError(
                    f"no endpoints of {chain} are configured", fix="add them under endpoints", fields={"chain": chain}
                )
            pools[chain] = EndpointPool(
                chain,
                endpoints.urls,
                timeout_seconds=self._config.request_timeout_seconds,
                required=endpoints.required,
                allow_development=file.development,
                on_evidence=self._context.evidence.keep_answers,
            )
            self._stack.push_async_callback(pools[chain].aclose)
        return pools

    async def _serve(self, file: NetworkFile, signer: int, keys: RegistryKeys) -> None:
        host = self._config.listen.rpartition(":")[0]
        identity = ServerIdentity.load_or_create(self._config.tls_directory, (host, "localhost"))
        if identity.certificate_pem.strip() != file.relayers[signer].certificate_pem.strip():
            raise ConfigurationError(
                "this node's TLS certificate is not the one that the network file has for its key",
                fix="set tls_directory to the folder whose certificate was given to the network",
            )
        public = RelayerService(
            self._context,
            keys,
            requests_per_second=self._config.requests_per_second,
            registrations_per_second=self._config.registrations_per_second,
        )
        services = (
            Service(add_RelayerServiceServicer_to_server, public, _full_name(relayer_service_pb2, "RelayerService")),
            Service(
                add_RelayerPeerServiceServicer_to_server,
                PeerService(self._context, requests_per_second=self._config.requests_per_second),
                _full_name(relayer_peer_service_pb2, "RelayerPeerService"),
            ),
        )
        server = GrpcServer(self._config.listen, identity, services)
        self.port = await server.start()
        self._stack.push_async_callback(server.stop)

    def _spawn(self, pools: Mapping[str, EndpointPool], peers: Peers) -> None:
        for chain in self._context.chains:
            certifier = Certifier(self._context, peers, chain)
            watcher = ChainWatcher(self._context, pools[chain], certifier.add)
            self._keep_running(f"watch {chain}", chain, watcher.run)
            self._keep_running(f"certify {chain}", chain, certifier.run)
        feeds = FeedReader(pools, self._context.file.configuration.clock_skew_seconds)
        self._keep_running("prices", None, PriceTask(self._context, peers, feeds).run)
        keep_seconds = self._config.keep_days * _DAY_SECONDS
        self._keep_running("forget", None, lambda: forget_old(self._context, keep_seconds))

    def _keep_running(self, name: str, chain: str | None, run: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(_supervised(name, chain, run, self._context.status), name=name))


async def run(config: RelayerConfig) -> None:
    """Runs a relayer node until SIGTERM or SIGINT.

    Raises:
        MarginproofError: See :meth:`Node.start`.
    """
    configure_logging()
    key = load_keystore(config.keystore, read_password(config.password_file, os.environ))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        async with Node(config, key):
            await stopping.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    _log.info("relayer stopped")


async def _start_all(pools: Iterable[EndpointPool]) -> None:
    """At the same time: a dead chain must not hold up the others. All have ended when the first failure is raised."""
    for outcome in await asyncio.gather(*(pool.start() for pool in pools), return_exceptions=True):
        if outcome is not None:
            raise outcome


async def _supervised(
    name: str, chain: str | None, run_task: Callable[[], Awaitable[None]], status: NodeStatus
) -> None:
    """One chain's fault never ends another's task: what a task did not expect is logged by class, and it goes on."""
    while True:
        try:
            await run_task()
        except Exception as error:
            code = error.code if isinstance(error, MarginproofError) else ReasonCode.INTERNAL
            _log.error("task failed", task=name, code=str(code), error=type(error).__name__)
            if chain is not None:
                status.failed(chain, code)
        await asyncio.sleep(_RESTART_SECONDS)


def _network(config: RelayerConfig) -> NetworkFile:
    file = load_network_file(config.network)
    if config.network_id is not None and config.network_id != file.network_id:
        raise ConfigurationError(
            "the network file adds up to another network than network_id says",
            code=ReasonCode.WRONG_NETWORK,
            fix="compare both with the other operators",
        )
    check_signer_set(file.signer_set, [relayer.possession for relayer in file.relayers])
    return file


def _signer(file: NetworkFile, key: core.SigningKey) -> int:
    for relayer in file.relayers:
        if relayer.public_key == key.public_key:
            return relayer.index
    raise ConfigurationError(
        "the keystore's key is not in the network's signer set",
        code=ReasonCode.SIGNER_SET_UNKNOWN,
        fix="set keystore to the key that was given to the network",
    )


def _restore_status(context: NodeContext) -> None:
    for chain in context.chains:
        last = context.archive.last_certified(chain)
        if last is not None:
            context.status.certified(chain, last)
    context.status.last_price_slot = context.protection.last_observed()
    context.status.last_report_slot = context.archive.last_reported()


def _shortest(file: NetworkFile) -> int:
    return min(file.configuration.epoch_seconds, file.configuration.price_seconds)


def _full_name(module: object, service: str) -> str:
    descriptor = module.DESCRIPTOR.services_by_name[service]  # type: ignore[attr-defined] # the stubs leave it out
    return str(descriptor.full_name)
