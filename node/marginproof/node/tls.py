"""Self-signed TLS identities that the network file pins: no certificate authority is trusted."""

import dataclasses
import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from marginproof.client.transport.channel import SERVER_NAME
from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

_VALID_DAYS: Final = 3650


@dataclasses.dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A server's certificate and private key (PEM)."""

    certificate_pem: str
    private_key_pem: str = dataclasses.field(repr=False)

    @classmethod
    def load_or_create(cls, directory: Path, hosts: Sequence[str] = ("127.0.0.1", "localhost")) -> Self:
        """Reads ``certificate.pem`` and ``key.pem`` of the directory, or makes them (key readable by its owner only).

        Raises:
            ConfigurationError: FILE_UNREADABLE: the files are there but cannot be read, or cannot be written.
        """
        certificate_path, key_path = directory / "certificate.pem", directory / "key.pem"
        try:
            if key_path.exists():
                return cls(certificate_path.read_text(), key_path.read_text())
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            identity = cls._create(hosts)
            certificate_path.write_text(identity.certificate_pem)
            descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(identity.private_key_pem)
            return identity
        except OSError as error:
            raise ConfigurationError(
                "cannot read or write the TLS identity",
                code=ReasonCode.FILE_UNREADABLE,
                fix="check the folder named by tls_directory and its owner",
            ) from error

    @classmethod
    def _create(cls, hosts: Sequence[str]) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=_VALID_DAYS))
            .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in (SERVER_NAME, *hosts)]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
