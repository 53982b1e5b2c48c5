"""The story: one bad day of a market maker, step by step, each with the outcome it must have."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from marginproof import core
from marginproof.attestation.certificates import verify_certificate
from marginproof.cli.demo import dishonest
from marginproof.cli.demo.deployment import HOME_CHAIN, SECOND_CHAIN
from marginproof.cli.demo.market_maker import MarketMaker, Run
from marginproof.cli.demo.parties import party_views
from marginproof.cli.demo.record import Record, Step
from marginproof.cli.demo.scenario import Fill, Hour, Scenario
from marginproof.cli.demo.screen import Screen
from marginproof.cli.demo.world import World
from marginproof.client.venue import DecisionAnswer
from marginproof.model.bundle import PresentationBundle
from marginproof.model.certificates import Certificate
from marginproof.model.errors import NotFoundError, UnavailableError
from marginproof.model.margin import Presentation, Purpose, SignedSnapshot
from marginproof.model.network import epoch_of
from marginproof.prover.account import Account
from marginproof.prover.session import AccountSession
from marginproof.risk.packaged import packaged_policy
from marginproof.risk.policy import load_policy
from marginproof.risk.snapshot import compile_snapshot

_T = TypeVar("_T")
_ETH_LOCK: Final = 0
_USDC_LOCK: Final = 1
_WAIT_SECONDS: Final = 45.0
_POLL_SECONDS: Final = 0.4


class Story:
    """Plays all steps on a world and writes the record."""

    def __init__(self, world: World, scenario: Scenario, record: Record, screen: Screen) -> None:
        self._world = world
        self._scenario = scenario
        self._record = record
        self._screen = screen
        self._maker = MarketMaker(world)
        self._account = b""
        self._bundles: dict[str, PresentationBundle] = {}

    async def play(self) -> None:
        """All steps in order.

        Raises:
            MarginproofError: Something that no step expects: a process ended, an answer stayed away.
        """
        await self._lock_on_two_chains()
        await self._open_positions()
        await self._fall()
        await self._top_up()
        await self._withdraw_behind_the_back()
        self._record.parties = party_views(self._bundle_paths(), self._amounts())

    # 1. Collateral on two chains, certified.

    async def _lock_on_two_chains(self) -> None:
        self._screen.heading("1. Collateral on two chains")
        await self._maker.fund()
        made = _expect_success(await self._maker.new())
        self._account = bytes.fromhex(made["account"].removeprefix("0x"))
        for chain, amount, unit in (
            (HOME_CHAIN, self._scenario.eth, "ETH"),
            (SECOND_CHAIN, self._scenario.usdc, "USDC"),
        ):
            step = self._begin("1", f"locks {amount} {unit} on {chain}", "LOCKED")
            run = await self._maker.lock(self._maker.asset(chain), str(amount))
            step.outcome, step.reasons = _outcome(run, "LOCKED")
            self._end(step)
        step = self._begin("1", "registers the account with three relayers", "REGISTERED")
        step.outcome, step.reasons = _outcome(await self._maker.run("register"), "REGISTERED")
        self._end(step)
        for chain in (HOME_CHAIN, SECOND_CHAIN):
            step = self._begin("1", f"certificate of {chain}", "CERTIFIED")
            certificate = await self._certificate(chain, 0)
            signers = sum(certificate.signers)
            step.outcome = "CERTIFIED" if signers >= self._world.network.configuration.threshold else "TOO FEW"
            step.detail = f"signed by {signers} of {len(self._world.network.relayers)}"
            body, digest = certificate.body, certificate.digest.hex()
            self._record.certificates.append(
                {"chain": chain, "epoch": body.epoch, "signers": signers, "digest": digest}
            )
            self._end(step)

    # 2. Positions at the venue.

    async def _open_positions(self) -> None:
        self._screen.heading("2. Short perpetuals and written options at the venue")
        await self._world.book.open_account(self._account)
        for number, fill in enumerate(self._scenario.fills):
            step = self._begin("2", f"sells {-fill.size} {fill.instrument} at {fill.price} USD", "FILLED")
            await self._world.book.record_fill(
                f"demo-{number}", self._account, fill.instrument, self._lots(fill), int(fill.price * 10**8)
            )
            step.outcome = "FILLED"
            self._end(step)
        await self._next_snapshot()
        await self._prove("2", "proves initial margin", "ACCEPT", "opening", "--initial")

    # 3. ETH falls.

    async def _fall(self) -> None:
        worse, crash = self._scenario.worse, self._scenario.crash
        self._screen.heading(f"3. ETH falls: {_usd(worse)} at {worse.time}, {_usd(crash)} at {crash.time} UTC")
        await self._play_hour(worse)
        run = await self._maker.prove("--dry-run", save=self._path("unsubmitted"))
        _expect_success(run)
        unsubmitted = self._load("unsubmitted")
        changed = dishonest.changed_byte(self._world, unsubmitted)
        await self._attempt("the same proof with one byte changed", "REJECT PROOF_INVALID", changed)
        misdirected = dishonest.other_venue(self._world, unsubmitted)
        await self._attempt("the same proof for another venue", "REJECT WRONG_VENUE", misdirected)
        await self._prove("3", "the proof itself", "ACCEPT", "worse")
        await self._play_hour(crash)
        step = self._begin("3", "half of the time to the next proof is over", "PROOF_DUE")
        step.outcome = await self._margin_state("PROOF_DUE")
        self._end(step)
        step = self._begin("3", f"wants to prove at {_usd(crash)}", "REFUSED MARGIN_INSUFFICIENT")
        step.outcome, step.reasons = _outcome(await self._maker.prove(), "ACCEPT")
        self._end(step)
        step = self._begin("3", "the deadline passes", "MARGIN_CALL")
        step.outcome = await self._margin_state("MARGIN_CALL")
        self._end(step)
        replay = dishonest.replayed(self._world, self._bundles["worse"])
        await self._attempt("the accepted proof once more", "REJECT REPLAYED", replay)

    # 4. Top-up on the second chain.

    async def _top_up(self) -> None:
        amount = self._scenario.top_up_usdc
        self._screen.heading("4. More collateral on the second chain")
        step = self._begin("4", f"adds {amount} USDC", "ADDED")
        step.outcome, step.reasons = _outcome(await self._maker.top_up(_USDC_LOCK, str(amount)), "ADDED")
        self._end(step)
        await self._certificate(SECOND_CHAIN, self._epoch())
        await self._next_snapshot()
        await self._prove("4", "proves maintenance margin", "ACCEPT", "topped-up")

    # 5. A lock under notice does not count.

    async def _withdraw_behind_the_back(self) -> None:
        self._screen.heading("5. Notice on the ETH lock")
        kept = await self._with_session(lambda _account, session: session.evidence())
        step = self._begin("5", "starts the notice of the ETH lock", "STARTED")
        step.outcome, step.reasons = _outcome(await self._maker.start_notice(_ETH_LOCK), "STARTED")
        self._end(step)
        await self._certificate(HOME_CHAIN, self._epoch())
        await self._next_snapshot()
        step = self._begin("5", "wants to prove without that lock", "REFUSED MARGIN_INSUFFICIENT")
        step.outcome, step.reasons = _outcome(await self._maker.prove(), "ACCEPT")
        self._end(step)
        step = self._begin("5", "proves with certificates from before the notice", "REJECT CERTIFICATE_NOT_NEWEST")
        answer = await self._with_session(
            lambda account, session: dishonest.old_certificates(self._world, account, session, kept, packaged_policy())
        )
        _note(step, answer)
        self._end(step)

    # What the steps are made of.

    async def _prove(self, number: str, title: str, expected: str, name: str, *options: str) -> None:
        step = self._begin(number, title, expected)
        run = await self._maker.prove(*options, save=self._path(name))
        step.outcome, step.reasons = _outcome(run, run.result.get("outcome", "ACCEPT"))
        if run.result:
            step.reasons = tuple(run.result.get("reasons", ()))
            step.proof_bytes = run.result.get("proof_bytes")
            step.prove_milliseconds = run.result.get("prove_milliseconds")
            self._bundles[name] = self._load(name)
            step.verify_milliseconds = self._verify_time(self._bundles[name])
        self._end(step)

    async def _attempt(self, title: str, expected: str, attempt: Coroutine[Any, Any, DecisionAnswer]) -> None:
        step = self._begin("3", title, expected)
        _note(step, await attempt)
        self._end(step)

    async def _play_hour(self, hour: Hour) -> None:
        self._screen.say(f"the feeds move to {hour.time} UTC: ETH at {_usd(hour)}")
        await self._world.tape.play(hour)
        await self._until(lambda: self._snapshot_shows(hour), f"a snapshot at {_usd(hour)}")

    async def _snapshot_shows(self, hour: Hour) -> bool | None:
        signed, _ = await self._world.venue.get_snapshot()
        values = {value.point: value.value for value in signed.snapshot.values}
        return True if abs(values["price:ETH"] - hour.eth_price) * 1000 < hour.eth_price else None

    async def _next_snapshot(self) -> None:
        before = (await self._world.venue.get_snapshot())[0].digest

        async def newer() -> bool | None:
            return True if (await self._world.venue.get_snapshot())[0].digest != before else None

        await self._until(newer, "the venue's next snapshot")

    async def _certificate(self, chain: str, epoch: int) -> Certificate:
        """The account's newest certificate on a chain once it is of ``epoch`` or later, verified."""
        self._screen.say(f"waiting for a certificate of {chain}")

        async def certified() -> Certificate | None:
            for relayer in self._world.relayers:
                try:
                    _, certificate = await relayer.get_account_leaf(self._account, chain)
                except NotFoundError:
                    continue
                if certificate.body.epoch >= epoch:
                    return certificate
            return None

        certificate = await self._until(certified, f"a certificate of {chain}")
        verify_certificate(certificate, self._world.network.network_id, self._world.network.signer_set)
        return certificate

    async def _margin_state(self, wanted: str) -> str:
        """Waits for a state of the account at the venue, or for a worse one."""
        states = ("GOOD", "PROOF_DUE", "MARGIN_CALL", "DEFAULT")
        enough = states[states.index(wanted) :]

        async def reached() -> str | None:
            status = await self._with_session(lambda _, session: session.margin_status(self._world.venue_address))
            return status.state.name if status.state.name in enough else None

        self._screen.say(f"waiting for the state {wanted}")
        return await self._until(reached, f"the state {wanted}")

    async def _until(self, probe: Callable[[], Awaitable[_T | None]], what: str) -> _T:
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            self._world.check_running()
            found = None
            with contextlib.suppress(UnavailableError):  # a slow answer is no answer yet
                found = await probe()
            if found is not None:
                return found
            await asyncio.sleep(_POLL_SECONDS)
        raise UnavailableError(
            f"{what} did not come within {_WAIT_SECONDS:.0f} s", fix="run again on a quieter machine"
        )

    async def _with_session(self, act: Callable[[Account, AccountSession], Awaitable[_T]]) -> _T:
        password = self._world.password_path.read_text().strip()
        with Account.open(self._maker.directory, self._world.network, password) as account:
            async with AccountSession(account, self._world.network) as session:
                return await act(account, session)

    def _verify_time(self, bundle: PresentationBundle) -> float:
        """Milliseconds of the argument's verification alone, measured here once more on the same bytes."""
        presentation = Presentation.decode(bundle.presentation)
        snapshot = SignedSnapshot.decode(bundle.signed_snapshot).snapshot
        universe = self._world.network.universe
        purpose = Purpose(presentation.context.purpose)
        statement = compile_snapshot(load_policy(bundle.policy), universe, snapshot, purpose).statement
        inputs = [
            core.add_commitments([leaf.leaf.commitment for leaf in presentation.leaves]),
            presentation.context.book_commitment,
        ]
        started = time.perf_counter()
        core.verify(statement, inputs, presentation.context.root(), presentation.proof)
        return round((time.perf_counter() - started) * 1000, 1)

    def _lots(self, fill: Fill) -> int:
        exponent = self._world.network.universe.entry(fill.instrument).lot_exponent
        return int(fill.size * Decimal(10) ** exponent)

    def _amounts(self) -> list[int]:
        """Every collateral amount of the day, in base units and in lots."""
        dollars = self._scenario.usdc + self._scenario.top_up_usdc
        wei = int(self._scenario.eth * 10**18)
        micro = [int(amount * 10**6) for amount in (self._scenario.usdc, self._scenario.top_up_usdc, dollars)]
        return [wei, wei // 10**10, *micro, *(amount // 100 for amount in micro)]

    def _epoch(self) -> int:
        """The epoch of now: a certificate of it, or of a later one, shows everything that was mined before."""
        return epoch_of(self._world.network.configuration, int(time.time()))

    def _path(self, name: str) -> Path:
        return self._world.directory / f"presentation-{name}.json"

    def _bundle_paths(self) -> list[Path]:
        return sorted(self._world.directory.glob("presentation-*.json"))

    def _load(self, name: str) -> PresentationBundle:
        return PresentationBundle.decode(self._path(name).read_bytes())

    def _begin(self, number: str, title: str, expected: str) -> Step:
        step = Step(number, title, expected)
        self._record.steps.append(step)
        return step

    def _end(self, step: Step) -> None:
        step.at_seconds = round(self._record.elapsed, 1)
        self._screen.step(step)


def _outcome(run: Run, success: str) -> tuple[str, tuple[str, ...]]:
    if not run.result:
        return "REFUSED", (str(run.error.get("code", "NO_ANSWER")),)
    return success, tuple(run.result.get("reasons", ()))


def _expect_success(run: Run) -> dict[str, str]:
    if run.exit_code or not run.result:
        code = run.error.get("code", "no answer")
        raise UnavailableError(f"the market maker's command failed: {code} {run.error.get('message', '')}")
    return run.result


def _note(step: Step, answer: DecisionAnswer) -> None:
    step.outcome, step.reasons = answer.outcome.name, answer.reasons


def _usd(hour: Hour) -> str:
    return f"{Decimal(hour.eth_price) / 10**8:.2f} USD"
