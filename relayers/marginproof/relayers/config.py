"""The configuration file of a relayer node."""

import dataclasses
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from marginproof.model.accounts import MAX_LOCKS
from marginproof.model.chains import parse_chain
from marginproof.model.documents import parse_document, read_file
from marginproof.model.errors import ConfigurationError, MalformedError

API_VERSION: Final = "marginproof/relayer/v1"
_WHAT: Final = "the relayer's configuration"


@dataclasses.dataclass(frozen=True, slots=True)
class ChainEndpoints:
    """How one chain is read. ``required`` raises the number of equal answers above two thirds; None leaves it."""

    urls: tuple[str, ...] = dataclasses.field(repr=False)
    required: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RelayerConfig:
    """Everything that a relayer node is told; paths are absolute, times are seconds.

    ``network_id`` pins the network file: with it, a file that adds up to another network is refused.
    ``keep_days`` is how long leaf lists, certificates, observations and price reports are kept.
    """

    network: Path
    keystore: Path
    password_file: Path | None
    database: Path
    tls_directory: Path
    evidence_directory: Path
    listen: str
    endpoints: dict[str, ChainEndpoints]
    network_id: bytes | None = None
    request_timeout_seconds: float = 5.0
    max_accounts: int = 1000
    max_locks_per_account: int = 16
    keep_days: int = 30
    requests_per_second: int = 200
    registrations_per_second: int = 20
    registry_reads_per_second: int = 50


class _Chain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: list[Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2048)]] = Field(min_length=1, max_length=16)
    required: int | None = Field(default=None, ge=1)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    api_version: Literal["marginproof/relayer/v1"] = Field(alias="apiVersion")
    network: Path
    network_id: str | None = Field(default=None, pattern=r"^0x[0-9a-f]{64}$")
    keystore: Path
    password_file: Path | None = None
    database: Path
    tls_directory: Path
    evidence_directory: Path
    listen: str = Field(pattern=r"^\S+:\d{1,5}$")
    endpoints: dict[str, _Chain] = Field(min_length=1)
    request_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    max_accounts: int = Field(default=1000, ge=1, le=5000)
    max_locks_per_account: int = Field(default=16, ge=1, le=MAX_LOCKS)
    keep_days: int = Field(default=30, ge=1, le=3650)
    requests_per_second: int = Field(default=200, ge=1)
    registrations_per_second: int = Field(default=20, ge=1)
    registry_reads_per_second: int = Field(default=50, ge=1)


def load_config(path: Path) -> RelayerConfig:
    """Reads a configuration file; relative paths in it start at its own folder.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE or CONFIG_INVALID with the place of the fault.
    """
    return parse_config(read_file(path, _WHAT, "name it with --config"), path.resolve().parent)


def parse_config(data: bytes, folder: Path) -> RelayerConfig:
    """Checks the bytes of a configuration file; see :func:`load_config`."""
    document = parse_document(_Document, data, _WHAT)
    try:
        chains = {
            parse_chain(chain): ChainEndpoints(tuple(c.urls), c.required) for chain, c in document.endpoints.items()
        }
    except MalformedError as error:
        raise ConfigurationError(f"{_WHAT}, endpoints: {error.message}", fix=error.fix) from error
    password_file = folder / document.password_file if document.password_file else None
    return RelayerConfig(
        network=folder / document.network,
        keystore=folder / document.keystore,
        password_file=password_file,
        database=folder / document.database,
        tls_directory=folder / document.tls_directory,
        evidence_directory=folder / document.evidence_directory,
        listen=document.listen,
        endpoints=chains,
        network_id=bytes.fromhex(document.network_id[2:]) if document.network_id else None,
        request_timeout_seconds=document.request_timeout_seconds,
        max_accounts=document.max_accounts,
        max_locks_per_account=document.max_locks_per_account,
        keep_days=document.keep_days,
        requests_per_second=document.requests_per_second,
        registrations_per_second=document.registrations_per_second,
        registry_reads_per_second=document.registry_reads_per_second,
    )
