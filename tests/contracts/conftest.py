"""One development chain per session; every test starts from the same state of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from marginproof.chains.evm.contracts import COLLATERAL_VAULT, PLEDGE_REGISTRY, TEST_TOKEN
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from tests.contracts.accounts import CONFIGURATION, GENESIS, REGISTRY_TERMS
from tests.contracts.harness import Chain, Contract, compiled

NOTICE = CONFIGURATION.notice_seconds
PAYOUT = 500
POLICY_DELAY = CONFIGURATION.policy_delay_seconds


@dataclass(frozen=True)
class World:
    """Contracts and people that the tests share."""

    chain: Chain
    vault: Contract
    token: Contract
    registry: Contract
    arbiter: Contract
    deployer: str
    owner: str
    stranger: str

    def arbitrate(self, function: str, *arguments: object, at: int | None = None) -> str | None:
        """Lets the arbiter call the vault; returns the reason if the vault refuses."""
        data = self.vault.data(function, *arguments)
        return self.arbiter.attempt(self.deployer, "order", self.vault.address, data, at=at).reason

    def lock_native(self, amount: int = 10**18, binding: bytes = b"\x01" * 32) -> int:
        outcome = self.vault.act(self.owner, "lock_native", binding, value=amount)
        return int(self.vault.events(outcome, "Locked")[0]["lock_id"])

    def lock_token(self, amount: int = 10**6, binding: bytes = b"\x02" * 32) -> int:
        outcome = self.vault.act(self.owner, "lock_token", self.token.address, amount, binding)
        return int(self.vault.events(outcome, "Locked")[0]["lock_id"])

    def native_surplus(self) -> int:
        """Native coins in the vault beyond its own total."""
        total: int = self.vault.call("total_locked", "0x" + "00" * 20)
        return self.chain.balance(self.vault.address) - total


@pytest.fixture(scope="session")
def devnet() -> Iterator[Devnet]:
    with Devnet(DevnetOptions(genesis_time=GENESIS)) as running:
        # Gas is free here, so that balances show nothing but what the contracts moved.
        running.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        yield running


@pytest.fixture(scope="session")
def deployed(devnet: Devnet) -> World:
    chain = Chain(devnet)
    deployer, owner, stranger = (chain.rich(name) for name in ("deployer", "owner", "stranger"))
    arbiter = chain.deploy(compiled("StandInArbiter"), sender=deployer)
    vault = chain.deploy(compiled(COLLATERAL_VAULT), NOTICE, arbiter.address, PAYOUT, sender=deployer)
    token = chain.deploy(compiled(TEST_TOKEN), "US dollar, worthless", "TESTUSD", 6, sender=deployer)
    registry = chain.deploy(compiled(PLEDGE_REGISTRY), *REGISTRY_TERMS, sender=deployer)
    token.act(owner, "mint", owner, 2**200)
    token.act(owner, "approve", vault.address, 2**256 - 1)
    return World(chain, vault, token, registry, arbiter, deployer, owner, stranger)


@pytest.fixture
def world(deployed: World) -> Iterator[World]:
    """The deployed contracts; whatever the test does to them is undone."""
    with deployed.chain.devnet.snapshot():
        yield deployed
