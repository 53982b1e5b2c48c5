"""The network file: one YAML document that participants share and pin by the network id it must add up to."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from marginproof.model.chains import evm_chain_number, format_address, parse_address
from marginproof.model.documents import parse_document, read_file
from marginproof.model.errors import ConfigurationError, MarginproofError, NotFoundError
from marginproof.model.network import VECTOR_LENGTHS, Configuration, Network, Relayer, SignerSet, VaultPin
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe

API_VERSION: Final = "marginproof/network/v1"
MAX_FILE_BYTES: Final = 4 << 20
_WHAT: Final = "the network file"


def _hex_bytes(value: Any) -> Any:
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def _address(value: Any) -> Any:
    return parse_address(value) if isinstance(value, str) else value


_HexBytes = Annotated[bytes, BeforeValidator(_hex_bytes), PlainSerializer(lambda value: "0x" + value.hex())]
_Address = Annotated[bytes, BeforeValidator(_address), PlainSerializer(format_address)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Vault(_Strict):
    chain: str
    address: _Address
    code_hash: _HexBytes


class _Configuration(_Strict):
    genesis_time: int = Field(ge=0)
    epoch_seconds: int = Field(gt=0)
    price_seconds: int = Field(gt=0)
    certificate_seconds: int = Field(gt=0)
    notice_seconds: int = Field(gt=0)
    claim_seconds: int = Field(gt=0)
    policy_delay_seconds: int = Field(ge=0)
    clock_skew_seconds: int = Field(ge=0)
    snapshot_seconds: int = Field(gt=0)
    proof_interval_seconds: int = Field(gt=0)
    grace_seconds: int = Field(gt=0)
    price_band_bps: int = Field(ge=0, le=10_000)
    threshold: int = Field(gt=0)
    vaults: list[_Vault]


class _Feed(_Strict):
    chain: str
    address: _Address


class _Point(_Strict):
    id: str = Field(min_length=1, max_length=64)
    kind: Literal["price", "volatility"]
    feeds: list[_Feed]
    min_feeds: int = Field(ge=1)
    max_age_seconds: int = Field(gt=0)
    max_spread_bps: int = Field(ge=0)


class _Entry(_Strict):
    index: int = Field(ge=0)
    id: str = Field(min_length=1, max_length=192)
    kind: Literal["collateral", "cash", "perpetual", "call", "put"]
    lot_exponent: int = Field(ge=0, le=18)
    max_lots: int = Field(gt=0)
    price_point: str = ""
    chain: str = ""
    token: _Address = bytes(20)
    decimals: int = Field(default=0, ge=0, le=36)
    strike_e8: int = Field(default=0, ge=0)
    expiry: int = Field(default=0, ge=0)
    volatility_point: str = ""


class _Universe(_Strict):
    version: int = Field(ge=1)
    compatible_since: int = Field(ge=1)
    points: list[_Point]
    entries: list[_Entry]


class _RelayerEntry(_Strict):
    public_key: _HexBytes
    possession: _HexBytes
    target: str = Field(pattern=r"^[^\s/]+:\d{1,5}$")
    certificate_pem: str


class _VenueEntry(_Strict):
    address: _Address
    target: str = Field(pattern=r"^[^\s/]+:\d{1,5}$")
    certificate_pem: str


class _Document(_Strict):
    api_version: Literal["marginproof/network/v1"] = Field(alias="apiVersion")
    development: bool = False
    home_chain: str
    registry: _Address
    n: int
    configuration: _Configuration
    universe: _Universe
    relayers: list[_RelayerEntry]
    venues: list[_VenueEntry]


@dataclasses.dataclass(frozen=True, slots=True)
class RelayerEndpoint:
    """How to reach and recognise one relayer."""

    index: int
    public_key: bytes
    possession: bytes
    target: str
    certificate_pem: str


@dataclasses.dataclass(frozen=True, slots=True)
class VenueEndpoint:
    """How to reach and recognise one venue."""

    address: bytes
    target: str
    certificate_pem: str


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkFile:
    """Everything a participant must know of a network; ``development`` relaxes endpoint counts, nothing else."""

    network: Network
    configuration: Configuration
    universe: Universe
    signer_set: SignerSet
    relayers: tuple[RelayerEndpoint, ...]
    venues: tuple[VenueEndpoint, ...]
    development: bool

    @property
    def network_id(self) -> bytes:
        """Root of the network, 32 bytes."""
        return self.network.root()

    def venue(self, address: bytes) -> VenueEndpoint:
        """The venue with this address.

        Raises:
            NotFoundError: The network file names none.
        """
        for venue in self.venues:
            if venue.address == address:
                return venue
        raise NotFoundError(f"the network file has no venue {format_address(address)}")


def load_network_file(path: Path) -> NetworkFile:
    """Reads and checks a network file.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE or CONFIG_INVALID with the place of the fault.
    """
    return parse_network_file(read_file(path, _WHAT, "name it with --network or MARGINPROOF_NETWORK"))


def parse_network_file(data: bytes) -> NetworkFile:
    """Checks the bytes of a network file; see :func:`load_network_file`."""
    document = parse_document(_Document, data, _WHAT, MAX_FILE_BYTES)
    try:
        return _checked(document)
    except MarginproofError as error:
        raise ConfigurationError(f"{_WHAT}: {error.message}", fix=error.fix) from error


def dump_network_file(file: NetworkFile) -> bytes:
    """The YAML of a network file; reading it back gives an equal value."""
    configuration = dataclasses.asdict(file.configuration)
    del configuration["signer_set_digest"]
    document = _Document.model_validate(
        {
            "apiVersion": API_VERSION,
            "development": file.development,
            "home_chain": file.network.home_chain,
            "registry": file.network.registry,
            "n": file.network.n,
            "configuration": configuration,
            "universe": {
                "version": file.universe.version,
                "compatible_since": file.universe.compatible_since,
                "points": [_point_document(point) for point in file.universe.points],
                "entries": [_entry_document(entry) for entry in file.universe.entries],
            },
            "relayers": [
                {key: value for key, value in dataclasses.asdict(relayer).items() if key != "index"}
                for relayer in file.relayers
            ],
            "venues": [dataclasses.asdict(venue) for venue in file.venues],
        }
    )
    return yaml.safe_dump(document.model_dump(by_alias=True), sort_keys=False).encode()


def signer_set_of(keys: tuple[bytes, ...], threshold: int) -> SignerSet:
    """Signer set 0: the relayers in the order of the network file."""
    return SignerSet(0, 0, threshold, tuple(Relayer(index, key) for index, key in enumerate(keys)))


def _point_document(point: PricePoint) -> dict[str, Any]:
    return {**dataclasses.asdict(point), "kind": PointKind(point.kind).name.lower()}


def _entry_document(entry: Entry) -> dict[str, Any]:
    document = {**dataclasses.asdict(entry), "kind": EntryKind(entry.kind).name.lower()}
    document["strike_e8"] = document.pop("strike")
    return document


def _checked(document: _Document) -> NetworkFile:
    evm_chain_number(document.home_chain)
    if document.n not in VECTOR_LENGTHS:
        raise ConfigurationError(f"n must be one of {VECTOR_LENGTHS}")
    relayer_count = len(document.relayers)
    if not relayer_count < 2 * document.configuration.threshold <= 2 * relayer_count:
        raise ConfigurationError("threshold must be more than half of the relayers and at most all of them")
    if len({relayer.public_key for relayer in document.relayers}) != relayer_count:
        raise ConfigurationError("two relayers have one public key")
    signer_set = signer_set_of(tuple(r.public_key for r in document.relayers), document.configuration.threshold)
    vaults = tuple(VaultPin(v.chain, v.address, v.code_hash) for v in document.configuration.vaults)
    scalars = document.configuration.model_dump(exclude={"vaults"})
    configuration = Configuration(**scalars, signer_set_digest=signer_set.root(), vaults=vaults)
    if configuration.notice_seconds < _least_notice(configuration):
        raise ConfigurationError(
            "notice_seconds must be at least certificate_seconds + clock_skew_seconds + grace_seconds + claim_seconds"
        )
    return NetworkFile(
        network=Network(document.home_chain, document.registry, document.n, configuration.root()),
        configuration=configuration,
        universe=_universe(document),
        signer_set=signer_set,
        relayers=tuple(RelayerEndpoint(i, **dict(relayer)) for i, relayer in enumerate(document.relayers)),
        venues=tuple(VenueEndpoint(**dict(venue)) for venue in document.venues),
        development=document.development,
    )


def _least_notice(configuration: Configuration) -> int:
    """Collateral that a certificate shows must still be there after a margin call and the window for claims."""
    in_doubt = configuration.certificate_seconds + configuration.clock_skew_seconds
    return in_doubt + configuration.grace_seconds + configuration.claim_seconds


def _universe(document: _Document) -> Universe:
    points = tuple(
        PricePoint(
            id=point.id,
            kind=PointKind[point.kind.upper()],
            feeds=tuple(Feed(feed.chain, feed.address) for feed in point.feeds),
            min_feeds=point.min_feeds,
            max_age_seconds=point.max_age_seconds,
            max_spread_bps=point.max_spread_bps,
        )
        for point in document.universe.points
    )
    entries = tuple(
        Entry(
            **entry.model_dump(exclude={"kind", "strike_e8", "token"}),
            kind=EntryKind[entry.kind.upper()],
            strike=entry.strike_e8,
            token=entry.token,
        )
        for entry in document.universe.entries
    )
    universe = document.universe
    return Universe(universe.version, universe.compatible_since, document.n, points, entries).checked()
