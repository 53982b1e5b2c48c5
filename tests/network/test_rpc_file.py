"""Files of endpoints: both spellings, and nothing of a bad one is ever quoted."""

from pathlib import Path

import pytest

from marginproof.cli.rpc_file import is_private, read_rpc_file
from marginproof.model.errors import ConfigurationError
from marginproof.model.reasons import ReasonCode

LINES = "# mine\n\neip155:1=https://a.example/v2/key\neip155:10=http://b.example\n  eip155:1=https://c.example/?k=1=2\n"
YAML = "eip155:1: [https://a.example/v2/key, 'https://c.example/?k=1=2']\neip155:10: [http://b.example]\n"
EXPECTED = {
    "eip155:1": ("https://a.example/v2/key", "https://c.example/?k=1=2"),
    "eip155:10": ("http://b.example",),
}


@pytest.mark.parametrize("text", [LINES, YAML, LINES.replace("\n", "\r\n")])
def test_lines_and_yaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rpc"
    path.write_bytes(text.encode())
    assert read_rpc_file(path) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "{}",
        "eip155:1=https://planted.example\nplanted",
        "eip155:1=ftp://planted.example",
        "planted",
        "x=https://planted.example",
        "eip155:1: https://planted.example",
        "eip155:1: []",
        "eip155:1: [ftp://planted.example]",
        "planted: [https://planted.example]",
        "eip155:1=https://planted.example/" + "a" * 3000,
        "eip155:1=https://planted.example\n" * 17,
        "- https://planted.example",
        "&a eip155:1: [*a]",
    ],
)
def test_other_texts_are_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rpc"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_rpc_file(path)
    assert caught.value.code is ReasonCode.CONFIG_INVALID
    assert "planted.example" not in str(caught.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("eip155:1=https://a.example\n" * 10_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "large", "binary"):
        with pytest.raises(ConfigurationError) as caught:
            read_rpc_file(tmp_path / name)
        assert caught.value.code is ReasonCode.FILE_UNREADABLE


def test_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "rpc"
    path.write_text(LINES)
    for mode, private in ((0o600, True), (0o640, False), (0o604, False)):
        path.chmod(mode)
        assert is_private(path) is private
