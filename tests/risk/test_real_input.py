"""Replays two days on which margin systems failed: at every bar the proof decides as clear arithmetic does."""

import dataclasses
from fractions import Fraction
from pathlib import Path

import pytest

from marginproof.core import CoreError, Opening, Statement, prove, random_blinding, verify
from marginproof.model.margin import Purpose
from marginproof.risk.clear import ClearMargin, clear_margin
from marginproof.risk.market import Market
from marginproof.risk.packaged import packaged_policy
from marginproof.risk.policy import load_policy
from marginproof.risk.rows import CompiledPolicy, compile_policy
from tests.risk import market_days, world
from tests.risk.market_days import MARKET_DAYS, MarketDay

POLICY = load_policy(packaged_policy())
CONTEXT = b"replay".ljust(32, b"\0")
"""The same for every bar, so that an old proof fails for its statement and for nothing else."""
UNIT = Fraction(1, 10**POLICY.row_unit_exponent)
BOUNDARY_EVERY = 12
FORGED_EVERY = 8
"""At each eighth rejected bar a proof about more collateral than was committed to is tried as well."""
days = pytest.mark.parametrize("day", MARKET_DAYS, ids=[day.name for day in MARKET_DAYS])


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar: the rows and the clear margin of an account."""

    day: MarketDay
    market: Market
    purpose: Purpose
    compiled: CompiledPolicy
    clear: ClearMargin
    book: dict[int, int]

    def openings(self, extra_usdc: int = 0) -> list[Opening]:
        collateral = dict(self.day.collateral)
        collateral[market_days.USDC] += extra_usdc
        return [Opening(self.day.universe.n, vector, random_blinding(vector)) for vector in (collateral, self.book)]

    def moved_to(self, worst: Fraction) -> "Bar":
        """The bar of an account with just so much more or less cash that its worst scenario leaves ``worst`` USD."""
        missing = worst - self.clear.worst
        book = world.with_cash(self.book, missing, cash=market_days.CASH, dust=market_days.DUST)
        return bar(self.day, self.market, self.purpose, book)


def bar(day: MarketDay, market: Market, purpose: Purpose, book: dict[int, int]) -> Bar:
    compiled = compile_policy(POLICY, day.universe, market, purpose)
    return Bar(
        day,
        market,
        purpose,
        compiled,
        clear_margin(POLICY, day.universe, market, purpose, day.collateral, book),
        book,
    )


@dataclasses.dataclass
class Replay:
    """What happened so far, and the last proof that was accepted with the commitments it is for."""

    commitments: list[bytes]
    openings: list[Opening]
    proof: bytes | None = None
    accepted: int = 0
    rejected: int = 0

    def decide(self, current: Bar) -> None:
        """Proves or is refused, and compares that with the clear decision."""
        try:
            proof = prove(current.compiled.statement, self.openings, CONTEXT)
        except CoreError as error:
            self._rejected(current, error)
            return
        verify(current.compiled.statement, self.commitments, CONTEXT, proof)
        assert current.clear.solvent
        self.proof = proof
        self.accepted += 1

    def _rejected(self, current: Bar, error: CoreError) -> None:
        assert error.code == "ROW_NOT_SATISFIED"
        assert error.row is not None
        assert current.clear.values[error.row] < 0
        self.rejected += 1
        statement = current.compiled.statement
        if self.proof is not None:
            expect_invalid(statement, self.commitments, self.proof)
        if self.rejected % FORGED_EVERY == 1:
            richer = current.openings(extra_usdc=10**9)
            expect_invalid(statement, self.commitments, prove(statement, richer, CONTEXT))


def expect_invalid(statement: Statement, commitments: list[bytes], proof: bytes) -> None:
    with pytest.raises(CoreError) as caught:
        verify(statement, commitments, CONTEXT, proof)
    assert caught.value.code == "PROOF_INVALID"


def replay_of(first: Bar) -> Replay:
    openings = first.openings()
    return Replay([opening.commitment() for opening in openings], openings)


@pytest.mark.shared
@days
@pytest.mark.parametrize("purpose", Purpose, ids=[purpose.name.lower() for purpose in Purpose])
def test_every_bar_decides_as_clear_arithmetic(day: MarketDay, purpose: Purpose, shared_dir: Path) -> None:
    markets = day.markets(shared_dir / "data" / "prices")
    assert len(markets) == day.bars
    bars = [bar(day, market, purpose, day.book) for market in markets]
    replay = replay_of(bars[0])
    for current in bars:
        assert current.compiled.rounding_bound == 0
        replay.decide(current)
    assert replay.accepted + replay.rejected == day.bars
    assert replay.rejected * 5 >= day.bars
    assert replay.accepted * 5 >= day.bars


@pytest.mark.shared
@days
def test_bars_on_the_boundary_decide_to_the_unit(day: MarketDay, shared_dir: Path) -> None:
    for number, market in enumerate(day.markets(shared_dir / "data" / "prices")[::BOUNDARY_EVERY]):
        purpose = list(Purpose)[number % 2]
        fixed = bar(day, market, purpose, day.book)
        for worst, accepted in ((Fraction(0), True), (-UNIT, False), (UNIT, True)):
            current = fixed.moved_to(worst)
            assert current.clear.worst == worst
            replay = replay_of(current)
            replay.decide(current)
            assert (replay.accepted, replay.rejected) == (int(accepted), int(not accepted))
