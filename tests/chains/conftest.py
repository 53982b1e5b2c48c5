"""One development chain per session with a vault, and what was recorded from it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from marginproof.chains.evm.client.blocks import encode_header
from marginproof.chains.evm.contracts import COLLATERAL_VAULT, PLEDGE_REGISTRY, TEST_TOKEN, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.verify import BlockHeader, parse_get_proof, parse_header
from marginproof.chains.evm.verify.proofs import AccountProof
from marginproof.model.network import Network
from tests.chains.proxied_pool import Setup, proxied
from tests.contracts.accounts import CONFIGURATION, GENESIS, REGISTRY_TERMS, network_of
from tests.contracts.harness import Chain, Contract, address_of

CHAIN_NUMBER = 31_337
NOTICE = CONFIGURATION.notice_seconds
PAYOUT = 500
POLICY_DELAY = CONFIGURATION.policy_delay_seconds
LOCKS = 24
NOTICED_LOCK = 5
ZERO_ADDRESS = "0x" + "00" * 20
CODE_HASH = load_artifact(COLLATERAL_VAULT).code_hash(
    NOTICE_SECONDS=NOTICE, PAYOUT_SECONDS=PAYOUT, ARBITER=ZERO_ADDRESS
)


def raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


@dataclass(frozen=True)
class World:
    """A chain on which one owner has locked coins in a vault and a venue has announced a policy."""

    chain: Chain
    vault: Contract
    token: Contract
    registry: Contract
    owner: str
    digest: bytes

    @property
    def network(self) -> Network:
        return network_of(self.registry)

    def block(self, number: int) -> dict[str, Any]:
        block: dict[str, Any] = self.chain.devnet.rpc("eth_getBlockByNumber", hex(number), False)
        return block

    def tip(self) -> int:
        return int(self.chain.devnet.rpc("eth_blockNumber"), 16)

    def header(self, number: int | None = None) -> BlockHeader:
        block = self.block(self.tip() if number is None else number)
        return parse_header(encode_header(block), bytes.fromhex(block["hash"][2:]))

    def proof(self, header: BlockHeader, address: bytes, slots: list[bytes]) -> AccountProof:
        keys = [f"0x{slot.hex()}" for slot in slots]
        reply = self.chain.devnet.rpc("eth_getProof", f"0x{address.hex()}", keys, hex(header.number))
        return parse_get_proof(reply, address, slots)


@pytest.fixture(scope="session")
def devnet() -> Iterator[Devnet]:
    with Devnet(DevnetOptions(chain_id=CHAIN_NUMBER, genesis_time=GENESIS)) as running:
        running.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        running.rpc("anvil_setBlockTimestampInterval", 12)
        yield running


@pytest.fixture(scope="session")
def recorded(devnet: Devnet) -> World:
    """The chain as built once: 24 native locks, one token lock, one notice, one policy, many accounts."""
    chain = Chain(devnet)
    owner = chain.rich("owner")
    for index in range(48):
        devnet.fund(address_of(f"neighbour {index}"), index + 1)
    vault = chain.deploy(load_artifact(COLLATERAL_VAULT), NOTICE, ZERO_ADDRESS, PAYOUT, sender=owner)
    token = chain.deploy(load_artifact(TEST_TOKEN), "US dollar, test", "USDT", 6, sender=owner)
    registry = chain.deploy(load_artifact(PLEDGE_REGISTRY), *REGISTRY_TERMS, sender=owner)
    for index in range(LOCKS):
        vault.act(owner, "lock_native", bytes([index + 1]) * 32, value=10**18 + index)
    token.act(owner, "mint", owner, 10**12)
    token.act(owner, "approve", vault.address, 10**12)
    vault.act(owner, "lock_token", token.address, 5_000_000, b"\xaa" * 32)
    vault.act(owner, "start_notice", NOTICED_LOCK)
    digest = b"\xdd" * 32
    registry.act(owner, "announce_policy", digest)
    return World(chain, vault, token, registry, owner, digest)


@pytest.fixture
def world(recorded: World) -> Iterator[World]:
    """The recorded chain; whatever the test does to it is undone."""
    with recorded.chain.devnet.snapshot():
        yield recorded


@pytest_asyncio.fixture
async def setup(world: World) -> AsyncIterator[Setup]:
    """Three proxies before the recorded chain, all honest, and a pool that reads through them."""
    async for setup in proxied(world):
        yield setup
