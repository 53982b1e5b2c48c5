"""Reading an account's key from a real registry: who it is, and what cannot be read."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from marginproof.chains.evm.client import EndpointPool
from marginproof.chains.evm.devnet import free_port
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.account_keys import RegistryKeys
from tests.relayers.world import HOME, Chains, Relayers, raw

OWNER = b"\x0c" * 20
NOW = 1000.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def file(chains: Chains, tmp_path_factory: pytest.TempPathFactory) -> NetworkFile:
    folder: Path = tmp_path_factory.mktemp("keys")
    relayers = Relayers.prepare(chains, folder)
    await relayers.give_registry(chains)
    return relayers.file


@contextlib.asynccontextmanager
async def keys(url: str, file: NetworkFile, reads_per_second: int = 50) -> AsyncIterator[RegistryKeys]:
    pool = EndpointPool(HOME, (url,), timeout_seconds=2, allow_development=True)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(pool.aclose)
        yield RegistryKeys(pool, file, reads_per_second, lambda: NOW)


def identity(file: NetworkFile) -> AccountIdentity:
    return AccountIdentity(HOME, file.network.registry, OWNER, 0)


async def refusal(of: RegistryKeys, file: NetworkFile) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        await of.current(identity(file))
    return caught.value.code


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_account_that_the_registry_never_saw_is_its_owners(chains: Chains, file: NetworkFile) -> None:
    async with keys(chains.home.url, file) as of:
        assert await asyncio.gather(*(of.current(identity(file)) for _ in range(8))) == [OWNER] * 8


async def test_all_callers_together_are_bounded(chains: Chains, file: NetworkFile) -> None:
    async with keys(chains.home.url, file, reads_per_second=1) as of:
        for _ in range(2):
            await of.current(identity(file))
        assert await refusal(of, file) == ReasonCode.RATE_LIMITED


async def test_another_contract_is_no_registry(chains: Chains, file: NetworkFile) -> None:
    vault = dataclasses.replace(file.network, registry=raw(chains.home_vault))
    wrong = dataclasses.replace(file, network=vault)
    async with keys(chains.home.url, wrong) as of:
        assert await refusal(of, wrong) == ReasonCode.CODE_HASH_MISMATCH


async def test_without_the_home_chain_nothing_is_believed(file: NetworkFile) -> None:
    async with keys(f"http://127.0.0.1:{free_port(('127.0.0.1',))}", file) as of:
        assert await refusal(of, file) == ReasonCode.ENDPOINT_QUORUM
