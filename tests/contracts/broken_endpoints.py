"""Endpoints that answer anything with the same bytes, or never."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

GARBAGE = (
    b"",
    b"nonsense",
    b"[]",
    b"null",
    b"5",
    b'"text"',
    b'{"jsonrpc":"2.0","id":1}',
    b'{"jsonrpc":"2.0","id":1,"result":"0xzz"}',
    b'{"jsonrpc":"2.0","id":1,"result":[]}',
    b'{"jsonrpc":"2.0","id":1,"result":{}}',
    b'{"jsonrpc":"2.0","id":1,"result":null}',
    b'{"jsonrpc":"2.0","id":1,"error":"text"}',
    b'{"jsonrpc":"2.0","id":1,"error":{}}',
    b'{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":5}}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x1","error":[]}',
    b"\xff\xfe",
)


@contextlib.asynccontextmanager
async def endpoint(reply: bytes | None) -> AsyncIterator[str]:
    """A loopback server that answers every request with the same bytes, or never."""
    finished: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        finished.append(done := asyncio.Event())
        if reply is not None:
            await reader.readuntil(b"\r\n\r\n")
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(reply)
            writer.write(head + reply)
            writer.write_eof()
        await reader.read()  # until the client hangs up
        writer.close()
        await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*(done.wait() for done in finished))
