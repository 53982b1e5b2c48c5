"""What a leader takes from others, and when it leads."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marginproof.attestation.certificates import assemble, partial_signature
from marginproof.model.certificates import Reference
from marginproof.relayers.acceptance import own_body
from marginproof.relayers.certify import Certifier
from marginproof.relayers.context import NodeContext
from marginproof.relayers.peers import Peers
from marginproof.relayers.protection import FixedList
from tests.attestation.builders import CHAIN, KEYS, leaf
from tests.relayers.contexts import make_context
from tests.relayers.files import network_file

VIEW = FixedList(CHAIN, 7, Reference(50, b"\x04" * 32, 1_700_000_700), (leaf(1), leaf(2)))


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_001_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def certifier(tmp_path: Path, clock: Clock) -> AsyncIterator[Certifier]:
    """A leader whose peers cannot be reached."""
    context = make_context(tmp_path, network_file(), clock)
    peers = Peers(network_file(), KEYS[0], 0, clock, 0.2)
    yield Certifier(context, peers, CHAIN)
    await peers.aclose()
    context.store.close()


def context_of(certifier: Certifier) -> NodeContext:
    return certifier._context


async def test_a_partial_signature_counts_only_if_it_is_its_relayers(certifier: Certifier) -> None:
    body = own_body(network_file(), VIEW, VIEW.leaves)
    partial = partial_signature(KEYS[1], body)
    assert certifier._holds(1, body, partial)
    assert not certifier._holds(2, body, partial)
    assert not certifier._holds(1, own_body(network_file(), VIEW, VIEW.leaves[:1]), partial)
    assert not certifier._holds(1, body, bytes(96))


async def test_alone_a_leader_certifies_nothing_and_does_not_hurry(certifier: Certifier, clock: Clock) -> None:
    context_of(certifier).protection.fix(VIEW)
    certifier.add(VIEW)
    clock.now += 100  # past every turn and all patience
    await certifier._step(7)
    assert context_of(certifier).archive.certificates(CHAIN, 7) == ()
    assert 7 in certifier._open
    assert certifier._next_try[7] > clock.now


async def test_what_others_certified_is_done(certifier: Certifier) -> None:
    context_of(certifier).protection.fix(VIEW)
    certifier.add(VIEW)
    body = own_body(network_file(), VIEW, VIEW.leaves)
    signatures = {signer: partial_signature(KEYS[signer], body) for signer in (1, 2)}
    certificate = assemble(body, network_file().signer_set, signatures)
    assert context_of(certifier).keep_certificate(certificate, VIEW.leaves)
    assert not context_of(certifier).keep_certificate(certificate, VIEW.leaves)
    await certifier._step(7)
    assert 7 not in certifier._open


async def test_views_without_leaves_and_old_epochs_are_not_worked_on(certifier: Certifier) -> None:
    certifier.add(FixedList(CHAIN, 1, VIEW.reference, ()))
    assert not certifier._open
    for epoch in range(2, 8):
        certifier.add(FixedList(CHAIN, epoch, VIEW.reference, VIEW.leaves))
    assert sorted(certifier._open) == [4, 5, 6, 7]


async def test_after_a_restart_the_newest_view_is_taken_up_again(certifier: Certifier) -> None:
    context_of(certifier).protection.fix(VIEW)
    certifier._resume()
    assert list(certifier._open) == [7]
