"""What relayers say, when they answer with true statements about something else."""

import dataclasses
from typing import Any

import pytest

from marginproof.attestation.certificates import assemble, partial_signature
from marginproof.model.certificates import Certificate, CertificateBody, IncludedLeaf
from marginproof.model.errors import NotFoundError, UnavailableError
from marginproof.verifier.evidence import RelayerEvidence
from marginproof.verifier.facts import NewestLeaf
from tests.verifier.world import ACCOUNT, EPOCH, FILE, HOME, KEYS, NOW, OTHER, CertifiedLeaf, FakeClock, certify


class ClientForTests:
    """Answers with whatever the test sets."""

    def __init__(self, leaf: CertifiedLeaf | None, certificate: Certificate | None = None) -> None:
        self.leaf = leaf
        self.certificate = certificate

    async def get_account_leaf(self, account: bytes, chain: str) -> tuple[IncludedLeaf, Certificate]:
        if self.leaf is None:
            raise NotFoundError("no leaf")
        return self.leaf.included, self.leaf.certificate

    async def get_certificate(self, digest: bytes) -> Certificate:
        if self.certificate is None:
            raise NotFoundError("no certificate")
        return self.certificate

    async def list_certificates(self, chain: str) -> tuple[Certificate, ...]:
        if self.certificate is None:
            raise UnavailableError("silent")
        return (self.certificate,)


def evidence(*clients: Any) -> RelayerEvidence:
    return RelayerEvidence(clients, FILE, FakeClock())


NOTHING = ClientForTests(None)
TRUE = certify(HOME)
STRANGERS = certify(HOME, epoch=EPOCH + 5, account=b"\x0a" * 32)
OTHER_CHAIN = certify(OTHER, epoch=EPOCH + 5)
NEWER = certify(HOME, epoch=EPOCH + 5)
UNSHOWN = dataclasses.replace(
    NEWER, included=dataclasses.replace(NEWER.included, branch=(bytes(32), *NEWER.included.branch[1:]))
)


@pytest.mark.parametrize("astray", [STRANGERS, OTHER_CHAIN, UNSHOWN], ids=["account", "chain", "branch"])
async def test_a_leaf_of_something_else_is_no_newer_leaf(astray: CertifiedLeaf) -> None:
    asked = evidence(ClientForTests(TRUE), ClientForTests(astray), NOTHING)
    assert await asked.newest_leaf(ACCOUNT, HOME) == NewestLeaf(EPOCH, NOW)


async def test_the_newest_of_all_answers_counts() -> None:
    asked = evidence(ClientForTests(TRUE), ClientForTests(NEWER), ClientForTests(TRUE))
    assert await asked.newest_leaf(ACCOUNT, HOME) == NewestLeaf(EPOCH + 5, NOW)


async def test_no_leaf_anywhere_is_an_answer() -> None:
    assert await evidence(NOTHING, NOTHING, NOTHING).newest_leaf(ACCOUNT, HOME) is None


async def test_another_certificate_is_not_the_one_asked_for() -> None:
    astray = ClientForTests(None, OTHER_CHAIN.certificate)
    assert await evidence(astray, astray, astray).certificate(TRUE.certificate.digest) is None
    found = evidence(astray, ClientForTests(None, TRUE.certificate), NOTHING)
    assert await found.certificate(TRUE.certificate.digest) == TRUE.certificate


async def test_a_chain_that_the_network_does_not_know_is_left_out() -> None:
    body = dataclasses.replace(TRUE.certificate.body, chain="eip155:5")
    strange = resigned(body)
    asked = evidence(*(ClientForTests(None, strange) for _ in range(3)))
    assert await asked.certificate(strange.digest) is None
    await asked.refresh()
    assert asked.chain("eip155:5") is None


async def test_the_newest_reference_of_a_chain_is_known() -> None:
    asked = evidence(NOTHING, ClientForTests(None, TRUE.certificate), NOTHING)
    assert asked.chain(HOME) is None
    await asked.refresh()
    known = asked.chain(HOME)
    assert known is not None
    assert (known.last_reference, known.expires_at) == (NOW - 200, NOW - 200 + 7_200)


async def test_first_sight_of_an_epoch_is_remembered() -> None:
    clock = FakeClock()
    asked: Any = [ClientForTests(TRUE), ClientForTests(TRUE), NOTHING]
    watching = RelayerEvidence(asked, FILE, clock)
    await watching.newest_leaf(ACCOUNT, HOME)
    clock.now += 500
    assert await watching.newest_leaf(ACCOUNT, HOME) == NewestLeaf(EPOCH, NOW)


def resigned(body: CertificateBody) -> Certificate:
    return assemble(body, FILE.signer_set, {signer: partial_signature(KEYS[signer], body) for signer in (0, 1)})
