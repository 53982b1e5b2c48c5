"""The whole account over real sockets and a real chain: register, fetch, prove, submit; and everybody who may lie."""

import dataclasses
from pathlib import Path

import pytest

from marginproof.chains.evm.devnet import development_account
from marginproof.model.accounts import Registration, SignedRegistration
from marginproof.model.bundle import PresentationBundle
from marginproof.model.errors import RefusedError
from marginproof.model.margin import Outcome, Presentation, Purpose
from marginproof.model.pledges import RegistryRecord
from marginproof.model.reasons import ReasonCode
from marginproof.prover.account import Account
from marginproof.prover.chain_actions import ChainActions
from marginproof.prover.funding import Funding
from marginproof.prover.headroom import MarginInsufficientError
from marginproof.prover.registering import first_epoch_for
from marginproof.prover.session import AccountSession
from tests.prover.stage import ETHER, Stage, refused
from tests.prover.world import CASH, HOME, LOT, PASSWORD, PERP, SECOND, VENUE, snapshot


async def test_lock_register_prove_accept(stage: Stage) -> None:
    await stage.ready()
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    answer, bundle = await stage.session.submit(prepared)
    assert answer.outcome is Outcome.ACCEPT
    assert stage.venue.presentations == [prepared.presentation]
    assert PresentationBundle.decode(bundle.encode()) == bundle
    assert bundle.signed_decision == answer.signed_decision.encode()
    assert Presentation.decode(bundle.presentation) == prepared.presentation
    record = RegistryRecord.decode(bundle.registry_record)
    assert record.pledges[0].commitment == (await stage.session.record()).pledges[0].commitment
    assert prepared.presentation.context.registry_digest == record.digest != bytes(32)
    assert prepared.presentation.consent == ()
    assert prepared.left_out == ()
    assert 0 < prepared.prove_seconds < 60


async def test_the_same_occasion_gives_the_same_bytes_even_after_a_restart(stage: Stage, tmp_path: Path) -> None:
    await stage.ready()
    first = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    again = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert (again.presentation.encode(), again.repeated) == (first.presentation.encode(), True)
    stage.account.close()
    with Account.open(tmp_path / "account", stage.network, PASSWORD) as reopened:
        async with AccountSession(reopened, stage.network, clock=lambda: stage.now) as session:
            later = await session.prepare(VENUE, Purpose.MAINTENANCE)
    assert later.presentation.encode() == first.presentation.encode()
    _, bundle = await stage.session.submit(first)
    answer, _ = await stage.session.submit(again)
    assert answer.repeated
    assert bundle.presentation == first.presentation.encode()


async def test_a_second_proposal_on_one_snapshot_gets_no_second_proof(stage: Stage) -> None:
    await stage.ready()
    stage.propose({CASH: 4_000 * LOT, PERP: -LOT}, number=2)
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())
    stage.propose({CASH: 4_100 * LOT, PERP: -LOT}, number=3)
    with refused(ReasonCode.PROOF_ALREADY_MADE):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())
    assert not (await stage.session.prepare(VENUE, Purpose.MAINTENANCE)).repeated  # on what stands: another question
    assert not (await stage.session.prepare(VENUE, Purpose.INITIAL, await stage.proposal())).repeated
    stage.tick()
    assert not (await stage.session.prepare(VENUE, Purpose.MAINTENANCE, await stage.proposal())).repeated


async def test_a_second_snapshot_on_one_price_report_gets_no_second_proof(stage: Stage) -> None:
    await stage.ready()
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    stage.venue.snapshot = snapshot(stage.network, stage.now, expires_at=stage.now + 60)
    with refused(ReasonCode.PROOF_ALREADY_MADE):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)


async def test_a_venue_cannot_search_for_equity_by_lines_that_fail(stage: Stage) -> None:
    await stage.ready()
    stage.propose({CASH: 5_000 * LOT}, line=50_000 * LOT, number=2)
    for _ in range(2):  # the same question may be asked again, it has the same answer
        with pytest.raises(MarginInsufficientError):
            await stage.session.prepare(VENUE, Purpose.INITIAL, await stage.proposal())
    stage.propose({CASH: 5_000 * LOT}, line=LOT, number=3)
    with refused(ReasonCode.PROOF_ALREADY_MADE):
        await stage.session.prepare(VENUE, Purpose.INITIAL, await stage.proposal())
    stage.tick()
    assert not (await stage.session.prepare(VENUE, Purpose.INITIAL, await stage.proposal())).repeated


async def test_old_proof_records_are_dropped(stage: Stage) -> None:
    await stage.ready()
    for _ in range(7):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
        stage.tick(100)
    assert len(stage.account.state.proofs) <= 4


async def test_no_margin_no_message(stage: Stage) -> None:
    await stage.ready()
    stage.propose({CASH: -50_000 * LOT}, number=2)
    proposal = await stage.proposal()
    with pytest.raises(MarginInsufficientError):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE, proposal)
    assert stage.venue.presentations == []
    assert stage.account.state.proofs[-1].presentation == b""
    assert proposal.commitment not in [record.commitment for record in stage.account.state.pledges]


async def test_reject_is_an_answer(stage: Stage) -> None:
    await stage.ready()
    stage.venue.outcome, stage.venue.reasons = Outcome.REJECT, ("BOOK_NOT_COVERED",)
    answer, _ = await stage.session.submit(await stage.session.prepare(VENUE, Purpose.MAINTENANCE))
    assert (answer.outcome, answer.reasons, answer.step) == (Outcome.REJECT, ("BOOK_NOT_COVERED",), 7)


async def test_a_decision_that_the_venue_did_not_sign_is_refused(stage: Stage) -> None:
    await stage.ready()
    stage.venue.forged = True
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    with refused(ReasonCode.SIGNATURE_INVALID):
        await stage.session.submit(prepared)


async def test_relayers_that_certify_other_collateral_are_found_out(stage: Stage) -> None:
    await stage.ready()
    stage.certify(9 * ETHER, epoch=31)
    with refused(ReasonCode.CERTIFICATE_MISMATCH):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)


async def test_a_reference_block_that_own_endpoints_do_not_have_is_found_out(stage: Stage) -> None:
    await stage.ready()
    real = stage.reference()
    stage.reference = lambda: dataclasses.replace(real, hash=b"\x01" * 32)  # type: ignore[method-assign]
    stage.certify(epoch=31)
    with refused(ReasonCode.CERTIFICATE_MISMATCH):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)


async def test_a_lock_under_notice_counts_for_nothing(stage: Stage) -> None:
    await stage.ready({CASH: 5_000 * LOT, PERP: -3 * LOT})
    await ChainActions(stage.account, stage.network, Funding(development_account(1))).start_notice(0)
    stage.certify(0, epoch=31)
    with pytest.raises(MarginInsufficientError):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)


async def test_without_endpoints_the_accounts_own_records_serve(stage: Stage) -> None:
    await stage.ready()
    lock = stage.account.lock(0)
    stage.account.replace_lock(dataclasses.replace(lock, number=1, chain=SECOND))
    await stage.session.register()
    stage.certify(chain=SECOND, epoch=31)
    stage.certify(epoch=31)
    stage.tick()
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert [leaf.leaf.chain for leaf in prepared.presentation.leaves] == [HOME, SECOND]


async def test_the_newest_leaf_of_any_relayer_is_used_and_bad_ones_are_passed_over(stage: Stage) -> None:
    await stage.ready()
    included, certificate = stage.relayers[0].leaves[HOME]
    stage.relayers[1].leaves[HOME] = (included, dataclasses.replace(certificate, signature=bytes(96)))
    stage.certify(epoch=31, only=2)
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert prepared.presentation.context.certificates == (stage.relayers[2].leaves[HOME][1].digest,)


async def test_a_chain_without_certificate_is_left_out(stage: Stage) -> None:
    await stage.ready()
    registration = stage.relayers[0].registrations[-1].registration
    stage.account.replace_lock(dataclasses.replace(stage.account.lock(0), number=1, chain=SECOND))
    stage.now += 1
    await stage.session.register()
    assert stage.relayers[0].registrations[-1].registration.number == registration.number + 1
    prepared = await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert [(item.chain, item.code) for item in prepared.left_out] == [(SECOND, ReasonCode.NOT_FOUND)]


async def test_no_leaf_anywhere_says_to_wait(stage: Stage) -> None:
    await stage.lock()
    await stage.session.register()
    with refused(ReasonCode.NOT_FOUND) as caught:
        await stage.session.evidence()
    assert "epoch" in caught.value.fix


async def test_unregistered_accounts_are_told_what_to_do(stage: Stage) -> None:
    with refused(ReasonCode.LOCK_ABSENT):
        await stage.session.evidence()
    with refused(ReasonCode.LOCK_ABSENT):
        await stage.session.register()


async def test_a_policy_that_was_never_announced_is_refused(stage: Stage) -> None:
    await stage.ready()
    stage.venue.policies = (stage.venue.policies[0] + b"# one more comment\n",)
    with refused(ReasonCode.POLICY_NOT_ANNOUNCED):
        await stage.session.prepare(VENUE, Purpose.MAINTENANCE)


async def test_the_announcement_is_read_once(stage: Stage) -> None:
    await stage.ready()
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert len(stage.account.state.policies) == 1
    stage.tick()
    await stage.session.prepare(VENUE, Purpose.MAINTENANCE)
    assert len(stage.account.state.policies) == 1


async def test_registration_needs_the_threshold_and_is_sent_again_unchanged(stage: Stage) -> None:
    await stage.lock()
    for relayer in stage.relayers[1:]:
        relayer.refusal = RefusedError(ReasonCode.RATE_LIMITED, "later")
    with refused(ReasonCode.UNAVAILABLE) as caught:
        await stage.session.register()
    assert caught.value.fields == {"relayer_0": "TAKEN", "relayer_1": "RATE_LIMITED", "relayer_2": "RATE_LIMITED"}
    stage.relayers[1].refusal = None
    report = await stage.session.register()
    assert (report.number, [answer.code for answer in report.answers]) == (1, [None, None, ReasonCode.RATE_LIMITED])
    first, second = stage.relayers[0].registrations
    assert first == second
    assert (await stage.session.register()).number == 2


async def test_a_registration_that_came_too_late_gets_a_new_number(stage: Stage) -> None:
    await stage.lock()
    for relayer in stage.relayers:
        relayer.refusal = RefusedError(ReasonCode.RATE_LIMITED, "later")
    with refused(ReasonCode.UNAVAILABLE):
        await stage.session.register()
    stage.now += 1_000
    for relayer in stage.relayers:
        relayer.refusal = None
    report = await stage.session.register()
    assert (report.number, report.first_epoch) == (2, first_epoch_for(stage.network, stage.now))


async def test_relayers_get_a_registration_that_only_the_owner_can_have_signed(stage: Stage) -> None:
    await stage.lock()
    await stage.session.register()
    signed: SignedRegistration = stage.relayers[2].registrations[0]
    registration: Registration = signed.registration
    assert registration.account == stage.account.account_id
    assert registration.payees_root == stage.account.payees.root
    assert registration.locks[0].salt == stage.account.secret.lock_salt(0)


async def test_margin_status_is_asked_for_by_the_owner(stage: Stage) -> None:
    status = await stage.session.margin_status(VENUE)
    assert (status.proof_due_at, status.next_action) == (77, "nothing")


async def test_a_network_file_without_proof_of_possession_is_refused(stage: Stage) -> None:
    relayers = tuple(
        dataclasses.replace(r, possession=stage.network.relayers[0].possession) for r in stage.network.relayers
    )
    with refused(ReasonCode.POSSESSION_INVALID):
        AccountSession(stage.account, dataclasses.replace(stage.network, relayers=relayers))
