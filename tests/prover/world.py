"""What the account's tests start from: a network, real keys, real certificates, a venue's real snapshot and book."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eth_account import Account as EthereumAccount
from eth_account.signers.local import LocalAccount

from marginproof import core
from marginproof.attestation.certificates import assemble, certificate_body, partial_signature
from marginproof.attestation.leaves import include
from marginproof.attestation.observations import sign_observations
from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.certificates import Certificate, IncludedLeaf, Leaf, Reference
from marginproof.model.margin import Purpose, SignedSnapshot
from marginproof.model.network import Configuration, Network, VaultPin
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, VenueEndpoint, signer_set_of
from marginproof.model.pledges import Book, PledgeOpening, VectorValue
from marginproof.model.prices import Observations, PointValue, PriceReport
from marginproof.model.typed_data import snapshot_message
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from marginproof.oracles.report import build_report
from marginproof.prover.account import Account
from marginproof.risk.line import pledge_vector
from marginproof.risk.packaged import packaged_policy
from marginproof.risk.policy import Policy, load_policy
from marginproof.risk.snapshot import build_snapshot

GENESIS = 1_700_000_000
HOME, SECOND = "eip155:31337", "eip155:31338"
TOKEN = b"\x11" * 20
ETH, USDC, CASH, PERP = range(4)
LOT = 10**6
PRICES = {"price:ETH": 2_000 * 10**8, "price:USDC": 10**8}
KEYS = tuple(core.SigningKey.from_bytes(bytes(31) + bytes([number])) for number in (7, 8, 9))
VENUE_KEY: LocalAccount = EthereumAccount.from_key(b"\x51" * 32)
VENUE = bytes.fromhex(VENUE_KEY.address[2:])
OTHER_KEY: LocalAccount = EthereumAccount.from_key(b"\x52" * 32)
OTHER_VENUE = bytes.fromhex(OTHER_KEY.address[2:])
PASSWORD = "correct horse battery"
POLICY = load_policy(packaged_policy())
FULL_POLICY = load_policy(packaged_policy() + f'\nrecognition:\n  full: ["0x{OTHER_VENUE.hex()}"]\n'.encode())
ENTROPY_SEED = b"\x42" * 32


def universe(token: bytes = TOKEN) -> Universe:
    feeds = tuple(Feed(HOME, bytes([number]) * 20) for number in (1, 2, 3))
    points = tuple(PricePoint(point, PointKind.PRICE, feeds, 2, 60, 200) for point in sorted(PRICES))
    entries = (
        Entry(ETH, f"{HOME}/slip44:60", EntryKind.COLLATERAL, 6, 10**13, "price:ETH", HOME, bytes(20), 18, 0, 0, ""),
        Entry(USDC, "usdc", EntryKind.COLLATERAL, 6, 10**13, "price:USDC", HOME, token, 6, 0, 0, ""),
        Entry(CASH, "USD", EntryKind.CASH, 6, 10**13, "", "", bytes(20), 0, 0, 0, ""),
        Entry(PERP, "ETH-PERP", EntryKind.PERPETUAL, 6, 10**13, "price:ETH", "", bytes(20), 0, 0, 0, ""),
    )
    return Universe(1, 1, 256, points, entries).checked()


def network_file(
    *,
    relayers: Sequence[tuple[str, str]] = (("127.0.0.1:1", ""),) * 3,
    venue: tuple[str, str] = ("127.0.0.1:1", ""),
    other: tuple[str, str] | None = None,
    vault: bytes = b"\x33" * 20,
    code_hash: bytes = b"\x44" * 32,
    registry: bytes = b"\x99" * 20,
    token: bytes = TOKEN,
    genesis: int = GENESIS,
    **changes: Any,
) -> NetworkFile:
    """A network; ``relayers``, ``venue`` and ``other`` are targets and pinned certificates, ``changes`` delays."""
    signer_set = signer_set_of(tuple(key.public_key for key in KEYS), 2)
    delays = {
        "genesis_time": genesis,
        "epoch_seconds": 300,
        "price_seconds": 30,
        "certificate_seconds": 7_200,
        "notice_seconds": 172_800,
        "claim_seconds": 86_400,
        "policy_delay_seconds": 60,
        "clock_skew_seconds": 60,
        "snapshot_seconds": 120,
        "proof_interval_seconds": 3_600,
        "grace_seconds": 600,
        "price_band_bps": 50,
        "threshold": 2,
    }
    vaults = (VaultPin(HOME, vault, code_hash), VaultPin(SECOND, vault, code_hash))
    configuration = Configuration(**(delays | changes), signer_set_digest=signer_set.root(), vaults=vaults)
    endpoints = (
        RelayerEndpoint(index, key.public_key, key.prove_possession(), *relayers[index])
        for index, key in enumerate(KEYS)
    )
    return NetworkFile(
        network=Network(HOME, registry, 256, configuration.root()),
        configuration=configuration,
        universe=universe(token),
        signer_set=signer_set,
        relayers=tuple(endpoints),
        venues=(VenueEndpoint(VENUE, *venue), *((VenueEndpoint(OTHER_VENUE, *other),) if other else ())),
        development=True,
    )


def entropy(length: int) -> bytes:
    """Fixed randomness: the same account in every run."""
    return hashlib.shake_256(ENTROPY_SEED).digest(length)


def make_account(directory: Path, network: NetworkFile, **options: Any) -> Account:
    defaults: dict[str, Any] = {"venues": [VENUE], "entropy": entropy, "insecure_fast": True}
    Account.create(directory, network, PASSWORD, **(defaults | options))
    return Account.open(directory, network, PASSWORD)


def certify(
    network: NetworkFile, leaf: Leaf, *, epoch: int, reference: Reference, signers: Sequence[int] = (0, 2)
) -> tuple[IncludedLeaf, Certificate]:
    """A real certificate over this leaf and a stranger's."""
    stranger = dataclasses.replace(leaf, account=b"\xee" * 32)
    leaves = tuple(sorted((leaf, stranger), key=lambda item: item.account))
    body = certificate_body(
        network_id=network.network_id,
        chain=leaf.chain,
        epoch=epoch,
        reference=reference,
        universe_digest=network.universe.root(),
        leaves=leaves,
        signer_set=network.signer_set,
        certificate_seconds=network.configuration.certificate_seconds,
    )
    signatures = {signer: partial_signature(KEYS[signer], body) for signer in signers}
    certificate = assemble(body, network.signer_set, signatures)
    return include(leaves, leaf.account, certificate.digest), certificate


def price_report(
    network: NetworkFile, now: int, prices: Mapping[str, int] = PRICES, slot: int | None = None
) -> PriceReport:
    configuration = network.configuration
    slot = (now - configuration.genesis_time) // configuration.price_seconds if slot is None else slot
    values = tuple(PointValue(point, value) for point, value in sorted(prices.items()))
    root, signer_set = network.universe.root(), network.signer_set.root()
    return build_report(
        sign_observations(KEYS[signer], Observations(network.network_id, root, slot, now, signer_set, signer, values))
        for signer in (0, 1)
    )


def snapshot(
    network: NetworkFile,
    now: int,
    values: Mapping[str, int] = PRICES,
    /,
    key: LocalAccount = VENUE_KEY,
    policy: Policy = POLICY,
    full: Sequence[bytes] = (),
    **changes: Any,
) -> SignedSnapshot:
    configuration = network.configuration
    made = build_snapshot(
        policy,
        network.universe,
        network_id=network.network_id,
        venue=bytes.fromhex(key.address[2:]),
        price_slot=(now - configuration.genesis_time) // configuration.price_seconds,
        values=values,
        created_at=now,
        expires_at=now + configuration.snapshot_seconds,
        full_recognition=full,
    )
    made = dataclasses.replace(made, **changes)
    return SignedSnapshot(made, sign_typed(key, snapshot_message(made)))


def values_of(vector: Mapping[int, int]) -> tuple[VectorValue, ...]:
    return tuple(VectorValue(index, lots) for index, lots in sorted(vector.items()) if lots)


def book(
    network: NetworkFile, account: bytes, values: Mapping[int, int], sequence: int = 1, venue: bytes = VENUE
) -> Book:
    return Book(venue, account, network.universe.root(), sequence, values_of(values))


def pledge(network: NetworkFile, of: Book, line: int = 0, number: int = 1, **changes: Any) -> PledgeOpening:
    """What an honest venue proposes of this book; ``number`` draws other blinding."""
    vector = pledge_vector(network.universe, of.vector(), line)
    blinding = core.reduce_blinding(hashlib.sha512(of.venue + bytes([number])).digest())
    made = PledgeOpening(
        venue=of.venue,
        account=of.account,
        universe_digest=of.universe_digest,
        universe_version=network.universe.version,
        book_sequence=of.sequence,
        line=line,
        purpose=Purpose.INITIAL if line else Purpose.MAINTENANCE,
        proposed_at=GENESIS,
        values=values_of(vector),
        blinding=blinding,
        commitment=core.commit(network.network.n, vector, blinding),
    )
    return dataclasses.replace(made, **changes)
