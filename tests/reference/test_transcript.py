"""Fiat–Shamir: every message changes every challenge drawn after it, and none before."""

import dataclasses
import hashlib
from collections.abc import Callable

import pytest

from marginproof.reference import ArgumentError, challenges
from marginproof.reference.field import MODULUS
from marginproof.reference.proof import Proof, split
from marginproof.reference.transcript import PROTOCOL_LABEL, Transcript
from tests.reference.known_answers import Case

ROUNDS = ["beta", "gamma", "alpha", "y", "z", "v", "u"]
Change = Callable[[Proof], Proof]


def flip(data: bytes) -> bytes:
    return bytes([*data[:-1], data[-1] ^ 1])


def changed(**fields: Callable[..., object]) -> Change:
    """Replaces fields by a function of themselves."""

    def apply(proof: Proof) -> Proof:
        return dataclasses.replace(proof, **{name: f(getattr(proof, name)) for name, f in fields.items()})  # type: ignore[arg-type] # fields of several types

    return apply


def flip_each(items: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(flip(item) for item in items)


def bump_last(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return (*numbers[:-1], numbers[-1] ^ 1)


MESSAGES: dict[str, tuple[Change, str]] = {
    "auxiliary": (changed(auxiliary=flip_each), "beta"),
    "d": (changed(digits=flip_each), "beta"),
    "m": (changed(multiplicities=flip), "beta"),
    "phi": (changed(inverses=flip_each), "y"),
    "phi_t": (changed(table_inverse=flip), "y"),
    "acc": (changed(accumulator=flip), "y"),
    "q": (changed(quotient=flip), "z"),
    "d(z)": (changed(digit_evaluations=bump_last), "v"),
    "acc(wz)": (changed(accumulator_evaluation=lambda number: number ^ 1), "v"),
    "W_z": (changed(opening_at_z=flip), "u"),
    "W_wz": (changed(opening_at_next=flip), "u"),
}


def drawn(case: Case, proof: bytes | None = None, **replaced: object) -> dict[str, int]:
    case = dataclasses.replace(case, **replaced)  # type: ignore[arg-type] # fields of several types
    result = challenges(case.statement, case.inputs, case.context, proof or case.proof)
    return dataclasses.asdict(result)


@pytest.mark.parametrize("message", list(MESSAGES))
def test_every_prover_message_changes_all_later_challenges(with_auxiliary: Case, message: str) -> None:
    change, first = MESSAGES[message]
    proof = change(split(with_auxiliary.statement, with_auxiliary.proof)).encode()
    before, after = drawn(with_auxiliary), drawn(with_auxiliary, proof)
    position = ROUNDS.index(first)
    assert [name for name in ROUNDS if before[name] != after[name]] == ROUNDS[position:]


def test_context_inputs_and_statement_change_every_challenge(with_auxiliary: Case) -> None:
    first, *others = with_auxiliary.statement.rows
    other_row = dataclasses.replace(first, constant=first.constant + 1)
    statement = dataclasses.replace(with_auxiliary.statement, rows=(other_row, *others))
    before = drawn(with_auxiliary)
    for after in (
        drawn(with_auxiliary, context=with_auxiliary.context + b"\x00"),
        drawn(with_auxiliary, inputs=[flip(with_auxiliary.inputs[0])]),
        drawn(with_auxiliary, statement=statement),
    ):
        assert all(before[name] != after[name] for name in ROUNDS)


def test_challenges_of_a_wrong_length_or_count_are_refused(with_auxiliary: Case) -> None:
    with pytest.raises(ArgumentError) as caught:
        drawn(with_auxiliary, with_auxiliary.proof + b"\x00")
    assert caught.value.step == 3
    with pytest.raises(ArgumentError) as caught:
        drawn(with_auxiliary, inputs=[])
    assert caught.value.step == 2


def test_absorbing_is_framed_by_label_and_length() -> None:
    def state(*messages: tuple[bytes, bytes]) -> bytes:
        transcript = Transcript()
        for label, data in messages:
            transcript.absorb(label, data)
        return transcript.state

    assert state((b"d", b"ab")) != state((b"d", b"a"), (b"d", b"b"))
    assert state((b"da", b"b")) != state((b"d", b"ab"))
    assert state((b"d", b"")) != state()


def test_the_chain_as_the_document_writes_it() -> None:
    transcript = Transcript()
    transcript.absorb(b"m", b"xyz")
    start = hashlib.sha256(PROTOCOL_LABEL).digest()
    state = hashlib.sha256(start + b"\x01m" + bytes(7) + b"\x03xyz").digest()
    assert transcript.state == state
    state = hashlib.sha256(state + b"\x09challenge" + bytes(7) + b"\x04beta").digest()
    wide = hashlib.sha256(state + b"\x00").digest() + hashlib.sha256(state + b"\x01").digest()
    assert transcript.challenge(b"beta") == int.from_bytes(wide, "big") % MODULUS
