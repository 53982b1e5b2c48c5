"""Three nodes over real sockets and real chains."""

import asyncio
import sqlite3

import pytest

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.certificates import verify_certificate
from marginproof.attestation.leaves import verify_included
from marginproof.model.certificates import Certificate, IncludedLeaf
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.oracles.report import usable_prices
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


async def test_from_lock_to_certificate_on_two_chains(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 1, native=3 * 10**18, token=2_500_000_000)
    first_epoch = await relayers.register(account, 1)
    for chain, lots in ((HOME, 3 * 10**6), (SECOND, 2_500 * 100)):
        included, certificate = await certified(relayers, account, chain, first_epoch)
        assert sum(certificate.signers) >= 2
        assert opens_to(relayers, account, included, certificate, lots)
        assert not opens_to(relayers, account, included, certificate, lots + 1)


async def test_every_relayer_serves_the_same_certificates(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 2, native=10**18)
    first_epoch = await relayers.register(account, 1)
    _, certificate = await certified(relayers, account, HOME, first_epoch)
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
        await stream.aclose()
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


async def test_certificates_are_streamed(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 3, token=10**6)
    await relayers.register(account, 1)
    async with relayers.client(1) as client:
        stream = client.stream_certificates([SECOND])
        certificate = await asyncio.wait_for(anext(stream), 30)
        await stream.aclose()
    assert certificate.body.chain == SECOND
    verify_certificate(certificate, relayers.file.network_id, relayers.file.signer_set)


async def test_late_registration_costs_only_that_account(chains: Chains, relayers: Relayers) -> None:
    known, late = await open_account(chains, 4, native=10**18), await open_account(chains, 5, native=10**18)
    await relayers.register(late, 1, 0)  # with one relayer only
    first_epoch = await relayers.register(known, 1)
    await certified(relayers, known, HOME, first_epoch + 1)
    async with relayers.client(0) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.get_account_leaf(late.id, HOME)
    assert caught.value.code == ReasonCode.NOT_FOUND
    # With a second relayer it is shared by t, and certified.
    first_epoch = await relayers.register(late, 2, 0, 2)
    await certified(relayers, late, HOME, first_epoch)


async def test_lock_under_notice_no_longer_counts(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 6, native=4 * 10**18)
    included, certificate = await certified(relayers, account, HOME, await relayers.register(account, 1))
    assert opens_to(relayers, account, included, certificate, 4 * 10**6)
    await chains.start_notice(HOME, account.locks[0].lock_id)
    included, certificate = await certified(relayers, account, HOME, relayers.epoch + 1)
    assert opens_to(relayers, account, included, certificate, 0)


async def test_a_lock_counts_in_one_account_only(chains: Chains, relayers: Relayers) -> None:
    owner, thief = await open_account(chains, 7, native=10**18), await open_account(chains, 8, native=10**18)
    stolen = Account(thief.identity, thief.owner, thief.seed, (*thief.locks, *owner.locks))
    await relayers.register(stolen, 1)
    first_epoch = await relayers.register(owner, 1)
    included, certificate = await certified(relayers, owner, HOME, first_epoch)
    assert opens_to(relayers, owner, included, certificate, 10**6)
    async with relayers.client(0) as client:
        with pytest.raises(MarginproofError) as caught:
            await client.get_account_leaf(thief.id, HOME)
    assert caught.value.code == ReasonCode.NOT_FOUND


async def test_registration_rules_at_the_boundary(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 9, native=10**18)
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


async def test_one_node_down_certification_goes_on(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 10, native=10**18)
    first_epoch = await relayers.register(account, 1)
    await certified(relayers, account, HOME, first_epoch)
    for down in range(3):  # whoever leads, the next in turn takes over
        await relayers.stop(down)
        alive = (down + 1) % 3
        _, certificate = await certified(relayers, account, HOME, relayers.epoch + 1, alive)
        assert certificate.signers == tuple(signer != down for signer in range(3))
        await relayers.start(down)
    _, certificate = await certified(relayers, account, HOME, relayers.epoch + 1, 2)


async def test_nodes_are_healthy_and_say_so(relayers: Relayers) -> None:
    for signer in range(3):

        async def look(signer: int = signer) -> bool:
            async with relayers.client(signer) as client:
                status = await client.get_status()
            assert status.signer == signer
            assert {chain.chain for chain in status.chains} == {HOME, SECOND}
            return status.healthy

        assert await until(look)


async def test_no_secret_lies_in_a_database(chains: Chains, relayers: Relayers) -> None:
    account = await open_account(chains, 11, native=10**18)
    await relayers.register(account, 1)
    secrets = (account.seed, account.locks[0].salt)
    for config in relayers.configs:
        with sqlite3.connect(config.database) as database:
            dump = "\n".join(database.iterdump()).encode()
        database.close()
        files = dump + b"".join(
            path.read_bytes() for path in config.database.parent.glob(config.database.name + "*")
        )
        for secret in secrets:
            assert secret not in files
            assert secret.hex().encode() not in files.lower()
