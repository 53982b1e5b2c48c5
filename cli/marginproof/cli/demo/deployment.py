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
_DEPLOYER: Final = 0
_FIRST_FEED_KEY: Final = 10
_BLOCK_SECONDS: Final = 1


@dataclasses.dataclass(frozen=True, slots=True)
class FeedOnChain:
    """One feed: which point it prices, where it lies, and how to post to it."""

    point: str
    chain: str
    feed: Feed


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """Addresses (20 bytes) of what was deployed."""

    registry: bytes
    vaults: dict[str, bytes]
    vault_code_hashes: dict[str, bytes]
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


def start_chains(stack: contextlib.ExitStack) -> Chains:
    """Starts both chains; the stack ends them."""
    started = [
        stack.enter_context(Devnet(DevnetOptions(chain_id=number, hosts=HOSTS, block_seconds=_BLOCK_SECONDS)))
        for number in (31337, 31338)
    ]
    return Chains(*started)


async def deploy(
    chains: Chains, stack: contextlib.AsyncExitStack, *, notice_seconds: int, payout_seconds: int, policy_delay: int
) -> Deployment:
    """Deploys vaults, registry, token and feeds; both chains at the same time."""

    async def sender(devnet: Devnet, key: int) -> Sender:
        account = await asyncio.to_thread(devnet.account, key)
        return await stack.enter_async_context(Sender(devnet.url, account))

    async def vault(devnet: Devnet) -> str:
        return (await Vault.deploy(await sender(devnet, _DEPLOYER), notice_seconds, payout_seconds)).address

    async def home_chain() -> tuple[str, str]:
        address = await vault(chains.home)
        return address, (await Registry.deploy(await sender(chains.home, _DEPLOYER), policy_delay)).address

    async def second_chain() -> tuple[str, str]:
        address = await vault(chains.second)
        return address, (await Token.deploy(await sender(chains.second, _DEPLOYER), "Test USD", "USDC", 6)).address

    async def feed(position: int, point: str, chain: str) -> FeedOnChain:
        key = _FIRST_FEED_KEY + position
        own = await sender(chains.by_id()[chain], key)
        return FeedOnChain(point, chain, await Feed.deploy(own, point, 8, development_account(key).address))

    wanted = [(point, chain) for point in POINTS for chain in (HOME_CHAIN, HOME_CHAIN, SECOND_CHAIN)]
    (home_vault, registry), (second_vault, token), feeds = await asyncio.gather(
        home_chain(),
        second_chain(),
        asyncio.gather(*(feed(i, point, chain) for i, (point, chain) in enumerate(wanted))),
    )
    # What an honest deployment's code hashes to: from our own artifact, not from what a node says lies there.
    code_hash = load_artifact(COLLATERAL_VAULT).code_hash(
        NOTICE_SECONDS=notice_seconds, PAYOUT_SECONDS=payout_seconds, ARBITER=NATIVE
    )
    vaults = {HOME_CHAIN: home_vault, SECOND_CHAIN: second_vault}
    return Deployment(
        registry=parse_address(registry),
        vaults={chain: parse_address(address) for chain, address in vaults.items()},
        vault_code_hashes=dict.fromkeys(vaults, code_hash),
        usdc=parse_address(token),
        feeds=tuple(feeds),
    )
