import dataclasses
from typing import Any

import pytest

from marginproof.attestation.observations import sign_observations
from marginproof.model.errors import MarginproofError
from marginproof.model.prices import Observations, PointValue, PriceReport, SignedObservations
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Feed, PointKind, PricePoint, Universe
from marginproof.oracles.report import build_report, require_points, usable_prices
from tests.attestation.builders import CHAIN, KEYS, NETWORK, signer_set

FEED = Feed(CHAIN, b"\x01" * 20)
UNIVERSE = Universe(
    1,
    1,
    256,
    (
        PricePoint("eth", PointKind.PRICE, (FEED,), 1, 60, 100),
        PricePoint("eth.iv", PointKind.VOLATILITY, (FEED,), 1, 60, 100),
    ),
    (),
)


def observed(signer: int, slot: int = 7, **values: int) -> SignedObservations:
    points = tuple(PointValue(point.replace("_", "."), value) for point, value in sorted(values.items()))
    seen = Observations(NETWORK, UNIVERSE.root(), slot, 1_700_000_000, signer_set().root(), signer, points)
    return sign_observations(KEYS[signer], seen)


def usable(report: PriceReport, **changes: Any) -> dict[str, int]:
    arguments: dict[str, Any] = {"universe": UNIVERSE, "network_id": NETWORK, "signer_set": signer_set()}
    return usable_prices(report, **{**arguments, "threshold": 2, "slot": 7, **changes})


def refusal(report: PriceReport, **changes: Any) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        usable(report, **changes)
    return caught.value.code


def test_median_of_what_relayers_saw() -> None:
    report = build_report([observed(2, eth=1005), observed(0, eth=1000, eth_iv=50), observed(1, eth=1003, eth_iv=50)])
    assert [signed.observations.signer for signed in report.observations] == [0, 1, 2]
    assert usable(report) == {"eth": 1003, "eth.iv": 50}
    assert usable(report, slot=None) == usable(report)


def test_points_without_agreement_are_absent() -> None:
    report = build_report([observed(0, eth=1000, eth_iv=50), observed(1, eth=1011)])
    assert usable(report) == {}
    with pytest.raises(MarginproofError) as caught:
        require_points({"eth.iv": 1}, ["eth.iv", "eth"])
    assert caught.value.code == ReasonCode.PRICE_UNAVAILABLE
    assert caught.value.fields == {"point": "eth"}
    require_points({"eth": 1}, ["eth"])


def test_zero_counts_for_nothing_and_unknown_points_are_ignored() -> None:
    assert usable(build_report([observed(0, eth=0, other=5), observed(1, eth=0, other=5)])) == {}


def test_one_relayer_is_not_enough_even_twice() -> None:
    one = observed(0, eth=1000)
    assert refusal(PriceReport((one,))) == ReasonCode.SIGNERS_TOO_FEW
    assert refusal(PriceReport(())) == ReasonCode.SIGNERS_TOO_FEW
    assert refusal(PriceReport((one, one))) == ReasonCode.MALFORMED


def test_order_is_fixed() -> None:
    assert refusal(PriceReport((observed(1, eth=1000), observed(0, eth=1000)))) == ReasonCode.MALFORMED


def test_slots_are_neither_mixed_nor_old() -> None:
    assert refusal(build_report([observed(0, eth=1000), observed(1, slot=8, eth=1000)])) == ReasonCode.MALFORMED
    old = build_report([observed(0, slot=6, eth=1000), observed(1, slot=6, eth=1000)])
    assert refusal(old) == ReasonCode.PRICE_STALE


def test_every_signature_is_checked() -> None:
    forged = observed(2, eth=1000)
    forged = dataclasses.replace(forged, observations=dataclasses.replace(forged.observations, observed_at=5))
    assert refusal(build_report([observed(0, eth=1), observed(1, eth=1), forged])) == ReasonCode.OBSERVATION_SIGNATURE


def test_network_and_universe_are_checked() -> None:
    report = build_report([observed(0, eth=1000), observed(1, eth=1000)])
    assert refusal(report, network_id=b"\x12" * 32) == ReasonCode.WRONG_NETWORK
    changed = dataclasses.replace(UNIVERSE, version=2)
    assert refusal(report, universe=changed) == ReasonCode.UNIVERSE_MISMATCH
