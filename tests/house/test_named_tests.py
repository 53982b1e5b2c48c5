"""Pages for auditors name tests and deletions: every one exists, and a deletion runs what its row names."""

import re
from pathlib import Path

import pytest

from scripts import mutants

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
CLASSES = (ROOT / "docs" / "bug-classes.md").read_text()
DELETIONS = {f"{mutant.table}: {mutant.name}": mutant for mutant in mutants.load()}
BY_CONSTRUCTION = {24, 39}
"""Classes without a deletion: the first needs no check, the second shows in no result."""


def named(text: str) -> list[tuple[str, str]]:
    """Every `file::test` of a text."""
    return re.findall(r"`([\w./-]+)::(\w+)`", text)


def source(file: str) -> Path:
    """The file as it stands in the tree, for Rust also below core/crates."""
    return next((path for path in (ROOT / file, ROOT / "core" / "crates" / file) if path.exists()), ROOT / file)


def is_test(path: Path, name: str) -> bool:
    """Whether the file defines a test of this name."""
    if not path.exists():
        return False
    if path.suffix == ".rs":
        pattern = rf"#\[test\](?:\s|#\[[^\n]*\n|//[^\n]*\n)*fn {name}\("
    else:
        pattern = rf"^(?:async )?def {name}\("
    return re.search(pattern, path.read_text(), re.MULTILINE) is not None


SHORT = dict(re.findall(r"^\| `(\w+)` \| `([\w./-]+)` \|$", CLASSES, re.MULTILINE))
ROWS = [
    [cell.strip() for cell in line.split(" | ")] for line in re.findall(r"^\| (\d+ \| .*) \|$", CLASSES, re.MULTILINE)
]


@pytest.mark.parametrize(("file", "name"), named(PROTOCOL))
def test_the_protocols_tests_exist(file: str, name: str) -> None:
    assert is_test(source(file), name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_tests_and_deletions_of_a_class_exist_and_belong_together(row: list[str]) -> None:
    number, _, origin, possible, tests, deletions = row
    assert origin
    assert possible.startswith(("yes", "no:"))
    files = {SHORT[file] for file, _ in named(tests)}
    assert files
    assert all(is_test(source(SHORT[file]), name) for file, name in named(tests))
    chosen = re.findall(r"`([^`]+)`", deletions)
    assert bool(chosen) == (int(number) not in BY_CONSTRUCTION)
    for deletion in chosen:
        assert any(runs(DELETIONS[deletion], file) for file in files), deletion


def runs(mutant: mutants.Mutant, file: str) -> bool:
    """Whether a deletion runs tests of this file."""
    if mutant.runner == "pytest":
        return any(file.startswith(test.split("::")[0]) for test in mutant.tests)
    package, stem = Path(file).parts[2], Path(file).stem
    target = "--lib" if "/src/" in file else stem
    return package in mutant.tests and target in mutant.tests


def test_all_classes_are_there() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 42))
    assert len(named(PROTOCOL)) > 40
    assert SHORT.keys() == {file for row in ROWS for file, _ in named(row[4])}


def test_every_deletion_made_for_the_page_is_on_it() -> None:
    made = {name for name in DELETIONS if name.startswith("bug_classes: ")}
    assert made <= set(re.findall(r"`([^`]+)`", CLASSES))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#[test]\nfn one() {", True),
        ('#[test]\n#[should_panic(expected = "x")]\nfn one() {', True),
        ("fn one() {", False),
        ("#[test]\nfn other() {}\nfn one() {", False),
    ],
)
def test_a_function_is_a_test_only_with_its_mark(tmp_path: Path, text: str, found: bool) -> None:
    path = tmp_path / "file.rs"
    path.write_text(text)
    assert is_test(path, "one") is found
