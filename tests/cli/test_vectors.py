"""``marginproof vectors``: known answers checked and made; every kind of difference is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from marginproof.model.reasons import ReasonCode, exit_code
from tests.support.command import Command

FOLDER = Path(__file__).resolve().parents[2] / "core" / "vectors"
FROZEN = FOLDER / "frozen.json"


@pytest.mark.parametrize("name", ["frozen.json", "linear-range.json"])
def test_our_own_vectors_verify_for_ever(run: Command, name: str) -> None:
    spoken = run("--json", "vectors", "check", str(FOLDER / name))
    document = spoken.document
    assert spoken.code == 0
    assert document["differing"] == 0
    assert len(document["results"]) == document["cases"] >= 16


def test_the_frozen_cases_cover_what_their_page_says() -> None:
    cases = json.loads(FROZEN.read_text())["cases"]
    good = [case for case in cases if case["valid"]]
    assert len(cases) >= 60
    assert len({case["name"] for case in cases}) == len(cases)
    assert {case["n"] for case in good} == {256, 512, 1024, 2048}
    digits = [sum(row["bits"] for row in case["rows"]) // 8 for case in good if case["n"] == 256]
    assert {-(-count // 256) for count in digits} >= set(range(1, 9))
    assert {row["bits"] for case in good for row in case["rows"]} >= set(range(8, 136, 8))
    assert any(case["vectors"] > case["inputs"] for case in good)
    codes = {case["code"] for case in cases if not case["valid"]}
    assert codes >= {"PROOF_INVALID", "PROOF_LENGTH", "POINT_ENCODING", "POINT_AT_INFINITY", "SCALAR_RANGE"}
    assert codes >= {"STATEMENT_SHAPE", "STATEMENT_NOT_CANONICAL", "STATEMENT_UNBOUND_AUXILIARY", "STATEMENT_WRAP"}


def case_named(name: str) -> dict[str, Any]:
    return next(case for case in json.loads(FROZEN.read_text())["cases"] if case["name"] == name)


REFUSED = "verdict: refused, PROOF_INVALID"
GOOD = case_named("a row each of 64 and 96 bits")
BAD = case_named("a row each of 64 and 96 bits: another d")


@pytest.mark.parametrize(
    ("case", "differs"),
    [
        (GOOD | {"statement_digest": "00" * 32}, ["statement digest"]),
        (GOOD | {"openings": [{**GOOD["openings"][0], "rho": "0x5"}]}, ["commitment 0"]),
        (GOOD | {"challenges": {**GOOD["challenges"], "gamma": "0x1"}}, ["challenge gamma"]),
        (GOOD | {"challenges": {"delta": "0x1"}}, ["challenge delta"]),
        (GOOD | {"context": "00"}, [*(f"challenge {name}" for name in GOOD["challenges"]), REFUSED]),
        (GOOD | {"valid": False}, ["verdict: accepted"]),
        (BAD | {"valid": True}, [REFUSED]),
        (BAD | {"code": "PROOF_LENGTH"}, ["verdict: PROOF_INVALID at step 8"]),
        (BAD | {"step": 7}, ["verdict: PROOF_INVALID at step 8"]),
        (BAD | {"n": 300}, ["verdict: STATEMENT_SHAPE at step 1"]),
        ({"name": "nothing"}, ["malformed case"]),
        (GOOD | {"proof": 7}, ["malformed case"]),
        (GOOD | {"rows": [{"bits": 8, "constant": 0, "weights": [{}]}]}, ["malformed case"]),
        (GOOD | {"openings": [{"values": {"999": "0x1"}, "rho": "0x1"}]}, ["malformed case: ENTRY_RANGE"]),
    ],
)  # fmt: skip
def test_differences_are_named(run: Command, tmp_path: Path, case: dict[str, Any], differs: list[str]) -> None:
    document = json.loads(FROZEN.read_text()) | {"cases": [case]}
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(document))
    spoken = run("--json", "vectors", "check", str(path))
    assert spoken.code == 1
    assert spoken.document["results"] == [{"case": case["name"], "ok": False, "differs": differs}]


def test_another_setup_is_a_difference(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"setup_digest": "00" * 32, "cases": [GOOD]}))
    spoken = run("--json", "vectors", "check", str(path))
    assert (spoken.code, spoken.document["differing"]) == (1, 1)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"cases": {}}', b'{"cases": [7]}', b'{"cases": [{}]}', b"[" * 9999]
)
def test_what_is_no_file_of_vectors(run: Command, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "vectors.json"
    path.write_bytes(data)
    spoken = run("--json", "vectors", "check", str(path))
    assert (spoken.code, spoken.error["code"]) == (exit_code(ReasonCode.MALFORMED), "MALFORMED")
    assert run("--json", "vectors", "check", str(tmp_path / "none.json")).error["code"] == "FILE_UNREADABLE"


def test_fresh_proofs_have_the_same_form_and_verify(run: Command, tmp_path: Path) -> None:
    source, target = tmp_path / "source.json", tmp_path / "fresh.json"
    document = json.loads(FROZEN.read_text()) | {"cases": [GOOD, BAD]}
    source.write_text(json.dumps(document))
    spoken = run("--json", "vectors", "prove", str(source), "--out", str(target))
    assert (spoken.code, spoken.document["proven"]) == (0, 1)
    (fresh,) = json.loads(target.read_text())["cases"]
    changed = {key for key in GOOD if fresh[key] != GOOD[key]}
    assert changed == {"proof", "challenges"}
    assert fresh.keys() == GOOD.keys()
    assert run("--json", "vectors", "check", str(target)).code == 0
    missing = run("--json", "vectors", "prove", str(source), "--out", str(tmp_path / "none" / "x.json"))
    assert missing.code == exit_code(ReasonCode.CONFIG_INVALID)
