"""A process that only verifies stays small; the prover's tables are never made in it (core: `setup` tests)."""

import sys

import pytest

from benches import memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")


def test_every_known_answer_counts() -> None:
    assert memory.verify_known_answers() >= 40


def test_a_process_that_only_verifies_stays_within_its_limit() -> None:
    assert 5 < memory.peak_mebibytes(memory.ONLY_VERIFIES) <= memory.LIMIT_MEBIBYTES


def test_a_process_that_fails_gives_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(memory.PROCESSES, "core", ("fails", "raise SystemExit(3)"))
    with pytest.raises(RuntimeError, match="ended with 3"):
        memory.peak_mebibytes("core")
