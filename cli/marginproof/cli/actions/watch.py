"""What ``marginproof account watch`` does: runs the account's agent as a process."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from marginproof.cli.actions.opened import Access, funding_key, opened
from marginproof.cli.amounts import parse_units
from marginproof.cli.output import Output, Result
from marginproof.model.chains import format_address
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ExitCode, exit_code
from marginproof.node.exposition import MetricsServer
from marginproof.node.journal import configure_logging
from marginproof.prover.account import Account
from marginproof.prover.agent.agent import Agent, VenueReport, Wallet
from marginproof.prover.agent.config import AgentConfig, TopUpConfig, load_config
from marginproof.prover.agent.events import Event, Sink
from marginproof.prover.agent.journal import log_event
from marginproof.prover.agent.metrics import AgentMetrics
from marginproof.prover.agent.top_ups import TopUpLimits
from marginproof.prover.agent.webhook import Webhook, read_endpoint
from marginproof.prover.funding import DEFAULT_GAS_RESERVE, Funding

_NATIVE_DECIMALS = 18


def watch(config_path: Path, output: Output, *, once: bool) -> Result | None:
    """Runs the agent until it is told to stop, or for one round.

    Returns:
        How one round left the venues; None for an agent that was told to stop.
    """
    config = load_config(config_path)
    configure_logging()
    access = Access(config.account, config.network, config.password_file)
    with opened(access) as (account, network):
        reports = asyncio.run(_run(config, account, network, output, once=once))
    return None if reports is None else _result(reports)


async def _run(
    config: AgentConfig, account: Account, network: NetworkFile, output: Output, *, once: bool
) -> tuple[VenueReport, ...] | None:
    metrics = AgentMetrics()
    sinks: list[Sink] = [log_event]
    if output.as_json and not once:
        sinks.append(_print_event)
    async with _webhook(config, metrics) as webhook, _stopping() as stop:
        if webhook is not None:
            sinks.append(webhook)
        agent = Agent(config, account, network, wallet=_wallet(config, network), sinks=sinks, metrics=metrics)
        if once:
            return await agent.once()
        with contextlib.ExitStack() as served:
            if config.metrics_listen is not None:
                served.enter_context(MetricsServer(metrics.registry, config.metrics_listen))
            await agent.run(stop)
    return None


@contextlib.asynccontextmanager
async def _webhook(config: AgentConfig, metrics: AgentMetrics) -> AsyncIterator[Webhook | None]:
    """The webhook and the task that delivers; at the end it may speak its last words."""
    if config.webhook is None:
        yield None
        return
    settings = config.webhook
    webhook = Webhook(
        read_endpoint(settings),
        retries=settings.retries,
        timeout_seconds=settings.timeout_seconds,
        counted=metrics.delivered,
    )
    task = asyncio.create_task(webhook.run())
    try:
        yield webhook
        await webhook.finish()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _stopping() -> AsyncIterator[asyncio.Event]:
    """Set by SIGTERM or Ctrl-C."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _wallet(config: AgentConfig, network: NetworkFile) -> Wallet | None:
    top_up = config.top_up
    if top_up is None:
        return None
    entry = network.universe.entry(top_up.asset)
    reserve = DEFAULT_GAS_RESERVE
    if top_up.gas_reserve is not None:
        reserve = parse_units(top_up.gas_reserve, _NATIVE_DECIMALS, "top_up.gas_reserve")
    funding = Funding(funding_key(top_up.funding_key_file), reserve, top_up.wait_seconds)
    return Wallet(funding, _limits(top_up, entry.decimals))


def _limits(top_up: TopUpConfig, decimals: int) -> TopUpLimits:
    try:
        step, per_top_up, per_day, in_all = (
            parse_units(getattr(top_up, name), decimals, f"top_up.{name}")
            for name in ("step", "per_top_up", "per_day", "in_all")
        )
    except MalformedError as error:
        raise ConfigurationError(f"the agent's configuration: {error.message}", fix=error.fix) from None
    if not 0 < step <= min(per_top_up, per_day, in_all):
        raise ConfigurationError(
            "the agent's configuration: no top-up of one step fits its limits",
            fix="choose a step above zero and limits not below it",
        )
    return TopUpLimits(step, per_top_up, per_day, in_all, top_up.least_seconds_between)


def _print_event(event: Event) -> None:
    sys.stdout.write(json.dumps(event.document()) + "\n")
    sys.stdout.flush()


def _result(reports: tuple[VenueReport, ...]) -> Result:
    """The table of one round; the exit code is that of the first venue that is not well."""
    venues = [_document(report) for report in reports]
    rows = [[str(value if value is not None else "") for value in venue.values()] for venue in venues]
    codes = [_exit_code(report) for report in reports]
    ended = next((code for code in codes if code != ExitCode.ACCEPTED), ExitCode.ACCEPTED)
    columns = ("venue", "level", "state", "trouble")
    return Result("account-watch", {"venues": venues}, columns=columns, rows=rows, exit_code=ended)


def _document(report: VenueReport) -> dict[str, Any]:
    return {
        "venue": format_address(report.venue),
        "level": report.level.name if report.level is not None else None,
        "state": report.state.name if report.state is not None else None,
        "trouble": str(report.code) if report.code is not None else None,
    }


def _exit_code(report: VenueReport) -> int:
    if report.well:
        return ExitCode.ACCEPTED
    return ExitCode.REJECTED if report.code is None else exit_code(report.code)
