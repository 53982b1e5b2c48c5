"""One JSON-RPC endpoint over HTTP, as something that may hang, lie or flood."""

import asyncio
import itertools
import json
from typing import Any, Final

import aiohttp
from pydantic_core import from_json

from marginproof.chains.evm.client.quorum import Outcome

MAX_REPLY_BYTES: Final = 8 << 20
"""A proof of 96 slots has about 1 MiB as JSON, a full block header with transaction hashes less."""
_HTTP_OK: Final = 200


class EndpointFailureError(Exception):
    """An endpoint gave nothing that can be used. Only inside this package; never says which address it has."""

    def __init__(self, outcome: Outcome, value: str = "") -> None:
        super().__init__(str(outcome))
        self.outcome = outcome
        self.value = value


class Endpoint:
    """Asks one address. Every call is bounded in time and bytes, and checks the chain id first.

    Args:
        index: Its place in the configured list.
        url: Where to ask; kept out of every representation, because addresses hold access keys.
        chain_number: EIP-155 chain id that it must have.
        timeout_seconds: Longest time for one call.
    """

    def __init__(self, index: int, url: str, chain_number: int, timeout_seconds: float) -> None:
        self.index = index
        self._url = url
        self._chain_number = chain_number
        self._timeout = timeout_seconds
        self._chain_checked = False
        self._session: aiohttp.ClientSession | None = None
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        return f"Endpoint(index={self.index})"

    async def ask(self, method: str, *params: Any) -> Any:
        """One call to an endpoint that has the right chain id.

        Returns:
            The JSON value of ``result``, unchecked.

        Raises:
            EndpointFailureError: No answer in time, no answer to this call, or another chain's endpoint.
        """
        await self.check_chain()
        return await self._call(method, params)

    async def check_chain(self) -> None:
        """Asks for the chain id unless it was right before.

        Raises:
            EndpointFailureError: WRONG_CHAIN, or the endpoint does not answer.
        """
        if self._chain_checked:
            return
        if await self._call("eth_chainId", ()) != hex(self._chain_number):
            raise EndpointFailureError(Outcome.WRONG_CHAIN)
        self._chain_checked = True

    async def aclose(self) -> None:
        """Closes its connections; a later call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _call(self, method: str, params: tuple[Any, ...]) -> Any:
        number = next(self._ids)
        body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
        try:
            async with asyncio.timeout(self._timeout):
                data = await self._post(body)
        except TimeoutError as error:
            raise EndpointFailureError(Outcome.TIMEOUT) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise EndpointFailureError(Outcome.CONNECTION) from error
        return _result(data, number)

    async def _post(self, body: bytes) -> bytes:
        try:
            return await self._exchange(body)
        except aiohttp.ServerDisconnectedError:
            # A kept connection that the other side had closed meanwhile; a fresh one decides.
            return await self._exchange(body)

    async def _exchange(self, body: bytes) -> bytes:
        if self._session is None:
            # Replies are read as they come: no cookies, no redirects, no decompression that could swell.
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                auto_decompress=False,
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            )
        async with self._session.post(self._url, data=body, allow_redirects=False) as response:
            if response.status != _HTTP_OK:
                raise EndpointFailureError(Outcome.HTTP_STATUS, str(response.status))
            data = bytearray()
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > MAX_REPLY_BYTES:
                    response.close()
                    raise EndpointFailureError(Outcome.TOO_LARGE)
            return bytes(data)


def _result(data: bytes, number: int) -> Any:
    """The ``result`` of the reply to call ``number``."""
    try:
        # Not the standard library's parser: where some import has raised the recursion limit, nested brackets make
        # that one overflow the stack and end the process. This one has a limit of its own.
        reply = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise EndpointFailureError(Outcome.NOT_JSON_RPC) from error
    if not isinstance(reply, dict) or reply.get("id") != number:
        raise EndpointFailureError(Outcome.NOT_JSON_RPC)
    if reply.get("error") is not None:
        raise EndpointFailureError(Outcome.REFUSED)
    if "result" not in reply:
        raise EndpointFailureError(Outcome.NOT_JSON_RPC)
    return reply["result"]
