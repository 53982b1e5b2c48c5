"""Three proxies before one real chain, and a pool that reads through them."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from marginproof.chains.evm.client import (
    EndpointPool,
    Evidence,
)
from tests.contracts.accounts import HOME_CHAIN
from tests.support.fault_proxy import Fault, FaultProxy

if TYPE_CHECKING:
    from tests.chains.conftest import World

CHAIN = HOME_CHAIN
TIMEOUT = 2.0
SILENCING = [
    Fault.HANG,
    Fault.DISCONNECT,
    Fault.HTTP_ERROR,
    Fault.REDIRECT,
    Fault.GARBAGE,
    Fault.OVERSIZE,
    Fault.NESTED,
    Fault.FOREIGN_ID,
    Fault.RPC_ERROR,
    Fault.NO_RESULT,
]
PROOF_FAULTS = [Fault.FORGED_PROOF, Fault.TRUNCATED_PROOF, Fault.MISSHAPED_PROOF]
H = Fault.HONEST
DOWN = Fault.HTTP_ERROR


class Setup:
    """Three proxies, and a pool that reads through them."""

    def __init__(self, world: "World", proxies: Sequence[FaultProxy]) -> None:
        self.world = world
        self.proxies = proxies
        self.evidence: list[Evidence] = []
        self.pool = self.new_pool()

    def new_pool(self, **options: Any) -> EndpointPool:
        urls = [proxy.url for proxy in self.proxies]
        settings: dict[str, Any] = {"timeout_seconds": TIMEOUT, "on_evidence": self.evidence.append, **options}
        return EndpointPool(CHAIN, urls, allow_development=True, **settings)

    def set(self, *faults: Fault) -> None:
        for proxy, fault in zip(self.proxies, faults, strict=True):
            proxy.fault = fault


async def proxied(world: "World") -> AsyncIterator[Setup]:
    upstream = world.chain.devnet.url
    async with FaultProxy(upstream) as first, FaultProxy(upstream) as second, FaultProxy(upstream) as third:
        setup = Setup(world, [first, second, third])
        async with setup.pool:
            yield setup


H = Fault.HONEST
