import sys
import threading
from collections.abc import Callable

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marginproof import core
from marginproof.core import Claim, CoreError, Opening, Row, Statement
from marginproof.model.reasons import ReasonCode

BLINDING = (7).to_bytes(32, "big")
R = core.FIELD_MODULUS


def statement(*rows: Row, vectors: int = 1, inputs: int = 1) -> Statement:
    return Statement(256, vectors, inputs, rows)


def refusal(action: Callable[..., object], *arguments: object) -> CoreError:
    with pytest.raises(CoreError) as refused:
        action(*arguments)
    return refused.value


def test_every_code_is_a_reason_code() -> None:
    assert len(set(core.ERROR_CODES)) == len(core.ERROR_CODES)
    assert set(core.ERROR_CODES) <= {member.value for member in ReasonCode}
    of_the_core = list(ReasonCode)[: list(ReasonCode).index(ReasonCode.PRICING_DOMAIN) + 1]
    assert {member.value for member in of_the_core} == set(core.ERROR_CODES)


def test_constants() -> None:
    assert R == 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    assert core.SETUP_DIGEST.hex().startswith("bfe6bde32861347b")
    assert core.__version__ == "0.1.0"


def test_errors_carry_code_message_step_and_row() -> None:
    error = CoreError("PROOF_INVALID", "no", 8)
    assert (error.code, error.message, error.step, error.row) == ("PROOF_INVALID", "no", 8, None)
    assert str(error) == "PROOF_INVALID (verifier step 8): no"
    assert str(CoreError("KEY_INVALID", "no")) == "KEY_INVALID: no"


def test_rows_show_what_they_were_given() -> None:
    row = Row(64, -(2**189), [{5: -(2**64) + 1, 0: 3}, {}])
    assert (row.bits, row.constant, row.weights) == (64, -(2**189), ({0: 3, 5: -(2**64) + 1}, {}))
    assert row == Row(64, -(2**189), [{0: 3, 5: -(2**64) + 1}, {}])
    assert row != Row(64, -(2**189), [{0: 3}, {}])
    assert repr(row) == "Row(bits=64, vectors=2, weights=2)"


def test_statement_properties() -> None:
    made = Statement(512, 3, 2, [Row(128, 0, [{0: 1}, {}, {1: 1}])] * 33)
    assert (made.n, made.vectors, made.inputs, made.row_count, made.columns) == (512, 3, 2, 33, 2)
    assert made.proof_length == 48 * (1 + 4 + 6) + 32 * 3
    assert repr(made) == "Statement(n=512, vectors=3, inputs=2, rows=33)"
    assert statement(Row(96, 0, [{0: 1}])).proof_length == 448


def test_the_order_of_a_mapping_does_not_matter() -> None:
    one, two = Row(8, 0, [{3: 1, 1: 2}]), Row(8, 0, [{1: 2, 3: 1}])
    assert statement(one).digest == statement(two).digest


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Statement(255, 1, 1, [Row(8, 0, [{0: 1}])]), "STATEMENT_SHAPE"),
        (lambda: Statement(-1, 1, 1, [Row(8, 0, [{0: 1}])]), "STATEMENT_SHAPE"),
        (lambda: Statement(256, 2**70, 1, [Row(8, 0, [{0: 1}])]), "STATEMENT_SHAPE"),
        (lambda: Statement(256, 1, 1, []), "STATEMENT_SHAPE"),
        (lambda: Row(-8, 0, [{0: 1}]), "STATEMENT_SHAPE"),
        (lambda: statement(Row(9, 0, [{0: 1}])), "STATEMENT_SHAPE"),
        (lambda: Row(8, 0, [{-1: 1}]), "STATEMENT_SHAPE"),
        (lambda: statement(Row(8, 0, [{256: 1}])), "STATEMENT_SHAPE"),
        (lambda: statement(Row(8, 0, [{0: 0}])), "STATEMENT_NOT_CANONICAL"),
        (lambda: statement(Row(8, 0, [{0: 2**64}])), "STATEMENT_WEIGHT_RANGE"),
        (lambda: Row(8, 0, [{0: 2**5000}]), "STATEMENT_WEIGHT_RANGE"),
        (lambda: statement(Row(8, -(2**190), [{0: 1}])), "STATEMENT_CONSTANT_RANGE"),
        (lambda: Row(8, 2**5000, [{0: 1}]), "STATEMENT_CONSTANT_RANGE"),
        (lambda: statement(Row(8, -1, [{}, {0: 2}]), vectors=2), "STATEMENT_UNBOUND_AUXILIARY"),
        (
            lambda: statement(Row(128, 2**189, [{}, {0: 1}]), Row(8, 0, [{}, {0: 2**64 - 1}]), vectors=2),
            "STATEMENT_WRAP",
        ),
    ],
)
def test_statements_that_are_not_well_formed(make: Callable[[], object], code: str) -> None:
    assert refusal(make).code == code


def test_a_statement_names_step_and_row() -> None:
    error = refusal(lambda: statement(Row(8, 0, [{0: 1}]), Row(8, 0, [{0: 0}])))
    assert (error.step, error.row) == (1, 1)


@pytest.mark.parametrize("value", ["1", 1.0, None])
def test_other_types_are_type_errors(value: object) -> None:
    with pytest.raises(TypeError):
        Row(8, value, [{0: 1}])  # type: ignore[arg-type] # what an untyped caller may send
    with pytest.raises(TypeError):
        Opening(256, {0: value}, BLINDING)  # type: ignore[dict-item] # what an untyped caller may send


def test_the_prover_names_the_false_row_and_no_value() -> None:
    made = statement(Row(8, 0, [{0: 1}]), Row(8, 0, [{1: 1}]))
    secret = Opening(256, {0: 1, 1: 987654321}, BLINDING)
    error = refusal(core.prove, made, [secret], b"")
    assert (error.code, error.row, error.step) == ("ROW_NOT_SATISFIED", 1, None)
    assert "987654321" not in str(error)
    assert made.row_values([secret]) == [1, 987654321]


def test_row_values_are_plain_integers_of_any_sign_and_size() -> None:
    made = statement(Row(8, -5, [{0: -(2**64) + 1}, {1: 1}]), vectors=2)
    values = [Opening(256, {0: 2**62}, BLINDING), Opening(256, {1: -(2**252)}, BLINDING)]
    assert made.row_values(values) == [-5 - (2**64 - 1) * 2**62 - 2**252]


def test_openings_are_counted() -> None:
    made = statement(Row(8, 0, [{0: 1}]))
    for openings in ([], [Opening(512, {}, BLINDING)], [Opening(256, {}, BLINDING)] * 2):
        assert refusal(core.prove, made, openings, b"").code == "OPENING_COUNT"
        assert refusal(made.row_values, openings).code == "OPENING_COUNT"


def test_ranges_of_entries() -> None:
    made = statement(Row(128, 2**70, [{0: 1}]))
    for value in (2**63, -(2**63)):
        assert refusal(core.commit, 256, {0: value}, BLINDING).code == "ENTRY_RANGE"
        opening = Opening(256, {0: value}, BLINDING)
        assert refusal(core.prove, made, [opening], b"").code == "ENTRY_RANGE"
    core.commit(256, {0: 2**63 - 1}, BLINDING)
    Opening(256, {0: 2**253 - 1}, BLINDING).commitment()
    for values in ({0: 2**253}, {0: -(2**5000)}, {256: 1}, {-1: 1}, {2**70: 1}):
        assert refusal(Opening, 256, values, BLINDING).code == "ENTRY_RANGE"


def test_blindings_are_checked() -> None:
    for length in (0, 31, 33):
        assert refusal(Opening, 256, {}, b"\x01" * length).code == "INPUT_LENGTH"
        assert refusal(core.add_blindings, [b"\x01" * length]).code == "INPUT_LENGTH"
    assert refusal(Opening, 256, {}, R.to_bytes(32, "big")).code == "SCALAR_RANGE"
    assert refusal(core.add_blindings, [R.to_bytes(32, "big")]).code == "SCALAR_RANGE"
    assert refusal(core.add_blindings, []).code == "INPUT_LENGTH"
    assert refusal(core.reduce_blinding, b"\x01" * 63).code == "INPUT_LENGTH"
    assert refusal(core.commit, 256, {}, bytes(32)).code == "POINT_AT_INFINITY"


def test_random_blindings_differ_and_are_reduced() -> None:
    drawn = {core.random_blinding({0: 1}) for _ in range(20)}
    assert len(drawn) == 20
    assert all(int.from_bytes(blinding, "big") < R for blinding in drawn)
    for bad in ({-1: 1}, {0: 2**5000}):
        assert refusal(core.random_blinding, bad).code == "ENTRY_RANGE"


def test_randomness_is_no_argument() -> None:
    """Neither a seed nor a generator can be handed in; that the core is built without one: tests/packaging."""
    made, opening = statement(Row(8, 0, [{0: 1}])), Opening(256, {0: 1}, BLINDING)
    one, other = core.prove(made, [opening], b""), core.prove(made, [opening], b"")
    assert one != other
    untyped: Callable[..., object] = core.prove
    for extra in ({"rng": bytes(32)}, {"seed": bytes(32)}):
        with pytest.raises(TypeError):
            untyped(made, [opening], b"", **extra)
    with pytest.raises(TypeError):
        untyped(made, [opening], b"", bytes(32))
    assert not [name for name in dir(core) if "seed" in name.lower()]


def test_commitments_are_decoded_strictly() -> None:
    good = core.commit(256, {0: 1}, BLINDING)
    infinity = bytes([0xC0]) + bytes(47)
    outside = bytes([0x80]) + bytes(46) + b"\x04"
    for bad, code in (
        (b"", "POINT_ENCODING"),
        (good[:-1], "POINT_ENCODING"),
        (good + b"\x00", "POINT_ENCODING"),
        (bytes(48), "POINT_ENCODING"),
        (infinity, "POINT_AT_INFINITY"),
        (outside, "POINT_NOT_IN_SUBGROUP"),
    ):
        assert refusal(core.add_commitments, [good, bad]).code == code
        made = statement(Row(8, 0, [{0: 1}]))
        error = refusal(core.verify, made, [bad], b"", bytes(448))
        assert (error.code, error.step) == (code, 2)
    assert refusal(core.add_commitments, []).code == "COMMITMENT_COUNT"
    opposite = bytes([good[0] ^ 0x20]) + good[1:]
    assert refusal(core.add_commitments, [good, opposite]).code == "POINT_AT_INFINITY"


def test_a_proof_is_bound_to_statement_commitment_and_context() -> None:
    made, other = statement(Row(8, 0, [{0: 1}])), statement(Row(8, 1, [{0: 1}]))
    opening = Opening(256, {0: 200}, BLINDING)
    commitment, proof = opening.commitment(), core.prove(made, [opening], b"venue-a")
    core.verify(made, [commitment], b"venue-a", proof)
    stranger = core.commit(256, {0: 200}, core.random_blinding({0: 200}))
    for arguments in (
        (other, [commitment], b"venue-a", proof),
        (made, [stranger], b"venue-a", proof),
        (made, [commitment], b"venue-b", proof),
    ):
        error = refusal(core.verify, *arguments)
        assert (error.code, error.step) == ("PROOF_INVALID", 8)
    error = refusal(core.verify, made, [commitment, commitment], b"venue-a", proof)
    assert (error.code, error.step) == ("COMMITMENT_COUNT", 2)


def test_a_batch_names_every_bad_claim_with_its_reason() -> None:
    small, large = statement(Row(8, 0, [{0: 1}])), Statement(512, 1, 1, [Row(16, 0, [{400: 1}])])
    first, second = Opening(256, {0: 200}, BLINDING), Opening(512, {400: 60_000}, BLINDING)
    good = [
        Claim(small, [first.commitment()], b"a", core.prove(small, [first], b"a")),
        Claim(large, [second.commitment()], b"b", core.prove(large, [second], b"b")),
    ]
    assert core.verify_batch([]) == {}
    assert core.verify_batch(good) == {}
    proof = core.prove(small, [first], b"a")
    bad = [
        Claim(small, [first.commitment()], b"other", proof),
        Claim(small, [], b"a", proof),
        Claim(small, [first.commitment()], b"a", proof[:-1]),
    ]
    refused = core.verify_batch([good[0], bad[0], good[1], bad[1], bad[2]])
    assert {position: (error.code, error.step) for position, error in refused.items()} == {
        1: ("PROOF_INVALID", 8),
        3: ("COMMITMENT_COUNT", 2),
        4: ("PROOF_LENGTH", 3),
    }
    assert all(isinstance(error, CoreError) for error in refused.values())
    error = refusal(Claim, small, [b"short"], b"a", proof)
    assert (error.code, error.step) == ("POINT_ENCODING", 2)
    assert repr(good[0]) == "Claim(commitments=1, proof_length=448)"


def test_secrets_are_not_shown() -> None:
    opening = Opening(256, {3: 123456789}, BLINDING)
    assert repr(opening) == str(opening) == "Opening(n=256, …)"
    assert opening.n == 256
    assert not hasattr(opening, "__dict__")


integers = st.integers(min_value=-(2**62), max_value=2**62)
vectors = st.dictionaries(st.integers(0, 255), integers, max_size=8)
scalars = st.integers(1, R - 1)


@settings(max_examples=20, deadline=None)
@given(vectors, vectors, scalars, scalars)
def test_commitments_and_blindings_add(a: dict[int, int], b: dict[int, int], first: int, second: int) -> None:
    blindings = [first.to_bytes(32, "big"), second.to_bytes(32, "big")]
    total = core.add_blindings(blindings)
    assert int.from_bytes(total, "big") == (first + second) % R
    if (first + second) % R == 0:
        return
    sums = {index: a.get(index, 0) + b.get(index, 0) for index in a.keys() | b.keys()}
    parts = [core.commit(256, a, blindings[0]), core.commit(256, b, blindings[1])]
    assert core.add_commitments(parts) == Opening(256, sums, total).commitment()


@given(st.binary(min_size=64, max_size=64))
def test_wide_blindings_are_reduced(wide: bytes) -> None:
    assert int.from_bytes(core.reduce_blinding(wide), "big") == int.from_bytes(wide, "big") % R


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=3), st.binary(max_size=40), st.binary(max_size=500))
def test_any_bytes_give_a_verdict(commitments: list[bytes], context: bytes, proof: bytes) -> None:
    made = statement(Row(8, 0, [{0: 1}]))
    assert refusal(core.verify, made, commitments, context, proof).code in core.ERROR_CODES
    assert refusal(core.add_commitments, [*commitments, b"\x00"]).code in core.ERROR_CODES


@settings(max_examples=50, deadline=None)
@given(
    st.integers(),
    st.integers(),
    st.integers(),
    st.lists(
        st.tuples(st.integers(), st.integers(), st.lists(st.dictionaries(st.integers(), st.integers(), max_size=3))),
        max_size=3,
    ),
)
def test_any_integers_give_a_statement_or_a_code(
    n: int, vectors: int, inputs: int, rows: list[tuple[int, int, list[dict[int, int]]]]
) -> None:
    try:
        Statement(n, vectors, inputs, [Row(*row) for row in rows])
    except CoreError as error:
        assert error.code in core.ERROR_CODES


def test_other_threads_run_while_a_proof_is_made() -> None:
    made = statement(*[Row(128, 2**100, [dict.fromkeys(range(256), 1)])] * 256)
    opening = Opening(256, {0: 1}, BLINDING)
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    before = ticks[0]
    core.prove(made, [opening], b"")
    after = ticks[0]
    done.set()
    ticker.join()
    assert after > before


def test_thousands_of_claims_share_one_statement() -> None:
    terms = 32 * 256
    made = statement(*[Row(128, 2**100, [dict.fromkeys(range(256), 1)])] * (terms // 256))
    opening = Opening(256, {0: 1}, BLINDING)
    commitment, proof = opening.commitment(), core.prove(made, [opening], b"")
    process = psutil.Process()
    references, resident = sys.getrefcount(made), process.memory_info().rss
    claims = [Claim(made, [commitment], b"", proof) for _ in range(4000)]
    assert all(claim.statement is made for claim in claims[::1000])
    assert sys.getrefcount(made) == references + len(claims)
    # A weight takes at least an index and a number: ten bytes.
    assert process.memory_info().rss - resident < len(claims) * terms * 10 // 20
    assert core.verify_batch(claims[:100]) == {}
    del claims
    assert sys.getrefcount(made) == references


def test_a_claim_takes_bytes_of_any_kind() -> None:
    made = statement(Row(8, 0, [{0: 1}]))
    opening = Opening(256, {0: 1}, BLINDING)
    commitment, proof = opening.commitment(), core.prove(made, [opening], b"context")
    context = bytearray(b"context")
    claim = Claim(made, [commitment], context, bytearray(proof))  # type: ignore[arg-type] # what an untyped caller may send
    context[:] = b"changed"
    assert core.verify_batch([claim]) == {}
