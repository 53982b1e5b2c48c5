"""Price slots: observe once, sign once, gather what the others signed, and report."""

import asyncio
from collections.abc import Mapping

import structlog

from marginproof.attestation.digests import digest_of
from marginproof.attestation.observations import sign_observations, verify_observations
from marginproof.model.errors import MarginproofError
from marginproof.model.network import price_slot_of
from marginproof.model.prices import Observations, PointValue, SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.oracles.feeds import FeedReader
from marginproof.oracles.report import build_report
from marginproof.relayers.context import NodeContext
from marginproof.relayers.peers import Peers
from marginproof.relayers.timing import Timing

_log = structlog.get_logger("marginproof.relayers.prices")


class PriceTask:
    """Signs observations and forms reports, one slot after the other.

    Args:
        context: The node.
        peers: The other relayers.
        feeds: Reads price points.
    """

    def __init__(self, context: NodeContext, peers: Peers, feeds: FeedReader) -> None:
        self._context = context
        self._peers = peers
        self._feeds = feeds
        self._timing = Timing.of(context.file.configuration)
        self._poll = min(self._timing.poll, context.file.configuration.price_seconds / 10)

    async def run(self) -> None:
        """Observes and reports until cancelled; a slot that has passed is never observed late."""
        done = -1
        while True:
            slot = price_slot_of(self._context.file.configuration, self._context.now)
            if slot > done and slot >= self._context.store.first_slot:
                done = slot
                await self._slot(slot)
            else:
                await asyncio.sleep(self._poll)

    async def _slot(self, slot: int) -> None:
        try:
            own = await self.observe(slot)
            await self._gather(slot, own)
        except MarginproofError as error:
            _log.warning("price slot failed", slot=slot, code=str(error.code))

    async def observe(self, slot: int) -> SignedObservations | None:
        """Reads all points, signs and fixes them; None when no point has a value. What is fixed already, stays."""
        known = self._context.protection.observations(slot)
        if known is not None:
            return known
        now = self._context.now
        points = sorted(self._context.file.universe.points, key=lambda point: point.id)
        values = await asyncio.gather(
            *(self._feeds.observe_point(point, now) for point in points), return_exceptions=True
        )
        seen = []
        for point, value in zip(points, values, strict=True):
            if isinstance(value, MarginproofError):
                _log.warning("point not observed", slot=slot, point=point.id, code=str(value.code))
            elif isinstance(value, BaseException):
                raise value
            else:
                seen.append(PointValue(point.id, value))
        if not seen:
            return None
        signed = self._context.protection.fix_observations(self._sign(slot, now, tuple(seen)))
        self._context.status.last_price_slot = slot
        return signed

    def _sign(self, slot: int, now: int, values: tuple[PointValue, ...]) -> SignedObservations:
        file = self._context.file
        observations = Observations(
            network=digest_of(file.network),
            universe_digest=digest_of(file.universe),
            slot=slot,
            observed_at=now,
            signer_set=digest_of(file.signer_set),
            signer=self._context.signer,
            values=values,
        )
        return sign_observations(self._context.key, observations)

    async def _gather(self, slot: int, own: SignedObservations | None) -> None:
        """Asks the others until all have answered, or enough have and patience is over, or the slot is."""
        file = self._context.file
        have = {} if own is None else {self._context.signer: own}
        started = self._context.clock()
        while True:
            answers, _ = await self._peers.observations(self._peers.signers - set(have), slot)
            have |= self._verified(slot, answers)
            waited = self._context.clock() - started
            complete = len(have) == len(file.signer_set.relayers)
            if complete or (len(have) >= file.signer_set.threshold and waited >= self._timing.observation_patience):
                self._report(slot, have)
                return
            if price_slot_of(file.configuration, self._context.now) > slot:
                _log.warning("price slot without report", slot=slot, observers=len(have))
                return
            await asyncio.sleep(self._poll)

    def _verified(self, slot: int, answers: Mapping[int, SignedObservations]) -> dict[int, SignedObservations]:
        file = self._context.file
        digest = digest_of(file.universe)
        good = {}
        for signer, signed in answers.items():
            try:
                verify_observations(
                    signed, network_id=digest_of(file.network), universe_digest=digest, signer_set=file.signer_set
                )
                seen = signed.observations
                if (seen.signer, seen.slot) != (signer, slot) or self._slot_of(seen) != slot:
                    raise MarginproofError(ReasonCode.PRICE_STALE, "the observations are of another relayer or slot")
                good[signer] = signed
            except MarginproofError as error:
                _log.error("bad observations", slot=slot, signer=signer, code=str(error.code))
        return good

    def _slot_of(self, seen: Observations) -> int:
        """The slot in which a peer says it looked; near a boundary its clock may be ahead of or behind ours."""
        configuration = self._context.file.configuration
        low = price_slot_of(configuration, seen.observed_at - configuration.clock_skew_seconds)
        high = price_slot_of(configuration, seen.observed_at + configuration.clock_skew_seconds)
        return min(max(seen.slot, low), high)

    def _report(self, slot: int, have: Mapping[int, SignedObservations]) -> None:
        report = build_report(have.values())
        if self._context.archive.add_report(slot, report):
            self._context.status.last_report_slot = slot
            self._context.reports.publish(report)
            _log.info("prices reported", slot=slot, observers=len(have))
