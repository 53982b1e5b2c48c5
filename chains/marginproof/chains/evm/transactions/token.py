"""An ERC-20 token as its holder uses it; minting works on our test token only."""

from typing import Self

from marginproof.chains.evm.contracts.artifact import TEST_TOKEN, load_artifact
from marginproof.chains.evm.contracts.codec import checksum_address
from marginproof.chains.evm.transactions.receipts import Receipt
from marginproof.chains.evm.transactions.sender import Sender


class Token:
    """A deployed token, used with one key."""

    def __init__(self, sender: Sender, address: str) -> None:
        self._sender = sender
        self._artifact = load_artifact(TEST_TOKEN)
        self.address = checksum_address(address)

    @classmethod
    async def deploy(cls, sender: Sender, name: str, symbol: str, decimals: int) -> Self:
        """Deploys a test token that anybody may mint, for development chains."""
        return cls(sender, await sender.deploy(load_artifact(TEST_TOKEN), name, symbol, decimals))

    async def mint(self, to: str, amount: int) -> Receipt:
        """Makes new tokens, in base units."""
        return await self._sender.transact(self._artifact, self.address, "mint", to, amount)

    async def approve(self, spender: str, amount: int) -> Receipt:
        """Lets ``spender`` take up to ``amount`` base units."""
        return await self._sender.transact(self._artifact, self.address, "approve", spender, amount)

    async def transfer(self, to: str, amount: int) -> Receipt:
        """Sends tokens, in base units."""
        return await self._sender.transact(self._artifact, self.address, "transfer", to, amount)

    async def balance_of(self, holder: str) -> int:
        """A holder's balance in base units, as the endpoint says."""
        (balance,) = await self._sender.call(self._artifact, self.address, "balanceOf", holder)
        return int(balance)
