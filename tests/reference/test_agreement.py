"""The comparison itself: it finds what differs, and its random statements have every shape."""

import dataclasses

import pytest

from marginproof import core
from marginproof.reference import Setup
from tests.reference.agreement import core_openings, core_statement, differences, prover_differences
from tests.reference.known_answers import FROZEN, Case, load_cases
from tests.reference.random_cases import Maker


def found(setup: Setup, case: Case) -> list[str]:
    return [line.split(":")[0] for line in differences(setup, case)]


def test_a_known_answer_shows_no_difference(setup: Setup, with_auxiliary: Case) -> None:
    assert found(setup, with_auxiliary) == []


def test_what_differs_from_the_file_is_named(setup: Setup, plain: Case) -> None:
    changed = dataclasses.replace
    assert found(setup, changed(plain, statement_digest="00" * 32)) == ["statement"]
    assert found(setup, changed(plain, valid=False)) == ["verdict"]
    assert found(setup, changed(plain, openings=[changed(plain.openings[0], blinding=1)])) == ["commitment 0"]
    assert found(setup, changed(plain, challenges={"beta": 1})) == ["challenges"]
    assert found(setup, changed(plain, context=b"another", challenges={})) == ["verdict"]
    refused = next(case for case in load_cases(FROZEN).values() if case.code == "PROOF_LENGTH")
    assert found(setup, refused) == []
    assert found(setup, changed(refused, step=4)) == ["verdict"]


def test_what_the_core_says_otherwise_is_named(setup: Setup, plain: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    forgery = next(Maker(1).forgeries(plain))
    monkeypatch.setattr(core, "verify", lambda *_: None)
    assert found(setup, forgery) == ["verdict"]
    monkeypatch.setattr(core, "challenges", lambda *_: {})
    assert "challenges" in found(setup, plain)
    monkeypatch.setattr(core, "prove", lambda *_: b"")
    false = [dataclasses.replace(opening, values={0: -1}) for opening in plain.openings]
    assert len(list(prover_differences(plain.statement, false, b""))) == 1


def test_random_statements_have_every_shape() -> None:
    made = [Maker(seed).true_statement() for seed in range(150)]
    statements = [statement for statement, _ in made]
    assert {statement.n for statement in statements} == {256, 512, 1024, 2048}
    assert {statement.columns for statement in statements} >= {1, 2, 3, 4, 6, 8}
    assert {(statement.inputs, statement.auxiliary) for statement in statements} >= {(1, 0), (1, 1), (2, 1), (3, 0)}
    assert {row.bits for statement in statements for row in statement.rows} == set(range(8, 129, 8))
    assert Maker(7).true_statement() == Maker(7).true_statement()


def test_random_statements_hold_and_their_forgeries_do_not() -> None:
    maker = Maker(3)
    case = maker.true_case()
    core.verify(core_statement(case.statement), case.inputs, case.context, case.proof)
    assert [opening.commitment() for opening in core_openings(case.statement.n, case.openings)][
        : case.statement.inputs
    ] == case.inputs
    for forgery in maker.forgeries(case):
        with pytest.raises(core.CoreError):
            core.verify(core_statement(forgery.statement), forgery.inputs, forgery.context, forgery.proof)
