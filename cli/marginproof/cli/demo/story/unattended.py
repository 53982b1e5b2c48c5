"""The crash, and an account that looks after itself: the agent is a process of its own, and nobody else acts."""

import asyncio
import contextlib
import functools
import json
import time
import urllib.request
from collections.abc import AsyncIterator
from typing import Any, Final

from marginproof.cli.demo.configurations import write_agent
from marginproof.cli.demo.deployment import SECOND_CHAIN
from marginproof.cli.demo.processes import Child
from marginproof.cli.demo.story import dishonest
from marginproof.cli.demo.story.collateral import USDC_LOCK
from marginproof.cli.demo.story.stage import Stage, usd
from marginproof.cli.demo.world import VenueSite
from marginproof.model.chains import format_address
from marginproof.model.margin import MarginState

AGENT: Final = "agent"
_SCHEMA: Final = "marginproof/agent-event/v1"
_CALLS: Final = (MarginState.MARGIN_CALL, MarginState.DEFAULT)


class Agent:
    """The running agent, heard through the events that it prints."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def events(self, kind: str, venue: VenueSite | None = None) -> list[dict[str, Any]]:
        """Every event of a kind so far, of one venue where one is named."""
        address = format_address(venue.address) if venue else None
        found = []
        for line in self._child.log_path.read_text(errors="replace").splitlines():
            if _SCHEMA in line and line.startswith("{"):
                event = json.loads(line)
                if event["event"] == kind and address in (None, event.get("venue")):
                    found.append(event)
        return found


@contextlib.asynccontextmanager
async def watching(stage: Stage) -> AsyncIterator[Agent]:
    """Runs the agent until the block ends. While it runs, no other process can open the account."""
    path = write_agent(
        stage.world.directory,
        [venue.address for venue in stage.world.venues],
        lock=USDC_LOCK,
        asset=stage.maker.asset(SECOND_CHAIN),
        per_top_up=str(stage.scenario.agent_top_up_usdc),
        metrics_target=stage.world.agent_metrics_target,
    )
    arguments = ["--json", "account", "watch", "--config", str(path)]
    child = Child(AGENT, arguments, stage.world.directory, {})
    stage.world.children.append(child)
    try:
        yield Agent(child)
        await asyncio.to_thread(_keep_metrics, stage)
    finally:
        child.stop()
        stage.world.children.remove(child)


def _keep_metrics(stage: Stage) -> None:
    """The agent's last metrics stay in the demo's folder, beside its log."""
    with urllib.request.urlopen(f"http://{stage.world.agent_metrics_target}/metrics", timeout=5) as answer:
        (stage.world.directory / "agent-metrics").write_bytes(answer.read())


async def play(stage: Stage, number: str, agent: Agent) -> None:
    """Prices fall, the venues call, and what happens then happens by itself."""
    crash = stage.scenario.crash
    stage.screen.heading(f"{number}. ETH falls to {usd(crash)} at {crash.time} UTC; the account looks after itself")

    async def started() -> bool | None:
        return True if agent.events("started") else None

    await stage.until(started, "the agent's start")
    await stage.play_hour(crash)
    fallen = int(time.time())
    with stage.step(number, "a venue calls for margin", "MARGIN_CALL") as step:
        step.outcome = (await stage.until(functools.partial(_called, stage), "a margin call")).name
    with stage.step(number, "the agent tops up by itself, within its limits", "TOPPED_UP") as step:
        await stage.until(functools.partial(_certified, agent), "a top-up that is certified")
        step.outcome = "TOPPED_UP"
    for venue in stage.world.venues:
        with stage.step(number, f"it proves to venue {venue.letter} by itself", "ACCEPT") as step:
            await stage.until(functools.partial(accepted, stage, venue, fallen), "an accepted proof")
            step.outcome = "ACCEPT"
    replay = dishonest.replayed(stage, stage.bundles["opening"])
    await stage.attempt(number, "an accepted proof once more", "REJECT REPLAYED", replay)


async def _called(stage: Stage) -> MarginState | None:
    """The worse one of a margin call and a default, if any venue is there; it must be the former."""
    states = [(await stage.margin_status(venue)).state for venue in stage.world.venues]
    return max((state for state in states if state in _CALLS), default=None)


async def _certified(agent: Agent) -> bool | None:
    return True if agent.events("top-up-counted") else None


async def accepted(stage: Stage, venue: VenueSite, since: int) -> bool | None:
    """Whether a venue accepted a proof after ``since`` (UTC seconds) and no deadline was missed since."""
    status = await stage.margin_status(venue)
    if status.missed_deadline_count or status.accepted_at is None:
        return None
    return True if status.accepted_at > since else None
