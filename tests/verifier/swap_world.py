"""A real chain with the real registry, venues that post to it, and accounts that consent."""

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.client.pool import EndpointPool
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import Fees, Registry, Sender
from marginproof.chains.evm.transactions.posting import PostingEndpoint
from marginproof.model.accounts import AccountIdentity
from marginproof.model.chains import parse_address
from marginproof.model.network import Configuration, Network
from marginproof.model.pledges import NO_DIGEST, PledgeStep, RegistryRecord
from marginproof.model.typed_data import authorise_message, pledge_message, revoke_message, rotation_message
from marginproof.verifier.registry_watch import RegistryWatch
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.swap_plan import SwapRules
from marginproof.verifier.swap_poster import OutcomeSink, SwapPoster
from marginproof.verifier.swap_sending import SwapSending
from marginproof.verifier.swap_store import SwapStore
from marginproof.verifier.swaps import SwapKind, SwapOrder, SwapOutcome

HOME = "eip155:31337"
GWEI = 10**9
CONFIGURATION = Configuration(
    genesis_time=1_700_000_000,
    epoch_seconds=300,
    price_seconds=30,
    certificate_seconds=600,
    notice_seconds=1_000,
    claim_seconds=100,
    policy_delay_seconds=300,
    clock_skew_seconds=2,
    snapshot_seconds=60,
    proof_interval_seconds=60,
    grace_seconds=60,
    price_band_bps=100,
    threshold=3,
    signer_set_digest=b"\x51" * 32,
    vaults=(),
)
RULES = SwapRules(window=8, stuck_seconds=30, fee_cap=200 * GWEI)
_numbers = itertools.count(1)


def commitment(number: int) -> bytes:
    """48 bytes that the registry takes for a commitment: it judges none."""
    return b"\xa0" + number.to_bytes(47, "big")


@dataclasses.dataclass
class Clock:
    """UTC seconds that a test sets."""

    now: int = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@dataclasses.dataclass(frozen=True)
class Terms:
    """As much of a network file as registry and poster need."""

    network: Network
    configuration: Configuration = CONFIGURATION


@dataclasses.dataclass(frozen=True)
class Holder:
    """An account and its key."""

    terms: Terms
    key: LocalAccount
    index: int

    @property
    def owner(self) -> bytes:
        return parse_address(self.key.address)

    @property
    def account(self) -> bytes:
        network = self.terms.network
        return AccountIdentity(network.home_chain, network.registry, self.owner, self.index).root()

    def sign(self, message: dict[str, Any]) -> bytes:
        return sign_typed(self.key, message)

    def swap(
        self, venue: bytes, digest: bytes = NO_DIGEST, pledge: bytes | None = None, *, key: LocalAccount | None = None
    ) -> SwapOrder:
        """An order with the account's consent."""
        value = commitment(next(_numbers)) if pledge is None else pledge
        message = pledge_message(self.terms.network.root(), self.account, PledgeStep(digest, venue, value, 1))
        signature = sign_typed(key or self.key, message)
        return SwapOrder(self.account, self.owner, self.index, digest, value, 1, signature)

    def release(self, record: RegistryRecord, venue: bytes) -> SwapOrder:
        standing = record.pledge_of(venue)
        assert standing is not None
        return SwapOrder(
            self.account, self.owner, self.index, record.digest, standing.commitment, 1, b"", SwapKind.RELEASE
        )


class SwapWorld:
    """The chain, which mines only when told to, and the registry."""

    def __init__(self, devnet: Devnet) -> None:
        self.devnet = devnet
        self._account_side = devnet.account(1)
        address = asyncio.run(self._deploy())
        self.terms = Terms(Network(HOME, parse_address(address), 256, CONFIGURATION.root()))
        self.registry = address
        devnet.rpc("evm_setAutomine", False)

    async def _deploy(self) -> str:
        async with Sender(self.devnet.url, self.devnet.account(0)) as sender:
            registry = await Registry.deploy(
                sender,
                n=256,
                configuration_digest=CONFIGURATION.root(),
                policy_delay=CONFIGURATION.policy_delay_seconds,
                notice_seconds=CONFIGURATION.notice_seconds,
            )
            return registry.address

    @contextmanager
    def mining(self) -> Iterator[None]:
        """Every transaction is mined at once while this lasts."""
        self.devnet.rpc("evm_setAutomine", True)
        try:
            yield
        finally:
            self.devnet.rpc("evm_setAutomine", False)

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.devnet.mine()

    def finalize(self) -> None:
        """Makes the newest block final: it lies two blocks below the head."""
        self.mine(2)

    def base_fee(self, wei: int) -> None:
        """What the next block burns per gas."""
        self.devnet.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def key(self) -> LocalAccount:
        """A new key with coins."""
        account: LocalAccount = Account.from_key(keccak(b"swap world %d" % next(_numbers)))
        self.fund(account, 10**21)
        return account

    def fund(self, account: LocalAccount, balance: int) -> None:
        """Sets a balance. The block in which that is done from outside has no valid proofs: it is buried."""
        self.devnet.fund(account.address, balance)
        self.mine(3)

    @asynccontextmanager
    async def posted_by(self, key: LocalAccount) -> AsyncIterator[Registry]:
        """The registry as this key uses it, every transaction mined at once."""
        with self.mining():
            async with Sender(self.devnet.url, key, timeout_seconds=20) as sender:
                yield Registry(sender, self.registry)

    async def holder(self, *venues: bytes) -> Holder:
        """A new account that has authorised these venues, finally."""
        holder = Holder(self.terms, development_account(40), next(_numbers))
        async with self.posted_by(self._account_side) as registry:
            for venue in venues:
                message = authorise_message(self.terms.network.root(), holder.account, venue, 0)
                await registry.authorise(holder.owner, holder.index, venue, 0, holder.sign(message))
        self.finalize()
        return holder

    async def revoke(self, holder: Holder, venue: bytes) -> None:
        message = revoke_message(self.terms.network.root(), holder.account, venue, 1)
        async with self.posted_by(self._account_side) as registry:
            await registry.revoke(holder.owner, holder.index, venue, 1, holder.sign(message))

    async def lapse(self, holder: Holder, venue: bytes) -> None:
        async with self.posted_by(self._account_side) as registry:
            await registry.lapse(holder.account, venue)

    async def rotate(self, holder: Holder, key: LocalAccount) -> None:
        message = rotation_message(self.terms.network.root(), holder.account, parse_address(key.address), 0)
        async with self.posted_by(self._account_side) as registry:
            await registry.rotate_key(holder.owner, holder.index, key.address, 0, holder.sign(message))

    async def swap_by(self, key: LocalAccount, order: SwapOrder) -> None:
        """A swap of another venue, mined at once."""
        async with self.posted_by(key) as registry:
            await registry.swap(
                order.owner, order.index, order.digest, order.commitment, order.universe_version, order.signature
            )


class VenueAtWork:
    """One venue's poster on the real chain, with its database; it can crash and start again at any time."""

    def __init__(self, world: SwapWorld, folder: Path, key: LocalAccount, rules: SwapRules) -> None:
        self.world = world
        self.key = key
        self.venue = parse_address(key.address)
        self.clock = Clock()
        self.outcomes: list[SwapOutcome] = []
        self.told: OutcomeSink = self.outcomes.append
        self._rules = rules
        file: Any = world.terms
        self.setting = VenueSetting(file, key, 60, world.terms.network.root(), bytes(32), self.clock)
        self.engine = sa.create_engine(f"sqlite:///{folder / key.address}.sqlite")
        self.store = SwapStore(self.engine)
        self._closing = AsyncExitStack()

    async def start(self, urls: Sequence[str] = ()) -> None:
        """Starts, or starts again with nothing but the database."""
        await self._closing.aclose()
        self.pool = EndpointPool(HOME, self.world.devnet.urls, allow_development=True)
        self._closing.push_async_callback(self.pool.aclose)
        self.watch = RegistryWatch(self.pool, self.setting)
        endpoints = [PostingEndpoint(url) for url in urls or self.world.devnet.urls]
        for endpoint in endpoints:
            self._closing.push_async_callback(endpoint.aclose)
        self.sending = SwapSending(self.pool, self.setting, endpoints)
        self.poster = SwapPoster(self.engine, self.watch, self.sending, self.setting, self.told, self._rules)

    async def stop(self) -> None:
        await self._closing.aclose()
        self.engine.dispose()

    async def tick(self, seconds: int = 1) -> None:
        self.clock.now += seconds
        await self.poster.tick()

    async def order(self, *orders: SwapOrder) -> None:
        """Takes orders and sends them."""
        for order in orders:
            await self.poster.enqueue(order)
        await self.tick()

    async def settle(self, rounds: int = 12) -> list[SwapOutcome]:
        """Blocks and ticks until nothing is open; gives all outcomes so far."""
        for _ in range(rounds):
            if not self.store.open_orders():
                break
            self.world.mine()
            await self.tick()
        assert not self.store.open_orders(), "an order was never settled"
        return self.outcomes

    async def record(self, holder: Holder) -> RegistryRecord:
        """The finalized record."""
        return await self.watch.record(holder.account, fresh=True)

    def nonce(self, at: str = "latest") -> int:
        return int(self.world.devnet.rpc("eth_getTransactionCount", self.key.address, at), 16)

    def drop(self, transaction: bytes) -> None:
        """The mempool loses a transaction."""
        self.world.devnet.rpc("anvil_dropTransaction", f"0x{transaction.hex()}")

    def offers(self) -> list[tuple[int, Fees]]:
        """Nonce and fees of every transaction kept."""
        return [(attempt.nonce, attempt.fees) for attempt in self.store.attempts()]


@asynccontextmanager
async def venue_at_work(world: SwapWorld, folder: Path, rules: SwapRules = RULES) -> AsyncIterator[VenueAtWork]:
    """A venue with a key of its own, running."""
    venue = VenueAtWork(world, folder, world.key(), rules)
    await venue.start()
    try:
        yield venue
    finally:
        await venue.stop()


@contextmanager
def swap_world() -> Iterator[SwapWorld]:
    """A chain of its own."""
    with Devnet(DevnetOptions(chain_id=31337)) as devnet:
        yield SwapWorld(devnet)
