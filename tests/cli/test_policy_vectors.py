"""``marginproof policy check-vectors``: what is met, what is missed, and files that are no vectors."""

import json
import os
import shutil
from pathlib import Path

import pytest

from marginproof.model.reasons import ReasonCode, exit_code
from marginproof.risk.pmrm2.vector_file import MAX_VECTOR_BYTES
from tests.support.command import Command

CASH_ONLY = "test_1_collateral_cash_only.json"


@pytest.fixture
def folder(shared_dir: Path) -> Path:
    return shared_dir / "data" / "margin-vectors" / "pmrm2"


@pytest.mark.shared
def test_all_published_vectors_are_met(run: Command, folder: Path) -> None:
    spoken = run("policy", "check-vectors", str(folder))
    count = len(list(folder.glob("*.json")))
    lines = spoken.out.splitlines()
    assert spoken.code == 0
    assert lines[-1] == f"{count} of {count} within 1e-6"
    names = [line.split()[0] for line in lines[1:-1]]
    assert sorted(names) == sorted(path.stem for path in folder.glob("*.json"))
    numbers = [int(name.split("_")[1]) for name in names]
    assert numbers == sorted(numbers)


@pytest.mark.shared
def test_the_json_document_holds_both_margins(run: Command, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / CASH_ONLY, tmp_path)
    document = run("--json", "policy", "check-vectors", str(tmp_path)).document
    assert document["schema"] == "marginproof/policy-check-vectors/v1"
    assert (document["within"], document["total"], document["tolerance"]) == (1, 1, 1e-6)
    (vector,) = document["vectors"]
    level = {"ours_usd": 1000.0, "given_usd": 1000.0, "relative_error": 0.0}
    assert vector == {
        "vector": Path(CASH_ONLY).stem,
        "initial": level,
        "maintenance": level,
        "within": True,
        "failure": "",
    }


@pytest.mark.shared
@pytest.mark.parametrize(("level", "factor", "within"), [("IM", 1 + 9e-7, 1), ("IM", 1 + 2e-6, 0), ("MM", 1 - 2e-6, 0)])
def test_one_margin_beyond_the_tolerance_is_a_miss(
    run: Command, folder: Path, tmp_path: Path, level: str, factor: float, within: int
) -> None:
    document = json.loads((folder / CASH_ONLY).read_bytes())
    document["Result"][level] *= factor
    (tmp_path / "changed.json").write_text(json.dumps(document))
    spoken = run("policy", "check-vectors", str(tmp_path))
    assert spoken.out.splitlines()[-1] == f"{within} of 1 within 1e-6"
    assert (spoken.code == 0) is bool(within)
    assert ("fail" in spoken.out) is not bool(within)


@pytest.mark.shared
def test_where_nothing_is_given_the_error_is_in_usd(run: Command, folder: Path, tmp_path: Path) -> None:
    document = json.loads((folder / CASH_ONLY).read_bytes())
    document["Result"]["IM"] = 0
    (tmp_path / "zero.json").write_text(json.dumps(document))
    spoken = run("--json", "policy", "check-vectors", str(tmp_path))
    assert spoken.document["vectors"][0]["initial"]["relative_error"] == 1000


@pytest.mark.shared
def test_files_that_are_no_vectors_are_named_failures(run: Command, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / CASH_ONLY, tmp_path / "good.json")
    expired = json.loads((folder / "test_12_risk_cancelling_naked_short_call.json").read_bytes())
    expired["Scenario"]["Options"][0]["Expiry"] = 0
    (tmp_path / "expired.json").write_text(json.dumps(expired))
    (tmp_path / "text.json").write_text("no json")
    (tmp_path / "nan.json").write_text('{"Scenario": NaN}')
    (tmp_path / "huge.json").write_bytes(b" " * (MAX_VECTOR_BYTES + 1))
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / f"{'9' * 200}.json").write_text("[]")
    (tmp_path / "notes.txt").write_text("left alone")
    spoken = run("--json", "policy", "check-vectors", str(tmp_path))
    failures = {line["vector"]: line["failure"].partition(":")[0] for line in spoken.document["vectors"]}
    assert failures == {
        "good": "",
        "expired": ReasonCode.OUT_OF_RANGE,
        "text": ReasonCode.MALFORMED,
        "nan": ReasonCode.MALFORMED,
        "huge": ReasonCode.TOO_LARGE,
        "folder": ReasonCode.FILE_UNREADABLE,
        "pipe": ReasonCode.FILE_UNREADABLE,
        "9" * 200: ReasonCode.MALFORMED,
    }
    assert spoken.code != 0
    assert run("policy", "check-vectors", str(tmp_path)).out.splitlines()[-1] == "1 of 8 within 1e-6"


@pytest.mark.shared
def test_options_that_cannot_be_priced_are_a_named_failure(run: Command, folder: Path, tmp_path: Path) -> None:
    document = json.loads((folder / "test_12_risk_cancelling_naked_short_call.json").read_bytes())
    document["Scenario"]["OptionFeeds"][0]["Forward"] = 9e14
    (tmp_path / "beyond.json").write_text(json.dumps(document))
    spoken = run("--json", "policy", "check-vectors", str(tmp_path))
    assert spoken.document["vectors"][0]["failure"].startswith(ReasonCode.PRICING_DOMAIN)


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_a_directory_without_vectors_is_refused(run: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    spoken = run("--json", "policy", "check-vectors", str(tmp_path / name))
    assert spoken.error["code"] == ReasonCode.FILE_UNREADABLE
    assert spoken.error["fix"]
    assert spoken.code == exit_code(ReasonCode.FILE_UNREADABLE)
