"""The venue daemon over real sockets, with a real database, registry, certificates and proofs."""

import asyncio
import contextlib
import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from marginproof.attestation.typed_signing import recover_typed
from marginproof.chains.evm.devnet import Devnet
from marginproof.client.venue_book import OrderFill
from marginproof.model.errors import MarginproofError, UnavailableError
from marginproof.model.margin import MarginState, Outcome, Purpose
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import decision_message, snapshot_message
from marginproof.risk.policy import load_policy
from marginproof.verifier import api, service
from marginproof.verifier.service import longest_answer
from marginproof.verifier.swap_plan import SwapRules
from tests.verifier.rig import Rig, credential, eventually
from tests.verifier.world import (
    ACCOUNT,
    BOOK,
    EPOCH,
    FILE,
    GENESIS,
    HOME,
    LOT,
    NOW,
    OTHER,
    SLOT_SECONDS,
    VENUE,
    World,
    certify,
    price_report,
)


async def test_from_opening_to_accept(rig: Rig) -> None:
    assert await rig.book.open_account(ACCOUNT) == 0
    status = await rig.venue.get_margin_status(credential("GetMarginStatus"))
    assert (status.state, status.accepted_at, status.proof_due_at) == (MarginState.NEVER_PROVEN, None, 0)
    await rig.open_with_book()
    status = await rig.venue.get_margin_status(credential("GetMarginStatus"))
    assert (status.state, status.accepted_at, status.proof_due_at) == (MarginState.GOOD, NOW, NOW + 3_600)

    account = await rig.provable()
    assert account.book.vector() == {**BOOK, 2: 10_160 * LOT}
    rig.clock.now += 10
    answer = await rig.venue.submit_presentation(account.present())
    assert (answer.outcome, answer.step, answer.reasons, answer.repeated) == (Outcome.ACCEPT, 0, (), False)
    decision = answer.signed_decision.decision
    assert recover_typed(decision_message(decision), answer.signed_decision.signature) == VENUE
    status = await rig.venue.get_margin_status(rig.credential("GetMarginStatus"))
    assert (status.state, status.accepted_at, status.proof_due_at) == (MarginState.GOOD, NOW + 10, NOW + 3_610)


async def test_snapshot_and_policy_are_what_they_say(rig: Rig, world: World) -> None:
    signed, report = await rig.venue.get_snapshot()
    assert recover_typed(snapshot_message(signed.snapshot), signed.signature) == VENUE
    assert report == price_report()
    policy = await rig.venue.get_policy()
    assert (policy.source, policy.digest) == (world.policy.source, world.policy.digest)
    assert NOW - 14_000 < policy.effective_at < NOW - 13_000
    assert await rig.venue.get_policy(policy.digest) == policy
    with pytest.raises(MarginproofError) as unknown:
        await rig.venue.get_policy(bytes(32))
    assert unknown.value.code == ReasonCode.NOT_FOUND


async def test_the_same_bytes_get_the_same_answer_until_their_snapshot_ends(rig: Rig) -> None:
    await rig.open_with_book()
    data = (await rig.provable()).present().encode()
    first = await rig.venue.submit_presentation(data)
    again = await rig.venue.submit_presentation(data)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.signed_decision == first.signed_decision

    rig.clock.now += 120
    replay = await rig.venue.submit_presentation(data)
    assert (replay.outcome, replay.step, replay.reasons) == (Outcome.REJECT, 8, (ReasonCode.REPLAYED,))
    assert not replay.repeated
    once_more = await rig.venue.submit_presentation(data)
    assert once_more.repeated
    assert once_more.signed_decision == replay.signed_decision


async def test_one_address_submits_so_many_a_second(tmp_path: Path, home_chain: Devnet, world: World) -> None:
    async with Rig.start(tmp_path, home_chain, world, presentations_per_second=1) as rig:
        await rig.ready()
        for junk in (b"1", b"2"):  # twice the rate at once
            assert (await rig.venue.submit_presentation(junk)).step == 1
        with pytest.raises(MarginproofError) as refused:
            await rig.venue.submit_presentation(b"3")
        assert refused.value.code == ReasonCode.RATE_LIMITED
        rig.clock.now += 1
        assert (await rig.venue.submit_presentation(b"3")).step == 1


async def test_twenty_at_once_make_one_record(rig: Rig) -> None:
    await rig.open_with_book()
    data = (await rig.provable()).present().encode()
    answers = await asyncio.gather(*(rig.venue.submit_presentation(data) for _ in range(20)))
    assert len({answer.signed_decision.encode() for answer in answers}) == 1
    assert [answer.repeated for answer in answers].count(False) == 1
    assert answers[0].outcome is Outcome.ACCEPT
    with contextlib.closing(sqlite3.connect(rig.config.database)) as database:
        assert database.execute("select count(*) from decisions").fetchone() == (2,)  # the pledge's own before it


async def test_a_rejected_presentation_never_blocks_another_of_its_context(rig: Rig) -> None:
    await rig.open_with_book()
    good = (await rig.provable()).present()
    bad = dataclasses.replace(good, proof=good.proof[:-1] + bytes([good.proof[-1] ^ 1]))
    rejected = await rig.venue.submit_presentation(bad)
    assert (rejected.outcome, rejected.step) == (Outcome.REJECT, 7)
    assert (await rig.venue.submit_presentation(good)).outcome is Outcome.ACCEPT


async def test_a_restart_keeps_everything(rig: Rig) -> None:
    await rig.open_with_book()
    account = await rig.provable()
    data = account.present().encode()
    first = await rig.venue.submit_presentation(data)
    async with contextlib.AsyncExitStack() as stack:
        for relayer in rig.relayers:
            relayer.silent = True
        await rig.restart(stack)
        again = await rig.venue.submit_presentation(data)
        assert again.repeated
        assert again.signed_decision == first.signed_decision
        assert (await rig.venue.get_snapshot())[0] == account.snapshot
        assert await rig.venue.get_book(credential("GetBook")) == account.book
        status = await rig.venue.get_margin_status(credential("GetMarginStatus"))
        assert status.accepted_at == NOW
        for relayer in rig.relayers:
            relayer.silent = False
        await rig.ready()
        later = await rig.venue.submit_presentation(account.present())
        assert later.outcome is Outcome.ACCEPT  # the snapshot from before serves until it expires


async def test_a_silent_relayer_changes_nothing_and_two_only_delay(rig: Rig) -> None:
    await rig.open_with_book()
    account = await rig.provable()
    rig.relayers[0].silent = True
    assert (await rig.venue.submit_presentation(account.present())).outcome is Outcome.ACCEPT
    rig.relayers[1].silent = True
    waiting = account.present().encode()
    with pytest.raises(UnavailableError) as refused:
        await rig.venue.submit_presentation(waiting)
    assert refused.value.fields == {"answered": "1", "required": "2"}
    rig.relayers[0].silent = False
    answer = await rig.venue.submit_presentation(waiting)
    assert (answer.outcome, answer.repeated) == (Outcome.ACCEPT, False)


async def test_a_lying_relayer_is_not_believed(rig: Rig) -> None:
    await rig.open_with_book()
    account = await rig.provable()
    newer = certify(HOME, epoch=EPOCH + 3)
    rig.relayers[0].lying = True
    rig.relayers[0].leaves.append(newer)
    assert (await rig.venue.submit_presentation(account.present())).outcome is Outcome.ACCEPT
    only_there = account.present([newer, account.leaves[1]])
    answer = await rig.venue.submit_presentation(only_there)
    assert (answer.step, answer.reasons) == (3, (ReasonCode.CERTIFICATE_UNKNOWN,))


async def test_one_honest_relayer_is_enough_to_show_a_newer_leaf(rig: Rig) -> None:
    await rig.open_with_book()
    account = await rig.provable()
    rig.relayers[2].leaves.append(certify(OTHER, epoch=EPOCH + 2))
    answer = await rig.venue.submit_presentation(account.present())
    assert (answer.step, answer.reasons) == (3, (ReasonCode.CERTIFICATE_NOT_NEWEST,))


async def test_a_fill_inside_the_line_needs_no_new_proof(rig: Rig) -> None:
    await rig.open_with_book()
    presentation = (await rig.provable()).present()
    before = await rig.venue.get_margin_status(credential("GetMarginStatus"))
    await rig.book.record_fill(OrderFill("fill-3", ACCOUNT, "ETH-PERP", -LOT, 2_000 * 10**8))
    assert await rig.venue.get_margin_status(credential("GetMarginStatus")) == before
    assert (await rig.venue.submit_presentation(presentation)).outcome is Outcome.ACCEPT


async def test_bytes_that_are_nothing_are_rejected_and_signed(rig: Rig) -> None:
    answer = await rig.venue.submit_presentation(b"no presentation")
    assert (answer.outcome, answer.step, answer.reasons) == (Outcome.REJECT, 1, (ReasonCode.PRESENTATION_MALFORMED,))
    decision = answer.signed_decision.decision
    assert recover_typed(decision_message(decision), answer.signed_decision.signature) == VENUE
    assert (await rig.venue.submit_presentation(b"no presentation")).repeated
    assert "GetAccountLeaf" not in rig.relayers[0].calls


async def test_relayers_are_not_asked_for_more_certificates_than_there_are_chains(rig: Rig) -> None:
    await rig.open_with_book()
    account = await rig.provable()
    good = account.present()
    made_up = [bytes([number]) * 32 for number in range(1, 65)]
    leaves = tuple(dataclasses.replace(good.leaves[0], certificate_digest=digest) for digest in made_up)
    context = dataclasses.replace(good.context, certificates=tuple(made_up))
    answer = await rig.venue.submit_presentation(dataclasses.replace(good, context=context, leaves=leaves))
    assert (answer.step, answer.reasons) == (3, (ReasonCode.CERTIFICATE_UNKNOWN,))
    assert "GetCertificate" not in rig.relayers[0].calls


def test_answers_of_relayers_have_the_length_of_the_network() -> None:
    honest = price_report(prices={f"{number:064}": 1 for number in range(len(FILE.universe.points))}, observers=3)
    assert len(honest.encode()) < longest_answer(FILE) < PriceReport.MAX_BYTES // 8


async def test_what_is_far_too_large_is_refused_unread(rig: Rig) -> None:
    with pytest.raises(MarginproofError) as caught:
        await rig.venue.submit_presentation(bytes(600 * 1024))
    assert caught.value.code == ReasonCode.TOO_LARGE


async def test_a_policy_that_does_not_hold_is_rejected(tmp_path: Path, home_chain: Devnet, world: World) -> None:
    changed = world.policy.source + b"# another digest\n"
    async with Rig.start(tmp_path, home_chain, world) as rig:
        await rig.node.aclose()
        (tmp_path / "policy.yaml").write_bytes(changed)
        async with contextlib.AsyncExitStack() as stack:
            await rig.restart(stack)
            await rig.book.open_account(ACCOUNT)
            await rig.book.reserve_pledge(ACCOUNT, LOT)
            account = dataclasses.replace(await rig.provable(), policy=load_policy(changed))
            presentation = account.present(pledge=account.proposal, purpose=Purpose.INITIAL)
            answer = await rig.venue.submit_presentation(presentation)
            assert (answer.step, answer.reasons) == (2, (ReasonCode.POLICY_NOT_ANNOUNCED,))
            assert (await rig.venue.get_policy()).effective_at == 0


async def test_snapshots_follow_the_price_slots(rig: Rig) -> None:
    first = (await rig.venue.get_snapshot())[0]
    stream = rig.venue.stream_snapshots()
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.1)
    rig.clock.now += 2
    cheaper = {"price:ETH": 1_900 * 10**8, "price:USDC": 10**8, "volatility:ETH": 80_000_000}
    rig.relayers[1].reports.append(price_report(first.snapshot.price_slot + 1, cheaper))
    signed, report = await waiting
    await stream.aclose()  # type: ignore[attr-defined] # an asynchronous generator, typed as an iterator
    assert signed.snapshot.price_slot == first.snapshot.price_slot + 1
    assert {value.point: value.value for value in signed.snapshot.values} == cheaper
    assert report == rig.relayers[1].reports[-1]
    rig.relayers[0].reports.append(price_report(first.snapshot.price_slot - 5))
    assert (await rig.venue.get_snapshot())[0] == signed


async def test_idle_streams_never_keep_others_out(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_STREAMS", 1)
    stream = rig.venue.stream_snapshots()
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.2)
    with pytest.raises(MarginproofError) as caught:
        await anext(rig.venue.stream_snapshots())
    assert caught.value.code == ReasonCode.RATE_LIMITED
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0.2)
    again = asyncio.ensure_future(anext(rig.venue.stream_snapshots()))
    await asyncio.sleep(0.2)
    assert not again.done()
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


@pytest.mark.parametrize(
    ("slot_offset", "observers"), [(1_000, 2), (-1_000, 2), (1, 1)], ids=["future", "past", "too few observers"]
)
async def test_bad_reports_make_no_snapshot(rig: Rig, slot_offset: int, observers: int) -> None:
    first = (await rig.venue.get_snapshot())[0]
    report = price_report(first.snapshot.price_slot + slot_offset, observers=observers)
    for relayer in rig.relayers:
        relayer.reports.append(report)
        relayer.calls.clear()
    await eventually(rig.venue.get_snapshot, lambda _: all(len(r.calls) > 4 for r in rig.relayers))
    assert (await rig.venue.get_snapshot())[0] == first


async def test_without_prices_the_venue_is_reduce_only_and_the_deadline_waits(rig: Rig) -> None:
    await rig.open_with_book()
    await rig.venue.submit_presentation((await rig.provable()).present())
    rig.clock.now += 3_600
    request = credential("GetMarginStatus", requested_at=rig.clock.now)
    status = await rig.venue.get_margin_status(request)
    assert (status.state, status.missed_deadline_count) == (MarginState.REDUCE_ONLY, 0)
    rig.relayers[0].reports.append(price_report((rig.clock.now - GENESIS) // SLOT_SECONDS))
    status = await eventually(
        lambda: rig.venue.get_margin_status(request), lambda status: status.state is MarginState.PROOF_DUE
    )
    assert (status.proof_due_at, status.missed_deadline_count) == (rig.clock.now + 600, 0)


async def test_swaps_offer_no_more_than_the_cap(
    tmp_path: Path, home_chain: Devnet, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[SwapRules] = []

    class Poster:
        def __init__(self, *arguments: Any) -> None:
            given.append(arguments[-1])

        async def tick(self) -> None:
            return None

    monkeypatch.setattr(service, "SwapPoster", Poster)
    async with Rig.start(tmp_path, home_chain, world, swap_fee_cap_gwei=7):
        assert [rules.fee_cap for rules in given] == [7 * 10**9]


async def test_metrics_count_decisions_without_naming_anybody(rig: Rig) -> None:
    await rig.open_with_book()
    await rig.venue.submit_presentation((await rig.provable()).present())
    await rig.venue.submit_presentation(b"nothing")
    text = await asyncio.to_thread(rig.read_metrics)
    assert 'marginproof_venue_decisions_total{outcome="ACCEPT",reason=""} 2.0' in text
    assert 'marginproof_venue_decisions_total{outcome="REJECT",reason="PRESENTATION_MALFORMED"} 1.0' in text
    assert "marginproof_venue_fills_total 2.0" in text
    for state in ("PROPOSED", "ACCEPTED", "STANDING"):
        assert f'marginproof_venue_pledges_total{{state="{state}"}} 1.0' in text
    assert ACCOUNT.hex() not in text


async def test_no_secret_is_in_the_database(rig: Rig) -> None:
    await rig.open_with_book()
    account = await rig.provable()
    await rig.venue.submit_presentation(account.present())
    await rig.node.aclose()
    stored = b"".join(path.read_bytes() for path in rig.config.database.parent.glob("venue.sqlite*"))
    assert account.pledge is not None
    assert account.pledge.commitment in stored
    for secret in (account.pledge.blinding, (-5 * LOT).to_bytes(8, "little", signed=True), b"ETH-PERP"):
        assert secret not in stored
    assert rig.config.database.stat().st_mode & 0o077 == 0
