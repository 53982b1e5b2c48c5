"""Pledges on the registry: authorise, swap, release, revoke, lapse, on one account's digest."""

from dataclasses import replace

import pytest

from marginproof.chains.evm.contracts import PLEDGE_REGISTRY, load_artifact
from marginproof.chains.evm.devnet import Devnet, DevnetOptions
from marginproof.model.chains import parse_address
from marginproof.model.pledges import MAX_PLEDGES, NO_COMMITMENT, NO_DIGEST, next_digest
from tests.contracts.accounts import REGISTRY_TERMS, Holder, commitment, network_of
from tests.contracts.conftest import NOTICE, World
from tests.contracts.harness import ZERO, Chain, address_of

ONE, TWO, THREE = commitment(1), commitment(2), commitment(3)


@pytest.fixture
def holder(world: World) -> Holder:
    return Holder(network_of(world.registry))


@pytest.fixture
def venues(world: World) -> list[str]:
    return [world.chain.rich(f"venue {index}") for index in range(MAX_PLEDGES + 1)]


class Book:
    """The digest as it should be, advanced with every call that goes through."""

    def __init__(self, world: World, holder: Holder) -> None:
        self.world = world
        self.holder = holder
        self.digest = NO_DIGEST

    def authorise(self, venue: str, number: int = 0) -> None:
        self.world.registry.act(self.world.owner, "authorise", *self.holder.authorise(venue, number))

    def swap(self, venue: str, pledge: bytes, version: int = 1) -> None:
        self.world.registry.act(venue, "swap", *self.holder.swap(venue, self.digest, pledge, version))
        self.digest = next_digest(self.digest, parse_address(venue), pledge, version)
        self.check()

    def end(self, venue: str) -> None:
        """After a release, a revocation or a lapse."""
        self.digest = next_digest(self.digest, parse_address(venue))
        self.check()

    def check(self) -> None:
        assert self.world.registry.call("read_account", self.holder.account)[0] == self.digest

    def refused(self, venue: str, pledge: bytes = THREE) -> str:
        """Why a well-signed swap on the present digest does not pass."""
        return self.world.registry.refused(venue, "swap", *self.holder.swap(venue, self.digest, pledge))

    def pledges(self) -> set[tuple[str, bytes, int, int]]:
        listed = self.world.registry.call("read_account", self.holder.account)[3]
        assert len(set(listed)) == len(listed)
        return set(listed)


@pytest.fixture
def book(world: World, holder: Holder) -> Book:
    return Book(world, holder)


def test_ids_on_chain_are_the_models_roots(world: World, holder: Holder) -> None:
    assert world.registry.call("network_id") == holder.network.root()
    for index in (0, 1, 7, 255, 256, 0x0102030405060708, 2**64 - 1):
        one = Holder(holder.network, index=index)
        assert world.registry.call("account_id", *one.names) == one.account


@pytest.mark.parametrize("chain_id", [1, 42_161, 2**63 - 1])
def test_the_network_id_names_the_chain(chain_id: int) -> None:
    with Devnet(DevnetOptions(chain_id=chain_id)) as devnet:
        devnet.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        chain = Chain(devnet)
        registry = chain.deploy(load_artifact(PLEDGE_REGISTRY), *REGISTRY_TERMS, sender=chain.rich("deployer"))
        network = replace(network_of(registry), home_chain=f"eip155:{chain_id}")
        assert registry.call("network_id") == network.root()
        holder = Holder(network)
        assert registry.call("account_id", *holder.names) == holder.account


def test_an_unknown_account_has_nothing(world: World, holder: Holder) -> None:
    assert world.registry.call("read_account", holder.account) == (NO_DIGEST, ZERO, 0, ())
    assert world.registry.call("read_authorisation", holder.account, world.stranger) == (0, False, 0)


def test_anybody_posts_an_authorisation(world: World, holder: Holder) -> None:
    outcome = world.registry.act(world.stranger, "authorise", *holder.authorise(world.owner, 0))
    assert world.registry.events(outcome, "VenueAuthorised") == [
        {"account": holder.account, "venue": world.owner.lower(), "number": 1}
    ]
    assert world.registry.call("read_authorisation", holder.account, world.owner) == (1, True, 0)


def test_a_swap_sets_the_pledge_and_advances_the_digest(world: World, holder: Holder) -> None:
    venue = world.stranger
    world.registry.act(world.owner, "authorise", *holder.authorise(venue, 0))
    outcome = world.registry.act(venue, "swap", *holder.swap(venue, NO_DIGEST, ONE, 3))
    digest = next_digest(NO_DIGEST, parse_address(venue), ONE, 3)
    assert world.registry.events(outcome, "PledgeSwapped") == [
        {
            "account": holder.account,
            "venue": venue.lower(),
            "digest": digest,
            "commitment": ONE,
            "universe_version": 3,
        }
    ]
    assert world.registry.call("read_account", holder.account) == (digest, ZERO, 0, ((venue.lower(), ONE, 3, 0),))


def test_a_swap_replaces_the_venues_own_pledge(world: World, book: Book, venues: list[str]) -> None:
    for venue in venues[:3]:
        book.authorise(venue)
        book.swap(venue, ONE)
    book.swap(venues[1], TWO, version=2**64 - 1)
    low = [venue.lower() for venue in venues]
    assert book.pledges() == {(low[0], ONE, 1, 0), (low[1], TWO, 2**64 - 1, 0), (low[2], ONE, 1, 0)}


@pytest.mark.parametrize(
    "pledge", [bytes(47) + b"\x01", b"\x01" + bytes(47), b"\xff" * 48, bytes(31) + b"\x01" + bytes(16)]
)
def test_commitments_are_kept_whole(book: Book, venues: list[str], pledge: bytes) -> None:
    book.authorise(venues[0])
    book.swap(venues[0], pledge)
    assert book.pledges() == {(venues[0].lower(), pledge, 1, 0)}


@pytest.mark.parametrize(
    ("pledge", "reason"),
    [
        (b"", "COMMITMENT_LENGTH"),
        (ONE[:47], "COMMITMENT_LENGTH"),
        (ONE + b"\x01", ""),
        (NO_COMMITMENT, "COMMITMENT_EMPTY"),
    ],
)
def test_what_is_no_commitment_is_refused(
    world: World, holder: Holder, book: Book, venues: list[str], pledge: bytes, reason: str
) -> None:
    book.authorise(venues[0])
    arguments = list(holder.swap(venues[0], NO_DIGEST, ONE))
    arguments[3] = pledge
    assert world.registry.refused(venues[0], "swap", *arguments) == reason


def test_a_venue_that_is_not_authorised_does_not_swap(book: Book, venues: list[str]) -> None:
    assert book.refused(venues[0]) == "NOT_AUTHORISED"
    book.authorise(venues[0])
    assert book.refused(venues[1]) == "NOT_AUTHORISED"
    other = Book(book.world, Holder(book.holder.network, index=8))
    assert other.refused(venues[0]) == "NOT_AUTHORISED"


def test_a_swap_names_the_digest_that_stands(world: World, holder: Holder, book: Book, venues: list[str]) -> None:
    for venue in venues[:2]:
        book.authorise(venue)
    stale = holder.swap(venues[0], NO_DIGEST, TWO)
    book.swap(venues[1], ONE)
    assert world.registry.refused(venues[0], "swap", *stale) == "DIGEST_STALE"
    early = holder.swap(venues[0], next_digest(book.digest, parse_address(venues[1]), TWO, 1), TWO)
    assert world.registry.refused(venues[0], "swap", *early) == "DIGEST_STALE"
    book.swap(venues[0], TWO)


def test_a_swap_is_never_repeated(world: World, holder: Holder, book: Book, venues: list[str]) -> None:
    book.authorise(venues[0])
    first = holder.swap(venues[0], NO_DIGEST, ONE)
    world.registry.act(venues[0], "swap", *first)
    assert world.registry.refused(venues[0], "swap", *first) == "DIGEST_STALE"


def test_sixteen_pledges_stand_and_the_next_does_not(book: Book, venues: list[str]) -> None:
    for seed, venue in enumerate(venues):
        book.authorise(venue)
        if seed < MAX_PLEDGES:
            book.swap(venue, commitment(seed))
    assert book.refused(venues[-1]) == "TOO_MANY_PLEDGES"
    book.swap(venues[3], ONE)  # replacing one's own is always possible
    book.world.registry.act(venues[5], "release", book.holder.account)
    book.end(venues[5])
    book.swap(venues[-1], TWO)
    assert {venue for venue, *_ in book.pledges()} == {
        venue.lower() for place, venue in enumerate(venues) if place != 5
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_releases_in_any_order_leave_the_others(book: Book, venues: list[str], order: tuple[int, ...]) -> None:
    for seed in range(3):
        book.authorise(venues[seed])
        book.swap(venues[seed], commitment(seed))
    left = {seed: (venues[seed].lower(), commitment(seed), 1, 0) for seed in range(3)}
    for seed in order:
        outcome = book.world.registry.act(venues[seed], "release", book.holder.account)
        book.end(venues[seed])
        assert book.world.registry.events(outcome, "PledgeReleased") == [
            {"account": book.holder.account, "venue": venues[seed].lower(), "digest": book.digest}
        ]
        del left[seed]
        assert book.pledges() == set(left.values())
        assert book.world.registry.refused(venues[seed], "release", book.holder.account) == "NO_PLEDGE"
        # The ones that moved into the gap are still found by their venues.
        for other in left:
            pledge = commitment(10 * seed + other + 5)
            book.swap(venues[other], pledge)
            left[other] = (venues[other].lower(), pledge, 1, 0)
        assert book.pledges() == set(left.values())
    for seed in order:  # still authorised
        book.swap(venues[seed], THREE)


def test_nobody_releases_for_another(book: Book, venues: list[str]) -> None:
    book.authorise(venues[0])
    book.swap(venues[0], ONE)
    for sender in (venues[1], book.world.owner):
        assert book.world.registry.refused(sender, "release", book.holder.account) == "NO_PLEDGE"


def test_a_revoked_pledge_stands_until_it_lapses(world: World, holder: Holder, book: Book, venues: list[str]) -> None:
    for seed in range(3):
        book.authorise(venues[seed])
        book.swap(venues[seed], commitment(seed))
    before = holder.swap(venues[0], book.digest, TWO)
    outcome = world.registry.act(world.stranger, "revoke", *holder.revoke(venues[0], 1))
    book.end(venues[0])
    assert world.registry.events(outcome, "VenueRevoked") == [
        {
            "account": holder.account,
            "venue": venues[0].lower(),
            "number": 2,
            "digest": book.digest,
            "lapses_at": outcome.time + NOTICE,
        }
    ]
    assert (venues[0].lower(), commitment(0), 1, outcome.time) in book.pledges()
    assert world.registry.call("read_authorisation", holder.account, venues[0]) == (2, False, outcome.time)
    assert world.registry.refused(venues[0], "swap", *before) == "NOT_AUTHORISED"
    assert book.refused(venues[0]) == "NOT_AUTHORISED"
    assert world.registry.refused(world.owner, "authorise", *holder.authorise(venues[0], 2)) == "REVOCATION_RUNNING"
    assert world.registry.refused(world.owner, "revoke", *holder.revoke(venues[0], 2)) == "NOT_AUTHORISED"
    book.swap(venues[1], TWO)  # the others go on
    due = outcome.time + NOTICE
    assert world.registry.refused(world.owner, "lapse", holder.account, venues[0], at=due - 1) == "NOTICE_NOT_OVER"
    lapsed = world.registry.act(world.stranger, "lapse", holder.account, venues[0], at=due)
    book.end(venues[0])
    assert world.registry.events(lapsed, "PledgeLapsed") == [
        {"account": holder.account, "venue": venues[0].lower(), "digest": book.digest}
    ]
    assert book.pledges() == {(venues[1].lower(), TWO, 1, 0), (venues[2].lower(), commitment(2), 1, 0)}
    assert world.registry.call("read_authorisation", holder.account, venues[0]) == (2, False, 0)
    assert world.registry.refused(world.owner, "lapse", holder.account, venues[0]) == "NOT_REVOKED"
    book.authorise(venues[0], number=2)
    book.swap(venues[0], THREE)


def test_a_revoked_pledge_keeps_its_time_when_it_moves(world: World, book: Book, venues: list[str]) -> None:
    for seed in range(2):
        book.authorise(venues[seed])
        book.swap(venues[seed], commitment(seed))
    outcome = world.registry.act(world.owner, "revoke", *book.holder.revoke(venues[1], 1))
    book.end(venues[1])
    world.registry.act(venues[0], "release", book.holder.account)
    book.end(venues[0])
    assert book.pledges() == {(venues[1].lower(), commitment(1), 1, outcome.time)}
    assert world.registry.call("read_authorisation", book.holder.account, venues[1]) == (2, False, outcome.time)
    world.registry.act(world.owner, "lapse", book.holder.account, venues[1], at=outcome.time + NOTICE)
    book.end(venues[1])
    assert book.pledges() == set()


def test_a_venue_without_a_pledge_is_revoked_at_once(world: World, holder: Holder, book: Book) -> None:
    venue = world.stranger
    book.authorise(venue)
    signed = holder.swap(venue, NO_DIGEST, ONE)
    outcome = world.registry.act(world.owner, "revoke", *holder.revoke(venue, 1))
    book.end(venue)
    assert world.registry.events(outcome, "VenueRevoked")[0]["lapses_at"] == 0
    assert world.registry.call("read_authorisation", holder.account, venue) == (2, False, 0)
    assert world.registry.refused(venue, "swap", *signed) == "NOT_AUTHORISED"
    assert world.registry.refused(world.owner, "lapse", holder.account, venue) == "NOT_REVOKED"
    book.authorise(venue, number=2)
    # What was signed before the revocation names a digest that the revocation has advanced.
    assert world.registry.refused(venue, "swap", *signed) == "DIGEST_STALE"
    book.swap(venue, ONE)


def test_a_revoked_venue_may_release_at_once(world: World, holder: Holder, book: Book, venues: list[str]) -> None:
    book.authorise(venues[0])
    book.swap(venues[0], ONE)
    world.registry.act(world.owner, "revoke", *holder.revoke(venues[0], 1))
    book.end(venues[0])
    world.registry.act(venues[0], "release", holder.account)
    book.end(venues[0])
    assert world.registry.call("read_authorisation", holder.account, venues[0]) == (2, False, 0)
    assert world.registry.refused(world.owner, "lapse", holder.account, venues[0]) == "NOT_REVOKED"
    book.authorise(venues[0], number=2)


def test_authorisations_are_numbered(world: World, holder: Holder, book: Book, venues: list[str]) -> None:
    registry, venue = world.registry, venues[0]
    assert registry.refused(world.owner, "authorise", *holder.authorise(venue, 1)) == "NUMBER_STALE"
    assert registry.refused(world.owner, "revoke", *holder.revoke(venue, 0)) == "NOT_AUTHORISED"
    first = holder.authorise(venue, 0)
    registry.act(world.owner, "authorise", *first)
    assert registry.refused(world.owner, "authorise", *first) == "NUMBER_STALE"
    assert registry.refused(world.owner, "authorise", *holder.authorise(venue, 1)) == "ALREADY_AUTHORISED"
    revocation = holder.revoke(venue, 1)
    registry.act(world.owner, "revoke", *revocation)
    assert registry.refused(world.owner, "revoke", *revocation) == "NUMBER_STALE"
    assert registry.refused(world.owner, "authorise", *first) == "NUMBER_STALE"
    book.authorise(venue, number=2)
    book.authorise(venues[1])  # each venue has its own number


def test_the_zero_address_is_no_venue(world: World, holder: Holder) -> None:
    assert world.registry.refused(world.owner, "authorise", *holder.authorise(ZERO, 0)) == "VENUE_INVALID"


def test_accounts_do_not_touch_one_another(world: World, holder: Holder, book: Book, venues: list[str]) -> None:
    other = Book(world, Holder(holder.network, index=holder.index + 1))
    for one in (book, other):
        one.authorise(venues[0])
        one.swap(venues[0], ONE)
    assert book.digest == other.digest
    book.swap(venues[0], TWO)
    other.check()
    assert other.pledges() == {(venues[0].lower(), ONE, 1, 0)}


def test_one_digest_has_one_history(world: World, book: Book, venues: list[str]) -> None:
    """Whatever happens, no digest is ever seen twice."""
    seen = [book.digest]
    book.authorise(venues[0])
    for number in (1, 3):
        book.swap(venues[0], ONE)
        seen.append(book.digest)
        world.registry.act(venues[0], "release", book.holder.account)
        book.end(venues[0])
        seen.append(book.digest)
        world.registry.act(world.owner, "revoke", *book.holder.revoke(venues[0], number))
        book.end(venues[0])
        seen.append(book.digest)
        book.authorise(venues[0], number=number + 1)
    assert len(set(seen)) == len(seen)


def test_the_registry_takes_no_coins_with_any_call(world: World, holder: Holder) -> None:
    calls = {
        "authorise": holder.authorise(world.stranger, 0),
        "revoke": holder.revoke(world.stranger, 0),
        "swap": holder.swap(world.stranger, NO_DIGEST, ONE),
        "rotate_key": holder.rotate(world.stranger, 0),
        "release": (holder.account,),
        "lapse": (holder.account, world.stranger),
        "agree": (address_of("other"),),
        "end_agreement": (address_of("other"),),
    }
    for function, arguments in calls.items():
        assert world.registry.refused(world.stranger, function, *arguments, value=1) == ""
