"""Bad days drawn at random: whatever is lost, taken back or crashes, every order ends as the registry has it."""

import contextlib
import dataclasses
import random
from typing import Any

import pytest
import sqlalchemy as sa
from eth_account import Account

from marginproof.attestation.typed_signing import sign_typed
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import UnavailableError
from marginproof.model.pledges import PledgeStep
from marginproof.model.typed_data import pledge_message
from marginproof.verifier.swap_plan import SwapRules
from marginproof.verifier.swap_poster import SwapPoster
from marginproof.verifier.swaps import SwapKind, SwapOrder, SwapOutcome, SwapState
from tests.verifier.swap_chain import GWEI, OWN, ChainInMemory, Crash

KEY = Account.from_key(b"\x31" * 32)
OWNER = bytes.fromhex(KEY.address[2:])
NETWORK_ID = b"\x4e" * 32
HOME, REGISTRY = "eip155:1", b"\x05" * 20
ACCOUNTS = 4
RULES = SwapRules(window=3, stuck_seconds=4, fee_cap=400 * GWEI)


@dataclasses.dataclass
class Setting:
    """As much of a venue's setting as the poster reads."""

    now: int = 0

    venue = OWN
    network_id = NETWORK_ID

    @property
    def file(self) -> Any:
        return self

    @property
    def network(self) -> Any:
        return AccountIdentity(HOME, REGISTRY, OWNER, 0)  # has home_chain and registry, like a network

    def clock(self) -> int:
        return self.now


class Drill:
    """One venue with a few accounts on one chain, and a dice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.chain = ChainInMemory()
        self.setting = Setting()
        self.engine = sa.create_engine(
            "sqlite://", poolclass=sa.pool.StaticPool, connect_args={"check_same_thread": False}
        )
        self.poster = self._start()
        self.open: dict[bytes, SwapOrder] = {}
        self.standing: dict[bytes, bytes] = {}
        self.failed: set[bytes] = set()
        self.lapsed: set[bytes] = set()
        self.outcomes: list[SwapOutcome] = []
        self.drawn = 0

    def _start(self) -> SwapPoster:
        parts: Any = self.chain
        setting: Any = self.setting
        return SwapPoster(self.engine, parts, parts, setting, self._told, RULES)

    def _told(self, outcome: SwapOutcome) -> None:
        """What the venue is told must be so on the finalized chain."""
        order = self.open.pop(outcome.account, None)
        if order is None:
            return  # told again after a crash
        pledge = self.chain.final_state.pledges.get((outcome.account, OWN))
        if outcome.state is SwapState.STANDING:
            assert pledge == (outcome.commitment, 1) or outcome.commitment in self.lapsed
            self.standing[outcome.account] = outcome.commitment
        elif outcome.state is SwapState.RELEASED:
            assert pledge is None
            self.standing.pop(outcome.account, None)
        else:
            assert pledge is None or pledge[0] != outcome.commitment
            self.failed.add(outcome.commitment)
            if outcome.commitment in self.lapsed:
                self.standing.pop(outcome.account, None)  # it stood, and was gone again, between two looks
        self.outcomes.append(outcome)

    async def order(self) -> None:
        number = self.dice.randrange(ACCOUNTS)
        identity = AccountIdentity(HOME, REGISTRY, OWNER, number)
        account = identity.root()
        if account in self.open:
            return
        final = self.chain.final_state
        digest = final.digest(account)
        held = final.pledges.get((account, OWN))
        if held is not None and self.dice.random() < 0.4:
            order = SwapOrder(account, OWNER, number, digest, held[0], 1, b"", SwapKind.RELEASE, self.chain.final)
        else:
            self.drawn += 1
            commitment = self.drawn.to_bytes(48, "big")
            message = pledge_message(NETWORK_ID, account, PledgeStep(digest, OWN, commitment, 1))
            order = SwapOrder(
                account, OWNER, number, digest, commitment, 1, sign_typed(KEY, message), height=self.chain.final
            )
        self.open[account] = order
        await self.poster.enqueue(order)

    async def tick(self) -> None:
        self.setting.now += 1
        try:
            with contextlib.suppress(UnavailableError):
                await self.poster.tick()
        except Crash:
            self.poster = self._start()

    def others_act(self) -> None:
        account = AccountIdentity(HOME, REGISTRY, OWNER, self.dice.randrange(ACCOUNTS)).root()
        self.drawn += 1
        what = self.dice.choice(("rival", "lapse"))
        self.lapsed |= self.chain.change(account, what, self.drawn.to_bytes(48, "big"))

    async def bad_step(self) -> None:
        chain, dice = self.chain, self.dice
        match dice.randrange(14):
            case 0 | 1 | 2:
                chain.mine()
            case 3 | 12 | 13:
                await self.order()
            case 4 if chain.pool:
                chain.pool.pop(dice.choice(sorted(chain.pool)))
            case 5:
                chain.reorganise(dice.randint(1, 3), keep=dice.random() < 0.5)
            case 6 if dice.random() < 0.3:
                chain.mine(foreign=True)
            case 7:
                self.others_act()
            case 8:
                chain.base_fee = dice.choice((5, 10, 50, 150)) * GWEI
            case 9:
                chain.deaf = not chain.deaf
            case 10:
                chain.crash_in = dice.randint(1, 6)
            case _:
                self.poster = self._start()
                self.setting.now += dice.randint(0, 6)
        await self.tick()
        self.check()

    async def calm_down(self) -> None:
        self.chain.deaf, self.chain.crash_in, self.chain.base_fee = False, 0, 5 * GWEI
        for _ in range(80):
            if not self.open:
                return
            await self.tick()
            self.chain.mine()
            self.check()

    def check(self) -> None:
        standing = {
            commitment for (_, venue), (commitment, _) in self.chain.final_state.pledges.items() if venue == OWN
        }
        assert not standing & self.failed


@pytest.mark.parametrize("seed", range(12))
async def test_every_order_ends_as_the_registry_has_it(seed: int) -> None:
    drill = Drill(seed)
    for _ in range(300):
        await drill.bad_step()
    await drill.calm_down()
    assert not drill.open, "an order was never settled"
    assert len(drill.outcomes) >= 5
    for account, commitment in drill.standing.items():
        if commitment not in drill.lapsed:
            # No late transaction of an earlier release, or of anything else, has taken it away.
            assert drill.chain.final_state.pledges[account, OWN] == (commitment, 1)
    drill.engine.dispose()
