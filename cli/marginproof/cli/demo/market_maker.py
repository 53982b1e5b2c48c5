"""The market maker: every honest act is the `marginproof account` command in a process of its own."""

import asyncio
import dataclasses
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.transactions import Sender, Token
from marginproof.cli.demo.deployment import SECOND_CHAIN
from marginproof.cli.demo.processes import command_line
from marginproof.cli.demo.world import World
from marginproof.model.chains import format_address
from marginproof.model.errors import UnavailableError

_FUNDING_KEY: Final = 5
_REGISTRY_KEY: Final = 6
_TEST_USDC: Final = 10**12
_COMMAND_SECONDS: Final = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One finished command: its JSON result, or its JSON error."""

    exit_code: int
    result: dict[str, Any]
    error: dict[str, Any]


class MarketMaker:
    """Runs account commands against one account directory."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.directory = world.directory / "market-maker"
        self._funding_key = world.directory / "funding-key"
        self._registry_key = world.directory / "registry-key"
        self._environment = {
            "MARGINPROOF_NETWORK": str(world.network_path),
            "MARGINPROOF_ACCOUNT": str(self.directory),
        }

    async def fund(self) -> None:
        """Gives two development keys coins, and test dollars on the second chain to the one that pays for every lock.

        The other one pays for the account's transactions on the registry: one key for both would link the locks to the
        account.
        """
        key = development_account(_FUNDING_KEY)
        for number, path in ((_FUNDING_KEY, self._funding_key), (_REGISTRY_KEY, self._registry_key)):
            path.touch(mode=0o600)
            path.write_text(development_account(number).key.hex() + "\n")
            for devnet in self._world.chains.by_id().values():
                await asyncio.to_thread(devnet.account, number)
        async with Sender(self._world.chains.second.url, key) as sender:
            token = Token(sender, format_address(self._world.deployment.usdc))
            await token.mint(key.address, _TEST_USDC)

    async def new(self) -> Run:
        """Makes the account."""
        endpoints = [
            argument
            for chain, devnet in self._world.chains.by_id().items()
            for url in devnet.urls
            for argument in ("--rpc", f"{chain}={url}")
        ]
        return await self.run("new", "--insecure-fast", *endpoints)

    async def lock(self, asset: str, amount: str) -> Run:
        """Locks collateral."""
        return await self.run("lock", "--asset", asset, "--amount", amount, *self._paying())

    async def top_up(self, lock: int, amount: str) -> Run:
        """Adds to a lock."""
        return await self.run("top-up", "--lock", str(lock), "--amount", amount, *self._paying())

    async def authorise(self, venue: bytes) -> Run:
        """Lets a venue pledge the account's headroom."""
        return await self.run(
            "authorise", "--venue", format_address(venue), "--payer-key-file", str(self._registry_key)
        )

    async def pledge(self, venue: bytes, line_usd: Decimal, save: Path) -> Run:
        """Proves the pledge that a venue proposes, with a line of at most ``line_usd``, and waits until it stands."""
        line = ("--max-line", str(line_usd))
        return await self.run("pledge", "--venue", format_address(venue), *line, "--save", str(save))

    async def prove(self, venue: bytes, *options: str, save: Path | None = None) -> Run:
        """Proves margin to a venue on the pledge that stands."""
        saving = ("--save", str(save)) if save else ()
        return await self.run("prove", "--venue", format_address(venue), *options, *saving)

    async def start_notice(self, lock: int) -> Run:
        """Starts a lock's notice."""
        return await self.run("notice", "start", "--lock", str(lock), *self._paying())

    async def run(self, *arguments: str) -> Run:
        """Runs one command to its end.

        Raises:
            UnavailableError: It did not end in time, or answered no JSON.
        """
        password = ("--password-file", str(self._world.password_path))
        command = [*command_line(), "--json", "account", *arguments, *password]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self._environment},
            start_new_session=True,
        )
        try:
            stdout, stderr = await asyncio.wait_for(process.communicate(), _COMMAND_SECONDS)
        except TimeoutError:
            raise UnavailableError(f"account {arguments[0]} did not end in {_COMMAND_SECONDS:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        log = self._world.directory / "market-maker.log"
        with log.open("ab") as file:
            file.write(stderr + stdout)
        return Run(process.returncode or 0, _json_object(stdout), _json_object(stderr))

    def asset(self, chain: str) -> str:
        """The universe's id of the collateral on a chain."""
        token = self._world.deployment.usdc if chain == SECOND_CHAIN else bytes(20)
        entry = self._world.network.universe.collateral_entry(chain, token)
        if entry is None:
            raise UnavailableError(f"the universe has no collateral on {chain}")
        return entry.id

    def _paying(self) -> tuple[str, ...]:
        return ("--funding-key-file", str(self._funding_key))


def _json_object(output: bytes) -> dict[str, Any]:
    """The JSON object in a command's output; lines of talk before it are passed over."""
    text = output.decode(errors="replace")
    start = text.find("{")
    try:
        document = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
