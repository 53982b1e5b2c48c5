"""Made core/vectors/frozen.json, once: the project's own known answers. They verify for ever; it is not run again.

Blindings are fixed by the case's name; proofs hold fresh randomness, so another run gives other proofs.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marginproof import core

R = core.FIELD_MODULUS
G1_BYTES, SCALAR_BYTES = 48, 32
INFINITY = bytes([0xC0]) + bytes(G1_BYTES - 1)
Weights = dict[int, int]
RowSpec = tuple[int, int, list[Weights]]


def valid(name: str, n: int, inputs: int, rows: list[RowSpec], values: list[Weights]) -> dict[str, Any]:
    """A case that is accepted; vectors beyond ``inputs`` are auxiliary."""
    seed = hashlib.sha512(name.encode()).digest()
    blindings = [hashlib.sha512(seed + bytes([number])).digest() for number in range(len(values))]
    rhos = [int.from_bytes(wide, "big") % R for wide in blindings]
    openings = [core.Opening(n, v, rho.to_bytes(32, "big")) for v, rho in zip(values, rhos, strict=True)]
    statement = core.Statement(n, len(values), inputs, [core.Row(*row) for row in rows])
    context = name.encode()
    commitments = [opening.commitment() for opening in openings[:inputs]]
    proof = core.prove(statement, openings, context)
    return {
        "name": name,
        "n": n,
        "vectors": len(values),
        "inputs": inputs,
        "context": context.hex(),
        "rows": [
            {"bits": bits, "constant": hex(constant), "weights": [_texts(weights) for weights in per_vector]}
            for bits, constant, per_vector in rows
        ],
        "statement_digest": statement.digest.hex(),
        "openings": [{"values": _texts(v), "rho": hex(rho)} for v, rho in zip(values, rhos, strict=True)],
        "commitments": [commitment.hex() for commitment in commitments],
        "challenges": {
            key: hex(value) for key, value in core.challenges(statement, commitments, context, proof).items()
        },
        "proof": proof.hex(),
        "valid": True,
    }


def _texts(weights: Weights) -> dict[str, str]:
    return {str(index): hex(value) for index, value in sorted(weights.items())}


def columns_case(n: int, columns: int) -> dict[str, Any]:
    """As many rows of 128 bits as fill the columns, each on one entry; their values differ."""
    count = columns * n // 16
    rows: list[RowSpec] = [(128, 1 << (number % 100), [{number % n: 1 + number}]) for number in range(count)]
    return valid(f"n = {n}, {columns} columns", n, 1, rows, [{index: index * 977 for index in range(0, n, 3)}])


def boundary_cases() -> Iterator[dict[str, Any]]:
    """A row at 0 and at 2^bits − 1, for every number of bits."""
    for bits in range(8, 136, 8):
        rows: list[RowSpec] = [(bits, 0, [{7: 1}]), (bits, (1 << bits) - 1, [{7: 1}])]
        yield valid(f"bits = {bits}, 0 and 2^{bits} - 1", 256, 1, rows, [{}])


def shape_cases() -> Iterator[dict[str, Any]]:
    """Inputs and auxiliary vectors, and the largest weights, entries and constants."""
    last = (1 << 63) - 1
    yield valid("two inputs of either sign", 256, 2, [(64, 10, [{0: -3}, {1: 5}])], [{0: -last // 4}, {1: -1}])
    absolute: list[RowSpec] = [(64, 0, [{1: 1}, {0: 1}]), (64, 0, [{1: -1}, {0: 1}]), (96, 1 << 70, [{1: 2}, {0: -3}])]
    yield valid("an auxiliary absolute value", 256, 1, absolute, [{1: -12345}, {0: 12345}])
    losses: list[RowSpec] = [
        (64, 0, [{}, {}, {}, {5: -1}]),
        (96, -3, [{}, {}, {2: 7}, {5: -(1 << 32)}]),
        (96, -1, [{0: 9}, {2: 4}, {}, {5: 1 << 32}]),
    ]
    vectors = [{0: 10**12}, {2: -(10**6)}, {2: -(10**10)}, {5: (7 * -(10**10) - 3) // (1 << 32)}]
    yield valid("another venue's loss through an auxiliary entry", 256, 3, losses, vectors)
    high: list[RowSpec] = [(128, 0, [{0: (1 << 64) - 1, 255: -((1 << 64) - 1)}])]
    yield valid("largest weights and entries", 256, 1, high, [{0: last, 255: -last}])
    yield valid("largest constant", 256, 1, [(8, -(1 << 125), [{0: 1 << 63}])], [{0: 1 << 62}])
    yield valid("sixteen inputs", 256, 16, [(64, 0, [{3: 1}] * 16)], [{3: 1 << index} for index in range(16)])
    for n in (256, 512, 1024, 2048):
        rows: list[RowSpec] = [
            (96, 10**20, [{index: (index * 7919) % 1009 - 500 or 1 for index in range(0, n, n // 32)}])
        ]
        yield valid(f"a spread row, n = {n}", n, 1, rows, [{index: index - n // 2 for index in range(n)}])


def changed(case: dict[str, Any], title: str, **changes: Any) -> dict[str, Any]:
    """A copy that must be refused, with the code and step that the verifier gives."""
    kept = {key: case[key] for key in ("n", "vectors", "inputs", "context", "rows", "commitments", "proof")}
    bad = {"name": f"{case['name']}: {title}", **kept, **changes, "valid": False}
    rows = [
        core.Row(
            row["bits"], int(row["constant"], 16), [{int(k): int(v, 16) for k, v in w.items()} for w in row["weights"]]
        )
        for row in bad["rows"]
    ]
    try:
        statement = core.Statement(bad["n"], bad["vectors"], bad["inputs"], rows)
        inputs = [bytes.fromhex(text) for text in bad["commitments"]]
        core.verify(statement, inputs, bytes.fromhex(bad["context"]), bytes.fromhex(bad["proof"]))
    except core.CoreError as error:
        return bad | {"code": error.code, "step": error.step}
    raise AssertionError(f"accepted: {bad['name']}")


def element_cases(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every element of a one-column proof in turn: a point replaced by the generator, a scalar raised by one."""
    proof = bytes.fromhex(case["proof"])
    names = ["d", "m", "phi", "phi_t", "acc", "q", "d(z)", "acc(wz)", "W_z", "W_wz"]
    lengths = [G1_BYTES] * 6 + [SCALAR_BYTES] * 2 + [G1_BYTES] * 2
    generator = core.commit(256, dict.fromkeys(range(256), 1), bytes(32))
    start = 0
    for name, length in zip(names, lengths, strict=True):
        element = proof[start : start + length]
        other = generator if length == G1_BYTES else ((int.from_bytes(element, "big") + 1) % R).to_bytes(32, "big")
        yield changed(case, f"another {name}", proof=(proof[:start] + other + proof[start + length :]).hex())
        start += length


def decoding_cases(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What no decoder may take."""
    proof = bytes.fromhex(case["proof"])
    scalars = 6 * G1_BYTES
    yield changed(case, "one byte short", proof=proof[:-1].hex())
    yield changed(case, "one byte long", proof=(proof + b"\0").hex())
    yield changed(case, "empty", proof="")
    yield changed(case, "the first point at infinity", proof=(INFINITY + proof[G1_BYTES:]).hex())
    yield changed(case, "the last point at infinity", proof=(proof[:-G1_BYTES] + INFINITY).hex())
    yield changed(case, "no compression flag", proof=(bytes([proof[0] & 0x7F]) + proof[1:]).hex())
    for value, title in ((R, "a scalar of r"), (2**256 - 1, "a scalar of 2^256 - 1")):
        data = proof[:scalars] + value.to_bytes(32, "big") + proof[scalars + SCALAR_BYTES :]
        yield changed(case, title, proof=data.hex())
    yield changed(case, "a point outside the curve", proof=(_off_curve() + proof[G1_BYTES:]).hex())
    yield changed(case, "a commitment at infinity", commitments=[INFINITY.hex()])
    yield changed(case, "a commitment outside the curve", commitments=[_off_curve().hex()])


def _off_curve() -> bytes:
    """The smallest x that is on no point."""
    for x in range(1, 100):
        data = bytes([0x80]) + x.to_bytes(G1_BYTES - 1, "big")
        try:
            core.add_commitments([data])
        except core.CoreError as error:
            if error.code == "POINT_ENCODING":
                return data
    raise AssertionError("every small x is on a point")


def binding_cases(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything that a proof is tied to."""
    raised = [{**row, "constant": hex(int(row["constant"], 16) + 1)} for row in case["rows"]]
    wider = [{**row, "bits": row["bits"] + 8} for row in case["rows"]]
    moved = [
        {**row, "weights": [{str(int(k) + 1): v for k, v in w.items()} for w in row["weights"]]} for row in case["rows"]
    ]
    yield changed(case, "another context", context=case["context"] + "00")
    yield changed(case, "an empty context", context="")
    yield changed(case, "constants raised", rows=raised)
    yield changed(case, "wider rows", rows=wider)
    yield changed(case, "weights on the next entries", rows=moved)
    yield changed(case, "rows in another order", rows=case["rows"][::-1])
    yield changed(case, "another commitment", commitments=[core.commit(256, {0: 1}, bytes(31) + b"\1").hex()])
    yield changed(case, "no commitment", commitments=[])


def statement_cases() -> Iterator[dict[str, Any]]:
    """Statements that are refused before any proof is looked at."""

    def refused(title: str, rows: list[RowSpec], n: int = 256, vectors: int = 1, inputs: int = 1) -> dict[str, Any]:
        base = {
            "name": "statement",
            "n": n,
            "vectors": vectors,
            "inputs": inputs,
            "context": "",
            "rows": [
                {"bits": bits, "constant": hex(constant), "weights": [_texts(weights) for weights in per_vector]}
                for bits, constant, per_vector in rows
            ],
            "commitments": [],
            "proof": "",
        }
        return changed(base, title)

    yield refused("n = 128", [(8, 0, [{0: 1}])], n=128)
    yield refused("bits = 12", [(12, 0, [{0: 1}])])
    yield refused("bits = 136", [(136, 0, [{0: 1}])])
    yield refused("an index of n", [(8, 0, [{256: 1}])])
    yield refused("no rows", [])
    yield refused("more inputs than vectors", [(8, 0, [{0: 1}])], inputs=2)
    yield refused("a weight of zero", [(8, 0, [{0: 0}])])
    yield refused("an auxiliary entry that no row binds: 2x - 1", [(8, -1, [{}, {0: 2}])], vectors=2)
    yield refused("two unbound auxiliary entries in one row", [(8, 0, [{}, {0: 1, 1: 1}])], vectors=2)
    wrapping: list[RowSpec] = [(128, 0, [{}, {k: -1, k + 1: (1 << 64) - 1}]) for k in reversed(range(5))]
    yield refused("a row that could wrap", [(64, 0, [{}, {5: 1}]), *wrapping], vectors=2)


def all_cases() -> list[dict[str, Any]]:
    """Every case, accepted ones first."""
    sizes = [(256, c) for c in range(1, 9)] + [(512, c) for c in (1, 2, 3)] + [(1024, 1), (2048, 1)]
    good = [columns_case(n, columns) for n, columns in sizes]
    good += [*boundary_cases(), *shape_cases()]
    base = valid("a row each of 64 and 96 bits", 256, 1, [(64, 5, [{0: 3}]), (96, 9, [{1: -7}])], [{0: 11, 1: -13}])
    bad = [*element_cases(base), *decoding_cases(base), *binding_cases(base), *statement_cases()]
    return [*good, base, *bad]


def main() -> None:
    """Writes the file named on the command line; never over one that exists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    target = parser.parse_args().file
    cases = all_cases()
    with target.open("x", encoding="utf-8") as file:
        json.dump({"setup_digest": core.SETUP_DIGEST.hex(), "cases": cases}, file, separators=(",", ":"))


if __name__ == "__main__":
    main()
