"""Pledges over real sockets and a real registry: reserve, prove, swap, trade, cover, release, and what goes wrong."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from marginproof import core
from marginproof.attestation.typed_signing import sign_typed
from marginproof.chains.evm.transactions.registry import Registry
from marginproof.chains.evm.transactions.sender import Sender
from marginproof.client.pledge_status import PledgeStatus, ProposalState
from marginproof.client.venue_book import OrderFill
from marginproof.model.errors import MarginproofError, NotFoundError, UnauthorisedError
from marginproof.model.margin import MarginState, Outcome, Purpose
from marginproof.model.pledges import NO_DIGEST, next_digest
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import revoke_message, rotation_message
from marginproof.verifier import decisions
from marginproof.verifier.procedure import Verdict, judge_read
from tests.verifier.rig import Rig, credential, eventually
from tests.verifier.world import (
    ACCOUNT,
    CASH,
    DEPLOYER,
    FILE,
    IDENTITY,
    LINE,
    LOT,
    NETWORK_ID,
    NOW,
    OWNER_KEY,
    PERP,
    REGISTRY,
    STRANGER_KEY,
    VENUE,
    World,
    price_report,
)

PRICE = 2_000 * 10**8


def fill(fill_id: str, lots: int, price_e8: int = PRICE) -> OrderFill:
    return OrderFill(fill_id, ACCOUNT, "ETH-PERP", lots, price_e8)


async def on_registry(rig: Rig, call: str, *arguments: Any) -> None:
    """A transaction of the deployer, final."""
    async with Sender(rig.devnet.url, DEPLOYER) as sender:
        await getattr(Registry(sender, "0x" + REGISTRY.hex()), call)(*arguments)
    for _ in range(4):
        rig.devnet.mine()


async def until(rig: Rig, state: MarginState) -> None:
    await eventually(
        lambda: rig.venue.get_margin_status(rig.credential("GetMarginStatus")), lambda status: status.state is state
    )


async def until_open(rig: Rig, *, opened: bool) -> None:
    await eventually(lambda: rig.book.get_pledge(ACCOUNT), lambda status: status.line_open is opened)


def current(rig: Rig) -> Callable[[Any], bool]:
    slot = (rig.clock.now - FILE.configuration.genesis_time) // 2
    return lambda pair: bool(pair[0].snapshot.price_slot == slot)


async def slot_later(rig: Rig, eth: int) -> None:
    """Two seconds later, with another price of ETH; waits for the snapshot."""
    newest = (await rig.venue.get_snapshot())[0].snapshot.price_slot
    rig.clock.now += 2
    prices = {"price:ETH": eth * 10**8, "price:USDC": 10**8, "volatility:ETH": 70_000_000}
    rig.relayers[1].reports.append(price_report(newest + 1, prices))
    await eventually(rig.venue.get_snapshot, lambda pair: pair[0].snapshot.price_slot == newest + 1)


# -- from reserve to the first fill ------------------------------------------------------------------------------------


async def test_a_line_opens_when_its_pledge_is_final_and_not_before(rig: Rig) -> None:
    await rig.book.open_account(ACCOUNT)
    empty = PledgeStatus(None, False, NO_DIGEST, ProposalState.NONE, None, "")
    assert await rig.book.get_pledge(ACCOUNT) == empty
    proposed = await rig.book.reserve_pledge(ACCOUNT, LINE)
    account = await rig.provable()
    assert account.proposal is not None
    commitment = account.proposal.commitment
    assert proposed == dataclasses.replace(empty, proposal_state=ProposalState.PROPOSED, proposed_commitment=commitment)
    presentation = account.present(pledge=account.proposal, purpose=Purpose.INITIAL)
    assert (await rig.venue.submit_presentation(presentation)).outcome is Outcome.ACCEPT
    under_way = await rig.venue.get_pledge_status(credential("GetPledgeStatus"))
    assert under_way == dataclasses.replace(proposed, proposal_state=ProposalState.ACCEPTED)
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)).reason == "LINE_CLOSED"

    settled = await rig.settled()
    digest = next_digest(NO_DIGEST, VENUE, commitment, FILE.universe.version)
    assert settled == PledgeStatus(commitment, True, digest, ProposalState.STANDING, commitment, "")
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)).fits
    assert (await rig.venue.get_standing_pledge(credential("GetStandingPledge"))) == account.proposal


async def test_the_opening_is_the_book_with_its_cash_lowered(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fill(fill("one", LOT // 10))
    await rig.book.reserve_pledge(ACCOUNT, 3 * LINE)
    opening = await rig.venue.get_pledge_proposal(credential("GetPledgeProposal"))
    assert opening.vector() == {PERP: LOT // 10, CASH: -200 * LOT - 3 * LINE}
    assert (opening.line, opening.book_sequence, opening.purpose) == (3 * LINE, 1, Purpose.INITIAL)
    assert (opening.venue, opening.account, opening.universe_version) == (VENUE, ACCOUNT, FILE.universe.version)
    assert core.commit(256, opening.vector(), opening.blinding) == opening.commitment


async def test_every_proposal_has_fresh_blinding_and_replaces_the_one_before(rig: Rig) -> None:
    await rig.book.open_account(ACCOUNT)
    openings = []
    for _ in range(2):
        await rig.book.reserve_pledge(ACCOUNT, LINE)
        openings.append(await rig.venue.get_pledge_proposal(credential("GetPledgeProposal")))
    assert openings[0].blinding != openings[1].blinding
    account = dataclasses.replace(await rig.provable(), proposal=openings[0])
    answer = await rig.venue.submit_presentation(account.present(pledge=openings[0], purpose=Purpose.INITIAL))
    assert (answer.step, answer.reasons) == (5, (ReasonCode.PLEDGE_UNEXPECTED,))


async def test_a_proposal_follows_the_book(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.reserve_pledge(ACCOUNT, 2 * LINE)
    first = await rig.venue.get_pledge_proposal(credential("GetPledgeProposal"))
    assert await rig.venue.get_pledge_proposal(credential("GetPledgeProposal")) == first
    await rig.book.record_fill(fill("one", LOT // 10))
    second = await rig.venue.get_pledge_proposal(credential("GetPledgeProposal"))
    assert (second.book_sequence, second.line, second.purpose) == (1, first.line, first.purpose)
    assert second.commitment != first.commitment


@pytest.mark.parametrize("line", [10**13 + 1, 2**64 - 1])
async def test_a_line_beyond_max_lots_is_refused(rig: Rig, line: int) -> None:
    await rig.book.open_account(ACCOUNT)
    before = await rig.book.reserve_pledge(ACCOUNT, LINE)
    with pytest.raises(MarginproofError) as caught:
        await rig.book.reserve_pledge(ACCOUNT, line)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE
    assert await rig.book.get_pledge(ACCOUNT) == before


async def test_an_account_that_is_not_open_has_no_pledge(rig: Rig) -> None:
    unknown = b"\x01" * 32
    for call in (
        rig.book.reserve_pledge(unknown, LINE),
        rig.book.release_pledge(unknown),
        rig.book.get_pledge(unknown),
        rig.venue.get_pledge_proposal(credential("GetPledgeProposal")),
        rig.venue.get_standing_pledge(credential("GetStandingPledge")),
        rig.venue.get_pledge_status(credential("GetPledgeStatus")),
    ):
        with pytest.raises(MarginproofError) as caught:
            await call
        assert caught.value.code == ReasonCode.BOOK_UNKNOWN
    await rig.book.open_account(ACCOUNT)
    for call in (
        rig.venue.get_pledge_proposal(credential("GetPledgeProposal")),
        rig.venue.get_standing_pledge(credential("GetStandingPledge")),
    ):
        with pytest.raises(NotFoundError) as missing:
            await call
        assert missing.value.code == ReasonCode.NOT_FOUND


@pytest.mark.parametrize("rpc", ["GetPledgeProposal", "GetStandingPledge", "GetPledgeStatus"])
async def test_only_the_owner_sees_pledges(rig: Rig, rpc: str) -> None:
    await rig.book.open_account(ACCOUNT)
    calls: dict[str, Any] = {
        "GetPledgeProposal": rig.venue.get_pledge_proposal,
        "GetStandingPledge": rig.venue.get_standing_pledge,
        "GetPledgeStatus": rig.venue.get_pledge_status,
    }
    for wrong in (credential(rpc, key=STRANGER_KEY), credential("GetBook"), credential(rpc, requested_at=NOW - 61)):
        with pytest.raises(UnauthorisedError):
            await calls[rpc](wrong)


# -- while a swap is under way -----------------------------------------------------------------------------------------


async def accepted(rig: Rig, line: int) -> World:
    """A second pledge whose proof was accepted; nothing is mined."""
    await rig.book.reserve_pledge(ACCOUNT, line)
    account = await rig.provable()
    presentation = account.present(pledge=account.proposal, purpose=Purpose.INITIAL)
    assert (await rig.venue.submit_presentation(presentation)).outcome is Outcome.ACCEPT
    return account


async def test_while_a_swap_is_under_way_orders_fit_both_pledges_and_nothing_else_starts(rig: Rig) -> None:
    await rig.open_with_line(10 * LINE)
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", 10 * LOT, PRICE)).fits
    account = await accepted(rig, LINE)
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", 10 * LOT, PRICE)).reason == "LINE_EXCEEDED"
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)).fits
    for call in (rig.book.reserve_pledge(ACCOUNT, LINE), rig.book.release_pledge(ACCOUNT)):
        with pytest.raises(MarginproofError) as caught:
            await call
        assert caught.value.code == ReasonCode.PLEDGE_PENDING
    answer = await rig.venue.submit_presentation(account.present())
    assert (answer.step, answer.reasons) == (5, (ReasonCode.PLEDGE_PENDING,))
    assert (await rig.settled()).line_open


async def test_a_swap_survives_a_restart_before_it_is_mined(rig: Rig) -> None:
    await rig.open_with_line()
    account = await accepted(rig, 2 * LINE)
    assert account.proposal is not None
    async with contextlib.AsyncExitStack() as stack:
        await rig.restart(stack)
        await rig.ready()
        settled = await rig.settled()
        assert settled.standing_commitment == account.proposal.commitment
        assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)).fits


async def test_two_presentations_at_once_start_one_swap(rig: Rig) -> None:
    await rig.book.open_account(ACCOUNT)
    await rig.book.reserve_pledge(ACCOUNT, LINE)
    account = await rig.provable()
    answers = await asyncio.gather(
        *(
            rig.venue.submit_presentation(account.present(pledge=account.proposal, purpose=Purpose.INITIAL))
            for _ in range(4)
        )
    )
    assert sorted(answer.reasons for answer in answers) == [(), *[(ReasonCode.PLEDGE_PENDING,)] * 3]


async def test_orders_go_on_while_a_proof_is_verified_and_it_is_held_against_what_they_left(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.open_with_line()
    await rig.book.reserve_pledge(ACCOUNT, 0)
    account, loop = await rig.provable(), asyncio.get_running_loop()

    def slowly(*arguments: Any) -> Verdict:
        verdict = judge_read(*arguments)
        booked = rig.book.record_fill(fill("meanwhile", LOT // 10))
        assert asyncio.run_coroutine_threadsafe(booked, loop).result(timeout=10) == 1
        return verdict

    monkeypatch.setattr(decisions, "judge_read", slowly)
    answer = await rig.venue.submit_presentation(account.present(pledge=account.proposal, purpose=Purpose.INITIAL))
    assert (answer.outcome, answer.step, answer.reasons) == (Outcome.REJECT, 7, (ReasonCode.BOOK_NOT_COVERED,))
    assert (await rig.book.get_pledge(ACCOUNT)).proposal_state is ProposalState.PROPOSED


# -- the registry moves ------------------------------------------------------------------------------------------------


async def test_a_revoked_venue_takes_no_risk_and_no_proof(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fill(fill("one", LOT // 10))
    signature = sign_typed(OWNER_KEY, revoke_message(NETWORK_ID, ACCOUNT, VENUE, 1))
    await on_registry(rig, "revoke", IDENTITY.owner, IDENTITY.index, VENUE, 1, signature)
    await until_open(rig, opened=False)
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)).reason == "LINE_CLOSED"
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", -LOT // 10, PRICE)).fits
    account = await rig.provable()
    answer = await rig.venue.submit_presentation(account.present())
    assert (answer.step, answer.reasons) == (5, (ReasonCode.PLEDGE_MISSING,))
    await rig.book.reserve_pledge(ACCOUNT, LINE)
    account = await rig.provable()
    answer = await rig.venue.submit_presentation(account.present(pledge=account.proposal, purpose=Purpose.INITIAL))
    assert (answer.step, answer.reasons) == (5, (ReasonCode.VENUE_NOT_AUTHORISED,))


async def test_a_swap_that_others_overtook_fails_and_its_proof_counts_for_nothing(rig: Rig) -> None:
    """The account revokes between proof and swap: the digest moves on, and the transaction can only revert."""
    await rig.open_with_line()
    rig.clock.now += 60
    before = await rig.venue.get_margin_status(rig.credential("GetMarginStatus"))
    rig.devnet.rpc("evm_setAutomine", False)
    signature = sign_typed(OWNER_KEY, revoke_message(NETWORK_ID, ACCOUNT, VENUE, 1))
    async with Sender(rig.devnet.url, DEPLOYER) as sender:
        registry = Registry(sender, "0x" + REGISTRY.hex())
        waiting = asyncio.ensure_future(registry.revoke(IDENTITY.owner, IDENTITY.index, VENUE, 1, signature))
        await eventually(_pending(rig, 1))
        await accepted(rig, 2 * LINE)
        rig.devnet.mine()
        await waiting
    rig.devnet.rpc("evm_setAutomine", True)
    failed = await rig.settled()
    assert (failed.proposal_state, failed.line_open) == (ProposalState.FAILED, False)
    assert failed.reason in ("REGISTRY_DIGEST_STALE", "VENUE_NOT_AUTHORISED")
    status = await rig.venue.get_margin_status(rig.credential("GetMarginStatus"))
    assert (status.accepted_at, status.proof_due_at) == (before.accepted_at, before.proof_due_at)
    again = await rig.book.reserve_pledge(ACCOUNT, LINE)
    assert (again.proposal_state, again.reason) == (ProposalState.PROPOSED, "")


def _pending(rig: Rig, number: int) -> Any:
    async def ask() -> None:
        count = int(rig.devnet.rpc("eth_getBlockTransactionCountByNumber", "pending"), 16)
        if count < number:
            raise NotFoundError("not there yet")

    return ask


async def test_credentials_and_consents_are_of_the_rotated_key(rig: Rig) -> None:
    await rig.open_with_line()
    key = bytes.fromhex(STRANGER_KEY.address[2:])
    signature = sign_typed(OWNER_KEY, rotation_message(NETWORK_ID, ACCOUNT, key, 0))
    await on_registry(rig, "rotate_key", IDENTITY.owner, IDENTITY.index, key, 0, signature)
    rotated = credential("GetBook", key=STRANGER_KEY)
    assert (await eventually(lambda: rig.venue.get_book(rotated))).account == ACCOUNT
    with pytest.raises(UnauthorisedError):
        await rig.venue.get_book(credential("GetBook"))


# -- prices move -------------------------------------------------------------------------------------------------------


async def test_a_book_that_prices_uncover_calls_for_cover_and_its_proof_restores_everything(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fill(fill("long", LOT))
    assert (await rig.book.get_pledge(ACCOUNT)).proposal_state is ProposalState.STANDING
    await slot_later(rig, 1_200)
    await until(rig, MarginState.PROOF_DUE)
    status = await rig.venue.get_margin_status(rig.credential("GetMarginStatus"))
    assert status.proof_due_at == rig.clock.now + 600
    account = await rig.provable()
    answer = await rig.venue.submit_presentation(account.present())
    assert (answer.step, answer.reasons) == (7, (ReasonCode.BOOK_NOT_COVERED,))
    cover = account.proposal
    assert cover is not None
    assert (cover.line, cover.purpose, cover.vector()) == (0, Purpose.MAINTENANCE, account.book.vector())

    presentation = account.present(pledge=cover, purpose=Purpose.MAINTENANCE)
    assert (await rig.venue.submit_presentation(presentation)).outcome is Outcome.ACCEPT
    assert (await rig.settled()).standing_commitment == cover.commitment
    await until(rig, MarginState.GOOD)
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT // 10, 1_200 * 10**8)).reason == "LINE_EXCEEDED"
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", -LOT, 1_200 * 10**8)).fits


async def test_a_line_that_was_reserved_is_no_cover(rig: Rig) -> None:
    """The account may have maintenance margin for its book and no initial margin for the line."""
    await rig.open_with_line()
    await rig.book.record_fill(fill("long", LOT))
    reserved = await rig.book.reserve_pledge(ACCOUNT, 2 * LINE)
    await slot_later(rig, 1_200)
    await until(rig, MarginState.PROOF_DUE)
    async with asyncio.timeout(20):
        cover = await eventually(
            lambda: rig.book.get_pledge(ACCOUNT), lambda s: s.proposed_commitment != reserved.proposed_commitment
        )
    await slot_later(rig, 1_200)
    assert (await rig.book.get_pledge(ACCOUNT)).proposed_commitment == cover.proposed_commitment


async def test_prices_that_come_back_cover_the_book_again(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fill(fill("long", LOT))
    await slot_later(rig, 1_200)
    await until(rig, MarginState.PROOF_DUE)
    await slot_later(rig, 2_000)
    account = await rig.provable()
    answer = await eventually(
        lambda: rig.venue.submit_presentation(account.present()), lambda answer: answer.outcome is Outcome.ACCEPT
    )
    assert answer.step == 0
    await until(rig, MarginState.GOOD)


async def test_a_margin_call_leaves_only_what_reduces_risk(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fill(fill("long", LOT))
    for seconds in (3_200, 100, 100, 100, 100):  # prices are to be had without a break before the deadline
        rig.clock.now += seconds
        rig.relayers[0].reports.append(price_report((rig.clock.now - FILE.configuration.genesis_time) // 2))
        await eventually(rig.venue.get_snapshot, current(rig))
    await until(rig, MarginState.MARGIN_CALL)
    results = await rig.book.record_fills([fill("more", LOT // 10), fill("less", -LOT)])
    assert [(result.recorded, result.reason) for result in results] == [(False, "LINE_CLOSED"), (True, "")]


# -- release -----------------------------------------------------------------------------------------------------------


async def test_a_pledge_is_released_from_an_empty_book(rig: Rig) -> None:
    pledge = await rig.open_with_line()
    released = await rig.book.release_pledge(ACCOUNT)
    assert (released.line_open, released.proposal_state) == (False, ProposalState.ACCEPTED)
    assert released.standing_commitment == pledge.commitment
    assert (await rig.book.check_order(ACCOUNT, "ETH-PERP", LOT, PRICE)).reason == "LINE_CLOSED"
    gone = await rig.settled()
    assert (gone.standing_commitment, gone.line_open, gone.proposal_state) == (None, False, ProposalState.NONE)
    status = await rig.venue.get_margin_status(rig.credential("GetMarginStatus"))
    assert (status.state, status.proof_due_at) == (MarginState.NEVER_PROVEN, 0)
    assert (await rig.pledge(2 * LINE)).line == 2 * LINE  # and another line later


async def test_a_book_that_is_not_empty_keeps_its_pledge(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fill(fill("one", LOT // 10))
    before = await rig.book.get_pledge(ACCOUNT)
    with pytest.raises(MarginproofError) as caught:
        await rig.book.release_pledge(ACCOUNT)
    assert caught.value.code == ReasonCode.BOOK_NOT_COVERED
    assert await rig.book.get_pledge(ACCOUNT) == before


async def test_cash_that_the_venue_owes_needs_no_pledge(rig: Rig) -> None:
    await rig.open_with_line()
    await rig.book.record_fills([fill("in", LOT // 10), fill("out", -LOT // 10, PRICE + PRICE // 1000)])
    await rig.book.release_pledge(ACCOUNT)
    gone = await rig.settled()
    assert gone.standing_commitment is None
    await slot_later(rig, 1_200)
    status = await rig.venue.get_margin_status(rig.credential("GetMarginStatus"))
    assert (status.state, status.proof_due_at) == (MarginState.NEVER_PROVEN, 0)
    with pytest.raises(NotFoundError):
        await rig.venue.get_pledge_proposal(rig.credential("GetPledgeProposal"))


async def test_there_must_be_a_pledge_to_release(rig: Rig) -> None:
    await rig.book.open_account(ACCOUNT)
    with pytest.raises(MarginproofError) as caught:
        await rig.book.release_pledge(ACCOUNT)
    assert caught.value.code == ReasonCode.PLEDGE_MISSING
