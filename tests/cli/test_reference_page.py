from pathlib import Path

from marginproof.cli.reference_page import reference_page
from marginproof.model.reasons import ExitCode

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_the_page_is_current() -> None:
    made = reference_page()
    assert PAGE.read_text() == made, "run: python -m marginproof.cli.reference_page > docs/cli.md"


def test_every_exit_code_and_command_is_on_it() -> None:
    page = reference_page()
    codes = [code for name, code in vars(ExitCode).items() if name.isupper()]
    assert [code for code in codes if f"| {code} |" not in page] == []
    for verb in ("new", "lock", "top-up", "register", "prove", "status", "withdraw", "notice start"):
        assert f"## marginproof account {verb}\n" in page
