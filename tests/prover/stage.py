"""A whole network for one account: chain, relayers, two venues, a session, and the means to move each of them."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.collateral import collateral_vector
from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.transactions import Registry, Sender
from marginproof.model.certificates import Leaf, Reference
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Purpose
from marginproof.model.network_file import NetworkFile
from marginproof.model.pledges import PledgeOpening
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.funding import Funding
from marginproof.prover.pledges import CheckedProposal
from marginproof.prover.registry_changes import SignedChange, sign_authorisation
from marginproof.prover.session import AccountSession
from marginproof.prover.waiting import Patience
from tests.prover.chain import Chain
from tests.prover.servers import RelayerForTests, VenueForTests, serving
from tests.prover.world import (
    CASH,
    HOME,
    LOT,
    OTHER_KEY,
    OTHER_VENUE,
    PERP,
    VENUE,
    book,
    certify,
    make_account,
    pledge,
    price_report,
    snapshot,
)

ETHER = 10**18
BOOK = {CASH: 5_000 * LOT, PERP: -LOT}
PAYER = development_account(2)
NO_LIMIT = 1 << 62
_T = TypeVar("_T")


def refused(code: ReasonCode) -> pytest.RaisesExc[MarginproofError]:
    return pytest.raises(MarginproofError, match=f"^{code}")


@dataclasses.dataclass
class Stage:
    """Everything but the account's own code is honest until a test says otherwise."""

    chain: Chain
    network: NetworkFile
    account: Account
    relayers: list[RelayerForTests]
    venues: dict[bytes, VenueForTests]
    session: AccountSession
    now: int

    @property
    def venue(self) -> VenueForTests:
        return self.venues[VENUE]

    @property
    def other(self) -> VenueForTests:
        return self.venues[OTHER_VENUE]

    def open_session(self, account: Account | None = None, **options: Any) -> AccountSession:
        defaults: dict[str, Any] = {
            "clock": lambda: self.now,
            "timeout_seconds": 3.0,
            "payer": PAYER,
            "patience": Patience(20.0, 0.02),
        }
        return AccountSession(account or self.account, self.network, **(defaults | options))

    async def lock(self, amount: int = 10 * ETHER) -> None:
        actions = ChainActions(self.account, self.network, Funding(development_account(1)))
        await actions.lock(self.network.universe.entries[0], amount)

    def reference(self) -> Reference:
        block = self.chain.devnet.rpc("eth_getBlockByNumber", "latest", False)
        return Reference(int(block["number"], 16), bytes.fromhex(block["hash"][2:]), int(block["timestamp"], 16))

    def certify(self, amount: int = 10 * ETHER, *, epoch: int = 30, chain: str = HOME, only: int | None = None) -> None:
        """What honest relayers would do after an epoch."""
        registration = self.relayers[0].registrations[-1].registration
        reference = self.reference()
        vector = collateral_vector(self.network.universe, chain, [(bytes(20), amount)])
        blinding = leaf_blinding(
            registration.blinding_seed,
            network=self.network.network_id,
            chain=chain,
            account=registration.account,
            registration_digest=registration.root(),
            epoch=epoch,
            reference_hash=reference.hash,
            universe_digest=self.network.universe.root(),
        )
        commitment = core.commit(256, vector, blinding)
        leaf = Leaf(registration.account, chain, registration.root(), registration.payees_root, commitment)
        pair = certify(self.network, leaf, epoch=epoch, reference=reference)
        for index, relayer in enumerate(self.relayers):
            if only is None or only == index:
                relayer.leaves[chain] = pair

    def tick(self, seconds: int = 30) -> None:
        """Time passes; the venues publish new snapshots."""
        self.now += seconds
        for venue in self.venues.values():
            venue.snapshot = snapshot(self.network, self.now, key=venue.key)
            venue.report = price_report(self.network, self.now)

    def propose(
        self, values: dict[int, int], line: int = 0, *, venue: bytes = VENUE, number: int = 1, sequence: int = 1
    ) -> PledgeOpening:
        """A venue's book changes and it proposes a pledge of it."""
        of = book(self.network, self.account.account_id, values, sequence, venue)
        self.venues[venue].book = of
        self.venues[venue].proposal = made = pledge(self.network, of, line, number)
        return made

    async def proposal(self, venue: bytes = VENUE) -> CheckedProposal:
        found = await self.session.proposal(venue, max_line=NO_LIMIT)
        assert found is not None
        return found

    async def post(self, *changes: SignedChange) -> None:
        async with Sender(self.chain.devnet.url, PAYER) as sender:
            for change in changes:
                await change.post(Registry(sender, format_address(self.network.network.registry)))
        self.finalise()

    def finalise(self) -> None:
        for _ in range(3):
            self.chain.devnet.mine()

    async def while_mining(self, work: Awaitable[_T]) -> _T:
        """Blocks come while something waits for finality."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.to_thread(self.chain.devnet.mine)
            await asyncio.sleep(0.02)
        return await task

    async def authorise(self, *venues: bytes) -> None:
        network_id = self.network.network_id
        await self.post(*(sign_authorisation(self.account, network_id, venue, 0, revoke=False) for venue in venues))

    async def pledge(
        self, values: dict[int, int], line: int = 0, *, venue: bytes = VENUE, number: int = 1
    ) -> PledgeOpening:
        """The whole way of a pledge until it stands."""
        made = self.propose(values, line, venue=venue, number=number)
        purpose = Purpose(made.purpose)
        await self.session.submit(await self.session.prepare(venue, purpose, await self.proposal(venue)))
        await self.swap(venue)
        return made

    async def swap(self, venue: bytes = VENUE) -> None:
        await self.venues[venue].swap(self.chain.devnet.url, self.network.network.registry)
        self.finalise()

    async def collateral(self) -> None:
        await self.lock()
        await self.session.register()
        self.certify()

    async def ready(self, values: dict[int, int] | None = None) -> None:
        """Collateral is certified, the first venue is authorised and its pledge stands; it is another price slot."""
        await self.collateral()
        await self.authorise(VENUE)
        await self.pledge(values or BOOK)
        self.venue.presentations.clear()
        self.tick()


@contextlib.asynccontextmanager
async def staged(chain: Chain, folder: Path) -> AsyncIterator[Stage]:
    """Serves everybody on loopback for the time of a ``with`` block."""
    relayers = [RelayerForTests() for _ in range(3)]
    venues = {VENUE: VenueForTests(b""), OTHER_VENUE: VenueForTests(b"", OTHER_KEY)}
    chain.devnet.account(2)
    async with contextlib.AsyncExitStack() as stack:
        servers: list[RelayerForTests | VenueForTests] = [*relayers, *venues.values()]
        *targets, first, second = [
            await stack.enter_async_context(serving(server, folder / f"tls-{index}"))
            for index, server in enumerate(servers)
        ]
        network = chain.network(relayers=targets, venue=first, other=second)
        for venue in venues.values():
            venue.network_id = network.network_id
        endpoints = {HOME: chain.devnet.urls}
        account = make_account(folder / "account", network, venues=[VENUE, OTHER_VENUE], endpoints=endpoints)
        stack.enter_context(account)
        for _ in range(4):
            chain.devnet.mine()
        now = chain.devnet.now() + 300
        made = Stage(chain, network, account, relayers, venues, None, now)  # type: ignore[arg-type] # the next line
        made.session = await stack.enter_async_context(made.open_session())
        made.tick(0)
        yield made
