"""One relayer and its endpoints: a lying, silent or forked endpoint delays a view, it never makes a wrong one."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from marginproof.chains.evm.client import EndpointPool
from marginproof.chains.evm.contracts.artifact import COLLATERAL_VAULT, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions, development_account
from marginproof.chains.evm.transactions import Sender, Vault
from marginproof.model.errors import MarginproofError
from marginproof.model.network import VaultPin
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.relayers.context import NodeContext
from marginproof.relayers.protection import FixedList
from marginproof.relayers.watch import ChainWatcher
from tests.attestation.builders import CHAIN, OTHER_CHAIN
from tests.relayers.contexts import make_context
from tests.relayers.files import EPOCH_SECONDS, GENESIS, network_file
from tests.support.fault_proxy import Fault, FaultProxy

EPOCH = 2
CUTOFF = GENESIS + (EPOCH + 1) * EPOCH_SECONDS
NO_ARBITER = "0x" + "00" * 20


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class Bench:
    """A watcher of one chain behind three endpoints that can be made to misbehave."""

    devnet: Devnet
    proxies: list[FaultProxy]
    context: NodeContext
    watcher: ChainWatcher
    clock: Clock
    fixed: list[FixedList]
    folder: Path

    async def refusal(self) -> ReasonCode:
        with pytest.raises(MarginproofError) as caught:
            await self.watcher.observe(EPOCH)
        assert self.context.protection.fixed(CHAIN, EPOCH) is None
        return caught.value.code

    def evidence(self) -> str:
        folder = self.folder / "evidence"
        return "".join(file.read_text() for file in folder.iterdir()) if folder.exists() else ""


@pytest.fixture(scope="module")
def devnet() -> Iterator[tuple[Devnet, str]]:
    """A chain whose blocks have the times that the test says, with a vault, beyond the epoch's cut-off."""
    with Devnet(DevnetOptions(chain_id=31337, genesis_time=GENESIS)) as chain:
        owner = development_account(3)
        chain.fund(owner.address, 10**24)

        async def deploy() -> str:
            async with Sender(chain.url, owner) as sender:
                return (await Vault.deploy(sender, 3600, 600)).address

        address = asyncio.run(deploy())
        for time in (CUTOFF - 50, CUTOFF - 2, CUTOFF + 1, CUTOFF + 2, CUTOFF + 3, CUTOFF + 4):
            chain.mine(time)
        yield chain, address


def file_for(vault: str) -> NetworkFile:
    code_hash = load_artifact(COLLATERAL_VAULT).code_hash(NOTICE_SECONDS=3600, PAYOUT_SECONDS=600, ARBITER=NO_ARBITER)
    pins = (VaultPin(CHAIN, bytes.fromhex(vault[2:]), code_hash), VaultPin(OTHER_CHAIN, b"\x77" * 20, bytes(32)))
    configuration = dataclasses.replace(network_file().configuration, vaults=pins)
    network = dataclasses.replace(network_file().network, configuration_digest=configuration.root())
    return dataclasses.replace(network_file(), configuration=configuration, network=network)


@contextlib.asynccontextmanager
async def bench(devnet: tuple[Devnet, str], folder: Path, file: NetworkFile | None = None) -> AsyncIterator[Bench]:
    chain, vault = devnet
    file = file or file_for(vault)
    clock = Clock(CUTOFF + 5)
    context = make_context(folder, file, clock)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(context.store.close)
        proxies = [await stack.enter_async_context(FaultProxy(chain.url)) for _ in range(3)]
        pool = EndpointPool(
            CHAIN,
            [proxy.url for proxy in proxies],
            timeout_seconds=0.5,
            allow_development=True,
            on_evidence=context.evidence.keep_answers,
        )
        stack.push_async_callback(pool.aclose)
        fixed: list[FixedList] = []
        yield Bench(chain, proxies, context, ChainWatcher(context, pool, fixed.append), clock, fixed, folder)


async def test_reference_is_the_last_block_before_the_cutoff(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    async with bench(devnet, tmp_path) as at:
        view = await at.watcher.observe(EPOCH)
        assert view.reference.timestamp == CUTOFF - 2
        assert at.context.protection.fixed(CHAIN, EPOCH) == view
        assert at.context.status.chains[CHAIN].empty_epoch == EPOCH


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DISCONNECT, Fault.GARBAGE, Fault.FORGED_PROOF])
async def test_one_bad_endpoint_does_not_stop_the_watch(
    devnet: tuple[Devnet, str], tmp_path: Path, fault: Fault
) -> None:
    async with bench(devnet, tmp_path) as at:
        at.proxies[0].fault = fault
        assert (await at.watcher.observe(EPOCH)).reference.timestamp == CUTOFF - 2
        assert ("bad-proof" in at.evidence()) == (fault is Fault.FORGED_PROOF)


async def test_an_endpoint_that_lags_delays_the_watch(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    """It may be the honest one, and those ahead of it a fork."""
    async with bench(devnet, tmp_path) as at:
        at.proxies[0].fault = Fault.LAG
        assert await at.refusal() == ReasonCode.NOT_YET_FINAL
        at.proxies[0].fault = Fault.HONEST
        assert (await at.watcher.observe(EPOCH)).reference.timestamp == CUTOFF - 2


async def test_a_contradiction_stops_it_and_is_kept(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    async with bench(devnet, tmp_path) as at:
        at.proxies[1].fault = Fault.FORGED_HEADER
        assert await at.refusal() == ReasonCode.ENDPOINT_DISAGREEMENT
        assert '"endpoint": 1' in at.evidence()
        assert "secret-access-key" not in at.evidence()
        at.proxies[1].fault = Fault.HONEST
        assert (await at.watcher.observe(EPOCH)).reference.timestamp == CUTOFF - 2


async def test_two_silent_endpoints_stop_it(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    async with bench(devnet, tmp_path) as at:
        at.proxies[0].fault = at.proxies[2].fault = Fault.DISCONNECT
        assert await at.refusal() == ReasonCode.ENDPOINT_QUORUM


async def test_an_epoch_is_not_read_before_a_later_block_is_final(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    async with bench(devnet, tmp_path) as at:
        for proxy in at.proxies:
            proxy.fault = Fault.LAG
        assert await at.refusal() == ReasonCode.NOT_YET_FINAL


async def test_a_vault_with_other_code_is_refused(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    file = file_for(devnet[1])
    pins = tuple(dataclasses.replace(pin, code_hash=b"\x01" * 32) for pin in file.configuration.vaults)
    changed = dataclasses.replace(file, configuration=dataclasses.replace(file.configuration, vaults=pins))
    async with bench(devnet, tmp_path, changed) as at:
        assert await at.refusal() == ReasonCode.CODE_HASH_MISMATCH


async def test_an_unreadable_epoch_is_given_up_after_an_epoch(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    async with bench(devnet, tmp_path) as at:
        at.proxies[1].fault = Fault.FORGED_HEADER
        assert not await at.watcher._step(EPOCH)
        assert at.context.status.chains[CHAIN].last_failure == ReasonCode.ENDPOINT_DISAGREEMENT
        at.clock.now += EPOCH_SECONDS
        assert not await at.watcher._step(EPOCH)
        at.clock.now += 1
        assert await at.watcher._step(EPOCH)
        assert at.fixed == []


async def test_a_restart_goes_on_after_the_last_fixed_epoch(devnet: tuple[Devnet, str], tmp_path: Path) -> None:
    async with bench(devnet, tmp_path) as at:
        assert at.watcher._first_epoch() == 0
        await at.watcher.observe(EPOCH)
        assert at.watcher._first_epoch() == EPOCH + 1
        at.clock.now = GENESIS + 1000 * EPOCH_SECONDS  # too late for certificates that are still worth anything
        assert at.watcher._first_epoch() == 1000 - 12


async def test_a_replaced_final_block_halts_the_chain_for_good(tmp_path: Path) -> None:
    with Devnet(DevnetOptions(chain_id=31337, genesis_time=GENESIS)) as chain:
        for time in (CUTOFF - 2, CUTOFF + 1, CUTOFF + 2, CUTOFF + 3, CUTOFF + 4):
            chain.mine(time)
        made = (chain, "0x" + "77" * 20)
        async with bench(made, tmp_path) as at:
            with pytest.raises(MarginproofError):
                await at.watcher.observe(EPOCH)  # there is no vault; but a final block is known from here on
            chain.rpc("anvil_rollback", 4)
            for seconds in range(6):
                chain.mine(CUTOFF + EPOCH_SECONDS + seconds)
            assert not await at.watcher._step(EPOCH + 1)
            assert at.context.status.chains[CHAIN].last_failure == ReasonCode.FINALITY_VIOLATION
        async with bench(made, tmp_path) as at:  # after a restart
            assert await at.refusal() == ReasonCode.FINALITY_VIOLATION
            with pytest.raises(MarginproofError) as caught:
                at.context.view(CHAIN, 0)
            assert caught.value.code == ReasonCode.FINALITY_VIOLATION
            at.context.store.clear_halt(CHAIN)
            assert await at.refusal() != ReasonCode.FINALITY_VIOLATION
