"""The agent's configuration file: YAML, strict, every path relative to the file."""

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from marginproof.model.chains import parse_address
from marginproof.model.documents import parse_document, read_file
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.prover.agent.levels import Level, LevelRules, Threshold

API_VERSION: Final = "marginproof/agent/v1"
_WHAT: Final = "the agent's configuration"
_ADDRESS: Final = r"^[^\s/]+:\d{1,5}$"
_Decimal = Annotated[str, Field(pattern=r"^[0-9]{1,24}(\.[0-9]{1,18})?$")]
"""A plain decimal number in quotes: YAML's own numbers are floats, and amounts never are."""
_WHEN: Final = {"tight": Level.TIGHT, "critical": Level.CRITICAL}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Venue(_Strict):
    address: str
    line_limit_usd: _Decimal | None = None


class _Threshold(_Strict):
    percent: _Decimal | None = None
    usd: _Decimal | None = None

    @model_validator(mode="after")
    def _has_one(self) -> "_Threshold":
        if self.percent is None and self.usd is None:
            raise ValueError("give percent, usd or both")
        return self

    def threshold(self) -> Threshold:
        percent = None if self.percent is None else Fraction(self.percent)
        return Threshold(percent, None if self.usd is None else _cents(self.usd))


class _Prove(_Strict):
    at_share: float = Field(default=0.5, gt=0, lt=1)
    measure_seconds: int = Field(default=60, ge=1, le=86_400)


class _Headroom(_Strict):
    warn: _Threshold = _Threshold(percent="20")
    critical: _Threshold = _Threshold(percent="10")
    hysteresis_percent: int = Field(default=10, ge=0, le=100)

    @model_validator(mode="after")
    def _warns_first(self) -> "_Headroom":
        warn, critical = self.warn.threshold(), self.critical.threshold()
        pairs = ((warn.percent, critical.percent), (warn.usd_cents, critical.usd_cents))
        if any(first is not None and second is not None and first < second for first, second in pairs):
            raise ValueError("warn must not be below critical")
        return self


class _TopUp(_Strict):
    lock: int = Field(ge=0)
    asset: str = Field(min_length=1, max_length=192)
    funding_key_file: str
    step: _Decimal
    per_top_up: _Decimal
    per_day: _Decimal
    in_all: _Decimal
    least_seconds_between: int = Field(default=600, ge=0)
    when: Literal["tight", "critical"] = "critical"
    gas_reserve: _Decimal | None = None
    wait_seconds: float = Field(default=60.0, ge=1, le=3600)


class _Webhook(_Strict):
    url_file: str
    secret_file: str
    retries: int = Field(default=5, ge=0, le=20)
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)


class _Document(_Strict):
    api_version: Literal["marginproof/agent/v1"] = Field(alias="apiVersion")
    network: str
    account: str
    password_file: str | None = None
    venues: list[_Venue] = Field(min_length=1, max_length=16)
    prove: _Prove = _Prove()
    headroom: _Headroom = _Headroom()
    top_up: _TopUp | None = None
    webhook: _Webhook | None = None
    metrics_listen: str | None = Field(default=None, pattern=_ADDRESS)
    poll_seconds: float = Field(default=5.0, gt=0, le=3600)
    backoff_seconds: float = Field(default=60.0, gt=0, le=3600)
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)


@dataclasses.dataclass(frozen=True, slots=True)
class TopUpConfig:
    """How the agent may top up; amounts are decimal texts in whole units of the asset, read once the asset is known.

    Args:
        lock: The account's number of the lock that is added to.
        asset: Id of its universe entry, named again so that a wrong number cannot spend another asset.
        funding_key_file: File with the wallet's private key.
        step: Amounts are multiples of it.
        per_top_up: Most at once.
        per_day: Most in 24 hours.
        in_all: Most for ever.
        least_seconds_between: From one top-up to the next.
        when: The level at which one is made.
        gas_reserve: Native coins that the lock's key keeps for gas; None for the default.
        wait_seconds: How long a transaction is waited for.
    """

    lock: int
    asset: str
    funding_key_file: Path
    step: str = dataclasses.field(repr=False)
    per_top_up: str = dataclasses.field(repr=False)
    per_day: str = dataclasses.field(repr=False)
    in_all: str = dataclasses.field(repr=False)
    least_seconds_between: int
    when: Level
    gas_reserve: str | None
    wait_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Where warnings go: files with its URL and with the secret of its signatures, and how often to try again."""

    url_file: Path
    secret_file: Path
    retries: int
    timeout_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class VenueConfig:
    """One venue that is followed; ``line_limit_usd`` replaces the account's own limit, None leaves that."""

    address: bytes
    line_limit_usd: Fraction | None = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class AgentConfig:
    """Everything the agent is told; paths start at the file's folder, times are seconds.

    Args:
        network: The network file.
        account: The account's directory.
        password_file: File with the keystore's password; None for the environment variable.
        venues: Whom it serves.
        at_share: Share of the proof interval after which the next proof is made.
        measure_seconds: How often headroom is measured where no proof is due.
        levels: When headroom is tight or critical.
        top_up: None for no top-ups.
        webhook: None for none.
        metrics_listen: host:port for Prometheus; None for none.
        poll_seconds: How often venues and relayers are asked beside their streams.
        backoff_seconds: Longest wait after failures.
        timeout_seconds: Deadline of every call.
    """

    network: Path
    account: Path
    password_file: Path | None
    venues: tuple[VenueConfig, ...]
    at_share: Fraction
    measure_seconds: int
    levels: LevelRules = dataclasses.field(repr=False)
    top_up: TopUpConfig | None = None
    webhook: WebhookConfig | None = None
    metrics_listen: str | None = None
    poll_seconds: float = 5.0
    backoff_seconds: float = 60.0
    timeout_seconds: float = 5.0


def load_config(path: Path) -> AgentConfig:
    """Reads a configuration file.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE, or CONFIG_INVALID with the place of the fault.
    """
    return parse_config(read_file(path, _WHAT, "name it with --config"), path.parent)


def parse_config(data: bytes, base: Path) -> AgentConfig:
    """Checks the bytes of a configuration file.

    Args:
        data: YAML.
        base: Folder that relative paths start from.

    Raises:
        ConfigurationError: TOO_LARGE, CONFIG_INVALID.
    """
    document = parse_document(_Document, data, _WHAT)
    headroom = document.headroom
    levels = LevelRules(
        headroom.warn.threshold(), headroom.critical.threshold(), Fraction(headroom.hysteresis_percent, 100)
    )
    plain: dict[str, Any] = document.model_dump(
        include={"metrics_listen", "poll_seconds", "backoff_seconds", "timeout_seconds"}
    )
    return AgentConfig(
        network=base / document.network,
        account=base / document.account,
        password_file=base / document.password_file if document.password_file else None,
        venues=_venues(document.venues),
        at_share=Fraction(str(document.prove.at_share)),
        measure_seconds=document.prove.measure_seconds,
        levels=levels,
        top_up=_top_up(document.top_up, base),
        webhook=_webhook(document.webhook, base),
        **plain,
    )


def _venues(venues: list[_Venue]) -> tuple[VenueConfig, ...]:
    try:
        read = tuple(
            VenueConfig(
                parse_address(venue.address), None if venue.line_limit_usd is None else Fraction(venue.line_limit_usd)
            )
            for venue in venues
        )
    except MalformedError as error:
        raise ConfigurationError(f"{_WHAT}, venues: {error.message}", fix=error.fix) from None
    if len({venue.address for venue in read}) != len(read):
        raise ConfigurationError(f"{_WHAT}, venues: a venue is named twice", fix="name each once")
    return read


def _top_up(top_up: _TopUp | None, base: Path) -> TopUpConfig | None:
    if top_up is None:
        return None
    values = top_up.model_dump(exclude={"funding_key_file", "when"})
    return TopUpConfig(**values, funding_key_file=base / top_up.funding_key_file, when=_WHEN[top_up.when])


def _webhook(webhook: _Webhook | None, base: Path) -> WebhookConfig | None:
    if webhook is None:
        return None
    return WebhookConfig(base / webhook.url_file, base / webhook.secret_file, webhook.retries, webhook.timeout_seconds)


def _cents(text: str) -> int:
    """USD cents, rounded down."""
    return int(Fraction(text) * 100)
