"""The package: its own tests, what a browser can load, what npm packs, and the README's example."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.core.known_answers import VECTORS
from tests.typescript.conftest import PACKAGE, ROOT

CASES = json.loads(VECTORS.read_text())["cases"]
CONSUMER = """
import { ArgumentError, challenges, parseClaim, type Row, Statement, verify } from "@marginproof/argument";

const rows: Row[] = [{ bits: 64, constant: 1n, weights: [[[0, 1n]]] }];
export const statement: Statement = new Statement({ n: 256, vectors: 1, inputs: 1, rows });
export const z: bigint = challenges(statement, [], new Uint8Array(), new Uint8Array()).z;
export const step: number | undefined = new ArgumentError("PROOF_LENGTH", "").step;
verify(statement, [], new Uint8Array(), parseClaim({}).proof);
"""
ANSWERS = """
import { readFileSync } from "node:fs";
import { ArgumentError, parseClaim, verify } from "@marginproof/argument";

function answer(claim) {
  try {
    const { statement, commitments, context, proof } = parseClaim(claim);
    verify(statement, commitments, context, proof);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    return error.code;
  }
}
const { cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(cases.map(answer)));
"""


def test_its_own_tests_pass(node: str, built: Path) -> None:
    files = sorted(str(path) for path in built.glob("*.test.js"))
    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", *files], capture_output=True, text=True, timeout=280, check=False
    )
    assert run.returncode == 0, "\n".join(
        line for line in run.stdout.splitlines() if "not ok" in line or "rror" in line
    )
    counts = dict(re.findall(r"^# (\w+) (\d+)$", run.stdout, re.MULTILINE))
    assert int(counts["pass"]) >= 40
    assert {counts[name] for name in ("fail", "skipped", "todo", "cancelled")} == {"0"}


def test_the_source_runs_in_a_browser_and_has_no_untyped_value() -> None:
    for path in (PACKAGE / "src").glob("*.ts"):
        text = path.read_text()
        imported = re.findall(r'from "([^"]+)"', text)
        assert all(name.startswith(("./", "@noble/curves/", "@noble/hashes/")) for name in imported), path.name
        assert not re.search(r"(?::|<|\||\bas)\s*any\b|@ts-|\bimport\(|\brequire\(", text), path.name


def test_dependencies_are_pinned_exactly() -> None:
    package = json.loads((PACKAGE / "package.json").read_text())
    assert set(package["dependencies"]) == {"@noble/curves", "@noble/hashes"}
    pins = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", pin) for pin in pins)
    lock = (ROOT / "package-lock.json").read_text()
    assert "://" not in lock
    assert re.findall(r'"resolved": "(.*)"', lock) == ["client/typescript"]


def _npm(npm: str, folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "npm_config_offline": "true", "npm_config_update_notifier": "false"}
    command = [npm, *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr + run.stdout


@pytest.fixture(scope="module")
def installed(npm: str, compiler: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project into which npm installed the tarball and tarballs of what it depends on, and nothing else."""
    assert compiler  # npm pack compiles
    folder = tmp_path_factory.mktemp("consumer")
    (folder / "package.json").write_text('{"type": "module"}')
    _npm(npm, PACKAGE, "pack", "--silent", "--pack-destination", str(folder))
    for name in ("curves", "hashes"):
        dependency = ROOT / "node_modules" / "@noble" / name
        _npm(npm, dependency, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder))
    tarballs = sorted(f"./{path.name}" for path in folder.glob("*.tgz"))
    assert len(tarballs) == 3
    _npm(npm, folder, "install", "--silent", "--no-audit", "--no-fund", *tarballs)
    return folder


def test_the_tarball_holds_what_it_should(installed: Path) -> None:
    package = installed / "node_modules" / "@marginproof" / "argument"
    names = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    modules = {path.stem for path in (PACKAGE / "src").glob("*.ts")}
    compiled = {f"dist/{module}{ending}" for module in modules for ending in (".js", ".d.ts")}
    assert names == compiled | {"package.json", "README.md", "LICENSE-APACHE", "LICENSE-MIT"}


def test_its_types_hold_for_a_strict_consumer(installed: Path, compiler: list[str]) -> None:
    source = installed / "consumer.ts"
    source.write_text(CONSUMER)
    options = ["--noEmit", "--strict", "--target", "ES2022", "--module", "NodeNext", str(source)]
    run = subprocess.run([*compiler, *options], cwd=installed, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout


def _example(installed: Path, node: str, claim: dict[str, Any]) -> str:
    blocks = re.findall(r"```js\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    assert len(blocks[0].splitlines()) <= 12
    (installed / "example.js").write_text(blocks[0])
    (installed / "claim.json").write_text(json.dumps(claim))
    command = [node, "example.js", "claim.json"]
    run = subprocess.run(command, cwd=installed, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_example_of_the_readme_runs(installed: Path, node: str) -> None:
    assert _example(installed, node, CASES[0]) == "one vector, one column: accepted"
    assert _example(installed, node, CASES[0] | {"context": "00"}) == "refused at step 8: PROOF_INVALID"
    assert _example(installed, node, CASES[0] | {"proof": "00"}) == "refused at step 3: PROOF_LENGTH"


def test_the_tarball_answers_every_known_case(installed: Path, node: str) -> None:
    (installed / "answers.js").write_text(ANSWERS)
    for path in sorted(VECTORS.parent.glob("*.json")):
        command = [node, "answers.js", str(path)]
        run = subprocess.run(command, cwd=installed, capture_output=True, text=True, timeout=240, check=False)
        assert run.returncode == 0, run.stderr
        cases = json.loads(path.read_text())["cases"]
        for case, answer in zip(cases, json.loads(run.stdout), strict=True):
            assert (answer == "accepted") == case["valid"], case["name"]
            assert answer == case.get("code", answer), case["name"]
