"""Every kind of bad input through the Python face: a code, the verifier's step or the row, and what was expected."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from marginproof import core
from marginproof.core import Claim, CoreError, Opening, Row, Statement

R = core.FIELD_MODULUS
BLINDING = (7).to_bytes(32, "big")
CONTEXT = b"venue-a|epoch-1"
MADE = Statement(256, 1, 1, [Row(8, 0, [{0: 1}]), Row(8, 0, [{1: 1}])])
OPENING = Opening(256, {0: 200, 1: 3}, BLINDING)
COMMITMENT = OPENING.commitment()
PROOF = core.prove(MADE, [OPENING], CONTEXT)

INFINITY = b"\xc0" + bytes(47)
OUTSIDE_SUBGROUP = b"\x80" + bytes(46) + b"\x04"
OFF_CURVE = b"\x80" + bytes(46) + b"\x01"
ENCODING = "not the compressed encoding of a point"
D_AT_Z = 48 * 6
"""Where d(z) stands, after d, m, φ, φ_T, acc and q."""


def refusal(action: Callable[[], object]) -> CoreError:
    with pytest.raises(CoreError) as refused:
        action()
    return refused.value


def with_bytes(at: int, replacement: bytes) -> bytes:
    return PROOF[:at] + replacement + PROOF[at + len(replacement) :]


def of_batch(commitments: list[bytes], proof: bytes) -> CoreError:
    """The refusal of the same in a batch, beside a good claim."""
    good = Claim(MADE, [COMMITMENT], CONTEXT, PROOF)
    refused = core.verify_batch([good, Claim(MADE, commitments, CONTEXT, proof)])
    assert list(refused) == [1]
    return refused[1]


PROOFS: dict[str, tuple[bytes, str, int, str]] = {
    "empty": (b"", "PROOF_LENGTH", 3, "got 0 bytes; a proof of this statement has 448"),
    "too short": (PROOF[:-1], "PROOF_LENGTH", 3, "got 447 bytes; a proof of this statement has 448"),
    "too long": (PROOF + b"\x00", "PROOF_LENGTH", 3, "got 449 bytes; a proof of this statement has 448"),
    "not canonical": (with_bytes(0, b"\xff" * 48), "POINT_ENCODING", 4, ENCODING),
    "not compressed": (with_bytes(0, bytes(48)), "POINT_ENCODING", 4, ENCODING),
    "off the curve": (with_bytes(48, OFF_CURVE), "POINT_ENCODING", 4, ENCODING),
    "outside the subgroup": (with_bytes(96, OUTSIDE_SUBGROUP), "POINT_NOT_IN_SUBGROUP", 4, "use points of G1"),
    "infinity": (with_bytes(144, INFINITY), "POINT_AT_INFINITY", 4, "a point is infinity"),
    "scalar of r": (with_bytes(D_AT_Z, R.to_bytes(32, "big")), "SCALAR_RANGE", 5, "not below the order r"),
    "another scalar": (with_bytes(D_AT_Z, bytes(32)), "PROOF_INVALID", 8, "does not show this statement"),
}


@pytest.mark.parametrize("name", list(PROOFS))
def test_a_bad_proof_alone_and_in_a_batch(name: str) -> None:
    proof, code, step, expected = PROOFS[name]
    for error in (refusal(lambda: core.verify(MADE, [COMMITMENT], CONTEXT, proof)), of_batch([COMMITMENT], proof)):
        assert (error.code, error.step, error.row) == (code, step, None)
        assert expected in error.message


COMMITMENTS: dict[str, tuple[list[bytes], str, str]] = {
    "none": ([], "COMMITMENT_COUNT", "got 0 commitments; send one for each of the 1 inputs"),
    "two": ([COMMITMENT] * 2, "COMMITMENT_COUNT", "got 2 commitments; send one for each of the 1 inputs"),
    "two, too short": ([b"\x80"] * 2, "COMMITMENT_COUNT", "got 2 commitments"),
    "too short": ([COMMITMENT[:-1]], "POINT_ENCODING", "exactly 48 bytes"),
    "too long": ([COMMITMENT + b"\x00"], "POINT_ENCODING", "exactly 48 bytes"),
    "not canonical": ([b"\xff" * 48], "POINT_ENCODING", ENCODING),
    "off the curve": ([OFF_CURVE], "POINT_ENCODING", ENCODING),
    "outside the subgroup": ([OUTSIDE_SUBGROUP], "POINT_NOT_IN_SUBGROUP", "use points of G1"),
    "infinity": ([INFINITY], "POINT_AT_INFINITY", "a point is infinity"),
}


@pytest.mark.parametrize("name", list(COMMITMENTS))
def test_bad_commitments(name: str) -> None:
    commitments, code, expected = COMMITMENTS[name]
    error = refusal(lambda: core.verify(MADE, commitments, CONTEXT, PROOF))
    assert (error.code, error.step, error.row) == (code, 2, None)
    assert expected in error.message


def one(bits: int, *weights: dict[int, int], constant: int = 0) -> list[Row]:
    return [Row(bits, constant, list(weights))]


STATEMENTS: dict[str, tuple[Callable[[], object], str, int | None, str]] = {
    "n": (lambda: Statement(300, 1, 1, one(8, {0: 1})), "STATEMENT_SHAPE", None, "n must be 256, 512, 1024 or 2048"),
    "no rows": (lambda: Statement(256, 1, 1, []), "STATEMENT_SHAPE", None, "at least one row"),
    "bits": (lambda: Statement(256, 1, 1, one(12, {0: 1})), "STATEMENT_SHAPE", 0, "a multiple of 8 from 8 to 128"),
    "index": (lambda: Statement(256, 1, 1, one(8, {256: 1})), "STATEMENT_SHAPE", 0, "every index must be below n"),
    "zero": (lambda: Statement(256, 1, 1, one(8, {0: 0})), "STATEMENT_NOT_CANONICAL", 0, "leave weights of zero out"),
    "weight": (lambda: Statement(256, 1, 1, one(8, {0: 2**64})), "STATEMENT_WEIGHT_RANGE", 0, "2^64; use a coarser"),
    "constant": (
        lambda: Statement(256, 1, 1, one(8, {0: 1}, constant=-(2**190))),
        "STATEMENT_CONSTANT_RANGE",
        0,
        "2^190; use a coarser",
    ),
    "unbound": (
        lambda: Statement(256, 2, 1, one(8, {}, {7: 2})),
        "STATEMENT_UNBOUND_AUXILIARY",
        0,
        "no row binds entry 7 of auxiliary vector 1",
    ),
    "wrap": (
        lambda: Statement(256, 2, 1, [*one(128, {}, {0: 1}, constant=2**189), *one(8, {}, {0: 2**64 - 1})]),
        "STATEMENT_WRAP",
        1,
        "could reach 2^253 and wrap around",
    ),
}


@pytest.mark.parametrize("name", list(STATEMENTS))
def test_bad_statements(name: str) -> None:
    make, code, row, expected = STATEMENTS[name]
    error = refusal(make)
    assert (error.code, error.step, error.row) == (code, 1, row)
    assert expected in error.message


OPENINGS: dict[str, tuple[Callable[[], object], str, str]] = {
    "n": (lambda: Opening(300, {}, BLINDING), "STATEMENT_SHAPE", "n must be 256, 512, 1024 or 2048"),
    "index": (lambda: Opening(256, {256: 1}, BLINDING), "ENTRY_RANGE", "an index is not below n"),
    "too large": (lambda: Opening(256, {0: 2**253}, BLINDING), "ENTRY_RANGE", "reaches 2^253"),
    "far too large": (lambda: Opening(256, {0: -(2**5000)}, BLINDING), "ENTRY_RANGE", "reaches 2^253"),
    "blinding": (lambda: Opening(256, {}, R.to_bytes(32, "big")), "SCALAR_RANGE", "not below the order r"),
    "blinding's length": (lambda: Opening(256, {}, b"\x07"), "INPUT_LENGTH", "has 1 bytes; give exactly 32"),
    "input range": (lambda: core.commit(256, {0: 2**63}, BLINDING), "ENTRY_RANGE", "reaches 2^63; use a coarser lot"),
    "count": (lambda: core.prove(MADE, [], CONTEXT), "OPENING_COUNT", "give 1 openings of length 256"),
    "length": (
        lambda: core.prove(MADE, [Opening(512, {}, BLINDING)], CONTEXT),
        "OPENING_COUNT",
        "give 1 openings of length 256",
    ),
}


@pytest.mark.parametrize("name", list(OPENINGS))
def test_bad_openings(name: str) -> None:
    make, code, expected = OPENINGS[name]
    error = refusal(make)
    assert (error.code, error.step, error.row) == (code, None, None)
    assert expected in error.message


def test_a_false_witness_names_its_first_row_to_the_prover_only() -> None:
    false = Opening(256, {0: 256_777, 1: -888_777}, BLINDING)
    error = refusal(lambda: core.prove(MADE, [false], CONTEXT))
    assert (error.code, error.step, error.row) == ("ROW_NOT_SATISFIED", None, 0)
    assert "not in [0, 2^8)" in error.message
    assert "777" not in str(error)
    assert refusal(lambda: core.verify(MADE, [false.commitment()], CONTEXT, PROOF)).row is None


@pytest.mark.parametrize("length", [0, 1, 64, 1 << 20])
def test_a_context_may_have_any_length(length: int) -> None:
    context = b"\x5a" * length
    core.verify(MADE, [COMMITMENT], context, core.prove(MADE, [OPENING], context))


class Boasting(Mapping[int, int]):
    """One entry, and a length that no memory has room for."""

    def __len__(self) -> int:
        return 2**62

    def __iter__(self) -> Iterator[int]:
        return iter([0])

    def __getitem__(self, key: int) -> int:
        return 5

    def items(self) -> list[tuple[int, int]]:  # type: ignore[override]
        return [(0, 5)]


def test_room_is_made_for_what_a_mapping_holds_not_for_what_it_says() -> None:
    assert Row(8, 0, [Boasting()]) == Row(8, 0, [{0: 5}])
    assert Opening(256, Boasting(), BLINDING).commitment() == Opening(256, {0: 5}, BLINDING).commitment()
