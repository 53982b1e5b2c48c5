"""Every known answer: digests, commitments, challenges, verdicts."""

import dataclasses

import pytest

from marginproof.model.reasons import ReasonCode
from marginproof.reference import ArgumentError, Setup, challenges, verify
from marginproof.reference.proof import split
from tests.reference.known_answers import ATTACK, PLAIN, WITH_AUXILIARY, Case, load_cases

VALID = [name for name, case in load_cases().items() if case.valid]
REFUSED = {
    f"{PLAIN}: last byte of an evaluation flipped": (8, ReasonCode.PROOF_INVALID),
    f"{WITH_AUXILIARY}: auxiliary commitment replaced by an input": (8, ReasonCode.PROOF_INVALID),
    f"{PLAIN}: another context": (8, ReasonCode.PROOF_INVALID),
    "two vectors, n = 512: constant of row 0 raised by one": (8, ReasonCode.PROOF_INVALID),
    f"{PLAIN}: a scalar not reduced modulo r": (5, ReasonCode.SCALAR_RANGE),
    f"{PLAIN}: point at infinity": (4, ReasonCode.POINT_AT_INFINITY),
    f"{PLAIN}: point outside the subgroup": (4, ReasonCode.POINT_NOT_IN_SUBGROUP),
    f"{PLAIN}: one byte too long": (3, ReasonCode.PROOF_LENGTH),
    f"{WITH_AUXILIARY}: rows in another order": (8, ReasonCode.PROOF_INVALID),
    ATTACK: (1, ReasonCode.STATEMENT_UNBOUND_AUXILIARY),
}


def test_every_case_of_the_file_is_expected_here(cases: dict[str, Case]) -> None:
    assert len(cases) == 16
    assert set(VALID) | set(REFUSED) == set(cases)


@pytest.mark.parametrize("name", VALID)
def test_statement_digest(cases: dict[str, Case], name: str) -> None:
    assert cases[name].statement.digest().hex() == cases[name].statement_digest


@pytest.mark.parametrize("name", VALID)
def test_commitments(setup: Setup, cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    made = [opening.commitment(setup, case.statement.n) for opening in case.openings]
    assert made == [*case.inputs, *split(case.statement, case.proof).auxiliary]


@pytest.mark.parametrize("name", VALID)
def test_challenges(cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    drawn = challenges(case.statement, case.inputs, case.context, case.proof)
    assert dataclasses.asdict(drawn) == case.challenges


@pytest.mark.parametrize("name", VALID)
def test_valid_proofs_are_accepted(setup: Setup, cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    verify(setup, case.statement, case.inputs, case.context, case.proof)


@pytest.mark.parametrize("name", list(REFUSED))
def test_invalid_proofs_are_refused_at_their_step(setup: Setup, cases: dict[str, Case], name: str) -> None:
    case = cases[name]
    with pytest.raises(ArgumentError) as refusal:
        verify(setup, case.statement, case.inputs, case.context, case.proof)
    assert (refusal.value.step, refusal.value.code) == REFUSED[name]
