"""The TypeScript verifier answers as the Rust crate does: digest, challenges, verdict, code and step."""

import itertools
import json
import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from marginproof import core
from tests.core.known_answers import VECTORS

Claim = dict[str, Any]
Answers = Callable[[Sequence[Claim]], list[dict[str, Any]]]
VALID: list[Claim] = [case for case in json.loads(VECTORS.read_text())["cases"] if case["valid"]]
BITS = range(8, 129, 8)


@pytest.fixture(scope="module")
def answers(node: str, built: Path) -> Answers:
    """What the TypeScript verifier answers to claims."""

    def ask(claims: Sequence[Claim]) -> list[dict[str, Any]]:
        lines = "".join(json.dumps(claim) + "\n" for claim in claims)
        command = [node, str(built / "answers.js")]
        run = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=240, check=False)
        assert run.returncode == 0, run.stderr
        return [json.loads(line) for line in run.stdout.splitlines()]

    return ask


def rust_answer(claim: Claim) -> dict[str, Any]:
    """What the crate answers, in the same form."""
    answer: dict[str, Any] = {"code": None, "step": None}
    try:
        rows = [core.Row(row["bits"], integer(row["constant"]), weights(row)) for row in claim["rows"]]
        statement = core.Statement(claim["n"], claim["vectors"], claim["inputs"], rows)
        answer["digest"] = statement.digest.hex()
        inputs = [bytes.fromhex(text) for text in claim["commitments"]][: claim["inputs"]]
        context, proof = bytes.fromhex(claim["context"]), bytes.fromhex(claim["proof"])
        if (len(inputs), len(proof)) == (statement.inputs, statement.proof_length):
            drawn = core.challenges(statement, inputs, context, proof)
            answer["challenges"] = {label: str(value) for label, value in drawn.items()}
        core.verify(statement, inputs, context, proof)
    except core.CoreError as error:
        answer |= {"code": error.code, "step": error.step}
    return answer


def integer(text: str) -> int:
    return int(text, 16)


def weights(row: dict[str, Any]) -> list[dict[int, int]]:
    return [{int(index): integer(weight) for index, weight in terms.items()} for terms in row["weights"]]


def assert_agreement(answers: Answers, claims: Sequence[Claim]) -> list[str | None]:
    expected = [rust_answer(claim) for claim in claims]
    assert answers(claims) == expected
    return [answer["code"] for answer in expected]


def flipped(claim: Claim, key: str, position: int, bit: int) -> Claim:
    data = bytearray.fromhex(claim[key])
    data[position] ^= 1 << bit
    return claim | {key: data.hex()}


def test_every_byte_of_a_proof_is_bound(answers: Answers) -> None:
    chosen = random.Random(1)
    case = next(case for case in VALID if case["name"] == "one vector, one column")
    claims = [flipped(case, "proof", position, chosen.randrange(8)) for position in range(len(case["proof"]) // 2)]
    codes = assert_agreement(answers, claims)
    assert len(codes) == 448
    assert set(codes) == {"POINT_ENCODING", "POINT_NOT_IN_SUBGROUP", "SCALAR_RANGE", "PROOF_INVALID"}


def test_sampled_changes_of_every_kind_of_proof(answers: Answers) -> None:
    chosen = random.Random(2)
    claims = []
    for case in VALID:
        length = len(case["proof"]) // 2
        claims += [flipped(case, "proof", chosen.randrange(length), chosen.randrange(8)) for _ in range(6)]
        swapped = flipped({"c": case["commitments"][0]}, "c", chosen.randrange(48), chosen.randrange(8))["c"]
        claims.append(case | {"commitments": [swapped, *case["commitments"][1:]]})
        claims.append(case | {"commitments": case["commitments"][: case["inputs"] - 1]})
        claims.append(case | {"commitments": list(reversed(case["commitments"]))})
        claims.append(case | {"context": case["context"] + "00"})
        claims.append(case | {"proof": case["proof"][:-2]})
        claims.append(case | {"rows": [case["rows"][0] | {"constant": "0x1"}, *case["rows"][1:]]})
    assert None not in assert_agreement(answers, [claim for claim in claims if claim not in VALID])


def true_claim(chosen: random.Random, n: int, row_count: int) -> Claim:
    """A true statement of mixed shape with its proof: one to three inputs, rows of any width, auxiliary or none."""
    inputs, auxiliary = chosen.randint(1, 3), chosen.randint(0, 1)
    vectors = [{chosen.randrange(n): chosen.randint(-(2**40), 2**40) for _ in range(5)} for _ in range(inputs)]
    slack = {index: chosen.randint(-(2**40), 2**40) for index in range(2)}
    vectors += [slack] * auxiliary
    rows = [
        fitting_row(chosen, 64, [{} for _ in range(inputs)] + [{index: chosen.choice((-1, 1))}], vectors)
        for index in slack
        if auxiliary
    ]
    while len(rows) < row_count:
        terms = [{index: chosen.randint(1, 2**20) * chosen.choice((-1, 1)) for index in vector} for vector in vectors]
        rows.append(fitting_row(chosen, chosen.choice(BITS), terms, vectors))
    openings = [core.Opening(n, vector, core.random_blinding(vector)) for vector in vectors]
    statement = core.Statement(n, len(vectors), inputs, rows)
    context = chosen.randbytes(chosen.randrange(40))
    return {
        "n": n,
        "vectors": len(vectors),
        "inputs": inputs,
        "rows": [
            {
                "bits": row.bits,
                "constant": hex(row.constant),
                "weights": [{str(index): hex(weight) for index, weight in terms.items()} for terms in row.weights],
            }
            for row in rows
        ],
        "context": context.hex(),
        "commitments": [opening.commitment().hex() for opening in openings],
        "proof": core.prove(statement, openings, context).hex(),
    }


def fitting_row(
    chosen: random.Random, bits: int, terms: list[dict[int, int]], vectors: list[dict[int, int]]
) -> core.Row:
    """A row whose constant makes it true."""
    pairs = zip(terms, vectors, strict=True)
    value = sum(weight * vector.get(index, 0) for weights, vector in pairs for index, weight in weights.items())
    return core.Row(bits, chosen.randrange(2**bits) - value, terms)


def test_random_true_statements_are_accepted(answers: Answers) -> None:
    chosen = random.Random(3)
    sizes = [(256, 1), (256, 7), (256, 40), (256, 80), (512, 60), (512, 5), (1024, 30), (2048, 3)]
    claims = [true_claim(chosen, n, row_count) for n, row_count in sizes for _ in range(2 if n == 256 else 1)]
    assert set(assert_agreement(answers, claims)) == {None}


def random_statement(chosen: random.Random) -> Claim:
    """A statement that is seldom well-formed: each number is now and then at or over its edge."""
    vectors = chosen.choice((0, 1, 2, 2, 3, 3, 257))
    inputs = chosen.choice((0, 1, 1, 1, 1, 2, 4))
    count = chosen.choice((0, 1, 2, 3, 4))
    bits = (8, 64, 64, 96, 128, 128, chosen.choice((0, 12, 136)))
    edge = chosen.choice((1, 1, 1, 0, 2**63, 2**64 - 1, 2**64))
    magnitudes = (1, 1, 1, 1, 1, 2, edge)
    constants = (0, 1, -(2**80), chosen.choice((2**190 - 1, -(2**190) + 1, 2**190, -(2**190))))
    last_index = chosen.choice((3, 3, 3, 255, 256))
    rows = [
        {
            "bits": chosen.choice(bits),
            "constant": hex(chosen.choice(constants)),
            "weights": [
                {
                    str(index): hex(chosen.choice(magnitudes) * chosen.choice((-1, 1)))
                    for index in chosen.sample((0, 1, last_index), chosen.choice((0, 0, 1, 1, 2)))
                }
                for _ in range(min(vectors, 3) + chosen.choice((0, 0, 0, 0, 0, 1)))
            ],
        }
        for _ in range(count)
    ]
    n = chosen.choice((256, 256, 256, 512, 1024, 2048, 300))
    return {"n": n, "vectors": vectors, "inputs": inputs, "rows": rows, "context": "", "commitments": [], "proof": ""}


def chained_statement(chosen: random.Random) -> Claim:
    """Auxiliary entries bound one by the other, with weights that reach the limit after a few."""
    links = chosen.randint(1, 6)
    entries = list(range(links + 1))
    if chosen.random() < 0.2:
        chosen.shuffle(entries)
    rows = [{"bits": 8, "constant": "0x0", "weights": [{}, {str(entries[0]): "0x1"}]}]
    for before, after in itertools.pairwise(entries):
        terms = {
            str(before): hex(-(2 ** chosen.choice((1, 40, 60, 63)))),
            str(after): chosen.choice(("0x1", "-0x1", "0x1", "0x2")),
        }
        rows.append({"bits": chosen.choice(BITS), "constant": "0x0", "weights": [{"0": "0x1"}, terms]})
    return {"n": 256, "vectors": 2, "inputs": 1, "rows": rows, "context": "", "commitments": [], "proof": ""}


def test_statements_are_refused_for_the_same_reason(answers: Answers) -> None:
    chosen = random.Random(4)
    claims = [random_statement(chosen) for _ in range(1500)] + [chained_statement(chosen) for _ in range(300)]
    codes = assert_agreement(answers, claims)
    refused = {
        "STATEMENT_SHAPE",
        "STATEMENT_NOT_CANONICAL",
        "STATEMENT_WEIGHT_RANGE",
        "STATEMENT_CONSTANT_RANGE",
        "STATEMENT_UNBOUND_AUXILIARY",
        "STATEMENT_WRAP",
        "COMMITMENT_COUNT",
    }
    assert set(codes) == refused
    assert min(codes.count(code) for code in refused) >= 10
