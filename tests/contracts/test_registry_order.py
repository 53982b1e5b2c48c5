"""Order decides: two swaps in one block, and a reorganisation between the proof and the swap."""

import pytest

from marginproof.chains.evm.contracts.codec import revert_reason
from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.transactions import Call, Fees, PreparedTransaction, prepare
from marginproof.chains.evm.transactions.registry import swap_call
from marginproof.model.chains import parse_address
from marginproof.model.pledges import NO_DIGEST, next_digest
from tests.contracts.accounts import Holder, commitment, network_of
from tests.contracts.conftest import World

ONE, TWO, THREE = commitment(1), commitment(2), commitment(3)
VENUES = (development_account(70), development_account(71))
FEES = Fees(10**9, 1)


@pytest.fixture
def holder(world: World) -> Holder:
    """An account that has authorised both venues, whose swaps are signed transactions like a venue's own."""
    holder = Holder(network_of(world.registry))
    for venue in VENUES:
        world.chain.devnet.fund(venue.address, 10**24)
        world.registry.act(world.owner, "authorise", *holder.authorise(venue.address, 0))
    return holder


def swap(world: World, holder: Holder, venue: int, digest: bytes, pledge: bytes) -> PreparedTransaction:
    account = VENUES[venue]
    _, _, *arguments = holder.swap(account.address, digest, pledge)
    nonce = int(world.chain.devnet.rpc("eth_getTransactionCount", account.address, "latest"), 16)
    call: Call = swap_call(world.registry.address, *holder.names, *arguments)  # type: ignore[arg-type]  # a call's
    return prepare(account, call, chain_id=31_337, nonce=nonce, gas_limit=400_000, fees=FEES)


def send(world: World, transaction: PreparedTransaction) -> None:
    world.chain.devnet.rpc("eth_sendRawTransaction", "0x" + transaction.raw.hex())


def outcome(world: World, transaction: PreparedTransaction) -> str | None:
    """The reason why it was refused in its block; None if it went through."""
    digest = "0x" + transaction.hash.hex()
    if int(world.chain.receipt(digest)["status"], 16):
        return None
    error = world.chain.devnet.rpc("ots_getTransactionError", digest)
    return revert_reason(bytes.fromhex(error.removeprefix("0x")))


def digest_of(world: World, holder: Holder) -> bytes:
    digest: bytes = world.registry.call("read_account", holder.account)[0]
    return digest


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_swaps_in_one_block_the_first_counts(world: World, holder: Holder, first: int) -> None:
    devnet = world.chain.devnet
    second = 1 - first
    devnet.rpc("evm_setAutomine", False)
    try:
        early = swap(world, holder, first, NO_DIGEST, ONE)
        late = swap(world, holder, second, NO_DIGEST, TWO)
        send(world, early)  # at equal fees, anvil's blocks keep the order of arrival
        send(world, late)
        devnet.mine()
    finally:
        devnet.rpc("evm_setAutomine", True)
    receipts = [world.chain.receipt("0x" + sent.hash.hex()) for sent in (early, late)]
    assert receipts[0]["blockHash"] == receipts[1]["blockHash"]
    assert outcome(world, early) is None
    assert outcome(world, late) == "DIGEST_STALE"
    state = world.registry.call("read_account", holder.account)
    assert [pledge[:2] for pledge in state[3]] == [(VENUES[first].address.lower(), ONE)]
    assert state[0] == next_digest(NO_DIGEST, parse_address(VENUES[first].address), ONE, 1)


def test_a_reorganisation_that_brings_another_pledge_in_first(world: World, holder: Holder) -> None:
    """The proof saw no other pledge. The chain is rewritten so that one stands: the swap must not pass."""
    devnet = world.chain.devnet
    devnet.mine()
    proven_on = digest_of(world, holder)
    mine = swap(world, holder, 0, proven_on, ONE)
    foreign = swap(world, holder, 1, NO_DIGEST, TWO)
    devnet.rpc("anvil_reorg", 1, [["0x" + foreign.raw.hex(), 0]])
    assert outcome(world, foreign) is None
    send(world, mine)
    assert outcome(world, mine) == "DIGEST_STALE"
    assert [pledge[:2] for pledge in world.registry.call("read_account", holder.account)[3]] == [
        (VENUES[1].address.lower(), TWO)
    ]


def test_a_reorganisation_that_replaces_the_pledge_that_was_proven_on(world: World, holder: Holder) -> None:
    """The proof counted another venue's pledge ONE; in the rewritten chain TWO stands in its place."""
    devnet = world.chain.devnet
    devnet.mine()
    shown = swap(world, holder, 1, NO_DIGEST, ONE)
    hidden = swap(world, holder, 1, NO_DIGEST, TWO)
    send(world, shown)
    assert outcome(world, shown) is None
    proven_on = digest_of(world, holder)
    mine = swap(world, holder, 0, proven_on, THREE)
    devnet.rpc("anvil_reorg", 1, [["0x" + hidden.raw.hex(), 0]])
    assert digest_of(world, holder) != proven_on
    send(world, mine)
    assert outcome(world, mine) == "DIGEST_STALE"
    # On the chain that it was proven on it would have passed.
    again = swap(world, holder, 0, digest_of(world, holder), THREE)
    send(world, again)
    assert outcome(world, again) is None


def test_a_swap_mined_twice_in_a_reorganisation_counts_once(world: World, holder: Holder) -> None:
    devnet = world.chain.devnet
    devnet.mine()
    mine = swap(world, holder, 0, NO_DIGEST, ONE)
    send(world, mine)
    assert outcome(world, mine) is None
    first = digest_of(world, holder)
    devnet.rpc("anvil_reorg", 1, [["0x" + mine.raw.hex(), 0]])
    assert outcome(world, mine) is None
    assert digest_of(world, holder) == first
    repeated = swap(world, holder, 0, NO_DIGEST, ONE)
    send(world, repeated)
    assert outcome(world, repeated) == "DIGEST_STALE"


def test_a_rotation_before_the_swap_makes_its_signature_void(world: World, holder: Holder) -> None:
    signed = swap(world, holder, 0, NO_DIGEST, ONE)
    world.registry.act(world.owner, "rotate_key", *holder.rotate(development_account(72).address, 0))
    send(world, signed)
    assert outcome(world, signed) == "SIGNATURE_INVALID"


def test_a_revocation_in_the_same_block_stops_the_swap(world: World, holder: Holder) -> None:
    devnet = world.chain.devnet
    devnet.rpc("evm_setAutomine", False)
    try:
        late = swap(world, holder, 0, NO_DIGEST, ONE)
        data = world.registry.data("revoke", *holder.revoke(VENUES[0].address, 1))
        call = Call(world.registry.address, data)
        early = prepare(VENUES[1], call, chain_id=31_337, nonce=0, gas_limit=400_000, fees=FEES)
        send(world, early)
        send(world, late)
        devnet.mine()
    finally:
        devnet.rpc("evm_setAutomine", True)
    assert outcome(world, early) is None
    assert outcome(world, late) == "NOT_AUTHORISED"
