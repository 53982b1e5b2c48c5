"""One development chain with the contracts for all tests of the room."""

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import Registry, Sender, Token, Vault
from marginproof.model.chains import parse_address
from marginproof.model.network_file import NetworkFile
from marginproof.prover.account import Account
from tests.prover.world import HOME, POLICY, VENUE_KEY, make_account, network_file

NOTICE_SECONDS = 172_800


@dataclasses.dataclass(frozen=True)
class Chain:
    """The home chain and what was deployed there; times on it may run ahead of the clock."""

    devnet: Devnet
    vault: bytes
    code_hash: bytes
    registry: bytes
    token: bytes

    def network(self, **changes: Any) -> NetworkFile:
        return network_file(
            vault=self.vault, code_hash=self.code_hash, registry=self.registry, token=self.token, **changes
        )


async def deploy(devnet: Devnet, policy_delay: int = 60) -> Chain:
    devnet.fund(VENUE_KEY.address, 10**18)
    async with Sender(devnet.url, devnet.account(0)) as sender:
        vault = (await Vault.deploy(sender, NOTICE_SECONDS, 86_400)).address
        registry = (await Registry.deploy(sender, policy_delay)).address
        token = await Token.deploy(sender, "Test USD", "USDC", 6)
        await token.mint(development_account(1).address, 10**12)
    async with Sender(devnet.url, VENUE_KEY) as venue:
        await Registry(venue, registry).announce_policy(POLICY.digest)
    code = bytes.fromhex(devnet.rpc("eth_getCode", vault, "latest")[2:])
    addresses = (parse_address(text) for text in (registry, token.address))
    return Chain(devnet, parse_address(vault), bytes(keccak(code)), *addresses)


@pytest.fixture(scope="session")
def deployed() -> Iterator[Chain]:
    with Devnet(DevnetOptions(hosts=("127.0.0.1", "127.0.0.2", "127.0.0.3"))) as devnet:
        yield asyncio.run(deploy(devnet))


@pytest.fixture
def chain(deployed: Chain) -> Iterator[Chain]:
    deployed.devnet.account(1)
    with deployed.devnet.snapshot():
        yield deployed


@pytest.fixture
def network(chain: Chain) -> NetworkFile:
    return chain.network()


@pytest.fixture
def account(chain: Chain, network: NetworkFile, tmp_path: Path) -> Iterator[Account]:
    with make_account(tmp_path / "account", network, endpoints={HOME: chain.devnet.urls}) as opened:
        yield opened
