"""Warnings to a webhook: signed, retried, one after another, and never in the way of a proof."""

import asyncio
import contextlib
import dataclasses
import hashlib
import hmac
import ipaddress
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.backoff import backoff_seconds
from marginproof.prover.agent.config import WebhookConfig
from marginproof.prover.agent.events import Event, Severity
from marginproof.prover.files import read_limited

SIGNATURE_HEADER: Final = "X-Marginproof-Signature"
TIMESTAMP_HEADER: Final = "X-Marginproof-Timestamp"
DELIVERY_HEADER: Final = "X-Marginproof-Delivery"
_MAX_FILE_BYTES: Final = 4096
_MIN_SECRET_LENGTH: Final = 16
_MAX_WAITING: Final = 256
_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 60.0
_LAST_WORDS_SECONDS: Final = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook's address and the secret of its signatures; both are secrets, for the address may hold a token."""

    url: str = dataclasses.field(repr=False)
    secret: bytes = dataclasses.field(repr=False)


def read_endpoint(config: WebhookConfig) -> Endpoint:
    """Reads both files.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE; CONFIG_INVALID: no https address (http is for this machine
            alone), or a secret of fewer than 16 bytes.
    """
    url, secret = (_secret_line(path) for path in (config.url_file, config.secret_file))
    if not _safe(url):
        raise ConfigurationError(
            "the webhook's address is no https:// address", fix="write one into the file that url_file names"
        )
    if len(secret) < _MIN_SECRET_LENGTH:
        raise ConfigurationError(
            f"the webhook's secret needs at least {_MIN_SECRET_LENGTH} characters",
            fix="write a random one into its file",
        )
    return Endpoint(url, secret.encode())


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """What the receiver recomputes: HMAC-SHA256 over ``<timestamp>.<body>``, hexadecimal."""
    return "sha256=" + hmac.new(secret, str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """A queue of events and the task that delivers them; an event sink.

    Args:
        endpoint: Where to.
        retries: How often one delivery is tried again.
        timeout_seconds: Deadline of one try.
        counted: Told "delivered", "failed" or "dropped".
        chance: In [0, 1), for the waits between tries.
        first_wait_seconds: Longest wait before the second try.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        retries: int,
        timeout_seconds: float,
        counted: Callable[[str], None] = lambda _: None,
        chance: Callable[[], float] = random.random,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._endpoint = endpoint
        self._retries = retries
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._counted = counted
        self._chance = chance
        self._first_wait = first_wait_seconds
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(_MAX_WAITING)

    def __call__(self, event: Event) -> None:
        """Queues a warning; what is only worth knowing is not sent. The oldest gives way when too many wait."""
        if event.severity is Severity.INFO:
            return
        if self._waiting.full():
            self._waiting.get_nowait()
            self._waiting.task_done()
            self._counted("dropped")
        self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Delivers until cancelled."""
        async with aiohttp.ClientSession(timeout=self._timeout) as session:
            while True:
                event = await self._waiting.get()
                try:
                    self._counted("delivered" if await self._deliver(session, event) else "failed")
                finally:
                    self._waiting.task_done()

    async def finish(self, seconds: float = _LAST_WORDS_SECONDS) -> None:
        """Waits until everything queued was tried, but not longer than this."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), seconds)

    async def _deliver(self, session: aiohttp.ClientSession, event: Event) -> bool:
        body = json.dumps(event.document(), separators=(",", ":"), sort_keys=True).encode()
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: str(event.at),
            SIGNATURE_HEADER: signature(self._endpoint.secret, event.at, body),
            DELIVERY_HEADER: hashlib.sha256(body).hexdigest()[:32],
        }
        for attempt in range(self._retries + 1):
            if attempt:
                wait = backoff_seconds(attempt, base=self._first_wait, cap=_LONGEST_WAIT_SECONDS, chance=self._chance())
                await asyncio.sleep(wait)
            if await self._try(session, body, headers):
                return True
        return False

    async def _try(self, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]) -> bool:
        try:
            async with session.post(self._endpoint.url, data=body, headers=headers, allow_redirects=False) as response:
                return 200 <= response.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False  # the library's texts quote the address


def _secret_line(path: Path) -> str:
    data = read_limited(path, _MAX_FILE_BYTES, "the webhook's file")
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{path.name!r} is no text", code=ReasonCode.FILE_UNREADABLE, fix="write one line into it"
        ) from None


def _safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host)))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
