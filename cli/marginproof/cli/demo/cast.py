"""Who plays: folders, keys, addresses and TLS identities, made before the network file names them."""

import dataclasses
import secrets
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount

from marginproof import core
from marginproof.chains.evm.devnet import free_port
from marginproof.model.network_file import RelayerEndpoint, VenueEndpoint
from marginproof.node.tls import ServerIdentity
from marginproof.relayers.keys import create_keystore as create_relayer_keystore
from marginproof.verifier.keys import create_keystore as create_venue_keystore
from marginproof.verifier.keys import load_keystore as load_venue_keystore

RELAYER_COUNT: Final = 3
_LOOPBACK: Final = "127.0.0.1"


@dataclasses.dataclass(frozen=True, slots=True)
class Seat:
    """A server's folder, address and TLS identity."""

    name: str
    directory: Path
    target: str
    identity: ServerIdentity


@dataclasses.dataclass(frozen=True, slots=True)
class VenueSeat:
    """A venue's seat with its key and the addresses that only it uses; the key announces, agrees and pays gas."""

    seat: Seat
    endpoint: VenueEndpoint
    book_target: str
    metrics_target: str
    book_token: str = dataclasses.field(repr=False)
    key: LocalAccount = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, and the demo's one password."""

    relayers: tuple[Seat, ...]
    relayer_endpoints: tuple[RelayerEndpoint, ...]
    venues: tuple[VenueSeat, ...]
    agent_metrics_target: str
    password_path: Path
    password: str = dataclasses.field(repr=False)


def make_cast(directory: Path, venue_names: tuple[str, ...]) -> Cast:
    """Makes every key and folder.

    Args:
        directory: Where; empty.
        venue_names: Folder and log names of the venues.
    """
    password_path = directory / "password"
    password = _write_secret(password_path)
    seats = tuple(_seat(directory, f"relayer-{number}") for number in range(RELAYER_COUNT))
    return Cast(
        relayers=seats,
        relayer_endpoints=tuple(_relayer_endpoint(seat, index, password) for index, seat in enumerate(seats)),
        venues=tuple(_venue(_seat(directory, name), password) for name in venue_names),
        agent_metrics_target=_free_target(),
        password_path=password_path,
        password=password,
    )


def _seat(directory: Path, name: str) -> Seat:
    own = directory / name
    own.mkdir(mode=0o700)
    return Seat(name, own, _free_target(), ServerIdentity.load_or_create(own / "tls"))


def _venue(seat: Seat, password: str) -> VenueSeat:
    keystore = seat.directory / "keystore.json"
    address = create_venue_keystore(keystore, password, insecure_fast=True)
    return VenueSeat(
        seat=seat,
        endpoint=VenueEndpoint(address, seat.target, seat.identity.certificate_pem),
        book_target=_free_target(),
        metrics_target=_free_target(),
        book_token=_write_secret(seat.directory / "book-token"),
        key=load_venue_keystore(keystore, password),
    )


def _relayer_endpoint(seat: Seat, index: int, password: str) -> RelayerEndpoint:
    key = core.SigningKey.generate()
    create_relayer_keystore(seat.directory / "keystore.json", key, password, insecure_fast=True)
    return RelayerEndpoint(index, key.public_key, key.prove_possession(), seat.target, seat.identity.certificate_pem)


def _free_target() -> str:
    return f"{_LOOPBACK}:{free_port((_LOOPBACK,))}"


def _write_secret(path: Path) -> str:
    secret = secrets.token_urlsafe(24)
    path.touch(mode=0o600)
    path.write_text(secret + "\n")
    return secret
