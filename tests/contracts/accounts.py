"""Accounts of a registry under test: identities, keys, and what they sign."""

from dataclasses import dataclass, field, replace
from typing import Any

from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from marginproof.chains.evm.devnet import development_account
from marginproof.model.accounts import AccountIdentity
from marginproof.model.chains import parse_address
from marginproof.model.network import Configuration, Network
from marginproof.model.pledges import PledgeStep
from marginproof.model.typed_data import authorise_message, pledge_message, revoke_message, rotation_message
from tests.contracts.harness import Contract

HOME_CHAIN = "eip155:31337"
GENESIS = 1_700_000_000
VECTOR_LENGTH = 512
CONFIGURATION = Configuration(
    genesis_time=GENESIS,
    epoch_seconds=300,
    price_seconds=30,
    certificate_seconds=600,
    notice_seconds=1_000,
    claim_seconds=100,
    policy_delay_seconds=300,
    clock_skew_seconds=2,
    snapshot_seconds=60,
    proof_interval_seconds=60,
    grace_seconds=60,
    price_band_bps=100,
    threshold=3,
    signer_set_digest=b"\x51" * 32,
    vaults=(),
)
NOTICE, POLICY_DELAY = CONFIGURATION.notice_seconds, CONFIGURATION.policy_delay_seconds
REGISTRY_TERMS = (VECTOR_LENGTH, CONFIGURATION.root(), POLICY_DELAY, NOTICE)
"""What the registry's constructor takes."""


def network_of(registry: Contract) -> Network:
    return Network(HOME_CHAIN, parse_address(registry.address), VECTOR_LENGTH, CONFIGURATION.root())


def commitment(seed: int) -> bytes:
    """48 bytes that differ in both storage words."""
    return bytes([0x80 | seed % 64]) + seed.to_bytes(8, "big") + b"\x11" * 23 + seed.to_bytes(8, "big") + b"\x22" * 8


@dataclass(frozen=True)
class Holder:
    """One account of one network, with the key that signs for it."""

    network: Network
    owner: LocalAccount = field(default_factory=lambda: development_account(90))
    index: int = 7
    key: LocalAccount = field(default_factory=lambda: development_account(90))

    @property
    def identity(self) -> AccountIdentity:
        return AccountIdentity(self.network.home_chain, self.network.registry, self.owner_address, self.index)

    @property
    def owner_address(self) -> bytes:
        return parse_address(self.owner.address)

    @property
    def account(self) -> bytes:
        return self.identity.root()

    @property
    def names(self) -> tuple[str, int]:
        """What a call gives to name the account."""
        return self.owner.address, self.index

    def with_key(self, key: LocalAccount) -> "Holder":
        return replace(self, key=key)

    def sign(self, message: dict[str, Any]) -> bytes:
        return bytes(self.key.sign_message(encode_typed_data(full_message=message)).signature)

    def authorise(self, venue: str, number: int) -> tuple[object, ...]:
        """The arguments of the call, signed."""
        message = authorise_message(self.network.root(), self.account, parse_address(venue), number)
        return (*self.names, venue, number, self.sign(message))

    def revoke(self, venue: str, number: int) -> tuple[object, ...]:
        message = revoke_message(self.network.root(), self.account, parse_address(venue), number)
        return (*self.names, venue, number, self.sign(message))

    def rotate(self, key: str, number: int) -> tuple[object, ...]:
        message = rotation_message(self.network.root(), self.account, parse_address(key), number)
        return (*self.names, key, number, self.sign(message))

    def swap(self, venue: str, digest: bytes, pledge: bytes, version: int = 1) -> tuple[object, ...]:
        step = PledgeStep(digest, parse_address(venue), pledge, version)
        message = pledge_message(self.network.root(), self.account, step)
        return (*self.names, digest, pledge, version, self.sign(message))
