"""A network file without a network, for tests of pure code."""

from functools import cache

from marginproof.model.network import Configuration, Network, VaultPin
from marginproof.model.network_file import NetworkFile, RelayerEndpoint
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from tests.attestation.builders import CHAIN, KEYS, OTHER_CHAIN, REGISTRY, signer_set

GENESIS, EPOCH_SECONDS = 1_700_000_000, 100


@cache
def network_file() -> NetworkFile:
    feed = Feed(CHAIN, b"\x0a" * 20)
    universe = Universe(
        1,
        1,
        256,
        (PricePoint("p", PointKind.PRICE, (feed,), 1, 60, 100),),
        (Entry(0, "eth", EntryKind.COLLATERAL, 6, 10**12, "p", CHAIN, bytes(20), 18, 0, 0, ""),),
    ).checked()
    configuration = Configuration(
        genesis_time=GENESIS,
        epoch_seconds=EPOCH_SECONDS,
        price_seconds=30,
        certificate_seconds=7200,
        notice_seconds=172_800,
        claim_seconds=86_400,
        policy_delay_seconds=0,
        clock_skew_seconds=5,
        snapshot_seconds=60,
        proof_interval_seconds=60,
        grace_seconds=60,
        price_band_bps=100,
        threshold=2,
        signer_set_digest=signer_set().root(),
        vaults=(VaultPin(CHAIN, b"\x77" * 20, bytes(32)), VaultPin(OTHER_CHAIN, b"\x77" * 20, bytes(32))),
    )
    relayers = tuple(
        RelayerEndpoint(index, key.public_key, key.prove_possession(), f"127.0.0.1:{index + 1}", "")
        for index, key in enumerate(KEYS)
    )
    network = Network(CHAIN, REGISTRY, 256, configuration.root())
    return NetworkFile(network, configuration, universe, signer_set(), relayers, (), True)
