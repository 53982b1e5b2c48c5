"""A chain in memory for the poster's drill: what takes place there is drawn, not waited for.

It stands in for the endpoints, the proofs and the contract at once, so that thousands of bad days fit into a test; the
tests on a real chain with the real contract are in test_swap_poster.py.
"""

import copy
import dataclasses
import hashlib
from typing import Any

from marginproof.chains.evm.transactions.posting import BroadcastOutcome, Fees, PreparedTransaction
from marginproof.chains.evm.transactions.receipts import TransactionReverted
from marginproof.model.errors import UnavailableError
from marginproof.model.pledges import NO_DIGEST, NO_KEY, RegistryRecord, StandingPledge, next_digest
from marginproof.verifier.swap_plan import Head
from marginproof.verifier.swaps import SwapKind, SwapOrder

FINALITY = 3
GWEI = 10**9
OWN, RIVAL = b"\x61" * 20, b"\x62" * 20


class Crash(BaseException):
    """The process ends here."""


@dataclasses.dataclass
class State:
    """What one block leaves: digests, pledges by (account, venue), and the key's first unused nonce."""

    digests: dict[bytes, bytes] = dataclasses.field(default_factory=dict)
    pledges: dict[tuple[bytes, bytes], tuple[bytes, int]] = dataclasses.field(default_factory=dict)
    nonce: int = 0
    mined: set[bytes] = dataclasses.field(default_factory=set)

    def digest(self, account: bytes) -> bytes:
        return self.digests.get(account, NO_DIGEST)

    def refusal(self, order: SwapOrder | None) -> str:
        """Why the registry would revert, or nothing."""
        if order is None:
            return ""
        if order.kind is SwapKind.RELEASE:
            return "" if (order.account, OWN) in self.pledges else "NO_PLEDGE"
        return "" if self.digest(order.account) == order.digest else "DIGEST_STALE"

    def apply(self, order: SwapOrder | None) -> None:
        if order is None or self.refusal(order):
            return
        if order.kind is SwapKind.RELEASE:
            self.end(order.account, OWN)
        else:
            self.set(order.account, OWN, order.commitment, order.universe_version)

    def set(self, account: bytes, venue: bytes, commitment: bytes, version: int) -> None:
        self.pledges[account, venue] = (commitment, version)
        self.digests[account] = next_digest(self.digest(account), venue, commitment, version)

    def end(self, account: bytes, venue: bytes) -> None:
        if self.pledges.pop((account, venue), None) is not None:
            self.digests[account] = next_digest(self.digest(account), venue)


@dataclasses.dataclass
class Transaction:
    nonce: int
    order: SwapOrder | None
    fees: Fees
    hash: bytes


@dataclasses.dataclass
class Header:
    number: int

    @property
    def hash(self) -> bytes:
        return bytes([self.number % 256]) * 32


class ChainInMemory:
    """Blocks, one mempool, and the faults that a test asks for."""

    def __init__(self) -> None:
        self.states = [State()]
        self.bodies: list[list[Transaction]] = [[]]
        self.pool: dict[int, Transaction] = {}
        self.raw: dict[bytes, Transaction] = {}
        self.base_fee = 10 * GWEI
        self.least_tip = GWEI
        self.final = 0
        self.deaf = False
        self.crash_in = 0

    @property
    def state(self) -> State:
        return self.states[-1]

    @property
    def final_state(self) -> State:
        return self.states[self.final]

    # What the world does.

    def mine(self, *, foreign: bool = False) -> None:
        """A block of what the mempool has in a row, or of somebody else's transaction with the same key."""
        state, body = copy.deepcopy(self.state), []
        if foreign:
            self.pool.pop(state.nonce, None)
            state.nonce += 1
        while (found := self.pool.get(state.nonce)) and self._pays(found):
            state.apply(found.order)
            state.mined.add(found.hash)
            state.nonce += 1
            body.append(self.pool.pop(found.nonce))
        self.states.append(state)
        self.bodies.append(body)
        self.final = max(self.final, len(self.states) - 1 - FINALITY)

    def _pays(self, transaction: Transaction) -> bool:
        return transaction.fees.most >= self.base_fee and transaction.fees.tip >= self.least_tip

    def reorganise(self, depth: int, *, keep: bool) -> None:
        """Takes blocks back; their transactions return to the mempool, or are lost."""
        for _ in range(min(depth, len(self.states) - 1 - self.final)):
            self.states.pop()
            for transaction in self.bodies.pop():
                if keep:
                    self.pool.setdefault(transaction.nonce, transaction)

    def change(self, account: bytes, what: str, commitment: bytes) -> set[bytes]:
        """Something that others do at the end of a block; gives the own commitment that it ended, if any."""
        self.mine()
        if what == "rival":
            self.state.set(account, RIVAL, commitment, 1)
            return set()
        ended = {self.state.pledges[account, OWN][0]} if (account, OWN) in self.state.pledges else set()
        self.state.end(account, OWN)
        return ended

    # What the registry watch gives.

    async def header(self, *, fresh: bool = False) -> Header:
        self._answer()
        return Header(self.final)

    async def record_at(self, header: Header, account: bytes) -> RegistryRecord:
        state = self.states[header.number]
        pledges = tuple(
            StandingPledge(venue, *state.pledges[account, venue], 0)
            for venue in (OWN, RIVAL)
            if (account, venue) in state.pledges
        )
        return RegistryRecord(account, state.digest(account), NO_KEY, 0, pledges)

    async def authorised_at(self, header: Header, account: bytes) -> bool:
        return True

    async def nonce_at(self, header: Header) -> int:
        return self.states[header.number].nonce

    # What the sending gives.

    async def head(self, final: Header) -> Head:
        self._answer()
        pending = self.state.nonce
        while pending in self.pool:
            pending += 1
        suggested = Fees(2 * self.base_fee + self.least_tip, self.least_tip)
        return Head(len(self.states) - 1, self.state.nonce, pending, self.base_fee, suggested)

    def call_of(self, order: SwapOrder) -> Any:
        return order

    def no_op(self) -> Any:
        return None

    async def estimate(self, call: SwapOrder | None) -> int:
        self._answer()
        refusal = self.state.refusal(call)
        if refusal:
            raise TransactionReverted(refusal, "a call")
        return 100_000

    def sign(self, call: SwapOrder | None, nonce: int, fees: Fees, gas: int) -> PreparedTransaction:
        digest = hashlib.sha256(repr((call, nonce, fees, gas)).encode()).digest()
        self.raw[digest] = Transaction(nonce, call, fees, digest)
        self._step()
        return PreparedTransaction(nonce, fees, gas, digest, digest)

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        self._step()
        self._answer()
        transaction = self.raw[raw]
        if transaction.nonce < self.state.nonce:
            return BroadcastOutcome.NONCE_TOO_LOW
        known = self.pool.get(transaction.nonce)
        if known is not None and known.hash != raw:
            least = Fees(known.fees.most * 110 // 100, known.fees.tip * 110 // 100)
            if transaction.fees.most < least.most or transaction.fees.tip < least.tip:
                return BroadcastOutcome.UNDERPRICED
        self.pool[transaction.nonce] = transaction
        self._step()
        return BroadcastOutcome.TAKEN

    async def none_mined(self, hashes: list[bytes]) -> bool:
        return not self.state.mined.intersection(hashes)

    def _answer(self) -> None:
        if self.deaf:
            raise UnavailableError("no endpoint answers")

    def _step(self) -> None:
        """Ends the process at one of the moments between signing, writing, sending and noting."""
        if self.crash_in:
            self.crash_in -= 1
            if not self.crash_in:
                raise Crash
