"""Limits, streams, turns, status, archive, evidence."""

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from marginproof.attestation.leaves import verify_included
from marginproof.chains.evm.client import Answer, Evidence, Outcome
from marginproof.model.errors import MarginproofError
from marginproof.model.prices import PriceReport
from marginproof.model.reasons import ReasonCode
from marginproof.node.limits import RateLimit, caller_of
from marginproof.relayers.archive import Archive
from marginproof.relayers.broadcast import Broadcast
from marginproof.relayers.evidence import EvidenceFolder
from marginproof.relayers.numbers import checked_number
from marginproof.relayers.status import NodeStatus
from marginproof.relayers.store import Store
from marginproof.relayers.timing import Timing, turn_of
from tests.attestation.builders import CHAIN, OTHER_CHAIN, REFERENCE, body, certificate, leaf
from tests.relayers.files import EPOCH_SECONDS, GENESIS, network_file
from tests.relayers.test_protection import open_store


def code_of_take(limit: RateLimit, caller: str, now: float) -> ReasonCode | None:
    try:
        limit.take(caller, now)
    except MarginproofError as error:
        return error.code
    return None


def test_rate_limit_by_caller() -> None:
    limit = RateLimit(2)
    assert [code_of_take(limit, "a", 0.0) for _ in range(5)] == [None] * 4 + [ReasonCode.RATE_LIMITED]
    assert code_of_take(limit, "b", 0.0) is None
    assert code_of_take(limit, "a", 0.4) == ReasonCode.RATE_LIMITED
    assert code_of_take(limit, "a", 0.9) is None
    assert code_of_take(limit, "a", 0.5) == ReasonCode.RATE_LIMITED  # a clock that goes back gives nothing


def test_rate_limit_remembers_a_bounded_number_of_callers() -> None:
    limit = RateLimit(1)
    for number in range(5000):
        limit.take(str(number), 0.0)
    assert len(limit._buckets) == 4096


def test_a_caller_is_an_address_without_its_port() -> None:
    assert caller_of("ipv4:127.0.0.1:4242") == "ipv4:127.0.0.1"
    assert caller_of("unix") == "unix"


def test_numbers_fit_the_database() -> None:
    assert checked_number((1 << 63) - 1) == (1 << 63) - 1
    with pytest.raises(MarginproofError) as caught:
        checked_number(1 << 63)
    assert caught.value.code == ReasonCode.OUT_OF_RANGE


async def test_every_listener_hears_everything() -> None:
    broadcast: Broadcast[int] = Broadcast()
    first, second = broadcast.listen(), broadcast.listen()
    waiting = [listener.__anext__() for listener in (first, second)]
    tasks = [asyncio.ensure_future(item) for item in waiting]
    await asyncio.sleep(0)
    broadcast.publish(1)
    assert [await task for task in tasks] == [1, 1]


async def test_a_slow_listener_is_dropped_and_told() -> None:
    broadcast: Broadcast[int] = Broadcast()
    listener = broadcast.listen()
    first = asyncio.ensure_future(listener.__anext__())
    await asyncio.sleep(0)
    for number in range(100):
        broadcast.publish(number)
    assert await first == 0
    assert [await anext(listener) for _ in range(63)] == list(range(1, 64))
    with pytest.raises(MarginproofError) as caught:
        await asyncio.wait_for(anext(listener), 10)
    assert caught.value.code == ReasonCode.UNAVAILABLE
    assert not broadcast._readers


async def test_streams_are_limited() -> None:
    broadcast: Broadcast[int] = Broadcast()
    listeners = [broadcast.listen() for _ in range(128)]
    tasks = [asyncio.ensure_future(listener.__anext__()) for listener in listeners]
    await asyncio.sleep(0)
    with pytest.raises(MarginproofError) as caught:
        await asyncio.wait_for(anext(broadcast.listen()), 10)
    assert caught.value.code == ReasonCode.RATE_LIMITED
    broadcast.publish(1)
    assert [await task for task in tasks] == [1] * 128


def test_turns_go_round_and_every_relayer_has_one() -> None:
    for epoch in range(6):
        turns = [turn_of(signer, 12345, epoch, 3) for signer in range(3)]
        assert sorted(turns) == [0, 1, 2]
        assert turn_of(0, 12345, epoch + 1, 3) == (turns[0] - 1) % 3


def test_waits_are_fractions_within_bounds() -> None:
    configuration = network_file().configuration
    assert Timing.of(configuration) == Timing(2.0, 15.0, 10.0, 5.0)
    short = dataclasses.replace(configuration, epoch_seconds=4, price_seconds=2)
    assert Timing.of(short) == Timing(0.2, 1.0, 0.5, 0.5)


def test_health_needs_every_chain_and_prices() -> None:
    configuration = network_file().configuration
    now = GENESIS + 10 * EPOCH_SECONDS
    slot = 10 * EPOCH_SECONDS // 30

    def status(**changes: int) -> NodeStatus:
        made = NodeStatus([CHAIN, OTHER_CHAIN])
        made.certified(CHAIN, changes.get("certified", 7))
        made.empty(OTHER_CHAIN, changes.get("empty", 7))
        made.last_report_slot = changes.get("slot", slot - 3)
        return made

    assert status().healthy(configuration, now)
    assert not status(certified=6).healthy(configuration, now)
    assert not status(empty=6).healthy(configuration, now)
    assert not status(slot=slot - 4).healthy(configuration, now)
    assert not NodeStatus([CHAIN]).healthy(configuration, now)


def test_a_certificate_clears_the_last_failure_and_an_older_one_does_not() -> None:
    status = NodeStatus([CHAIN])
    status.certified(CHAIN, 5)
    status.failed(CHAIN, ReasonCode.ENDPOINT_QUORUM)
    status.certified(CHAIN, 4)
    assert status.chains[CHAIN].last_failure == ReasonCode.ENDPOINT_QUORUM
    status.certified(CHAIN, 6)
    assert status.chains[CHAIN].last_failure is None
    assert status.chains[CHAIN].certified_epoch == 6


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    store: Store = open_store(tmp_path / "relayer.db")
    yield Archive(store)
    store.close()


def test_newest_leaf_of_an_account_is_found(archive: Archive) -> None:
    both, one = (leaf(1), leaf(2)), (leaf(1),)
    old, new = certificate(body(both, epoch=5)), certificate(body(one, epoch=6))
    assert archive.add_certificate(old, both)
    assert archive.add_certificate(new, one)
    assert not archive.add_certificate(certificate(body(one, epoch=6), (0, 1)), one)  # the same body
    for account, epoch, of in ((1, None, new), (1, 5, old), (2, None, old)):
        included, found = archive.account_leaf(leaf(account).account, CHAIN, epoch)
        assert found == of
        verify_included(included, found)
    for account, chain, wanted in ((3, CHAIN, None), (1, OTHER_CHAIN, None), (2, CHAIN, 6)):
        with pytest.raises(MarginproofError) as caught:
            archive.account_leaf(leaf(account).account, chain, wanted)
        assert caught.value.code == ReasonCode.NOT_FOUND


def test_certificates_by_digest_and_epoch(archive: Archive) -> None:
    assert archive.certified_leaves(CHAIN, 5) == frozenset()
    first, second = certificate(body((leaf(1),))), certificate(body((leaf(2),)))
    archive.add_certificate(first, (leaf(1),))
    assert archive.certified_leaves(CHAIN, 5) == {leaf(1)}
    archive.add_certificate(second, (leaf(2),))
    assert archive.certified_leaves(CHAIN, 5) == {leaf(1), leaf(2)}
    assert archive.certificates(CHAIN, 5) == (first, second)
    assert archive.certificate(second.digest) == second
    assert archive.last_certified(CHAIN) == 5
    assert archive.last_certified(OTHER_CHAIN) is None
    with pytest.raises(MarginproofError) as caught:
        archive.certificate(bytes(32))
    assert caught.value.code == ReasonCode.NOT_FOUND


def test_reports_by_slot(archive: Archive) -> None:
    with pytest.raises(MarginproofError) as caught:
        archive.report(None)
    assert caught.value.code == ReasonCode.NOT_FOUND
    assert archive.add_report(4, PriceReport(()))
    assert not archive.add_report(4, PriceReport(()))
    assert archive.report(None) == archive.report(4) == PriceReport(())
    assert archive.last_reported() == 4
    with pytest.raises(MarginproofError):
        archive.report(5)


def test_evidence_is_kept_once_with_hashes_and_places_only(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path / "evidence")
    answers = (Answer(0, Outcome.ANSWERED, "0x01"), Answer(1, Outcome.ANSWERED, "0x02"), Answer(2, Outcome.TIMEOUT))
    for _ in range(2):
        folder.keep_answers(Evidence(CHAIN, "block 5", answers))
    (file,) = (tmp_path / "evidence").iterdir()
    document = json.loads(file.read_text())
    assert [answer["value"] for answer in document["answers"]] == ["0x01", "0x02", ""]
    assert [answer["endpoint"] for answer in document["answers"]] == [0, 1, 2]
    conflicting = certificate(body((leaf(1),)))
    folder.keep_conflict(conflicting, dataclasses.replace(REFERENCE, hash=b"\x05" * 32))
    assert len(list((tmp_path / "evidence").iterdir())) == 2
