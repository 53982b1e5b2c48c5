"""What the account changes on the registry: authorisations and its own key, signed, posted by whoever pays, final."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.devnet import development_account
from marginproof.chains.evm.transactions import Registry, Sender, TransactionReverted
from marginproof.model.chains import format_address, parse_address
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import rotation_message
from marginproof.prover.account import Account
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.funding import Funding
from marginproof.prover.registry_changes import SignedChange, sign_authorisation, sign_rotation
from marginproof.prover.waiting import Patience
from tests.prover.stage import BOOK, PAYER, Stage, refused
from tests.prover.world import CASH, LOT, PASSWORD, VENUE

STRANGER = b"\x66" * 20


def send(stage: Stage, call: tuple[str, bytes], sender: LocalAccount = PAYER) -> str:
    """As any wallet would."""
    to, data = call
    rpc = stage.chain.devnet.rpc
    transaction: dict[str, Any] = {
        "to": to,
        "data": data,
        "gas": 500_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 0,
        "chainId": 31337,
        "nonce": int(rpc("eth_getTransactionCount", sender.address, "latest"), 16),
    }
    raw = sender.sign_transaction(transaction).raw_transaction
    digest = rpc("eth_sendRawTransaction", "0x" + bytes(raw).hex())
    stage.finalise()
    return str(rpc("eth_getTransactionReceipt", digest)["status"])


async def test_authorise_and_revoke_and_again(stage: Stage) -> None:
    for number, change, authorised in ((0, "authorise", True), (1, "revoke", False), (2, "authorise", True)):
        method = getattr(stage.session, change)
        done = await stage.while_mining(method(VENUE))
        assert (done.signed.kind, done.signed.number, done.final) == (change, number, True)
        again = await method(VENUE)
        assert (again.signed, again.block_number, again.final) == (None, None, True)
        async with Sender(stage.chain.devnet.url, PAYER) as sender:
            registry = Registry(sender, format_address(stage.network.network.registry))
            found = await registry.read_authorisation(stage.account.account_id, VENUE)
        assert (found.authorised, found.number) == (authorised, number + 1)


async def test_what_is_signed_anybody_may_post(stage: Stage) -> None:
    async with stage.open_session(payer=None) as session:
        change = await session.authorise(VENUE)
        assert change.signed is not None
        assert not change.final
        assert send(stage, change.signed.call(stage.network.network.registry)) == "0x1"
        assert (await session.authorise(VENUE)).final
        rotation = await session.rotate_key()
        assert rotation.signed is not None
        assert send(stage, rotation.signed.call(stage.network.network.registry)) == "0x1"
        assert stage.account.state.key_number == 0
        await session.record()
        assert stage.account.state.key_number == 1


async def test_a_revoked_venue_whose_pledge_stands_is_not_authorised_again(stage: Stage) -> None:
    await stage.ready()
    before = await stage.session.record()
    await stage.while_mining(stage.session.revoke(VENUE))
    record = await stage.session.record()
    assert record.digest != before.digest
    assert record.pledges[0].revoked_at > 0
    with refused(ReasonCode.CONFLICT):
        await stage.session.authorise(VENUE)
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE)  # it stands, so it can be proven
    stage.propose({CASH: LOT}, number=2)
    with refused(ReasonCode.VENUE_NOT_AUTHORISED):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())


async def test_a_revoked_pledge_is_ended_after_its_notice(stage: Stage) -> None:
    assert (await stage.session.lapse(VENUE)).final
    await stage.ready()
    await stage.while_mining(stage.session.revoke(VENUE))
    revoked_at = (await stage.session.record()).pledges[0].revoked_at
    over_at = revoked_at + stage.network.configuration.notice_seconds
    stage.chain.devnet.mine(over_at - 10)
    stage.finalise()
    with refused(ReasonCode.CONFLICT) as caught:
        await stage.session.lapse(VENUE)
    assert caught.value.fields["over_at"] == over_at
    stage.chain.devnet.mine(over_at)
    stage.finalise()
    async with stage.open_session(payer=None) as session:
        with refused(ReasonCode.CONFIG_INVALID):
            await session.lapse(VENUE)
    before = (await stage.session.record()).digest
    change = await stage.while_mining(stage.session.lapse(VENUE))
    assert change.block_number
    record = await stage.session.record()
    assert (record.pledges, record.digest != before) == ((), True)
    assert stage.account.state.pledges == ()
    assert (await stage.while_mining(stage.session.authorise(VENUE))).signed is not None


async def test_a_venue_that_no_lock_can_pay_is_not_authorised(stage: Stage) -> None:
    with refused(ReasonCode.VENUE_NOT_PAYEE):
        await stage.session.authorise(STRANGER)
    change = sign_authorisation(stage.account, stage.network.network_id, STRANGER, 0, revoke=False)
    await stage.post(change)  # by other means
    await stage.while_mining(stage.session.revoke(STRANGER))


async def test_a_locks_key_never_pays_for_the_account(stage: Stage) -> None:
    await stage.lock()
    with refused(ReasonCode.LOCK_OWNER_REUSED):
        stage.open_session(payer=stage.account.secret.lock_key(0))
    with refused(ReasonCode.LOCK_OWNER_REUSED):
        stage.open_session(payer=development_account(1))  # it funded the lock
    stage.open_session(payer=stage.account.signer)


async def test_a_key_that_paid_for_the_account_never_pays_for_a_lock(stage: Stage) -> None:
    await stage.while_mining(stage.session.authorise(VENUE))
    actions = ChainActions(stage.account, stage.network, Funding(PAYER))
    with refused(ReasonCode.LOCK_OWNER_REUSED):
        await actions.lock(stage.network.universe.entries[0], 10**18)
    async with stage.open_session(payer=development_account(1)) as early:
        await ChainActions(stage.account, stage.network, Funding(development_account(1))).resume()
        with refused(ReasonCode.LOCK_OWNER_REUSED):
            await early.revoke(VENUE)


async def test_rotation_changes_the_signer_and_nothing_else(stage: Stage) -> None:
    await stage.ready()
    identity, old = stage.account.identity, stage.account.signer.address
    change = await stage.while_mining(stage.session.rotate_key())
    new = stage.account.signer.address
    assert change.final
    assert new == stage.account.secret.owner_key(0, 1).address != old
    assert (stage.account.identity, (await stage.session.record()).key) == (identity, parse_address(new))
    stage.venue.signers.clear()
    await stage.session.margin_status(VENUE)
    assert stage.venue.signers == [parse_address(new)]
    stage.tick()
    await stage.pledge({CASH: LOT, **BOOK}, number=2)  # the registry takes the new key's consent
    await stage.while_mining(stage.session.rotate_key())
    assert stage.account.signer.address == stage.account.secret.owner_key(0, 2).address


async def test_consent_by_the_old_key_is_void_after_a_rotation(stage: Stage) -> None:
    await stage.collateral()
    await stage.authorise(VENUE)
    stage.propose(BOOK)
    await stage.session.submit(await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal()))
    await stage.post(sign_rotation(stage.account, stage.network.network_id))
    with pytest.raises(TransactionReverted) as caught:
        await stage.swap()
    assert caught.value.reason == "SIGNATURE_INVALID"


async def test_the_old_key_signs_until_the_rotation_is_final(stage: Stage) -> None:
    async with stage.open_session(patience=Patience(0.3, 0.05)) as session:
        with refused(ReasonCode.DEADLINE):
            await session.rotate_key()
        assert stage.account.state.key_number == 0
        stage.finalise()
        await session.record()
        assert stage.account.state.key_number == 1


async def test_a_crash_between_rotation_and_finality_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    await stage.post(sign_rotation(stage.account, stage.network.network_id))
    stage.account.close()
    with Account.open(tmp_path / "account", stage.network, PASSWORD) as account:
        async with stage.open_session(account) as session:
            change = await stage.while_mining(session.rotate_key())
        assert change.signed is not None
        assert (change.signed.number, account.state.key_number) == (1, 2)


async def test_a_key_that_is_not_the_accounts_is_found_out(stage: Stage) -> None:
    thief = parse_address(development_account(9).address)
    message = rotation_message(stage.network.network_id, stage.account.account_id, thief, 0)
    honest = sign_rotation(stage.account, stage.network.network_id)
    stolen = dataclasses.replace(honest, subject=thief, signature=sign_typed(stage.account.signer, message))
    await stage.post(stolen)
    for attempt in (stage.session.record(), stage.session.authorise(VENUE), stage.session.rotate_key()):
        with refused(ReasonCode.KEY_INVALID):
            await attempt
    assert stage.account.state.key_number == 0


def test_a_signature_stays_out_of_representations(change: SignedChange) -> None:
    assert change.signature.hex() not in repr(change)
    assert "signature" not in repr(change)


@pytest.fixture
def change(account: Account) -> SignedChange:
    return sign_rotation(account, account.state.network_id)
