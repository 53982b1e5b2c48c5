"""An endpoint that lies: a loopback proxy before a real chain, with one named fault at a time."""

import asyncio
import json
from enum import StrEnum
from typing import Any, Self

import aiohttp
from aiohttp import web
from eth_hash.auto import keccak

from marginproof.chains.evm.client.blocks import encode_header


class Fault(StrEnum):
    """What the proxy does to replies; everything else goes through unchanged."""

    HONEST = "honest"
    HANG = "hang"
    DISCONNECT = "disconnect"
    HTTP_ERROR = "http-error"
    REDIRECT = "redirect"
    GARBAGE = "garbage"
    OVERSIZE = "oversize"
    NESTED = "nested"
    FOREIGN_ID = "foreign-id"
    RPC_ERROR = "rpc-error"
    NO_RESULT = "no-result"
    CHAIN_ID = "chain-id"
    LAG = "lag"
    HIGH_TIP = "high-tip"
    FORGED_HEADER = "forged-header"
    UNHASHED_HEADER = "unhashed-header"
    MISSHAPED_HEADER = "misshaped-header"
    OTHER_BLOCK = "other-block"
    FORGED_PROOF = "forged-proof"
    TRUNCATED_PROOF = "truncated-proof"
    MISSHAPED_PROOF = "misshaped-proof"
    FORGED_CALL = "forged-call"


LAG_BLOCKS = 4
"""How far behind a lagging endpoint is."""
HIGH_TIP_BLOCKS = 1000
_TRANSPORT = {Fault.DISCONNECT, Fault.HTTP_ERROR, Fault.REDIRECT, Fault.GARBAGE, Fault.OVERSIZE, Fault.NESTED}


class FaultProxy:
    """Serves JSON-RPC on a loopback port, from ``upstream``, with the current fault.

    Args:
        upstream: The real chain's address.
        fault: May be changed at any time.
        host: Loopback address to listen on.
    """

    def __init__(self, upstream: str, fault: Fault = Fault.HONEST, host: str = "127.0.0.1") -> None:
        self.fault = fault
        self.methods: list[str] = []
        self.url = ""
        self._upstream = upstream
        self._host = host
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        application = web.Application(client_max_size=1 << 22)
        application.router.add_post("/{key:.*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        # Real addresses carry access keys in their path; this one is planted to be searched for in errors.
        self.url = f"http://{self._host}:{port}/secret-access-key"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        await self._runner.cleanup()
        await self._session.close()

    async def ask(self, method: str, *params: Any) -> Any:
        """One honest call to the real chain."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._session.post(self._upstream, json=body) as response:
            return await response.json()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        self.methods.append(call["method"])
        if self.fault is Fault.HANG:
            await self._closing.wait()
        if self.fault in _TRANSPORT:
            return await self._broken_transport(request)
        reply = await self.ask(call["method"], *self._shifted(call["params"]))
        reply["id"] = call["id"]
        if self.fault is Fault.FOREIGN_ID:
            reply["id"] = call["id"] + 1
        elif self.fault is Fault.RPC_ERROR:
            reply = {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "secret-access-key"}}
        elif self.fault is Fault.NO_RESULT:
            del reply["result"]
        elif "result" in reply:
            reply["result"] = await self._twisted(call, reply["result"])
        return web.json_response(reply)

    async def _broken_transport(self, request: web.Request) -> web.StreamResponse:
        if self.fault is Fault.DISCONNECT and request.transport is not None:
            request.transport.close()
        if self.fault is Fault.HTTP_ERROR:
            return web.Response(status=503)
        if self.fault is Fault.REDIRECT:
            return web.Response(status=307, headers={"Location": self._upstream})
        if self.fault is Fault.NESTED:
            return web.Response(text="[" * 500_000)
        if self.fault is Fault.OVERSIZE:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(64):
                await response.write(b" " * (1 << 18))
            return response
        return web.Response(text='{"jsonrpc": "2.0", "id": 1, "resu')

    def _shifted(self, params: list[Any]) -> list[Any]:
        if self.fault is Fault.OTHER_BLOCK and params and str(params[0]).startswith("0x") and params[-1] is False:
            return [hex(max(int(params[0], 16) - 1, 0)), False]
        return params

    async def _twisted(self, call: dict[str, Any], result: Any) -> Any:
        method = call["method"]
        if method == "eth_chainId" and self.fault is Fault.CHAIN_ID:
            return "0x1"
        if method == "eth_blockNumber":
            return hex(int(result, 16) + {Fault.LAG: -LAG_BLOCKS, Fault.HIGH_TIP: HIGH_TIP_BLOCKS}.get(self.fault, 0))
        if method == "eth_getBlockByNumber" and result is not None:
            by_tag = not call["params"][0].startswith("0x")
            return await (self._twisted_tag(result) if by_tag else self._twisted_block(result))
        if method == "eth_getProof":
            return _twisted_proof(self.fault, result)
        if method == "eth_call" and self.fault is Fault.FORGED_CALL:
            return "0x" + "77" * 32
        return result

    async def _twisted_tag(self, block: dict[str, Any]) -> Any:
        number = int(block["number"], 16)
        if self.fault is Fault.HIGH_TIP:
            return _rehashed({**block, "number": hex(number + HIGH_TIP_BLOCKS)})
        if self.fault is Fault.LAG:
            return (await self.ask("eth_getBlockByNumber", hex(number - LAG_BLOCKS), False))["result"]
        return await self._twisted_block(block)

    async def _twisted_block(self, block: dict[str, Any]) -> Any:
        if self.fault is Fault.LAG:
            latest = int((await self.ask("eth_blockNumber"))["result"], 16)
            return block if int(block["number"], 16) <= latest - LAG_BLOCKS else None
        if self.fault in {Fault.FORGED_HEADER, Fault.UNHASHED_HEADER}:
            root = keccak(b"forged" + bytes.fromhex(block["stateRoot"][2:]))
            forged = {**block, "stateRoot": f"0x{root.hex()}"}
            return _rehashed(forged) if self.fault is Fault.FORGED_HEADER else forged
        if self.fault is Fault.MISSHAPED_HEADER:
            return {**block, "logsBloom": "0x12"}
        return block


def _rehashed(block: dict[str, Any]) -> dict[str, Any]:
    """The same block with the hash that its fields have."""
    return {**block, "hash": f"0x{keccak(encode_header(block)).hex()}"}


def _twisted_proof(fault: Fault, proof: dict[str, Any]) -> Any:
    if fault is Fault.MISSHAPED_PROOF:
        return json.dumps(proof)
    if fault is Fault.TRUNCATED_PROOF:
        return {**proof, "accountProof": proof["accountProof"][:-1]}
    if fault is Fault.FORGED_PROOF:
        *upper, leaf = proof["accountProof"]
        return {**proof, "accountProof": [*upper, leaf[:-2] + ("00" if leaf[-2:] != "00" else "01")]}
    return proof
