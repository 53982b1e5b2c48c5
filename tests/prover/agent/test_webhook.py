"""Webhooks: signed, retried, bounded, in nobody's way, and without a word too many. The receiver is a real server."""

import asyncio
import contextlib
import dataclasses
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.prover.agent.config import WebhookConfig
from marginproof.prover.agent.events import Event, EventKind
from marginproof.prover.agent.levels import Level
from marginproof.prover.agent.webhook import Endpoint, Webhook, read_endpoint, signature

SECRET = "0123456789abcdef"
WARNING = Event(EventKind.LEVEL_CHANGED, 1_000, b"\x11" * 20, level=Level.TIGHT)


@dataclasses.dataclass
class Receiver:
    """Takes what comes; answers with the statuses given, then 204."""

    url: str = ""
    statuses: list[int] = dataclasses.field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = dataclasses.field(default_factory=list)
    paths: set[str] = dataclasses.field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        self.paths.add(request.path)
        self.taken.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 204
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, headers=headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?token=hidden"
    try:
        yield made
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def delivering(url: str, **options: Any) -> AsyncIterator[tuple[Webhook, list[str]]]:
    counted: list[str] = []
    defaults: dict[str, Any] = {"retries": 3, "timeout_seconds": 5.0, "first_wait_seconds": 0.001}
    webhook = Webhook(Endpoint(url, SECRET.encode()), counted=counted.append, **(defaults | options))
    task = asyncio.create_task(webhook.run())
    try:
        yield webhook, counted
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_warning_arrives_signed(receiver: Receiver) -> None:
    async with delivering(receiver.url) as (webhook, counted):
        webhook(WARNING)
        await webhook.finish()
    ((headers, body),) = receiver.taken
    assert json.loads(body) == WARNING.document()
    assert json.loads(body)["level"] == "TIGHT"
    expected = hmac.new(SECRET.encode(), b"1000." + body, hashlib.sha256).hexdigest()
    assert headers["X-Marginproof-Signature"] == f"sha256={expected}"
    assert headers["X-Marginproof-Timestamp"] == "1000"
    assert len(headers["X-Marginproof-Delivery"]) == 32
    assert counted == ["delivered"]


async def test_what_is_only_worth_knowing_is_not_sent(receiver: Receiver) -> None:
    async with delivering(receiver.url) as (webhook, _):
        webhook(Event(EventKind.PROOF_ACCEPTED, 1_000, b"\x11" * 20))
        await webhook.finish()
    assert receiver.taken == []


async def test_failures_are_tried_again_with_the_same_delivery(receiver: Receiver) -> None:
    receiver.statuses = [500, 302, 404]
    async with delivering(receiver.url) as (webhook, counted):
        webhook(WARNING)
        await webhook.finish()
    assert len(receiver.taken) == 4
    assert receiver.paths == {"/hook"}  # redirects are not followed
    assert len({headers["X-Marginproof-Delivery"] for headers, _ in receiver.taken}) == 1
    assert counted == ["delivered"]


async def test_after_the_last_try_it_is_counted_as_failed_and_the_next_one_goes_out(receiver: Receiver) -> None:
    receiver.statuses = [500] * 4
    async with delivering(receiver.url) as (webhook, counted):
        webhook(WARNING)
        webhook(dataclasses.replace(WARNING, at=2_000))
        await webhook.finish()
    assert counted == ["failed", "delivered"]


async def test_nobody_listening_is_no_error() -> None:
    async with delivering("http://127.0.0.1:1/", retries=1) as (webhook, counted):
        webhook(WARNING)
        await webhook.finish()
    assert counted == ["failed"]


async def test_the_oldest_gives_way_when_too_many_wait() -> None:
    counted: list[str] = []
    webhook = Webhook(Endpoint("http://127.0.0.1:1/", b""), retries=0, timeout_seconds=1, counted=counted.append)
    for at in range(300):
        webhook(dataclasses.replace(WARNING, at=at))
    assert counted == ["dropped"] * 44


def files(folder: Path, url: str, secret: str = SECRET) -> WebhookConfig:
    (folder / "url").write_text(url + "\n")
    (folder / "secret").write_text(secret)
    return WebhookConfig(folder / "url", folder / "secret", 1, 1.0)


@pytest.mark.parametrize(
    "url", ["https://warn.example.org/a?b=c", "http://127.0.0.1:9/", "http://[::1]/", "http://localhost/"]
)
def test_addresses_that_serve(tmp_path: Path, url: str) -> None:
    assert read_endpoint(files(tmp_path, url)) == Endpoint(url, SECRET.encode())


@pytest.mark.parametrize(
    "url", ["http://warn.example.org/", "ftp://a/", "", "https://", "http://[bad", "http://10.0.0.1/"]
)
def test_addresses_that_do_not_and_are_not_quoted(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_endpoint(files(tmp_path, url))
    assert caught.value.code is ReasonCode.CONFIG_INVALID
    assert not url or url not in str(caught.value).replace("https:// address", "")


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="16 characters"):
        read_endpoint(files(tmp_path, "https://a/", SECRET[:-1]))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    config = files(tmp_path, "https://a/")
    (tmp_path / "url").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"^FILE_UNREADABLE"):
        read_endpoint(config)
    with pytest.raises(ConfigurationError, match=r"^FILE_UNREADABLE"):
        read_endpoint(dataclasses.replace(config, url_file=tmp_path / "absent"))


def test_representations_show_neither_address_nor_secret() -> None:
    assert repr(Endpoint("https://hidden/", b"hidden")) == "Endpoint()"


def test_known_answer_of_the_signature() -> None:
    assert signature(b"key", 7, b"{}") == "sha256=" + hmac.new(b"key", b"7.{}", hashlib.sha256).hexdigest()
