"""What docs/contracts.md says about reasons and gas is what the contracts do."""

import re
from pathlib import Path

from benches.gas import documented, measure, table
from marginproof.chains.evm.contracts.artifact import SOURCES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "contracts.md"
REASON = re.compile(r'"([A-Z][A-Z_]*[A-Z])"')


def test_every_reason_is_documented_and_none_is_invented() -> None:
    used = {reason for source in SOURCES.rglob("*.vy") for reason in REASON.findall(source.read_text(encoding="utf-8"))}
    rows = re.findall(r"^\| `([A-Z_]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == sorted(used)


async def test_the_gas_table_is_what_is_measured() -> None:
    assert documented() == table(await measure())
