"""The registry as the prover, the venue and the command use it: signed transactions of three keys."""

from collections.abc import AsyncIterator, Iterator

import pytest

from marginproof.chains.evm.devnet import Devnet, development_account
from marginproof.chains.evm.transactions import (
    NATIVE,
    AccountState,
    AuthorisationState,
    PledgeState,
    Registry,
    Sender,
    TransactionReverted,
    release_call,
    swap_call,
)
from marginproof.model.chains import parse_address
from marginproof.model.errors import MalformedError
from marginproof.model.network import Network
from marginproof.model.pledges import NO_DIGEST, next_digest
from tests.contracts.accounts import CONFIGURATION, HOME_CHAIN, VECTOR_LENGTH, Holder, commitment

ONE, TWO = commitment(1), commitment(2)
NEW = development_account(94)


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    with Devnet() as running:
        yield running


@pytest.fixture
async def sender(chain: Devnet) -> AsyncIterator[Sender]:
    with chain.snapshot():
        async with Sender(chain.url, chain.account(0), timeout_seconds=20) as one:
            yield one


@pytest.fixture
async def registry(sender: Sender) -> Registry:
    return await Registry.deploy(
        sender,
        n=VECTOR_LENGTH,
        configuration_digest=CONFIGURATION.root(),
        policy_delay=CONFIGURATION.policy_delay_seconds,
        notice_seconds=CONFIGURATION.notice_seconds,
    )


@pytest.fixture
def holder(registry: Registry) -> Holder:
    return Holder(Network(HOME_CHAIN, parse_address(registry.address), VECTOR_LENGTH, CONFIGURATION.root()))


def signature(arguments: tuple[object, ...]) -> bytes:
    """What the account signed, of a call's arguments."""
    last = arguments[-1]
    assert isinstance(last, bytes)
    return last


async def test_ids_are_the_models(registry: Registry, holder: Holder) -> None:
    assert await registry.network_id() == holder.network.root()
    assert await registry.account_id(holder.owner_address, holder.index) == holder.account
    assert await registry.account_id(holder.owner.address, holder.index) == holder.account


async def test_the_life_of_a_pledge(chain: Devnet, sender: Sender, registry: Registry, holder: Holder) -> None:
    venue, (owner, index), account = sender.address, holder.names, holder.account
    assert await registry.read_account(account) == AccountState(NO_DIGEST, NATIVE, 0, ())
    assert await registry.read_authorisation(account, venue) == AuthorisationState(0, False, 0)
    await registry.authorise(owner, index, venue, 0, signature(holder.authorise(venue, 0)))
    await registry.swap(owner, index, NO_DIGEST, ONE, 1, signature(holder.swap(venue, NO_DIGEST, ONE)))
    digest = next_digest(NO_DIGEST, parse_address(venue), ONE, 1)
    standing = PledgeState(venue, ONE, 1, 0)
    assert await registry.read_account(account) == AccountState(digest, NATIVE, 0, (standing,))
    with pytest.raises(TransactionReverted) as caught:
        await registry.swap(owner, index, NO_DIGEST, TWO, 1, signature(holder.swap(venue, NO_DIGEST, TWO)))
    assert caught.value.reason == "DIGEST_STALE"
    await registry.rotate_key(owner, index, NEW.address, 0, signature(holder.rotate(NEW.address, 0)))
    holder = holder.with_key(NEW)
    # Addresses are taken as bytes too, which is how the model has them.
    address = parse_address(venue)
    await registry.revoke(parse_address(owner), index, address, 1, signature(holder.revoke(venue, 1)))
    state = await registry.read_authorisation(account, address)
    assert (state.number, state.authorised) == (2, False)
    chain.mine(state.revoked_at + CONFIGURATION.notice_seconds)
    await registry.lapse(account, venue)
    digest = next_digest(next_digest(digest, address), address)
    assert await registry.read_account(account) == AccountState(digest, NEW.address, 1, ())
    await registry.authorise(owner, index, venue, 2, signature(holder.authorise(venue, 2)))
    await registry.swap(owner, index, digest, TWO, 2, signature(holder.swap(venue, digest, TWO, 2)))
    await registry.release(account)
    assert (await registry.read_account(account)).pledges == ()


async def test_agreements(chain: Devnet, sender: Sender, registry: Registry) -> None:
    other = development_account(95).address
    with pytest.raises(TransactionReverted, match="NOT_AGREED"):
        await registry.end_agreement(other)
    await registry.agree(parse_address(other))
    with pytest.raises(TransactionReverted, match="ALREADY_AGREED"):
        await registry.agree(other)
    until = await registry.end_agreement(other)
    assert until == chain.now() + CONFIGURATION.policy_delay_seconds


def test_calls_for_ones_own_sender(holder: Holder) -> None:
    registry = holder.network.registry
    swap = swap_call(registry, *holder.names, NO_DIGEST, ONE, 1, bytes(65))
    release = release_call(registry, holder.account)
    assert parse_address(swap.to) == parse_address(release.to) == registry
    assert swap.data[:4] != release.data[:4]
    assert ONE in swap.data
    for wrong in (bytes(19), "0x12"):
        with pytest.raises(MalformedError):
            swap_call(wrong, *holder.names, NO_DIGEST, ONE, 1, bytes(65))
    with pytest.raises(MalformedError):
        release_call(registry, b"\x01" * 33)


async def test_a_call_is_what_the_wrapper_sends(sender: Sender, registry: Registry, holder: Holder) -> None:
    arguments = (*holder.names, NO_DIGEST, ONE, 1, bytes(65))
    assert registry.swap_call(*arguments) == swap_call(registry.address, *arguments)
