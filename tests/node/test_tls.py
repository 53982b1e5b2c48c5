"""TLS identities on disk: made once, readable by their owner alone, never written through somebody else's link."""

import ipaddress
import os
from pathlib import Path

import pytest
from cryptography import x509

from marginproof.client.transport.channel import SERVER_NAME
from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.node.tls import ServerIdentity


@pytest.fixture(autouse=True)
def open_umask() -> object:
    """A process whose umask keeps nothing from others: the modes must come from the code."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_folder_and_key_are_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    ServerIdentity.load_or_create(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600


def test_an_identity_is_made_once(tmp_path: Path) -> None:
    first = ServerIdentity.load_or_create(tmp_path)
    assert ServerIdentity.load_or_create(tmp_path) == first
    assert "PRIVATE" in first.private_key_pem
    assert "PRIVATE" not in repr(first)


def test_the_certificate_names_the_server_and_its_hosts_and_signs_no_other(tmp_path: Path) -> None:
    identity = ServerIdentity.load_or_create(tmp_path, ["127.0.0.2", "relayer.test"])
    certificate = x509.load_pem_x509_certificate(identity.certificate_pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [SERVER_NAME, "relayer.test"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.2")]
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServerIdentity.load_or_create(folder)
    assert caught.value.code is ReasonCode.FILE_UNREADABLE
    assert str(folder) not in str(caught.value)


def test_a_key_is_never_written_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    folder = tmp_path / "tls"
    folder.mkdir()
    (folder / "key.pem").symlink_to(elsewhere)
    refused(folder)
    assert not elsewhere.exists()


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file")
    refused(tmp_path / "tls")


def test_a_key_without_its_certificate_is_told(tmp_path: Path) -> None:
    ServerIdentity.load_or_create(tmp_path)
    (tmp_path / "certificate.pem").unlink()
    refused(tmp_path)
