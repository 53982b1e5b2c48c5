"""Price reports: observations of several relayers for one slot, and the values that follow from them."""

import itertools
from collections.abc import Iterable, Mapping

from marginproof.attestation.digests import digest_of
from marginproof.attestation.observations import verify_observations
from marginproof.model.errors import MarginproofError, RefusedError
from marginproof.model.network import Configuration, SignerSet
from marginproof.model.prices import PriceReport, SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.oracles.agreement import agreed_value


def build_report(observations: Iterable[SignedObservations]) -> PriceReport:
    """Observations, each verified, in the order that a report has: rising by signer."""
    return PriceReport(tuple(sorted(observations, key=lambda signed: signed.observations.signer)))


def verify_report(
    report: PriceReport,
    *,
    universe: Universe,
    network_id: bytes,
    signer_set: SignerSet,
    threshold: int,
    slot: int | None = None,
) -> int:
    """Checks who observed, and that all did so for one slot of this network and universe.

    Args:
        report: From anywhere.
        universe: The universe in force.
        network_id: Network id, 32 bytes.
        signer_set: The set that the network pins.
        threshold: t, fewest observers.
        slot: The slot that it must be of; None takes any.

    Returns:
        The report's slot.

    Raises:
        MarginproofError: SIGNERS_TOO_FEW, MALFORMED (signers not rising, mixed slots), PRICE_STALE (another slot)
            and all of :func:`verify_observations`.
    """
    observed = [signed.observations for signed in report.observations]
    if len(observed) < threshold or not observed:
        raise _refused(ReasonCode.SIGNERS_TOO_FEW, f"{len(observed)} relayers observed, {threshold} are needed")
    if any(first.signer >= second.signer for first, second in itertools.pairwise(observed)):
        raise _refused(ReasonCode.MALFORMED, "the observations of a report must rise strictly by signer")
    if len({seen.slot for seen in observed}) > 1:
        raise _refused(ReasonCode.MALFORMED, "the observations of a report are of different slots")
    if slot is not None and observed[0].slot != slot:
        raise _refused(ReasonCode.PRICE_STALE, "the price report is of another slot")
    digest = digest_of(universe)
    for signed in report.observations:
        verify_observations(signed, network_id=network_id, universe_digest=digest, signer_set=signer_set)
    return observed[0].slot


def usable_prices(
    report: PriceReport,
    *,
    universe: Universe,
    network_id: bytes,
    signer_set: SignerSet,
    threshold: int,
    slot: int | None = None,
) -> dict[str, int]:
    """The values that a report gives: for each point the lower median of ≥ t observations within the rule's spread.

    Args:
        report: From anywhere; everything is checked.
        universe: Its points carry the spread rules.
        network_id: Network id, 32 bytes.
        signer_set: The set that the network pins.
        threshold: t.
        slot: The slot that it must be of; None takes any.

    Returns:
        Point id → value (10^-8 USD per unit, or 10^-8 per year); points without agreement are absent.

    Raises:
        MarginproofError: See :func:`verify_report`.
    """
    verify_report(
        report, universe=universe, network_id=network_id, signer_set=signer_set, threshold=threshold, slot=slot
    )
    seen: dict[str, list[int]] = {}
    for signed in report.observations:
        for item in signed.observations.values:
            if item.value > 0:
                seen.setdefault(item.point, []).append(item.value)
    prices: dict[str, int] = {}
    for point in universe.points:
        value = agreed_value(seen.get(point.id, []), threshold, point.max_spread_bps)
        if value is not None:
            prices[point.id] = value
    return prices


def check_slot_time(configuration: Configuration, slot: int, now: int) -> None:
    """Refuses prices of a slot that ended more than a snapshot's life ago, or that has not begun.

    Raises:
        RefusedError: PRICE_STALE.
    """
    begins = configuration.genesis_time + slot * configuration.price_seconds
    ends = begins + configuration.price_seconds
    if begins > now + configuration.clock_skew_seconds or ends + configuration.snapshot_seconds < now:
        raise RefusedError(
            ReasonCode.PRICE_STALE,
            "the price report is not of the present",
            fix="check the clock; then whether the relayers still observe prices",
            fields={"slot": slot},
        )


def require_points(prices: Mapping[str, int], points: Iterable[str]) -> None:
    """Refuses prices that lack a point.

    Raises:
        MarginproofError: PRICE_UNAVAILABLE, naming the first point.
    """
    for point in points:
        if point not in prices:
            raise MarginproofError(
                ReasonCode.PRICE_UNAVAILABLE,
                f"the relayers agree on no value for {point}",
                fix="wait for the next price slot; if it lasts, look at the feeds that the universe names",
                fields={"point": point},
            )


def _refused(code: ReasonCode, message: str) -> MarginproofError:
    return MarginproofError(code, message, fix="fetch the price report again, from another relayer of this network")
