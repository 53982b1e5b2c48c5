"""Statement, refusal, proof and consent, with the real core."""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from marginproof import core
from marginproof.attestation.typed_signing import recover_typed
from marginproof.model.accounts import AccountIdentity
from marginproof.model.certificates import Leaf, Reference
from marginproof.model.errors import MarginproofError
from marginproof.model.margin import Presentation, Purpose
from marginproof.model.pledges import NO_COMMITMENT, PledgeOpening, PledgeStep
from marginproof.model.reasons import ReasonCode
from marginproof.model.typed_data import pledge_message
from marginproof.prover.evaluations import occasion
from marginproof.prover.evidence import CertifiedLeaf, OpenedLeaf
from marginproof.prover.headroom import MarginInsufficientError, least_surplus
from marginproof.prover.keys import MasterSecret
from marginproof.prover.payees import Payees
from marginproof.prover.proving import ProofInputs, evaluate, make_presentation, proof_context
from marginproof.risk.clear import clear_margin
from marginproof.risk.market import Market
from marginproof.risk.recognition import Recognition, recognition_of
from marginproof.risk.snapshot import compile_snapshot
from tests.prover.world import (
    CASH,
    ETH,
    FULL_POLICY,
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
    pledge,
    snapshot,
)

NETWORK = network_file()
NOW = GENESIS + 10_000
MASTER = MasterSecret(b"\x42" * 32, NETWORK.network_id)
SIGNER = MASTER.owner_key(0)
IDENTITY = AccountIdentity(HOME, NETWORK.network.registry, bytes.fromhex(SIGNER.address[2:]), 0)
ACCOUNT = IDENTITY.root()
PAYEES = Payees(MASTER, [VENUE])
SNAPSHOT = snapshot(NETWORK, NOW)
DIGEST = b"\x0d" * 32


def opened(chain: str, vector: dict[int, int], number: int = 1) -> OpenedLeaf:
    blinding = core.reduce_blinding(bytes([number]) * 64)
    leaf = Leaf(ACCOUNT, chain, b"\x05" * 32, PAYEES.root, core.commit(256, vector, blinding))
    pair = certify(NETWORK, leaf, epoch=30 + number, reference=Reference(100, b"\x06" * 32, NOW - 200))
    return OpenedLeaf(CertifiedLeaf(*pair), vector, blinding)


def pledged(values: dict[int, int], venue: bytes = VENUE, **options: Any) -> PledgeOpening:
    return pledge(NETWORK, book(NETWORK, ACCOUNT, values, venue=venue), **options)


LEAVES = (opened(HOME, {ETH: 10 * LOT}, 1), opened(SECOND, {USDC: 30_000 * LOT}, 2))
OWN = pledged({CASH: 10_000 * LOT, PERP: -5 * LOT})
HEDGE = pledged({CASH: -10_000 * LOT, PERP: 5 * LOT}, OTHER_VENUE)
THIRD = pledged({PERP: LOT}, b"\xff" * 20)


def inputs(**changes: Any) -> ProofInputs:
    made = ProofInputs(
        network=NETWORK,
        identity=IDENTITY,
        purpose=Purpose.MAINTENANCE,
        snapshot=SNAPSHOT,
        policy=POLICY,
        leaves=LEAVES,
        pledge=OWN,
        proposed=False,
        others=(),
        registry_digest=DIGEST,
        payee=PAYEES.opening(VENUE),
    )
    return dataclasses.replace(made, **changes)


def present(**changes: Any) -> Presentation:
    made = inputs(**changes)
    return make_presentation(made, evaluate(made), SIGNER)


def verify(presentation: Presentation, made: ProofInputs, commitments: Sequence[bytes] | None = None) -> None:
    """As a venue does, which knows commitments only."""
    recognitions = [recognition_of(made.snapshot.snapshot, other.venue) for other in made.others]
    snapshot_, purpose = made.snapshot.snapshot, made.purpose
    compiled = compile_snapshot(made.policy, NETWORK.universe, snapshot_, purpose, others=recognitions)
    collateral = core.add_commitments([leaf.leaf.commitment for leaf in presentation.leaves])
    pledges = commitments or [opening.commitment for opening in (made.pledge, *made.others)]
    core.verify(compiled.statement, [collateral, *pledges], presentation.context.root(), presentation.proof)


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("others", [(), (HEDGE,), (HEDGE, THIRD)])
def test_a_presentation_verifies(purpose: Purpose, others: tuple[PledgeOpening, ...]) -> None:
    verify(present(purpose=purpose, others=others), inputs(purpose=purpose, others=others))


def test_full_recognition_verifies_and_counts_more() -> None:
    full = snapshot(NETWORK, NOW, policy=FULL_POLICY, full=[OTHER_VENUE])
    changes: dict[str, Any] = {"snapshot": full, "policy": FULL_POLICY, "others": (HEDGE, THIRD)}
    verify(present(**changes), inputs(**changes))
    net = evaluate(inputs(**changes)).headroom.surplus_usd
    assert net > evaluate(inputs(others=(HEDGE, THIRD))).headroom.surplus_usd


def test_other_pledges_than_those_proven_are_refused() -> None:
    presentation, made = present(others=(HEDGE, THIRD)), inputs(others=(HEDGE, THIRD))
    worse = pledged({PERP: 2 * LOT}, b"\xff" * 20).commitment
    for commitments in (
        [OWN.commitment, HEDGE.commitment, worse],
        [OWN.commitment, THIRD.commitment, HEDGE.commitment],
        [HEDGE.commitment, OWN.commitment, THIRD.commitment],
    ):
        with pytest.raises(core.CoreError):
            verify(presentation, made, commitments)


def test_one_chain_alone_and_an_empty_pledge_verify() -> None:
    for changes in ({"leaves": LEAVES[:1], "pledge": pledged({PERP: -LOT})}, {"pledge": pledged({})}):
        verify(present(**changes), inputs(**changes))


def test_the_proof_holds_for_its_own_context_only() -> None:
    presentation = present()
    for changes in ({"venue": OTHER_VENUE}, {"purpose": Purpose.INITIAL}, {"registry_digest": b"\x01" * 32}):
        context = dataclasses.replace(presentation.context, **changes)
        with pytest.raises(core.CoreError):
            verify(dataclasses.replace(presentation, context=context), inputs())


def test_consent_is_given_to_a_proposal_and_to_nothing_else() -> None:
    assert present().consent == ()
    assert present().context.new_pledge == NO_COMMITMENT
    presentation = present(proposed=True)
    (consent,) = presentation.consent
    assert presentation.context.new_pledge == OWN.commitment
    assert (consent.owner, consent.index) == (IDENTITY.owner, IDENTITY.index)
    step = PledgeStep(DIGEST, VENUE, OWN.commitment, NETWORK.universe.version)
    assert recover_typed(pledge_message(NETWORK.network_id, ACCOUNT, step), consent.signature) == IDENTITY.owner


def test_consent_is_signed_by_the_present_key_whoever_owns_the_account() -> None:
    made, later = inputs(proposed=True), MASTER.owner_key(0, 3)
    (consent,) = make_presentation(made, evaluate(made), later).consent
    step = PledgeStep(DIGEST, VENUE, OWN.commitment, NETWORK.universe.version)
    signer = recover_typed(pledge_message(NETWORK.network_id, ACCOUNT, step), consent.signature)
    assert signer == bytes.fromhex(later.address[2:]) != IDENTITY.owner == consent.owner


def test_nothing_of_the_collateral_is_in_the_presentation() -> None:
    data = present(proposed=True, others=(HEDGE,)).encode()
    for amount in (10 * LOT, 30_000 * LOT, 10_000 * LOT):
        for form in (amount.to_bytes(8, "big"), amount.to_bytes(8, "little"), str(amount).encode()):
            assert form not in data
    assert OTHER_VENUE not in data


@pytest.mark.parametrize("others", [(), (HEDGE,), (THIRD,), (HEDGE, THIRD)])
def test_headroom_is_the_clear_margin(others: tuple[PledgeOpening, ...]) -> None:
    clear = clear_margin(
        POLICY,
        NETWORK.universe,
        Market(NOW, PRICES),
        Purpose.MAINTENANCE,
        {ETH: 10 * LOT, USDC: 30_000 * LOT},
        OWN.vector(),
        [(Recognition.LOSSES_ONLY, other.vector()) for other in others],
    )
    headroom = evaluate(inputs(others=others)).headroom
    assert Fraction(0) <= clear.worst - headroom.surplus_usd <= Fraction(2, 100)
    assert headroom.scenario == clear.worst_label
    assert (headroom.venue, headroom.purpose, headroom.created_at) == (VENUE, Purpose.MAINTENANCE, NOW)
    assert headroom.record().surplus_cents == headroom.surplus_usd * 100 // 1


def test_the_least_surplus_is_a_scenarios_and_no_auxiliary_rows() -> None:
    compiled = evaluate(inputs(others=(HEDGE, THIRD))).compiled
    values = [1] * compiled.statement.row_count
    rows_each = len(values) // len(compiled.labels)
    values[rows_each - 2] = 0
    values[2 * rows_each - 1] = -5
    assert least_surplus(compiled, values) == (-5, compiled.labels[1])


def test_what_is_false_is_refused_and_the_scenario_named() -> None:
    made = inputs(pledge=pledged({CASH: -60_000 * LOT}), proposed=True)
    evaluation = evaluate(made)
    with pytest.raises(MarginInsufficientError) as caught:
        make_presentation(made, evaluation, SIGNER)
    error = caught.value
    assert error.code is ReasonCode.MARGIN_INSUFFICIENT
    assert error.scenario == evaluation.headroom.scenario
    assert error.scenario in error.message
    assert 0 <= error.shortfall_usd + evaluation.headroom.surplus_usd <= Fraction(1, 100)
    text = str(error) + repr(error) + str(error.fields) + repr(evaluation)
    assert f"{float(error.shortfall_usd):.2f}" not in text
    assert "60000" not in text


def test_the_boundary_is_exact() -> None:
    """The last sufficient pledge proves, one lot of cash less does not."""
    low, high = -100_000 * LOT, 0
    while high - low > 1:
        middle = (low + high) // 2
        enough = evaluate(inputs(pledge=pledged({CASH: middle}), others=(HEDGE,))).headroom.surplus_usd >= 0
        low, high = (low, middle) if enough else (middle, high)
    least = {"pledge": pledged({CASH: high}), "others": (HEDGE,)}
    verify(present(**least), inputs(**least))
    with pytest.raises(MarginInsufficientError):
        present(pledge=pledged({CASH: low}), others=(HEDGE,))


def test_rows_that_the_snapshot_does_not_state_are_refused() -> None:
    lies = {
        Purpose.INITIAL: snapshot(NETWORK, NOW, initial_statement=b"\x01" * 32),
        Purpose.MAINTENANCE: snapshot(NETWORK, NOW, maintenance_statement=b"\x01" * 32),
    }
    for purpose, lying in lies.items():
        with pytest.raises(MarginproofError) as caught:
            present(snapshot=lying, purpose=purpose, others=(HEDGE,))
        assert caught.value.code is ReasonCode.STATEMENT_MISMATCH


def test_what_an_occasion_is() -> None:
    base = proof_context(inputs(proposed=True))
    for same in (
        dataclasses.replace(base, new_pledge=b"\x01" * 48),
        dataclasses.replace(base, snapshot_digest=b"\x01" * 32),
    ):
        assert occasion(base, 7) == occasion(same, 7)
    assert occasion(base, 7) != occasion(base, 8)
    others = [
        dataclasses.replace(base, venue=b"\x01" * 20),
        dataclasses.replace(base, purpose=Purpose.INITIAL),
        dataclasses.replace(base, registry_digest=b"\x01" * 32),
        dataclasses.replace(base, new_pledge=NO_COMMITMENT),
        dataclasses.replace(base, certificates=base.certificates[:1]),
    ]
    assert len({occasion(context, 7) for context in [base, *others]}) == 6


def test_representation_of_the_inputs_hides_secrets() -> None:
    amount = 7_654_321
    elsewhere = pledged({CASH: -amount}, OTHER_VENUE)
    made = inputs(leaves=(opened(HOME, {ETH: amount}),), pledge=pledged({CASH: amount}), others=(elsewhere,))
    shown = repr(made) + repr(evaluate(made))
    assert str(amount) not in shown
    assert OWN.blinding.hex() not in shown
    assert LEAVES[0].blinding.hex() not in shown
