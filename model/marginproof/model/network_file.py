"""The network file: one YAML document that participants share and pin by the network id it must add up to."""

import dataclasses
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import Field

from marginproof.model.chains import evm_chain_number, format_address
from marginproof.model.documents import AddressText, HexText, StrictDocument, parse_document, read_file
from marginproof.model.errors import ConfigurationError, MarginproofError, NotFoundError
from marginproof.model.network import VECTOR_LENGTHS, Configuration, Network, Relayer, SignerSet, VaultPin
from marginproof.model.universe import Universe
from marginproof.model.universe_file import UniverseDocument, universe_document

API_VERSION: Final = "marginproof/network/v1"
MAX_FILE_BYTES: Final = 4 << 20
_WHAT: Final = "the network file"


class _Vault(StrictDocument):
    chain: str
    address: AddressText
    code_hash: HexText


class Delays(StrictDocument):
    """What a configuration says besides the threshold and what is deployed; see ``Configuration``."""

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


class _Configuration(Delays):
    threshold: int = Field(gt=0)
    vaults: list[_Vault]


class RelayerCard(StrictDocument):
    """What a network file says of one relayer."""

    public_key: HexText
    possession: HexText
    target: str = Field(pattern=r"^[^\s/]+:\d{1,5}$")
    certificate_pem: str


class VenueCard(StrictDocument):
    """What a network file says of one venue."""

    address: AddressText
    target: str = Field(pattern=r"^[^\s/]+:\d{1,5}$")
    certificate_pem: str


class _Document(StrictDocument):
    api_version: Literal["marginproof/network/v1"] = Field(alias="apiVersion")
    development: bool = False
    home_chain: str
    registry: AddressText
    n: int
    configuration: _Configuration
    universe: UniverseDocument
    relayers: list[RelayerCard]
    venues: list[VenueCard]


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
            "universe": universe_document(file.universe),
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
        universe=document.universe.universe(document.n),
        signer_set=signer_set,
        relayers=tuple(RelayerEndpoint(i, **dict(relayer)) for i, relayer in enumerate(document.relayers)),
        venues=tuple(VenueEndpoint(**dict(venue)) for venue in document.venues),
        development=document.development,
    )


def _least_notice(configuration: Configuration) -> int:
    """Collateral that a certificate shows must still be there after a margin call and the window for claims."""
    in_doubt = configuration.certificate_seconds + configuration.clock_skew_seconds
    return in_doubt + configuration.grace_seconds + configuration.claim_seconds
