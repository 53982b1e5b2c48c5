"""The demo's machinery for faults: endpoints that change hands, and a forked chain that is convincing by itself."""

import asyncio
import contextlib
from collections.abc import Iterator

import aiohttp
import pytest

from marginproof.chains.evm.client import EndpointDisagreementError, EndpointPool, Evidence, read_vault
from marginproof.chains.evm.contracts.artifact import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.chains.evm.transactions import NATIVE, Sender, Token, Vault
from marginproof.cli.demo.forked_chain import ForkedChain
from marginproof.cli.demo.switchboard import Forwarder, start_switchboard
from marginproof.model.chains import NATIVE_ASSET, parse_address
from marginproof.model.network import VaultPin

CHAIN = "eip155:31399"
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
FORGED = 77 * 10**12
NOTICE, PAYOUT = 100, 20


@pytest.fixture(scope="module")
def honest() -> Iterator[Devnet]:
    with Devnet(DevnetOptions(chain_id=31399, hosts=HOSTS, block_seconds=1)) as devnet:
        yield devnet


async def _lock(honest: Devnet, *, native: bool) -> tuple[VaultPin, bytes, int]:
    """Deploys a vault, locks something; gives the vault, the asset and the lock's id."""
    async with Sender(honest.url, honest.account(3)) as sender:
        vault = await Vault.deploy(sender, NOTICE, PAYOUT)
        asset = NATIVE_ASSET
        if native:
            made = await vault.lock_native(10**18, b"\x01" * 32)
        else:
            token = await Token.deploy(sender, "Test USD", "USDC", 6)
            await token.mint(honest.account(3).address, 10**12)
            await token.approve(vault.address, 10**9)
            made = await vault.lock_token(token.address, 10**9, b"\x01" * 32)
            asset = parse_address(token.address)
    code_hash = load_artifact(COLLATERAL_VAULT).code_hash(NOTICE_SECONDS=NOTICE, PAYOUT_SECONDS=PAYOUT, ARBITER=NATIVE)
    return VaultPin(CHAIN, parse_address(vault.address), code_hash), asset, made.lock_id


@pytest.mark.parametrize("native", [False, True])
async def test_a_forked_process_is_convincing_by_itself_and_contradicted_by_one_honest_endpoint(
    honest: Devnet, native: bool
) -> None:
    pin, asset, lock_id = await _lock(honest, native=native)
    with ForkedChain(honest, block_seconds=1) as fork:
        await asyncio.to_thread(fork.start, pin.address, lock_id, FORGED)
        async with EndpointPool(CHAIN, [fork.url], allow_development=True) as alone:
            head = 0
            while head < fork.forked_at + 2:
                head = await alone.finalized_number()
                await asyncio.sleep(0.2)
            # Every forged block's headers and proofs match; so do the honest ones' before the fork.
            for number, amount in ((fork.forked_at + 2, FORGED), (head, FORGED), (fork.forked_at - 1, None)):
                facts = await read_vault(alone, await alone.header_at(number), pin, [lock_id], [asset])
                if amount is not None:
                    assert facts.locks[lock_id].amount == facts.total_locked[asset] == FORGED
        for taken in (1, 2):
            kept: list[Evidence] = []
            async with contextlib.AsyncExitStack() as stack:
                board = await start_switchboard(stack, HOSTS, {CHAIN: honest.urls})
                await board.take_over(CHAIN, taken, fork.url)
                async with EndpointPool(CHAIN, board.urls[CHAIN], on_evidence=kept.append) as pool:
                    with pytest.raises(EndpointDisagreementError):
                        await pool.header_at(fork.forked_at + 2)
            assert len({answer.value for answer in kept[0].answers}) == 2


async def test_endpoints_change_hands_and_open_connections_are_cut(honest: Devnet) -> None:
    other = Devnet(DevnetOptions(chain_id=31398))
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.to_thread(other.start)
        stack.callback(other.stop)
        board = await start_switchboard(stack, HOSTS, {CHAIN: honest.urls})
        urls = board.urls[CHAIN]
        assert len({url.split(":")[1] for url in urls}) == 3
        async with aiohttp.ClientSession() as session:
            assert [await _chain_id(session, url) for url in urls] == [31399] * 3
            await board.take_over(CHAIN, 2, other.url)
            # The session keeps its connections: without the cut the first two would go on to the honest chain.
            assert [await _chain_id(session, url) for url in urls] == [31398, 31398, 31399]
            await board.give_back(CHAIN)
            assert [await _chain_id(session, url) for url in urls] == [31399] * 3


async def test_an_upstream_that_is_gone_ends_the_connection() -> None:
    async with Forwarder("127.0.0.1", "http://127.0.0.1:1") as forwarder, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(forwarder.url, data=b"{}")


def test_a_forwarder_that_is_not_started_has_no_address() -> None:
    with pytest.raises(RuntimeError):
        _ = Forwarder("127.0.0.1", "http://127.0.0.1:1").url


async def _chain_id(session: aiohttp.ClientSession, url: str) -> int:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    for _ in range(2):  # a kept connection that was cut meanwhile shows itself once
        with contextlib.suppress(aiohttp.ServerDisconnectedError):
            async with session.post(url, json=body) as response:
                return int((await response.json())["result"], 16)
    raise AssertionError("no answer")
