"""The home chain's registry as venues and relayers write to it."""

from typing import Self

from marginproof.chains.evm.contracts.artifact import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.contracts.codec import checksum_address
from marginproof.chains.evm.transactions.sender import Receipt, Sender


class Registry:
    """A deployed registry, used with one key."""

    def __init__(self, sender: Sender, address: str) -> None:
        self._sender = sender
        self._artifact = load_artifact(PLEDGE_REGISTRY)
        self.address = checksum_address(address)

    @classmethod
    async def deploy(cls, sender: Sender, policy_delay: int) -> Self:
        """Deploys a registry; ``policy_delay`` in seconds."""
        return cls(sender, await sender.deploy(load_artifact(PLEDGE_REGISTRY), policy_delay))

    async def announce_policy(self, digest: bytes) -> int:
        """Announces a policy of the key's owner; returns the first second in which it holds."""
        receipt = await self._sender.transact(self._artifact, self.address, "announce_policy", digest)
        return int(receipt.event(self._artifact, "PolicyAnnounced", self.address)["effective_at"])

    async def policy_effective_at(self, venue: str, digest: bytes) -> int:
        """From when a venue's policy holds, 0 if it was never announced, as the endpoint says."""
        (time,) = await self._sender.call(self._artifact, self.address, "policy_effective_at", venue, digest)
        return int(time)

    async def record_signer_set(self, index: int, root: bytes, first_epoch: int, signature: bytes) -> Receipt:
        """Publishes signer set ``index`` ≥ 1 with what the previous set signed (at most 1024 bytes)."""
        return await self._sender.transact(
            self._artifact, self.address, "record_signer_set", index, root, first_epoch, signature
        )
