"""Statement, refusal and proof, with the real core."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from marginproof import core
from marginproof.model.certificates import Leaf, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import BookOpening, Presentation, Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.prover.evidence import CertifiedLeaf, OpenedLeaf
from marginproof.prover.keys import MasterSecret
from marginproof.prover.payees import Payees
from marginproof.prover.proving import MarginInsufficientError, ProofInputs, make_presentation, occasion, proof_context
from marginproof.risk.clear import clear_margin
from marginproof.risk.market import Market
from marginproof.risk.snapshot import compile_snapshot
from tests.prover.world import (
    CASH,
    ETH,
    GENESIS,
    HOME,
    LOT,
    OTHER_VENUE,
    PERP,
    POLICY,
    PRICES,
    SECOND,
    USDC,
    VENUE,
    book,
    certify,
    network_file,
    snapshot,
)

NETWORK = network_file()
NOW = GENESIS + 10_000
ACCOUNT = b"\x0c" * 32
PAYEES = Payees(MasterSecret(b"\x42" * 32, NETWORK.network_id), [VENUE])
SNAPSHOT = snapshot(NETWORK, NOW)


def opened(chain: str, vector: dict[int, int], number: int = 1) -> OpenedLeaf:
    blinding = core.reduce_blinding(bytes([number]) * 64)
    leaf = Leaf(ACCOUNT, chain, b"\x05" * 32, PAYEES.root, core.commit(256, vector, blinding))
    pair = certify(NETWORK, leaf, epoch=30 + number, reference=Reference(100, b"\x06" * 32, NOW - 200))
    return OpenedLeaf(CertifiedLeaf(*pair), vector, blinding)


LEAVES = (opened(HOME, {ETH: 10 * LOT}, 1), opened(SECOND, {USDC: 30_000 * LOT}, 2))
BOOK = book(NETWORK, ACCOUNT, {CASH: 10_000 * LOT, PERP: -5 * LOT})


def inputs(**changes: Any) -> ProofInputs:
    made = ProofInputs(NETWORK, ACCOUNT, Purpose.MAINTENANCE, SNAPSHOT, POLICY, LEAVES, BOOK, PAYEES.opening(VENUE))
    return dataclasses.replace(made, **changes)


def verify(presentation: Presentation, opening: BookOpening = BOOK, purpose: Purpose = Purpose.MAINTENANCE) -> None:
    statement = compile_snapshot(POLICY, NETWORK.universe, SNAPSHOT.snapshot, purpose).statement
    commitments = [leaf.leaf.commitment for leaf in presentation.leaves]
    collateral = core.add_commitments(commitments)
    core.verify(statement, [collateral, opening.commitment], presentation.context.root(), presentation.proof)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_presentation_verifies(purpose: Purpose) -> None:
    verify(make_presentation(inputs(purpose=purpose)), purpose=purpose)


def test_one_chain_alone_verifies() -> None:
    verify(make_presentation(inputs(leaves=LEAVES[:1], book=(small := book(NETWORK, ACCOUNT, {PERP: -LOT})))), small)


def test_an_empty_book_verifies() -> None:
    empty = book(NETWORK, ACCOUNT, {})
    verify(make_presentation(inputs(book=empty)), empty)


def test_the_proof_holds_for_its_own_context_only() -> None:
    presentation = make_presentation(inputs())
    for changes in ({"venue": OTHER_VENUE}, {"purpose": Purpose.INITIAL}, {"registry_digest": b"\x01" * 32}):
        context = dataclasses.replace(presentation.context, **changes)
        with pytest.raises(core.CoreError):
            verify(dataclasses.replace(presentation, context=context))


def test_nothing_of_the_collateral_is_in_the_presentation() -> None:
    data = make_presentation(inputs()).encode()
    for amount in (10 * LOT, 30_000 * LOT):
        for form in (amount.to_bytes(8, "big"), amount.to_bytes(8, "little"), str(amount).encode()):
            assert form not in data


def test_what_is_false_is_refused_and_the_row_named() -> None:
    short = book(NETWORK, ACCOUNT, {CASH: -60_000 * LOT})
    with pytest.raises(MarginInsufficientError) as caught:
        make_presentation(inputs(book=short))
    clear = clear_margin(
        POLICY,
        NETWORK.universe,
        Market(NOW, PRICES),
        Purpose.MAINTENANCE,
        {ETH: 10 * LOT, USDC: 30_000 * LOT},
        short.vector(),
    )
    error = caught.value
    assert error.code is ReasonCode.MARGIN_INSUFFICIENT
    assert error.scenario == clear.worst_label
    assert error.scenario in error.message
    assert abs(error.shortfall_usd + clear.worst) <= Fraction(2, 100)
    text = str(error) + repr(error) + str(error.fields)
    assert f"{float(error.shortfall_usd):.2f}" not in text
    assert "60000" not in text


def test_the_boundary_is_exact() -> None:
    """Cash is worth exactly one cent of 10^-6 steps: the last sufficient book proves, one lot less does not."""
    low, high = -100_000 * LOT, 0
    while high - low > 1:
        middle = (low + high) // 2
        try:
            statement = compile_snapshot(POLICY, NETWORK.universe, SNAPSHOT.snapshot, Purpose.MAINTENANCE).statement
            values = statement.row_values(
                [
                    core.Opening(256, {ETH: 10 * LOT, USDC: 30_000 * LOT}, core.add_blindings([LEAVES[0].blinding])),
                    core.Opening(256, {CASH: middle} if middle else {}, BOOK.blinding),
                ]
            )
            low, high = (low, middle) if min(values) >= 0 else (middle, high)
        except core.CoreError:
            low = middle
    verify(make_presentation(inputs(book=(least := book(NETWORK, ACCOUNT, {CASH: high})))), least)
    with pytest.raises(MarginInsufficientError):
        make_presentation(inputs(book=book(NETWORK, ACCOUNT, {CASH: low})))


def test_rows_that_the_snapshot_does_not_state_are_refused() -> None:
    lies = {
        Purpose.INITIAL: snapshot(NETWORK, NOW, initial_statement=b"\x01" * 32),
        Purpose.MAINTENANCE: snapshot(NETWORK, NOW, maintenance_statement=b"\x01" * 32),
    }
    for purpose, lying in lies.items():
        with pytest.raises(MarginproofError) as caught:
            make_presentation(inputs(snapshot=lying, purpose=purpose))
        assert caught.value.code is ReasonCode.STATEMENT_MISMATCH


def test_what_an_occasion_is() -> None:
    base = proof_context(inputs())
    for same in (
        dataclasses.replace(base, book_commitment=b"\x01" * 48),
        dataclasses.replace(base, snapshot_digest=b"\x01" * 32),
    ):
        assert occasion(base, 7) == occasion(same, 7)
    assert occasion(base, 7) != occasion(base, 8)
    others = [
        dataclasses.replace(base, venue=b"\x01" * 20),
        dataclasses.replace(base, purpose=Purpose.INITIAL),
        dataclasses.replace(base, registry_digest=b"\x01" * 32),
        dataclasses.replace(base, new_pledge=b"\x01" * 48),
        dataclasses.replace(base, certificates=base.certificates[:1]),
    ]
    assert len({occasion(context, 7) for context in [base, *others]}) == 6


def test_representation_of_the_inputs_hides_secrets() -> None:
    amount = 7_654_321
    shown = repr(inputs(leaves=(opened(HOME, {ETH: amount}),)))
    assert str(amount) not in shown
    assert BOOK.blinding.hex() not in shown
    assert LEAVES[0].blinding.hex() not in shown
