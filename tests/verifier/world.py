"""A small real world for the venue's tests: real keys, certificates, rows and proofs; only the chains are left out."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from marginproof import core
from marginproof.attestation.certificates import assemble, certificate_body, partial_signature
from marginproof.attestation.leaves import include
from marginproof.attestation.observations import sign_observations
from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.devnet import development_account
from marginproof.model.accounts import AccountIdentity, Payee, payee_branch, payees_root
from marginproof.model.certificates import Certificate, IncludedLeaf, Leaf, LeafList, Reference
from marginproof.model.margin import Presentation, ProofContext, Purpose, SignedSnapshot
from marginproof.model.network import Configuration, Network, VaultPin
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, VenueEndpoint, signer_set_of
from marginproof.model.pledges import (
    NO_COMMITMENT,
    NO_KEY,
    Book,
    PledgeConsent,
    PledgeOpening,
    PledgeStep,
    RegistryRecord,
    StandingPledge,
    VectorValue,
)
from marginproof.model.prices import Observations, PointValue, PriceReport
from marginproof.model.typed_data import pledge_message
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from marginproof.oracles.report import build_report
from marginproof.risk.packaged import packaged_policy
from marginproof.risk.policy import Policy, load_policy
from marginproof.risk.recognition import Recognition, recognition_of
from marginproof.risk.snapshot import SnapshotRows
from marginproof.verifier.facts import AccountFacts, NewestLeaf, PledgeFacts, SnapshotFacts, VenueView
from marginproof.verifier.proposals import propose
from marginproof.verifier.setting import VenueSetting
from marginproof.verifier.snapshots import make_snapshot

NOW = 1_790_000_000
GENESIS = NOW - 100_000
SLOT_SECONDS = 2
HOME, OTHER = "eip155:31337", "eip155:31338"
NATIVE, TOKEN = bytes(20), b"\x11" * 20
ETH, USDC, CASH, PERP, CALL = range(5)
LOT = 10**6
EPOCH = (NOW - GENESIS) // 300 - 1
PRICES = {"price:ETH": 2_000 * 10**8, "price:USDC": 10**8, "volatility:ETH": 70_000_000}
COLLATERAL: Mapping[str, Mapping[int, int]] = {HOME: {ETH: 10 * LOT}, OTHER: {USDC: 30_000 * LOT}}
BOOK: Mapping[int, int] = {CASH: 10_500 * LOT, PERP: -5 * LOT, CALL: -2 * LOT}
LINE = 1_000 * LOT
OTHER_BOOK: Mapping[int, int] = {CASH: -2_000 * LOT, PERP: LOT}
"""What the account has pledged at the other venue."""
KEYS = tuple(core.SigningKey.from_bytes(bytes(31) + bytes([number])) for number in (7, 8, 9))
VENUE_KEY: LocalAccount = Account.from_key(b"\x51" * 32)
OWNER_KEY: LocalAccount = Account.from_key(b"\x52" * 32)
STRANGER_KEY: LocalAccount = Account.from_key(b"\x53" * 32)
VENUE = bytes.fromhex(VENUE_KEY.address[2:])
OTHER_VENUE = b"\x77" * 20
DEPLOYER = development_account(0)
REGISTRY = bytes(keccak(b"\xd6\x94" + bytes.fromhex(DEPLOYER.address[2:]) + b"\x80")[12:])
"""Where the deployer's first contract lies: the tests with a chain deploy the registry there."""
PAYEES = (Payee(OTHER_VENUE, b"\x01" * 32), Payee(VENUE, b"\x02" * 32))


@dataclasses.dataclass
class FakeClock:
    """UTC seconds that a test sets."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


def universe() -> Universe:
    feeds = tuple(Feed(HOME, bytes([number]) * 20) for number in (1, 2, 3))
    points = tuple(
        PricePoint(point, PointKind.VOLATILITY if point.startswith("vol") else PointKind.PRICE, feeds, 2, 60, 200)
        for point in sorted(PRICES)
    )
    entries = (
        _entry(ETH, f"{HOME}/slip44:60", EntryKind.COLLATERAL, "price:ETH", chain=HOME, decimals=18),
        _entry(USDC, f"{OTHER}/erc20:0x{TOKEN.hex()}", EntryKind.COLLATERAL, "price:USDC", OTHER, TOKEN, 6),
        _entry(CASH, "USD", EntryKind.CASH, ""),
        _entry(PERP, "ETH-PERP", EntryKind.PERPETUAL, "price:ETH"),
        dataclasses.replace(
            _entry(CALL, "ETH-C-2500", EntryKind.CALL, "price:ETH"),
            strike=2_500 * 10**8,
            expiry=NOW + 30 * 86_400,
            volatility_point="volatility:ETH",
        ),
    )
    return Universe(1, 1, 256, points, entries).checked()


def _entry(
    index: int, name: str, kind: EntryKind, point: str, chain: str = "", token: bytes = NATIVE, decimals: int = 0
) -> Entry:
    return Entry(index, name, kind, 6, 10**13, point, chain, token, decimals, 0, 0, "")


def network_file(relayers: Sequence[tuple[str, str]] = (("localhost:1", ""),) * 3) -> NetworkFile:
    """The network; ``relayers`` are targets and certificates."""
    keys = tuple(key.public_key for key in KEYS)
    signer_set = signer_set_of(keys, 2)
    vaults = tuple(VaultPin(chain, b"\x33" * 20, b"\x44" * 32) for chain in (HOME, OTHER))
    configuration = Configuration(
        genesis_time=GENESIS,
        epoch_seconds=300,
        price_seconds=SLOT_SECONDS,
        certificate_seconds=7_200,
        notice_seconds=172_800,
        claim_seconds=86_400,
        policy_delay_seconds=86_400,
        clock_skew_seconds=60,
        snapshot_seconds=120,
        proof_interval_seconds=3_600,
        grace_seconds=600,
        price_band_bps=50,
        threshold=2,
        signer_set_digest=signer_set.root(),
        vaults=vaults,
    )
    return NetworkFile(
        network=Network(HOME, REGISTRY, 256, configuration.root()),
        configuration=configuration,
        universe=universe(),
        signer_set=signer_set,
        relayers=tuple(
            RelayerEndpoint(index, key.public_key, key.prove_possession(), *relayers[index])
            for index, key in enumerate(KEYS)
        ),
        venues=(VenueEndpoint(VENUE, "localhost:2", ""), VenueEndpoint(OTHER_VENUE, "localhost:3", "")),
        development=True,
    )


FILE = network_file()
NETWORK_ID = FILE.network_id
IDENTITY = AccountIdentity(HOME, REGISTRY, bytes.fromhex(OWNER_KEY.address[2:]), 0)
ACCOUNT = IDENTITY.root()
SETTING = VenueSetting.of(FILE, VENUE_KEY, clock=FakeClock())


def blinding(*parts: object) -> bytes:
    """A fixed blinding for named use in a test: never secret, never random."""
    return core.reduce_blinding(hashlib.sha512(repr(parts).encode()).digest())


def price_report(slot: int | None = None, prices: Mapping[str, int] = PRICES, observers: int = 2) -> PriceReport:
    """What ``observers`` relayers saw in a slot; the slot of NOW when none is named."""
    slot = (NOW - GENESIS) // SLOT_SECONDS if slot is None else slot
    seen = tuple(PointValue(point, value) for point, value in sorted(prices.items()))
    return build_report(
        sign_observations(
            KEYS[signer],
            Observations(
                NETWORK_ID,
                FILE.universe.root(),
                slot,
                GENESIS + slot * SLOT_SECONDS,
                FILE.signer_set.root(),
                signer,
                seen,
            ),
        )
        for signer in range(observers)
    )


def policy() -> Policy:
    return load_policy(packaged_policy())


@dataclasses.dataclass(frozen=True)
class CertifiedLeaf:
    """An account's leaf under a certificate, with the secret opening of its commitment."""

    included: IncludedLeaf
    certificate: Certificate
    opening: core.Opening


def certify(chain: str, *, epoch: int = EPOCH, signers: Sequence[int] = (0, 2), **changes: Any) -> CertifiedLeaf:
    """Certifies the account's collateral on a chain beside another account's.

    ``changes`` may replace ``account``, ``payees`` (root), ``universe_digest``, ``certificate_seconds`` and
    ``reference_time``.
    """
    opening = core.Opening(256, dict(COLLATERAL[chain]), blinding(chain, epoch))
    own = Leaf(
        changes.get("account", ACCOUNT),
        chain,
        b"\x05" * 32,
        changes.get("payees", payees_root(PAYEES)),
        opening.commitment(),
    )
    stranger = dataclasses.replace(own, account=b"\xee" * 32)
    leaves = tuple(sorted((own, stranger), key=lambda leaf: leaf.account))
    body = certificate_body(
        network_id=NETWORK_ID,
        chain=chain,
        epoch=epoch,
        reference=Reference(100 + epoch, b"\x06" * 32, changes.get("reference_time", NOW - 200)),
        universe_digest=changes.get("universe_digest", FILE.universe.root()),
        leaves=leaves,
        signer_set=FILE.signer_set,
        certificate_seconds=changes.get("certificate_seconds", 7_200),
    )
    certificate = assemble(body, FILE.signer_set, {signer: partial_signature(KEYS[signer], body) for signer in signers})
    return CertifiedLeaf(include(leaves, own.account, certificate.digest), certificate, opening)


def leaf_list(leaf: CertifiedLeaf) -> LeafList:
    """Both leaves under the certificate of :func:`certify`."""
    own = leaf.included.leaf
    stranger = dataclasses.replace(own, account=b"\xee" * 32)
    return LeafList(tuple(sorted((own, stranger), key=lambda item: item.account)))


def book_of(values: Mapping[int, int] = BOOK, sequence: int = 1, account: bytes = ACCOUNT) -> Book:
    entries = tuple(VectorValue(index, lots) for index, lots in sorted(values.items()))
    return Book(VENUE, account, FILE.universe.root(), sequence, entries)


def pledge_of(
    name: str, *, line: int = LINE, purpose: Purpose = Purpose.INITIAL, book: Book | None = None
) -> PledgeOpening:
    """A pledge of this venue; the same name draws the same blinding."""
    book = book_of() if book is None else book
    return propose(
        FILE.universe,
        book,
        line=line,
        purpose=purpose,
        now=NOW,
        draw_blinding=lambda _vector: blinding("pledge", name),
    )


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """A pledge at another venue that the account can open."""

    venue: bytes
    values: Mapping[int, int]
    opening: core.Opening

    @classmethod
    def make(cls, venue: bytes = OTHER_VENUE, values: Mapping[int, int] = OTHER_BOOK) -> "Elsewhere":
        return cls(venue, values, core.Opening(256, dict(values), blinding("elsewhere", venue)))

    def standing(self, version: int = 1) -> StandingPledge:
        return StandingPledge(self.venue, self.opening.commitment(), version, 0)


def record_of(
    pledge: PledgeOpening | None, elsewhere: Sequence[Elsewhere] = (), digest: bytes = b"\xd1" * 32, **changes: Any
) -> RegistryRecord:
    """What the registry has of the account; ``changes`` replace fields of this venue's own pledge."""
    found = [other.standing() for other in elsewhere]
    if pledge is not None:
        own = StandingPledge(VENUE, pledge.commitment, pledge.universe_version, 0)
        found.append(dataclasses.replace(own, **changes))
    return RegistryRecord(ACCOUNT, digest, NO_KEY, 0, tuple(sorted(found, key=lambda known: known.venue)))


_ROWS: dict[bytes, SnapshotRows] = {}


@dataclasses.dataclass(frozen=True, eq=False)
class World:
    """A venue at one moment, and an account that can prove to it.

    One pledge of this venue stands and another is proposed; the account has a pledge at one other venue.
    """

    snapshot: SignedSnapshot
    report: PriceReport
    policy: Policy
    leaves: tuple[CertifiedLeaf, ...]
    book: Book
    pledge: PledgeOpening | None
    proposal: PledgeOpening | None
    elsewhere: tuple[Elsewhere, ...]
    record: RegistryRecord

    @classmethod
    def make(cls) -> "World":
        report, rules = price_report(), policy()
        pledge, elsewhere = pledge_of("standing"), (Elsewhere.make(),)
        return cls(
            snapshot=make_snapshot(SETTING, rules, report, NOW),
            report=report,
            policy=rules,
            leaves=(certify(HOME), certify(OTHER)),
            book=book_of(),
            pledge=pledge,
            proposal=pledge_of("proposed", line=2 * LINE),
            elsewhere=elsewhere,
            record=record_of(pledge, elsewhere),
        )

    @property
    def rows(self) -> SnapshotRows:
        if self.snapshot.digest not in _ROWS:
            _ROWS[self.snapshot.digest] = SnapshotRows(self.policy, FILE.universe, self.snapshot.snapshot)
        return _ROWS[self.snapshot.digest]

    def recognitions(self) -> tuple[Recognition, ...]:
        return tuple(recognition_of(self.snapshot.snapshot, other.venue) for other in self.elsewhere)

    def statement(self, purpose: Purpose) -> core.Statement:
        return self.rows.compile(purpose, self.recognitions()).statement

    def context(self, leaves: Sequence[CertifiedLeaf] | None = None, **changes: Any) -> ProofContext:
        """The context of a valid proof, with any field replaced."""
        chosen = self.leaves if leaves is None else leaves
        context = ProofContext(
            network=NETWORK_ID,
            venue=VENUE,
            account=self.record.account,
            purpose=Purpose.MAINTENANCE,
            registry_digest=self.record.digest,
            new_pledge=NO_COMMITMENT,
            snapshot_digest=self.snapshot.digest,
            certificates=tuple(sorted(leaf.certificate.digest for leaf in chosen)),
        )
        return dataclasses.replace(context, **changes)

    def consent(self, pledged: bytes, *, key: LocalAccount = OWNER_KEY, **changes: Any) -> PledgeConsent:
        """The account's signature to a pledge of this venue; ``changes`` replace fields of the step that is signed."""
        step = PledgeStep(self.record.digest, VENUE, pledged, FILE.universe.version)
        message = pledge_message(NETWORK_ID, self.record.account, dataclasses.replace(step, **changes))
        return PledgeConsent(IDENTITY.owner, IDENTITY.index, sign_typed(key, message))

    def present(
        self, leaves: Sequence[CertifiedLeaf] | None = None, pledge: PledgeOpening | None = None, **changes: Any
    ) -> Presentation:
        """A presentation whose proof holds for its context; ``changes`` replace the context's fields.

        ``pledge`` is a new one, else the proof is about the standing one.
        """
        chosen = self.leaves if leaves is None else leaves
        if pledge is not None:
            changes = {"new_pledge": pledge.commitment, **changes}
        context, about = self.context(chosen, **changes), pledge or self.pledge
        assert about is not None
        purpose = Purpose(context.purpose) if context.purpose in set(Purpose) else Purpose.MAINTENANCE
        compiled = self.rows.compile(purpose, self.recognitions())
        openings = [
            self.collateral(chosen),
            core.Opening(256, about.vector(), about.blinding),
            *(other.opening for other in self.elsewhere),
        ]
        auxiliary = compiled.auxiliary([other.values for other in self.elsewhere])
        if auxiliary is not None:
            openings.append(core.Opening(256, auxiliary, core.random_blinding(auxiliary)))
        return Presentation(
            version=1,
            context=context,
            consent=() if pledge is None else (self.consent(pledge.commitment),),
            leaves=tuple(leaf.included for leaf in chosen),
            payee_salt=PAYEES[1].salt,
            payee_index=1,
            payee_branch=payee_branch(PAYEES, 1),
            proof=core.prove(compiled.statement, openings, context.root()),
        )

    def collateral(self, leaves: Sequence[CertifiedLeaf]) -> core.Opening:
        """The sum of the chains' commitments, opened."""
        collateral: dict[int, int] = {}
        for leaf in leaves:
            for index, lots in COLLATERAL[leaf.included.leaf.chain].items():
                collateral[index] = collateral.get(index, 0) + lots
        blindings = [blinding(leaf.certificate.body.chain, leaf.certificate.body.epoch) for leaf in leaves]
        return core.Opening(256, collateral, core.add_blindings(blindings))

    def account(self, **changes: Any) -> AccountFacts:
        """What the venue knows of the account, with any fact replaced."""
        facts = AccountFacts(
            record=self.record,
            authorised=True,
            book=self.book.vector(),
            proposal=None if self.proposal is None else PledgeFacts.of(self.proposal),
            pending=False,
            standing=None if self.pledge is None else PledgeFacts.of(self.pledge),
        )
        return dataclasses.replace(facts, **changes)

    def view(self, leaves: Sequence[CertifiedLeaf] | None = None, **changes: Any) -> VenueView:
        """What the venue knows when it accepts the valid presentation, with any fact replaced."""
        chosen = self.leaves if leaves is None else leaves
        view = VenueView(
            network=FILE.network,
            venue=VENUE,
            universe_digest=FILE.universe.root(),
            compatible_since=FILE.universe.compatible_since,
            now=NOW,
            policies={self.policy.digest: NOW - 1},
            snapshots={self.snapshot.digest: SnapshotFacts(self.snapshot.snapshot, self.rows)},
            certificates={leaf.certificate.digest: leaf.certificate for leaf in chosen},
            newest_leaves={leaf.included.leaf.chain: NewestLeaf(EPOCH, NOW - 100) for leaf in chosen},
            certificate_grace_seconds=60,
            accounts={self.record.account: self.account()},
            decided_before=False,
        )
        return dataclasses.replace(view, **changes)
