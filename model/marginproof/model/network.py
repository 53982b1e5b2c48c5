"""What a network is: home chain, registry, vector length, and one configuration pinned by its digest."""

import dataclasses
from typing import Annotated, Final

from marginproof.model.errors import NotFoundError
from marginproof.model.ssz import Bytes20, Bytes32, Bytes48, Many, SszContainer, Text64, Uint8, Uint64

VECTOR_LENGTHS: Final = (256, 512, 1024, 2048)


@dataclasses.dataclass(frozen=True, slots=True)
class VaultPin(SszContainer):
    """A vault that may hold collateral: its chain, address and the hash of its runtime code."""

    chain: Text64
    address: Bytes20
    code_hash: Bytes32


@dataclasses.dataclass(frozen=True, slots=True)
class Configuration(SszContainer):
    """All delays (seconds), thresholds and pins that participants must agree on.

    ``certificate_seconds`` is L: a certificate expires at its reference block's time + L.
    ``notice_seconds`` is N ≥ L + clock skew + margin call + claim window.
    ``proof_interval_seconds`` is how often an account must prove; ``grace_seconds``
    how late a missed proof may be.
    """

    genesis_time: Uint64
    epoch_seconds: Uint64
    price_seconds: Uint64
    certificate_seconds: Uint64
    notice_seconds: Uint64
    claim_seconds: Uint64
    policy_delay_seconds: Uint64
    clock_skew_seconds: Uint64
    snapshot_seconds: Uint64
    proof_interval_seconds: Uint64
    grace_seconds: Uint64
    price_band_bps: Uint64
    threshold: Uint64
    signer_set_digest: Bytes32
    vaults: Annotated[tuple[VaultPin, ...], Many(64)]


@dataclasses.dataclass(frozen=True, slots=True)
class Network(SszContainer):
    """Identity of a network; its root is the network id that every signature and binding names."""

    home_chain: Text64
    registry: Bytes20
    n: Uint64
    configuration_digest: Bytes32


@dataclasses.dataclass(frozen=True, slots=True)
class Relayer(SszContainer):
    """One member of a signer set: its BLS key with proof of possession checked on entry."""

    index: Uint8
    public_key: Bytes48


@dataclasses.dataclass(frozen=True, slots=True)
class SignerSet(SszContainer):
    """Numbered relayers who sign from ``first_epoch`` on; the position in ``relayers`` is the bit in a certificate."""

    number: Uint64
    first_epoch: Uint64
    threshold: Uint64
    relayers: Annotated[tuple[Relayer, ...], Many(256)]


def epoch_of(configuration: Configuration, time: int) -> int:
    """⌊(time − genesis) / epoch_seconds⌋; negative before genesis."""
    return (time - configuration.genesis_time) // configuration.epoch_seconds


def epoch_cutoff(configuration: Configuration, epoch: int) -> int:
    """The end of the epoch, in UTC seconds: the reference block is the last one with a time not after it."""
    return configuration.genesis_time + (epoch + 1) * configuration.epoch_seconds


def price_slot_of(configuration: Configuration, time: int) -> int:
    """Which price slot a time lies in; one observation per slot and relayer."""
    return (time - configuration.genesis_time) // configuration.price_seconds


def vaults_on(configuration: Configuration, chain: str) -> tuple[VaultPin, ...]:
    """The pinned vaults of one chain.

    Raises:
        NotFoundError: The network has none there.
    """
    found = tuple(vault for vault in configuration.vaults if vault.chain == chain)
    if not found:
        raise NotFoundError(f"the network has no vault on {chain}", fields={"chain": chain})
    return found
