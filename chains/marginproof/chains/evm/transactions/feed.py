"""A price feed as its transmitter uses it."""

from dataclasses import dataclass
from typing import Self

from marginproof.chains.evm.contracts.artifact import PRICE_FEED, load_artifact
from marginproof.chains.evm.contracts.codec import checksum_address
from marginproof.chains.evm.transactions.receipts import Receipt
from marginproof.chains.evm.transactions.sender import Sender


@dataclass(frozen=True)
class Answer:
    """One round of a feed: the price in units of 10^-decimals, its number and its time in seconds."""

    round_id: int
    answer: int
    updated_at: int


class Feed:
    """A deployed price feed, used with one key."""

    def __init__(self, sender: Sender, address: str) -> None:
        self._sender = sender
        self._artifact = load_artifact(PRICE_FEED)
        self.address = checksum_address(address)

    @classmethod
    async def deploy(cls, sender: Sender, description: str, decimals: int, transmitter: str) -> Self:
        """Deploys a feed for a pair such as "ETH / USD"."""
        artifact = load_artifact(PRICE_FEED)
        return cls(sender, await sender.deploy(artifact, description, decimals, transmitter))

    async def post(self, answer: int) -> Receipt:
        """Posts a price in units of 10^-decimals."""
        return await self._sender.transact(self._artifact, self.address, "post", answer)

    async def latest(self) -> Answer:
        """The newest round, as the endpoint says.

        Raises:
            TransactionReverted: NO_DATA before the first post.
        """
        round_id, answer, _, updated_at, _ = await self._sender.call(self._artifact, self.address, "latestRoundData")
        return Answer(round_id, answer, updated_at)
