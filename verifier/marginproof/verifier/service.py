"""The venue daemon: puts the parts together, serves, follows relayers and registry, and stops in order."""

import asyncio
import contextlib
import dataclasses
import functools
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Self

import structlog
from marginproof.v1.venue_book_service_pb2_grpc import add_VenueBookServiceServicer_to_server
from marginproof.v1.verifier_service_pb2_grpc import add_VerifierServiceServicer_to_server

from marginproof.attestation.signer_sets import check_signer_set
from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.transactions.posting import PostingEndpoint
from marginproof.client.relayer import RelayerClient
from marginproof.model.errors import ConfigurationError, MarginproofError, NotFoundError
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.pledges import RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.node.exposition import MetricsServer
from marginproof.node.journal import configure_logging
from marginproof.node.limits import RateLimit
from marginproof.node.sealing import Sealer, derive_key
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from marginproof.risk.line import cash_entry
from marginproof.verifier.api import (
    BOOK_SERVICE,
    MAX_BOOK_MESSAGE_BYTES,
    MAX_VERIFIER_MESSAGE_BYTES,
    VERIFIER_SERVICE,
    VenueBookApi,
    VerifierApi,
)
from marginproof.verifier.books import BookDesk
from marginproof.verifier.config import VenueConfig
from marginproof.verifier.coverage import CoverageKeeper
from marginproof.verifier.decisions import DecisionDesk
from marginproof.verifier.evidence import RelayerEvidence
from marginproof.verifier.keys import load_keystore, read_password
from marginproof.verifier.live import LiveAccounts
from marginproof.verifier.metrics import VenueMetrics
from marginproof.verifier.pledges import PledgeDesk
from marginproof.verifier.policies import load_policies, read_announcements
from marginproof.verifier.registry_watch import RegistryWatch
from marginproof.verifier.setting import Clock, VenueSetting, system_clock
from marginproof.verifier.snapshots import SnapshotDesk
from marginproof.verifier.standings import StandingKeeper
from marginproof.verifier.store import VenueStore
from marginproof.verifier.swap_plan import SwapRules
from marginproof.verifier.swap_poster import SwapPoster
from marginproof.verifier.swap_sending import SwapSending
from marginproof.verifier.trading import TradingDesk

REGISTRY_POLL_SECONDS: Final = 2.0
"""How often the registry is read: for policies that are not announced yet, and for accounts with pledges."""
SWAP_SECONDS: Final = 1.0
"""How often swaps are looked after."""
TICK_SECONDS: Final = 0.5
"""How often deadlines are judged."""
_STORE_KEY_LABEL: Final = b"marginproof/venue/store/v1"
_MIN_TOKEN_LENGTH: Final = 16
_LONGEST_POLL_SECONDS: Final = 5.0

_log = structlog.get_logger("marginproof.venue")


class VenueNode:
    """One running venue; an async context manager.

    Args:
        config: The daemon's settings.
        clock: Gives UTC seconds.

    Raises:
        ConfigurationError: Anything in the configuration that cannot work; nothing was started.
    """

    def __init__(self, config: VenueConfig, clock: Clock = system_clock) -> None:
        self._config = config
        file = load_network_file(config.network)
        check_signer_set(file.signer_set, [relayer.possession for relayer in file.relayers])
        cash_entry(file.universe)
        key = load_keystore(config.keystore, read_password(config.password_file))
        setting = VenueSetting.of(file, key, certificate_grace_seconds=config.certificate_grace_seconds, clock=clock)
        _check_listed(file, setting.venue)
        self.setting = setting
        self._token = _read_token(config.book_token_file)
        self._policies = load_policies(config.policies)
        self._store = VenueStore(
            config.database, Sealer(derive_key(bytes(key.key), _STORE_KEY_LABEL)), setting.network_id + setting.venue
        )
        self._closing = contextlib.AsyncExitStack()
        self.port = 0
        self.book_port = 0
        self.metrics_port = 0

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops serving, ends the tasks and releases the database; safe to call twice."""
        await self._closing.aclose()
        self._store.close()

    async def _start(self) -> None:
        clients, pool = self._relayer_clients(), await self._home_chain()
        desks = self._desks(clients, pool)
        self._follow_everything(desks, clients, pool)
        api = VerifierApi(
            self.setting,
            policies=self._policies,
            snapshots=desks.snapshots,
            books=desks.books,
            pledges=desks.pledges,
            decisions=desks.decisions,
            standings=desks.standings,
            records=desks.record_of_open,
            limit=RateLimit(self._config.presentations_per_second),
        )
        await self._serve(api, VenueBookApi(desks.books, desks.pledges, self._token))
        if self._config.metrics_listen is not None:
            server = self._closing.enter_context(MetricsServer(desks.metrics.registry, self._config.metrics_listen))
            self.metrics_port = server.port
        _log.info("venue serves", venue=self.setting.venue.hex(), port=self.port, book_port=self.book_port)

    def _relayer_clients(self) -> list[RelayerClient]:
        file = self.setting.file
        clients = [
            RelayerClient(
                relayer.target,
                relayer.certificate_pem,
                timeout_seconds=self._config.relayer_timeout_seconds,
                max_message_bytes=longest_answer(file),
            )
            for relayer in file.relayers
        ]
        for client in clients:
            self._closing.push_async_callback(client.aclose)
        return clients

    async def _home_chain(self) -> EndpointPool:
        file = self.setting.file
        pool = EndpointPool(file.network.home_chain, self._config.home_endpoints, allow_development=file.development)
        self._closing.push_async_callback(pool.aclose)
        await pool.start()
        return pool

    def _desks(self, clients: list[RelayerClient], pool: EndpointPool) -> "_Desks":
        setting, store = self.setting, self._store
        metrics, lock = VenueMetrics(), asyncio.Lock()
        watch = RegistryWatch(pool, setting)
        live = LiveAccounts(store, setting.venue, setting.universe.compatible_since)
        evidence = RelayerEvidence(clients, setting.file, setting.clock)
        snapshots = SnapshotDesk(setting, self._policies, store.snapshots, watch.agreements)
        seen = functools.partial(watch.seen_within, setting.configuration.snapshot_seconds)
        standings = StandingKeeper(setting, store, live, snapshots, evidence, seen)
        trading = TradingDesk(setting, live, snapshots, standings)
        shared: dict[str, Any] = {"store": store, "live": live, "metrics": metrics, "lock": lock}
        pledges = PledgeDesk(setting, watch=watch, trading=trading, **shared)
        return _Desks(
            lock=lock,
            metrics=metrics,
            watch=watch,
            live=live,
            evidence=evidence,
            snapshots=snapshots,
            standings=standings,
            books=BookDesk(setting, trading=trading, **shared),
            pledges=pledges,
            coverage=CoverageKeeper(setting, snapshots=snapshots, pledges=pledges, **shared),
            decisions=DecisionDesk(
                setting, policies=self._policies, snapshots=snapshots, evidence=evidence, watch=watch, **shared
            ),
        )

    def _follow_everything(self, desks: "_Desks", clients: list[RelayerClient], pool: EndpointPool) -> None:
        configuration = self.setting.configuration
        poll = min(configuration.price_seconds / 4, _LONGEST_POLL_SECONDS)
        posting = [PostingEndpoint(url) for url in self._config.home_endpoints]
        for endpoint in posting:
            self._closing.push_async_callback(endpoint.aclose)
        poster = SwapPoster(
            self._store.database.engine,
            desks.watch,
            SwapSending(pool, self.setting, posting),
            self.setting,
            desks.pledges.on_outcome,
            SwapRules(fee_cap=self._config.swap_fee_cap_gwei * 10**9),
        )
        self._follow("registry", functools.partial(self._read_registry, pool), REGISTRY_POLL_SECONDS)
        self._follow("pledges", desks.pledges.refresh, REGISTRY_POLL_SECONDS)
        self._follow("swaps", poster.tick, SWAP_SECONDS)
        self._follow("certificates", desks.evidence.refresh, poll)
        for client in clients:
            self._follow("prices", functools.partial(_take_prices, client, desks.snapshots, desks.metrics), poll)
        self._follow("standings", functools.partial(_tick, desks.standings, desks.lock), TICK_SECONDS)
        self._follow("coverage", desks.coverage.step, TICK_SECONDS)

    async def _serve(self, api: VerifierApi, book_api: VenueBookApi) -> None:
        identity = ServerIdentity.load_or_create(self._config.tls_directory)
        server = GrpcServer(
            self._config.listen,
            identity,
            [Service(add_VerifierServiceServicer_to_server, api, VERIFIER_SERVICE)],
            max_message_bytes=MAX_VERIFIER_MESSAGE_BYTES,
        )
        book_server = GrpcServer(
            self._config.book_listen,
            identity,
            [Service(add_VenueBookServiceServicer_to_server, book_api, BOOK_SERVICE)],
            max_message_bytes=MAX_BOOK_MESSAGE_BYTES,
            reflect=False,
        )
        self.port = await server.start()
        self._closing.push_async_callback(server.stop)
        self.book_port = await book_server.start()
        self._closing.push_async_callback(book_server.stop)

    async def _read_registry(self, pool: EndpointPool) -> None:
        waiting = self._policies.unannounced()
        if not waiting:
            return
        registry = self.setting.file.network.registry
        found = await read_announcements(pool, registry, self.setting.venue, waiting)
        self._policies.note_announced(found)
        for digest, time in found.items():
            _log.info("policy announced", policy=digest.hex(), effective_at=time)

    def _follow(self, subject: str, step: Callable[[], Awaitable[None]], every_seconds: float) -> None:
        """Repeats a step for ever; a failure is logged by reason, once until it changes, and tried again."""

        async def loop() -> None:
            failure = ""
            while True:
                try:
                    await step()
                    failure = ""
                except Exception as error:  # one part's fault never ends another; only its class may be shown
                    reason = error.code if isinstance(error, MarginproofError) else ReasonCode.INTERNAL
                    if reason != failure:
                        _log.warning("cannot follow", subject=subject, reason=reason, error=type(error).__name__)
                    failure = reason
                await asyncio.sleep(every_seconds)

        task = asyncio.create_task(loop())

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._closing.push_async_callback(end)


@dataclasses.dataclass(frozen=True, slots=True)
class _Desks:
    """The parts of a running venue."""

    lock: asyncio.Lock
    metrics: VenueMetrics
    watch: RegistryWatch
    live: LiveAccounts
    evidence: RelayerEvidence
    snapshots: SnapshotDesk
    standings: StandingKeeper
    books: BookDesk
    pledges: PledgeDesk
    coverage: CoverageKeeper
    decisions: DecisionDesk

    async def record_of_open(self, account: bytes) -> RegistryRecord | None:
        """The registry's record of an account that is open here; nobody has another's read."""
        return await self.watch.record(account) if self.live.is_open(account) else None


async def run(config: VenueConfig) -> None:
    """Runs a venue until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: The configuration cannot work.
    """
    configure_logging()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with VenueNode(config):
        await stop.wait()
    _log.info("venue stopped")


async def _take_prices(client: RelayerClient, snapshots: SnapshotDesk, metrics: VenueMetrics) -> None:
    try:
        report = await client.get_price_report()
    except NotFoundError:
        return  # the relayer has none yet
    if await snapshots.offer(report):
        metrics.snapshot_made(snapshots.newest_slot)


async def _tick(standings: StandingKeeper, lock: asyncio.Lock) -> None:
    async with lock:
        await asyncio.to_thread(standings.tick)


def longest_answer(file: NetworkFile) -> int:
    """Bytes of the longest answer that an honest relayer gives; decoding much more would keep this venue from its work.

    A price report has one observation of each relayer for each point; lists of certificates are much shorter.
    """
    return 64 * 1024 + len(file.relayers) * (512 + 128 * len(file.universe.points))


def _check_listed(file: NetworkFile, venue: bytes) -> None:
    try:
        file.venue(venue)
    except NotFoundError as error:
        raise ConfigurationError(
            "the network file does not list the keystore's address as a venue",
            fix="use the venue's own keystore, or add the venue to the network file",
        ) from error


def _read_token(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "cannot read book_token_file", code=ReasonCode.FILE_UNREADABLE, fix="write a random token into it"
        ) from error
    if len(token) < _MIN_TOKEN_LENGTH or not token.isascii():
        raise ConfigurationError(
            f"the book token needs at least {_MIN_TOKEN_LENGTH} ASCII characters", fix="write a random one into it"
        )
    return token
