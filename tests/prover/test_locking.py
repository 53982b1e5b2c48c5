"""Locks on a real chain, and every moment at which the process may die."""

from pathlib import Path

import pytest

from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.transactions import LockState, Sender, Vault
from marginproof.model.accounts import lock_binding
from marginproof.model.chains import format_address
from marginproof.model.errors import MarginproofError
from marginproof.model.network_file import NetworkFile
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry
from marginproof.prover import chain_actions
from marginproof.prover.account import Account
from marginproof.prover.chain_actions import ChainActions, parse_receiver
from marginproof.prover.funding import Funding
from marginproof.prover.state import LockRecord
from tests.prover.chain import NOTICE_SECONDS, Chain
from tests.prover.world import PASSWORD

PAYER = development_account(1)
RECEIVER = b"\x0a" * 20
ETHER = 10**18


def refused(code: ReasonCode) -> pytest.RaisesExc[MarginproofError]:
    return pytest.raises(MarginproofError, match=f"^{code}")


@pytest.fixture
def actions(account: Account, network: NetworkFile) -> ChainActions:
    return ChainActions(account, network, Funding(PAYER))


@pytest.fixture
def eth(network: NetworkFile) -> Entry:
    return network.universe.entries[0]


@pytest.fixture
def usdc(network: NetworkFile) -> Entry:
    return network.universe.entries[1]


async def on_chain(chain: Chain, record: LockRecord) -> LockState:
    async with Sender(chain.devnet.url, PAYER) as sender:
        return await Vault(sender, format_address(chain.vault)).read_lock(record.lock_id or 0)


async def lock_count(chain: Chain) -> int:
    async with Sender(chain.devnet.url, PAYER) as sender:
        return await Vault(sender, format_address(chain.vault)).lock_count()


async def test_a_native_lock_is_bound_to_the_account_and_owned_by_its_own_key(
    chain: Chain, account: Account, actions: ChainActions, eth: Entry
) -> None:
    record = await actions.lock(eth, 2 * ETHER)
    state = await on_chain(chain, record)
    assert (state.amount, state.owner) == (2 * ETHER, account.secret.lock_key(0).address)
    assert state.owner not in account.own_addresses()
    assert state.binding == lock_binding(account.account_id, account.payees.root, account.secret.lock_salt(0))
    assert (record.live, record.unfinished, record.amount) == (True, False, 2 * ETHER)


async def test_a_token_lock_and_a_second_key(chain: Chain, actions: ChainActions, eth: Entry, usdc: Entry) -> None:
    first = await actions.lock(eth, ETHER)
    second = await actions.lock(usdc, 500 * 10**6)
    states = [await on_chain(chain, record) for record in (first, second)]
    assert states[0].owner != states[1].owner
    assert states[0].binding != states[1].binding
    assert states[1].amount == 500 * 10**6


async def test_top_up_adds_to_the_same_lock(chain: Chain, actions: ChainActions, eth: Entry, usdc: Entry) -> None:
    for entry, unit in ((eth, ETHER), (usdc, 10**6)):
        record = await actions.lock(entry, 3 * unit)
        grown = await actions.top_up(record.number, 4 * unit)
        assert grown.lock_id == record.lock_id
        assert (await on_chain(chain, grown)).amount == grown.amount == 7 * unit


async def test_notice_cancel_and_withdrawal(chain: Chain, actions: ChainActions, eth: Entry) -> None:
    record = await actions.lock(eth, ETHER)
    view = await actions.start_notice(0)
    assert view.record.under_notice
    assert view.withdrawable_at == (view.notice_at or 0) + NOTICE_SECONDS
    again = await actions.start_notice(0)
    assert again == view
    cancelled = await actions.cancel_notice(0)
    assert (cancelled.record.under_notice, cancelled.notice_at) == (False, None)
    await actions.start_notice(0)
    with refused(ReasonCode.TRANSACTION_REVERTED):
        await actions.withdraw(0, RECEIVER)
    chain.devnet.mine(chain.devnet.now() + NOTICE_SECONDS)
    gone = await actions.withdraw(0, RECEIVER)
    assert (gone.live, gone.amount, gone.lock_id) == (False, 0, record.lock_id)
    assert int(chain.devnet.rpc("eth_getBalance", format_address(RECEIVER), "latest"), 16) == ETHER
    with refused(ReasonCode.LOCK_ABSENT):
        await actions.top_up(0, 1)


async def test_the_record_follows_what_happened_elsewhere(
    chain: Chain, account: Account, actions: ChainActions, eth: Entry
) -> None:
    record = await actions.lock(eth, ETHER)
    async with Sender(chain.devnet.url, account.secret.lock_key(0)) as sender:
        vault = Vault(sender, format_address(chain.vault))
        await vault.start_notice(record.lock_id or 0)
        assert (await actions.notice_view(0)).record.under_notice
        chain.devnet.mine(chain.devnet.now() + NOTICE_SECONDS)
        await vault.withdraw(record.lock_id or 0, format_address(RECEIVER))
    assert not (await actions.notice_view(0)).record.live


class Died(BaseException):
    """The process ends here."""


async def test_death_before_anything_was_sent(
    chain: Chain,
    network: NetworkFile,
    account: Account,
    actions: ChainActions,
    eth: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(chain_actions, "_send_lock", dies)
        with pytest.raises(Died):
            await actions.lock(eth, ETHER)
    assert [record.unfinished for record in account.state.locks] == [True]
    with refused(ReasonCode.CONFLICT):
        await actions.lock(eth, ETHER)
    await actions.resume()
    assert await lock_count(chain) == 1
    assert (await on_chain(chain, account.lock(0))).amount == ETHER


async def test_death_after_the_lock_was_mined(
    chain: Chain,
    network: NetworkFile,
    account: Account,
    actions: ChainActions,
    eth: Entry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(account, "replace_lock", dies)
        with pytest.raises(Died):
            await actions.lock(eth, ETHER)
    account.close()
    with Account.open(tmp_path / "account", network, PASSWORD) as reopened:
        again = ChainActions(reopened, network)
        assert len(again.unfinished()) == 1
        await again.resume()
        assert await lock_count(chain) == 1
        assert reopened.lock(0).lock_id == 1
        assert reopened.lock(0).amount == ETHER
        assert again.unfinished() == ()


async def test_death_after_a_top_up_was_mined_does_not_add_twice(
    chain: Chain, account: Account, actions: ChainActions, eth: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await actions.lock(eth, ETHER)
    real = chain_actions._send_addition

    async def sends_and_dies(*arguments):  # type: ignore[no-untyped-def]
        await real(*arguments)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(chain_actions, "_send_addition", sends_and_dies)
        with pytest.raises(Died):
            await actions.top_up(0, ETHER)
    assert account.lock(0).unfinished
    await actions.resume()
    assert (await on_chain(chain, account.lock(0))).amount == account.lock(0).amount == 2 * ETHER


async def test_a_pending_transaction_is_waited_for(
    chain: Chain, account: Account, network: NetworkFile, eth: Entry
) -> None:
    actions = ChainActions(account, network, Funding(PAYER, timeout_seconds=1.0))
    chain.devnet.fund(account.secret.lock_key(0).address, 5 * ETHER)
    chain.devnet.rpc("evm_setAutomine", False)
    try:
        with refused(ReasonCode.TRANSACTION_TIMEOUT):
            await actions.lock(eth, ETHER)
        with refused(ReasonCode.TRANSACTION_TIMEOUT):
            await actions.resume()
        chain.devnet.mine()
    finally:
        chain.devnet.rpc("evm_setAutomine", True)
    await actions.resume()
    assert await lock_count(chain) == 1
    assert account.lock(0).amount == ETHER


async def test_keys_that_would_link_a_lock_are_refused(
    chain: Chain, account: Account, network: NetworkFile, actions: ChainActions, eth: Entry
) -> None:
    for rotation in (0, 1):  # the next key as well: it may be the account's tomorrow
        owner = account.secret.owner_key(0, rotation)
        chain.devnet.fund(owner.address, 5 * ETHER)
        with refused(ReasonCode.LOCK_OWNER_REUSED):
            await ChainActions(account, network, Funding(owner)).lock(eth, ETHER)
        await actions.resume()
    chain.devnet.fund(account.secret.lock_key(0).address, 5 * ETHER)
    with refused(ReasonCode.LOCK_OWNER_REUSED):
        await ChainActions(account, network, Funding(account.secret.lock_key(0))).lock(eth, ETHER)
    await actions.resume()
    await actions.start_notice(0)
    with refused(ReasonCode.LOCK_OWNER_REUSED):
        await actions.withdraw(0, account.identity.owner)


async def test_without_a_payer_the_address_to_fund_is_named(account: Account, network: NetworkFile, eth: Entry) -> None:
    with refused(ReasonCode.CONFIG_INVALID) as caught:
        await ChainActions(account, network).lock(eth, ETHER)
    assert account.secret.lock_key(0).address in caught.value.message


@pytest.mark.parametrize("amount", [0, -1, 1 << 96])
async def test_impossible_amounts_are_refused_before_anything_is_written(
    account: Account, actions: ChainActions, eth: Entry, amount: int
) -> None:
    with refused(ReasonCode.OUT_OF_RANGE):
        await actions.lock(eth, amount)
    assert account.state.locks == ()


async def test_what_is_no_collateral_is_refused(actions: ChainActions, network: NetworkFile) -> None:
    with refused(ReasonCode.OUT_OF_RANGE):
        await actions.lock(network.universe.entries[2], 1)


async def test_a_lock_under_notice_takes_no_top_up(actions: ChainActions, eth: Entry) -> None:
    await actions.lock(eth, ETHER)
    await actions.start_notice(0)
    with refused(ReasonCode.LOCK_UNDER_NOTICE):
        await actions.top_up(0, ETHER)


async def test_unknown_locks_are_refused(actions: ChainActions) -> None:
    for number in (0, -1, 7):
        with refused(ReasonCode.NOT_FOUND):
            await actions.notice_view(number)


def test_the_zero_address_receives_nothing() -> None:
    with refused(ReasonCode.MALFORMED):
        parse_receiver("0x" + "00" * 20)
