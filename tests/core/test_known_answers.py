import json

import pytest

from marginproof import core
from tests.core.known_answers import VECTORS, Case, load_cases

CASES = load_cases()
VALID = [case for case in CASES.values() if case.valid]
REFUSED = {
    "a scalar not reduced modulo r": ("SCALAR_RANGE", 5),
    "point at infinity": ("POINT_AT_INFINITY", 4),
    "point outside the subgroup": ("POINT_NOT_IN_SUBGROUP", 4),
    "one byte too long": ("PROOF_LENGTH", 3),
    "2x - 1 = 0": ("STATEMENT_UNBOUND_AUXILIARY", 1),
}


def test_all_cases_are_there() -> None:
    assert (len(CASES), len(VALID)) == (16, 6)
    assert json.loads(VECTORS.read_text())["setup_digest"] == core.SETUP_DIGEST.hex()


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_digests_commitments_and_challenges_agree(case: Case) -> None:
    statement = case.statement()
    assert statement.digest == case.statement_digest
    assert [opening.commitment() for opening in case.openings][: case.input_count] == case.inputs
    assert core.challenges(statement, case.inputs, case.context, case.proof) == case.challenges


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_verdicts_agree(case: Case) -> None:
    def verify() -> None:
        core.verify(case.statement(), case.inputs, case.context, case.proof)

    if case.valid:
        verify()
        return
    with pytest.raises(core.CoreError) as refused:
        verify()
    expected = REFUSED.get(case.name.split(": ")[1], ("PROOF_INVALID", 8))
    assert (refused.value.code, refused.value.step) == expected


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_fresh_proofs_are_accepted(case: Case) -> None:
    statement = case.statement()
    proof = core.prove(statement, case.openings, case.context)
    assert len(proof) == statement.proof_length
    assert proof != case.proof
    core.verify(statement, case.inputs, case.context, proof)
