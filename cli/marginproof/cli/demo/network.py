"""The demo's network file: its universe, delays in seconds instead of hours, and who takes part."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Final

from marginproof.cli.demo.deployment import HOME_CHAIN, POINTS, SECOND_CHAIN, Deployment
from marginproof.model.network import Configuration, Network, SignerSet, VaultPin
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, VenueEndpoint, signer_set_of
from marginproof.model.universe import PRICE_SCALE, Entry, EntryKind, Feed, PointKind, PricePoint, Universe

VECTOR_LENGTH: Final = 256
THRESHOLD: Final = 2
NOTICE_SECONDS: Final = 120
CLAIM_SECONDS: Final = 20
POLICY_DELAY_SECONDS: Final = 1
EPOCH_SECONDS: Final = 3
_OPTION_DAYS: Final = 14
_DAY_SECONDS: Final = 86_400
_PUT_STRIKES: Final = (140, 160, 180)


def demo_universe(deployment: Deployment, now: int) -> Universe:
    """ETH on the home chain, USDC on the second, cash, a perpetual and a few puts."""
    points = tuple(
        PricePoint(
            id=point,
            kind=PointKind.VOLATILITY if point.startswith("volatility") else PointKind.PRICE,
            feeds=tuple(Feed(f.chain, _address(f.feed.address)) for f in deployment.feeds if f.point == point),
            min_feeds=3,
            max_age_seconds=30,
            max_spread_bps=200,
        )
        for point in sorted(POINTS)
    )
    collateral = (
        _entry(
            0, f"{HOME_CHAIN}/slip44:60", EntryKind.COLLATERAL, 8, 10**13, "price:ETH", chain=HOME_CHAIN, decimals=18
        ),
        _entry(
            1,
            f"{SECOND_CHAIN}/erc20:0x{deployment.usdc.hex()}",
            EntryKind.COLLATERAL,
            4,
            10**13,
            "price:USDC",
            chain=SECOND_CHAIN,
            token=deployment.usdc,
            decimals=6,
        ),
    )
    expiry = now + _OPTION_DAYS * _DAY_SECONDS
    puts = (
        _entry(
            4 + position,
            f"ETH-PUT-{strike}",
            EntryKind.PUT,
            4,
            10**10,
            "price:ETH",
            strike=strike * PRICE_SCALE,
            expiry=expiry,
            volatility_point="volatility:ETH",
        )
        for position, strike in enumerate(_PUT_STRIKES)
    )
    cash = _entry(2, "USD", EntryKind.CASH, 6, 10**15, "")
    perpetual = _entry(3, "ETH-PERP", EntryKind.PERPETUAL, 4, 10**10, "price:ETH")
    return Universe(1, 1, VECTOR_LENGTH, points, (*collateral, cash, perpetual, *puts)).checked()


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How long an account has: from one proof to the next deadline, and from a missed deadline to the next."""

    proof_interval_seconds: int
    grace_seconds: int


def demo_configuration(
    deployment: Deployment, relayers: Sequence[RelayerEndpoint], pace: Pace, now: int
) -> Configuration:
    """Delays in seconds instead of hours; genesis is the last full epoch before ``now`` (UTC seconds)."""
    vaults = tuple(
        VaultPin(chain, deployment.vaults.addresses[chain], deployment.vaults.code_hashes[chain])
        for chain in (HOME_CHAIN, SECOND_CHAIN)
    )
    return Configuration(
        genesis_time=now - now % EPOCH_SECONDS,
        epoch_seconds=EPOCH_SECONDS,
        price_seconds=3,
        certificate_seconds=60,
        notice_seconds=NOTICE_SECONDS,
        claim_seconds=CLAIM_SECONDS,
        policy_delay_seconds=POLICY_DELAY_SECONDS,
        clock_skew_seconds=5,
        snapshot_seconds=12,
        proof_interval_seconds=pace.proof_interval_seconds,
        grace_seconds=pace.grace_seconds,
        price_band_bps=200,
        threshold=THRESHOLD,
        signer_set_digest=_signer_set(relayers).root(),
        vaults=vaults,
    )


def demo_network(
    deployment: Deployment,
    registry: bytes,
    configuration: Configuration,
    relayers: Sequence[RelayerEndpoint],
    venues: Sequence[VenueEndpoint],
) -> NetworkFile:
    """Everything participants share."""
    return NetworkFile(
        network=Network(HOME_CHAIN, registry, VECTOR_LENGTH, configuration.root()),
        configuration=configuration,
        universe=demo_universe(deployment, configuration.genesis_time),
        signer_set=_signer_set(relayers),
        relayers=tuple(relayers),
        venues=tuple(venues),
        development=True,
    )


def _signer_set(relayers: Sequence[RelayerEndpoint]) -> SignerSet:
    return signer_set_of(tuple(relayer.public_key for relayer in relayers), THRESHOLD)


def now_seconds() -> int:
    """The clock, in UTC seconds."""
    return int(time.time())


def _entry(
    index: int,
    entry_id: str,
    kind: EntryKind,
    lot_exponent: int,
    max_lots: int,
    price_point: str,
    *,
    chain: str = "",
    token: bytes = bytes(20),
    decimals: int = 0,
    strike: int = 0,
    expiry: int = 0,
    volatility_point: str = "",
) -> Entry:
    return Entry(
        index,
        entry_id,
        kind,
        lot_exponent,
        max_lots,
        price_point,
        chain,
        token,
        decimals,
        strike,
        expiry,
        volatility_point,
    )


def _address(text: str) -> bytes:
    return bytes.fromhex(text[2:])
