"""The doctor and joining: one part wrong at a time, each found by its own check, and nothing installed."""

import asyncio
import contextlib
import dataclasses
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from marginproof.v1 import relayer_service_pb2 as messages
from marginproof.v1.relayer_service_pb2_grpc import add_RelayerServiceServicer_to_server

from marginproof import core
from marginproof.attestation.observations import sign_observations
from marginproof.chains.evm.client import EndpointPool
from marginproof.chains.evm.transactions import Registry, Sender
from marginproof.cli.actions import network_doctor
from marginproof.cli.actions.network_doctor import OpenChain
from marginproof.cli.home import joined_network
from marginproof.model.chains import format_address
from marginproof.model.errors import NotFoundError
from marginproof.model.network_file import NetworkFile, VenueEndpoint, dump_network_file
from marginproof.model.prices import Observations, PriceReport
from marginproof.node.server import GrpcServer, Service
from marginproof.node.tls import ServerIdentity
from marginproof.relayers.keys import load_keystore
from tests.network.conftest import HOME, PASSWORD, SECOND, Chains, Planned
from tests.prover.servers import RelayerForTests, VenueForTests, serving
from tests.prover.world import OTHER_KEY, POLICY, VENUE, VENUE_KEY, snapshot
from tests.support.command import Command

CHAIN_CHECKS = {f"chain {HOME}", f"chain {SECOND}", "registry", f"vault {HOME}", f"vault {SECOND}"}
FILE_CHECKS = {"relayer keys", f"pin of vault {HOME}", f"pin of vault {SECOND}", "universe", "delays"}
PRICE_CHECKS = {"price price:ETH", "price price:USDC", "price volatility:ETH"}


def outcomes(run: Command, network: Planned, *more: str) -> dict[str, str]:
    arguments = ["network", "doctor", "--network", str(network.network), "--timeout", "2", "--json", *more]
    checks = run(*arguments).document["checks"]
    for check in checks:
        assert check["fix"] or check["outcome"] == "pass", check
    return {check["check"]: check["outcome"] for check in checks}


def with_outcome(found: dict[str, str], outcome: str) -> set[str]:
    return {name for name, value in found.items() if value == outcome and not name.startswith(("relayer ", "venue "))}


def rewrite(planned: Planned, /, **changes: Any) -> None:
    planned.network.write_bytes(dump_network_file(dataclasses.replace(planned.file, **changes)))


def test_what_agrees_passes_and_what_does_not_run_fails(run: Command, network: Planned) -> None:
    found = outcomes(run, network, "--rpc-file", str(network.rpc))
    passed = {name for name, outcome in found.items() if outcome == "pass"}
    assert passed == {*CHAIN_CHECKS, *FILE_CHECKS, *PRICE_CHECKS, "endpoint file"}
    assert {name for name, outcome in found.items() if outcome == "fail"} >= {"relayer 0", "relayer 1", "relayer 2"}
    spoken = run("network", "doctor", "--network", str(network.network), "--timeout", "1")
    assert spoken.code == 3
    assert "planted" not in run.heard


def test_without_endpoints_chains_are_skipped_with_what_to_do(run: Command, network: Planned) -> None:
    found = outcomes(run, network)
    assert with_outcome(found, "skip") == {*CHAIN_CHECKS, *PRICE_CHECKS, "endpoint file"}
    assert with_outcome(found, "pass") == FILE_CHECKS - {"relayer keys"}
    assert found["relayer keys"] == "pass"


def test_endpoints_that_others_may_read(run: Command, network: Planned) -> None:
    network.rpc.chmod(0o644)
    assert outcomes(run, network, "--rpc-file", str(network.rpc))["endpoint file"] == "warn"


def registry_elsewhere(network: Planned) -> None:
    vault = network.file.configuration.vaults[0].address
    rewrite(network, network=dataclasses.replace(network.file.network, registry=vault))


def registry_nowhere(network: Planned) -> None:
    rewrite(network, network=dataclasses.replace(network.file.network, registry=b"\x01" * 20))


def other_delay(network: Planned) -> None:
    rewrite(network, configuration=dataclasses.replace(network.file.configuration, policy_delay_seconds=2))


def other_notice(network: Planned) -> None:
    rewrite(network, configuration=dataclasses.replace(network.file.configuration, notice_seconds=121))


def other_vault(network: Planned) -> None:
    first, second = network.file.configuration.vaults
    moved = dataclasses.replace(second, address=network.file.network.registry)
    rewrite(network, configuration=dataclasses.replace(network.file.configuration, vaults=(first, moved)))


def other_pin(network: Planned) -> None:
    first, second = network.file.configuration.vaults
    changed = dataclasses.replace(second, code_hash=bytes(32))
    rewrite(network, configuration=dataclasses.replace(network.file.configuration, vaults=(first, changed)))


def foreign_possession(network: Planned) -> None:
    first, second, third = network.file.relayers
    rewrite(network, relayers=(dataclasses.replace(first, possession=second.possession), second, third))


def short_grace(network: Planned) -> None:
    rewrite(network, configuration=dataclasses.replace(network.file.configuration, grace_seconds=9))


def other_feed(network: Planned) -> None:
    first, *others = network.file.universe.points
    feed = dataclasses.replace(first.feeds[0], address=network.file.network.registry)
    points = (dataclasses.replace(first, feeds=(feed,)), *others)
    rewrite(network, universe=dataclasses.replace(network.file.universe, points=points))


def swapped_endpoints(network: Planned) -> None:
    lines = network.rpc.read_text().split()
    urls = [line.partition("=")[2] for line in lines]
    network.rpc.write_text(f"{HOME}={urls[1]}\n{SECOND}={urls[0]}\n")


def dead_endpoint(network: Planned) -> None:
    network.rpc.write_text(f"{HOME}=http://127.0.0.1:1\n{network.rpc.read_text().split()[1]}\n")


@pytest.mark.parametrize(
    ("spoil", "failing"),
    [
        (registry_elsewhere, {"registry"}),
        (registry_nowhere, {"registry"}),
        (other_delay, {"registry"}),
        (other_notice, {"registry", f"pin of vault {HOME}", f"pin of vault {SECOND}"}),
        (other_vault, {"registry", f"vault {SECOND}"}),
        (other_pin, {"registry", f"vault {SECOND}", f"pin of vault {SECOND}"}),
        (foreign_possession, {"relayer keys"}),
        (short_grace, {"delays", "registry"}),
        (other_feed, {"price price:ETH"}),
        (swapped_endpoints, {f"chain {HOME}", f"chain {SECOND}"}),
        (dead_endpoint, {f"chain {HOME}"}),
    ],
)
def test_each_part_that_disagrees_is_found(
    run: Command, network: Planned, spoil: Callable[[Planned], None], failing: set[str]
) -> None:
    spoil(network)
    found = outcomes(run, network, "--rpc-file", str(network.rpc))
    failed = {name for name, outcome in found.items() if outcome == "fail"}
    assert {name for name in failed if name not in RELAYERS and not name.startswith("venue ")} == failing


RELAYERS = {"relayer 0", "relayer 1", "relayer 2"}


def test_production_needs_three_feeds(network: Planned) -> None:
    checks = network_doctor.file_checks(dataclasses.replace(network.file, development=False))
    assert [check.check for check in checks if check.outcome == "fail"] == ["universe"]


def test_a_copy_that_only_answers_like_the_registry(run: Command, network: Planned, chains: Chains) -> None:
    """Other code, one byte longer, with the same answers: only the proof of its code tells."""
    address = format_address(network.file.network.registry)
    code = chains.home.rpc("eth_getCode", address, "latest")
    try:
        chains.home.rpc("anvil_setCode", address, code + "00")
        until_final(chains, 2)
        found = outcomes(run, network, "--rpc-file", str(network.rpc))
    finally:
        chains.home.rpc("anvil_setCode", address, code)
        until_final(chains, 2)
    assert found["registry"] == "fail"
    assert found[f"vault {HOME}"] == "pass"


# -- joining


def join(run: Command, network: Planned, digest: str, *more: str) -> Any:
    return run("network", "join", str(network.network), "--digest", digest, "--timeout", "2", "--json", *more)


def digest_of(network: Planned) -> str:
    return hashlib.sha256(network.network.read_bytes()).hexdigest()


def test_a_joined_network_needs_no_option(run: Command, network: Planned) -> None:
    for spelling in (digest_of(network), "0x" + digest_of(network).upper()):
        spoken = join(run, network, spelling, "--rpc-file", str(network.rpc))
        assert spoken.code == 0
    assert joined_network().read_bytes() == network.network.read_bytes()
    assert spoken.document["installed"] == str(joined_network())
    shown = run("network", "show", "--json").document
    assert shown["network_id"] == spoken.document["network_id"]
    assert shown["file_digest"] == "0x" + digest_of(network)
    assert run("doctor", "--json").document["checks"][3]["outcome"] == "pass"


def test_another_digest_installs_nothing(run: Command, network: Planned) -> None:
    for digest in ("00" * 32, "", "0x" + network.file.network_id.hex()):
        spoken = join(run, network, digest)
        assert (spoken.code, spoken.error["code"]) == (14, "WRONG_NETWORK")
    assert "network id" in spoken.error["message"]
    assert not joined_network().exists()


@pytest.mark.parametrize("spoil", [registry_elsewhere, other_pin, foreign_possession, swapped_endpoints])
def test_a_network_that_disagrees_is_not_installed(
    run: Command, network: Planned, spoil: Callable[[Planned], None]
) -> None:
    spoil(network)
    spoken = join(run, network, digest_of(network), "--rpc-file", str(network.rpc))
    assert (spoken.code, spoken.document["installed"], spoken.document["healthy"]) == (3, "", False)
    assert not joined_network().exists()


def test_without_a_network_every_command_says_what_to_do(run: Command) -> None:
    spoken = run("network", "show", "--json")
    assert (spoken.code, spoken.error["code"]) == (3, "FILE_UNREADABLE")
    assert run("doctor", "--json").document["checks"][3]["outcome"] == "warn"


# -- relayers that answer


class _Relayer(RelayerForTests):
    def __init__(self, signer: int, healthy: bool, report: PriceReport | None) -> None:
        super().__init__()
        self.signer, self.healthy, self.report = signer, healthy, report

    async def GetStatus(self, request: Any, context: Any) -> Any:
        return messages.GetStatusResponse(signer=self.signer, healthy=self.healthy)

    async def GetPriceReport(self, request: Any, context: Any) -> Any:
        if self.report is None:
            raise NotFoundError("no report yet")
        return messages.GetPriceReportResponse(price_report=self.report.encode())


@contextlib.asynccontextmanager
async def answering(network: Planned, cards: Path, servicer: _Relayer, tls: int = 0) -> AsyncIterator[NetworkFile]:
    """Relayer 0 of the file, with the TLS identity of relayer ``tls``."""
    service = Service(add_RelayerServiceServicer_to_server, servicer, "marginproof.v1.RelayerService")
    server = GrpcServer("127.0.0.1:0", ServerIdentity.load_or_create(cards / f"tls-{tls}"), [service])
    port = await server.start()
    first, *others = network.file.relayers
    try:
        yield dataclasses.replace(
            network.file, relayers=(dataclasses.replace(first, target=f"127.0.0.1:{port}"), *others)
        )
    finally:
        await server.stop(0)


def report(planned: Planned, keys: Sequence[core.SigningKey], /, **changes: Any) -> PriceReport:
    file = planned.file
    signed = []
    for signer, key in enumerate(keys):
        seen = Observations(file.network_id, file.universe.root(), 1, 1, file.signer_set.root(), signer, ())
        signed.append(sign_observations(key, dataclasses.replace(seen, **changes)))
    return PriceReport(tuple(signed))


async def relayer_outcomes(file: NetworkFile) -> dict[str, str]:
    checks = await network_doctor.relayer_checks(file, file.relayers[0], 2)
    return {check.check: check.outcome for check in checks}


async def test_a_relayer_of_this_network(network: Planned, cards: Path) -> None:
    keys = [load_keystore(cards / f"bls-{index}.json", PASSWORD) for index in range(2)]
    strangers = [core.SigningKey.generate() for _ in range(2)]
    cases = [
        (_Relayer(0, True, report(network, keys)), {"relayer 0": "pass", "relayer 0 network": "pass"}),
        (_Relayer(0, True, None), {"relayer 0": "pass", "relayer 0 network": "skip"}),
        (_Relayer(0, True, report(network, strangers)), {"relayer 0": "pass", "relayer 0 network": "fail"}),
        (
            _Relayer(0, True, report(network, keys, network=bytes(32))),
            {"relayer 0": "pass", "relayer 0 network": "fail"},
        ),
        (_Relayer(1, True, report(network, keys)), {"relayer 0": "fail", "relayer 0 network": "skip"}),
        (_Relayer(0, False, report(network, keys)), {"relayer 0": "fail", "relayer 0 network": "skip"}),
    ]
    for servicer, expected in cases:
        async with answering(network, cards, servicer) as file:
            assert await relayer_outcomes(file) == expected


async def test_a_relayer_behind_another_certificate(network: Planned, cards: Path) -> None:
    async with answering(network, cards, _Relayer(0, True, None), tls=1) as file:
        assert await relayer_outcomes(file) == {"relayer 0": "fail", "relayer 0 network": "skip"}


# -- venues that answer


@contextlib.asynccontextmanager
async def home_chain(network: Planned, chains: Chains) -> AsyncIterator[dict[str, OpenChain]]:
    async with EndpointPool(HOME, (chains.home.url,), allow_development=True) as pool:
        yield {HOME: OpenChain(pool, await pool.header_at(await pool.finalized_number()))}


async def venue_outcomes(network: Planned, chains: Chains, folder: Path, now: int, **changes: Any) -> list[str]:
    """What is found of a venue that answers with a snapshot of ``now``; ``changes`` are the snapshot's."""
    venue = VenueForTests(network.file.network_id)
    async with serving(venue, folder / "tls") as (target, certificate), home_chain(network, chains) as home:
        endpoint = VenueEndpoint(VENUE, target, certificate)
        file = dataclasses.replace(network.file, venues=(endpoint,))
        venue.snapshot = snapshot(file, now, VALUES, **changes)
        venue.report = report(network, ())
        checks = await network_doctor.venue_checks(file, endpoint, home, 2, now)
        skipped = await network_doctor.venue_checks(file, endpoint, {}, 2, now)
    assert [check.outcome for check in skipped][1] == "skip"
    return [check.found.partition(":")[0] if check.outcome == "fail" else check.outcome for check in checks]


VALUES = {"price:ETH": 2000 * 10**8, "price:USDC": 10**8, "volatility:ETH": 6 * 10**7}


async def test_a_venue_of_this_network_with_its_policy(network: Planned, chains: Chains, tmp_path: Path) -> None:
    now = int(time.time())
    assert await venue_outcomes(network, chains, tmp_path, now) == ["pass", "POLICY_NOT_ANNOUNCED"]
    assert await venue_outcomes(network, chains, tmp_path, now, key=OTHER_KEY) == ["WRONG_VENUE", "skip"]
    async with Sender(chains.home.url, VENUE_KEY) as sender:
        registry = Registry(sender, format_address(network.file.network.registry))
        effective = await registry.announce_policy(POLICY.digest)
    await asyncio.to_thread(until_final, chains)
    assert await venue_outcomes(network, chains, tmp_path, effective - 1) == ["pass", "POLICY_NOT_YET_EFFECTIVE"]
    assert await venue_outcomes(network, chains, tmp_path, effective) == ["pass", "pass"]


def until_final(chains: Chains, more_blocks: int = 0) -> None:
    """Waits until what is the newest block now, or so many after it, is final."""
    wanted = int(chains.home.rpc("eth_blockNumber"), 16) + more_blocks
    while int(chains.home.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16) < wanted:
        time.sleep(0.2)


async def test_a_venue_that_does_not_answer(network: Planned, chains: Chains) -> None:
    async with home_chain(network, chains) as home:
        checks = await network_doctor.venue_checks(network.file, network.file.venues[0], home, 1, 1)
    assert [check.outcome for check in checks] == ["fail", "skip"]
