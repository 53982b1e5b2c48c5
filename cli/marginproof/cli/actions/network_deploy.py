"""What ``marginproof network deploy`` does: vaults, then the configuration that pins them, then the registry."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount

from marginproof.chains.evm.client import EndpointPool, expected_registry_code
from marginproof.chains.evm.contracts.artifact import (
    COLLATERAL_VAULT,
    PLEDGE_REGISTRY,
    PRICE_FEED,
    TEST_TOKEN,
    load_artifact,
)
from marginproof.chains.evm.transactions import NATIVE, Feed, Sender, TransactionReverted
from marginproof.cli.actions.network_contracts import Contract, Record, Site, deploy_all
from marginproof.cli.actions.network_plan import Plan, load_plan
from marginproof.cli.output import Result
from marginproof.cli.passwords import read_secret_text
from marginproof.cli.rpc_file import Endpoints
from marginproof.model.chains import format_address
from marginproof.model.network import Configuration, Network
from marginproof.model.network_file import Delays, NetworkFile, dump_network_file, load_network_file
from marginproof.model.universe import Universe
from marginproof.prover.files import write_atomic
from marginproof.prover.keys import parse_private_key

_FEED_DECIMALS: Final = 8
_REPOST_SECONDS: Final = 1800
_REGISTRY: Final = "registry"

Talk = Callable[[str], None]


def deploy(plan_path: Path, key_file: Path, rpc_file: Path | None, wait_seconds: float, now: int, talk: Talk) -> Result:
    """Deploys what is missing of a plan and writes its network file."""
    plan = load_plan(plan_path)
    endpoints = plan.endpoints(rpc_file)
    key = parse_private_key(read_secret_text(key_file, "the key file"))
    file = asyncio.run(_deploy(plan, endpoints, key, wait_seconds, now, talk))
    path = plan.folder / plan.document.network
    data = dump_network_file(file)
    write_atomic(path, data)
    path.chmod(0o644)  # it is made to be shared
    document = {
        "network_file": str(path),
        "network_id": "0x" + file.network_id.hex(),
        "file_digest": "0x" + hashlib.sha256(data).hexdigest(),
        "registry": format_address(file.network.registry),
        "vaults": {vault.chain: format_address(vault.address) for vault in file.configuration.vaults},
        "universe_digest": "0x" + file.universe.root().hex(),
    }
    fields = [(name.replace("_", " "), str(value)) for name, value in document.items() if name != "vaults"]
    fields += [(f"vault {vault.chain}", format_address(vault.address)) for vault in file.configuration.vaults]
    fields.append(("next", f"everybody: marginproof network join {path.name} --digest {document['file_digest']}"))
    return Result("network-deploy", document, fields)


def vault_code_hash(delays: Delays | Configuration) -> bytes:
    """What the code of an honest vault without an arbiter hashes to: from our own artifact, not from any node."""
    return load_artifact(COLLATERAL_VAULT).code_hash(
        NOTICE_SECONDS=delays.notice_seconds, PAYOUT_SECONDS=delays.claim_seconds, ARBITER=NATIVE
    )


async def _deploy(
    plan: Plan, endpoints: Endpoints, key: LocalAccount, wait_seconds: float, now: int, talk: Talk
) -> NetworkFile:
    record = Record(plan.folder / plan.document.record)
    async with AsyncExitStack() as stack:
        sites: dict[str, Site] = {}
        for chain in plan.document.chains:
            pool = EndpointPool(
                chain.chain,
                endpoints[chain.chain],
                required=chain.required,
                allow_development=plan.document.development,
            )
            sender = Sender(endpoints[chain.chain][0], key)
            await stack.enter_async_context(pool)
            await stack.enter_async_context(sender)
            sites[chain.chain] = Site(pool, sender, record, talk, wait_seconds)
        placed = await deploy_all(sites, [*_vaults(plan), *_test_contracts(plan, key)])
        await _post_prices(plan, sites, placed, now)
        vaults = {chain: placed[_vault_name(chain)] for chain in plan.vault_chains}
        configuration = plan.configuration(vaults, vault_code_hash(plan.document.delays))
        registry = _registry(plan, configuration)
        placed |= await deploy_all({registry.chain: sites[registry.chain]}, [registry])
        universe = plan.universe({name: placed[_test_name(name)] for name in plan.test_names})
        network = Network(registry.chain, placed[_REGISTRY], plan.document.n, configuration.root())
        return plan.network_file(configuration, network.registry, _universe_in_force(plan, network, universe))


def _universe_in_force(plan: Plan, network: Network, planned: Universe) -> Universe:
    """That of the network's file where there is one: from then on `network universe apply` changes it, no plan."""
    path = plan.folder / plan.document.network
    if path.exists():
        file = load_network_file(path)
        if file.network == network:
            return file.universe
    return planned


def _vaults(plan: Plan) -> list[Contract]:
    delays = plan.document.delays
    code_hash = vault_code_hash(delays)
    arguments = (delays.notice_seconds, NATIVE, delays.claim_seconds)
    return [
        Contract(_vault_name(chain), chain, COLLATERAL_VAULT, arguments, lambda _: code_hash)
        for chain in plan.vault_chains
    ]


def _registry(plan: Plan, configuration: Configuration) -> Contract:
    home_chain, n = plan.document.home_chain, plan.document.n
    digest = configuration.root()

    def code_hash(address: bytes) -> bytes:
        return expected_registry_code(Network(home_chain, address, n, digest), configuration)

    arguments = (n, digest, configuration.policy_delay_seconds, configuration.notice_seconds)
    return Contract(_REGISTRY, home_chain, PLEDGE_REGISTRY, arguments, code_hash)


def _test_contracts(plan: Plan, key: LocalAccount) -> list[Contract]:
    token_code = load_artifact(TEST_TOKEN).code_hash()
    feed_code = load_artifact(PRICE_FEED).code_hash(DECIMALS=_FEED_DECIMALS, TRANSMITTER=key.address)
    tokens = [
        Contract(
            _test_name(token.name),
            token.chain,
            TEST_TOKEN,
            (f"Test {token.symbol}", token.symbol, token.decimals),
            lambda _: token_code,
        )
        for token in plan.document.test.tokens
    ]
    feeds = [
        Contract(
            _test_name(feed.name),
            feed.chain,
            PRICE_FEED,
            (feed.name, _FEED_DECIMALS, key.address),
            lambda _: feed_code,
        )
        for feed in plan.document.test.feeds
    ]
    return [*tokens, *feeds]


async def _post_prices(plan: Plan, sites: Mapping[str, Site], placed: Mapping[str, bytes], now: int) -> None:
    """Posts the price of every test feed that shows another one, or one that will soon be too old."""
    for item in plan.document.test.feeds:
        site = sites[item.chain]
        feed = Feed(site.sender, format_address(placed[_test_name(item.name)]))
        wanted = int(Decimal(item.price).scaleb(_FEED_DECIMALS))
        try:
            newest = await feed.latest()
            current = newest.answer == wanted and newest.updated_at > now - _REPOST_SECONDS
        except TransactionReverted:
            current = False
        if not current:
            site.talk(f"test {item.name}: posting {item.price}")
            await feed.post(wanted)


def _vault_name(chain: str) -> str:
    return f"vault {chain}"


def _test_name(name: str) -> str:
    return f"test {name}"
