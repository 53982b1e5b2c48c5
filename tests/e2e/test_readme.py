"""What the README tells its reader to type works as it is written."""

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, DemoRun

README = (ROOT / "README.md").read_text()
BLOCKS = dict(re.findall(r"<!-- tested: ([a-z-]+) -->\n```sh\n(.*?)```", README, re.DOTALL))


def test_the_readme_has_its_paths() -> None:
    assert set(BLOCKS) == {"look", "relayer", "verify", "venue", "fills"}
    assert "make demo" in README
    assert "make test" in README


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("look", "eip155:31338"),
        ("verify", "pass"),
        ("venue", "signed   by the venue: True"),
        ("fills", "booked as"),
        ("relayer", "healthy"),
    ],
)
def test_a_path_of_the_readme(demo: DemoRun, name: str, wanted: str) -> None:
    run = demo.run(BLOCKS[name])
    assert run.returncode == 0, run.stdout + run.stderr
    assert wanted in run.stdout


def test_what_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_no_document_names_a_file_that_is_not_there() -> None:
    for document in [ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{target} in {document.name}"


def test_the_picture_of_the_terminal_is_made_by_its_script() -> None:
    script = ROOT / "docs" / "make_terminal_picture.py"
    assert "terminal.svg" in script.read_text()
    assert (Path(ROOT) / "docs" / "images" / "terminal.svg").read_text().startswith("<svg")
