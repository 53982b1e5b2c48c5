"""What ``marginproof venue start``, ``announce``, ``agree`` and ``keys`` do: the venue's own side."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from marginproof.chains.evm.transactions import Registry, Sender
from marginproof.cli.output import Result
from marginproof.cli.passwords import read_password
from marginproof.model.chains import evm_chain_number, format_address, parse_address
from marginproof.model.documents import read_file
from marginproof.model.errors import RefusedError
from marginproof.model.network_file import NetworkFile, load_network_file
from marginproof.model.reasons import ReasonCode
from marginproof.risk.coverage import check_coverage
from marginproof.risk.policy import load_policy
from marginproof.verifier.config import VenueConfig, load_config
from marginproof.verifier.keys import create_keystore, load_keystore
from marginproof.verifier.service import run

_Answer = TypeVar("_Answer")


def start(config: Path) -> None:
    """Runs a venue until it is told to stop."""
    asyncio.run(run(load_config(config)))


def new_key(keystore: Path, password_file: Path | None, *, insecure_fast: bool) -> Result:
    """Makes the venue's key in a keystore of its own and shows its address."""
    address = create_keystore(keystore, read_password(password_file, confirm=True), insecure_fast=insecure_fast)
    document = {"keystore": str(keystore), "address": format_address(address)}
    return Result("venue-keys-new", document, list(document.items()))


def announce(config_path: Path, policy_path: Path) -> Result:
    """Announces a policy's digest on the registry with the venue's own key and shows from when it holds."""
    config = load_config(config_path)
    network = load_network_file(config.network)
    policy = load_policy(read_file(policy_path, "the policy", "name it with --policy"))
    check_coverage(policy, network.universe)
    effective_at = asyncio.run(_with_registry(config, network, lambda r: r.announce_policy(policy.digest)))
    document = {"policy_digest": "0x" + policy.digest.hex(), "effective_at": effective_at}
    return Result("venue-announce", document, [(name, str(value)) for name, value in document.items()])


def agree(config_path: Path, other: str, *, end: bool) -> Result:
    """Agrees on the registry to count another venue's pledges in full, or ends that after the policy delay."""
    config = load_config(config_path)
    network = load_network_file(config.network)
    address = format_address(network.venue(parse_address(other)).address)

    async def act(registry: Registry) -> int:
        if end:
            return await registry.end_agreement(address)
        await registry.agree(address)
        return 0

    until = asyncio.run(_with_registry(config, network, act))
    document = {"with": address, "agreed": not end} | ({"until": until} if end else {})
    return Result("venue-agree", document, [(name, str(value)) for name, value in document.items()])


async def _with_registry(
    config: VenueConfig, network: NetworkFile, act: Callable[[Registry], Awaitable[_Answer]]
) -> _Answer:
    """Writes to the registry with the venue's own key.

    Raises:
        RefusedError: CHAIN_ID_MISMATCH; nothing was sent.
    """
    key = load_keystore(config.keystore, read_password(config.password_file))
    async with Sender(config.home_endpoints[0], key) as sender:
        if await sender.chain_id() != evm_chain_number(network.network.home_chain):
            raise RefusedError(
                ReasonCode.CHAIN_ID_MISMATCH,
                "the first home endpoint is of another chain than the network's home chain",
                fix="check home_endpoints in the venue's configuration",
            )
        return await act(Registry(sender, format_address(network.network.registry)))
