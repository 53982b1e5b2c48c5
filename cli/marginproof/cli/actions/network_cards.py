"""Cards: what a relayer or a venue hands to whoever makes the network file. Public, all of it."""

from pathlib import Path
from typing import Any

import yaml

from marginproof.cli.output import Result
from marginproof.cli.passwords import read_password
from marginproof.model.documents import StrictDocument, parse_document
from marginproof.model.errors import ConfigurationError
from marginproof.model.network_file import RelayerCard, VenueCard
from marginproof.model.reasons import ReasonCode
from marginproof.node.tls import ServerIdentity
from marginproof.relayers.keys import load_keystore as load_relayer_keystore
from marginproof.verifier.keys import load_keystore as load_venue_keystore


def relayer(keystore: Path, password_file: Path | None, tls_directory: Path, target: str, out: Path) -> Result:
    """Writes a relayer's card: public key, proof of possession, target and TLS certificate."""
    key = load_relayer_keystore(keystore, read_password(password_file))
    identity = {"public_key": "0x" + key.public_key.hex(), "possession": "0x" + key.prove_possession().hex()}
    return _write("network-card-relayer", RelayerCard, identity, tls_directory, target, out)


def venue(keystore: Path, password_file: Path | None, tls_directory: Path, target: str, out: Path) -> Result:
    """Writes a venue's card: address, target and TLS certificate."""
    key = load_venue_keystore(keystore, read_password(password_file))
    return _write("network-card-venue", VenueCard, {"address": key.address.lower()}, tls_directory, target, out)


def _write(
    name: str, kind: type[StrictDocument], identity: dict[str, str], tls_directory: Path, target: str, out: Path
) -> Result:
    """The TLS identity is made where there is none; the card itself must be new."""
    host = target.rpartition(":")[0]
    certificate = ServerIdentity.load_or_create(tls_directory, (host, "localhost")).certificate_pem
    document: dict[str, Any] = {**identity, "target": target, "certificate_pem": certificate}
    data = yaml.safe_dump(document, sort_keys=False).encode()
    parse_document(kind, data, "the card")
    try:
        with out.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write the card {out.name!r}",
            code=ReasonCode.FILE_UNREADABLE,
            fix="name a file that does not exist yet, in a folder that you may write to",
        ) from error
    shown = {"card": str(out), **identity, "target": target}
    return Result(name, shown, list(shown.items()))
