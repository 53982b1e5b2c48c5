"""One endpoint's replies, byte by byte, and its kept connections."""

import asyncio
import json

import pytest

from marginproof.chains.evm.client.endpoint import Endpoint, EndpointFailureError, _result
from marginproof.chains.evm.client.quorum import Outcome

CHAIN_NUMBER = 31_337


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"", Outcome.NOT_JSON_RPC),
        (b"[]", Outcome.NOT_JSON_RPC),
        (b"null", Outcome.NOT_JSON_RPC),
        (b'"text"', Outcome.NOT_JSON_RPC),
        (b'{"id": 7, "result": NaN}', Outcome.NOT_JSON_RPC),
        (b'{"id": 8, "result": "0x1"}', Outcome.NOT_JSON_RPC),
        (b'{"id": "7", "result": "0x1"}', Outcome.NOT_JSON_RPC),
        (b'{"id": 7}', Outcome.NOT_JSON_RPC),
        (b'{"id": 7, "result": "0x1", "error": {}}', Outcome.REFUSED),
    ],
)
def test_replies_that_answer_nothing(data: bytes, outcome: Outcome) -> None:
    with pytest.raises(EndpointFailureError) as caught:
        _result(data, 7)
    assert caught.value.outcome is outcome


def test_replies_that_answer() -> None:
    assert _result(b'{"id": 7, "result": null}', 7) is None
    assert _result(b'{"id": 7, "result": "0x1", "error": null}', 7) == "0x1"


async def test_a_connection_that_ends_on_use_is_opened_again() -> None:
    """The server keeps a connection for one answer and ends it at the next call, as idle ones are ended."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        call = await read_call(reader)
        reply = json.dumps({"id": call["id"], "result": hex(CHAIN_NUMBER)}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(reply), reply))
        await reader.read(1)  # the next call, which gets no answer here
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoint = Endpoint(0, f"http://127.0.0.1:{port}/", CHAIN_NUMBER, 5.0)
    async with server:
        assert await endpoint.ask("eth_blockNumber") == hex(CHAIN_NUMBER)  # chain id, then the call itself
        await endpoint.aclose()
    assert connections == 2


async def read_call(reader: asyncio.StreamReader) -> dict[str, object]:
    """The JSON body of one HTTP request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length"))
    call: dict[str, object] = json.loads(await reader.readexactly(length))
    return call
