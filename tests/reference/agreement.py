"""The core beside the specification: everything both say of one case, and where they differ.

A case is a statement with openings, commitments, a context and a proof, good or bad. Each difference is one line.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from marginproof import core
from marginproof.reference import ArgumentError, Opening, Setup, Statement, challenges, row_values, verify
from marginproof.reference.proof import split
from marginproof.reference.verifier import check_statement
from marginproof.reference.witness import check_rows
from tests.reference.known_answers import Case

Value = TypeVar("Value")


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Why one side refused."""

    code: str
    step: int | None
    row: int | None


def core_statement(statement: Statement) -> core.Statement:
    """The same statement in the core; CoreError where it is not well-formed."""
    rows = [core.Row(row.bits, row.constant, [dict(sparse) for sparse in row.weights]) for row in statement.rows]
    return core.Statement(statement.n, statement.vectors, statement.inputs, rows)


def core_openings(n: int, openings: Sequence[Opening]) -> list[core.Opening]:
    """The same openings in the core."""
    return [core.Opening(n, dict(opening.values), opening.blinding.to_bytes(32, "big")) for opening in openings]


def outcome(call: Callable[[], Value]) -> Value | Refusal:
    """What a call gives, or why it refuses."""
    try:
        return call()
    except ArgumentError as error:
        return Refusal(str(error.code), error.step, error.row)
    except core.CoreError as error:
        return Refusal(error.code, error.step, error.row)


def statement_verdicts(statement: Statement) -> tuple[bytes | Refusal, bytes | Refusal]:
    """The digest, or why the statement is not well-formed: of the specification and of the core."""

    def specified() -> bytes:
        check_statement(statement)
        return statement.digest()

    return outcome(specified), outcome(lambda: core_statement(statement).digest)


def differences(setup: Setup, case: Case) -> Iterator[str]:
    """Where the core differs from the specification, or either of them from what the case expects."""
    specified, found = statement_verdicts(case.statement)
    yield from differing("statement", specified, found)
    if isinstance(specified, Refusal) or isinstance(found, Refusal):
        yield from unexpected(case, specified if isinstance(specified, Refusal) else None)
        return
    if case.statement_digest and specified.hex() != case.statement_digest:
        yield f"statement: {specified.hex()} is not the digest of the file"
    yield from opening_differences(setup, case)
    yield from proof_differences(setup, case)


def opening_differences(setup: Setup, case: Case) -> Iterator[str]:
    """Commitments and row values, where there are openings."""
    if not case.openings:
        return
    statement, theirs = core_statement(case.statement), core_openings(case.statement.n, case.openings)
    auxiliary = split(case.statement, case.proof).auxiliary if case.valid else ()
    given = [*case.inputs, *auxiliary]
    for number, (opening, other) in enumerate(zip(case.openings, theirs, strict=True)):
        specified = outcome(lambda opening=opening: opening.commitment(setup, case.statement.n))  # type: ignore[misc]
        yield from differing(f"commitment {number}", specified, outcome(other.commitment))
        if number < len(given) and specified != given[number]:
            yield f"commitment {number}: not that of the case"
    values = outcome(lambda: row_values(case.statement, case.openings))
    yield from differing("row values", values, outcome(lambda: statement.row_values(theirs)))


def proof_differences(setup: Setup, case: Case) -> Iterator[str]:
    """Challenges and verdict."""
    statement = core_statement(case.statement)
    arguments = (case.inputs, case.context, case.proof)
    drawn = outcome(lambda: dataclasses.asdict(challenges(case.statement, *arguments)))
    yield from differing("challenges", drawn, outcome(lambda: core.challenges(statement, *arguments)))
    if case.challenges and drawn != case.challenges:
        yield "challenges: not those of the file"
    specified = outcome(lambda: verify(setup, case.statement, *arguments))
    yield from differing("verdict", specified, outcome(lambda: core.verify(statement, *arguments)))
    yield from unexpected(case, specified)


def prover_differences(statement: Statement, openings: Sequence[Opening], context: bytes) -> Iterator[str]:
    """What the prover says of openings that do not satisfy the statement."""

    def specified() -> None:
        check_rows(statement, row_values(statement, openings))

    theirs = core_openings(statement.n, openings)
    found = outcome(lambda: core.prove(core_statement(statement), theirs, context))
    yield from differing("prover", outcome(specified), found if isinstance(found, Refusal) else None)


def unexpected(case: Case, verdict: Refusal | None) -> Iterator[str]:
    """A verdict that is not the case's."""
    if case.valid != (verdict is None):
        yield f"verdict: {verdict or 'accepted'}, though the case says valid: {case.valid}"
    if verdict and case.code and (case.code, case.step) != (verdict.code, verdict.step):
        yield f"verdict: {verdict}, though the case says {case.code} at step {case.step}"


def differing(what: str, specified: object, found: object) -> Iterator[str]:
    """One line where two outcomes are not equal."""
    if specified != found:
        yield f"{what}: {_short(specified)} by the specification, {_short(found)} by the core"


def _short(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) < 200 else f"{text[:200]}…"
