"""The venue daemon's configuration file: YAML, strict, every path relative to the file."""

import dataclasses
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from marginproof.model.documents import parse_document, read_file

API_VERSION: Final = "marginproof/venue/v1"
_WHAT: Final = "the venue's configuration"
_ADDRESS: Final = r"^[^\s/]+:\d{1,5}$"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    api_version: Literal["marginproof/venue/v1"] = Field(alias="apiVersion")
    network: str
    keystore: str
    password_file: str | None = None
    database: str
    policies: list[str] = Field(min_length=1, max_length=16)
    listen: str = Field(pattern=_ADDRESS)
    book_listen: str = Field(pattern=_ADDRESS)
    book_token_file: str
    tls_directory: str
    home_endpoints: list[str] = Field(min_length=1, max_length=16)
    metrics_listen: str | None = Field(default=None, pattern=_ADDRESS)
    certificate_grace_seconds: int | None = Field(default=None, ge=0, le=3600)
    relayer_timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    presentations_per_second: int = Field(default=50, ge=1)
    swap_fee_cap_gwei: int = Field(default=500, ge=1, le=1_000_000)


@dataclasses.dataclass(frozen=True, slots=True)
class VenueConfig:
    """One venue daemon's settings.

    Args:
        network: The network file.
        keystore: The venue's Ethereum keystore.
        password_file: File with its password; None for the environment variable.
        database: SQLite file; made when absent.
        policies: The venue's policy files; of those that hold by the registry, the one announced last is in force.
        listen: host:port of the verifier service, for accounts and auditors.
        book_listen: host:port of the book service, for the venue's own matching engine.
        book_token_file: File with the bearer token of the book service.
        tls_directory: Where the TLS identity is kept.
        home_endpoints: HTTP addresses of the home chain's endpoints; three or more outside development.
        metrics_listen: host:port for Prometheus; None for none.
        certificate_grace_seconds: How long the leaf before the newest still serves; None for min(60, an epoch).
        relayer_timeout_seconds: Longest wait for one relayer's answer.
        presentations_per_second: How many one address may submit on average; twice that at once.
        swap_fee_cap_gwei: The most that a pledge's transaction ever offers, in 10^-9 coins for each unit of gas.
    """

    network: Path
    keystore: Path
    password_file: Path | None
    database: Path
    policies: tuple[Path, ...]
    listen: str
    book_listen: str
    book_token_file: Path
    tls_directory: Path
    home_endpoints: tuple[str, ...] = dataclasses.field(repr=False)
    metrics_listen: str | None = None
    certificate_grace_seconds: int | None = None
    relayer_timeout_seconds: float = 2.0
    presentations_per_second: int = 50
    swap_fee_cap_gwei: int = 500


def load_config(path: Path) -> VenueConfig:
    """Reads a configuration file.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE, or CONFIG_INVALID with the place of the fault.
    """
    return parse_config(read_file(path, _WHAT, "name it with --config"), path.parent)


def parse_config(data: bytes, base: Path) -> VenueConfig:
    """Checks the bytes of a configuration file.

    Args:
        data: YAML.
        base: Folder that relative paths start from.

    Raises:
        ConfigurationError: TOO_LARGE, CONFIG_INVALID.
    """
    document = parse_document(_Document, data, _WHAT)
    values: dict[str, Any] = document.model_dump(exclude={"api_version", "policies", "home_endpoints"})
    for name in ("network", "keystore", "password_file", "database", "book_token_file", "tls_directory"):
        values[name] = None if values[name] is None else base / values[name]
    return VenueConfig(
        **values,
        policies=tuple(base / name for name in document.policies),
        home_endpoints=tuple(document.home_endpoints),
    )
