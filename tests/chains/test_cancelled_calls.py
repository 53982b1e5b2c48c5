"""A transaction call that is cancelled leaves nothing locked behind it."""

import asyncio
import json
import threading

import pytest
from web3._utils.http_session_manager import HTTPSessionManager

from marginproof.chains.evm.transactions.connection import Connection


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    request = json.loads(await reader.readexactly(length))
    body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "0x7a69"}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


class _SlowToTake:
    """The library's lock, with a first thread that is slow to take it, as on a busy machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked, self.go_on = threading.Event(), threading.Event()

    def acquire(self) -> bool:
        self.asked.set()
        self.go_on.wait()
        return self._lock.acquire()

    def locked(self) -> bool:
        return self._lock.locked()

    def release(self) -> None:
        self._lock.release()


async def test_a_cancelled_call_leaves_the_librarys_lock_free(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _SlowToTake()
    monkeypatch.setattr(HTTPSessionManager, "_lock", lock)
    async with await asyncio.start_server(_answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Connection(f"http://127.0.0.1:{port}", 5.0) as connection:
            call = asyncio.create_task(connection.chain_id())
            assert await asyncio.to_thread(lock.asked.wait, 10)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert call.cancelled()
            lock.go_on.set()
            try:
                assert await asyncio.wait_for(connection.chain_id(), 10) == 31337
            finally:
                if lock.locked():  # threads that wait for it would keep the process from ending
                    lock.release()


async def test_closing_waits_for_a_call_that_nobody_waits_for() -> None:
    """It may have opened a connection after its caller was cancelled, and nobody else would close that."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        await _answer(reader, writer)

    async with await asyncio.start_server(slowly, "127.0.0.1", 0) as server:
        connection = Connection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 30.0)
        call = asyncio.create_task(connection.chain_id())
        await asked.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        closing = asyncio.create_task(connection.aclose())
        ended, _ = await asyncio.wait({closing}, timeout=0.5)
        assert not ended
        go_on.set()
        await asyncio.wait_for(closing, 20)


async def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marginproof.chains.evm.transactions.connection._LAST_SECONDS", 0.1)
    asked, go_on, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def late(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        writer.close()
        gone.set()

    async with await asyncio.start_server(late, "127.0.0.1", 0) as server:
        connection = Connection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 30.0)
        call = asyncio.create_task(connection.chain_id())
        await asked.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.wait_for(connection.aclose(), 20)
        go_on.set()
        await gone.wait()
