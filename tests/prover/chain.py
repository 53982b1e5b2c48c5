"""The home chain of the account's tests, with the contracts."""

import dataclasses
from typing import Any

from eth_utils.crypto import keccak

from marginproof.chains.evm.devnet import Devnet, development_account
from marginproof.chains.evm.transactions import Registry, Sender, Token, Vault
from marginproof.model.chains import parse_address
from marginproof.model.network_file import NetworkFile
from tests.prover.world import FULL_POLICY, OTHER_KEY, POLICY, VENUE_KEY, network_file

NOTICE_SECONDS = 172_800


@dataclasses.dataclass(frozen=True)
class Chain:
    """The home chain and what was deployed there; times on it may run ahead of the clock."""

    devnet: Devnet
    vault: bytes
    code_hash: bytes
    token: bytes
    policy_delay: int
    registry: bytes = bytes(20)

    def network(self, **changes: Any) -> NetworkFile:
        delay = {"policy_delay_seconds": self.policy_delay}
        return network_file(
            vault=self.vault, code_hash=self.code_hash, registry=self.registry, token=self.token, **(delay | changes)
        )


async def deploy(devnet: Devnet, policy_delay: int = 60) -> Chain:
    async with Sender(devnet.url, devnet.account(0)) as sender:
        vault = (await Vault.deploy(sender, NOTICE_SECONDS, 86_400)).address
        token = await Token.deploy(sender, "Test USD", "USDC", 6)
        await token.mint(development_account(1).address, 10**12)
        code = bytes.fromhex(devnet.rpc("eth_getCode", vault, "latest")[2:])
        chain = Chain(devnet, parse_address(vault), bytes(keccak(code)), parse_address(token.address), policy_delay)
        configuration = chain.network().configuration
        registry = await Registry.deploy(
            sender,
            n=256,
            configuration_digest=configuration.root(),
            policy_delay=configuration.policy_delay_seconds,
            notice_seconds=configuration.notice_seconds,
        )
    for key, policy in ((VENUE_KEY, POLICY), (VENUE_KEY, FULL_POLICY), (OTHER_KEY, POLICY)):
        devnet.fund(key.address, 10**18)
        async with Sender(devnet.url, key) as venue:
            await Registry(venue, registry.address).announce_policy(policy.digest)
    return dataclasses.replace(chain, registry=parse_address(registry.address))
