import dataclasses
from typing import Any

import pytest

from marginproof.attestation.observations import sign_observations, verify_observations
from marginproof.attestation.peer_requests import sign_peer_request, verify_peer_request
from marginproof.model.errors import MarginproofError
from marginproof.model.peers import PeerRequest
from marginproof.model.prices import Observations, PointValue, SignedObservations
from marginproof.model.reasons import ReasonCode
from tests.attestation.builders import CHAIN, KEYS, NETWORK, UNIVERSE, signer_set

SEEN = Observations(
    NETWORK, UNIVERSE, 9, 1_700_000_000, signer_set().root(), 1, (PointValue("a", 5), PointValue("b", 6))
)


def refusal(signed: SignedObservations) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        verify_observations(signed, network_id=NETWORK, universe_digest=UNIVERSE, signer_set=signer_set())
    return caught.value.code


def test_observations_are_checked_with_their_relayers_key() -> None:
    verify_observations(
        sign_observations(KEYS[1], SEEN), network_id=NETWORK, universe_digest=UNIVERSE, signer_set=signer_set()
    )
    assert refusal(sign_observations(KEYS[0], SEEN)) == ReasonCode.OBSERVATION_SIGNATURE


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("network", b"\x12" * 32, ReasonCode.WRONG_NETWORK),
        ("universe_digest", b"\x12" * 32, ReasonCode.UNIVERSE_MISMATCH),
        ("signer_set", b"\x12" * 32, ReasonCode.SIGNER_SET_UNKNOWN),
        ("signer", 3, ReasonCode.SIGNER_SET_UNKNOWN),
        ("values", (PointValue("b", 6), PointValue("a", 5)), ReasonCode.MALFORMED),
        ("values", (PointValue("a", 6), PointValue("a", 5)), ReasonCode.MALFORMED),
    ],
)
def test_foreign_or_disordered_observations_are_refused(field: str, value: Any, code: ReasonCode) -> None:
    assert refusal(sign_observations(KEYS[1], dataclasses.replace(SEEN, **{field: value}))) == code


@pytest.mark.parametrize(
    ("field", "value"), [("slot", 10), ("observed_at", 1), ("signer", 0), ("values", (PointValue("a", 7),))]
)
def test_every_field_is_signed(field: str, value: Any) -> None:
    good = sign_observations(KEYS[1], SEEN)
    changed = dataclasses.replace(good, observations=dataclasses.replace(SEEN, **{field: value}))
    assert refusal(changed) == ReasonCode.OBSERVATION_SIGNATURE


REQUEST = PeerRequest("GetLeafList", 0, 2, CHAIN, 5, bytes(32), 1000)


def peer_refusal(request: PeerRequest, signature: bytes, now: int = 1000) -> ReasonCode:
    with pytest.raises(MarginproofError) as caught:
        verify_peer_request(
            request, signature, network_id=NETWORK, signer_set=signer_set(), now=now, clock_skew_seconds=5
        )
    return caught.value.code


def test_a_relayer_shows_who_it_is() -> None:
    signature = sign_peer_request(KEYS[0], REQUEST, NETWORK)
    for now in (995, 1000, 1005):
        verify_peer_request(
            REQUEST, signature, network_id=NETWORK, signer_set=signer_set(), now=now, clock_skew_seconds=5
        )
    for now in (994, 1006):
        assert peer_refusal(REQUEST, signature, now) == ReasonCode.UNAUTHORISED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "SignLeafList"),
        ("caller", 1),
        ("caller", 3),
        ("callee", 1),
        ("chain", "eip155:1"),
        ("number", 6),
        ("subject", b"\x01" * 32),
        ("requested_at", 1001),
    ],
)
def test_a_credential_serves_for_one_call_only(field: str, value: Any) -> None:
    signature = sign_peer_request(KEYS[0], REQUEST, NETWORK)
    assert peer_refusal(dataclasses.replace(REQUEST, **{field: value}), signature) == ReasonCode.UNAUTHORISED


def test_a_credential_is_of_one_network() -> None:
    signature = sign_peer_request(KEYS[0], REQUEST, b"\x12" * 32)
    assert peer_refusal(REQUEST, signature) == ReasonCode.UNAUTHORISED
