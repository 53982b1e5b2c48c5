"""What the poster keeps: whole numbers of any size, one open order per account, outcomes until they are told."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from marginproof.chains.evm.transactions.posting import Fees
from marginproof.model.errors import RefusedError
from marginproof.model.reasons import ReasonCode
from marginproof.verifier.swap_plan import Attempt
from marginproof.verifier.swap_store import SwapStore
from marginproof.verifier.swaps import PendingOrder, SwapOutcome, SwapState
from tests.verifier.test_swaps import RELEASE, SWAP

OTHER = dataclasses.replace(SWAP, account=b"\x07" * 32, index=2**64 - 1, universe_version=2**64 - 1, height=9)
ATTEMPT = Attempt(7, 1, Fees(10**15, 10**12), 400_000, b"\x01" * 32, b"raw bytes", 1_800_000_000, 50)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "venue.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SwapStore]:
    engine = sa.create_engine(f"sqlite:///{path}")
    yield SwapStore(engine)
    engine.dispose()


def test_orders_and_transactions_survive_as_they_were(store: SwapStore, path: Path) -> None:
    for order in (SWAP, OTHER):
        store.add_order(order)
    filler = dataclasses.replace(ATTEMPT, order=None, hash=b"\x02" * 32)
    for attempt in (ATTEMPT, filler):
        store.add_attempt(attempt)
    again = SwapStore(engine := sa.create_engine(f"sqlite:///{path}"))
    assert again.open_orders() == [PendingOrder(1, SWAP), PendingOrder(2, OTHER)]
    assert again.attempts() == [ATTEMPT, filler]
    assert (again.final_nonce(), again.final_height()) == (None, 0)
    engine.dispose()


def test_an_account_has_one_open_order(store: SwapStore) -> None:
    store.add_order(SWAP)
    store.add_order(SWAP)
    store.add_order(dataclasses.replace(SWAP, signature=b"\x08" * 65))  # the same change, consented to anew
    assert store.open_orders() == [PendingOrder(1, SWAP)]
    for other in (
        dataclasses.replace(SWAP, digest=b"\x0e" * 32),
        dataclasses.replace(SWAP, commitment=RELEASE.commitment),
        dataclasses.replace(SWAP, kind=RELEASE.kind),
    ):
        with pytest.raises(RefusedError) as caught:
            store.add_order(other)
        assert caught.value.code is ReasonCode.PLEDGE_PENDING
    store.settle(60, 0, [(1, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)])
    store.add_order(SWAP)
    assert [pending.order for pending in store.open_orders()] == [SWAP]


def test_what_is_settled_is_told_once_and_its_transactions_become_history(store: SwapStore) -> None:
    store.add_order(SWAP)
    store.add_order(OTHER)
    later = dataclasses.replace(ATTEMPT, nonce=8, order=2, hash=b"\x03" * 32)
    for attempt in (ATTEMPT, later):
        store.add_attempt(attempt)
    assert store.untold() == []
    store.settle(60, 8, [(1, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)])
    assert store.attempts() == [later]
    assert (store.final_nonce(), store.final_height()) == (8, 60)
    assert [pending.order for pending in store.open_orders()] == [OTHER]
    expected = SwapOutcome(SWAP.account, SWAP.commitment, SWAP.kind, SwapState.FAILED, ReasonCode.REGISTRY_DIGEST_STALE)
    assert store.untold() == [(1, expected)]
    store.mark_told(1)
    assert store.untold() == []
    store.settle(61, 9, [(2, SwapState.STANDING, None)])
    assert store.untold() == [(2, SwapOutcome(OTHER.account, OTHER.commitment, OTHER.kind, SwapState.STANDING))]
