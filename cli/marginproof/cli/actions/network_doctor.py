"""What ``marginproof network doctor`` does: whether each part of a network agrees with its file."""

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from marginproof.attestation.observations import verify_observations
from marginproof.attestation.signer_sets import check_signer_set
from marginproof.chains.evm.client import EndpointPool, expected_registry_code, read_policy_time
from marginproof.chains.evm.contracts.artifact import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.contracts.codec import decode_result, encode_call
from marginproof.chains.evm.verify import BlockHeader, check_code
from marginproof.cli.actions.network_deploy import vault_code_hash
from marginproof.cli.actions.network_plan import universe_problems
from marginproof.cli.checks import Check, failure, found, result_of
from marginproof.cli.output import Result
from marginproof.cli.rpc_file import Endpoints, is_private, read_rpc_file
from marginproof.client.relayer import RelayerClient
from marginproof.client.venue import VenueClient
from marginproof.model.chains import format_address
from marginproof.model.errors import ConfigurationError, MarginproofError, NotFoundError
from marginproof.model.network import VaultPin
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, VenueEndpoint, parse_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import PricePoint
from marginproof.oracles.feeds import FeedReader
from marginproof.prover.files import read_limited
from marginproof.prover.venue_checks import check_policy, check_snapshot

_MAX_FILE_BYTES: Final = 4 << 20
_NO_ENDPOINTS: Final = "no endpoints were named"
_NAME_ENDPOINTS: Final = "name a file of endpoints with --rpc-file"


@dataclasses.dataclass(frozen=True, slots=True)
class OpenChain:
    """A chain that answers: its pool and newest final header."""

    pool: EndpointPool
    header: BlockHeader


def run(path: Path, rpc_file: Path | None, timeout_seconds: float, clock: Callable[[], float]) -> Result:
    """Checks everything; the exit code is 3 when a check failed.

    Raises:
        ConfigurationError: The network file or the file of endpoints cannot be read or is none.
    """
    data = read_limited(path, _MAX_FILE_BYTES, "the network file")
    file = parse_network_file(data)
    checks = [*file_checks(file), *_endpoint_file(rpc_file)]
    checks += asyncio.run(_all(file, read_rpc_file(rpc_file) if rpc_file else {}, timeout_seconds, clock))
    fields = [("network_id", "0x" + file.network_id.hex()), ("file_digest", "0x" + hashlib.sha256(data).hexdigest())]
    return result_of("network-doctor", checks, fields)


def file_checks(file: NetworkFile) -> list[Check]:
    """What the file alone shows."""
    return [_possession(file), *_pinned_code(file), _universe(file), _delays(file)]


def chain_checks(file: NetworkFile, endpoints: Endpoints, timeout_seconds: float) -> list[Check]:
    """What the chains show, asked by quorum and proof."""

    async def ask() -> list[Check]:
        async with AsyncExitStack() as stack:
            checks, chains = await _open_chains(stack, file, endpoints, timeout_seconds)
            return [*checks, *await _contracts(file, chains)]

    return asyncio.run(ask())


async def _all(
    file: NetworkFile, endpoints: Endpoints, timeout_seconds: float, clock: Callable[[], float]
) -> list[Check]:
    async with AsyncExitStack() as stack:
        checks, chains = await _open_chains(stack, file, endpoints, timeout_seconds)
        checks += await _contracts(file, chains)
        now = int(clock())
        nodes = await asyncio.gather(
            *(relayer_checks(file, relayer, timeout_seconds) for relayer in file.relayers),
            *(venue_checks(file, venue, chains, timeout_seconds, now) for venue in file.venues),
        )
        for part in nodes:
            checks += part
        return [*checks, *await _feeds(file, chains, now)]


# -- the file alone


def _possession(file: NetworkFile) -> Check:
    name = "relayer keys"
    try:
        check_signer_set(file.signer_set, [relayer.possession for relayer in file.relayers])
    except MarginproofError as error:
        return failure(name, error)
    return Check(name, "pass", f"{len(file.relayers)} keys with proof of possession, {file.signer_set.threshold} sign")


def _pinned_code(file: NetworkFile) -> list[Check]:
    """The pins themselves: a file could pin the code of a vault that lets coins out at once."""
    expected = vault_code_hash(file.configuration)
    checks = []
    for pin in file.configuration.vaults:
        name = f"pin of vault {pin.chain}"
        if pin.code_hash == expected:
            checks.append(Check(name, "pass", "the code of this release's vault, with the network's delays"))
        else:
            fix = "read that code before anything is locked there, or use the release that made the network"
            checks.append(Check(name, "fail", "not the code of this release's vault with the network's delays", fix))
    return checks


def _universe(file: NetworkFile) -> Check:
    chains = {vault.chain for vault in file.configuration.vaults}
    chains |= {feed.chain for point in file.universe.points for feed in point.feeds}
    problems = universe_problems(file, sorted(chains))
    if problems:
        return Check("universe", "fail", "; ".join(problems), "correct the universe: docs/networks.md")
    universe = file.universe
    text = f"version {universe.version}, {len(universe.entries)} entries, {len(universe.points)} price points"
    return Check("universe", "pass", text)


def _delays(file: NetworkFile) -> Check:
    configuration = file.configuration
    if configuration.grace_seconds < 2 * configuration.epoch_seconds:
        text = "grace_seconds is shorter than two epochs: a top-up could not be seen in time"
        return Check("delays", "fail", text, "begin the network with a longer grace")
    return Check("delays", "pass", f"notice {configuration.notice_seconds} s, epoch {configuration.epoch_seconds} s")


def _endpoint_file(path: Path | None) -> list[Check]:
    if path is None:
        return [Check("endpoint file", "skip", _NO_ENDPOINTS, _NAME_ENDPOINTS)]
    with contextlib.suppress(OSError):
        if not is_private(path):
            return [Check("endpoint file", "warn", "others may read it", f"run: chmod 600 {path}")]
    return [Check("endpoint file", "pass", "readable by its owner only")]


# -- chains


async def _open_chains(
    stack: AsyncExitStack, file: NetworkFile, endpoints: Endpoints, timeout_seconds: float
) -> tuple[list[Check], dict[str, OpenChain]]:
    wanted = {file.network.home_chain, *(vault.chain for vault in file.configuration.vaults)}
    wanted |= {feed.chain for point in file.universe.points for feed in point.feeds}
    checks: list[Check] = []
    chains: dict[str, OpenChain] = {}

    async def look(name: str) -> str:
        pool = EndpointPool(name, endpoints[name], timeout_seconds=timeout_seconds, allow_development=file.development)
        await stack.enter_async_context(pool)
        header = await pool.header_at(await pool.finalized_number())
        await pool.read_account(header, file.network.registry)
        chains[name] = OpenChain(pool, header)
        return f"{len(endpoints[name])} endpoints, final block {header.number}, proofs hold"

    for name in sorted(wanted):
        if name in endpoints:
            checks.append(await found(f"chain {name}", lambda name=name: look(name)))  # type: ignore[misc] # bound now
        else:
            checks.append(Check(f"chain {name}", "skip", _NO_ENDPOINTS, _NAME_ENDPOINTS))
    return checks, chains


async def _contracts(file: NetworkFile, chains: Mapping[str, OpenChain]) -> list[Check]:
    checks = []
    home = chains.get(file.network.home_chain)
    if home is None:
        checks.append(Check("registry", "skip", "its chain cannot be read", _NAME_ENDPOINTS))
    else:
        checks.append(await found("registry", lambda: _registry(file, home)))
    for pin in file.configuration.vaults:
        name = f"vault {pin.chain}"
        chain = chains.get(pin.chain)
        if chain is None:
            checks.append(Check(name, "skip", "its chain cannot be read", _NAME_ENDPOINTS))
        else:
            checks.append(await _vault(name, chain, pin))
    return checks


async def _registry(file: NetworkFile, home: OpenChain) -> str:
    """Code by proof: both delays and the network id are in it. What it answers is read besides, for its reader."""
    account, _ = await home.pool.read_account(home.header, file.network.registry)
    check_code(account, expected_registry_code(file.network, file.configuration))
    artifact = load_artifact(PLEDGE_REGISTRY)
    expected = {
        "network_id": file.network_id,
        "policy_delay": file.configuration.policy_delay_seconds,
        "notice_seconds": file.configuration.notice_seconds,
    }
    for view, value in expected.items():
        answer, _ = await home.pool.call_latest(file.network.registry, encode_call(artifact, view))
        (shown,) = decode_result(artifact, view, answer)
        if shown != value:
            raise MarginproofError(
                ReasonCode.WRONG_NETWORK,
                f"the registry's {view} is not the network file's",
                fix="use the network file that its operators announced",
            )
    return "its code is proven; it shows this network id and these delays"


async def _vault(name: str, chain: OpenChain, pin: VaultPin) -> Check:
    async def look() -> str:
        account, _ = await chain.pool.read_account(chain.header, pin.address)
        check_code(account, pin.code_hash)
        return f"{format_address(pin.address)}, its code is proven"

    return await found(name, look)


async def _feeds(file: NetworkFile, chains: Mapping[str, OpenChain], now: int) -> list[Check]:
    reader = FeedReader({name: chain.pool for name, chain in chains.items()}, file.configuration.clock_skew_seconds)

    async def one(point: PricePoint) -> Check:
        name = f"price {point.id}"
        if not {feed.chain for feed in point.feeds} <= chains.keys():
            return Check(name, "skip", "a chain of its feeds cannot be read", _NAME_ENDPOINTS)

        async def look() -> str:
            await reader.observe_point(point, now)
            return f"{len(point.feeds)} feeds, fresh and within the spread"

        return await found(name, look)

    return list(await asyncio.gather(*(one(point) for point in file.universe.points)))


# -- nodes


async def relayer_checks(file: NetworkFile, relayer: RelayerEndpoint, timeout_seconds: float) -> list[Check]:
    """Whether a relayer is reached by its pinned certificate, and is of this network."""
    name = f"relayer {relayer.index}"
    client = RelayerClient(relayer.target, relayer.certificate_pem, timeout_seconds=timeout_seconds)

    async def reached() -> str:
        status = await client.get_status()
        if status.signer != relayer.index:
            raise _other_network(f"it says that it is relayer {status.signer}")
        if not status.healthy:
            raise MarginproofError(
                ReasonCode.UNAVAILABLE, "it says that it is not healthy", fix="see: marginproof relayer status"
            )
        return f"{relayer.target}, by its pinned certificate"

    async def same() -> str:
        report = await client.get_price_report()
        for signed in report.observations:
            verify_observations(
                signed,
                network_id=file.network_id,
                universe_digest=file.universe.root(),
                signer_set=file.signer_set,
            )
        return f"its newest price report is signed by {len(report.observations)} relayers of this network"

    async with client:
        first = await found(name, reached)
        if first.outcome == "fail":
            return [first, Check(f"{name} network", "skip", "it was not reached", first.fix)]
        second = f"{name} network"
        try:
            return [first, Check(second, "pass", await same())]
        except NotFoundError:
            return [first, Check(second, "skip", "it has no price report yet", "ask again after a price slot")]
        except MarginproofError as error:
            return [first, failure(second, error)]


async def venue_checks(
    file: NetworkFile, venue: VenueEndpoint, chains: Mapping[str, OpenChain], timeout_seconds: float, now: int
) -> list[Check]:
    """Whether a venue is reached by its pinned certificate, is of this network, and announced its policy."""
    name = f"venue {format_address(venue.address)[:10]}"
    home = chains.get(file.network.home_chain)
    client = VenueClient(venue.target, venue.certificate_pem, timeout_seconds=timeout_seconds)

    async def reached() -> str:
        signed, _ = await client.get_snapshot()
        check_snapshot(signed, file, venue.address, now)
        return f"{venue.target}, by its pinned certificate; its snapshot is of this network"

    async def announced(chain: OpenChain) -> str:
        snapshot = (await client.get_snapshot())[0].snapshot
        digest = snapshot.policy_digest
        source = (await client.get_policy(digest)).source
        effective = await read_policy_time(chain.pool, chain.header, file.network.registry, venue.address, digest)
        check_policy(source, snapshot, effective)
        return f"0x{digest.hex()[:16]}…, in force since {effective}"

    async with client:
        first = await found(name, reached)
        if first.outcome == "fail":
            return [first, Check(f"{name} policy", "skip", "it was not reached", first.fix)]
        if home is None:
            return [first, Check(f"{name} policy", "skip", "the home chain cannot be read", _NAME_ENDPOINTS)]
        return [first, await found(f"{name} policy", lambda: announced(home))]


def _other_network(message: str) -> ConfigurationError:
    return ConfigurationError(
        message, code=ReasonCode.WRONG_NETWORK, fix="compare the network file's digest with its operator"
    )
