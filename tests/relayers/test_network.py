"""Three nodes over real sockets and real chains."""

import asyncio
import dataclasses
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from marginproof.v1 import relayer_service_pb2

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.certificates import verify_certificate, verify_partial
from marginproof.attestation.leaves import verify_included
from marginproof.attestation.peer_requests import sign_peer_request
from marginproof.chains.evm.devnet import development_account
from marginproof.client.relayer_peer import PeerCredential, RelayerPeerClient
from marginproof.model.certificates import Certificate, CertificateBody, IncludedLeaf, LeafList, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.peers import NO_SUBJECT, PeerRequest
from marginproof.model.reasons import ReasonCode
from marginproof.oracles.report import usable_prices
from marginproof.relayers.protection import FixedList, SigningProtection
from marginproof.relayers.store import Store
from tests.relayers.world import (
    ETH_PRICE,
    ETH_VOLATILITY,
    HOME,
    SECOND,
    USDC_PRICE,
    Account,
    Chains,
    Relayers,
    open_account,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def certified(
    relayers: Relayers, account: Account, chain: str, epoch: int, signer: int = 0
) -> tuple[IncludedLeaf, Certificate]:
    """The account's leaf of this or a later epoch, checked as an account and a venue check it."""

    async def look() -> tuple[IncludedLeaf, Certificate] | None:
        async with relayers.client(signer) as client:
            included, certificate = await client.get_account_leaf(account.id, chain)
        return (included, certificate) if certificate.body.epoch >= epoch else None

    included, certificate = await until(look)
    verify_certificate(certificate, relayers.file.network_id, relayers.file.signer_set)
    verify_included(included, certificate)
    return included, certificate


def opens_to(relayers: Relayers, account: Account, included: IncludedLeaf, of: Certificate, lots: int) -> bool:
    """Whether the leaf's commitment is to ``lots`` of the chain's only entry, with the blinding that both derive."""
    leaf, body = included.leaf, of.body
    blinding = leaf_blinding(
        account.seed,
        network=body.network,
        chain=body.chain,
        account=account.id,
        registration_digest=leaf.registration_digest,
        epoch=body.epoch,
        reference_hash=body.reference.hash,
        universe_digest=body.universe_digest,
    )
    index = 0 if body.chain == HOME else 1
    return core.commit(256, {index: lots} if lots else {}, blinding) == leaf.commitment


@dataclasses.dataclass(frozen=True)
class Scene:
    """Accounts that were opened and registered together, and the first epoch in which they count."""

    both: Account
    late: Account
    noticed: Account
    victim: Account
    thief: Account
    first_epoch: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(chains: Chains, relayers: Relayers) -> Scene:
    both, late, noticed, victim, thief = await asyncio.gather(
        open_account(chains, relayers.file, 1, native=3 * 10**18, token=2_500_000_000),
        open_account(chains, relayers.file, 2, native=10**18),
        open_account(chains, relayers.file, 3, native=4 * 10**18),
        open_account(chains, relayers.file, 4, native=10**18),
        open_account(chains, relayers.file, 5, native=10**18),
    )
    thief = dataclasses.replace(thief, locks=(*thief.locks, *victim.locks))
    await relayers.register(late, 1, 0)  # with one relayer only
    epochs = await asyncio.gather(*(relayers.register(account, 1) for account in (both, noticed, victim, thief)))
    return Scene(both, late, noticed, victim, thief, max(epochs))


async def test_from_lock_to_certificate_on_two_chains(relayers: Relayers, scene: Scene) -> None:
    for chain, lots in ((HOME, 3 * 10**6), (SECOND, 2_500 * 100)):
        included, certificate = await certified(relayers, scene.both, chain, scene.first_epoch)
        assert sum(certificate.signers) >= 2
        assert opens_to(relayers, scene.both, included, certificate, lots)
        assert not opens_to(relayers, scene.both, included, certificate, lots + 1)


async def test_every_relayer_serves_the_same_certificates(relayers: Relayers, scene: Scene) -> None:
    _, certificate = await certified(relayers, scene.both, HOME, scene.first_epoch)
    for signer in (1, 2):

        async def look(signer: int = signer) -> Certificate:
            async with relayers.client(signer) as client:
                return await client.get_certificate(certificate.digest)

        again = await until(look)
        assert again.body == certificate.body
        async with relayers.client(signer) as client:
            listed = await client.list_certificates(HOME, certificate.body.epoch)
        assert certificate.digest in [item.digest for item in listed]


async def test_prices_are_reported_and_streamed(relayers: Relayers) -> None:
    async with relayers.client(0) as client:
        stream = client.stream_price_reports()
        report = await asyncio.wait_for(anext(stream), 30)
        stored = await client.get_price_report(report.observations[0].observations.slot)
    assert stored == report
    prices = usable_prices(
        report,
        universe=relayers.file.universe,
        network_id=relayers.file.network_id,
        signer_set=relayers.file.signer_set,
        threshold=2,
    )
    assert prices == {"eth": ETH_PRICE, "eth.iv": ETH_VOLATILITY, "usdc": USDC_PRICE}


async def test_certificates_are_streamed(relayers: Relayers, scene: Scene) -> None:
    async with relayers.client(1) as client:
        stream = client.stream_certificates([SECOND])
        certificate = await asyncio.wait_for(anext(stream), 30)
    assert certificate.body.chain == SECOND
    verify_certificate(certificate, relayers.file.network_id, relayers.file.signer_set)


async def test_a_lock_counts_in_one_account_only(relayers: Relayers, scene: Scene) -> None:
    included, certificate = await certified(relayers, scene.victim, HOME, scene.first_epoch)
    assert opens_to(relayers, scene.victim, included, certificate, 10**6)
    async with relayers.client(0) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.get_account_leaf(scene.thief.id, HOME)
    assert caught.value.code == ReasonCode.NOT_FOUND


@dataclasses.dataclass(frozen=True)
class SecondAct:
    """What happened after the first certificates: a notice began, the late account reached a second relayer."""

    before_notice: tuple[IncludedLeaf, Certificate]
    late_before: ReasonCode
    late_epoch: int
    notice_epoch: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def second_act(chains: Chains, relayers: Relayers, scene: Scene) -> SecondAct:
    before = await certified(relayers, scene.noticed, HOME, scene.first_epoch)
    async with relayers.client(0) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.get_account_leaf(scene.late.id, HOME)
    late_epoch = await relayers.register(scene.late, 2, 0, 2)
    await chains.start_notice(scene.noticed.owner, scene.noticed.locks[0].lock_id)
    return SecondAct(before, caught.value.code, late_epoch, relayers.epoch + 1)


async def test_late_registration_costs_only_that_account(
    relayers: Relayers, scene: Scene, second_act: SecondAct
) -> None:
    assert second_act.late_before == ReasonCode.NOT_FOUND
    await certified(relayers, scene.late, HOME, second_act.late_epoch)  # now t share it


async def test_lock_under_notice_no_longer_counts(relayers: Relayers, scene: Scene, second_act: SecondAct) -> None:
    included, certificate = second_act.before_notice
    assert opens_to(relayers, scene.noticed, included, certificate, 4 * 10**6)
    included, certificate = await certified(relayers, scene.noticed, HOME, second_act.notice_epoch)
    assert opens_to(relayers, scene.noticed, included, certificate, 0)


async def test_registration_rules_at_the_boundary(relayers: Relayers, scene: Scene) -> None:
    account = dataclasses.replace(scene.victim, identity=dataclasses.replace(scene.victim.identity, index=99), locks=())
    epoch = relayers.epoch
    first = account.registration(relayers.file, 2, epoch + 3)
    async with relayers.client(0) as client:
        answer = await client.register_account(first)
        assert await client.register_account(first) == answer == (first.registration.root(), epoch + 3)
        for signed, code in (
            (account.registration(relayers.file, 2, epoch + 4), ReasonCode.CONFLICT),
            (account.registration(relayers.file, 1, epoch + 4), ReasonCode.REGISTRATION_NUMBER),
            (account.registration(relayers.file, 3, 0), ReasonCode.REGISTRATION_EPOCH),
        ):
            with pytest.raises(MarginproofError) as caught:
                await client.register_account(signed)
            assert caught.value.code == code


async def test_locks_outside_the_pinned_vaults_are_refused(relayers: Relayers, scene: Scene) -> None:
    lock = dataclasses.replace(scene.victim.locks[0], vault=b"\x01" * 20)
    signed = dataclasses.replace(scene.victim, locks=(lock,)).registration(relayers.file, 9, relayers.epoch + 2)
    async with relayers.client(0) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.register_account(signed)
    assert caught.value.code == ReasonCode.REGISTRATION_LOCKS


async def test_what_is_asked_for_must_have_the_right_size(relayers: Relayers) -> None:
    async with relayers.client(0) as client:
        for call, code in (
            (client.get_certificate(b"\x01" * 31), ReasonCode.INPUT_LENGTH),
            (client.get_account_leaf(b"", HOME), ReasonCode.INPUT_LENGTH),
            (client.list_certificates(HOME, (1 << 64) - 1), ReasonCode.OUT_OF_RANGE),
            (client.get_price_report(1 << 63), ReasonCode.OUT_OF_RANGE),
            (client.get_certificate(bytes(32)), ReasonCode.NOT_FOUND),
        ):
            with pytest.raises(MarginproofError) as caught:
                await call
            assert caught.value.code == code
        assert await client.list_certificates("eip155:5") == ()


async def test_a_registration_that_is_too_large_is_refused(relayers: Relayers) -> None:
    async with relayers.client(0) as client:
        request = relayer_service_pb2.RegisterAccountRequest(signed_registration=bytes(64 * 1024 + 1))
        with pytest.raises(MarginproofError) as caught:
            await client._unary(client._stub.RegisterAccount, request)
    assert caught.value.code == ReasonCode.TOO_LARGE


async def peer_refusal(relayers: Relayers, call: Callable[[RelayerPeerClient], Awaitable[object]]) -> ReasonCode:
    relayer = relayers.file.relayers[0]
    async with RelayerPeerClient(relayer.target, relayer.certificate_pem) as client:
        with pytest.raises(MarginproofError) as caught:
            await call(client)
    return caught.value.code


def credential(
    relayers: Relayers, method: str, epoch: int, subject: bytes = NO_SUBJECT, **forged: int
) -> PeerCredential:
    """What relayer 1 shows relayer 0, or a forgery of it."""
    key = relayers.keys[forged.get("key", 1)]
    now = int(time.time()) + forged.get("late", 0)
    chain = "" if method == "GetObservations" else HOME
    request = PeerRequest(method, 1, forged.get("callee", 0), chain, epoch, subject, now)
    return PeerCredential(1, now, sign_peer_request(key, request, relayers.file.network_id))


async def test_only_relayers_are_answered_and_only_what_they_signed_for(relayers: Relayers, scene: Scene) -> None:
    _, certificate = await certified(relayers, scene.both, HOME, scene.first_epoch)
    epoch = certificate.body.epoch
    forged = [
        credential(relayers, "GetLeafList", epoch, key=2),
        credential(relayers, "GetLeafList", epoch, callee=2),
        credential(relayers, "GetLeafList", epoch, late=-60),
        credential(relayers, "GetLeafList", epoch + 1),
        credential(relayers, "GetObservations", epoch),
        dataclasses.replace(credential(relayers, "GetLeafList", epoch), signer=7),
        dataclasses.replace(credential(relayers, "GetLeafList", epoch), signature=bytes(96)),
    ]
    for item in forged:
        code = await peer_refusal(relayers, lambda client, item=item: client.get_leaf_list(item, HOME, epoch))  # type: ignore[misc] # a default binds the loop's value
        assert code == ReasonCode.UNAUTHORISED
    good = credential(relayers, "GetLeafList", epoch)
    relayer = relayers.file.relayers[0]
    async with RelayerPeerClient(relayer.target, relayer.certificate_pem) as client:
        reference, leaf_list = await client.get_leaf_list(good, HOME, epoch)
    assert reference == certificate.body.reference
    assert scene.both.id in [leaf.account for leaf in leaf_list.leaves]


async def test_a_lying_peer_gets_no_signature(relayers: Relayers, scene: Scene) -> None:
    included, certificate = await certified(relayers, scene.both, HOME, scene.first_epoch)
    own = LeafList((included.leaf,))
    body = dataclasses.replace(certificate.body, leaves_root=own.root())
    invented = LeafList((dataclasses.replace(included.leaf, commitment=b"\xc0" + bytes(47)),))
    other_block = dataclasses.replace(body.reference, hash=b"\x01" * 32)

    async def ask(of: CertificateBody, leaves: LeafList) -> ReasonCode:
        shown = credential(relayers, "SignLeafList", of.epoch, of.root())
        return await peer_refusal(relayers, lambda client: client.sign_leaf_list(shown, of, leaves))

    assert await ask(dataclasses.replace(body, reference=other_block), own) == ReasonCode.SIGNING_PROTECTION
    assert await ask(dataclasses.replace(body, leaves_root=invented.root()), invented) == ReasonCode.LEAF_NOT_OWN
    assert await ask(dataclasses.replace(body, expires_at=body.expires_at + 1), own) == ReasonCode.CERTIFICATE_MISMATCH
    assert await ask(dataclasses.replace(body, epoch=body.epoch + 1000), own) == ReasonCode.NOT_FOUND
    forged = Certificate(body, (True, True, True), certificate.signature)
    shown = credential(relayers, "PublishCertificate", body.epoch, forged.digest)
    code = await peer_refusal(relayers, lambda client: client.publish_certificate(shown, forged, own))
    assert code == ReasonCode.CERTIFICATE_SIGNATURE
    relayer = relayers.file.relayers[0]
    shown = credential(relayers, "SignLeafList", body.epoch, body.root())
    async with RelayerPeerClient(
        relayer.target, relayer.certificate_pem
    ) as client:  # a part of its own leaves it signs
        verify_partial(relayers.keys[0].public_key, body, await client.sign_leaf_list(shown, body, own))


async def test_one_node_down_certification_goes_on(relayers: Relayers, scene: Scene) -> None:
    await relayers.stop(0)
    epoch = relayers.epoch + 1
    for later in range(3):  # in three epochs every relayer was in turn once
        _, certificate = await certified(relayers, scene.both, HOME, epoch + later, 1)
        assert certificate.signers == (False, True, True)
    await relayers.start(0)

    async def back() -> bool:
        _, certificate = await certified(relayers, scene.both, HOME, epoch, 0)
        return certificate.signers[0]

    assert await until(back)


async def test_a_relayer_with_another_block_is_left_out_and_keeps_the_evidence(
    relayers: Relayers, scene: Scene
) -> None:
    """Relayer 2 has fixed a block that does not exist for a coming epoch, as a forked chain would make it."""
    await relayers.stop(2)
    epoch, config = relayers.epoch + 2, relayers.configs[2]
    key = relayers.keys[2].public_key
    store = Store.open(config.database, network_id=relayers.file.network_id, public_key=key, epoch=0, slot=0)
    foreign = FixedList(HOME, epoch, Reference(1, b"\x01" * 32, 1), ())
    SigningProtection(store).fix(foreign)
    store.close()
    await relayers.start(2)
    for signer in (0, 2):

        async def look(signer: int = signer) -> Certificate | None:
            async with relayers.client(signer) as client:
                return next(iter(await client.list_certificates(HOME, epoch)), None)

        assert (await until(look)).signers == (True, True, False)
    (file,) = config.evidence_directory.glob("certificate-*.json")
    assert json.loads(file.read_text())["own_reference"]["hash"] == "01" * 32
    relayer = relayers.file.relayers[2]
    shown = credential(relayers, "GetLeafList", epoch, callee=2)
    async with RelayerPeerClient(relayer.target, relayer.certificate_pem) as client:
        assert await client.get_leaf_list(shown, HOME, epoch) == (foreign.reference, LeafList(()))


async def test_a_relayer_that_signs_wrongly_costs_its_signature_only(relayers: Relayers, scene: Scene) -> None:
    node = relayers.nodes[1]
    assert node is not None
    object.__setattr__(node._context, "key", core.SigningKey.generate())  # as a broken or bribed signer would sign
    epoch = relayers.epoch + 1
    for later in range(3):  # also when it leads
        _, certificate = await certified(relayers, scene.both, HOME, epoch + later, 2)
        assert certificate.signers == (True, False, True)
    object.__setattr__(node._context, "key", relayers.keys[1])


async def test_nodes_are_healthy_and_say_so(relayers: Relayers) -> None:
    for signer in range(3):

        async def look(signer: int = signer) -> bool:
            async with relayers.client(signer) as client:
                status = await client.get_status()
            assert status.signer == signer
            assert {chain.chain for chain in status.chains} == {HOME, SECOND}
            return status.healthy

        assert await until(look)


async def test_no_secret_lies_in_a_database(relayers: Relayers, scene: Scene) -> None:
    secrets = (scene.both.seed, scene.both.locks[0].salt)
    for config in relayers.configs:
        with sqlite3.connect(config.database) as database:
            dump = "\n".join(database.iterdump()).encode()
        database.close()
        files = dump + b"".join(path.read_bytes() for path in config.database.parent.glob(config.database.name + "*"))
        for secret in secrets:
            assert secret not in files
            assert secret.hex().encode() not in files.lower()


async def test_only_the_current_key_registers(chains: Chains, relayers: Relayers, scene: Scene) -> None:
    """Before its rotation is final the owner's key signs, afterwards the newer one alone; the account id stays."""
    newer = development_account(299)
    old = scene.victim
    by_newer = dataclasses.replace(old, owner=newer)
    assert await registration_refusal(relayers, by_newer, 50) == ReasonCode.REGISTRATION_SIGNATURE
    await relayers.register(old, 50, 0)
    await chains.rotate_key(old, relayers.file, newer)
    await asyncio.sleep(1.1)  # a node asks for the newest final block at most once a second
    assert await registration_refusal(relayers, old, 51) == ReasonCode.REGISTRATION_SIGNATURE
    await relayers.register(by_newer, 51, 0)
    assert by_newer.id == old.id


async def registration_refusal(relayers: Relayers, account: Account, number: int) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        await relayers.register(account, number, 0)
    return caught.value.code
