"""Endpoints change hands: a forked chain process behind one, then two of a relayer's three, then of two relayers'."""

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import AsyncIterator, Iterable
from typing import Final

from marginproof.attestation.certificates import verify_certificate
from marginproof.chains.evm.client import EndpointPool, read_vault
from marginproof.cli.demo.deployment import BLOCK_SECONDS, SECOND_CHAIN
from marginproof.cli.demo.forked_chain import ForkedChain
from marginproof.cli.demo.story.collateral import USDC_LOCK
from marginproof.cli.demo.story.stage import Stage
from marginproof.cli.demo.story.unattended import accepted
from marginproof.model.certificates import Certificate
from marginproof.model.errors import NotFoundError, UnavailableError
from marginproof.model.margin import MarginState
from marginproof.model.network import epoch_cutoff, epoch_of, vaults_on

_CHAIN: Final = SECOND_CHAIN
_TWO_OF_THREE: Final = 2
_EPOCHS_WITHOUT: Final = 4
"""For so many whole epochs no certificate must come, ..."""
_LATE_SECONDS: Final = 4
"""... nor in this time after them, in which that of the last would have come."""
_WATCH_SECONDS: Final = 0.5
_BADNESS: Final = (
    MarginState.GOOD,
    MarginState.PROOF_DUE,
    MarginState.NEVER_PROVEN,
    MarginState.REDUCE_ONLY,
    MarginState.MARGIN_CALL,
    MarginState.DEFAULT,
)


@contextlib.asynccontextmanager
async def forked(stage: Stage) -> AsyncIterator[ForkedChain]:
    """Runs a forked process of one chain, with a forged amount in the account's lock, until the block ends."""
    (pin,) = vaults_on(stage.world.network.configuration, _CHAIN)
    fork = ForkedChain(stage.world.chains.by_id()[_CHAIN], BLOCK_SECONDS)
    try:
        await asyncio.to_thread(fork.start, pin.address, stage.lock_ids[USDC_LOCK], _forged(stage))
        if fork.process_id is not None:
            stage.world.extra_processes.append(fork.process_id)
        yield fork
    finally:
        fork.stop()
        stage.world.extra_processes.clear()


async def play(stage: Stage, number: str, fork: ForkedChain) -> None:
    """Three attacks by the same forked process, then honest endpoints again."""
    stage.screen.heading(f"{number}. Endpoints of relayers are taken over by a forked chain")
    await _convincing(stage, number, fork)
    for taken, title in ((1, "one of its three endpoints"), (_TWO_OF_THREE, "two of its three endpoints")):
        await _one_relayer(stage, number, fork, taken, title)
    await _two_relayers(stage, number, fork)
    await _nothing_wrong(stage, number, fork)


def _forged(stage: Stage) -> int:
    """The forged amount, base units."""
    return int(stage.scenario.forged_usdc * 10**6)


async def _convincing(stage: Stage, number: str, fork: ForkedChain) -> None:
    """Asked alone, the forked process proves the forged amount: what follows is not won against a clumsy liar."""
    (pin,) = vaults_on(stage.world.network.configuration, _CHAIN)
    lock_id = stage.lock_ids[USDC_LOCK]
    with stage.step(number, "the forked chain, asked alone, proves a forged amount", "PROVEN") as step:
        async with EndpointPool(_CHAIN, [fork.url], allow_development=True) as pool:
            height = await stage.until(functools.partial(_final_forgery, pool, fork), "the fork's finality")
            facts = await read_vault(pool, await pool.header_at(height), pin, [lock_id], [])
        step.outcome = "PROVEN" if facts.locks[lock_id].amount == _forged(stage) else "NOT PROVEN"
        step.detail = "its headers and proofs match"


async def _final_forgery(pool: EndpointPool, fork: ForkedChain) -> int | None:
    height = await pool.finalized_number()
    return height if height >= fork.first_forged else None


async def _one_relayer(stage: Stage, number: str, fork: ForkedChain, taken: int, title: str) -> None:
    """One relayer hears the liar: it refuses and keeps evidence, the others go on."""
    evidence = _evidence(stage, 0)
    await stage.world.switchboards[0].take_over(_CHAIN, taken, fork.url)
    with stage.step(number, f"{title} forked: relayer 0", "REFUSED ENDPOINT_DISAGREEMENT") as step:
        step.reasons = (await stage.until(functools.partial(_refused, stage, 0, evidence), "a refusal"),)
        step.outcome, step.detail = "REFUSED", "evidence kept"
    with stage.step(number, "the other two go on", "CERTIFIED") as step:
        certificate = await stage.certificate(_CHAIN, stage.epoch())
        step.outcome = "CERTIFIED" if certificate.signers == (False, True, True) else "SIGNED BY ANOTHER"
        step.detail = "signed by relayers 1 and 2"


async def _two_relayers(stage: Stage, number: str, fork: ForkedChain) -> None:
    """Two of three relayers hear the liar, each with one honest endpoint left: nothing can be certified."""
    boards = stage.world.switchboards[:2]
    kept = [_evidence(stage, index) for index in range(2)]
    for board in boards:
        await board.take_over(_CHAIN, _TWO_OF_THREE, fork.url)
    first = stage.epoch()  # it has not ended, so nobody has read its reference block yet
    async with _watched(stage) as states:
        for index in range(2):
            title = f"two endpoints of each of two relayers forked: relayer {index}"
            with stage.step(number, title, "REFUSED ENDPOINT_DISAGREEMENT") as step:
                step.reasons = (await stage.until(functools.partial(_refused, stage, index, kept[index]), "a refusal"),)
                step.outcome, step.detail = "REFUSED", "evidence kept"
        with stage.step(number, "certificates of that chain meanwhile", "NONE") as step:
            last = first + _EPOCHS_WITHOUT - 1
            await _sleep_until(epoch_cutoff(stage.world.network.configuration, last) + _LATE_SECONDS)
            found = await _certificates(stage, range(first, stage.epoch() + 1))
            step.outcome = "NONE" if not found else f"{len(found)}_FOUND"
            step.detail = f"none in {_EPOCHS_WITHOUT} whole epochs"
        for board in boards:
            await board.give_back(_CHAIN)
        given_back = int(time.time())
        with stage.step(number, "the endpoints are honest again", "CERTIFIED") as step:
            certificate = await stage.certificate(_CHAIN, stage.epoch())
            step.outcome, step.detail = "CERTIFIED", f"signed by {sum(certificate.signers)} of 3"
        for venue in stage.world.venues:
            with stage.step(number, f"the agent proves to venue {venue.letter} again", "ACCEPT") as step:
                await stage.until(functools.partial(accepted, stage, venue, given_back), "an accepted proof")
                step.outcome = "ACCEPT"
    with stage.step(number, "the account at both venues, all that time", "NO_DEFAULT") as step:
        worst = max(states, key=_BADNESS.index)
        step.outcome = worst.name if worst in (MarginState.MARGIN_CALL, MarginState.DEFAULT) else "NO_DEFAULT"
        step.detail = f"at worst {worst.name}"


async def _nothing_wrong(stage: Stage, number: str, fork: ForkedChain) -> None:
    """Every certificate since the fork names a block of the honest chain, so it is of honest amounts."""
    honest = stage.world.chains.by_id()[_CHAIN]
    with stage.step(number, "every certificate since the fork is of the honest chain", "HONEST") as step:
        certificates = await _certificates(stage, range(_fork_epoch(stage, fork), stage.epoch() + 1))
        hashes = await asyncio.to_thread(
            lambda: [
                honest.rpc("eth_getBlockByNumber", hex(certificate.body.reference.number), False)["hash"]
                for certificate in certificates
            ]
        )
        wrong = [
            certificate
            for certificate, found in zip(certificates, hashes, strict=True)
            if certificate.body.reference.hash.hex() != found.removeprefix("0x")
        ]
        step.outcome = "HONEST" if certificates and not wrong else f"{len(wrong)}_WRONG"
        step.detail = f"{len(certificates)} certificates"


def _fork_epoch(stage: Stage, fork: ForkedChain) -> int:
    """The epoch in which the forked chain left the honest one."""
    return epoch_of(stage.world.network.configuration, fork.forked_time)


async def _certificates(stage: Stage, epochs: Iterable[int]) -> list[Certificate]:
    """Every certificate of the attacked chain that any relayer has for these epochs, verified."""
    network = stage.world.network
    found: dict[bytes, Certificate] = {}
    for relayer in stage.world.relayers:
        for epoch in epochs:
            with contextlib.suppress(NotFoundError):
                for certificate in await relayer.list_certificates(_CHAIN, epoch):
                    verify_certificate(certificate, network.network_id, network.signer_set)
                    found[certificate.digest] = certificate
    return list(found.values())


@contextlib.asynccontextmanager
async def _watched(stage: Stage) -> AsyncIterator[set[MarginState]]:
    """Collects every state that any venue shows of the account while the block runs."""
    seen: set[MarginState] = set()

    async def watch() -> None:
        while True:
            for venue in stage.world.venues:
                with contextlib.suppress(UnavailableError):
                    seen.add((await stage.margin_status(venue)).state)
            await asyncio.sleep(_WATCH_SECONDS)

    task = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _evidence(stage: Stage, index: int) -> frozenset[str]:
    """Names of the files in which a relayer has kept endpoints that contradict one another on the chain's blocks."""
    folder = stage.world.directory / f"relayer-{index}" / "evidence"
    kept = {path.name: json.loads(path.read_text()) for path in folder.glob("endpoints-*.json")}
    return frozenset(
        name for name, found in kept.items() if found["chain"] == _CHAIN and found["subject"].startswith("block ")
    )


async def _refused(stage: Stage, index: int, kept: frozenset[str]) -> str | None:
    """The relayer's own word on why it does not read the chain, once it has also kept new evidence."""
    status = await stage.world.relayers[index].get_status()
    (failure,) = [chain.last_failure for chain in status.chains if chain.chain == _CHAIN]
    return failure if failure and _evidence(stage, index) - kept else None


async def _sleep_until(moment: int) -> None:
    await asyncio.sleep(max(moment - time.time(), 0))
