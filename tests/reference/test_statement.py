"""Step 1: shape, canonical form, interval analysis; and that the digest binds every part."""

import dataclasses
from collections.abc import Iterator

import pytest

from marginproof.model.reasons import ReasonCode
from marginproof.reference import ArgumentError, Row, Setup, Statement, verify
from marginproof.reference import verifier as verifier_module
from marginproof.reference.intervals import bind_auxiliary, row_bound
from marginproof.reference.statement import SparseVector
from marginproof.reference.verifier import check_statement
from tests.reference.known_answers import ATTACK, Case

GOOD_ROW = Row(64, 5, (((0, 1), (7, -3)), ()))
GOOD = Statement(256, 2, 2, (GOOD_ROW, Row(8, 0, ((), ((255, 2),)))))


def refusal(statement: Statement) -> ArgumentError:
    with pytest.raises(ArgumentError) as caught:
        check_statement(statement)
    assert caught.value.step == 1
    assert caught.value.fix
    return caught.value


def with_row(row: Row) -> Statement:
    return dataclasses.replace(GOOD, rows=(GOOD_ROW, row))


def one_row(bits: int, constant: int, *weights: SparseVector, inputs: int = 1) -> Statement:
    return Statement(256, len(weights), inputs, (Row(bits, constant, weights),))


def test_well_formed_statements_pass() -> None:
    check_statement(GOOD)


@pytest.mark.parametrize("n", [0, -256, 128, 255, 257, 384, 4096])
def test_domain_size(n: int) -> None:
    assert refusal(dataclasses.replace(GOOD, n=n)).code is ReasonCode.STATEMENT_SHAPE


@pytest.mark.parametrize(("vectors", "inputs"), [(0, 0), (2, 0), (2, 3), (2, -1)])
def test_vector_counts(vectors: int, inputs: int) -> None:
    assert refusal(dataclasses.replace(GOOD, vectors=vectors, inputs=inputs)).code is ReasonCode.STATEMENT_SHAPE


def test_cells_are_limited() -> None:
    widest = one_row(8, 0, *[((0, 1),)] * 256, inputs=256)
    check_statement(widest)
    assert refusal(one_row(8, 0, *[((0, 1),)] * 257, inputs=257)).code is ReasonCode.STATEMENT_SHAPE


def test_a_statement_has_rows() -> None:
    assert refusal(dataclasses.replace(GOOD, rows=())).code is ReasonCode.STATEMENT_SHAPE


@pytest.mark.parametrize("bits", [0, -8, 7, 9, 65, 129, 136, 1 << 31])
def test_row_bits(bits: int) -> None:
    error = refusal(with_row(Row(bits, 0, ((), ()))))
    assert (error.code, error.row) == (ReasonCode.STATEMENT_SHAPE, 1)


@pytest.mark.parametrize("weights", [(), ((),), ((), (), ())])
def test_one_weight_list_per_vector(weights: tuple[SparseVector, ...]) -> None:
    assert refusal(with_row(Row(8, 0, weights))).code is ReasonCode.STATEMENT_SHAPE


def test_columns_are_limited() -> None:
    full = (Row(128, 0, ((),)),) * (64 * 256 // 16)
    check_statement(Statement(256, 1, 1, full))
    assert refusal(Statement(256, 1, 1, (*full, Row(8, 0, ((),))))).code is ReasonCode.STATEMENT_SHAPE


@pytest.mark.parametrize("index", [-1, 256, 1 << 40])
def test_indices_inside_the_vector(index: int) -> None:
    assert refusal(with_row(Row(8, 0, (((index, 1),), ())))).code is ReasonCode.STATEMENT_SHAPE


@pytest.mark.parametrize("sparse", [((3, 1), (3, 1)), ((4, 1), (3, 1)), ((3, 0),), ((1, 1), (2, 0), (3, 1))])
def test_canonical_form(sparse: SparseVector) -> None:
    error = refusal(with_row(Row(8, 0, ((), sparse))))
    assert (error.code, error.row) == (ReasonCode.STATEMENT_NOT_CANONICAL, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_weight_range(sign: int) -> None:
    check_statement(one_row(8, 0, ((0, sign * (2**64 - 1)),)))
    assert refusal(one_row(8, 0, ((0, sign * 2**64),))).code is ReasonCode.STATEMENT_WEIGHT_RANGE


@pytest.mark.parametrize("sign", [1, -1])
def test_constant_range(sign: int) -> None:
    check_statement(one_row(8, sign * (2**190 - 1), ((0, 1),)))
    assert refusal(one_row(8, sign * 2**190, ((0, 1),))).code is ReasonCode.STATEMENT_CONSTANT_RANGE


@pytest.mark.parametrize("weight", [1, -1])
def test_a_unit_weight_binds(weight: int) -> None:
    statement = one_row(64, -9, ((4, 3),), ((0, weight),))
    check_statement(statement)
    assert bind_auxiliary(statement) == {(1, 0): 9 + 2**64 + 3 * 2**63}


@pytest.mark.parametrize("weight", [2, -2, 2**63])
def test_other_weights_do_not_bind(weight: int) -> None:
    assert refusal(one_row(64, 0, (), ((0, weight),))).code is ReasonCode.STATEMENT_UNBOUND_AUXILIARY


def test_inputs_need_no_binding() -> None:
    check_statement(one_row(64, -1, (), ((0, 2),), inputs=2))


def test_two_unbound_entries_bind_nothing_and_the_row_is_not_revisited() -> None:
    both, only_first = Row(64, 0, ((), ((0, 1), (1, 1)))), Row(64, 0, ((), ((0, 1),)))
    later = refusal(Statement(256, 2, 1, (both, only_first)))
    assert (later.code, later.row) == (ReasonCode.STATEMENT_UNBOUND_AUXILIARY, 0)
    check_statement(Statement(256, 2, 1, (only_first, both)))


def test_an_entry_stays_bound_by_the_first_row_that_binds_it() -> None:
    narrow, wide = Row(8, 0, ((), ((0, 1),))), Row(128, 0, ((), ((0, 1),)))
    assert bind_auxiliary(Statement(256, 2, 1, (narrow, wide))) == {(1, 0): 2**8}


def doubling_chain(length: int, factor: int) -> tuple[Row, ...]:
    """|x_0| ≤ 2^8; then 0 ≤ factor · x_(i−1) − x_i < 2^8 for every following entry."""
    links = (Row(8, 0, ((), ((i - 1, factor), (i, -1)))) for i in range(1, length))
    return Row(8, 0, ((), ((0, 1),))), *links


def test_bounds_that_reach_the_limit_are_refused_while_binding() -> None:
    check_statement(Statement(256, 2, 1, doubling_chain(4, 2**63)))
    error = refusal(Statement(256, 2, 1, doubling_chain(5, 2**63)))
    assert (error.code, error.row) == (ReasonCode.STATEMENT_WRAP, 4)


def test_a_bound_out_of_range_is_refused_before_an_unbound_entry() -> None:
    """Bounds stop growing at once: a long chain never makes the analysis handle huge numbers."""
    unbound = Row(8, 0, ((), ((9, 2),)))
    assert refusal(Statement(256, 2, 1, (*doubling_chain(5, 2**63), unbound))).code is ReasonCode.STATEMENT_WRAP


def wrapping_use(last_weight: int) -> Statement:
    """A chain whose last entry has a bound just above 2^197, used once more with a weight: no entry is bound by it."""
    rows = doubling_chain(4, 2**63)
    return Statement(256, 2, 1, (*rows, Row(8, 0, ((), ((3, last_weight),)))))


def test_a_row_that_could_wrap_is_refused_with_the_final_bounds() -> None:
    bound = bind_auxiliary(wrapping_use(1))[1, 3]
    largest = (2**253 - 1 - 2**8) // bound
    check_statement(wrapping_use(largest))
    error = refusal(wrapping_use(-largest - 1))
    assert (error.code, error.row) == (ReasonCode.STATEMENT_WRAP, 4)


def test_row_bound_counts_constant_width_and_every_weight() -> None:
    row = Row(16, -7, (((0, 3), (1, -4)), ((5, -2),)))
    assert row_bound(row, 1, {(1, 5): 11}) == 7 + 2**16 + 7 * 2**63 + 22
    assert row_bound(row, 1, {}, without=(1, 5)) == 7 + 2**16 + 7 * 2**63


def test_the_halving_attack_is_real_and_refused_at_step_1(
    setup: Setup, cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With x = 2^(−1) mod r one shows 2x − 1 = 0, true for no integer: only the interval analysis stops it."""
    case = cases[ATTACK]
    with pytest.raises(ArgumentError) as caught:
        verify(setup, case.statement, case.inputs, case.context, case.proof)
    assert (caught.value.step, caught.value.code) == (1, ReasonCode.STATEMENT_UNBOUND_AUXILIARY)
    monkeypatch.setattr(verifier_module, "check_intervals", lambda statement: None)
    verify(setup, case.statement, case.inputs, case.context, case.proof)


def variations() -> Iterator[Statement]:
    first, second = GOOD.rows
    yield dataclasses.replace(GOOD, n=512)
    yield dataclasses.replace(GOOD, inputs=1)
    yield dataclasses.replace(GOOD, rows=(second, first))
    yield dataclasses.replace(GOOD, rows=(first,))
    yield dataclasses.replace(GOOD, rows=(first, second, second))
    for changed in (
        dataclasses.replace(first, bits=72),
        dataclasses.replace(first, constant=-5),
        dataclasses.replace(first, weights=(((0, 1), (7, 3)), ())),
        dataclasses.replace(first, weights=(((0, 1), (8, -3)), ())),
        dataclasses.replace(first, weights=(((0, 1),), ())),
        dataclasses.replace(first, weights=((), ((0, 1), (7, -3)))),
        dataclasses.replace(first, weights=(((0, 1),), ((7, -3),))),
    ):
        yield dataclasses.replace(GOOD, rows=(changed, second))


def test_the_digest_binds_every_part() -> None:
    digests = [statement.digest() for statement in (GOOD, *variations())]
    assert len(set(digests)) == len(digests)


def test_the_digest_tells_the_number_of_vectors_apart() -> None:
    assert one_row(8, 0, ((0, 1),), ()).digest() != one_row(8, 0, ((0, 1),)).digest()
