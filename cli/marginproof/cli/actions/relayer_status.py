"""Asking the relayers of a network how they are."""

import asyncio
from pathlib import Path
from typing import Any

from marginproof.cli.output import Result
from marginproof.client.relayer import RelayerClient
from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import NetworkFile, RelayerEndpoint, load_network_file
from marginproof.model.reasons import ExitCode


def status(network_path: Path, timeout_seconds: float) -> Result:
    """Asks every relayer of the network how it is."""
    network = load_network_file(network_path)
    answers = asyncio.run(_ask_all(network, timeout_seconds))
    healthy = sum(bool(answer["healthy"]) for answer in answers)
    threshold = network.configuration.threshold
    fields = [("healthy", f"{healthy} of {len(answers)}; {threshold} are needed")]
    rows = [_row(answer) for answer in answers]
    document = {"healthy_count": healthy, "threshold": threshold, "relayers": answers}
    code = ExitCode.ACCEPTED if healthy >= threshold else ExitCode.QUORUM
    columns = ("relayer", "health", "accounts", "price slot", "chains")
    return Result("relayer-status", document, fields, columns, rows, code)


def reachable_relayers(path: Path, timeout_seconds: float) -> tuple[int, int, int]:
    """(relayers that answered, relayers of the network, threshold).

    Raises:
        ConfigurationError: See :func:`load_network_file`.
    """
    network = load_network_file(path)
    answers = asyncio.run(_ask_all(network, timeout_seconds))
    answered = sum(answer["failure"] is None for answer in answers)
    return answered, len(answers), network.configuration.threshold


async def _ask_all(network: NetworkFile, timeout_seconds: float) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(_ask(relayer, timeout_seconds) for relayer in network.relayers)))


async def _ask(relayer: RelayerEndpoint, timeout_seconds: float) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "relayer": relayer.index,
        "healthy": False,
        "failure": None,
        "account_count": None,
        "last_price_slot": None,
        "chains": [],
    }
    try:
        async with RelayerClient(relayer.target, relayer.certificate_pem, timeout_seconds=timeout_seconds) as client:
            status = await client.get_status()
    except MarginproofError as error:
        return {**answer, "failure": str(error.code)}
    chains = [
        {"chain": chain.chain, "certified_epoch": chain.certified_epoch, "last_failure": chain.last_failure or None}
        for chain in status.chains
    ]
    return {
        **answer,
        "healthy": status.healthy,
        "account_count": status.account_count,
        "last_price_slot": status.last_price_slot,
        "chains": chains,
    }


def _row(answer: dict[str, Any]) -> list[str]:
    health = answer["failure"] or ("pass" if answer["healthy"] else "warn")
    chains = ", ".join(_chain(chain) for chain in answer["chains"])
    return [
        str(answer["relayer"]),
        health,
        _or_dash(answer["account_count"]),
        _or_dash(answer["last_price_slot"]),
        chains,
    ]


def _chain(chain: dict[str, Any]) -> str:
    epoch = "no certificate" if chain["certified_epoch"] is None else f"epoch {chain['certified_epoch']}"
    failure = f" ({chain['last_failure']})" if chain["last_failure"] else ""
    return f"{chain['chain']} {epoch}{failure}"


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
