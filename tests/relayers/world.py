"""Two real chains with contracts, and networks of relayers over them; nothing in here is a stand-in."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from eth_account.signers.local import LocalAccount

from marginproof import core
from marginproof.attestation.registrations import sign_registration
from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.contracts.artifact import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import Devnet, development_account, free_port
from marginproof.chains.evm.transactions import Feed as FeedContract
from marginproof.chains.evm.transactions import Registry, Sender, Token, Vault
from marginproof.client.relayer import RelayerClient
from marginproof.model.accounts import (
    AccountIdentity,
    LockReference,
    Payee,
    Registration,
    SignedRegistration,
    lock_binding,
    payees_root,
)
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError
from marginproof.model.network import Configuration, Network, VaultPin, epoch_of
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, dump_network_file, signer_set_of
from marginproof.model.typed_data import rotation_message
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from marginproof.node.tls import ServerIdentity
from marginproof.relayers.config import ChainEndpoints, RelayerConfig
from marginproof.relayers.node import Node

HOME, SECOND = "eip155:31337", "eip155:31338"
NOTICE, PAYOUT = 3600, 600
OWNERS = range(200, 210)
NO_REGISTRY = b"\x0d" * 20
NO_ARBITER = "0x" + "00" * 20
ETH_PRICE, USDC_PRICE, ETH_VOLATILITY = 2000_00000000, 1_00000000, 80_000_000
VALUES = {"eth": ETH_PRICE, "eth.iv": ETH_VOLATILITY, "usdc": USDC_PRICE}
PAYEES = (Payee(b"\x0e" * 20, b"\x0f" * 32),)

T = TypeVar("T")


def raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


async def until(look: Callable[[], Awaitable[T | None]], seconds: float = 45.0) -> T:
    """What ``look`` gives once it gives something; MarginproofErrors mean not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(MarginproofError):
            value = await look()
            if value is not None and value is not False:
                return value
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing came within {seconds} s")


@dataclasses.dataclass
class Chains:
    """Deployed contracts on both chains and the owner's transactions."""

    home: Devnet
    second: Devnet
    owner: LocalAccount
    home_vault: str = ""
    second_vault: str = ""
    token: str = ""
    feeds: dict[str, tuple[Feed, ...]] = dataclasses.field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def sender(self, chain: str) -> AsyncIterator[Sender]:
        devnet = self.home if chain == HOME else self.second
        async with Sender(devnet.url, self.owner) as sender:
            yield sender

    async def deploy(self) -> None:
        """All contracts at once, each feed by a key of its own: a transaction waits for a block.

        Owners get their coins first: that changes the newest block's state behind its root, and a node that reads
        the registry at that block would find no proof that holds.
        """
        for index in OWNERS:
            self.home.account(index)
        feeds = [
            self._feed(point, value, chain, 50 + 10 * row + column)
            for row, (point, value) in enumerate(VALUES.items())
            for column, chain in enumerate((HOME, SECOND, HOME))
        ]
        _, _, *deployed = await asyncio.gather(self._deploy_home(), self._deploy_second(), *feeds)
        for row, point in enumerate(VALUES):
            self.feeds[point] = tuple(feed for feed in deployed[3 * row : 3 * row + 3] if feed is not None)

    async def _deploy_home(self) -> None:
        async with self.sender(HOME) as sender:
            self.home_vault = (await Vault.deploy(sender, NOTICE, PAYOUT)).address

    async def deploy_registry(self, configuration: Configuration) -> bytes:
        async with self.sender(HOME) as sender:
            registry = await Registry.deploy(
                sender,
                n=256,
                configuration_digest=configuration.root(),
                policy_delay=configuration.policy_delay_seconds,
                notice_seconds=configuration.notice_seconds,
            )

        async def final() -> bool:
            code = await asyncio.to_thread(self.home.rpc, "eth_getCode", registry.address, "finalized")
            return len(code) > 2

        await until(final)
        return raw(registry.address)

    async def rotate_key(self, account: "Account", file: NetworkFile, to: LocalAccount) -> None:
        """Gives the account another key, and waits until that is final."""
        message = rotation_message(file.network_id, account.id, raw(to.address), 0)
        async with self.sender(HOME) as sender:
            registry = Registry(sender, format_address(file.network.registry))
            identity = account.identity
            receipt = await registry.rotate_key(
                identity.owner, identity.index, to.address, 0, sign_typed(account.owner, message)
            )

        async def final() -> bool:
            block = await asyncio.to_thread(self.home.rpc, "eth_getBlockByNumber", "finalized", False)
            return int(block["number"], 16) >= receipt.block_number

        await until(final)

    async def _deploy_second(self) -> None:
        async with self.sender(SECOND) as sender:
            self.second_vault = (await Vault.deploy(sender, NOTICE, PAYOUT)).address
            token = await Token.deploy(sender, "Test USD", "TUSD", 6)
            self.token = token.address
            await token.mint(self.owner.address, 10**12)
            await token.approve(self.second_vault, 10**12)

    async def _feed(self, point: str, value: int, chain: str, key: int) -> Feed:
        devnet = self.home if chain == HOME else self.second
        transmitter = devnet.account(key)
        async with Sender(devnet.url, transmitter) as sender:
            feed = await FeedContract.deploy(sender, point, 8, transmitter.address)
            await feed.post(value)
            return Feed(chain, raw(feed.address))

    async def lock_native(self, owner: LocalAccount, amount: int, binding: bytes) -> int:
        async with Sender(self.home.url, owner) as sender:
            return (await Vault(sender, self.home_vault).lock_native(amount, binding)).lock_id

    async def lock_token(self, amount: int, binding: bytes) -> int:
        """Locks tokens of the deployer: one at a time."""
        async with self.sender(SECOND) as sender:
            return (await Vault(sender, self.second_vault).lock_token(self.token, amount, binding)).lock_id

    async def start_notice(self, owner: LocalAccount, lock_id: int) -> None:
        async with Sender(self.home.url, owner) as sender:
            await Vault(sender, self.home_vault).start_notice(lock_id)

    def universe(self) -> Universe:
        points = tuple(
            PricePoint(point, PointKind.VOLATILITY if point == "eth.iv" else PointKind.PRICE, feeds, 2, 86_400, 100)
            for point, feeds in sorted(self.feeds.items())
        )
        entries = (
            Entry(0, "eth@home", EntryKind.COLLATERAL, 6, 10**12, "eth", HOME, bytes(20), 18, 0, 0, ""),
            Entry(1, "usdc@second", EntryKind.COLLATERAL, 2, 10**12, "usdc", SECOND, raw(self.token), 6, 0, 0, ""),
        )
        return Universe(1, 1, 256, points, entries).checked()

    def vaults(self) -> tuple[VaultPin, ...]:
        code_hash = load_artifact(COLLATERAL_VAULT).code_hash(
            NOTICE_SECONDS=NOTICE, PAYOUT_SECONDS=PAYOUT, ARBITER=NO_ARBITER
        )
        return (
            VaultPin(HOME, raw(self.home_vault), code_hash),
            VaultPin(SECOND, raw(self.second_vault), code_hash),
        )


@dataclasses.dataclass(frozen=True)
class Account:
    """An account with locks; ``salts`` by lock."""

    identity: AccountIdentity
    owner: LocalAccount
    seed: bytes
    locks: tuple[LockReference, ...]

    @property
    def id(self) -> bytes:
        return self.identity.root()

    def registration(self, file: NetworkFile, number: int, first_epoch: int) -> SignedRegistration:
        root = payees_root(PAYEES)
        registration = Registration(
            file.network_id, self.identity, number, first_epoch, root, self.seed, tuple(sorted(self.locks, key=_order))
        )
        return sign_registration(registration, self.owner)


def _order(lock: LockReference) -> tuple[str, bytes, int]:
    return lock.chain, lock.vault, lock.lock_id


async def open_account(chains: Chains, file: NetworkFile, index: int, *, native: int = 0, token: int = 0) -> Account:
    """Locks what is asked for and gives the account to register."""
    owner = development_account(OWNERS[index])
    identity = AccountIdentity(HOME, file.network.registry, raw(owner.address), index)
    account, root = identity.root(), payees_root(PAYEES)
    locks = []
    if native:
        salt = bytes([index + 1]) * 32
        lock_id = await chains.lock_native(owner, native, lock_binding(account, root, salt))
        locks.append(LockReference(HOME, raw(chains.home_vault), lock_id, salt))
    if token:
        salt = bytes([index + 101]) * 32
        lock_id = await chains.lock_token(token, lock_binding(account, root, salt))
        locks.append(LockReference(SECOND, raw(chains.second_vault), lock_id, salt))
    return Account(identity, owner, bytes([index + 201]) * 32, tuple(locks))


@dataclasses.dataclass
class Relayers:
    """A network of nodes in this process, each with its own key, database, TLS identity and port."""

    file: NetworkFile
    keys: list[core.SigningKey]
    configs: list[RelayerConfig]
    nodes: list[Node | None]

    @classmethod
    def prepare(cls, chains: Chains, folder: Path, *, count: int = 3, threshold: int = 2, epoch: int = 2) -> "Relayers":
        keys = [core.SigningKey.generate() for _ in range(count)]
        ports = [free_port(("127.0.0.1",)) for _ in range(count)]
        identities = [ServerIdentity.load_or_create(folder / f"tls{index}") for index in range(count)]
        signer_set = signer_set_of(tuple(key.public_key for key in keys), threshold)
        configuration = Configuration(
            genesis_time=int(time.time()) - 2 * epoch,
            epoch_seconds=epoch,
            price_seconds=2,
            certificate_seconds=600,
            notice_seconds=NOTICE,
            claim_seconds=60,
            policy_delay_seconds=1,
            clock_skew_seconds=5,
            snapshot_seconds=60,
            proof_interval_seconds=60,
            grace_seconds=60,
            price_band_bps=100,
            threshold=threshold,
            signer_set_digest=signer_set.root(),
            vaults=chains.vaults(),
        )
        file = NetworkFile(
            network=Network(HOME, NO_REGISTRY, 256, configuration.root()),
            configuration=configuration,
            universe=chains.universe(),
            signer_set=signer_set,
            relayers=tuple(
                RelayerEndpoint(
                    index,
                    key.public_key,
                    key.prove_possession(),
                    f"127.0.0.1:{ports[index]}",
                    identities[index].certificate_pem,
                )
                for index, key in enumerate(keys)
            ),
            venues=(),
            development=True,
        )
        (folder / "network.yaml").write_bytes(dump_network_file(file))
        endpoints = {HOME: ChainEndpoints((chains.home.url,)), SECOND: ChainEndpoints((chains.second.url,))}
        configs = [
            RelayerConfig(
                network=folder / "network.yaml",
                keystore=folder / f"keystore{index}.json",
                password_file=None,
                database=folder / f"relayer{index}.db",
                tls_directory=folder / f"tls{index}",
                evidence_directory=folder / f"evidence{index}",
                listen=f"127.0.0.1:{port}",
                endpoints=endpoints,
                network_id=file.network_id,
                request_timeout_seconds=3.0,
            )
            for index, port in enumerate(ports)
        ]
        return cls(file, keys, configs, [None] * count)

    async def give_registry(self, chains: Chains) -> None:
        """Deploys the registry of this very configuration: nodes that register accounts read it."""
        network = dataclasses.replace(self.file.network, registry=await chains.deploy_registry(self.file.configuration))
        self.file = dataclasses.replace(self.file, network=network)
        self.configs[0].network.write_bytes(dump_network_file(self.file))
        self.configs = [dataclasses.replace(config, network_id=self.file.network_id) for config in self.configs]

    async def start(self, *signers: int) -> None:
        for signer in signers or range(len(self.nodes)):
            self.nodes[signer] = node = Node(self.configs[signer], self.keys[signer])
            await node.start()

    async def stop(self, *signers: int) -> None:
        for signer in signers or range(len(self.nodes)):
            node, self.nodes[signer] = self.nodes[signer], None
            if node is not None:
                await node.stop()

    def client(self, signer: int) -> RelayerClient:
        relayer = self.file.relayers[signer]
        return RelayerClient(relayer.target, relayer.certificate_pem, timeout_seconds=5)

    @property
    def epoch(self) -> int:
        return epoch_of(self.file.configuration, int(time.time()))

    async def register(self, account: Account, number: int, *signers: int) -> int:
        """Registers with the given relayers (all by default); gives the first epoch."""
        first_epoch = self.epoch + 2
        signed = account.registration(self.file, number, first_epoch)
        for signer in signers or range(len(self.nodes)):
            async with self.client(signer) as client:
                await client.register_account(signed)
        return first_epoch


def funded_owner(*devnets: Devnet) -> LocalAccount:
    owner = development_account(40)
    for devnet in devnets:
        devnet.fund(owner.address, 10**24)
    return owner
