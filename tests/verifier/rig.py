"""A venue daemon under test: real sockets, real database, real registry; three relayer services made for tests."""

import asyncio
import contextlib
import dataclasses
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from eth_account.signers.local import LocalAccount
from eth_keyfile.keyfile import create_keyfile_json

from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.devnet import Devnet
from marginproof.client.pledge_status import PledgeStatus, ProposalState
from marginproof.client.venue import AccountCredential, VenueClient
from marginproof.client.venue_book import OrderFill, VenueBookClient
from marginproof.model.accounts import AccountIdentity
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Outcome, Purpose
from marginproof.model.network_file import dump_network_file
from marginproof.model.pledges import PledgeOpening
from marginproof.model.typed_data import request_message, venue_method
from marginproof.node.tls import ServerIdentity
from marginproof.verifier.config import VenueConfig, load_config
from marginproof.verifier.service import VenueNode
from tests.verifier.relayer_for_tests import RelayerForTests, relayer_for_tests, serve
from tests.verifier.world import (
    ACCOUNT,
    IDENTITY,
    LINE,
    LOT,
    NETWORK_ID,
    NOW,
    OWNER_KEY,
    VENUE,
    VENUE_KEY,
    FakeClock,
    World,
    network_file,
    price_report,
    record_of,
)

TOKEN = "token-of-the-matching-engine"
PASSWORD = "password of the venue"
BOOK_LINE = 10_000 * LOT
BOOK_FILLS = (
    OrderFill("fill-1", ACCOUNT, "ETH-PERP", -5 * LOT, 2_000 * 10**8),
    OrderFill("fill-2", ACCOUNT, "ETH-C-2500", -2 * LOT, 80 * 10**8),
)
"""Leads to the positions of ``world.BOOK``, with 10,160 USD of cash."""
T = TypeVar("T")


def credential(
    rpc: str,
    *,
    venue: bytes = VENUE,
    key: LocalAccount = OWNER_KEY,
    identity: AccountIdentity = IDENTITY,
    requested_at: int = NOW,
) -> AccountCredential:
    """The owner's credential for one call, or one that is wrong in a named way."""
    message = request_message(NETWORK_ID, identity.root(), venue_method(venue, rpc), requested_at)
    return AccountCredential(identity, requested_at, sign_typed(key, message))


def write_config(folder: Path, devnet_urls: tuple[str, ...], targets: list[str], pem: str, policy: bytes) -> Path:
    """The daemon's files."""
    folder.mkdir(exist_ok=True)
    (folder / "network.yaml").write_bytes(dump_network_file(network_file([(target, pem) for target in targets])))
    keystore = create_keyfile_json(bytes(VENUE_KEY.key), PASSWORD.encode(), version=3, kdf="pbkdf2", iterations=2)
    (folder / "keystore.json").write_text(json.dumps(keystore))
    (folder / "password").write_text(PASSWORD)
    (folder / "token").write_text(TOKEN)
    (folder / "policy.yaml").write_bytes(policy)
    document = {
        "apiVersion": "marginproof/venue/v1",
        "network": "network.yaml",
        "keystore": "keystore.json",
        "password_file": "password",
        "database": "venue.sqlite",
        "policies": ["policy.yaml"],
        "listen": "127.0.0.1:0",
        "book_listen": "127.0.0.1:0",
        "book_token_file": "token",
        "tls_directory": "tls",
        "home_endpoints": list(devnet_urls),
        "metrics_listen": "127.0.0.1:0",
        "relayer_timeout_seconds": 1.0,
    }
    path = folder / "venue.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@dataclasses.dataclass
class Rig:
    """One venue with its relayers, a clock, and clients."""

    world: World
    devnet: Devnet
    config: VenueConfig
    clock: FakeClock
    relayers: list[RelayerForTests]
    node: VenueNode
    venue: VenueClient
    book: VenueBookClient

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, folder: Path, devnet: Devnet, world: World, **changes: Any) -> "AsyncIterator[Rig]":
        """``changes`` replace fields of the daemon's configuration."""
        async with contextlib.AsyncExitStack() as stack:
            identity = ServerIdentity.load_or_create(folder / "relayer-tls")
            relayers = [relayer_for_tests() for _ in range(3)]
            for relayer in relayers:
                relayer.leaves = list(world.leaves)
                relayer.reports = [price_report()]
            targets = [await stack.enter_async_context(serve(relayer, identity)) for relayer in relayers]
            path = write_config(folder, devnet.urls, targets, identity.certificate_pem, world.policy.source)
            config = dataclasses.replace(load_config(path), **changes)
            clock = FakeClock()
            rig = cls(world, devnet, config, clock, relayers, *await _open(config, clock, stack))
            try:
                yield rig
            finally:
                await rig.node.aclose()

    async def ready(self) -> None:
        """Waits until the venue has a snapshot and has read its policy's announcement."""
        await eventually(self.venue.get_snapshot)
        await eventually(self.venue.get_policy, lambda policy: policy.effective_at > 0)

    async def restart(self, stack: contextlib.AsyncExitStack) -> None:
        """Ends the daemon and starts another on the same files."""
        await self.node.aclose()
        self.node, self.venue, self.book = await _open(self.config, self.clock, stack)

    def read_metrics(self) -> str:
        """The text that Prometheus would read."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.node.metrics_port}/metrics") as answer:
            return str(answer.read().decode())

    async def open_with_line(self, line: int = LINE) -> PledgeOpening:
        """Opens the account and carries its first pledge to the registry: its line is open then."""
        await self.book.open_account(ACCOUNT)
        return await self.pledge(line)

    async def open_with_book(self) -> None:
        """Opens the account with a line and books the test's positions inside it."""
        await self.open_with_line(BOOK_LINE)
        results = await self.book.record_fills(BOOK_FILLS)
        assert all(result.recorded for result in results), results

    async def pledge(self, line: int) -> PledgeOpening:
        """Reserves a line, proves it, consents, and waits until it stands."""
        await self.book.reserve_pledge(ACCOUNT, line)
        account = await self.provable()
        assert account.proposal is not None
        purpose = Purpose(account.proposal.purpose)
        answer = await self.venue.submit_presentation(account.present(pledge=account.proposal, purpose=purpose))
        assert answer.outcome is Outcome.ACCEPT, answer.reasons
        await self.settled()
        return account.proposal

    async def settled(self) -> PledgeStatus:
        """Mines until a swap is no longer under way."""

        async def mine() -> PledgeStatus:
            self.devnet.mine()
            return await self.book.get_pledge(ACCOUNT)

        return await eventually(mine, lambda status: status.proposal_state is not ProposalState.ACCEPTED)

    async def provable(self) -> World:
        """The account's view: the venue's newest snapshot, book and pledges, and the registry's record."""
        snapshot, report = await eventually(self.venue.get_snapshot)
        book = await self.venue.get_book(self.credential("GetBook"))
        status = await self.venue.get_pledge_status(self.credential("GetPledgeStatus"))
        proposal = pledge = None
        if status.proposal_state is ProposalState.PROPOSED:
            proposal = await self.venue.get_pledge_proposal(self.credential("GetPledgeProposal"))
        if status.standing_commitment is not None:
            pledge = await self.venue.get_standing_pledge(self.credential("GetStandingPledge"))
        return dataclasses.replace(
            self.world,
            snapshot=snapshot,
            report=report,
            book=book,
            pledge=pledge,
            proposal=proposal,
            elsewhere=(),
            record=record_of(pledge, digest=status.registry_digest),
        )

    def credential(self, rpc: str) -> AccountCredential:
        """The owner's credential for one call at the rig's time."""
        return credential(rpc, requested_at=self.clock.now)


async def _open(
    config: VenueConfig, clock: FakeClock, stack: contextlib.AsyncExitStack
) -> tuple[VenueNode, VenueClient, VenueBookClient]:
    node = await stack.enter_async_context(VenueNode(config, clock))
    pem = (config.tls_directory / "certificate.pem").read_text()
    venue = await stack.enter_async_context(VenueClient(f"127.0.0.1:{node.port}", pem))
    book = await stack.enter_async_context(VenueBookClient(f"127.0.0.1:{node.book_port}", pem, TOKEN))
    return node, venue, book


async def eventually(ask: Callable[[], Awaitable[T]], until: Callable[[T], bool] = lambda _: True) -> T:
    """Asks again until the answer is there and fits; the test's own time-out ends a wait for ever."""

    while True:
        with contextlib.suppress(MarginproofError):
            answer = await ask()
            if until(answer):
                return answer
        await asyncio.sleep(0.05)
