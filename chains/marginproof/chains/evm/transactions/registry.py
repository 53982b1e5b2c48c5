"""The home chain's registry as accounts, venues and relayers write to it."""

from dataclasses import dataclass, field
from typing import Any, Self

from marginproof.chains.evm.contracts.artifact import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.contracts.codec import checksum_address, encode_call
from marginproof.chains.evm.transactions.posting import Call
from marginproof.chains.evm.transactions.receipts import Receipt
from marginproof.chains.evm.transactions.sender import Sender

Address = str | bytes
"""0x and 40 hex digits, or 20 bytes."""


@dataclass(frozen=True)
class AuthorisationState:
    """An authorisation as one endpoint describes it; ``number`` is what the next such message must name."""

    number: int
    authorised: bool
    revoked_at: int


@dataclass(frozen=True)
class PledgeState:
    """A standing pledge as one endpoint describes it; ``revoked_at`` in seconds, zero = not revoked."""

    venue: str
    commitment: bytes = field(repr=False)
    universe_version: int
    revoked_at: int


@dataclass(frozen=True)
class AccountState:
    """An account as one endpoint describes it; the zero address as key means the owner's own."""

    digest: bytes
    key: str
    key_number: int
    pledges: tuple[PledgeState, ...]


class Registry:
    """A deployed registry, used with one key.

    Signatures are the account's, 65 bytes, over the messages of ``marginproof.model.typed_data``; digests and account
    ids have 32 bytes, commitments 48.
    """

    def __init__(self, sender: Sender, address: str) -> None:
        self._sender = sender
        self._artifact = load_artifact(PLEDGE_REGISTRY)
        self.address = checksum_address(address)

    @classmethod
    async def deploy(
        cls, sender: Sender, *, n: int, configuration_digest: bytes, policy_delay: int, notice_seconds: int
    ) -> Self:
        """Deploys a registry.

        Args:
            sender: Who pays.
            n: Entries of the network's vectors: 256, 512, 1024 or 2048.
            configuration_digest: Digest of the network's configuration, 32 bytes.
            policy_delay: Its ``policy_delay_seconds``.
            notice_seconds: Its ``notice_seconds``.
        """
        artifact = load_artifact(PLEDGE_REGISTRY)
        return cls(sender, await sender.deploy(artifact, n, configuration_digest, policy_delay, notice_seconds))

    async def network_id(self) -> bytes:
        """The id of the network that this registry belongs to, 32 bytes, as the endpoint says."""
        (network,) = await self._ask("network_id")
        return bytes(network)

    # -- accounts: anybody may post what the account's key has signed

    async def authorise(self, owner: Address, index: int, venue: Address, number: int, signature: bytes) -> Receipt:
        """Lets a venue pledge the account's headroom; ``number`` counts the changes of this pair so far."""
        return await self._transact(
            "authorise", checksum_address(owner), index, checksum_address(venue), number, signature
        )

    async def revoke(self, owner: Address, index: int, venue: Address, number: int, signature: bytes) -> Receipt:
        """Takes that back: no further swap; a standing pledge lapses after the notice."""
        return await self._transact(
            "revoke", checksum_address(owner), index, checksum_address(venue), number, signature
        )

    async def rotate_key(self, owner: Address, index: int, key: Address, number: int, signature: bytes) -> Receipt:
        """Hands the account over to another key; ``number`` counts the rotations so far."""
        return await self._transact(
            "rotate_key", checksum_address(owner), index, checksum_address(key), number, signature
        )

    async def lapse(self, account: bytes, venue: Address) -> Receipt:
        """Removes a revoked venue's pledge once its notice is over; anybody may."""
        return await self._transact("lapse", account, checksum_address(venue))

    async def account_id(self, owner: Address, index: int) -> bytes:
        """The account's id, 32 bytes, as the endpoint says."""
        (account,) = await self._ask("account_id", checksum_address(owner), index)
        return bytes(account)

    async def read_account(self, account: bytes) -> AccountState:
        """Digest, key and pledges, as the endpoint says; decisions rest on ``client.read_registry_record``."""
        ((digest, key, key_number, pledges),) = await self._ask("read_account", account)
        states = (PledgeState(checksum_address(venue), bytes(rest[0]), *rest[1:]) for venue, *rest in pledges)
        return AccountState(bytes(digest), checksum_address(key), key_number, tuple(states))

    async def read_authorisation(self, account: bytes, venue: Address) -> AuthorisationState:
        """Whether a venue may pledge, as the endpoint says."""
        (view,) = await self._ask("read_authorisation", account, checksum_address(venue))
        return AuthorisationState(*view)

    # -- venues

    def swap_call(
        self,
        owner: Address,
        index: int,
        digest: bytes,
        commitment: bytes,
        universe_version: int,
        signature: bytes,
    ) -> Call:
        """The call that sets or replaces the sending venue's pledge, for callers who send it themselves."""
        return swap_call(self.address, owner, index, digest, commitment, universe_version, signature)

    async def swap(
        self,
        owner: Address,
        index: int,
        digest: bytes,
        commitment: bytes,
        universe_version: int,
        signature: bytes,
    ) -> Receipt:
        """Sets or replaces the key's own pledge, if the account's digest is still ``digest``."""
        return await self._transact(
            "swap", checksum_address(owner), index, digest, commitment, universe_version, signature
        )

    async def release(self, account: bytes) -> Receipt:
        """Gives up the key's own pledge."""
        return await self._transact("release", account)

    async def agree(self, other: Address) -> Receipt:
        """Agrees to count another venue's pledges in full; holds while both sides have agreed."""
        return await self._transact("agree", checksum_address(other))

    async def end_agreement(self, other: Address) -> int:
        """Takes that back; returns the first second in which the agreement no longer holds."""
        receipt = await self._transact("end_agreement", checksum_address(other))
        return int(receipt.event(self._artifact, "AgreementEnded", self.address)["until"])

    async def announce_policy(self, digest: bytes) -> int:
        """Announces a policy of the key's owner; returns the first second in which it holds."""
        receipt = await self._transact("announce_policy", digest)
        return int(receipt.event(self._artifact, "PolicyAnnounced", self.address)["effective_at"])

    async def policy_effective_at(self, venue: str, digest: bytes) -> int:
        """From when a venue's policy holds, 0 if it was never announced, as the endpoint says."""
        (time,) = await self._ask("policy_effective_at", venue, digest)
        return int(time)

    # -- relayers

    async def record_signer_set(self, index: int, root: bytes, first_epoch: int, signature: bytes) -> Receipt:
        """Publishes signer set ``index`` ≥ 1 with what the previous set signed (at most 1024 bytes)."""
        return await self._transact("record_signer_set", index, root, first_epoch, signature)

    async def _transact(self, function: str, *arguments: object) -> Receipt:
        return await self._sender.transact(self._artifact, self.address, function, *arguments)

    async def _ask(self, function: str, *arguments: object) -> tuple[Any, ...]:
        return await self._sender.call(self._artifact, self.address, function, *arguments)


def swap_call(
    registry: Address,
    owner: Address,
    index: int,
    digest: bytes,
    commitment: bytes,
    universe_version: int,
    signature: bytes,
) -> Call:
    """The call by which a venue sets or replaces its pledge on a registry.

    Raises:
        MalformedError: An argument does not fit.
    """
    arguments = (checksum_address(owner), index, digest, commitment, universe_version, signature)
    return _call(registry, "swap", *arguments)


def release_call(registry: Address, account: bytes) -> Call:
    """The call by which a venue gives up its pledge on a registry.

    Raises:
        MalformedError: An argument does not fit.
    """
    return _call(registry, "release", account)


def _call(registry: Address, function: str, *arguments: object) -> Call:
    return Call(checksum_address(registry), encode_call(load_artifact(PLEDGE_REGISTRY), function, *arguments))
