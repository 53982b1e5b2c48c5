"""What every chapter is made of: steps, waiting, proofs, and what the clock of the day shows."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from eth_account.signers.local import LocalAccount

from marginproof.attestation.certificates import verify_certificate
from marginproof.attestation.typed_signing import sign_typed
from marginproof.cli.demo.market_maker import MarketMaker, Run
from marginproof.cli.demo.record import Record, Step
from marginproof.cli.demo.scenario import Hour, Scenario
from marginproof.cli.demo.screen import Screen
from marginproof.cli.demo.story.verifying import verify_milliseconds
from marginproof.cli.demo.world import VenueSite, World
from marginproof.client.venue import AccountCredential, DecisionAnswer, MarginStatus
from marginproof.model.accounts import AccountIdentity
from marginproof.model.bundle import PresentationBundle
from marginproof.model.certificates import Certificate
from marginproof.model.errors import NotFoundError, UnavailableError
from marginproof.model.margin import MarginState
from marginproof.model.network import epoch_of
from marginproof.model.typed_data import request_message, venue_method
from marginproof.prover.account import Account
from marginproof.prover.session import AccountSession

_T = TypeVar("_T")
_WAIT_SECONDS: Final = 45.0
_POLL_SECONDS: Final = 0.25


class Stage:
    """The world, the record that is written, and the helpers that chapters share.

    ``account`` and, by the account's own numbers, ``lock_ids`` are known once made.
    """

    def __init__(self, world: World, scenario: Scenario, record: Record, screen: Screen) -> None:
        self.world = world
        self.scenario = scenario
        self.record = record
        self.screen = screen
        self.maker = MarketMaker(world)
        self.account = b""
        self.lock_ids: dict[int, int] = {}
        self._asking: tuple[AccountIdentity, LocalAccount] | None = None
        self.bundles: dict[str, PresentationBundle] = {}

    # Steps.

    @contextlib.contextmanager
    def step(self, number: str, title: str, expected: str) -> Iterator[Step]:
        """One step; it is shown when the block ends, and stays "not reached" in the record when the block raises."""
        step = Step(number, title, expected)
        self.record.steps.append(step)
        yield step
        step.at_seconds = round(self.record.elapsed, 1)
        self.screen.step(step)

    async def attempt(self, number: str, title: str, expected: str, attempt: Awaitable[DecisionAnswer]) -> None:
        """A step that is a venue's decision."""
        with self.step(number, title, expected) as step:
            answer = await attempt
            step.outcome, step.reasons = answer.outcome.name, answer.reasons

    async def command(self, number: str, title: str, success: str, run: Awaitable[Run]) -> dict[str, str]:
        """A step that is one of the market maker's commands and must succeed; gives its result."""
        with self.step(number, title, success) as step:
            finished = await run
            step.outcome, step.reasons = outcome_of(finished, success)
        return finished.result

    async def proof(self, number: str, title: str, venue: VenueSite, name: str, run: Awaitable[Run]) -> None:
        """A step that is a submitted proof and must be accepted; its bundle is kept under ``name``."""
        with self.step(number, title, "ACCEPT") as step:
            finished = await run
            step.outcome, step.reasons = outcome_of(finished, str(finished.result.get("outcome", "ACCEPT")))
            if finished.result:
                step.proof_bytes = finished.result.get("proof_bytes")
                step.prove_milliseconds = finished.result.get("prove_milliseconds")
                bundle = self.bundles[name] = self.load(name)
                step.verify_milliseconds = verify_milliseconds(self.world.network, bundle, venue.address)

    # Waiting.

    async def until(self, probe: Callable[[], Awaitable[_T | None]], what: str) -> _T:
        """Asks again and again until there is an answer; processes must go on running meanwhile.

        Raises:
            UnavailableError: It did not come in time, or a process ended.
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            self.world.check_running()
            found = None
            with contextlib.suppress(UnavailableError):  # a slow answer is no answer yet
                found = await probe()
            if found is not None:
                return found
            await asyncio.sleep(_POLL_SECONDS)
        raise UnavailableError(
            f"{what} did not come within {_WAIT_SECONDS:.0f} s", fix="run again on a quieter machine"
        )

    async def play_hour(self, hour: Hour) -> None:
        """Moves the feeds to an hour and waits until every venue's snapshot shows it."""
        self.screen.say(f"the feeds move to {hour.time} UTC: ETH at {usd(hour)}")
        await self.world.tape.play(hour)
        for venue in self.world.venues:
            await self.until(functools.partial(_shows, venue, hour), f"a snapshot at {usd(hour)}")

    async def next_snapshot(self, venue: VenueSite) -> None:
        """Waits for a newer snapshot than the venue has now."""
        before = (await venue.client.get_snapshot())[0].digest

        async def newer() -> bool | None:
            return True if (await venue.client.get_snapshot())[0].digest != before else None

        await self.until(newer, "the venue's next snapshot")

    async def certificate(self, chain: str, epoch: int) -> Certificate:
        """The account's newest certificate on a chain once it is of ``epoch`` or later, verified."""
        self.screen.say(f"waiting for a certificate of {chain}")
        return await self.until(lambda: self.certified(chain, epoch), f"a certificate of {chain}")

    async def certified(self, chain: str, epoch: int) -> Certificate | None:
        """The same without waiting: None where no relayer has one yet."""
        for relayer in self.world.relayers:
            try:
                _, certificate = await relayer.get_account_leaf(self.account, chain)
            except (NotFoundError, UnavailableError):
                continue
            if certificate.body.epoch >= epoch:
                network = self.world.network
                verify_certificate(certificate, network.network_id, network.signer_set)
                return certificate
        return None

    async def line_opens(self, number: str, venue: VenueSite) -> None:
        """A step: the venue's swap is final and its line takes orders."""

        async def opened() -> bool | None:
            status = await venue.book.get_pledge(self.account)
            return True if status.line_open and status.proposal_state.name == "STANDING" else None

        with self.step(number, f"the pledge of venue {venue.letter} is final on the registry", "LINE_OPEN") as step:
            await self.until(opened, "the pledge's finality")
            step.outcome = "LINE_OPEN"

    async def margin_state(self, venue: VenueSite, wanted: MarginState) -> str:
        """Waits for a state of the account at the venue, or for a worse one."""

        async def reached() -> str | None:
            state = (await self.margin_status(venue)).state
            return state.name if wanted <= state <= MarginState.DEFAULT else None

        self.screen.say(f"waiting for the state {wanted.name}")
        return await self.until(reached, f"the state {wanted.name}")

    async def margin_status(self, venue: VenueSite) -> MarginStatus:
        """Where the account stands at a venue; asked with the account's key, but without opening its directory."""
        if self._asking is None:
            raise RuntimeError("the account is not made yet")
        identity, signer = self._asking
        now = int(time.time())
        method = venue_method(venue.address, "GetMarginStatus")
        message = request_message(self.world.network.network_id, self.account, method, now)
        return await venue.client.get_margin_status(AccountCredential(identity, now, sign_typed(signer, message)))

    # The account, the clock and the folder.

    async def account_made(self, account: bytes) -> None:
        """Notes the account's id, and its key: while the agent runs, nobody else can open the account's directory."""
        self.account = account

        async def read(opened: Account, _: AccountSession) -> tuple[AccountIdentity, LocalAccount]:
            return opened.identity, opened.signer

        self._asking = await self.with_session(read)

    async def with_session(self, act: Callable[[Account, AccountSession], Awaitable[_T]]) -> _T:
        """Opens the account in this process: for what no honest command does, and for looking."""
        password = self.world.password_path.read_text().strip()
        with Account.open(self.maker.directory, self.world.network, password) as account:
            async with AccountSession(account, self.world.network) as session:
                return await act(account, session)

    def epoch(self) -> int:
        """The epoch of now: a certificate of it, or of a later one, shows everything that was mined before."""
        return epoch_of(self.world.network.configuration, int(time.time()))

    def path(self, name: str) -> Path:
        """Where a presentation is kept."""
        return self.world.directory / f"presentation-{name}.json"

    def bundle_paths(self) -> list[Path]:
        """Every kept presentation."""
        return sorted(self.world.directory.glob("presentation-*.json"))

    def load(self, name: str) -> PresentationBundle:
        """A kept presentation."""
        return PresentationBundle.decode(self.path(name).read_bytes())


def outcome_of(run: Run, success: str) -> tuple[str, tuple[str, ...]]:
    """A command's outcome: ``success`` with its reasons, or REFUSED with the code."""
    if not run.result:
        return "REFUSED", (str(run.error.get("code", "NO_ANSWER")),)
    return success, tuple(run.result.get("reasons", ()))


def expect_success(run: Run) -> dict[str, str]:
    """The result of a command that is no step of its own.

    Raises:
        UnavailableError: It failed.
    """
    if run.exit_code or not run.result:
        code = run.error.get("code", "no answer")
        raise UnavailableError(f"the market maker's command failed: {code} {run.error.get('message', '')}")
    return run.result


def usd(hour: Hour) -> str:
    """An hour's price for the screen."""
    return f"{Decimal(hour.eth_price) / 10**8:.2f} USD"


async def _shows(venue: VenueSite, hour: Hour) -> bool | None:
    signed, _ = await venue.client.get_snapshot()
    values = {value.point: value.value for value in signed.snapshot.values}
    return True if abs(values["price:ETH"] - hour.eth_price) * 1000 < hour.eth_price else None
