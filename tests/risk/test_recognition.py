"""Pledges at other venues: which rows they make, what they cost, and that none ever helps where only losses count."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof.core import FIELD_MODULUS, CoreError, Opening, Row, Statement, prove, random_blinding, verify
from marginproof.model.errors import ConfigurationError
from marginproof.model.margin import Purpose
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.risk.clear import clear_margin
from marginproof.risk.recognition import Recognition
from marginproof.risk.rows import CompiledPolicy, PolicyRows, compile_policy, policy_rows
from marginproof.risk.valuation import unit_values
from tests.risk import world

LOSSES, FULL = Recognition.LOSSES_ONLY, Recognition.FULL
POLICY, UNIVERSE, MARKET = world.policy(), world.universe(), world.market()
CONTEXT = b"c" * 32
LOSS_UNIT = 2**32
LOSS_UNIT_USD = Fraction(LOSS_UNIT, 10**14)
"""What rounding can cost in a scenario for each other venue: 0.00004 USD."""

Vector = Mapping[int, int]


def weights_of(universe: Universe = UNIVERSE, purpose: Purpose = Purpose.MAINTENANCE) -> PolicyRows:
    return policy_rows(POLICY, universe, unit_values(POLICY, universe, MARKET), purpose)


WEIGHTS = weights_of()
COMPILED: dict[tuple[Recognition, ...], CompiledPolicy] = {
    others: WEIGHTS.compile(others)
    for others in ((), (LOSSES,), (FULL,), (LOSSES, LOSSES), (LOSSES, FULL, LOSSES), (FULL, FULL))
}


def openings(compiled: CompiledPolicy, inputs: Sequence[Vector], auxiliary: Vector | None = None) -> list[Opening]:
    """All vectors of a statement; the auxiliary one is the prover's unless given."""
    made = compiled.auxiliary(inputs[2:]) if auxiliary is None else auxiliary
    vectors = [*inputs, *([] if made is None else [made])]
    return [Opening(compiled.statement.n, vector, random_blinding(vector)) for vector in vectors]


def main_rows(compiled: CompiledPolicy, inputs: Sequence[Vector], auxiliary: Vector | None = None) -> list[int]:
    """Values of the rows that decide, one per scenario."""
    values = compiled.statement.row_values(openings(compiled, inputs, auxiliary))
    step = len(values) // len(compiled.labels)
    return values[step - 1 :: step]


def proves(compiled: CompiledPolicy, inputs: Sequence[Vector], auxiliary: Vector | None = None) -> bool:
    """Whether the account can prove it and the venue then accepts it."""
    opened = openings(compiled, inputs, auxiliary)
    try:
        proof = prove(compiled.statement, opened, CONTEXT)
    except CoreError as error:
        assert error.code == ReasonCode.ROW_NOT_SATISFIED
        return False
    commitments = [opening.commitment() for opening in opened[: compiled.statement.inputs]]
    verify(compiled.statement, commitments, CONTEXT, proof)
    return True


# -- the rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("others", COMPILED, ids=str)
def test_the_statement_is_that_of_the_documentation(others: tuple[Recognition, ...]) -> None:
    """Row by row as the module's docstring has it, from the weights of the statement without others."""
    losing = [place for place, recognition in enumerate(others) if recognition == LOSSES]
    empty: list[dict[int, int]] = [{} for _ in range(2 + len(others))]
    rows = []
    for s, (alone, book) in enumerate(zip(WEIGHTS.rows(), COMPILED[()].book_rows, strict=True)):
        for v, place in enumerate(losing):
            entry = s * len(losing) + v
            pledged = [dict(book) if position == 2 + place else {} for position in range(2 + len(others))]
            rows.append(Row(64, 0, [*empty, {entry: -1}]))
            rows.append(Row(96, alone.constant, [*pledged, {entry: -LOSS_UNIT}]))
        full = [dict(book) if recognition == FULL else {} for recognition in others]
        counted = {s * len(losing) + v: LOSS_UNIT for v in range(len(losing))}
        rounded = sum(recognition == FULL for recognition in others) + 1
        assert alone.constant == 0 or rounded == 1  # weights of this world are exact; see test_rounding.py
        rows.append(Row(96, alone.constant, [*alone.weights, *full, *([counted] if losing else [])]))
    stated = Statement(UNIVERSE.n, 2 + len(others) + bool(losing), 2 + len(others), rows)
    assert COMPILED[others].statement.digest == stated.digest


def test_book_rows_are_the_weights_of_the_own_pledge() -> None:
    for compiled in COMPILED.values():
        step = 1 + 2 * compiled.others.count(LOSSES)
        rows = WEIGHTS.rows(compiled.others)
        assert [row.weights[1] for row in rows[step - 1 :: step]] == list(compiled.book_rows)
        assert not any(0 in row.values() for row in compiled.book_rows)


@pytest.mark.parametrize(
    ("others", "digest"),
    [
        ((LOSSES,), "f98012b84b049421f84b9632e8ebc2f6fa190d239887656cbf5e97c3b9619350"),
        ((FULL,), "aa7a719b27fb3d84853c2d0f042e8c84ab2a263f7244aac650817d5fa1013b2f"),
        ((LOSSES, FULL, LOSSES), "a13319d26f5f63bdd4b9d9556853343433624d9ce2093fb65544dc212e2d7170"),
    ],
)
def test_rows_are_the_same_on_every_machine_and_in_every_version(others: tuple[Recognition, ...], digest: str) -> None:
    """Written down once, as in test_rows.py, which has the statement without others."""
    assert COMPILED[others].statement.digest.hex() == digest


def test_every_row_has_the_label_of_its_scenario() -> None:
    compiled = COMPILED[(LOSSES, FULL, LOSSES)]
    assert compiled.statement.row_count == 5 * world.SCENARIOS
    labels = [compiled.label_of_row(row) for row in range(compiled.statement.row_count)]
    assert labels == [label for label in compiled.labels for _ in range(5)]
    assert COMPILED[()].label_of_row(3) == COMPILED[()].labels[3]


def test_compiling_the_policy_at_once_gives_the_same() -> None:
    at_once = compile_policy(POLICY, UNIVERSE, MARKET, Purpose.MAINTENANCE, (LOSSES, FULL))
    assert at_once.statement.digest == WEIGHTS.compile((LOSSES, FULL)).statement.digest
    assert at_once.others == (LOSSES, FULL)


# -- the account's auxiliary vector ------------------------------------------------------------------------------------


def test_without_a_venue_of_losses_there_is_no_auxiliary_vector() -> None:
    assert COMPILED[()].auxiliary([]) is None
    assert COMPILED[(FULL, FULL)].auxiliary([{world.CASH: -1}, {}]) is None


def test_losses_are_rounded_down_and_profits_left_out() -> None:
    """One cent is 10^12 row units, 232 or, as a loss, 233 units of 2^32; entries go scenario by scenario."""
    compiled = COMPILED[(LOSSES, FULL, LOSSES)]
    auxiliary = compiled.auxiliary([{world.CASH: -1}, {world.CASH: -(10**9)}, {world.CASH: 1}])
    assert auxiliary == {2 * s: -233 for s in range(world.SCENARIOS)}
    assert compiled.auxiliary([{}, {}, {world.DUST: -1}]) == {2 * s + 1: -1 for s in range(world.SCENARIOS)}
    assert compiled.auxiliary([{}, {}, {world.DUST: -LOSS_UNIT}]) == {2 * s + 1: -1 for s in range(world.SCENARIOS)}


def test_the_auxiliary_vector_wants_one_pledge_for_every_other_venue() -> None:
    with pytest.raises(ValueError, match="zip"):
        COMPILED[(LOSSES, LOSSES)].auxiliary([{}])


lots = st.integers(-(10**9), 10**9)
books = st.fixed_dictionaries(
    dict.fromkeys((world.ETH, world.CASH, world.DUST, world.PERP, world.CALL, world.PUT), lots)
)


@given(books)
@settings(max_examples=60, deadline=None)
def test_no_greater_entry_satisfies_the_rows(pledge: dict[int, int]) -> None:
    compiled = COMPILED[(LOSSES,)]
    best = compiled.auxiliary([pledge])
    assert best is not None
    rows = WEIGHTS.rows((LOSSES,))
    for entry in range(world.SCENARIOS):
        greater = {**best, entry: best.get(entry, 0) + 1}
        assert all(holds(rows[3 * entry + part], [{}, {}, pledge, best]) for part in (0, 1))
        assert not all(holds(rows[3 * entry + part], [{}, {}, pledge, greater]) for part in (0, 1))


# -- what a pledge elsewhere does --------------------------------------------------------------------------------------


def holds(row: Row, vectors: Sequence[Vector]) -> bool:
    """What a proof says of a row: its value modulo r has no more than so many bits."""
    value = row.constant + sum(
        weight * vector.get(index, 0)
        for weights, vector in zip(row.weights, vectors, strict=True)
        for index, weight in weights.items()
    )
    return value % FIELD_MODULUS < 1 << row.bits


HALF = pow(2, -1, FIELD_MODULUS)
elements = st.integers(-(2**64), 2**64) | st.integers(0, FIELD_MODULUS - 1) | st.sampled_from((1, -1, HALF))


@st.composite
def foreign_vectors(draw: st.DrawFn, weights: Mapping[int, int]) -> dict[int, int]:
    """What nobody checked: any field elements, with one that makes the pledge worth what a cheat would like."""
    indices = (world.ETH, world.CASH, world.PERP, world.CALL)
    vector = {index: draw(elements) % FIELD_MODULUS for index in indices}
    worth = sum(weights[index] * lots for index, lots in vector.items())
    wanted: int = draw(st.integers(-(2**97), 2**97) | st.sampled_from((0, 1, HALF, -HALF, 2**96, -(2**96))))
    vector[world.DUST] = (wanted - worth) * inverse(weights[world.DUST]) % FIELD_MODULUS
    return vector


def inverse(element: int) -> int:
    return pow(element, -1, FIELD_MODULUS)


@st.composite
def foreign_entries(draw: st.DrawFn, weights: Mapping[int, int], pledge: dict[int, int]) -> int:
    """An entry x that a cheat would choose: the honest one or near it, positive, or any field element."""
    worth = sum(weights.get(index, 0) * lots for index, lots in pledge.items()) % FIELD_MODULUS
    signed = (worth if worth < FIELD_MODULUS // 2 else worth - FIELD_MODULUS) >> 32
    near = (signed, signed + 1, signed - 1, min(0, signed), worth * inverse(LOSS_UNIT), 0, 1, -1, HALF)
    entry: int = draw(st.sampled_from(near) | st.integers(-(2**65), 2**65) | elements)
    return entry


@given(st.data(), st.integers(0, world.SCENARIOS - 1), books, st.integers(-(2**95), 2**40) | st.integers(-9, 2**64))
@settings(max_examples=400, deadline=None)
def test_no_pledge_whatever_it_contains_raises_what_counts(
    data: st.DataObject, scenario: int, book: dict[int, int], surplus: int
) -> None:
    """Not even with entries that no book can hold, and for every x: a row that fails without it fails with it."""
    weights = COMPILED[()].book_rows[scenario]
    pledge = data.draw(foreign_vectors(weights))
    entry = data.draw(foreign_entries(weights, pledge))
    worth = sum(weights[index] * lots for index, lots in book.items())
    own = [{}, {**book, world.DUST: book[world.DUST] + surplus - worth}]
    beside = WEIGHTS.rows((LOSSES,))[3 * scenario : 3 * scenario + 3]
    assert holds(WEIGHTS.rows()[scenario], own) == (surplus >= 0)
    if all(holds(row, [*own, pledge, {scenario: entry}]) for row in beside):
        assert surplus >= 0


@given(st.integers(0, 10**7), books, books, st.sampled_from(Purpose))
@settings(max_examples=60, deadline=None)
def test_no_book_raises_what_counts_and_losses_are_paid(
    eth: int, book: dict[int, int], pledge: dict[int, int], purpose: Purpose
) -> None:
    compiled = weights_of(purpose=purpose).compile((LOSSES,))
    alone = main_rows(compiled, [{world.ETH: eth}, book, {}])
    beside = main_rows(compiled, [{world.ETH: eth}, book, pledge])
    worth = main_rows(compiled, [{}, pledge, {}])
    for before, after, gain in zip(alone, beside, worth, strict=True):
        assert after <= before
        assert 0 <= before + min(0, gain) - after < LOSS_UNIT


SHORT = {world.PERP: -10 * 10**4, world.CASH: 2_000 * 100}
LONG = {world.PERP: 10 * 10**4, world.CASH: -2_000 * 100}
"""Ten coins sold, and bought, at the present price of 200 USD: each leg loses 400 USD at maintenance level."""


@pytest.mark.parametrize("book", [SHORT, LONG], ids=["short", "long"])
@pytest.mark.parametrize("purpose", Purpose)
def test_a_perfect_hedge_at_two_venues_costs_one_leg_or_under_full_recognition_nothing(
    book: dict[int, int], purpose: Purpose
) -> None:
    """The same at either venue; without any recognition both legs together would cost twice as much."""
    hedge = LONG if book is SHORT else SHORT
    leg = -clear_margin(POLICY, UNIVERSE, MARKET, purpose, {}, book).worst
    assert leg == {Purpose.INITIAL: 500, Purpose.MAINTENANCE: 400}[purpose]
    for recognition, cost in ((LOSSES, leg), (FULL, Fraction(0))):
        clear = clear_margin(POLICY, UNIVERSE, MARKET, purpose, {}, book, [(recognition, hedge)])
        assert clear.worst == -cost
        compiled = weights_of(purpose=purpose).compile((recognition,))
        rows = Fraction(-min(main_rows(compiled, [{}, book, hedge])), 10**14)
        assert 0 <= rows - cost <= LOSS_UNIT_USD < Fraction(1, 10_000)
    both = clear_margin(POLICY, UNIVERSE, MARKET, purpose, {}, book, [(LOSSES, book)])
    assert both.worst == -2 * leg


@pytest.mark.parametrize("others", [(LOSSES,), (FULL,), (LOSSES, FULL, LOSSES)], ids=str)
@pytest.mark.parametrize("book", [SHORT, LONG], ids=["short", "long"])
def test_one_lot_over_the_limit_is_rejected_at_each_venue(
    others: tuple[Recognition, ...], book: dict[int, int]
) -> None:
    """Cash takes the worst row to exactly zero, which is proven; with a lot of 10^-14 USD less nothing can be."""
    compiled = COMPILED[others]
    pledges = [{world.PERP: 3_000 * (1 + place), world.CASH: -700 * place} for place in range(len(others))]
    short_of = -min(main_rows(compiled, [{}, book, *pledges]))
    cents, units = divmod(short_of, 10**12)
    at_limit = {**book, world.CASH: book[world.CASH] + cents, world.DUST: units}
    assert min(main_rows(compiled, [{}, at_limit, *pledges])) == 0
    assert proves(compiled, [{}, at_limit, *pledges])
    over = {**at_limit, world.DUST: units - 1}
    assert min(main_rows(compiled, [{}, over, *pledges])) == -1
    assert not proves(compiled, [{}, over, *pledges])


# -- proofs ------------------------------------------------------------------------------------------------------------


def test_a_proof_holds_for_these_pledges_in_this_order_only() -> None:
    compiled = COMPILED[(LOSSES, LOSSES)]
    opened = openings(compiled, [{world.ETH: 3 * 10**6}, SHORT, {world.CASH: -100}, {world.CASH: 100}])
    proof = prove(compiled.statement, opened, CONTEXT)
    inputs = [opening.commitment() for opening in opened[:4]]
    verify(compiled.statement, inputs, CONTEXT, proof)
    swapped = [inputs[0], inputs[1], inputs[3], inputs[2]]
    for wrong in (swapped, [*inputs[:3], inputs[2]], [inputs[1], inputs[0], *inputs[2:]]):
        with pytest.raises(CoreError) as caught:
            verify(compiled.statement, wrong, CONTEXT, proof)
        assert caught.value.code == ReasonCode.PROOF_INVALID


def test_a_proof_without_the_others_is_none_beside_them() -> None:
    alone, beside = COMPILED[()], COMPILED[(FULL,)]
    opened = openings(alone, [{world.ETH: 3 * 10**6}, SHORT])
    proof = prove(alone.statement, opened, CONTEXT)
    inputs = [opening.commitment() for opening in opened]
    assert alone.statement.proof_length == beside.statement.proof_length
    with pytest.raises(CoreError) as caught:
        verify(beside.statement, [*inputs, opened[1].commitment()], CONTEXT, proof)
    assert caught.value.code == ReasonCode.PROOF_INVALID


RICH = {world.CASH: 10**6}
FALSE_ENTRIES = {
    "a profit is claimed": dict.fromkeys(range(world.SCENARIOS), 1),
    "the whole profit is claimed": dict.fromkeys(range(world.SCENARIOS), 10**18 >> 32),
    "one profit is claimed": {3: 1},
    "more than can be lost": {0: -(2**64)},
}


@pytest.mark.parametrize("auxiliary", FALSE_ENTRIES.values(), ids=FALSE_ENTRIES.keys())
def test_the_core_proves_no_profit_elsewhere(auxiliary: dict[int, int]) -> None:
    compiled = COMPILED[(LOSSES,)]
    collateral = {world.ETH: 3 * 10**6}
    assert proves(compiled, [collateral, SHORT, RICH])
    assert not proves(compiled, [collateral, SHORT, RICH], auxiliary)


def test_the_core_proves_no_smaller_loss_elsewhere() -> None:
    compiled = COMPILED[(LOSSES,)]
    vectors = [{world.ETH: 3 * 10**6}, SHORT, {world.CASH: -100}]
    honest = compiled.auxiliary(vectors[2:])
    assert honest is not None
    assert proves(compiled, vectors, honest)
    assert proves(compiled, vectors, {entry: loss - 5 for entry, loss in honest.items()})
    assert not proves(compiled, vectors, {**honest, 0: honest[0] + 1})
    assert not proves(compiled, vectors, {})


@pytest.mark.parametrize("entry", [HALF, pow(LOSS_UNIT, -1, FIELD_MODULUS), FIELD_MODULUS - 1, 2**253])
def test_the_core_opens_nothing_to_field_elements_that_stand_for_no_integer(entry: int) -> None:
    for value in (entry, -entry):
        with pytest.raises(CoreError) as caught:
            Opening(UNIVERSE.n, {0: value}, random_blinding({0: value}))
        assert caught.value.code == ReasonCode.ENTRY_RANGE


def test_the_core_proves_nothing_for_a_pledge_beyond_every_book() -> None:
    compiled = COMPILED[(LOSSES,)]
    opened = openings(compiled, [{world.ETH: 3 * 10**6}, SHORT, {world.DUST: 2**63}], {})
    with pytest.raises(CoreError) as caught:
        prove(compiled.statement, opened, CONTEXT)
    assert caught.value.code == ReasonCode.ENTRY_RANGE


@pytest.mark.parametrize("left_out", [0, 1])
def test_without_either_row_the_core_or_the_rows_refuse(left_out: int) -> None:
    """Without −x ≥ 0 nothing binds x, and the core takes no such statement; without the other, losses are free."""
    rows = [row for number, row in enumerate(WEIGHTS.rows((LOSSES,))) if number % 3 != left_out]
    if left_out == 0:
        with pytest.raises(CoreError) as caught:
            Statement(UNIVERSE.n, 4, 3, rows)
        assert caught.value.code == ReasonCode.STATEMENT_UNBOUND_AUXILIARY
    else:
        free = Statement(UNIVERSE.n, 4, 3, rows)
        vectors: list[Vector] = [{}, {}, {world.CASH: -100}, {}]
        assert min(free.row_values([Opening(256, vector, random_blinding(vector)) for vector in vectors])) == 0
        assert not proves(COMPILED[(LOSSES,)], vectors[:3])


# -- what fits ---------------------------------------------------------------------------------------------------------


def only_cash(reach: int) -> Universe:
    """A universe in which a book can be worth up to ``reach`` row units, all of it in cash of cents and row units."""
    universe = UNIVERSE
    for entry in universe.entries:
        universe = world.with_entry(universe, entry.index, max_lots=0)
    cents, units = divmod(reach, 10**12)
    universe = world.with_entry(universe, world.CASH, max_lots=cents)
    return world.with_entry(universe, world.DUST, max_lots=units)


def refused(universe: Universe, others: Sequence[Recognition]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        weights_of(universe).compile(others)
    assert caught.value.code == ReasonCode.POLICY_INVALID
    return caught.value.message


def test_the_largest_loss_elsewhere_has_its_entry() -> None:
    most = 2**96 - LOSS_UNIT
    compiled = weights_of(only_cash(most)).compile((LOSSES,))
    cents, units = divmod(most, 10**12)
    auxiliary = compiled.auxiliary([{world.CASH: -cents, world.DUST: -units}])
    assert auxiliary == dict.fromkeys(range(world.SCENARIOS), 1 - 2**64)
    weights_of(only_cash(most + 1)).compile()
    assert "would reach 2^95" in refused(only_cash(most + 1), (LOSSES,))


def test_every_pledge_in_full_adds_to_the_reach() -> None:
    third = (2**96 - 1) // 3
    compiled = weights_of(only_cash(third)).compile((FULL, FULL))
    cents, units = divmod(third, 10**12)
    rich = {world.CASH: cents, world.DUST: units}
    assert min(main_rows(compiled, [{}, rich, rich, rich])) == 2**96 - 1
    weights_of(only_cash(third + 1)).compile((FULL,))
    refused(only_cash(third + 1), (FULL, FULL))


def test_as_many_venues_as_the_auxiliary_vector_has_room_for() -> None:
    """8 scenarios take 8 entries for each venue, of 256."""
    compiled = WEIGHTS.compile((LOSSES,) * 32)
    assert compiled.statement.vectors == 35
    auxiliary = compiled.auxiliary([{world.CASH: -1}] * 32)
    assert auxiliary is not None
    assert list(auxiliary) == list(range(256))
    message = refused(UNIVERSE, (LOSSES,) * 33)
    assert "264 auxiliary entries, and vectors have 256" in message
    WEIGHTS.compile((LOSSES,) * 32 + (FULL,))
