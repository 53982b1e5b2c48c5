import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof import core
from marginproof.attestation.blinding import leaf_blinding
from marginproof.attestation.collateral import collateral_vector
from marginproof.model.errors import MarginproofError
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Entry, EntryKind, Feed, PointKind, PricePoint, Universe
from tests.attestation.builders import CHAIN, OTHER_CHAIN

TOKEN = b"\x0a" * 20
ARGUMENTS: dict[str, Any] = {
    "network": b"\x01" * 32,
    "chain": CHAIN,
    "account": b"\x02" * 32,
    "registration_digest": b"\x03" * 32,
    "epoch": 4,
    "reference_hash": b"\x05" * 32,
    "universe_digest": b"\x06" * 32,
}
SEED = b"\x07" * 32


def blinding(seed: bytes = SEED, **changes: Any) -> bytes:
    return leaf_blinding(seed, **{**ARGUMENTS, **changes})


def hkdf(seed: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with an empty salt, written again from its text."""
    extracted = hmac.digest(bytes(32), seed, hashlib.sha256)
    blocks, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(extracted, block + info + bytes([counter]), hashlib.sha256)
        blocks += block
    return blocks[:length]


def test_blinding_is_hkdf_of_the_stated_info() -> None:
    info = b"\x01" * 32 + CHAIN.encode() + b"\x02" * 32 + b"\x03" * 32 + (4).to_bytes(8, "big")
    info += b"\x05" * 32 + b"\x06" * 32
    scalar = int.from_bytes(hkdf(SEED, info, 64), "big") % core.FIELD_MODULUS
    assert blinding() == scalar.to_bytes(32, "big")


CHANGES: list[dict[str, Any]] = [
    {"network": b"\x09" * 32},
    {"chain": OTHER_CHAIN},
    {"account": b"\x09" * 32},
    {"registration_digest": b"\x09" * 32},
    {"epoch": 5},
    {"reference_hash": b"\x09" * 32},
    {"universe_digest": b"\x09" * 32},
    {"seed": b"\x09" * 32},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_input_changes_the_blinding(change: dict[str, Any]) -> None:
    assert blinding(**change) != blinding()


def test_lengths_and_ranges_are_checked() -> None:
    cases: tuple[tuple[dict[str, Any], ReasonCode], ...] = (
        ({"seed": b"\x07" * 31}, ReasonCode.INPUT_LENGTH),
        ({"account": b""}, ReasonCode.INPUT_LENGTH),
        ({"epoch": -1}, ReasonCode.OUT_OF_RANGE),
        ({"epoch": 1 << 64}, ReasonCode.OUT_OF_RANGE),
    )
    for change, code in cases:
        with pytest.raises(MarginproofError) as caught:
            blinding(**change)
        assert caught.value.code == code


def entry(index: int, chain: str, token: bytes, lot_exponent: int, decimals: int, max_lots: int) -> Entry:
    return Entry(
        index, f"e{index}", EntryKind.COLLATERAL, lot_exponent, max_lots, "p", chain, token, decimals, 0, 0, ""
    )


POINT = PricePoint("p", PointKind.PRICE, (Feed(CHAIN, TOKEN),), 1, 60, 100)
UNIVERSE = Universe(
    1,
    1,
    256,
    (POINT,),
    (
        entry(0, CHAIN, bytes(20), 6, 18, 10**12),
        entry(3, CHAIN, TOKEN, 2, 6, 1000),
        entry(5, OTHER_CHAIN, TOKEN, 2, 6, 10**12),
    ),
).checked()


def test_amounts_are_added_before_rounding_down() -> None:
    half_lot = 5 * 10**11
    assert collateral_vector(UNIVERSE, CHAIN, [(bytes(20), half_lot), (bytes(20), half_lot)]) == {0: 1}
    assert collateral_vector(UNIVERSE, CHAIN, [(bytes(20), 2 * half_lot - 1)]) == {}


def test_only_the_chains_own_entries_are_filled() -> None:
    assert collateral_vector(UNIVERSE, OTHER_CHAIN, [(TOKEN, 10_000)]) == {5: 1}
    assert collateral_vector(UNIVERSE, OTHER_CHAIN, [(bytes(20), 10**18)]) == {}


def test_lots_are_capped() -> None:
    assert collateral_vector(UNIVERSE, CHAIN, [(TOKEN, 10**30)]) == {3: 1000}


def test_bad_holdings_are_refused() -> None:
    for wrong in ((TOKEN, -1), (b"short", 1)):
        with pytest.raises(MarginproofError) as caught:
            collateral_vector(UNIVERSE, CHAIN, [wrong])
        assert caught.value.code == ReasonCode.OUT_OF_RANGE


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**20), max_size=6))
def test_never_counts_more_than_there_is(amounts: list[int]) -> None:
    vector = collateral_vector(UNIVERSE, CHAIN, [(bytes(20), amount) for amount in amounts])
    lots = vector.get(0, 0)
    assert lots * 10**12 <= sum(amounts)
    assert lots == 10**12 or sum(amounts) < (lots + 1) * 10**12
