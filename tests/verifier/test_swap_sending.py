"""Several endpoints asked at once: what they agree on, what one of them can spoil, and what none can."""

import dataclasses
from typing import Any

import pytest
from eth_account import Account

from marginproof.chains.evm.transactions.posting import BroadcastOutcome, Call, CountAt, Fees
from marginproof.chains.evm.transactions.receipts import TransactionReverted
from marginproof.model.errors import MalformedError, UnavailableError
from marginproof.verifier.swap_sending import SwapSending
from marginproof.verifier.swaps import SwapKind
from tests.verifier.swap_world import HOME
from tests.verifier.test_swaps import RELEASE, SWAP

KEY = Account.from_key(b"\x21" * 32)
GWEI = 10**9
QUOTE = Fees(22 * GWEI, 2 * GWEI)


@dataclasses.dataclass
class Answers:
    """An endpoint that says what the test wants; an exception is raised."""

    quote: Any = QUOTE
    pending: Any = 5
    gas: Any = 100_000
    outcome: Any = BroadcastOutcome.TAKEN
    receipts: frozenset[bytes] = frozenset()
    down: bool = False

    def _give(self, answer: Any) -> Any:
        if self.down:
            raise UnavailableError("the endpoint failed")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def fee_quote(self) -> Any:
        return self._give(self.quote)

    async def transaction_count(self, address: str, at: CountAt) -> Any:
        assert (address, at) == (KEY.address, CountAt.PENDING)
        return self._give(self.pending)

    async def estimate_gas(self, sender: str, call: Call) -> Any:
        assert sender == KEY.address
        return self._give(self.gas)

    async def broadcast(self, raw: bytes) -> Any:
        return self._give(self.outcome)

    async def receipt(self, transaction: bytes) -> Any:
        return self._give("a receipt" if transaction in self.receipts else None)


@dataclasses.dataclass
class Block:
    number: int


@dataclasses.dataclass
class Parts:
    """Pool, setting, file and network in one: only what the sending reads."""

    height: int = 50
    nonce: int = 3

    key = KEY
    venue = bytes.fromhex(KEY.address[2:])
    home_chain = HOME
    registry = b"\x05" * 20

    @property
    def file(self) -> Any:
        return self

    network = file

    async def latest_header(self) -> Block:
        return Block(self.height)

    async def read_account(self, header: Block, address: bytes) -> Any:
        assert address == self.venue
        return dataclasses.replace(self, nonce=self.nonce if header.number == 50 else 2), {}


def sending(*endpoints: Answers, parts: Parts | None = None) -> SwapSending:
    given: Any = parts or Parts()
    answers: Any = endpoints
    return SwapSending(given, given, answers)


FINAL: Any = Block(48)
DOWN = Answers(down=True)


async def test_the_head_is_proven_and_the_rest_is_the_middle_of_what_endpoints_say() -> None:
    cheap, dear = Answers(Fees(3, 1), pending=9), Answers(Fees(900 * GWEI, 500 * GWEI), pending=4)
    head = await sending(dear, Answers(), cheap).head(FINAL)
    assert (head.height, head.mined, head.pending) == (50, 3, 4)
    assert (head.base_fee, head.suggested) == (10 * GWEI, Fees(22 * GWEI, 2 * GWEI))


async def test_a_newest_block_below_the_finalized_one_is_none() -> None:
    head = await sending(Answers(), parts=Parts(height=40)).head(FINAL)
    assert (head.height, head.mined) == (48, 2)


async def test_silent_endpoints_do_not_count_and_all_silent_is_an_error() -> None:
    assert (await sending(DOWN, Answers()).head(FINAL)).pending == 5
    for call in (
        sending(DOWN).head(FINAL),
        sending(DOWN).broadcast(b""),
        sending(DOWN).none_mined([b"\x01"]),
        sending(DOWN).estimate(Call(KEY.address, b"")),
        sending().estimate(Call(KEY.address, b"")),
    ):
        with pytest.raises(UnavailableError):
            await call


async def test_an_estimate_has_a_margin_and_one_endpoints_refusal_is_not_the_last_word() -> None:
    refusing = Answers(gas=TransactionReverted("DIGEST_STALE", "swap"))
    call = Call(KEY.address, b"")
    assert await sending(DOWN, refusing, Answers()).estimate(call) == 125_000
    with pytest.raises(TransactionReverted) as caught:
        await sending(refusing, DOWN).estimate(call)
    assert caught.value.reason == "DIGEST_STALE"


async def test_the_best_that_any_endpoint_made_of_a_transaction_counts() -> None:
    low, taken = Answers(outcome=BroadcastOutcome.UNDERPRICED), Answers()
    assert await sending(low, taken).broadcast(b"") is BroadcastOutcome.TAKEN
    assert await sending(low, DOWN).broadcast(b"") is BroadcastOutcome.UNDERPRICED


async def test_a_transaction_is_missing_only_if_no_endpoint_has_a_receipt() -> None:
    has = Answers(receipts=frozenset({b"\x02"}))
    assert await sending(Answers(), DOWN).none_mined([b"\x01", b"\x02"])
    assert not await sending(Answers(), has).none_mined([b"\x01", b"\x02"])


async def test_orders_become_calls_and_equal_calls_equal_bytes() -> None:
    made = sending(Answers())
    calls = {made.call_of(SWAP), made.call_of(RELEASE), made.no_op()}
    assert len(calls) == 3
    assert made.no_op() == Call(KEY.address, b"")
    fees = Fees(5, 1)
    first = made.sign(made.call_of(SWAP), 3, fees, 90_000)
    assert first == made.sign(made.call_of(SWAP), 3, fees, 90_000)
    assert first.hash != made.sign(made.call_of(SWAP), 4, fees, 90_000).hash
    with pytest.raises(MalformedError):
        made.call_of(dataclasses.replace(SWAP, universe_version=2**64))
    assert made.call_of(dataclasses.replace(RELEASE, kind=SwapKind.RELEASE)).data != made.call_of(SWAP).data
