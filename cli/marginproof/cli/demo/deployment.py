"""Two development chains with the contracts, the test token and nine price feeds on them."""

import asyncio
import contextlib
import dataclasses
from typing import Final

from marginproof.chains.evm.contracts.artifact import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import NATIVE, Feed, Registry, Sender, Token, Vault
from marginproof.model.chains import parse_address

HOME_CHAIN: Final = "eip155:31337"
SECOND_CHAIN: Final = "eip155:31338"
POINTS: Final = ("price:ETH", "price:USDC", "volatility:ETH")
HOSTS: Final = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Three endpoints of one chain: the quorum code runs as in the field, the liars are missing."""
BLOCK_SECONDS: Final = 1
_VAULT_KEY: Final = 0
_TOKEN_KEY: Final = 1
_REGISTRY_KEY: Final = 2
_FIRST_FEED_KEY: Final = 10


@dataclasses.dataclass(frozen=True, slots=True)
class FeedOnChain:
    """One feed: which point it prices, where it lies, and how to post to it."""

    point: str
    chain: str
    feed: Feed


@dataclasses.dataclass(frozen=True, slots=True)
class Vaults:
    """Addresses (20 bytes) and code hashes of the vaults, by chain."""

    addresses: dict[str, bytes]
    code_hashes: dict[str, bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed before the registry: everything that the network's configuration and universe name."""

    vaults: Vaults
    usdc: bytes
    feeds: tuple[FeedOnChain, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Chains:
    """The two running chains."""

    home: Devnet
    second: Devnet

    def by_id(self) -> dict[str, Devnet]:
        """CAIP-2 id → chain."""
        return {HOME_CHAIN: self.home, SECOND_CHAIN: self.second}


async def start_chains(stack: contextlib.AsyncExitStack) -> Chains:
    """Starts both chains at the same time; the stack ends them."""
    chains = [
        Devnet(DevnetOptions(chain_id=number, hosts=HOSTS, block_seconds=BLOCK_SECONDS)) for number in (31337, 31338)
    ]
    for devnet in chains:
        stack.callback(devnet.stop)
    await asyncio.gather(*(asyncio.to_thread(devnet.start) for devnet in chains))
    return Chains(*chains)


class Deployer:
    """Deploys contracts with development keys; every contract with a key of its own, so that all go at once.

    Args:
        chains: Where.
        stack: Closes the keys' connections.
    """

    def __init__(self, chains: Chains, stack: contextlib.AsyncExitStack) -> None:
        self._chains = chains
        self._stack = stack

    async def deploy(self, *, notice_seconds: int, payout_seconds: int) -> Deployment:
        """Vaults, test token and feeds, on both chains at the same time."""
        wanted = [(point, chain) for point in POINTS for chain in (HOME_CHAIN, HOME_CHAIN, SECOND_CHAIN)]
        home_vault, second_vault, usdc, feeds = await asyncio.gather(
            self._vault(HOME_CHAIN, notice_seconds, payout_seconds),
            self._vault(SECOND_CHAIN, notice_seconds, payout_seconds),
            self._token(),
            asyncio.gather(*(self._feed(i, point, chain) for i, (point, chain) in enumerate(wanted))),
        )
        # What an honest deployment's code hashes to: from our own artifact, not from what a node says lies there.
        code_hash = load_artifact(COLLATERAL_VAULT).code_hash(
            NOTICE_SECONDS=notice_seconds, PAYOUT_SECONDS=payout_seconds, ARBITER=NATIVE
        )
        addresses = {HOME_CHAIN: home_vault, SECOND_CHAIN: second_vault}
        return Deployment(Vaults(addresses, dict.fromkeys(addresses, code_hash)), usdc, tuple(feeds))

    async def registry(self, n: int, configuration_digest: bytes, *, policy_delay: int, notice_seconds: int) -> bytes:
        """The registry, last of all: its constructor is told the configuration that names the vaults."""
        deployed = await Registry.deploy(
            await self._sender(HOME_CHAIN, _REGISTRY_KEY),
            n=n,
            configuration_digest=configuration_digest,
            policy_delay=policy_delay,
            notice_seconds=notice_seconds,
        )
        return parse_address(deployed.address)

    async def _vault(self, chain: str, notice_seconds: int, payout_seconds: int) -> bytes:
        sender = await self._sender(chain, _VAULT_KEY)
        return parse_address((await Vault.deploy(sender, notice_seconds, payout_seconds)).address)

    async def _token(self) -> bytes:
        sender = await self._sender(SECOND_CHAIN, _TOKEN_KEY)
        return parse_address((await Token.deploy(sender, "Test USD", "USDC", 6)).address)

    async def _feed(self, position: int, point: str, chain: str) -> FeedOnChain:
        key = _FIRST_FEED_KEY + position
        sender = await self._sender(chain, key)
        return FeedOnChain(point, chain, await Feed.deploy(sender, point, 8, development_account(key).address))

    async def _sender(self, chain: str, key: int) -> Sender:
        devnet = self._chains.by_id()[chain]
        account = await asyncio.to_thread(devnet.account, key)
        return await self._stack.enter_async_context(Sender(devnet.url, account))
