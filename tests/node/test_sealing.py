"""Secrets at rest: they open in their place, with their key, unchanged."""

import pytest

from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode
from marginproof.node.sealing import Sealer, derive_key

KEY = bytes(range(32))
PLACE = b"books 17"
SEALED = Sealer(KEY).seal(b"twelve lots", PLACE)


def test_opens_in_its_place_with_its_key() -> None:
    assert Sealer(KEY).open(SEALED, PLACE) == b"twelve lots"
    assert b"twelve" not in SEALED


@pytest.mark.parametrize(
    ("sealer", "sealed", "place"),
    [
        (Sealer(KEY), SEALED, b"books 18"),
        (Sealer(KEY), SEALED, b""),
        (Sealer(bytes(32)), SEALED, PLACE),
        (Sealer(KEY), SEALED[:-1], PLACE),
        (Sealer(KEY), b"", PLACE),
        (Sealer(KEY), SEALED[:5], PLACE),
        (Sealer(KEY), b"\x00" + SEALED[1:-1] + b"\x00", PLACE),
    ],
    ids=["other place", "no place", "other key", "cut", "nothing", "part of a nonce", "changed"],
)
def test_changed_moved_or_foreign_rows_do_not_open(sealer: Sealer, sealed: bytes, place: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sealer.open(sealed, place)
    assert caught.value.code is ReasonCode.STORE_CORRUPT
    assert "twelve" not in str(caught.value)


def test_the_same_row_is_never_sealed_to_the_same_bytes() -> None:
    sealer = Sealer(KEY)
    nonces = {sealer.seal(b"", PLACE)[:12] for _ in range(64)}
    assert len(nonces) == 64


def test_keys_of_different_labels_and_secrets_are_unrelated() -> None:
    keys = {derive_key(secret, label) for secret in (KEY, bytes(32)) for label in (b"store v1", b"token v1", b"")}
    assert len(keys) == 6
    assert {len(key) for key in keys} == {32}
    assert derive_key(KEY, b"store v1") == derive_key(KEY, b"store v1")
