"""The core against the specification: fresh proofs both ways, random statements, broken proofs, encodings."""

import dataclasses
import random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof import core
from marginproof.reference import ArgumentError, Opening, Row, Setup, Statement, challenges, prove, verify
from marginproof.reference.field import MODULUS
from marginproof.reference.verifier import check_statement
from tests.reference.agreement import core_openings, core_statement
from tests.reference.known_answers import Case

CONTEXT = b"venue-a|epoch-1|margin"
STATEMENT = Statement(
    256,
    3,
    2,
    (
        Row(96, 10**9, (((0, 2**40), (3, -7)), ((3, 12345),), ())),
        Row(64, 0, ((), ((3, -1),), ((0, 1),))),
        Row(64, 0, ((), ((3, 1),), ((0, 1),))),
        Row(128, 2**100, (((0, 1),), (), ((0, -(2**33)),))),
    ),
)
OPENINGS = [
    Opening({0: 10**12, 3: -5, 255: 2**63 - 1}, 0xABCDEF),
    Opening({3: -90000}, MODULUS - 1),
    Opening({0: 90001}, 77),
]


def outcome_of_reference(setup: Setup, case: Case, proof: bytes) -> tuple[int | None, str] | None:
    try:
        verify(setup, case.statement, case.inputs, case.context, proof)
    except ArgumentError as error:
        return error.step, str(error.code)
    return None


def outcome_of_core(case: Case, proof: bytes) -> tuple[int | None, str] | None:
    try:
        core.verify(core_statement(case.statement), case.inputs, case.context, proof)
    except core.CoreError as error:
        return error.step, error.code
    return None


@pytest.fixture(scope="module")
def inputs(setup: Setup) -> list[bytes]:
    return [opening.commitment(setup, 256) for opening in OPENINGS[:2]]


def test_commitments_are_equal(setup: Setup) -> None:
    for ours, theirs in zip(OPENINGS, core_openings(256, OPENINGS), strict=True):
        assert theirs.commitment() == ours.commitment(setup, 256)


def test_a_fresh_proof_of_the_core_is_accepted_here(setup: Setup, inputs: list[bytes]) -> None:
    proof = core.prove(core_statement(STATEMENT), core_openings(256, OPENINGS), CONTEXT)
    verify(setup, STATEMENT, inputs, CONTEXT, proof)
    drawn = dataclasses.asdict(challenges(STATEMENT, inputs, CONTEXT, proof))
    assert core.challenges(core_statement(STATEMENT), inputs, CONTEXT, proof) == drawn


def test_a_fresh_proof_of_the_specification_is_accepted_by_the_core(setup: Setup, inputs: list[bytes]) -> None:
    source = random.Random(8)
    proof = prove(setup, STATEMENT, OPENINGS, CONTEXT, lambda: source.randrange(MODULUS))
    core.verify(core_statement(STATEMENT), inputs, CONTEXT, proof)


@pytest.mark.parametrize("seed", range(24))
def test_broken_proofs_meet_the_same_step_and_reason(setup: Setup, with_auxiliary: Case, seed: int) -> None:
    source = random.Random(seed)
    proof = bytearray(with_auxiliary.proof)
    for _ in range(source.choice((1, 1, 1, 2, 40))):
        proof[source.randrange(len(proof))] ^= 1 << source.randrange(8)
    here = outcome_of_reference(setup, with_auxiliary, bytes(proof))
    assert here is not None
    assert outcome_of_core(with_auxiliary, bytes(proof)) == here


def test_known_refusals_are_equal(setup: Setup, cases: dict[str, Case]) -> None:
    for case in cases.values():
        if case.valid:
            continue
        here = outcome_of_reference(setup, case, case.proof)
        if here is not None and here[0] == 1:
            with pytest.raises(core.CoreError) as caught:
                core_statement(case.statement)
            assert (caught.value.step, caught.value.code) == here
        else:
            assert outcome_of_core(case, case.proof) == here


Value = TypeVar("Value")


def mostly(usual: tuple[Value, ...], *rare: Value) -> st.SearchStrategy[Value]:
    """One of the usual values; about one time in thirty a rare one."""
    return st.integers(0, 29).flatmap(lambda die: st.sampled_from(rare if die == 7 else usual))


CONSTANTS = mostly((0, 1, -1, 2**96, 2**190 - 1, 1 - 2**190), 2**190, -(2**190))
WEIGHTS = mostly((1, 1, 1, -1, -1, 2, -3, 2**63, 1 - 2**64, 2**64 - 1), 2**64, -(2**64), 0)
INDICES = mostly((0, 0, 1, 2, 255), 256)
SPARSE = st.dictionaries(INDICES, WEIGHTS, max_size=2).map(lambda weights: tuple(sorted(weights.items())))
BITS = mostly((8, 16, 64, 96, 128), 0, 12, 136)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Statements with faults of every kind now and then."""
    vectors = draw(st.integers(1, 3))
    inputs = draw(mostly((vectors, vectors, max(1, vectors - 1)), 0, 4))
    weights = st.lists(SPARSE, min_size=vectors, max_size=vectors).map(tuple)
    rows = draw(st.lists(st.builds(Row, BITS, CONSTANTS, weights), max_size=4))
    return Statement(draw(mostly((256, 512, 2048), 300)), vectors, inputs, tuple(rows))


@st.composite
def chains(draw: st.DrawFn) -> Statement:
    """Rows over one auxiliary vector that bind one entry after the other, bounds growing towards the limit."""
    rows = []
    for link in range(draw(st.integers(1, 6))):
        earlier = st.sampled_from((1, -1, 3, 2**62, 1 - 2**64))
        entries = draw(st.dictionaries(st.integers(0, max(0, link - 1)), earlier, max_size=2))
        entries[link] = draw(mostly((1, -1), 2, -(2**64) + 1))
        rows.append(Row(draw(st.sampled_from((8, 128))), -(2**189), ((), tuple(sorted(entries.items())))))
    return Statement(256, 2, 1, tuple(rows))


def digest_or_code(statement: Statement) -> str:
    try:
        check_statement(statement)
    except ArgumentError as error:
        return f"{error.code} {error.row}"
    return statement.digest().hex()


def digest_or_code_of_core(statement: Statement) -> str:
    try:
        return core_statement(statement).digest.hex()
    except core.CoreError as error:
        return f"{error.code} {error.row}"


@settings(max_examples=400, deadline=None, derandomize=True)
@given(statements() | chains())
def test_statements_are_judged_alike(statement: Statement) -> None:
    assert digest_or_code_of_core(statement) == digest_or_code(statement)
